"""Checks that what is declared of a split is what a run holds out, and that it teaches nothing."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from widemargin.contracts import Dataset, Silent, Split, UseCase
from widemargin.data.assets import data_home
from widemargin.errors import DataError, InputError
from widemargin.runs.model import encode
from widemargin.runs.plan import Plan, inner_splits, make_plan
from widemargin.runs.runner import prepare
from widemargin.runs.training import embed, train
from widemargin.testing.blame import UNFORESEEN, DoesNotApply
from widemargin.testing.fixture import Fixture, broken, expecting, load_fixture
from widemargin.testing.offline import blocked_network, empty_data_home

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from widemargin.registry import Registry

__all__ = [
    "check_held_out_rows_teach_nothing",
    "check_published_split_is_kept",
    "check_rows_are_read_alone",
    "check_walks_forward",
]

_CLOSE = 1e-5
_LINES = (".csv", ".tsv", ".jsonl")
"""Endings of files that are still whole when their last lines are gone."""


def check_published_split_is_kept(use_case: UseCase, registry: Registry | None = None) -> None:
    """Check that a split that was published with the data is the one that a run keeps to.

    Parameters
    ----------
    use_case : UseCase
        What is checked.
    registry : Registry, optional
        What is installed; found if it is not given.

    Raises
    ------
    ConformanceError
        Where other rows are held out.
    DoesNotApply
        Where the fixture has no such split.
    """
    fixture = load_fixture(use_case, registry)
    with blocked_network():
        published = fixture.config.data.load(data_home())
    if published.parts is None:
        raise DoesNotApply("the fixture has no published split.")
    rule = "A run must hold out the rows that were published as its test part."
    remedy = "leave evaluation.split out of the use case's `defaults`, and ids as they are."
    plan = _planned(fixture, rule, remedy)
    test = {str(name) for name in published.ids[published.parts == "test"]}
    for _, _, split in plan.outer:
        held_out = {str(name) for name in fixture.dataset.ids[split.test]}
        if held_out != test:
            odd = sorted(held_out ^ test)
            found = f"{len(odd)} rows are on the other side, {odd[0]!r} the first of them."
            raise broken(use_case, rule, found, remedy, *fixture.reader)


def check_walks_forward(use_case: UseCase, registry: Registry | None = None) -> None:
    """Check that nothing is learned of labels that were not known when a held-out part begins.

    Parameters
    ----------
    use_case : UseCase
        What is checked.
    registry : Registry, optional
        What is installed; found if it is not given.

    Raises
    ------
    ConformanceError
        Where times and the split do not go together, or a later label is learned from.
    DoesNotApply
        Where items have no times, and none are asked for.
    """
    fixture = load_fixture(use_case, registry)
    dataset, forward = fixture.dataset, use_case.split.kind == "walk-forward"
    if dataset.times is None and not forward:
        raise DoesNotApply("the fixture's items have no times.")
    rule = "Items that have times are held out in their order, inside as outside."
    if dataset.times is None:
        raise broken(
            use_case,
            rule,
            "a walk-forward split, and items without times.",
            "let `load` return `times`, and `label_times` where labels are known later.",
            *fixture.reader,
        )
    if dataset.parts is not None:
        raise DoesNotApply("the fixture's items have times, and a published split that counts.")
    if not forward:
        raise broken(
            use_case,
            rule,
            f"times, and a split that is {use_case.split.kind}.",
            'give the use case SplitRule(kind="walk-forward"), or leave `times` out.',
            *fixture.reader,
        )
    remedy = "let `times` say when an item, and `label_times` when its label, was known."
    for _, _, split in _planned(fixture, rule, remedy).outer:
        part = dataset.take(split.train)
        _check_order(use_case, dataset, split, rule, remedy)
        for inner in inner_splits(fixture.config, use_case.split, part, one_part=False):
            _check_order(use_case, part, inner, rule, remedy)


def check_held_out_rows_teach_nothing(use_case: UseCase, registry: Registry | None = None) -> None:
    """Check that a held-out row is predicted the same whatever else is held out with it.

    Parameters
    ----------
    use_case : UseCase
        What is checked.
    registry : Registry, optional
        What is installed; found if it is not given.

    Raises
    ------
    ConformanceError
        Where other held-out rows, or their labels, change a prediction.
    DoesNotApply
        Where every part holds out one row alone.
    """
    import numpy as np

    fixture = load_fixture(use_case, registry)
    dataset = fixture.dataset
    rule = "A held-out row must be predicted the same whatever else is held out with it."
    remedy = (
        "let `fit` alone learn, and `transform` take each row by itself, without the mean, the "
        "order or the words of the rows that it is given; say in `learns` what is learned."
    )
    splits = [split for _, _, split in _planned(fixture, rule, remedy).outer]
    if not (several := [split for split in splits if len(split.test) > 1]):
        raise DoesNotApply("each part of the fixture's split holds out one row alone.")
    split = several[-1]
    kept = np.arange(0, len(split.test), 2)
    others = split.test[1::2]
    # Rows of the training part stand in for the others, labels of theirs and all.
    source = np.arange(len(dataset))
    source[others] = np.resize(split.train[::-1], len(others))
    X, y = dataset.X.iloc[source].reset_index(drop=True), dataset.y[source]
    with expecting(use_case, rule, UNFORESEEN, "a model can be trained and predicts"):
        usual = _held_out(fixture, split, dataset.X, dataset.y)[kept]
        made = _held_out(fixture, split, X, y)[kept]
    scale = float(np.abs(usual).max()) or 1.0
    if not np.allclose(usual, made, rtol=0, atol=_CLOSE * scale):
        row = int(np.argmax(np.abs(usual - made).reshape(len(usual), -1).max(axis=1)))
        found = f"{dataset.ids[split.test[kept[row]]]} is predicted otherwise beside other rows."
        raise broken(use_case, rule, found, remedy, *fixture.maker)


def check_rows_are_read_alone(use_case: UseCase, registry: Registry | None = None) -> None:
    """Check that a loader reads a row the same whatever rows come after it in the file.

    Parameters
    ----------
    use_case : UseCase
        What is checked.
    registry : Registry, optional
        What is installed; found if it is not given.

    Raises
    ------
    ConformanceError
        Where the last rows change what is read of the others, or how they are called: the loader
        has learned from them.
    DoesNotApply
        Where the fixture is no file of lines, or cannot be read without its last ones.
    """
    fixture = load_fixture(use_case, registry)
    whole = fixture.loaded.whole
    path = Path(getattr(fixture.config.data, "path", None) or "")
    if path.suffix.lower() not in _LINES or not path.is_file():
        raise DoesNotApply(f"the fixture is no file with a row a line ({', '.join(_LINES)}).")
    before = _without_last_rows(fixture, path)
    rule = "A loader must read a row the same whatever rows come after it."
    remedy = (
        "leave means, scales and categories of the whole file to the features, which learn from "
        "training rows alone; of a series, look back only."
    )
    place = {str(name): row for row, name in enumerate(whole.ids)}
    found = ""
    if len(before) and not any(str(name) in place for name in before.ids):
        found = (
            f"without the file's last rows no row is called as it was; {before.ids[0]!r} is the "
            "first of them."
        )
        remedy = "name a row by what stands in it, or by its line; not by how many there are."
    for row, name in enumerate(map(str, before.ids)):
        if not found and name in place:
            found = _read_otherwise(before, row, whole, place[name])
    if found:
        raise broken(use_case, rule, found, remedy, *fixture.reader)


def _read_otherwise(before: Dataset, row: int, whole: Dataset, place: int) -> str:
    """Say what of a row is another in the whole data set; nothing where all of it is the same."""
    pairs = {
        str(column): (before.X[column].iloc[row], whole.X[column].iloc[place])
        for column in before.kinds
        if column in whole.X
    }
    pairs["the target"] = before.y[row], whole.y[place]
    for what, (one, other) in pairs.items():
        if not _same(one, other):
            return f"{what} of {before.ids[row]} is another without the file's last rows."
    return ""


def _planned(fixture: Fixture, rule: str, remedy: str) -> Plan:
    try:
        return make_plan(fixture.config, fixture.use_case.split, fixture.dataset)
    except DataError as error:
        raise broken(fixture.use_case, rule, str(error), remedy) from error


def _check_order(use_case: UseCase, dataset: Dataset, split: Split, rule: str, remedy: str) -> None:
    assert dataset.times is not None
    known = dataset.times if dataset.label_times is None else dataset.label_times
    begins = dataset.times[split.test].min()
    late = [row for row in split.train if not known[row] < begins]
    if late:
        found = f"{dataset.ids[late[0]]}, whose label was known at {known[late[0]]}, is learned "
        raise broken(use_case, rule, f"{found}from for a part that begins at {begins}.", remedy)


def _held_out(fixture: Fixture, split: Split, X: Any, y: NDArray[Any]) -> NDArray[np.float64]:
    """Train on a split's training rows; return the decisions of what it holds out."""
    from dataclasses import replace

    dataset = replace(fixture.dataset, X=X, y=y)
    setup = prepare(fixture.config, fixture.use_case, fixture.registry, fixture.loaded)
    embedded = None
    if fixture.config.features.learns == "nothing":
        embedded = embed(setup, dataset, share=False)
    part = dataset.take(split.train)
    model = train(setup, part, embedded=embedded, taken=split.train, progress=Silent()).model
    if embedded is not None:
        return model.predict_rows(embedded.rows[split.test]).decision
    return model.predict_rows(encode(model.features, dataset.take(split.test).X)).decision


def _without_last_rows(fixture: Fixture, path: Path) -> Dataset:
    """Load the fixture's file without its last quarter, under the same name."""
    lines = path.read_bytes().splitlines(keepends=True)
    with TemporaryDirectory() as folder, empty_data_home(), blocked_network():
        short = Path(folder, path.name)
        short.write_bytes(b"".join(lines[: -max(1, len(lines) // 4)]))
        try:
            return fixture.config.data.model_copy(update={"path": short}).load(data_home())
        except InputError as error:
            raise DoesNotApply(
                f"the fixture cannot be read without its last rows: {error}"
            ) from None


def _same(one: Any, other: Any) -> bool:
    import numpy as np

    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(one, other, equal_nan=True)
    return bool(one == other) or (one != one and other != other) or (one is other)
