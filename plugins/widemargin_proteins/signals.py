"""The encoder ``signals``: patterns by which cells sort proteins, and which mark families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from pydantic import AfterValidator, Field

from widemargin import EncoderSpec, Section
from widemargin.encoders import Residues, SequenceEncoder
from widemargin_proteins.known_signals import KNOWN, Measure, Signal
from widemargin_proteins.prosite import Pattern

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SIGNALS", "SignalsEncoder", "SignalsSettings"]


def _pattern(text: str) -> str:
    return Pattern(text).text


OwnPattern = Annotated[str, AfterValidator(_pattern)]


class SignalsSettings(Section):
    """Settings of the encoder ``signals``."""

    patterns: dict[str, OwnPattern] = Field(
        {},
        description="patterns of your own in PROSITE's notation, by name, as in "
        "{calmodulin: '[FILV]-Q-x(3)-[RK]-G-x(3)-[RK]'}; how often each occurs is added",
    )


class SignalsEncoder(SequenceEncoder):
    """Whether, how often or how densely each of some ninety known patterns occurs in a protein.

    Upper and lower case are alike and white space is left out. A letter that is none of the twenty
    amino acids meets ``x`` alone.

    Parameters
    ----------
    patterns : mapping of str to str
        More patterns, in PROSITE's notation.

    Examples
    --------
    >>> encoder = SignalsEncoder()
    >>> row = encoder.transform(["MAAGKDEL"])[0]
    >>> encoder.get_feature_names_out()[row > 0].tolist()
    ['stays in the ER: KDEL', 'begins MA']
    """

    name: ClassVar[str] = "signals"

    def __init__(self, patterns: Mapping[str, str] | None = None) -> None:
        self.patterns = patterns

    @property
    def signals(self) -> tuple[Signal, ...]:
        """The patterns looked for."""
        own = (self.patterns or {}).items()
        return (*KNOWN, *(Signal(name, text, Measure.NUMBER) for name, text in own))

    @property
    def columns(self) -> tuple[str, ...]:
        """The name of each number, in order."""
        return tuple(signal.name for signal in self.signals)

    def encode(self, items: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of shape (n_items, dimension)."""
        proteins = Residues(items)
        rows = [signal.measure_in(proteins) for signal in self.signals]
        return np.stack(rows, axis=1).astype(np.float32)


def _build(settings: SignalsSettings) -> SignalsEncoder:
    return SignalsEncoder(**settings.model_dump())


SIGNALS = EncoderSpec(
    name="signals",
    summary="patterns of residues that sort proteins and mark their families",
    kinds=("sequence",),
    learns="nothing",
    settings=SignalsSettings,
    build=_build,
    dimension=len(KNOWN),
)
