"""Trials of an encoder: built at its settings, on made-up items of a kind that it reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from widemargin.contracts import EncoderSpec, Kind, Section
from widemargin.errors import InputError
from widemargin.testing.blame import ConformanceError, blame, packages_of, place_of, violation
from widemargin.testing.encoder_samples import EncoderSample, sample_of

__all__ = ["ROWS", "EncoderCheck", "Trial", "apart_by", "dense", "trials"]


ROWS = "An encoder returns a matrix of finite numbers: a row an item, a name a column."


class EncoderCheck(Protocol):
    """One rule that every encoder must keep."""

    __name__: str

    def __call__(self, spec: EncoderSpec, settings: Section | None = None) -> None:
        """Raise a `ConformanceError` where the encoder breaks the rule."""
        ...


@dataclass(frozen=True, kw_only=True)
class Trial:
    """An encoder's settings, and items of one kind that it is tried on."""

    spec: EncoderSpec
    settings: Section
    kind: Kind
    sample: EncoderSample

    @property
    def packages(self) -> set[str]:
        """The packages of the encoder's own code."""
        return packages_of(self.spec.build, self.spec.settings)

    def built(self) -> Any:
        """Return an encoder that is not fitted."""
        return self.spec.build(self.settings)

    def fitted(self) -> Any:
        """Return an encoder that was fitted to the sample."""
        rule = "An encoder can be built and fitted."
        with self.expecting(rule, "return an encoder from `build`, and itself from `fit`."):
            return self.built().fit(self.sample.columns, self.sample.y)

    def vectors(self, encoder: Any, columns: Mapping[str, Sequence[Any]]) -> Any:
        """Return an encoder's vectors as an array."""
        remedy = (
            "return an array or a CSR matrix of numbers, with a row an item, from `transform`, or "
            "from `encode` of a FrozenEncoder."
        )
        with self.expecting(ROWS, remedy, "`transform` gives a row of numbers for each item"):
            made = encoder.transform(columns)
        rows = dense(made)
        if rows.ndim != 2 or rows.dtype.kind not in "fiu":
            what = "None" if made is None else f"a {type(made).__name__} of shape {rows.shape}"
            raise self.broken(ROWS, f"{what}, of type {rows.dtype}.", remedy)
        return rows

    def broken(self, rule: str, found: str, remedy: str) -> ConformanceError:
        """Return the error that says which rule the encoder breaks."""
        return violation(self.subject, rule, found, remedy, self._place())

    @contextmanager
    def expecting(
        self, rule: str, remedy: str, promise: str = "nothing is raised there"
    ) -> Iterator[None]:
        """Turn whatever the encoder's code raises into a broken rule.

        What is raised on purpose says itself what to mend; it is a matter of the settings.
        """
        try:
            yield
        except (ConformanceError, InputError):
            raise
        except Exception as error:
            told = blame(error, self.packages, remedy, promise)
            where = told.where or self._place()
            raise violation(self.subject, rule, told.found, told.remedy, where) from error

    def _place(self) -> str:
        """Return where the encoder is defined, or built where it cannot be built."""
        parts: list[object] = [self.spec.build]
        with suppress(Exception):
            parts.insert(0, type(self.built()))
        return place_of(self.packages, *parts)

    @property
    def subject(self) -> str:
        """What is tried, in words."""
        return f"encoder {self.spec.name!r} on {self.kind}"


def trials(spec: EncoderSpec, settings: Section | None) -> Iterator[Trial]:
    """Yield a trial for each kind of items that an encoder reads."""
    chosen = spec.settings() if settings is None else settings
    for kind in spec.kinds:
        yield Trial(spec=spec, settings=chosen, kind=kind, sample=sample_of(kind))


def dense(rows: Any) -> Any:
    """Return what an encoder made as an array."""
    return np.asarray(rows.toarray() if hasattr(rows, "toarray") else rows)


def apart_by(one: Any, other: Any) -> float:
    """Return the greatest distance of two rows, in units of the rows' usual length."""
    if one.shape != other.shape:
        return float("inf")
    scale = float(np.sqrt(np.mean(np.square(other, dtype=np.float64).sum(axis=1)))) or 1.0
    apart = np.sqrt(np.square(one.astype(np.float64) - other).sum(axis=1)).max(initial=0.0)
    return float(apart) / scale
