"""Every registered use case passes every check, and every check catches what it is for."""

from __future__ import annotations

import inspect
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
from pydantic import Field
from sklearn.base import BaseEstimator, TransformerMixin

from widemargin import (
    Asset,
    AssetFile,
    DataError,
    Dataset,
    DatasetCard,
    DatasetLoader,
    FeatureSection,
    Items,
    SplitRule,
    UseCase,
    Wording,
)
from widemargin.contracts import Columns, Kind, Learns, State
from widemargin.encoders import Features, TfidfEncoder
from widemargin.registry import Registry, discover
from widemargin.testing import (
    Check,
    ConformanceError,
    DoesNotApply,
    check_beats_the_dummy,
    check_deterministic,
    check_empty_and_odd_items,
    check_features_clone,
    check_features_round_trip,
    check_groups_do_not_cross,
    check_held_out_rows_teach_nothing,
    check_learns,
    check_lengths,
    check_light_import,
    check_loads_offline,
    check_metrics,
    check_published_split_is_kept,
    check_read_items,
    check_repeated_items,
    check_rows_are_read_alone,
    check_runs_offline,
    check_target_is_no_column,
    check_use_case,
    check_walks_forward,
    encoder_checks,
    examine,
    kernel_checks,
    load_fixture,
    metric_checks,
    use_case_checks,
)
from widemargin.testing.data_checks import _recodes

REGISTRY = discover()
FRUIT = ("apple", "cherry", "plum", "grape", "melon", "peach")
TOOLS = ("hammer", "saw", "drill", "pliers", "chisel", "wrench")


@pytest.mark.parametrize("name", [plugin.name for plugin in REGISTRY.plugins])
def test_every_installed_plugin_gets_a_clean_card(name: str) -> None:
    verdicts = list(examine(name, REGISTRY))
    assert [one for one in verdicts if one.status == "failed"] == []
    cases = [one for one in verdicts if one.subject.startswith("use case ")]
    assert len(cases) % len(use_case_checks()) == 0
    # What only says that it does not apply would be no card.
    assert sum(one.status == "passed" for one in cases) > len(cases) / 2


def test_all_eight_plugins_are_tried() -> None:
    ours = {"spam", "cancer", "proteins", "images", "credit", "trading", "sounds", "generic"}
    assert ours <= {plugin.name for plugin in REGISTRY.plugins}


def test_each_rule_of_a_split_applies_to_one_of_our_plugins() -> None:
    check_published_split_is_kept(REGISTRY.use_case("images"), REGISTRY)
    check_walks_forward(REGISTRY.use_case("trading"), REGISTRY)
    check_groups_do_not_cross(REGISTRY.use_case("sounds"), REGISTRY)
    check_rows_are_read_alone(REGISTRY.use_case("trading"), REGISTRY)


def test_the_kit_has_every_check_in_its_lists() -> None:
    import widemargin.testing

    offered = {name for name in widemargin.testing.__all__ if name.startswith("check_")}
    wholes = {"check_use_case", "check_encoder", "check_kernel", "check_metric"}
    lists = (use_case_checks(), encoder_checks(), kernel_checks(), metric_checks())
    assert {check.__name__ for one in lists for check in one} == offered - wholes


def test_every_checks_first_line_is_a_rule() -> None:
    lists = (use_case_checks(), encoder_checks(), kernel_checks(), metric_checks())
    for check in (check for one in lists for check in one):
        first = str(check.__doc__).partition("\n")[0]
        assert first.startswith("Check that ")
        assert first.endswith(".")


def why_not(check: Check, use_case: UseCase) -> str:
    with pytest.raises(DoesNotApply) as caught:
        check(use_case, REGISTRY)
    return str(caught.value)


# A use case that keeps every rule, and below it, for each rule, one that breaks it.


class NotesFile(DatasetLoader):
    source: Literal["notes"] = Field("notes", description="lines of label, tab, text")
    path: Path = Field(description="the file")

    def load(self, data_home: Path) -> Dataset:
        rows = [line.split("\t") for line in self.path.read_text(encoding="utf-8").splitlines()]
        return self.make([label for label, _ in rows], [text for _, text in rows])

    def make(self, labels: list[str], texts: list[str], **more: Any) -> Dataset:
        import pandas as pd

        return Dataset(
            X=pd.DataFrame({"text": texts}),
            kinds={"text": "text"},
            y=np.array(labels),
            ids=np.array([f"note {row}" for row in range(len(texts))]),
            card=DatasetCard(title="Notes"),
            **more,
        )

    def read_items(self, source: Path) -> Iterator[Items]:
        texts = [line.split("\t")[1] for line in source.read_text(encoding="utf-8").splitlines()]
        names = [f"note {row}" for row in range(len(texts))]
        yield Items(X={"text": texts}, kinds={"text": "text"}, ids=names)


@pytest.fixture
def notes(tmp_path: Path) -> UseCase:
    def words(row: int, kind: tuple[str, ...]) -> str:
        return f"{kind[row % 6]} {kind[(row // 2) % 6]} and {kind[(row * row) % 6]} x" + "y" * row

    lines = []
    for row in range(12):
        lines += [f"fruit\t{words(row, FRUIT)}", f"tool\t{words(row, TOOLS)}"]
    path = tmp_path / "notes.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return UseCase(
        name="notes",
        summary="Tell fruit from tools.",
        task="classification",
        data=(NotesFile,),
        features=Features,
        defaults={"features": {"encoder": "tfidf"}},
        primary_metric={"classification": "f1"},
        metrics=("f1", "accuracy"),
        fixture={"path": str(path)},
        wording=Wording(headline="Finds {f1} of it"),
    )


@pytest.fixture
def light(notes: UseCase) -> UseCase:
    """Return the use case as if it came with a plugin that imports nothing heavy."""

    class Light(NotesFile):
        pass

    Light.__module__ = "widemargin.contracts"
    return replace(notes, data=(Light,))


class Lengths(BaseEstimator, TransformerMixin):  # type: ignore[misc]  # scikit-learn has no hints
    """Length of a text, and its number of blanks: learns nothing, saved by skops."""

    def fit(self, X: Columns, y: Any = None) -> Lengths:
        return self

    def transform(self, X: Columns) -> Any:
        return np.array([[len(text), text.count(" ")] for text in X["text"]], dtype=np.float64)


def with_features(use_case: UseCase, build: Callable[[], Any], learns: Learns = "X") -> UseCase:
    class Own(FeatureSection):
        @property
        def learns(self) -> Learns:
            return learns

        def build(self, kinds: Mapping[str, Kind]) -> Any:
            return build()

    return replace(use_case, features=Own, defaults={})


def refusal(check: Check, use_case: UseCase, registry: Registry = REGISTRY) -> str:
    with pytest.raises(ConformanceError) as caught:
        check(use_case, registry)
    said = str(caught.value)
    assert said.startswith(f"use case {use_case.name!r}: ")
    assert " Found: " in said
    assert " Remedy: " in said
    return said


def test_a_use_case_that_keeps_every_rule_passes(light: UseCase) -> None:
    check_use_case(light, REGISTRY)


def test_the_registry_is_found_where_none_is_given(light: UseCase) -> None:
    check_use_case(light)


def test_all_broken_rules_are_told_at_once_each_once(light: UseCase) -> None:
    broken = replace(light, metrics=("f2",), fixture={"path": "/nowhere"})
    with pytest.raises(ConformanceError) as caught:
        check_use_case(broken, REGISTRY)
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert "'f2'" in lines[0]
    assert "must load offline" in lines[1]


def test_a_fixture_that_asks_for_the_network_is_refused(notes: UseCase) -> None:
    class Online(NotesFile):
        def load(self, data_home: Path) -> Dataset:
            socket.create_connection(("example.org", 443), timeout=1)
            return super().load(data_home)

    said = refusal(check_loads_offline, replace(notes, data=(Online,)))
    assert "Found: the network was asked for example.org. Where: " in said
    assert f"{__file__}, line {Online.load.__code__.co_firstlineno + 1}." in said
    assert "what it needs is declared as `assets`" in said
    assert 'Path(__file__).with_name("fixture.csv")' in said


def test_a_fixture_that_hides_that_it_asked_for_the_network_is_refused(notes: UseCase) -> None:
    class Stealthy(NotesFile):
        def load(self, data_home: Path) -> Dataset:
            with socket.socket() as link, pytest.raises(OSError, match="blocked"):
                link.connect(("203.0.113.7", 80))
            return super().load(data_home)

    said = refusal(check_loads_offline, replace(notes, data=(Stealthy,)))
    assert "the network was asked for ('203.0.113.7', 80)" in said
    assert f"Where: {__file__}, line {Stealthy.load.__code__.co_firstlineno + 2}." in said


def test_the_network_works_again_after_the_check(notes: UseCase) -> None:
    check_loads_offline(notes, REGISTRY)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as link:
        link.connect(server.getsockname())


def test_a_fixture_that_needs_an_asset_is_refused(notes: UseCase) -> None:
    class Fetched(NotesFile):
        assets = (
            Asset(
                name="notes-asset",
                title="Notes",
                licence="CC0",
                origin="nobody",
                files=(AssetFile(name="notes.txt", sha256="0" * 64, size=1),),
            ),
        )

    said = refusal(check_loads_offline, replace(notes, data=(Fetched,)))
    assert "AssetError" in said
    assert "notes-asset" in said


def test_a_fixture_that_the_config_refuses_is_refused(notes: UseCase) -> None:
    said = refusal(check_loads_offline, replace(notes, fixture={"pth": "x"}))
    assert "ConfigError" in said
    assert "pth" in said


def test_labels_that_are_no_strings_are_refused(notes: UseCase) -> None:
    class Coded(NotesFile):
        def make(self, labels: list[str], texts: list[str], **more: Any) -> Dataset:
            made = super().make(labels, texts)
            return replace(made, y=(made.y == "tool").astype(np.int64))

    said = refusal(check_loads_offline, replace(notes, data=(Coded,)))
    assert "TypeError: Dataset: y holds values of type int64; name the classes" in said
    assert f"Where: {__file__}, line " in said


def test_labels_that_are_any_objects_are_refused(notes: UseCase) -> None:
    class Loose(NotesFile):
        def make(self, labels: list[str], texts: list[str], **more: Any) -> Dataset:
            made = super().make(labels, texts)
            return replace(made, y=made.y.astype(object))

    said = refusal(check_lengths, replace(notes, data=(Loose,)))
    assert "Labels must be strings or float64. Found: labels of type object." in said


@pytest.mark.parametrize(("returned", "what"), [(None, "None"), (["a"], "a list")])
def test_a_loader_that_returns_no_data_set_is_refused(
    notes: UseCase, returned: Any, what: str
) -> None:
    class Other(NotesFile):
        def load(self, data_home: Path) -> Dataset:
            return returned  # type: ignore[no-any-return]  # the mistake

    said = refusal(check_loads_offline, replace(notes, data=(Other,)))
    assert f"Found: Other.load returned {what}; it must return a widemargin.Dataset." in said
    assert f"Where: {__file__}, line {Other.load.__code__.co_firstlineno}." in said


def test_a_column_that_repeats_the_target_is_refused(notes: UseCase) -> None:
    class Leaking(NotesFile):
        def make(self, labels: list[str], texts: list[str], **more: Any) -> Dataset:
            made = super().make(labels, texts)
            kinds: dict[str, Kind] = {**made.kinds, "answer": "table"}
            return replace(made, X=made.X.assign(answer=labels), kinds=kinds)

    check_target_is_no_column(notes, REGISTRY)
    said = refusal(check_target_is_no_column, replace(notes, data=(Leaking,)))
    assert "Found: column 'answer' holds the target, label, itself." in said


@pytest.mark.parametrize(
    ("write", "times", "caught"),
    [
        (lambda label, row: f"{label}!", 2, True),
        (lambda label, row: int(label == "tool"), 2, True),
        (lambda label, row: np.nan if label == "tool" else 1.5, 2, True),
        (lambda label, row: label.upper(), 2, True),
        # Of 24 rows and two columns chance does it too often; and natural columns are not so exact.
        (lambda label, row: label.upper(), 1, False),
        (lambda label, row: f"{label} {row // 2 % 2}", 2, False),
        (lambda label, row: f"{label} {row}", 2, False),
        (lambda label, row: (label == "tool") != (row == 5), 2, False),
        (lambda label, row: "the same", 2, False),
    ],
)
def test_a_column_that_is_the_target_in_other_words_is_refused(
    notes: UseCase, write: Callable[[str, int], Any], times: int, caught: bool
) -> None:
    class Leaking(NotesFile):
        def make(self, labels: list[str], texts: list[str], **more: Any) -> Dataset:
            made = super().make(labels * times, texts * times)
            kinds: dict[str, Kind] = {**made.kinds, "answer": "table"}
            answer = [write(label, row) for row, label in enumerate(labels * times)]
            return replace(made, X=made.X.assign(answer=answer), kinds=kinds)

    leaking = replace(notes, data=(Leaking,))
    if caught:
        said = refusal(check_target_is_no_column, leaking)
        assert (
            "Found: column 'answer' has one value for each class of label and no other, in all 48 "
            "rows." in said
        )
        assert "give the fixture a row in which the two differ." in said
    else:
        check_target_is_no_column(leaking, REGISTRY)


@pytest.mark.parametrize(
    ("rows", "n_columns", "caught"),
    [
        ((11, 11), 1, False),
        ((12, 12), 1, True),
        ((12, 12), 10, False),
        ((14, 14), 10, True),
        ((56, 4), 1, False),
        ((55, 5), 1, True),
        ((99, 1), 1, False),
        ((5, 5, 5, 5), 1, True),
        ((3, 3, 3, 3), 1, False),
        ((24,), 1, False),
    ],
)
def test_a_recoded_target_is_one_where_chance_is_below_one_in_a_million(
    rows: tuple[int, ...], n_columns: int, caught: bool
) -> None:
    target = np.repeat([f"class {at}" for at in range(len(rows))], rows)
    column = pd.Series(np.repeat(np.arange(len(rows)), rows))
    assert _recodes(column, target, n_columns) == caught
    assert not _recodes(column, np.roll(target, 1), n_columns)


@pytest.mark.parametrize(
    ("write", "caught"),
    [
        (int, True),
        (np.float32, True),
        (lambda value: f" {value:g}", True),
        (lambda value: f"{value:.3f}", True),
        (lambda value: value + (value == 5.0), False),
        (lambda value: "" if value == 5.0 else f"{value:g}", False),
        (lambda value: "five" if value == 5.0 else value, False),
    ],
)
def test_a_column_that_repeats_the_numbers_that_are_predicted_is_refused(
    notes: UseCase, write: Callable[[float], Any], caught: bool
) -> None:
    class Leaking(NotesFile):
        def make(self, labels: list[str], texts: list[str], **more: Any) -> Dataset:
            made = super().make(labels, texts)
            y = np.arange(len(texts), dtype=np.float64)
            kinds: dict[str, Kind] = {**made.kinds, "answer": "table"}
            answer = [write(value) for value in y]
            return replace(made, y=y, X=made.X.assign(answer=answer), kinds=kinds)

    leaking = replace(
        notes,
        task="regression",
        data=(Leaking,),
        primary_metric={"regression": "mae"},
        metrics=("mae",),
        wording=Wording(),
    )
    if caught:
        said = refusal(check_target_is_no_column, leaking)
        assert "Found: column 'answer' holds the target, label, itself." in said
    else:
        check_target_is_no_column(leaking, REGISTRY)


def test_labels_of_another_task_are_refused(notes: UseCase) -> None:
    class Rated(NotesFile):
        def make(self, labels: list[str], texts: list[str], **more: Any) -> Dataset:
            made = super().make(labels, texts)
            return replace(made, y=np.arange(len(texts), dtype=np.float64))

    said = refusal(check_lengths, replace(notes, data=(Rated,)))
    assert "declares classification" in said
    assert "float64, which mean regression" in said


def test_a_label_too_few_is_refused(notes: UseCase) -> None:
    class Short(NotesFile):
        def make(self, labels: list[str], texts: list[str], **more: Any) -> Dataset:
            return super().make(labels[1:], texts)

    said = refusal(check_lengths, replace(notes, data=(Short,)))
    assert "y has 23 rows and X has 24; each item needs one." in said


def test_a_column_without_a_kind_is_refused(notes: UseCase) -> None:
    class Wide(NotesFile):
        def make(self, labels: list[str], texts: list[str], **more: Any) -> Dataset:
            made = super().make(labels, texts)
            return replace(made, X=made.X.assign(colour="red"))

    said = refusal(check_lengths, replace(notes, data=(Wide,)))
    assert "must have a kind. Found: none for colour." in said


def test_features_that_lose_rows_are_refused(notes: UseCase) -> None:
    class Lossy(Lengths):
        def transform(self, X: Columns) -> Any:
            return super().transform(X)[1:]

    said = refusal(check_lengths, with_features(notes, Lossy))
    assert "Found: the features Lossy returned 23 rows for 24 items; `transform` must" in said
    assert f"Where: {__file__}, line {inspect.getsourcelines(Lossy)[1]}." in said


def test_near_duplicates_that_cross_a_split_are_refused(notes: UseCase) -> None:
    class Repeated(NotesFile):
        def make(self, labels: list[str], texts: list[str], **more: Any) -> Dataset:
            return super().make(labels * 2, [*texts, *(text.upper() + "!" for text in texts)])

    allowed = replace(notes, data=(Repeated,))
    check_groups_do_not_cross(allowed, REGISTRY)
    said = refusal(
        check_groups_do_not_cross, replace(allowed, split=SplitRule(near_duplicates=False))
    )
    assert "note 0 and note 24 are on both sides of a split" in said


def test_a_fixture_whose_class_is_one_group_is_refused(notes: UseCase) -> None:
    class Grouped(NotesFile):
        def make(self, labels: list[str], texts: list[str], **more: Any) -> Dataset:
            return super().make(labels, texts, groups=np.array(labels))

    said = refusal(check_groups_do_not_cross, replace(notes, data=(Grouped,)))
    assert "only 1 group of class 'fruit'" in said


def test_a_fixture_without_groups_and_texts_is_not_judged_by_them() -> None:
    assert "neither groups nor texts" in why_not(
        check_groups_do_not_cross, REGISTRY.use_case("table")
    )


def published(use_case: UseCase, test: int = 8, **more: Any) -> UseCase:
    """Return the use case with a published split: so many test rows, the last ones."""

    class Published(NotesFile):
        def make(self, labels: list[str], texts: list[str], **more: Any) -> Dataset:
            parts = np.repeat(["train", "test"], [len(labels) - test, test])
            return super().make(labels, texts, parts=parts)

    return replace(use_case, data=(Published,), **more)


def test_a_published_split_that_the_defaults_overrule_is_refused(notes: UseCase) -> None:
    assert "no published split" in why_not(check_published_split_is_kept, notes)
    kept = published(notes)
    check_published_split_is_kept(kept, REGISTRY)
    folds = {**notes.defaults, "evaluation": {"split": "folds"}}
    said = refusal(check_published_split_is_kept, replace(kept, defaults=folds))
    assert "rows are on the other side" in said
    assert "leave evaluation.split out" in said


def test_a_published_split_without_a_test_part_is_refused(notes: UseCase) -> None:
    said = refusal(check_published_split_is_kept, published(notes, test=0))
    assert "no row of the part 'test'" in said


def timed(use_case: UseCase, known_later: int = 0, **more: Any) -> UseCase:
    class Timed(NotesFile):
        def make(self, labels: list[str], texts: list[str], **more: Any) -> Dataset:
            times = np.arange(len(labels))
            return super().make(labels, texts, times=times, label_times=times + known_later)

    return replace(use_case, data=(Timed,), **more)


def test_times_that_the_split_does_not_go_by_are_refused(notes: UseCase) -> None:
    assert "have no times" in why_not(check_walks_forward, notes)
    forward = SplitRule(kind="walk-forward")
    check_walks_forward(timed(notes, split=forward, known_later=1), REGISTRY)
    said = refusal(check_walks_forward, timed(notes))
    assert "Found: times, and a split that is stratified." in said
    assert 'SplitRule(kind="walk-forward")' in said


def test_a_walk_forward_split_of_items_without_times_is_refused(notes: UseCase) -> None:
    said = refusal(check_walks_forward, replace(notes, split=SplitRule(kind="walk-forward")))
    assert "a walk-forward split, and items without times" in said


def test_a_plan_that_learns_of_later_labels_is_refused(
    notes: UseCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    from widemargin.contracts import Split
    from widemargin.runs.plan import Plan
    from widemargin.testing import split_checks

    def shuffled(*_: Any) -> Plan:
        split = Split(np.arange(0, 24, 2), np.arange(1, 24, 2))
        return Plan(outer=((0, 0, split),), kind="walk-forward")

    monkeypatch.setattr(split_checks, "make_plan", shuffled)
    said = refusal(check_walks_forward, timed(notes, split=SplitRule(kind="walk-forward")))
    assert "note 2, whose label was known at 2, is learned from for a part that begins at 1" in said


class BatchCentred(Lengths):
    """Learns in `transform`: the mean of the rows that it is given."""

    def transform(self, X: Columns) -> Any:
        rows = super().transform(X)
        return rows - rows.mean(axis=0)


def test_features_that_look_at_the_other_held_out_rows_are_refused(notes: UseCase) -> None:
    check_learns(with_features(notes, BatchCentred), REGISTRY)  # which does not see it
    said = refusal(check_held_out_rows_teach_nothing, with_features(notes, BatchCentred))
    assert "is predicted otherwise beside other rows" in said
    assert "`transform` take each row by itself" in said


def test_a_part_of_one_row_says_nothing_of_rows_beside_it(
    notes: UseCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    from widemargin.contracts import Split
    from widemargin.runs.plan import Plan
    from widemargin.testing import split_checks

    def planned(*sizes: int) -> None:
        cuts = [np.arange(size) for size in sizes]
        outer = tuple((0, k, Split(np.arange(4, 24), cut)) for k, cut in enumerate(cuts))
        monkeypatch.setattr(split_checks, "make_plan", lambda *_: Plan(outer=outer, kind="folds"))

    case = with_features(notes, BatchCentred)
    planned(1, 1)
    said = why_not(check_held_out_rows_teach_nothing, case)
    assert "holds out one row alone" in said
    planned(4, 1)
    assert "is predicted otherwise beside" in refusal(check_held_out_rows_teach_nothing, case)


def test_features_that_learn_from_all_rows_as_if_they_learnt_nothing_are_refused(
    notes: UseCase,
) -> None:
    check_held_out_rows_teach_nothing(with_features(notes, Centred), REGISTRY)
    said = refusal(
        check_held_out_rows_teach_nothing, with_features(notes, Centred, learns="nothing")
    )
    assert "is predicted otherwise beside other rows" in said


def test_a_loader_that_learns_from_the_whole_file_is_refused(
    notes: UseCase, tmp_path: Path
) -> None:
    assert "no file with a row a line" in why_not(check_rows_are_read_alone, notes)
    table = REGISTRY.use_case("table")
    check_rows_are_read_alone(table, REGISTRY)
    [loader, *_] = table.data

    class Standardised(loader):  # type: ignore[misc, valid-type]  # found at run time
        def load(self, data_home: Path) -> Dataset:
            made: Dataset = super().load(data_home)
            numbers = made.X["area"]
            scaled = (numbers - numbers.mean()) / numbers.std()
            return replace(made, X=made.X.assign(area=scaled))

    said = refusal(check_rows_are_read_alone, replace(table, data=(Standardised,)))
    assert "area of table_fixture.csv:2 is another without the file's last rows" in said
    assert "learn from training rows alone" in said


def test_a_loader_whose_target_or_names_hang_on_the_whole_file_is_refused() -> None:
    case = REGISTRY.use_case("table")
    [loader, *_] = case.data

    class Divided(loader):  # type: ignore[misc, valid-type]  # found at run time
        def load(self, data_home: Path) -> Dataset:
            made: Dataset = super().load(data_home)
            return replace(made, y=made.y / made.y.std())

    said = refusal(check_rows_are_read_alone, replace(case, data=(Divided,)))
    assert "the target of " in said
    assert "is another without the file's last rows" in said

    class Numbered(loader):  # type: ignore[misc, valid-type]  # found at run time
        def load(self, data_home: Path) -> Dataset:
            made: Dataset = super().load(data_home)
            return replace(made, ids=np.array([f"{len(made)}-{k}" for k in range(len(made))]))

    said = refusal(check_rows_are_read_alone, replace(case, data=(Numbered,)))
    assert "no row is called as it was" in said
    assert "not by how many there are" in said


def test_a_file_that_cannot_be_read_in_part_is_not_judged(notes: UseCase, tmp_path: Path) -> None:
    class Whole(NotesFile):
        def load(self, data_home: Path) -> Dataset:
            if len(self.path.read_text(encoding="utf-8").splitlines()) < 24:
                raise DataError("the file ends too early")
            return super().load(data_home)

    path = tmp_path / "notes.csv"
    path.write_bytes(Path(str(notes.fixture["path"])).read_bytes())
    case = replace(notes, data=(Whole,), fixture={"path": str(path)})
    assert "without its last rows: the file ends too early" in why_not(
        check_rows_are_read_alone, case
    )


def test_features_whose_constructor_changes_a_parameter_are_refused(notes: UseCase) -> None:
    class Rounding(Lengths):
        def __init__(self, scale: tuple[int, ...] = (1,)) -> None:
            self.scale = list(scale)

    said = refusal(check_features_clone, with_features(notes, Rounding))
    assert "RuntimeError: Cannot clone object" in said


def test_features_that_depend_on_more_than_their_parameters_are_refused(notes: UseCase) -> None:
    class Doubling(Lengths):
        factor = 1.0

        def transform(self, X: Columns) -> Any:
            return self.factor * super().transform(X)

    def build() -> Doubling:
        made = Doubling()
        made.factor = 2.0
        return made

    said = refusal(check_features_clone, with_features(notes, build))
    assert "other rows from the clone" in said


class Centred(Lengths):
    """Learns the mean of the training rows, and if asked the share of one class."""

    def __init__(self, reads_labels: bool = False) -> None:
        self.reads_labels = reads_labels

    def fit(self, X: Columns, y: Any = None) -> Centred:
        rows = Lengths.transform(self, X)
        self.mean_ = rows[y == "tool"].mean() if self.reads_labels else rows.mean()
        return self

    def transform(self, X: Columns) -> Any:
        return super().transform(X) - self.mean_


def test_features_that_learn_rows_and_declare_nothing_are_refused(notes: UseCase) -> None:
    check_learns(with_features(notes, Centred, "X"), REGISTRY)
    said = refusal(check_learns, with_features(notes, Centred, "nothing"))
    assert "learn nothing. Found: other rows came out after fitting on other training rows" in said
    assert 'declare `learns` as "X"' in said


def test_features_that_learn_labels_and_declare_rows_are_refused(notes: UseCase) -> None:
    greedy = with_features(notes, lambda: Centred(reads_labels=True), "y")
    check_learns(greedy, REGISTRY)
    said = refusal(check_learns, with_features(notes, lambda: Centred(reads_labels=True), "X"))
    assert "learn X. Found: other rows came out after fitting on other labels" in said
    assert 'declare `learns` as "y"' in said


def test_data_that_change_between_two_loads_are_refused(notes: UseCase) -> None:
    class Shuffled(NotesFile):
        def make(self, labels: list[str], texts: list[str], **more: Any) -> Dataset:
            order = np.random.default_rng().permutation(len(texts))
            return super().make([labels[i] for i in order], [texts[i] for i in order])

    said = refusal(check_deterministic, replace(notes, data=(Shuffled,)))
    assert "Loading twice must give equal data" in said


def test_features_that_draw_at_random_are_refused(notes: UseCase) -> None:
    class Noisy(Lengths):
        def fit(self, X: Columns, y: Any = None) -> Noisy:
            self.noise_ = np.random.default_rng().normal()
            return self

        def transform(self, X: Columns) -> Any:
            return super().transform(X) * self.noise_

    said = refusal(check_deterministic, with_features(notes, Noisy))
    assert "Training twice with one seed must give equal predictions" in said
    assert "random_state" in said


class Forgetful(TfidfEncoder):
    def get_state(self) -> State:
        """Round the weights, as one that saves too few digits does."""
        state = super().get_state()
        rounded = {
            name: array.round(3) if array.dtype.kind == "f" else array
            for name, array in state.arrays.items()
        }
        return State(rounded, state.meta)


def test_features_that_come_back_a_little_different_are_refused(notes: UseCase) -> None:
    said = refusal(check_features_round_trip, with_features(notes, Forgetful))
    assert "Found: other predictions." in said
    assert "get_state" in said


def test_features_that_cannot_be_saved_are_refused(notes: UseCase) -> None:
    class Holding(Lengths):
        def fit(self, X: Columns, y: Any = None) -> Holding:
            self.stream_ = (text for text in X["text"])
            return self

    said = refusal(check_features_round_trip, with_features(notes, Holding))
    assert "must predict the same after it was saved and loaded" in said
    assert "skops can save" in said


def test_features_of_scikit_learn_come_back_by_skops(notes: UseCase) -> None:
    check_features_round_trip(with_features(notes, Lengths), REGISTRY)


def test_items_that_are_lost_in_reading_are_refused(notes: UseCase) -> None:
    class Lossy(NotesFile):
        def read_items(self, source: Path) -> Iterator[Items]:
            for items in super().read_items(source):
                yield Items(X={"text": items.X["text"][:-1]}, kinds=items.kinds, ids=items.ids[:-1])

    said = refusal(check_read_items, replace(notes, data=(Lossy,)))
    assert "Found: 23 items read and 24 loaded." in said


def test_items_that_are_read_otherwise_than_loaded_are_refused(notes: UseCase) -> None:
    class Backwards(NotesFile):
        def read_items(self, source: Path) -> Iterator[Items]:
            for items in super().read_items(source):
                yield Items(X={"text": items.X["text"][::-1]}, kinds=items.kinds, ids=items.ids)

    said = refusal(check_read_items, replace(notes, data=(Backwards,)))
    assert "note 0 is predicted otherwise than the row that load returned" in said


def test_items_without_a_column_of_the_model_are_refused(notes: UseCase) -> None:
    class Renamed(NotesFile):
        def read_items(self, source: Path) -> Iterator[Items]:
            for items in super().read_items(source):
                yield Items(X={"body": items.X["text"]}, kinds={"body": "text"}, ids=items.ids)

    said = refusal(check_read_items, replace(notes, data=(Renamed,)))
    assert "DataError: the column 'text'" in said


def test_a_fixture_without_a_path_is_refused(notes: UseCase) -> None:
    class Pathless(DatasetLoader):
        source: Literal["inside"] = Field("inside", description="inside the plugin")

        def load(self, data_home: Path) -> Dataset:
            return NotesFile(path=Path(str(notes.fixture["path"]))).load(data_home)

        def read_items(self, source: Path) -> Iterator[Items]:
            raise NotImplementedError

    said = refusal(check_read_items, replace(notes, data=(Pathless,), fixture={}))
    assert "must name its file or folder as `path`" in said


def test_features_that_count_duplicates_are_refused(notes: UseCase) -> None:
    class Counting(Lengths):
        def transform(self, X: Columns) -> Any:
            texts = list(X["text"])
            return np.array([[float(len(text)), texts.count(text)] for text in texts])

    check_repeated_items(with_features(notes, Lengths), REGISTRY)
    said = refusal(check_repeated_items, with_features(notes, Counting))
    assert "is answered otherwise among duplicates" in said


def test_features_that_fail_name_their_line(notes: UseCase) -> None:
    class Greedy(Lengths):
        def transform(self, X: Columns) -> Any:
            texts = list(X["text"])
            return super().transform(X) + len(texts[24:25]) * len(texts[99])

    said = refusal(check_repeated_items, with_features(notes, Greedy))
    assert "Found: IndexError: list index out of range. Where: " in said
    assert (
        f"{__file__}, line {inspect.unwrap(Greedy.transform).__code__.co_firstlineno + 2}." in said
    )
    assert "Remedy: mend that line, so that a model can be trained on the fixture." in said


def test_what_is_no_sequence_may_be_refused_in_words_only(notes: UseCase) -> None:
    peptides = REGISTRY.use_case("peptides")
    check_empty_and_odd_items(peptides, REGISTRY)

    class Strict(Lengths):
        def transform(self, X: Columns) -> Any:
            return np.array([[{"M": 1.0}[letters[0]]] for letters in X["sequence"]])

    broken = with_features(replace(peptides, defaults={}), Strict)
    with pytest.raises(ConformanceError):
        check_empty_and_odd_items(broken, REGISTRY)


def test_a_use_case_that_is_no_better_than_the_dummy_is_refused(notes: UseCase) -> None:
    class Deaf(Lengths):
        def transform(self, X: Columns) -> Any:
            return np.ones((len(list(X["text"])), 1))

    check_beats_the_dummy(notes, REGISTRY)
    deaf = with_features(replace(notes, primary_metric={"classification": "accuracy"}), Deaf)
    said = refusal(check_beats_the_dummy, deaf)
    assert "Found: accuracy 50.00%, and 50.00% of the dummy." in said
    assert "UseCase(fixture_is_noise=True)" in said
    noise = replace(deaf, fixture_is_noise=True)
    assert why_not(check_beats_the_dummy, noise) == (
        "the use case declares that its fixture is noise."
    )


def test_a_run_whose_analysis_fails_is_refused_with_the_place(notes: UseCase) -> None:
    def analyse(study: Any) -> Any:
        raise KeyError("no such gene")

    check_runs_offline(notes, REGISTRY)
    said = refusal(check_runs_offline, replace(notes, analyse=analyse))
    assert "the analysis of 'notes' is left out: KeyError: 'no such gene'" in said


def test_a_run_whose_part_of_the_report_fails_is_refused_with_the_place(notes: UseCase) -> None:
    def sections(predictions: Any) -> Any:
        return predictions.no_such_thing

    said = refusal(check_runs_offline, replace(notes, report_sections=sections))
    assert "AttributeError: " in said
    assert "test_conformance.py, line " in said


def test_a_run_that_asks_for_the_network_late_is_refused(notes: UseCase) -> None:
    class Calling(Lengths):
        def transform(self, X: Columns) -> Any:
            with socket.socket() as link, pytest.raises(OSError, match="blocked"):
                link.connect(("203.0.113.7", 80))
            return super().transform(X)

    said = refusal(check_runs_offline, with_features(notes, Calling))
    assert "the network was asked for ('203.0.113.7', 80)" in said


def test_a_run_that_is_tried_tells_no_listener_and_keeps_nothing(
    notes: UseCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WIDEMARGIN_RUNS", str(tmp_path / "runs"))
    before = set(tmp_path.iterdir())
    check_runs_offline(notes, REGISTRY)
    assert set(tmp_path.iterdir()) == before


def test_features_that_refuse_an_empty_text_are_refused(notes: UseCase) -> None:
    class Picky(Lengths):
        def transform(self, X: Columns) -> Any:
            if any(not text.strip() for text in X["text"]):
                raise DataError("an empty text")
            return super().transform(X)

    said = refusal(check_empty_and_odd_items, with_features(notes, Picky))
    assert "must predict an empty text in column 'text'. Found: DataError: an empty text" in said


def test_features_that_are_not_finite_for_an_empty_text_are_refused(notes: UseCase) -> None:
    class Dividing(Lengths):
        def transform(self, X: Columns) -> Any:
            rows = super().transform(X)
            return np.divide(1.0, rows, out=np.full_like(rows, np.nan), where=rows > 0)

    said = refusal(check_empty_and_odd_items, with_features(notes, Dividing))
    assert "an empty text" in said


def test_features_that_refuse_a_missing_value_are_refused() -> None:
    class Rooms(BaseEstimator, TransformerMixin):  # type: ignore[misc]  # as above
        def fit(self, X: Columns, y: Any = None) -> Rooms:
            return self

        def transform(self, X: Columns) -> Any:
            return np.array([[float(rooms)] for rooms in X["rooms"]])

    said = refusal(check_empty_and_odd_items, with_features(REGISTRY.use_case("table"), Rooms))
    assert "must predict a missing value in column 'rooms'" in said


def test_a_metric_that_nothing_registers_is_refused_with_the_nearest(notes: UseCase) -> None:
    said = refusal(check_metrics, replace(notes, metrics=("acuracy",)))
    assert "Did you mean 'accuracy'?" in said


def test_a_primary_metric_of_another_task_is_refused(notes: UseCase) -> None:
    said = refusal(check_metrics, replace(notes, primary_metric={"classification": "r2"}))
    assert "primary_metric names 'r2', which is no metric of classification" in said


def test_a_metric_of_another_task_is_refused(notes: UseCase) -> None:
    said = refusal(check_metrics, replace(notes, metrics=(*notes.metrics, "mae")))
    assert "metrics names 'mae', a metric of regression, which it is not for" in said


def test_a_headline_may_name_the_two_classes(notes: UseCase) -> None:
    spoken = Wording(headline="Finds {f1} of {positive} among {negative}")
    check_metrics(replace(notes, wording=spoken), REGISTRY)


def test_a_headline_about_a_metric_that_is_not_measured_is_refused(notes: UseCase) -> None:
    said = refusal(check_metrics, replace(notes, wording=Wording(headline="Catches {recall}")))
    assert "the headline speaks of 'recall'" in said


PLUGIN = """
{first}
from widemargin import hookimpl
import widemargin_spam
from dataclasses import replace

@hookimpl
def register_use_cases():
    {inside}
    return [replace(widemargin_spam.register_use_cases()[0], name="heavy")]
"""


@pytest.mark.parametrize(
    ("first", "inside"), [("import pandas", ""), ("", "import scipy.sparse, pandas")]
)
def test_a_plugin_that_imports_a_heavy_library_is_refused(
    install_plugin: Callable[..., Path], first: str, inside: str
) -> None:
    source = PLUGIN.format(first=first, inside=inside)
    install_plugin("heavy-plugin", {"heavy": "heavy_plugin"}, {"heavy_plugin.py": source})
    registry = discover()
    with pytest.raises(ConformanceError) as caught:
        check_light_import(registry.use_case("heavy"), registry)
    assert "heavy_plugin imports " in str(caught.value)
    assert "pandas" in str(caught.value)
    assert "import it inside the function that needs it" in str(caught.value)


def test_a_plugin_that_a_fresh_interpreter_cannot_import_is_refused(notes: UseCase) -> None:
    class Lost(NotesFile):
        pass

    Lost.__module__ = "absent_plugin"
    said = refusal(check_light_import, replace(notes, data=(Lost,)))
    assert "No module named 'absent_plugin'" in said


def test_the_fixture_can_be_loaded_and_trained_on_by_hand(notes: UseCase) -> None:
    fixture = load_fixture(notes, REGISTRY)
    assert len(fixture.dataset) == 24
    assert fixture.train().classes == ("fruit", "tool")


def test_a_fixture_too_small_to_train_on_is_refused(notes: UseCase, tmp_path: Path) -> None:
    path = tmp_path / "two.txt"
    path.write_text("fruit\tapple tart\ntool\tsaw blade", encoding="utf-8")
    said = refusal(check_read_items, replace(notes, fixture={"path": str(path)}))
    assert "must be trainable on the fixture" in said
    assert "there is only 1 item of class 'fruit'" in said
    assert said.endswith("Remedy: mend what is named there.")


@pytest.mark.parametrize(
    ("ours", "owns", "slow"),
    [
        (0.5, [0.9], False),
        (3.0, [2.0], False),
        (0.5, [9.0, 4.1, 0.9], False),
        (0.5, [9.0, 0.9, 4.1], False),
        (0.5, [9.0, 9.0, 4.1], True),
    ],
)
def test_a_plugin_whose_import_takes_longer_than_ours_is_refused(
    light: UseCase, monkeypatch: pytest.MonkeyPatch, ours: float, owns: list[float], slow: bool
) -> None:
    left = iter(owns)

    def measured(*_: Any, **__: Any) -> Any:
        return SimpleNamespace(returncode=0, stdout=json.dumps([{}, ours, next(left)]))

    monkeypatch.setattr("widemargin.testing.plugin_checks.subprocess.run", measured)
    if not slow:
        check_light_import(light, REGISTRY)
        return
    said = refusal(check_light_import, light)
    assert "took 4.1 s, and widemargin itself 0.5 s." in said
    assert "python -X importtime" in said


def test_a_heavy_import_names_the_line_that_imports(
    notes: UseCase, install_plugin: Callable[..., Path]
) -> None:
    source = """
import widemargin_generic
from dataclasses import replace
from widemargin import hookimpl
import wave, sqlite3, pandas

@hookimpl
def register_use_cases():
    return [replace(widemargin_generic.register_use_cases()[1], name="rain")]
"""
    install_plugin("rainy", {"rain": "rain_plugin"}, {"rain_plugin.py": source})
    registry = discover()
    said = refusal(check_light_import, registry.use_case("rain"), registry)
    assert "rain_plugin imports pandas" in said
    assert "rain_plugin.py, line 5." in said
