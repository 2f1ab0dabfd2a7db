"""What every encoder must do, as checks that plugin authors call from their own tests.

Each check builds the encoder at the given settings, tries one rule on made-up items of every kind
that it reads, and raises a `ConformanceError` that says what was found and what to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from widemargin.contracts import EncoderSpec, Kind, Section, State
from widemargin.encoders import FrozenEncoder
from widemargin.errors import InputError
from widemargin.testing.encoder_samples import EncoderSample, sample_of
from widemargin.testing.fixture import ConformanceError, blocked_network, violation

__all__ = [
    "EncoderCheck",
    "check_encoder",
    "check_encoder_clones",
    "check_encoder_is_deterministic",
    "check_encoder_learns",
    "check_encoder_needs_no_network",
    "check_encoder_odd_items",
    "check_encoder_round_trip",
    "check_encoder_rows_are_independent",
    "check_encoder_shape",
    "check_encoder_shares",
    "encoder_checks",
]

_CLOSE = 1e-5


class EncoderCheck(Protocol):
    """One rule that every encoder must keep."""

    __name__: str

    def __call__(self, spec: EncoderSpec, settings: Section | None = None) -> None:
        """Raise a `ConformanceError` where the encoder breaks the rule."""
        ...


def encoder_checks() -> list[EncoderCheck]:
    """Return all checks, so that tests can be parametrised over them.

    Examples
    --------
    >>> encoder_checks()[0].__name__
    'check_encoder_shape'
    """
    return [
        check_encoder_shape,
        check_encoder_is_deterministic,
        check_encoder_rows_are_independent,
        check_encoder_odd_items,
        check_encoder_clones,
        check_encoder_round_trip,
        check_encoder_learns,
        check_encoder_shares,
        check_encoder_needs_no_network,
    ]


def check_encoder(spec: EncoderSpec, settings: Section | None = None) -> None:
    """Try every check on an encoder.

    Parameters
    ----------
    spec : EncoderSpec
        What is checked.
    settings : Section, optional
        Its settings; its defaults if they are not given.

    Raises
    ------
    ConformanceError
        Where any fails; it names every rule that is broken, each once.

    Examples
    --------
    >>> from widemargin.encoders import ENCODERS
    >>> check_encoder(next(spec for spec in ENCODERS if spec.name == "kmer"))
    """
    told: dict[str, None] = {}
    for check in encoder_checks():
        try:
            check(spec, settings)
        except ConformanceError as error:
            told[str(error)] = None
    if told:
        raise ConformanceError("\n".join(told))


def check_encoder_shape(spec: EncoderSpec, settings: Section | None = None) -> None:
    """Check that vectors are finite numbers, one row an item, one name a column.

    Parameters
    ----------
    spec : EncoderSpec
        What is checked.
    settings : Section, optional
        Its settings; its defaults if they are not given.

    Raises
    ------
    ConformanceError
        Where they are not.
    """
    rule = "An encoder returns a matrix of finite numbers: a row an item, a name a column."
    for kind, sample in _samples(spec):
        with _expecting(spec, kind, rule, "see what the error says."):
            encoder = _fitted(spec, settings, sample)
            rows = encoder.transform(sample.columns)
            none = encoder.transform(sample.rows([]))
        made = _dense(rows)
        names = list(encoder.get_feature_names_out())
        found = ""
        if made.shape != (len(sample), len(names)):
            found = f"shape {made.shape} for {len(sample)} items and {len(names)} names."
        elif made.dtype.kind != "f" or not np.isfinite(made).all():
            found = f"numbers of type {made.dtype}, some of which are not finite."
        elif _dense(none).shape != (0, len(names)):
            found = f"shape {_dense(none).shape} for no item at all."
        elif len(set(names)) != len(names):
            found = "two columns of one name."
        elif spec.dimension is not None and settings is None and spec.dimension != len(names):
            found = f"{len(names)} numbers, where the spec says {spec.dimension}."
        elif not np.ptp(made, axis=0).any():
            found = "the same vector for all items."
        if found:
            raise _broken(spec, kind, rule, found, "return what the rule says.")


def check_encoder_is_deterministic(spec: EncoderSpec, settings: Section | None = None) -> None:
    """Check that fitting and encoding twice give equal vectors.

    Parameters
    ----------
    spec : EncoderSpec
        What is checked.
    settings : Section, optional
        Its settings; its defaults if they are not given.

    Raises
    ------
    ConformanceError
        Where they differ.
    """
    rule = "Two encoders of the same settings, fitted on the same rows, give equal vectors."
    for kind, sample in _samples(spec):
        one, other = (
            _dense(_fitted(spec, settings, sample).transform(sample.columns)) for _ in range(2)
        )
        if not np.array_equal(one, other):
            remedy = "seed whatever draws at random, and let one thread add up what is learnt."
            raise _broken(spec, kind, rule, f"they differ by {_apart(one, other)}.", remedy)


def check_encoder_rows_are_independent(spec: EncoderSpec, settings: Section | None = None) -> None:
    """Check that an item's vector depends neither on its neighbours nor on its place.

    Parameters
    ----------
    spec : EncoderSpec
        What is checked.
    settings : Section, optional
        Its settings; its defaults if they are not given.

    Raises
    ------
    ConformanceError
        Where it does.
    """
    rule = "An item's vector is the same alone, among others, and in another order."
    for kind, sample in _samples(spec):
        encoder = _fitted(spec, settings, sample)
        whole = _dense(encoder.transform(sample.columns))
        order = np.random.default_rng(1).permutation(len(sample))
        doubled = [*order, *order[:3]]
        turned = _dense(encoder.transform(sample.rows(doubled)))
        alone = np.concatenate(
            [_dense(encoder.transform(sample.rows([row]))) for row in range(len(sample))]
        )
        for found, made, expected in (
            ("in another order", turned, whole[doubled]),
            ("alone", alone, whole),
        ):
            if _apart(made, expected) > _CLOSE:
                remedy = "let padding, batches and threads have no part in a vector."
                apart = f"{found} vectors differ by {_apart(made, expected)}."
                raise _broken(spec, kind, rule, apart, remedy)


def check_encoder_odd_items(spec: EncoderSpec, settings: Section | None = None) -> None:
    """Check that odd items get a vector, or a message that people can act on.

    Parameters
    ----------
    spec : EncoderSpec
        What is checked.
    settings : Section, optional
        Its settings; its defaults if they are not given.

    Raises
    ------
    ConformanceError
        Where one ends in another error, or in numbers that are not finite.
    """
    rule = "An odd item gets a finite vector, or a DataError."
    for kind, sample in _samples(spec):
        encoder = _fitted(spec, settings, sample)
        for what, columns in sample.odd_rows().items():
            remedy = "raise widemargin.DataError with what was wrong, where, and what to do."
            with _expecting(spec, kind, f"{rule} Tried: {what}.", remedy):
                try:
                    made = _dense(encoder.transform(columns))
                except InputError as error:
                    if len(str(error)) < 20:
                        raise
                    continue
            if len(made) != 1 or not np.isfinite(made).all():
                raise _broken(spec, kind, f"{rule} Tried: {what}.", "no finite vector.", remedy)


def check_encoder_clones(spec: EncoderSpec, settings: Section | None = None) -> None:
    """Check that scikit-learn's clone gives an unfitted copy that learns the same.

    Parameters
    ----------
    spec : EncoderSpec
        What is checked.
    settings : Section, optional
        Its settings; its defaults if they are not given.

    Raises
    ------
    ConformanceError
        Where cloning fails or changes the vectors.
    """
    from sklearn.base import clone

    rule = "scikit-learn's clone of an encoder is unfitted and learns the same."
    remedy = "store each constructor parameter under its own name, unchanged."
    for kind, sample in _samples(spec):
        encoder = _fitted(spec, settings, sample)
        with _expecting(spec, kind, rule, remedy):
            copy = clone(encoder)
            made = _dense(copy.fit(sample.columns, sample.y).transform(sample.columns))
        if not np.array_equal(made, _dense(encoder.transform(sample.columns))):
            raise _broken(spec, kind, rule, "other vectors from the clone.", remedy)


def check_encoder_round_trip(spec: EncoderSpec, settings: Section | None = None) -> None:
    """Check that what was saved gives the same vectors, bit for bit.

    Parameters
    ----------
    spec : EncoderSpec
        What is checked.
    settings : Section, optional
        Its settings; its defaults if they are not given.

    Raises
    ------
    ConformanceError
        Where it cannot be saved or loaded, or gives other vectors.
    """
    import json

    from safetensors.numpy import load, save

    rule = "An encoder gives the same vectors after it was saved and loaded."
    remedy = "return all that was learnt from get_state, as arrays and JSON."
    for kind, sample in _samples(spec):
        encoder = _fitted(spec, settings, sample)
        with _expecting(spec, kind, rule, remedy):
            state: State = encoder.get_state()
            arrays = {name: np.ascontiguousarray(own) for name, own in state.arrays.items()}
            kept = State(load(save(arrays)), json.loads(json.dumps(dict(state.meta))))
            again = _built(spec, settings).set_state(kept)
            columns = {name: list(own) for name, own in sample.columns.items()}
            one, other = _dense(encoder.transform(columns)), _dense(again.transform(columns))
        if not np.array_equal(one, other):
            raise _broken(spec, kind, rule, "other vectors.", remedy)
        if list(encoder.get_feature_names_out()) != list(again.get_feature_names_out()):
            raise _broken(spec, kind, rule, "other names of columns.", remedy)


def check_encoder_learns(spec: EncoderSpec, settings: Section | None = None) -> None:
    """Check that an encoder learns no more than it declares.

    Parameters
    ----------
    spec : EncoderSpec
        What is checked.
    settings : Section, optional
        Its settings; its defaults if they are not given.

    Raises
    ------
    ConformanceError
        Where other rows or other labels change what comes out.
    """
    learns = spec.learns_at(_settings(spec, settings))
    if learns == "y":
        return
    for kind, sample in _samples(spec):
        usual = _dense(_fitted(spec, settings, sample).transform(sample.columns))
        turned = np.random.default_rng(2).permutation(sample.y)
        fits = {"other labels": (sample.columns, turned)}
        if learns == "nothing":
            fits["other rows"] = (sample.rows(range(0, len(sample), 3)), sample.y[::3])
        for what, (columns, y) in fits.items():
            made = _dense(_built(spec, settings).fit(columns, y).transform(sample.columns))
            if not np.array_equal(usual, made):
                raise _broken(
                    spec,
                    kind,
                    f"It declares that it learns {learns}.",
                    f"other vectors after fitting on {what}.",
                    f'declare `learns` as "{"y" if what == "other labels" else "X"}".',
                )
        if learns == "nothing" and not isinstance(_built(spec, settings), FrozenEncoder):
            raise _broken(
                spec,
                kind,
                "What learns nothing is kept in the embedding store.",
                "an encoder that is no FrozenEncoder.",
                "derive it from widemargin.encoders.FrozenEncoder.",
            )


def check_encoder_shares(spec: EncoderSpec, settings: Section | None = None) -> None:
    """Check that the pieces of a linear margin add up to it.

    Parameters
    ----------
    spec : EncoderSpec
        What is checked.
    settings : Section, optional
        Its settings; its defaults if they are not given.

    Raises
    ------
    ConformanceError
        Where they do not.
    """
    rule = "The shares of a row add up to its product with the weights."
    for kind, sample in _samples(spec):
        encoder = _fitted(spec, settings, sample)
        rows = _dense(encoder.transform(sample.columns)).astype(np.float64)
        coef = np.random.default_rng(3).normal(size=rows.shape[1])
        with _expecting(spec, kind, rule, "see what the error says."):
            told = encoder.explain(sample.columns, coef)
        sums = np.array([sum(share.contribution for share in own) for own in told])
        scale = np.abs(rows) @ np.abs(coef) + 1e-12
        if len(sums) != len(rows) or (np.abs(sums - rows @ coef) > 1e-5 * scale).any():
            raise _broken(spec, kind, rule, "other sums.", "split the product, and lose nothing.")


def check_encoder_needs_no_network(spec: EncoderSpec, settings: Section | None = None) -> None:
    """Check that nothing is fetched while an encoder is built, fitted and used.

    Parameters
    ----------
    spec : EncoderSpec
        What is checked.
    settings : Section, optional
        Its settings; its defaults if they are not given.

    Raises
    ------
    ConformanceError
        Where it is asked for.
    """
    rule = "An encoder asks for no network: weights are assets, fetched beforehand."
    for kind, sample in _samples(spec):
        with blocked_network() as asked, _expecting(spec, kind, rule, "declare an Asset."):
            _fitted(spec, settings, sample).transform(sample.columns)
        if asked:
            raise _broken(spec, kind, rule, f"it asked for {asked[0]}.", "declare an Asset.")


def _samples(spec: EncoderSpec) -> Iterator[tuple[Kind, EncoderSample]]:
    for kind in spec.kinds:
        yield kind, sample_of(kind)


def _settings(spec: EncoderSpec, settings: Section | None) -> Section:
    return spec.settings() if settings is None else settings


def _built(spec: EncoderSpec, settings: Section | None) -> Any:
    return spec.build(_settings(spec, settings))


def _fitted(spec: EncoderSpec, settings: Section | None, sample: EncoderSample) -> Any:
    return _built(spec, settings).fit(sample.columns, sample.y)


def _dense(rows: Any) -> Any:
    return np.asarray(rows.toarray() if hasattr(rows, "toarray") else rows)


def _apart(one: Any, other: Any) -> float:
    """Return the greatest distance of two rows, in units of the rows' usual length."""
    if one.shape != other.shape:
        return float("inf")
    scale = float(np.sqrt(np.mean(np.square(other, dtype=np.float64).sum(axis=1)))) or 1.0
    apart = np.sqrt(np.square(one.astype(np.float64) - other).sum(axis=1)).max(initial=0.0)
    return float(apart) / scale


def _broken(spec: EncoderSpec, kind: Kind, rule: str, found: str, remedy: str) -> ConformanceError:
    return violation(f"encoder {spec.name!r} on {kind}", rule, found, remedy)


@contextmanager
def _expecting(spec: EncoderSpec, kind: Kind, rule: str, remedy: str) -> Iterator[None]:
    try:
        yield
    except (ConformanceError, InputError):
        raise
    except Exception as error:
        found = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise _broken(spec, kind, rule, found, remedy) from error
