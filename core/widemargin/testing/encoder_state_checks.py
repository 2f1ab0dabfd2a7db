"""Checks of what an encoder learns, copies, keeps and fetches."""

from __future__ import annotations

import numpy as np

from widemargin.contracts import EncoderSpec, Section, State
from widemargin.encoders import FrozenEncoder
from widemargin.testing.blame import ConformanceError, violation
from widemargin.testing.encoder_trials import Trial, dense, trials
from widemargin.testing.offline import Asked, offline

__all__ = [
    "check_encoder_clones",
    "check_encoder_learns",
    "check_encoder_needs_no_network",
    "check_encoder_round_trip",
]

_FETCHED = "declare weights as an Asset in `assets` of the EncoderSpec; widemargin fetches them."


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
    for trial in trials(spec, settings):
        encoder = trial.fitted()
        with trial.expecting(rule, remedy):
            copy = clone(encoder)
            made = dense(
                copy.fit(trial.sample.columns, trial.sample.y).transform(trial.sample.columns)
            )
        if not np.array_equal(made, trial.vectors(encoder, trial.sample.columns)):
            raise trial.broken(rule, "other vectors from the clone.", remedy)


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
    for trial in trials(spec, settings):
        encoder = trial.fitted()
        with trial.expecting(rule, remedy):
            state: State = encoder.get_state()
            arrays = {name: np.ascontiguousarray(own) for name, own in state.arrays.items()}
            kept = State(load(save(arrays)), json.loads(json.dumps(dict(state.meta))))
            again = trial.built().set_state(kept)
            columns = {name: list(own) for name, own in trial.sample.columns.items()}
            one, other = dense(encoder.transform(columns)), dense(again.transform(columns))
        if not np.array_equal(one, other):
            raise trial.broken(rule, "other vectors.", remedy)
        if list(encoder.get_feature_names_out()) != list(again.get_feature_names_out()):
            raise trial.broken(rule, "other names of columns.", remedy)


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
    learns = spec.learns_at(spec.settings() if settings is None else settings)
    if learns == "y":
        return
    for trial in trials(spec, settings):
        usual = trial.vectors(trial.fitted(), trial.sample.columns)
        turned = np.random.default_rng(2).permutation(trial.sample.y)
        fits = {"other labels": (trial.sample.columns, turned)}
        if learns == "nothing":
            fits["other rows"] = (
                trial.sample.rows(range(0, len(trial.sample), 3)),
                trial.sample.y[::3],
            )
        for what, (columns, y) in fits.items():
            made = trial.vectors(trial.built().fit(columns, y), trial.sample.columns)
            if not np.array_equal(usual, made):
                raise trial.broken(
                    f"It declares that it learns {learns}.",
                    f"other vectors after fitting on {what}.",
                    f'declare `learns` as "{"y" if what == "other labels" else "X"}".',
                )
        if learns == "nothing" and not isinstance(trial.built(), FrozenEncoder):
            raise trial.broken(
                "What learns nothing is kept in the embedding store.",
                "an encoder that is no FrozenEncoder.",
                "derive it from widemargin.encoders.FrozenEncoder.",
            )


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
    for trial in trials(spec, settings):

        def refuse(asked: Asked, trial: Trial = trial) -> ConformanceError:
            found = f"it asked for {asked.host}."
            return violation(trial.subject, rule, found, _FETCHED, asked.where)

        with offline(trial.packages, refuse):
            trial.vectors(trial.fitted(), trial.sample.columns)
