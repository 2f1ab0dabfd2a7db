"""Every registered use case passes every check, and every check catches what it is for."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
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
from widemargin.registry import discover
from widemargin.testing import (
    Check,
    ConformanceError,
    check_deterministic,
    check_empty_and_odd_items,
    check_features_clone,
    check_features_round_trip,
    check_groups_do_not_cross,
    check_learns,
    check_lengths,
    check_light_import,
    check_loads_offline,
    check_metrics,
    check_read_items,
    check_use_case,
    load_fixture,
    use_case_checks,
)

REGISTRY = discover()
FRUIT = ("apple", "cherry", "plum", "grape", "melon", "peach")
TOOLS = ("hammer", "saw", "drill", "pliers", "chisel", "wrench")


@pytest.mark.parametrize("name", sorted(REGISTRY.use_cases))
@pytest.mark.parametrize("check", use_case_checks(), ids=lambda check: check.__name__)
def test_every_registered_use_case_conforms(check: Check, name: str) -> None:
    check(REGISTRY.use_case(name), REGISTRY)


def test_the_kit_has_every_check_in_its_list() -> None:
    import widemargin.testing

    offered = {name for name in widemargin.testing.__all__ if name.startswith("check_")}
    offered = {name for name in offered if not name.startswith("check_encoder")}
    assert {check.__name__ for check in use_case_checks()} == offered - {"check_use_case"}


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


def refusal(check: Check, use_case: UseCase) -> str:
    with pytest.raises(ConformanceError) as caught:
        check(use_case, REGISTRY)
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
    assert "must load offline" in lines[0]
    assert "'f2'" in lines[1]


def test_a_fixture_that_asks_for_the_network_is_refused(notes: UseCase) -> None:
    class Online(NotesFile):
        def load(self, data_home: Path) -> Dataset:
            socket.create_connection(("example.org", 443), timeout=1)
            return super().load(data_home)

    said = refusal(check_loads_offline, replace(notes, data=(Online,)))
    assert "OSError: the network is blocked while this is checked" in said
    assert 'Path(__file__).with_name("fixture.csv")' in said


def test_a_fixture_that_hides_that_it_asked_for_the_network_is_refused(notes: UseCase) -> None:
    class Stealthy(NotesFile):
        def load(self, data_home: Path) -> Dataset:
            with socket.socket() as link, pytest.raises(OSError, match="blocked"):
                link.connect(("203.0.113.7", 80))
            return super().load(data_home)

    said = refusal(check_loads_offline, replace(notes, data=(Stealthy,)))
    assert "the network was asked for ('203.0.113.7', 80)" in said


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

    said = refusal(check_lengths, replace(notes, data=(Coded,)))
    assert "Labels must be strings or float64. Found: labels of type int64." in said


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

    assert "y has 23 rows and X has 24" in refusal(check_lengths, replace(notes, data=(Short,)))


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
    assert "one row for each item. Found: 23 rows for 24 items." in said


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
    assert "a few dozen items" in said
