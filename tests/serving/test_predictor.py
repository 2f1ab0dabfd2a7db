"""The predictor: shares that add up, every item answered in order, and little memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from widemargin.contracts import Items
from widemargin.errors import DataError, ModelError, PluginError
from widemargin.registry import discover
from widemargin.runs import read_record
from widemargin.serving import Predictor

MakeRun = Callable[..., Any]
ITEMS = ["WIN a FREE prize, call now! now!", "see you at home", "", "unseen zzzz", "   "]


@pytest.fixture
def predictor(make_run: MakeRun) -> Predictor:
    found: Predictor = make_run("spam").predictor
    return found


def table(make_run: MakeRun, use_case: str, kernel: str = "linear") -> tuple[Predictor, Any]:
    run = make_run(use_case, kernel)
    path = run.record.config["data"]["path"]
    return run.predictor, pd.read_csv(path).head(5)


@pytest.mark.parametrize(("use_case", "positive"), [("spam", "spam"), ("texts", "negative")])
def test_shares_and_intercept_of_a_linear_machine_sum_to_the_margin(
    make_run: MakeRun, use_case: str, positive: str
) -> None:
    predictor = make_run(use_case).predictor
    assert make_run(use_case).record.metrics["positive"] == positive
    sign = 1 if predictor.model.classes[1] == positive else -1
    for one in predictor.predict({"text": ITEMS}, explain=True):
        total = sum(share.contribution for share in one.shares)
        intercept = sign * predictor.model.machine.intercept[0]
        assert total + intercept == pytest.approx(one.margin, abs=1e-9)


def test_a_margin_above_zero_speaks_for_the_positive_class(make_run: MakeRun) -> None:
    for use_case, positive in (("spam", "spam"), ("texts", "negative")):
        predictor = make_run(use_case).predictor
        ones = predictor.predict({"text": [*ITEMS, "free cash prize", "awful broken room"]})
        by_margin = sorted(ones, key=lambda one: one.margin)
        probabilities = [one.probabilities[positive] for one in by_margin]
        assert probabilities == sorted(probabilities)
        assert probabilities[0] < probabilities[-1]


def test_labels_are_the_most_probable_class(make_run: MakeRun) -> None:
    predictor, rows = table(make_run, "three")
    ones = [*predictor.predict(rows), *make_run("spam").predictor.predict({"text": ITEMS})]
    for one in ones:
        assert one.label == max(one.probabilities, key=lambda name: one.probabilities[name])
        assert one.probability == max(one.probabilities.values())
        assert sum(one.probabilities.values()) == pytest.approx(1)


def test_the_strongest_share_comes_first(predictor: Predictor) -> None:
    (one,) = predictor.predict({"text": ["win a free prize, see you at home"]}, explain=True)
    sizes = [abs(share.contribution) for share in one.shares]
    assert sizes == sorted(sizes, reverse=True)
    assert {share.piece for share in one.shares} == {
        "win", "a", "free", "prize,", "see", "you", "at", "home",
    }  # fmt: skip


def test_shares_of_another_kernel_are_what_the_margin_loses_without_the_word(
    make_run: MakeRun,
) -> None:
    predictor = make_run("spam", "rbf").predictor
    text = "win a free prize now now"
    (one,) = predictor.predict({"text": [text]}, explain=True)
    assert {share.piece for share in one.shares} == set(text.split())
    for share in one.shares:
        rest = " ".join(word for word in text.split() if word != share.piece)
        (without,) = predictor.predict({"text": [rest]})
        assert one.margin is not None
        assert without.margin is not None
        assert share.contribution == pytest.approx(one.margin - without.margin, abs=1e-9)


def test_shares_of_a_linear_regression_sum_to_the_prediction(make_run: MakeRun) -> None:
    predictor, rows = table(make_run, "table")
    model = predictor.model
    for one in predictor.predict(rows, explain=True):
        assert (one.probability, one.margin, dict(one.probabilities)) == (None, None, {})
        total = sum(share.contribution for share in one.shares)
        start = model.centre + model.scale * model.machine.intercept[0]
        assert start + total == pytest.approx(one.label, rel=1e-9)
        assert {share.piece.partition(" = ")[0] for share in one.shares} == set(predictor.kinds)


def test_shares_of_a_kernel_regression_are_in_the_targets_units(make_run: MakeRun) -> None:
    predictor, rows = table(make_run, "table", "rbf")
    (one,) = predictor.predict(rows.head(1), explain=True)
    (area,) = [share for share in one.shares if share.piece.startswith("area = ")]
    (without,) = predictor.predict(rows.head(1).assign(area=np.nan))
    assert isinstance(one.label, float)
    assert isinstance(without.label, float)
    assert area.contribution == pytest.approx(one.label - without.label)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_beyond_two_classes_the_margin_and_shares_are_those_of_the_label(
    make_run: MakeRun, kernel: str
) -> None:
    predictor, rows = table(make_run, "three", kernel)
    decision = predictor.model.predict(rows).decision
    for row, one in enumerate(predictor.predict(rows, explain=True)):
        assert isinstance(one.label, str)
        code = predictor.model.classes.index(one.label)
        assert one.margin == pytest.approx(decision[row, code])
        assert len(one.shares) == 2
        if kernel == "linear":
            total = sum(share.contribution for share in one.shares)
            machine = predictor.model.machine
            row_of = predictor.model.features.transform(rows.iloc[[row]])
            assert total == pytest.approx(float(row_of[0] @ machine.class_coef(code)), abs=1e-9)


def test_predicting_one_by_one_is_predicting_all_at_once(predictor: Predictor) -> None:
    together = predictor.predict({"text": ITEMS}, explain=True)
    for text, one in zip(ITEMS, together, strict=True):
        (alone,) = predictor.predict({"text": [text]}, [one.id], explain=True)
        assert alone.label == one.label
        assert alone.margin == pytest.approx(one.margin, abs=1e-12)


@pytest.mark.parametrize("explain", [False, True])
def test_every_line_is_answered_in_order_the_empty_ones_too(
    predictor: Predictor, explain: bool
) -> None:
    lines = [ITEMS[number % 5] for number in range(2003)]
    answers = list(predictor.predict_items(predictor.batches_of(lines, "line"), explain=explain))
    assert [one.id for one in answers] == [f"line:{number}" for number in range(1, 2004)]
    assert [one.label for one in answers[:5]] == [one.label for one in answers[2000 - 5 : 2000]]


def test_no_item_is_no_answer(predictor: Predictor) -> None:
    assert predictor.predict({"text": []}) == []
    assert list(predictor.predict_items(predictor.batches_of([], "line"), explain=True)) == []


def test_items_are_numbered_where_they_have_no_name(predictor: Predictor) -> None:
    assert [one.id for one in predictor.predict({"text": ["a", "b"]})] == ["1", "2"]


def test_rows_of_a_table_are_typed_as_json(make_run: MakeRun) -> None:
    predictor, rows = table(make_run, "table")
    lines = [row[list(predictor.kinds)].to_json() for _, row in rows.iterrows()]
    typed = list(predictor.predict_items(predictor.batches_of(lines, "line"), explain=False))
    assert [one.label for one in typed] == [
        pytest.approx(one.label) for one in predictor.predict(rows)
    ]


GOOD = '{"a": 1, "b": null}'


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"xx": 100}', "the model knows no column 'xx'. Give a, b, and leave out the rest."),
        (
            '{"a": 1, "B": 2}',
            "the model knows no column 'B'. Did you mean 'b'? Give a, b, and leave out the rest.",
        ),
        ("{}", "a, b is absent. Give a, b; null is a missing value."),
        ('{"a": 1}', "b is absent. Give a, b; null is a missing value."),
    ],
)
def test_a_row_with_other_keys_than_the_columns_is_refused(
    make_run: MakeRun, line: str, message: str
) -> None:
    predictor, _ = table(make_run, "three")
    with pytest.raises(DataError) as caught:
        list(predictor.batches_of([GOOD, line], "line"))
    assert str(caught.value) == f"line:2: {message}"


def test_null_is_a_missing_value(make_run: MakeRun) -> None:
    predictor, _ = table(make_run, "three")
    [items] = predictor.batches_of([GOOD], "line")
    [typed] = predictor.predict(items.X)
    [given] = predictor.predict(pd.DataFrame({"a": [1.0], "b": [np.nan]}))
    assert typed.margin == given.margin


def test_a_batch_never_waits_for_the_next_group_of_lines(predictor: Predictor) -> None:
    def groups() -> Iterator[list[str]]:
        yield ["a", "b"]
        yield []
        yield ["c"]
        pytest.fail("the third group was not asked for yet")

    batches = predictor.batches_of_groups(groups(), "line")
    assert list(next(batches).ids) == ["line:1", "line:2"]
    assert list(next(batches).ids) == ["line:3"]


def test_a_large_group_of_lines_becomes_batches(predictor: Predictor) -> None:
    sizes = [len(one.ids) for one in predictor.batches_of_groups([["a"] * 2001], "line")]
    assert sizes == [1000, 1000, 1]


@pytest.mark.parametrize("line", ["area 81", "[1, 2]", '"area"', ""])
def test_a_row_that_is_no_json_object_is_refused_by_its_number(
    make_run: MakeRun, line: str
) -> None:
    predictor, _ = table(make_run, "three")
    with pytest.raises(DataError) as caught:
        list(predictor.predict_items(predictor.batches_of([GOOD, line], "line"), explain=False))
    assert str(caught.value) == (
        "line:2: each item of this run is a row with the columns a, b; write it as a JSON object, "
        "or give a table with --file."
    )


def test_items_that_cannot_be_typed_are_refused(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = Predictor(make_run("spam").record, discover())
    monkeypatch.setattr(predictor, "kinds", {"prices": "series"})
    with pytest.raises(DataError) as caught:
        next(predictor.batches_of(["a"], "line"))
    assert str(caught.value) == (
        "messages of this run cannot be typed in; give a file or folder with --file."
    )


def test_pictures_and_recordings_are_typed_in_as_paths(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = Predictor(make_run("spam").record, discover())
    monkeypatch.setattr(predictor, "kinds", {"picture": "image"})
    items = next(predictor.batches_of(["a.png", "b.png"], "line"))
    assert items.X["picture"] == [Path("a.png"), Path("b.png")]
    assert items.ids == ["a.png", "b.png"]


def test_an_absent_column_is_refused(make_run: MakeRun) -> None:
    predictor, rows = table(make_run, "three")
    with pytest.raises(DataError, match="the column 'b', which the model was trained on, is absen"):
        predictor.predict(rows[["a"]])


def test_a_file_is_read_as_the_runs_own_data_were(make_run: MakeRun, tmp_path: Path) -> None:
    predictor, rows = table(make_run, "table")
    rows.drop(columns="price").to_csv(tmp_path / "new.csv", index=False)
    batches = predictor.read(tmp_path / "new.csv")
    read = list(predictor.predict_items(batches, explain=False))
    assert [one.label for one in read] == [
        pytest.approx(one.label) for one in predictor.predict(rows)
    ]


def peak(predictor: Predictor, n_lines: int) -> int:
    def lines() -> Iterator[str]:
        for number in range(n_lines):
            yield f"call {number} now"

    tracemalloc.start()
    try:
        answers = predictor.predict_items(predictor.batches_of(lines(), "line"), explain=False)
        assert sum(1 for _ in answers) == n_lines
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_items_that_an_encoder_cannot_read_are_told_apart_from_the_others(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = predictor.predict

    def some_fail(X: Any, ids: Any = None, *, explain: bool = False) -> Any:
        for row, text in enumerate(X["text"]):
            if text.startswith("bad"):
                raise DataError(f"row {row + 1}: {text} is no text.")
        return whole(X, ids, explain=explain)

    monkeypatch.setattr(predictor, "predict", some_fail)
    lines = ["bad one", *[f"call {number} now" for number in range(50)], "bad two"]
    [items] = predictor.batches_of(lines, "line")
    answers = predictor.answer(items)
    assert [one.id for one in answers.predictions] == [f"line:{n}" for n in range(2, 52)]
    assert answers.refused == ["line:1: bad one is no text.", "line:52: bad two is no text."]
    expected = whole({"text": lines[1:2]})
    assert answers.predictions[0].margin == pytest.approx(expected[0].margin)


def test_what_is_wrong_with_all_items_alike_is_raised(make_run: MakeRun) -> None:
    predictor, rows = table(make_run, "three")
    items = Items(X=rows[["a"]], kinds={"a": "table"}, ids=list("12345"))
    with pytest.raises(DataError, match="the column 'b', which the model was trained on, is absen"):
        predictor.answer(items)


def test_an_empty_text_or_row_is_marked_and_a_missing_value_is_not(
    make_run: MakeRun, predictor: Predictor
) -> None:
    assert [one.note for one in predictor.predict({"text": ITEMS})] == [
        "",
        "",
        "empty",
        "",
        "empty",
    ]
    tabular, rows = table(make_run, "table")
    assert {one.note for one in tabular.predict(rows)} == {""}
    first, second = list(tabular.kinds)[:2]
    some = rows[:4].astype(object)
    some.loc[0, first] = some.loc[1, second] = None
    some.loc[2] = None
    some.loc[3] = [" "] * len(some.columns)
    assert [one.note for one in tabular.predict(some)] == ["", "", "empty", "empty"]


def test_a_stream_of_any_length_takes_constant_memory(predictor: Predictor) -> None:
    assert peak(predictor, 9000) < 1.2 * peak(predictor, 3000)


LIGHT = """
import sys
from pathlib import Path
from widemargin.registry import discover
from widemargin.runs import read_record
from widemargin.serving import Predictor

predictor = Predictor(read_record(Path(sys.argv[1])), discover())
answers = predictor.predict_items(predictor.batches_of(["win a prize", ""], "line"), explain=True)
print(len(list(answers)), *sorted({"sklearn", "pandas", "pyarrow", "torch"} & set(sys.modules)))
"""


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_predicting_texts_imports_neither_scikit_learn_nor_pandas(
    make_run: MakeRun, kernel: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, str(make_run("spam", kernel).path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["2"]


def test_an_altered_model_is_refused(copied: Path) -> None:
    path = copied / "model" / "machine.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    with pytest.raises(ModelError, match=r"machine\.safetensors was altered after it was saved"):
        Predictor(read_record(copied), discover())


def test_a_run_without_a_model_is_refused(copied: Path) -> None:
    (copied / "model").rename(copied / "elsewhere")
    with pytest.raises(ModelError) as caught:
        Predictor(read_record(copied), discover())
    assert str(caught.value) == f"{copied} has no model. Run the use case again."


@pytest.mark.parametrize("content", [None, "{", "[]", "{}"])
def test_a_run_whose_data_set_is_not_described_is_refused(
    copied: Path, content: str | None
) -> None:
    path = copied / "dataset.json"
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(ModelError) as caught:
        Predictor(read_record(copied), discover())
    assert str(caught.value) == (
        f"{copied} does not say what its columns hold: its dataset.json is absent or damaged. "
        "Run the use case again."
    )


def test_a_run_of_a_use_case_that_is_not_installed_is_refused(copied: Path) -> None:
    with pytest.raises(PluginError, match="There is no use case 'spam'"):
        Predictor(read_record(copied), discover([]))


def test_the_run_says_what_its_columns_hold(make_run: MakeRun) -> None:
    path = make_run("three").path / "dataset.json"
    assert make_run("three").predictor.kinds == json.loads(path.read_text())["kinds"]
