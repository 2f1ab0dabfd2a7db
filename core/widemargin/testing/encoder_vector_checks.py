"""Checks of the vectors that an encoder makes."""

from __future__ import annotations

import numpy as np

from widemargin.contracts import EncoderSpec, Section
from widemargin.errors import InputError
from widemargin.testing.encoder_trials import ROWS, apart_by, dense, trials

__all__ = [
    "check_encoder_is_deterministic",
    "check_encoder_odd_items",
    "check_encoder_rows_are_independent",
    "check_encoder_shape",
    "check_encoder_shares",
]

_CLOSE = 1e-5


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
    for trial in trials(spec, settings):
        encoder = trial.fitted()
        made = trial.vectors(encoder, trial.sample.columns)
        none = trial.vectors(encoder, trial.sample.rows([]))
        with trial.expecting(ROWS, "return a name for each column from get_feature_names_out."):
            names = list(encoder.get_feature_names_out())
        found, remedy = "", "return what the rule says."
        if made.shape != (len(trial.sample), len(names)):
            found = f"shape {made.shape} for {len(trial.sample)} items and {len(names)} names."
            remedy = (
                "let `transform` return a row an item, and get_feature_names_out a name a column."
            )
        elif made.dtype.kind != "f" or not np.isfinite(made).all():
            found = f"numbers of type {made.dtype}, some of which are not finite."
            remedy = "return float32 or float64, and a defined number for what is empty or odd."
        elif none.shape != (0, len(names)):
            found = f"shape {none.shape} for no item at all."
            remedy = "reshape to (-1, number of columns), which holds for no row too."
        elif len(set(names)) != len(names):
            found = "two columns of one name."
        elif spec.dimension is not None and settings is None and spec.dimension != len(names):
            found = f"{len(names)} numbers, where the spec says {spec.dimension}."
            remedy = "correct `dimension` in the EncoderSpec."
        elif not np.ptp(made, axis=0).any():
            found = "the same vector for all items."
        if found:
            raise trial.broken(ROWS, found, remedy)


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
    for trial in trials(spec, settings):
        one, other = (trial.vectors(trial.fitted(), trial.sample.columns) for _ in range(2))
        if not np.array_equal(one, other):
            remedy = "seed whatever draws at random, and let one thread add up what is learnt."
            raise trial.broken(rule, f"they differ by {apart_by(one, other):.3g}.", remedy)


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
    for trial in trials(spec, settings):
        encoder = trial.fitted()
        whole = trial.vectors(encoder, trial.sample.columns)
        order = np.random.default_rng(1).permutation(len(trial.sample))
        doubled = [*order, *order[:3]]
        turned = trial.vectors(encoder, trial.sample.rows(doubled))
        alone = np.concatenate(
            [trial.vectors(encoder, trial.sample.rows([row])) for row in range(len(trial.sample))]
        )
        for found, made, expected in (
            ("in another order", turned, whole[doubled]),
            ("alone", alone, whole),
        ):
            if apart_by(made, expected) > _CLOSE:
                remedy = "let padding, batches and threads have no part in a vector."
                apart = f"{found} vectors differ by {apart_by(made, expected):.3g}."
                raise trial.broken(rule, apart, remedy)


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
    for trial in trials(spec, settings):
        encoder = trial.fitted()
        for what, columns in trial.sample.odd_rows().items():
            remedy = "raise widemargin.DataError with what was wrong, where, and what to do."
            with trial.expecting(f"{rule} Tried: {what}.", remedy):
                try:
                    made = dense(encoder.transform(columns))
                except InputError as error:
                    if len(str(error)) < 20:
                        raise
                    continue
            if len(made) != 1 or not np.isfinite(made).all():
                raise trial.broken(f"{rule} Tried: {what}.", "no finite vector.", remedy)


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
    for trial in trials(spec, settings):
        encoder = trial.fitted()
        rows = trial.vectors(encoder, trial.sample.columns).astype(np.float64)
        coef = np.random.default_rng(3).normal(size=rows.shape[1])
        with trial.expecting(rule, "return a list of shares an item from `explain`."):
            told = encoder.explain(trial.sample.columns, coef)
        sums = np.array([sum(share.contribution for share in own) for own in told])
        scale = np.abs(rows) @ np.abs(coef) + 1e-12
        if len(sums) != len(rows) or (np.abs(sums - rows @ coef) > 1e-5 * scale).any():
            raise trial.broken(rule, "other sums.", "split the product, and lose nothing.")
