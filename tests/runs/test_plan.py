"""Which rows train and which are held out: published splits, few items, networks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
from pydantic import Field
from sklearn.preprocessing import StandardScaler

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
    UseCase,
)
from widemargin.errors import DataError
from widemargin.registry import Registry, discover
from widemargin.report import render_report
from widemargin.runs import RunStore
from widemargin.runs.checkpoints import RunCheckpoints
from widemargin.runs.runner import execute

N = 90
fitted: list[tuple[str, ...]] = []


class Parted(DatasetLoader):
    """Two classes that one column tells apart, and a split that was published."""

    source: Literal["parted"] = Field("parted", description="made up")
    validation: bool = Field(False, description="whether there is a validation part")
    test: bool = Field(True, description="whether there is a test part")
    numbers: bool = Field(False, description="whether the target is a number")
    groups: bool = Field(False, description="whether items come in groups of ten")

    def load(self, data_home: Path) -> Dataset:
        rng = np.random.default_rng(0)
        y = np.array(["no", "yes", "no"] * (N // 3))
        X = pd.DataFrame({"a": rng.normal(size=N) + 2 * (y == "yes"), "b": rng.normal(size=N)})
        parts = np.full(N, "train", dtype="<U10")
        if self.validation:
            parts[30:60] = "validation"
        if self.test:
            parts[60:] = "test"
        return Dataset(
            X=X,
            kinds={"a": "table", "b": "table"},
            y=rng.normal(size=N) if self.numbers else y,
            ids=np.array([f"row {i}" for i in range(N)]),
            card=DatasetCard(title="Parted"),
            parts=parts,
            groups=np.arange(N) // 10 if self.groups else None,
        )

    def read_items(self, source: Path) -> Iterator[Items]:
        raise NotImplementedError


class Scaled(FeatureSection):
    """Scaled columns that remember which rows they were fitted on."""

    said: Literal["nothing", "X", "y"] = Field("X", description="what it says that it learns")
    long: bool = Field(False, description="whether fitting takes long")

    @property
    def learns(self) -> Learns:
        return self.said

    @property
    def trains(self) -> bool:
        return self.long

    def build(self, kinds: Mapping[str, Kind]) -> Any:
        return Remembering()


class Remembering(StandardScaler):  # type: ignore[misc]  # scikit-learn is untyped
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        fitted.append(tuple(f"{value:.6f}" for value in X["a"]))
        return super().fit(X, y)


def run_case(folder: Path, **sections: Any) -> RunRecord:
    case, registry = case_of()
    fitted.clear()
    settings: dict[str, Any] = {
        "evaluation": {"outer": 3, "inner": 2, "resamples": 100},
        "svm": {"C": [0.1, 1.0]},
    }
    for name, own in sections.items():
        settings[name] = {**settings.get(name, {}), **own}
    config = resolve(case, [settings], encoders=registry.encoders, kernels=registry.kernels)
    return execute(config, case, registry, RunStore(folder), progress=Silent())


def case_of() -> tuple[UseCase, Registry]:
    case = UseCase(
        name="parted",
        summary="Parted",
        task="auto",
        data=(Parted,),
        features=Scaled,
        primary_metric={"classification": "accuracy", "regression": "mae"},
        metrics=("roc_auc",),
        fixture={},
    )
    found = discover()
    return case, replace(found, use_cases={**found.use_cases, case.name: case})


def predicted(record: RunRecord) -> list[str]:
    return pd.read_parquet(record.path / "predictions.parquet")["id"].tolist()


def names(rows: range) -> list[str]:
    return [f"row {i}" for i in rows]


def column(rows: range) -> tuple[str, ...]:
    values = Parted().load(Path()).X["a"]
    return tuple(f"{values[i]:.6f}" for i in rows)


def test_a_published_test_part_is_predicted_once_by_the_model_that_is_saved(tmp_path: Path) -> None:
    record = run_case(tmp_path)
    assert predicted(record) == names(range(60, N))
    assert fitted == [column(range(60))]
    assert record.metrics["split"] == "published"
    assert record.metrics["n_folds"] == {"outer": 1, "inner": 2}
    assert record.metrics["n_learned"] == 60


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@pytest.mark.parametrize("said", ["nothing", "X", "y"])
def test_features_of_a_published_split_never_see_its_test_part(
    tmp_path: Path, said: str, kernel: str
) -> None:
    record = run_case(tmp_path, features={"said": said}, svm={"kernel": kernel})
    test = set(column(range(60, N)))
    seen = {value for rows in fitted for value in rows}
    # What learns nothing is made of all rows at once.
    assert bool(test & seen) is (said == "nothing")
    assert record.metrics["metrics"]["accuracy"]["value"] > 0.7


def test_a_published_validation_part_chooses_c(tmp_path: Path) -> None:
    record = run_case(tmp_path, data={"validation": True}, features={"said": "y"})
    assert fitted[:2] == [column(range(60)), column(range(30))]
    search = json.loads((record.path / "search.json").read_text())
    assert [len(cell["scores"]) for cell in search["cells"]] == [1, 1]


def test_evaluation_by_folds_leaves_a_published_split_aside(tmp_path: Path) -> None:
    record = run_case(tmp_path, evaluation={"split": "folds"})
    assert sorted(predicted(record)) == sorted(names(range(N)))
    assert record.metrics["split"] == "folds"


def test_leave_one_out_holds_out_each_item_once(tmp_path: Path) -> None:
    record = run_case(tmp_path, evaluation={"split": "leave-one-out"}, svm={"C": 1.0})
    assert predicted(record) == names(range(N))
    assert [len(rows) for rows in fitted] == [N - 1] * N + [N]
    assert record.metrics["n_folds"]["outer"] == N
    assert record.metrics["metrics"]["roc_auc"]["value"] > 0.8


def test_leave_one_out_holds_out_each_group_whole(tmp_path: Path) -> None:
    record = run_case(tmp_path, data={"groups": True}, evaluation={"split": "leave-one-out"})
    # What follows measures what split groups would have claimed.
    assert [len(rows) for rows in fitted[:10]] == [N - 10] * 9 + [N]
    assert predicted(record) == names(range(N))


def test_leave_one_out_of_too_many_items_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("widemargin.runs.plan._MOST", 50)
    with pytest.raises(DataError, match="would train 90 models, and 50 are the most"):
        run_case(tmp_path, evaluation={"split": "leave-one-out"})


def test_a_published_split_without_test_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Parted: .*no row of the part 'test'.*split to folds"):
        run_case(tmp_path, data={"test": False})


def test_unknown_parts_are_refused() -> None:
    dataset = Parted().load(Path())
    with pytest.raises(DataError, match="'dev' is no part of a split; allowed are train, valida"):
        replace(dataset, parts=np.full(N, "dev"))


def test_what_is_aside_goes_with_its_rows() -> None:
    dataset = replace(Parted().load(Path()), aside=pd.DataFrame({"sex": list("fm" * (N // 2))}))
    taken = dataset.take(np.array([3, 0]))
    assert taken.aside is not None
    assert taken.aside["sex"].tolist() == ["m", "f"]
    with pytest.raises(DataError, match="aside has 1 rows and X has"):
        replace(dataset, aside=pd.DataFrame({"sex": ["f"]}))


def test_one_held_out_part_chooses_c_where_features_train_a_network(tmp_path: Path) -> None:
    record = run_case(
        tmp_path, features={"said": "y", "long": True}, evaluation={"split": "folds", "inner": 5}
    )
    # Three outer parts and the final model, each fitted once to choose C and once for good.
    assert len(fitted) == 2 * 4
    assert record.metrics["n_folds"]["inner"] == 1
    assert not any(finding["code"] == "WM007" for finding in record.metrics["findings"])
    short = [len(rows) for rows in fitted[1::2]]
    assert short == [48, 48, 48, 72]


def test_calibration_on_one_held_out_part_keeps_to_its_rows(tmp_path: Path) -> None:
    record = run_case(
        tmp_path, features={"said": "y", "long": True}, evaluation={"split": "folds", "inner": 5}
    )
    table = pd.read_parquet(record.path / "predictions.parquet")
    assert table["probability: yes"].between(0, 1).all()
    sure = table[table["probability: yes"] > 0.5]
    assert (sure["y_pred"] == "yes").all()


def test_shots_cut_every_training_part_and_the_final_one(tmp_path: Path) -> None:
    record = run_case(tmp_path, evaluation={"split": "folds", "shots": 8, "repeats": 2})
    assert [len(rows) for rows in fitted] == [16] * 7
    assert len({frozenset(rows) for rows in fitted}) == 7
    assert len(predicted(record)) == 2 * N
    assert record.metrics["n_learned"] == 16


def test_shots_leave_a_published_validation_part_whole(tmp_path: Path) -> None:
    record = run_case(
        tmp_path, data={"validation": True}, features={"said": "y"}, evaluation={"shots": 5}
    )
    # Ten rows learn while the thirty of the validation part choose C; then all of them learn.
    assert [len(rows) for rows in fitted] == [40, 10]
    assert set(column(range(30, 60))) <= set(fitted[0])
    assert record.metrics["n_learned"] == 40


def test_intervals_of_few_shots_draw_whole_outer_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from widemargin.evaluation import bootstrap_intervals

    drawn: list[Any] = []

    def watched(*given: Any, **options: Any) -> Any:
        drawn.append(options["groups"])
        return bootstrap_intervals(*given, **options)

    monkeypatch.setattr("widemargin.runs.assessment.bootstrap_intervals", watched)
    run_case(tmp_path, evaluation={"split": "folds", "repeats": 2, "shots": 5})
    assert np.bincount(drawn[0]).tolist() == [30] * 6
    run_case(tmp_path, evaluation={"split": "folds", "repeats": 2})
    assert np.bincount(drawn[1]).tolist() == [2] * N


def test_shots_of_a_published_split_measure_the_saved_model(tmp_path: Path) -> None:
    record = run_case(tmp_path, evaluation={"shots": 5})
    assert [len(rows) for rows in fitted] == [10]
    assert predicted(record) == names(range(60, N))


def test_more_shots_than_there_are_items_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"shots is 500, and no class has more items to learn"):
        run_case(tmp_path, evaluation={"split": "folds", "shots": 500})


def test_shots_of_a_numeric_target_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"evaluation\.shots counts items of a class"):
        run_case(tmp_path, data={"numbers": True}, evaluation={"shots": 5})


def test_the_report_says_what_was_measured(tmp_path: Path) -> None:
    case, registry = case_of()

    def page(**evaluation: Any) -> str:
        record = run_case(tmp_path, evaluation=evaluation)
        return render_report(record, case, registry.metrics)

    assert "the published test part" in page()
    few = page(split="folds", shots=8)
    assert "3 held-out parts, learning from 8 a class" in few


def test_checkpoints_of_another_run_are_left_aside_when_all_is_to_be_fresh(tmp_path: Path) -> None:
    from widemargin.contracts import State

    store = RunStore(tmp_path)
    RunCheckpoints(store).save("k", State({"w": np.arange(3.0)}, {"epoch": 1}))
    fresh = RunCheckpoints(store, fresh=True)
    assert fresh.load("k") is None
    found = RunCheckpoints(store).load("k")
    assert found is not None
    assert found.arrays["w"].tolist() == [0, 1, 2]
    fresh.save("k", State({}, {"epoch": 2}))
    again = fresh.load("k")
    assert again is not None
    assert again.meta == {"epoch": 2}
    fresh.drop("k")
    # What the training was for is not kept yet: a run killed now finds it.
    assert RunCheckpoints(store).load("k") is not None
    fresh.clear()
    fresh.clear()
    assert RunCheckpoints(store).load("k") is None


def test_a_damaged_checkpoint_counts_as_none(tmp_path: Path) -> None:
    from widemargin.contracts import State

    store = RunStore(tmp_path)
    checkpoints = RunCheckpoints(store)
    checkpoints.save("k", State({"w": np.arange(3.0)}, {}))
    (kept,) = (tmp_path / ".work").glob("training-k/*.safetensors")
    kept.write_bytes(kept.read_bytes()[:-5])
    assert checkpoints.load("k") is None
