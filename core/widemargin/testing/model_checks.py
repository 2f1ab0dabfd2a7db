"""Checks of the model that a use case's fixture trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from widemargin.config import resolve
from widemargin.contracts import Columns, UseCase, n_rows
from widemargin.data import fingerprint
from widemargin.errors import DataError
from widemargin.runs.model import Model, Outcome, dump_model, parse_model
from widemargin.testing.encoder_samples import sample_of
from widemargin.testing.fixture import Fixture, broken, expecting, load_fixture
from widemargin.testing.plugin_checks import module_of

if TYPE_CHECKING:
    from widemargin.registry import Registry

__all__ = [
    "check_deterministic",
    "check_empty_and_odd_items",
    "check_features_round_trip",
    "check_read_items",
    "check_repeated_items",
]

_CLOSE = 1e-5
_SINGLE = ("sequence", "image", "audio", "series")
"""Kinds whose items are one value each, of which `sample_of` has odd ones."""

_ODD_TEXTS = {
    "an empty text": "",
    "blanks": " \t\r\n ",
    "punctuation": "!?...",
    "emoji": "👩‍👩‍👧 🎉",
    "Arabic and Chinese": "مرحبا 你好",
    "combining marks": "e\u0301\u0302\u0303",
    "a NUL character": "a\x00b",
    "a text of 100,000 characters": "very long " * 10_000,
}


def check_deterministic(use_case: UseCase, registry: Registry | None = None) -> None:
    """Check that loading and training twice with one seed give equal data and predictions.

    Parameters
    ----------
    use_case : UseCase
        What is checked.
    registry : Registry, optional
        What is installed; found if it is not given.

    Raises
    ------
    ConformanceError
        Where the second time differs from the first.
    """
    first, second = load_fixture(use_case, registry), load_fixture(use_case, registry)
    if fingerprint(first.loaded.whole) != fingerprint(second.loaded.whole):
        raise broken(
            use_case,
            "Loading twice must give equal data.",
            "other values, or another order of rows.",
            "sort the files that are read, and draw nothing at random.",
            *first.reader,
        )
    X = first.dataset.X
    if not _equal(first.train().predict(X), second.train().predict(X)):
        raise broken(
            use_case,
            "Training twice with one seed must give equal predictions.",
            "other predictions.",
            "give whatever draws at random a fixed random_state.",
            *first.maker,
        )


def check_features_round_trip(use_case: UseCase, registry: Registry | None = None) -> None:
    """Check that a model predicts the same, bit for bit, after it was saved and loaded.

    Parameters
    ----------
    use_case : UseCase
        What is checked.
    registry : Registry, optional
        What is installed; found if it is not given.

    Raises
    ------
    ConformanceError
        Where the config or the model cannot be saved and loaded, or predicts otherwise.
    """
    fixture = load_fixture(use_case, registry)
    model, dataset = fixture.train(), fixture.dataset
    rule = "A model must predict the same after it was saved and loaded."
    remedy = (
        "return all that was fitted from `get_state` and take it up in `set_state`; a transformer "
        "without these two must be one that skops can save."
    )
    with expecting(use_case, rule, remedy, "it can be saved and loaded", fixture.maker):
        again = _reload(fixture, model)
        if not _equal(model.predict(dataset.X), again.predict(dataset.X)):
            raise broken(use_case, rule, "other predictions.", remedy, *fixture.maker)


def check_read_items(use_case: UseCase, registry: Registry | None = None) -> None:
    """Check that `read_items` reads the fixture's own file as `load` does, and loses nothing.

    Parameters
    ----------
    use_case : UseCase
        What is checked.
    registry : Registry, optional
        What is installed; found if it is not given.

    Raises
    ------
    ConformanceError
        Where items are lost, cannot be predicted, or are predicted otherwise than the rows that
        `load` returned.
    """
    fixture = load_fixture(use_case, registry)
    whole, loader = fixture.loaded.whole, fixture.config.data
    source = getattr(loader, "path", None)
    if source is None:
        raise broken(
            use_case,
            "The fixture must name its file or folder as `path`, so that read_items can be tried.",
            f"the settings {', '.join(type(loader).model_fields)}.",
            "let the fixture use a loader that has `path`.",
            *fixture.reader,
        )
    model = fixture.train()
    rule = "read_items must read each item of the fixture's own file as load does."
    remedy = "share between the two the code that reads one item."
    place = (loader.read_items, *fixture.reader)
    promise = "`read_items` yields Items of the file that `load` reads"
    with expecting(use_case, rule, "yield Items, one batch after another.", promise, place):
        outcomes = [model.predict(items.X) for items in loader.read_items(source)]
        predicted = [value for outcome in outcomes for value in outcome.prediction.tolist()]
        if len(predicted) < len(whole):
            found = f"{len(predicted)} items read and {len(whole)} loaded."
            raise broken(use_case, rule, found, remedy, *place)
        # What load left out, such as a row without a label, has no counterpart.
        if len(predicted) == len(whole):
            loaded = model.predict(whole.X).prediction.tolist()
            rows = zip(whole.ids, loaded, predicted, strict=True)
            if otherwise := [str(name) for name, one, other in rows if one != other]:
                found = f"{otherwise[0]} is predicted otherwise than the row that load returned."
                raise broken(use_case, rule, found, remedy, *place)


def check_empty_and_odd_items(use_case: UseCase, registry: Registry | None = None) -> None:
    """Check that empty, foreign, very long and broken items are predicted, or refused in words.

    Texts and rows of tables are always predicted; what is no picture, recording or sequence may be
    refused by a `DataError`.

    Parameters
    ----------
    use_case : UseCase
        What is checked.
    registry : Registry, optional
        What is installed; found if it is not given.

    Raises
    ------
    ConformanceError
        Where one of them raises, or the answer is not one finite prediction for each.
    """
    import numpy as np

    fixture = load_fixture(use_case, registry)
    model = fixture.train()
    for what, X, refusable in _odd_items(fixture):
        rule = f"A model must predict {what}."
        remedy = "let the features take it as an item that says little; leave no item out."
        promise = "such an item is predicted"
        with expecting(use_case, rule, remedy, promise, fixture.maker):
            try:
                outcome = model.predict(fixture.config.data.checked(X))
            except DataError:
                if refusable:
                    continue
                raise
            if len(outcome.prediction) != n_rows(X) or not np.isfinite(outcome.decision).all():
                found = f"{outcome.prediction.tolist()}."
                raise broken(use_case, rule, found, remedy, *fixture.maker)


def check_repeated_items(use_case: UseCase, registry: Registry | None = None) -> None:
    """Check that an item gets one answer, however often and in whatever order it comes.

    Parameters
    ----------
    use_case : UseCase
        What is checked.
    registry : Registry, optional
        What is installed; found if it is not given.

    Raises
    ------
    ConformanceError
        Where duplicates or the order of rows change an answer.
    """
    import numpy as np

    fixture = load_fixture(use_case, registry)
    X, n = fixture.dataset.X, len(fixture.dataset)
    model = fixture.train()
    rule = "An item must get one answer, however often and in whatever order it comes."
    remedy = "let `transform` take each row by itself, and return one row for each, in order."
    with expecting(use_case, rule, remedy, parts=fixture.maker):
        usual = model.predict(X).decision
        rows = np.concatenate([np.arange(n), np.arange(n)[::-1], np.zeros(3, dtype=np.intp)])
        made = model.predict(X.iloc[rows].reset_index(drop=True)).decision
    scale = float(np.abs(usual).max()) or 1.0
    if len(made) != len(rows):
        found = f"{len(made)} answers for {len(rows)} items."
        raise broken(use_case, rule, found, remedy, *fixture.maker)
    apart = np.abs(made - usual[rows]).reshape(len(rows), -1).max(axis=1)
    if (apart > _CLOSE * scale).any():
        name = fixture.dataset.ids[rows[int(np.argmax(apart))]]
        found = f"{name} is answered otherwise among duplicates."
        raise broken(use_case, rule, found, remedy, *fixture.maker)


def _odd_items(fixture: Fixture) -> list[tuple[str, Columns, bool]]:
    """Return what is odd, in words, one item that is, and whether it may be refused."""
    dataset = fixture.dataset
    usual = {str(column): dataset.X[column].iloc[0] for column in dataset.kinds}
    odd: list[tuple[str, dict[str, Any], bool]] = []
    for column, kind in dataset.kinds.items():
        where = f"in column {column!r}"
        if kind == "text":
            odd += [(f"{what} {where}", {column: own}, False) for what, own in _ODD_TEXTS.items()]
        elif kind == "table":
            odd.append((f"a missing value {where}", {column: None}, False))
            if isinstance(usual[column], str):
                odd.append((f"an unknown category {where}", {column: "unheard of"}, False))
                odd.append((f"a category in Chinese {where}", {column: "未知 🎉"}, False))
        elif kind in _SINGLE:
            odd += [
                (f"{what} {where}", {column: next(iter(own.values()))}, True)
                for what, own in sample_of(kind).odd.items()
            ]
    tables = [column for column, kind in dataset.kinds.items() if kind == "table"]
    if tables:
        odd.append(("a row of missing values", dict.fromkeys(tables), False))
    return [(what, _one_row({**usual, **changed}), refusable) for what, changed, refusable in odd]


def _one_row(values: Mapping[str, Any]) -> Columns:
    import pandas as pd

    # A cell may hold an array.
    return pd.DataFrame({name: pd.Series([value], dtype=object) for name, value in values.items()})


def _reload(fixture: Fixture, model: Model) -> Model:
    """Save and load a model as a run and a predictor do: features come from the saved config."""
    registry = fixture.registry
    config = resolve(
        fixture.use_case,
        [fixture.config.to_dict()],
        encoders=registry.encoders,
        kernels=registry.kernels,
    )
    own = module_of(fixture.use_case, registry).partition(".")[0]
    return parse_model(
        dump_model(model),
        features=config.features.build(fixture.dataset.kinds),
        kernels=registry.kernels,
        trusted=(*registry.packages(), own),
    )


def _equal(one: Outcome, other: Outcome) -> bool:
    import numpy as np

    return np.array_equal(one.decision, other.decision) and np.array_equal(
        one.prediction, other.prediction
    )
