"""Runs: repeatable, interruptible, and honest about what was held out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from pydantic import Field
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import widemargin
from widemargin.config import resolve
from widemargin.contracts import (
    Dataset,
    DatasetCard,
    DatasetLoader,
    FeatureSection,
    Items,
    Kind,
    Learns,
    RunRecord,
    Silent,
    SplitRule,
    UseCase,
)
from widemargin.errors import ConfigError, DataError, PluginError
from widemargin.hookspecs import hookimpl
from widemargin.registry import Plugin, Registry, discover
from widemargin.report import render_report
from widemargin.runs import RunStore
from widemargin.runs.runner import execute
from widemargin.runs.setup import Setup, unit_of
from widemargin.serving import Predictor

Run = Callable[..., Any]
SEARCH = "inner search"


def predictions(run: Any) -> pd.DataFrame:
    return pd.read_parquet(run.path / "predictions.parquet")


def write_csv(path: Path, **columns: Any) -> dict[str, Any]:
    pd.DataFrame(columns).to_csv(path, index=False)
    return {"path": str(path)}


def test_a_run_repeats_to_the_byte(run_quickly: Run) -> None:
    first, second = (run_quickly(fresh=True, seed=3) for _ in range(2))
    assert first.id != second.id
    for name in (
        "metrics.json",
        "dataset.json",
        "search.json",
        "explanation.json",
        "config.yaml",
        "predictions.parquet",
        "model/machine.safetensors",
    ):
        assert (first.path / name).read_bytes() == (second.path / name).read_bytes(), name


def test_metrics_hold_no_time_and_no_id(run_quickly: Run) -> None:
    run = run_quickly()
    said = (run.path / "metrics.json").read_text()
    assert run.id not in said
    assert set(json.loads(said)) >= {"metrics", "baselines", "findings", "chosen"}


def test_folds_that_were_kept_are_reused(run_quickly: Run, watcher: Any) -> None:
    first, again, fresh = watcher(), watcher(), watcher()
    one = run_quickly(progress=first)
    two = run_quickly(progress=again)
    run_quickly(progress=fresh, fresh=True)
    assert first.stages[SEARCH] == 3 + 1  # the final model is always made anew
    assert again.stages[SEARCH] == 1
    assert fresh.stages[SEARCH] == 3 + 1
    assert (one.path / "metrics.json").read_bytes() == (two.path / "metrics.json").read_bytes()


def test_folds_of_another_seed_config_or_data_set_are_not_reused(
    run_quickly: Run, watcher: Any, tmp_path: Path
) -> None:
    run_quickly()
    table = pd.read_csv(discover().use_case("texts").fixture["path"])
    table["text"] = table["text"] + " indeed"
    table.to_csv(tmp_path / "texts_fixture.csv", index=False)
    for changed in (
        {"seed": 1},
        {"svm": {"C": 2.0}},
        {"features": {"encoder": {"name": "tfidf", "min_df": 1}}},
        {"data": {"path": str(tmp_path / "texts_fixture.csv")}},
    ):
        watch = watcher()
        run_quickly(progress=watch, **changed)
        assert watch.stages[SEARCH] == 3 + 1, changed


def test_a_fold_that_was_damaged_is_made_again(
    run_quickly: Run, watcher: Any, tmp_path: Path
) -> None:
    first = run_quickly()
    torn, empty, _ = sorted((tmp_path / "runs" / ".work").iterdir())
    (torn / "arrays.safetensors").write_bytes(b"\x00\x01")
    (empty / "meta.json").unlink()
    watch = watcher()
    again = run_quickly(progress=watch)
    assert watch.stages[SEARCH] == 2 + 1
    assert (first.path / "metrics.json").read_bytes() == (again.path / "metrics.json").read_bytes()


def test_an_interrupted_run_leaves_no_run_and_continues(
    run_quickly: Run, watcher: Any, tmp_path: Path
) -> None:
    store = RunStore(tmp_path / "runs")
    with pytest.raises(KeyboardInterrupt):
        run_quickly(progress=watcher(interrupt_after=2))
    assert store.folders() == []
    assert [path.name for path in store.home.iterdir()] == [".work"]
    watch = watcher()
    continued = run_quickly(progress=watch)
    assert watch.stages[SEARCH] == 1 + 1
    whole = run_quickly(fresh=True)
    assert (continued.path / "metrics.json").read_bytes() == (
        whole.path / "metrics.json"
    ).read_bytes()


@pytest.mark.parametrize("use_case", ["texts", "table", "spam"])
@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_every_row_is_predicted_once_a_repeat_and_labels_follow_probabilities(
    run_quickly: Run, use_case: str, kernel: str
) -> None:
    run = run_quickly(
        use_case, evaluation={"repeats": 2}, svm={"kernel": kernel, "C": 1.0, "gamma": 0.1}
    )
    table = predictions(run)
    said = run.record.metrics
    for _, repeat in table.groupby("repeat"):
        assert repeat["id"].is_unique
        assert len(repeat) == said["n_items"]
    assert set(table["repeat"]) == {0, 1}
    assert set(table["fold"]) == {0, 1, 2}
    if said["task"] == "classification":
        probability = table[[f"probability: {name}" for name in said["classes"]]].to_numpy()
        best = np.array(said["classes"])[probability.argmax(axis=1)]
        assert (table["y_pred"] == best).all()
        np.testing.assert_allclose(probability.sum(axis=1), 1)
    else:
        np.testing.assert_array_equal(table["decision"], table["y_pred"])


def test_three_classes_are_predicted_and_measured(run_quickly: Run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    label = np.repeat(["ant", "bee", "cat"], 12)
    place = np.repeat([0.0, 3.0, 6.0], 12)
    data = write_csv(
        tmp_path / "t.csv", a=place + rng.normal(size=36), b=rng.random(36), label=label
    )
    for kernel in ("linear", "rbf"):
        run = run_quickly("table", data=data, svm={"kernel": kernel, "C": 1.0, "gamma": 0.3})
        assert run.record.metrics["classes"] == ["ant", "bee", "cat"]
        assert run.metrics["f1_macro"] > 0.7
        assert "f1" not in run.metrics
        table = predictions(run)
        assert {"decision: ant", "decision: bee", "decision: cat"} <= set(table)


def test_near_duplicates_are_one_item_and_are_counted(
    run_quickly: Run, watcher: Any, tmp_path: Path
) -> None:
    table = pd.read_csv(discover().use_case("texts").fixture["path"])
    shouted = table.head(5).assign(text=table["text"].head(5).str.upper() + "!!")
    contrary = table.head(1).assign(label="negative")
    pd.concat([table, shouted, contrary]).to_csv(tmp_path / "more.csv", index=False)
    plain, watch = run_quickly(), watcher()
    run = run_quickly(data={"path": str(tmp_path / "more.csv")}, progress=watch)
    said = run.record.metrics
    assert said["n_items"] == plain.record.metrics["n_items"] == len(predictions(run))
    assert plain.record.metrics["near_duplicates"] is None
    found = said["near_duplicates"]
    assert (found["removed"], found["groups"], found["contradictory"]) == (6, 5, 1)
    assert found["apart"].keys() == found["crossing"].keys()
    notes = json.loads((run.path / "dataset.json").read_text())["card"]["notes"]
    assert notes[-1] == (
        "6 near-duplicates of 5 texts were left out, so that none is on both sides of a split; "
        "1 of them had another label than the one kept."
    )


def test_groups_never_cross(run_quickly: Run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    person = rng.integers(0, 9, 60)
    data = write_csv(
        tmp_path / "t.csv",
        row=[f"row {i}" for i in range(60)],
        a=rng.normal(size=60),
        person=person,
        label=rng.normal(size=60),
    )
    run = run_quickly("table", data={**data, "group": "person", "id": "row"})
    of_person: dict[int, set[int]] = {}
    for name, fold in predictions(run)[["id", "fold"]].itertuples(index=False):
        of_person.setdefault(int(person[int(name.split()[1])]), set()).add(fold)
    assert len(of_person) == 9
    assert all(len(folds) == 1 for folds in of_person.values())


def test_a_weight_for_an_unknown_class_is_refused(run_quickly: Run) -> None:
    with pytest.raises(ConfigError) as caught:
        run_quickly("spam", svm={"class_weight": {"spma": 3.0}})
    assert str(caught.value) == ("svm.class_weight: 'spma' is no class; the classes are ham, spam.")


def test_root_weights_lie_halfway_between_none_and_balanced() -> None:
    y = np.array(["common"] * 8 + ["rare"] * 2)
    part = Dataset(
        X=pd.DataFrame({"text": y}),
        kinds={"text": "text"},
        y=y,
        ids=np.arange(10).astype(str),
        card=DatasetCard(title="Ten"),
    )

    def weights(chosen: str) -> list[float]:
        config: Any = SimpleNamespace(svm=SimpleNamespace(class_weight=chosen))
        nothing: Any = None
        setup = Setup(
            config=config,
            expression=nothing,
            metric=nothing,
            split=nothing,
            classes=("common", "rare"),
            positive=1,
        )
        found = setup.weights(part)
        assert found is not None
        return [float(found[0]), float(found[-1])]

    assert weights("balanced") == [10 / 16, 10 / 4]
    np.testing.assert_allclose(weights("root"), np.sqrt(weights("balanced")))


def test_class_weights_move_the_predictions(run_quickly: Run) -> None:
    shares = [
        (predictions(run_quickly("spam", svm={"C": 1.0, **more}))["y_pred"] == "spam").mean()
        for more in ({"class_weight": {"ham": 50.0}}, {}, {"class_weight": {"spam": 50.0}})
    ]
    assert shares == sorted(shares)
    assert shares[0] < shares[2]


@pytest.mark.parametrize(
    ("rare", "message"),
    [
        (1, "there is only 1 item of class 'rare'; cross-validation needs at least 3. "),
        (2, "there are only 2 items of class 'rare'; cross-validation needs at least 3. "),
    ],
)
def test_a_class_of_too_few_items_is_refused_before_anything_is_trained(
    run_quickly: Run, watcher: Any, tmp_path: Path, rare: int, message: str
) -> None:
    labels = ["often"] * 12 + ["rare"] * rare
    data = write_csv(tmp_path / "t.csv", a=np.arange(len(labels)) % 5, label=labels)
    watch = watcher()
    with pytest.raises(DataError) as caught:
        run_quickly("table", data=data, progress=watch)
    assert str(caught.value) == f"t.csv: {message}Add some, or leave the class out."
    assert watch.stages[SEARCH] == 0


@pytest.mark.parametrize(("rare", "outer"), [(3, 5), (3, 3), (4, 2)])
def test_a_class_of_just_enough_items_runs(
    run_quickly: Run, tmp_path: Path, rare: int, outer: int
) -> None:
    labels = ["often"] * 12 + ["rare"] * rare
    data = write_csv(tmp_path / "t.csv", a=np.arange(len(labels)) % 5, label=labels)
    run = run_quickly("table", data=data, evaluation={"outer": outer, "inner": 5})
    assert run.record.metrics["n_items"] == 12 + rare


def test_a_target_that_is_constant_in_training_has_a_unit_all_the_same() -> None:
    assert unit_of(np.array([4.0, 4.0, 4.0])) == (4.0, 1.0)
    assert unit_of(np.array([1.0, 3.0])) == (2.0, 1.0)


def test_a_listener_hears_of_a_run_and_gets_its_record(tmp_path: Path) -> None:
    heard: list[Any] = []

    @hookimpl
    def run_started(use_case: str, run_id: str) -> None:
        heard.append((use_case, run_id))

    @hookimpl
    def run_finished(record: RunRecord) -> None:
        assert (record.path / "manifest.json").is_file()
        heard.append(record)

    listener = SimpleNamespace(run_started=run_started, run_finished=run_finished)
    plugin = Plugin("ear", "ear", "1", "widemargin_spam", {}, listener)
    record = run_case(case_of(Chosen), tmp_path, plugins=(plugin,))
    assert heard == [("noise", record.id), record]


def test_a_listener_that_fails_costs_nobody_a_run(tmp_path: Path) -> None:
    @hookimpl
    def run_finished(record: RunRecord) -> None:
        raise RuntimeError("no room in the ear")

    listener = SimpleNamespace(run_finished=run_finished)
    plugin = Plugin("ear", "ear", "1", "widemargin_spam", {}, listener)
    with pytest.warns(RuntimeWarning, match="run_finished failed: RuntimeError: no room in the"):
        record = run_case(case_of(Chosen), tmp_path, plugins=(plugin,))
    assert record.path.is_dir()


class Noise(DatasetLoader):
    """Labels that have nothing to do with the rows."""

    source: Literal["noise"] = Field("noise", description="noise")
    target: Literal["classes", "numbers", "outlier"] = Field("classes", description="target")

    def load(self, data_home: Path) -> Dataset:
        rng = np.random.default_rng(5)
        X = pd.DataFrame(rng.normal(size=(40, 100)), columns=[f"x{i}" for i in range(100)])
        y: NDArray[Any] = np.tile(["no", "yes"], 20)
        if self.target != "classes":
            y = rng.normal(size=40) if self.target == "numbers" else np.eye(40)[7]
        return Dataset(
            X=X,
            kinds=dict.fromkeys(X.columns, "table"),
            y=y,
            ids=np.array([f"row {i}" for i in range(40)]),
            card=DatasetCard(title="Noise", units="bits"),
        )

    def read_items(self, source: Path) -> Iterator[Items]:
        raise NotImplementedError


BUILT: list[int] = []


class Chosen(FeatureSection):
    """The columns that go best with the labels: only honest where each inner fold chooses anew."""

    said: Literal["nothing", "X", "y"] = Field("y", description="what it says that it learns")
    choose: bool = Field(True, description="whether to choose columns, or to take all")
    impute: bool = Field(False, description="whether missing values are filled in")

    @property
    def learns(self) -> Learns:
        return self.said

    def build(self, kinds: Mapping[str, Kind]) -> Any:
        BUILT.append(len(kinds))
        impute = [SimpleImputer()] if self.impute else []
        return make_pipeline(*impute, SelectKBest(k=4) if self.choose else StandardScaler())


def case_of(features: type[FeatureSection], **more: Any) -> UseCase:
    options: dict[str, Any] = {
        "name": "noise",
        "summary": "Noise",
        "task": "auto",
        "data": (Noise,),
        "features": features,
        "primary_metric": {"classification": "accuracy", "regression": "mae"},
        "metrics": ("roc_auc", "r2"),
        "fixture": {},
        "defaults": {"svm": {"C": 1.0}},
        "split": SplitRule(),
        **more,
    }
    return UseCase(**options)


def registry_of(case: UseCase, plugins: tuple[Plugin, ...] = ()) -> Registry:
    found = discover()
    return replace(
        found,
        use_cases={**found.use_cases, case.name: case},
        plugins=(*found.plugins, *plugins),
    )


def run_case(
    case: UseCase,
    folder: Path,
    plugins: tuple[Plugin, ...] = (),
    watch: Any = None,
    **sections: Any,
) -> RunRecord:

    registry = registry_of(case, plugins)
    config = resolve(
        case,
        [{"evaluation": {"outer": 3, "inner": 2, "resamples": 100}, **sections}],
        encoders=registry.encoders,
        kernels=registry.kernels,
    )
    return execute(config, case, registry, RunStore(folder), progress=Silent())


@pytest.mark.parametrize(
    ("said", "builds"),
    # One is never fitted, and asked what it does not read whole. What learns y is also
    # cross-validated untuned, and fitted once to all rows, to compare.
    [("nothing", 1 + 1), ("X", 1 + 3 + 1), ("y", 1 + 3 * (1 + 2) + (1 + 2) + 3 + 1)],
)
def test_features_are_fitted_where_what_they_learn_allows(
    tmp_path: Path, said: str, builds: int
) -> None:
    BUILT.clear()
    record = run_case(case_of(Chosen), tmp_path, features={"said": said})
    assert len(BUILT) == builds
    search = json.loads((record.path / "search.json").read_text())
    assert search["learns"] == said


def test_a_choice_that_learns_y_inside_each_fold_finds_nothing_in_noise(tmp_path: Path) -> None:
    def measured(said: str) -> tuple[float, float]:
        record = run_case(case_of(Chosen), tmp_path / said, features={"said": said})
        search = json.loads((record.path / "search.json").read_text())
        return record.metrics["metrics"]["accuracy"]["value"], search["cells"][0]["mean"]

    honest, inner_honest = measured("y")
    assert honest < 0.7
    assert inner_honest < 0.7
    leaking, _ = measured("nothing")  # as it would be without the folds
    assert leaking > 0.7
    _, inner_leaking = measured("X")
    assert inner_leaking > 0.7


def test_the_report_shows_what_a_choice_outside_the_folds_would_have_claimed(
    tmp_path: Path,
) -> None:
    case = case_of(Chosen)
    record = run_case(case, tmp_path, features={"said": "y"})
    (found,) = record.metrics["careless"]
    assert "fitted to all items" in found["title"]
    assert found["honest"]["accuracy"] < 0.7 < found["careless"]["accuracy"]
    page = render_report(record, case, discover().metrics)
    assert "What carelessness would have claimed" in page
    plain = run_case(case, tmp_path, features={"said": "X"})
    assert plain.metrics["careless"] == []


class Repeating(Noise):
    """Ten rows of noise, four times each."""

    source: Literal["repeating"] = Field("repeating", description="noise")  # type: ignore[assignment]  # another name

    def load(self, data_home: Path) -> Dataset:
        whole = super().load(data_home)
        rows = np.repeat(np.arange(20), 2)
        return replace(whole, X=whole.X.iloc[rows], y=whole.y[rows], groups=rows)

    def load_carelessly(self, data_home: Path) -> tuple[str, Dataset]:
        return "the answer in a column", replace(
            whole := self.load(data_home),
            X=whole.X.assign(x0=whole.X["x0"] + 9 * (whole.y == "yes")),
        )


def test_the_report_shows_what_split_groups_and_careless_data_would_have_claimed(
    tmp_path: Path,
) -> None:
    record = run_case(
        case_of(Chosen, data=(Repeating,)), tmp_path, features={"said": "X"}, svm={"kernel": "rbf"}
    )
    groups, data = record.metrics["careless"]
    assert groups["title"] == "items of one group on both sides of a split"
    assert groups["careless"]["accuracy"] > groups["honest"]["accuracy"] + 0.2
    assert data["title"] == "the answer in a column"
    assert data["careless"]["accuracy"] > data["honest"]["accuracy"] + 0.2


class Unreadable(Noise):
    """Noise whose careless reader fails."""

    source: Literal["unreadable"] = Field("unreadable", description="noise")  # type: ignore[assignment]  # another name

    def load_carelessly(self, data_home: Path) -> tuple[str, Dataset]:
        whole = self.load(data_home)
        return "other classes", replace(whole, y=np.tile(["maybe", "never"], 20))


def test_a_careless_protocol_that_fails_costs_no_run(tmp_path: Path) -> None:
    with pytest.warns(RuntimeWarning, match="carelessness would have claimed is left out: Key"):
        record = run_case(case_of(Chosen, data=(Unreadable,)), tmp_path, features={"said": "X"})
    assert record.metrics["careless"] == []


@pytest.mark.parametrize("target", ["classes", "numbers"])
@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_scikit_learns_features_are_saved_and_predict_again(
    tmp_path: Path, target: str, kernel: str
) -> None:
    case = case_of(Chosen)
    record = run_case(
        case,
        tmp_path,
        data={"target": target},
        features={"impute": True, "choose": target == "classes"},
        svm={"kernel": kernel, "gamma": 0.1},
    )
    predictor = Predictor(record, registry_of(case))
    X = Noise().load(tmp_path).X
    by_frame = predictor.predict(X)
    by_columns = predictor.predict({name: X[name].tolist() for name in X})
    assert [one.label for one in by_frame] == [one.label for one in by_columns]
    assert len(predictor.predict(X.head(2), explain=True)[0].shares) == 100


def test_features_that_take_no_missing_value_have_no_shares(tmp_path: Path) -> None:
    case = case_of(Chosen)
    record = run_case(case, tmp_path, features={"impute": False})
    (one,) = Predictor(record, registry_of(case)).predict(
        Noise().load(tmp_path).X.head(1), explain=True
    )
    assert one.shares == []


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_a_single_outlier_is_a_target_that_can_be_run(tmp_path: Path, kernel: str) -> None:
    record = run_case(
        case_of(Chosen),
        tmp_path,
        data={"target": "outlier"},
        features={"choose": False},
        svm={"kernel": kernel, "gamma": 0.1},
    )
    assert record.metrics["metrics"]["mae"]["value"] < 1


def test_a_use_case_whose_loader_returns_another_task_is_refused(tmp_path: Path) -> None:
    case = case_of(Chosen, task="regression")
    with pytest.raises(PluginError) as caught:
        run_case(case, tmp_path)
    assert str(caught.value) == (
        "use case 'noise' declares regression, and its loader Noise returned a target for "
        "classification. Let it return classes as strings in `y`, and numbers as float64."
    )


def test_an_error_is_told_in_the_targets_own_units(tmp_path: Path) -> None:
    record = run_case(
        case_of(Chosen), tmp_path, data={"target": "numbers"}, features={"choose": False}
    )
    table = pd.read_parquet(record.path / "predictions.parquet")
    by_hand = float((table["y_true"] - table["y_pred"]).abs().mean())
    assert record.metrics["metrics"]["mae"]["value"] == pytest.approx(by_hand)
    search = json.loads((record.path / "search.json").read_text())
    assert search["cells"][0]["mean"] > 0  # an error, though the search maximises its negative


def test_the_record_says_what_a_run_depended_on(run_quickly: Run) -> None:
    run = run_quickly(seed=11)
    manifest = run.record.manifest
    assert manifest["seed"] == 11
    assert len(manifest["data_sha256"]) == len(manifest["config_sha256"]) == 64
    assert {"python", "widemargin", "numpy", "scikit-learn"} <= manifest["versions"].keys()
    assert manifest["timings"]["total"] >= manifest["timings"]["folds"]
    assert run.record.config["seed"] == 11


def test_a_use_case_whose_own_report_part_fails_loses_that_part_alone(tmp_path: Path) -> None:
    def fail(_: Any) -> Any:
        raise ZeroDivisionError("no ham")

    registry = discover()
    case = registry.use_case("spam")
    made = widemargin.run("spam", data=case.fixture, svm={"C": 1}, runs=tmp_path)
    with pytest.warns(RuntimeWarning, match=r"own part of 'spam' is left out: ZeroDivisionError"):
        page = render_report(made.record, replace(case, report_sections=fail), registry.metrics)
    assert "Confusion matrix" in page
    assert "What a mail server would see" not in page


def test_predictions_carry_their_weights(run_quickly: Run) -> None:
    assert (predictions(run_quickly("spam"))["weight"] == 1).all()


def test_a_metric_of_two_classes_refuses_three_before_anything_is_trained(
    run_quickly: Run, watcher: Any, tmp_path: Path
) -> None:
    data = write_csv(tmp_path / "t.csv", a=np.arange(30) % 7, label=np.repeat(["x", "y", "z"], 10))
    registry = discover()
    table = registry.use_case("table")
    case = replace(table, task="classification", primary_metric={"classification": "f1"})
    watch = watcher()
    config = resolve(case, [{"data": data}], encoders=registry.encoders, kernels=registry.kernels)
    with pytest.raises(DataError, match=r"judged by F1, which is for two classes, .* 3: x, y, z"):
        execute(config, case, registry, RunStore(tmp_path / "runs"), progress=watch)
    assert watch.stages[SEARCH] == 0


def test_a_kernel_whose_matrices_would_not_fit_is_refused_before_anything_is_trained(
    run_quickly: Run, watcher: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from widemargin.svm import memory

    # The fixture has 80 rows; the Gram and a thread's copy of it are alive at once.
    monkeypatch.setattr(memory, "gram_limit", lambda: 2 * 4 * 79 * 79)
    watch = watcher()
    with pytest.raises(DataError, match="matrices of 80 x 80 numbers"):
        run_quickly("table", progress=watch)
    assert watch.stages[SEARCH] == 0


@pytest.mark.parametrize("outer", [30, 50])
def test_regression_takes_as_many_folds_as_it_is_told(run_quickly: Run, outer: int) -> None:
    run = run_quickly("table", evaluation={"outer": outer, "resamples": 100})
    assert run.record.metrics["n_folds"]["outer"] == outer
    assert len(run.record.metrics["folds"]) == outer


def test_fewer_folds_are_told_of_where_a_class_has_fewer_items(
    run_quickly: Run, watcher: Any, tmp_path: Path
) -> None:
    labels = ["often"] * 20 + ["rare"] * 4
    data = write_csv(tmp_path / "t.csv", a=np.arange(24) % 7, label=labels)
    watch = watcher()
    run = run_quickly("table", data=data, evaluation={"outer": 5}, progress=watch)
    assert run.record.metrics["n_folds"]["outer"] == 4
    assert any("4 outer folds are made" in note for note in watch.notes)


def test_texts_beside_other_columns_are_grouped_and_not_left_out() -> None:
    from widemargin.contracts import Dataset, DatasetCard, SplitRule
    from widemargin.runs.loading import _without_near_duplicates

    dataset = Dataset(
        X=pd.DataFrame({"text": ["ok", "OK!", "", "", "no"], "age": [3.0, 90.0, 1.0, 2.0, 5.0]}),
        kinds={"text": "text", "age": "table"},
        y=np.array(["a", "b", "a", "b", "a"]),
        ids=np.array(list("12345")),
        card=DatasetCard(title="Notes"),
    )
    loaded = _without_near_duplicates(dataset, SplitRule())
    assert len(loaded.dataset) == 5
    assert loaded.dataset.groups is not None
    assert loaded.dataset.groups.tolist() == [0, 0, 1, 2, 3]


def test_a_row_that_is_left_out_still_ties_its_group_to_that_of_the_row_kept() -> None:
    from widemargin.contracts import Dataset, DatasetCard, SplitRule
    from widemargin.runs.loading import _without_near_duplicates

    dataset = Dataset(
        X=pd.DataFrame({"text": ["win", "WIN!", "bye", "see you"]}),
        kinds={"text": "text"},
        y=np.array(["a", "a", "b", "b"]),
        ids=np.array(list("1234")),
        groups=np.array(["p", "q", "q", "r"]),
        card=DatasetCard(title="Notes"),
    )
    loaded = _without_near_duplicates(dataset, SplitRule())
    assert loaded.dataset.ids.tolist() == ["1", "3", "4"]
    assert loaded.dataset.groups is not None
    assert loaded.dataset.groups.tolist() == [0, 0, 1]
    assert loaded.whole is dataset


def test_folds_kept_from_an_earlier_run_are_told_of(run_quickly: Run, watcher: Any) -> None:
    run_quickly()
    watch = watcher()
    run_quickly(progress=watch)
    assert any("3 of 3 outer folds were kept from an earlier run" in note for note in watch.notes)


@pytest.mark.parametrize("content", ["{}", "[]", "null"])
def test_a_kept_fold_of_another_shape_is_made_again(
    run_quickly: Run, watcher: Any, tmp_path: Path, content: str
) -> None:
    run_quickly()
    for kept in (tmp_path / "runs" / ".work").iterdir():
        (kept / "meta.json").write_text(content)
    watch = watcher()
    run_quickly(progress=watch)
    assert watch.stages[SEARCH] == 3 + 1


def test_near_duplicates_with_another_label_are_told_of(
    run_quickly: Run, watcher: Any, tmp_path: Path
) -> None:
    texts = [f"{word} {other}" for word in "abcdefgh" for other in ("good", "fine", "bad", "poor")]
    labels = ["yes" if text.split()[1] in ("good", "fine") else "no" for text in texts]
    data = write_csv(tmp_path / "t.csv", text=[*texts, "a good!"], label=[*labels, "no"])
    watch = watcher()
    run_quickly("texts", data=data | {"text": "text"}, progress=watch)
    assert any("1 of them had another label than the one kept" in note for note in watch.notes)


def test_too_few_items_are_put_down_to_the_near_duplicates_that_were_left_out(
    run_quickly: Run, tmp_path: Path
) -> None:
    data = write_csv(
        tmp_path / "t.csv", text=["same", "other", *["Same!"] * 20], label=["a", "b"] * 11
    )
    with pytest.raises(DataError, match=r"20 near-duplicates of 1 .* were left out"):
        run_quickly("texts", data=data | {"text": "text"})


def test_a_kernel_that_is_too_large_for_a_number_is_told_in_words(run_quickly: Run) -> None:
    with pytest.raises(DataError, match=r"^svm.gamma: the poly kernel .* too large .* degree"):
        run_quickly("table", svm={"kernel": "poly", "coef0": -1e308, "C": 1.0, "gamma": 1.0})
