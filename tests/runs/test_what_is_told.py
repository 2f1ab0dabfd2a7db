"""What a run says of its data: the positive class, items that are held out again, edges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from widemargin.contracts import Dataset, DatasetCard
from widemargin.errors import DataError
from widemargin.runs.assessment import _guess
from widemargin.runs.loading import _with_positive

Run = Callable[..., Any]


def table(path: Path, labels: list[str], **columns: Any) -> dict[str, Any]:
    a = np.random.default_rng(0).normal(size=len(labels))
    pd.DataFrame({"a": a, "label": labels, **columns}).to_csv(path, index=False)
    return {"path": str(path)}


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (
            ["no"] * 20 + ["not yet"] * 10,
            "The positive class is 'not yet', the rarer of two; --set evaluation.positive=no takes "
            "the other.",
        ),
        (
            ["no", "not yet"] * 12,
            "The positive class is 'no', the first by name of two that are as common; "
            "--set 'evaluation.positive=not yet' takes the other.",
        ),
    ],
)
def test_a_positive_class_that_was_guessed_is_told_with_the_way_to_choose(
    labels: list[str], said: str, run_quickly: Run, watcher: Any, tmp_path: Path
) -> None:
    watch = watcher()
    run_quickly("table", data=table(tmp_path / "t.csv", labels), progress=watch)
    assert said in watch.notes


@pytest.mark.parametrize("classes", [("dry", "rain"), ("dry", "rain", "storm")])
def test_a_positive_class_that_a_loader_names_is_one_of_the_classes(
    classes: tuple[str, ...],
) -> None:
    dataset = Dataset(
        X=pd.DataFrame({"a": range(len(classes))}),
        kinds={"a": "table"},
        y=np.array(classes),
        ids=np.array(classes),
        card=DatasetCard(title="weather", positive_class="wet"),
    )
    with pytest.raises(DataError) as refused:
        _with_positive(dataset, "")
    said = f"said to be 'wet', and the classes are {', '.join(classes)}."
    assert str(refused.value) == f"weather: the positive class is {said}"
    known = replace(dataset, card=replace(dataset.card, positive_class="rain"))
    assert _with_positive(known, "") is known


def test_a_positive_class_that_is_known_is_not_told(
    run_quickly: Run, watcher: Any, tmp_path: Path
) -> None:
    watch = watcher()
    data = table(tmp_path / "t.csv", ["no", "yes"] * 12)
    run = run_quickly("table", data=data, evaluation={"positive": "yes"}, progress=watch)
    assert run.record.metrics["positive"] == "yes"
    run_quickly("spam", progress=watch)
    run_quickly("table", data=table(tmp_path / "u.csv", ["a", "b", "c"] * 8), progress=watch)
    assert not [note for note in watch.notes if "positive class" in note]


def test_a_positive_class_that_is_none_is_refused(run_quickly: Run, tmp_path: Path) -> None:
    two, three = (["no", "yes"] * 12), (["a", "b", "c"] * 8)
    for labels, chosen, said in (
        (two, "maybe", r"evaluation\.positive is 'maybe', and the classes are no, yes\."),
        (three, "d", r"evaluation\.positive is 'd', and the classes are a, b, c\."),
        (three, "a", r"one of two classes, and there are 3 classes, a, b, c; leave it out\."),
        ([str(k / 7) for k in range(24)], "a", "there is a target of numbers; leave it out"),
    ):
        data = table(tmp_path / "t.csv", labels)
        with pytest.raises(DataError, match=said):
            run_quickly("table", data=data, evaluation={"positive": chosen})


def test_the_dummy_is_one_class_in_all_parts_and_repeats_are_drawn_by_item(
    run_quickly: Run, tmp_path: Path
) -> None:
    # Twelve groups of each class: parts of five hold out more of one or of the other.
    people = [f"p{k}" for k in range(24) for _ in range(2)]
    labels = ["no" if k % 2 else "yes" for k in range(24) for _ in range(2)]
    data = table(tmp_path / "t.csv", labels, person=people) | {"group": "person"}
    run = run_quickly("table", data=data, evaluation={"outer": 5, "repeats": 2})
    dummy = run.record.metrics["baselines"]["dummy"]["metrics"]
    assert dummy["f1_macro"] == pytest.approx(1 / 3)
    frame = pd.read_parquet(run.path / "predictions.parquet")
    assert frame.groupby("id")["drawn"].nunique().eq(1).all()
    assert frame["drawn"].nunique() == 24
    alone = run_quickly("table", data=table(tmp_path / "u.csv", labels), evaluation={"repeats": 2})
    frame = pd.read_parquet(alone.path / "predictions.parquet")
    assert frame["drawn"].nunique() == frame["id"].nunique() == 48


def test_few_groups_are_left_out_one_at_a_time_and_the_record_says_so(
    run_quickly: Run, tmp_path: Path
) -> None:
    rng = np.random.default_rng(1)
    labels = rng.choice(["no", "yes"], 100).tolist()
    near = [rng.normal(float(one == "yes")) for one in labels]
    for n_people, by in ((100, "bootstrap"), (8, "jackknife")):
        people = [f"p{k % n_people}" for k in range(100)]
        data = table(tmp_path / "t.csv", labels, b=near, person=people) | {"group": "person"}
        told = run_quickly("table", data=data, evaluation={"outer": 2}).record.metrics
        assert told["intervals"] == {"by": by, "of": n_people}
        own = told["metrics"][told["primary"]]
        assert own["low"] < own["value"] < own["high"]
    alone = run_quickly("table", data=table(tmp_path / "u.csv", labels)).record.metrics
    assert alone["intervals"] == {"by": "bootstrap", "of": 100}


def test_an_edge_that_the_score_does_not_rise_towards_is_not_told(
    run_quickly: Run, tmp_path: Path
) -> None:
    labels = ["no", "yes"] * 20
    data = table(tmp_path / "t.csv", labels, b=[10.0 * (one == "yes") for one in labels])
    run = run_quickly("table", data=data, svm={"kernel": "linear", "C": [1.0, 10.0, 100.0]})
    assert run.record.metrics["chosen"]["C"] in (1.0, 100.0)
    assert "WM004" not in {one["code"] for one in run.record.metrics["findings"]}


@pytest.mark.parametrize(
    ("answers", "title"),
    [([1, 1, 1], "always one class"), ([1, 0, 1], "the commonest class of each training part")],
)
def test_the_dummy_is_called_by_what_it_answered(answers: list[int], title: str) -> None:
    dummy = SimpleNamespace(classes=("a", "b"), y_pred=np.array(answers))
    out: Any = SimpleNamespace(baselines={"dummy": dummy})
    assert _guess("always one class", out) == title
