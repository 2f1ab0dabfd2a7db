"""What differs between two runs: settings, data, versions, metrics, items, costs."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from widemargin.api import run_documents
from widemargin.comparing import compare_runs, two_runs
from widemargin.comparison.difference import Difference, find_difference
from widemargin.comparison.difference.items import common_items
from widemargin.comparison.difference.settings import differing_settings
from widemargin.comparison.held_out import HeldOut, read_held_out
from widemargin.config import Document
from widemargin.contracts import RunRecord
from widemargin.errors import InputError, RunNotFoundError
from widemargin.evaluation import corrected_t_test
from widemargin.evaluation.mcnemar import exact_mcnemar
from widemargin.registry import discover
from widemargin.report.comparison.difference_words import verdict
from widemargin.runs.store import RunStore, read_record

QUICK = {"outer": 3, "inner": 2, "resamples": 100, "map": "none"}
REGISTRY = discover()
Make = Callable[..., RunRecord]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RunStore:
    return RunStore(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def make(store: RunStore, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Run a use case on its fixture, once for each set of settings; ``change`` edits the table."""
    known: dict[str, RunRecord] = {}

    def run(
        use_case: str = "texts",
        encoder: Any = None,
        change: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
        svm: Any = None,
        data: Any = None,
        seed: int = 0,
        **evaluation: Any,
    ) -> RunRecord:
        said: dict[str, Any] = {
            "data": {**REGISTRY.use_case(use_case).fixture, **(data or {})},
            "evaluation": {**QUICK, **evaluation},
            "svm": svm or {"C": 1.0},
            "seed": seed,
        }
        said |= {"features": {"encoder": encoder}} if encoder else {}
        key = json.dumps(said) + (change.__name__ if change else "")
        if key not in known:
            if change:
                # Ids are places in a file of this name.
                path = tmp_path_factory.mktemp("data") / Path(said["data"]["path"]).name
                change(pd.read_csv(said["data"]["path"])).to_csv(path, index=False)
                said["data"]["path"] = str(path)
            known[key] = run_documents(use_case, [Document(said)], store=store).record
        return known[key]

    return run


@pytest.fixture
def copied(tmp_path: Path) -> Callable[..., RunRecord]:
    """Copy a run, as `changed`'s manifest says; ``without`` names files that it then lacks."""

    def copy(run: RunRecord, *, without: tuple[str, ...] = (), **changed: Any) -> RunRecord:
        path = tmp_path / run.use_case / f"copy-{len(list(tmp_path.rglob('manifest.json')))}"
        shutil.copytree(run.path, path)
        manifest = {**run.manifest, "id": path.name, **changed}
        (path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        for name in without:
            (path / name).unlink()
        return read_record(path)

    return copy


def find(first: RunRecord, second: RunRecord) -> Difference:
    return find_difference(first, second, REGISTRY)


def predicted(run: RunRecord) -> Any:
    """Read a run's predictions, by id."""
    return pd.read_parquet(run.path / "predictions.parquet").set_index("id")


def test_a_copy_of_a_run_differs_in_nothing(make: Make, copied: Any) -> None:
    run = make()
    found = find(run, copied(run))
    assert found.settings == found.versions == found.model == ()
    assert found.data.is_same
    assert {*found.data.only_first, *found.data.only_second} == set()
    assert len(found.data.relabelled) == 0
    assert found.agreement is not None
    assert (found.agreement.items, found.agreement.p) == ((), 1.0)
    assert all(one.difference == 0 for one in found.measured if not math.isnan(one.first[0]))
    assert found.verdict is not None
    assert not found.verdict.is_clear


def test_one_run_twice_is_refused(make: Make) -> None:
    run = make()
    with pytest.raises(InputError, match=f"Both name the run texts/{run.id}; give two runs"):
        find(run, replace(run))


def test_each_setting_that_differs_is_named_with_both_values_and_which_is_the_use_cases(
    make: Make,
) -> None:
    found = find(make(svm={"C": 1.0}), make(svm={"kernel": "rbf"}, seed=3))
    told = {one.name: (*one.values, *one.defaults) for one in found.settings}
    assert told == {
        "svm.kernel": ("linear", "rbf", True, False),
        "svm.C": ("1.0", "auto", False, True),
        "seed": ("0", "3", True, False),
    }


def test_one_encoder_differs_by_its_settings_and_others_as_a_whole(make: Make) -> None:
    usual, other = make(), make(encoder={"name": "tfidf", "min_df": 1})
    told = {one.name: (*one.values, *one.defaults) for one in find(usual, other).settings}
    assert told == {"features.encoder.min_df": ("2", "1", True, False)}
    lsa = make(encoder={"name": "lsa", "n_components": 5})
    [one] = find(other, lsa).settings
    assert (one.name, *one.values) == (
        "features.encoder",
        "{name: tfidf, min_df: 1}",
        "{name: lsa, n_components: 5}",
    )
    [one] = find(usual, lsa).settings
    assert (one.first, one.defaults) == ("tfidf", (True, False))
    joined = make(encoder=["tfidf", {"name": "lsa", "n_components": 5}])
    wider = make(encoder=["tfidf", {"name": "lsa", "n_components": 7}])
    assert [one.values for one in find(joined, wider).settings] == [("5", "7")]
    assert find(joined, wider).settings[0].name == "features.encoder[1].n_components"


def test_a_setting_that_an_older_run_lacks_is_told_as_absent(make: Make, copied: Any) -> None:
    run = make()
    old = copied(run)
    evaluation = {**old.config["evaluation"]}
    del evaluation["embargo"]
    old = replace(old, config={**old.config, "evaluation": evaluation})
    [one] = find(old, run).settings
    assert (one.name, *one.values, *one.defaults) == ("evaluation.embargo", "", "0", False, True)
    assert one.to_data()["first"] is None


def test_versions_threads_sources_and_weights_are_told_where_they_differ(
    make: Make, copied: Any
) -> None:
    run = make()
    assert len(run.manifest["sources"]) == 64
    encoder = {"name": "minilm", "version": 1, "weights": "a" * 64, "parameters": {"x": 1}}
    one = copied(run, encoders=[encoder])
    other = copied(
        run,
        versions={**run.manifest["versions"], "numpy": "99.0"},
        engine="scikit-learn",
        threads=64,
        sources="b" * 64,
        encoders=[{**encoder, "weights": "c" * 64, "parameters": {"x": 2}}],
    )
    told = {each.name: each.values for each in find(one, other).versions}
    assert told.pop("numpy")[1] == "99.0"
    assert told.pop("engine")[1] == "scikit-learn"
    assert told.pop("threads")[1] == "64"
    assert told.pop("sources")[1] == "b" * 12
    assert told.pop("minilm weights") == ("a" * 12, "c" * 12)
    assert told == {}
    # An encoder that one alone has is a matter of the settings.
    assert "minilm weights" not in {each.name for each in find(run, one).versions}


def test_the_working_directory_stands_in_where_a_run_tells_no_sources(
    make: Make, copied: Any
) -> None:
    run = make()
    git = {"commit": "0123456789abcdef", "dirty": True}
    one, other = (copied(run, sources=None, git={**git, "dirty": dirty}) for dirty in (False, True))
    [told] = find(one, other).versions
    assert told.name == "working directory"
    assert told.values == ("0123456789ab", "0123456789ab with changes")


def test_metrics_on_the_same_folds_are_tested_by_their_scores(make: Make) -> None:
    first, second = make(), make(encoder="lsa")
    found = find(first, second)
    assert (found.tested.on, found.tested.why) == ("folds", "")
    assert [one.name for one in found.measured] == list(first.metrics["metrics"])
    for one in found.measured:
        assert one.difference == pytest.approx(one.second[0] - one.first[0])
        scores = [[fold[one.name] for fold in run.metrics["folds"]] for run in (second, first)]
        assert one.test == corrected_t_test(*scores, overlap=1 / 2)
    primary = found.measured[0].test
    assert primary is not None
    assert found.verdict is not None
    better = "B" if primary.difference > 0 else "A"
    assert found.verdict.better == better
    assert found.verdict.test.difference == abs(primary.difference)


def test_other_folds_are_tested_on_the_items_that_both_predicted(make: Make) -> None:
    found = find(make(), make(encoder="lsa", seed=5))
    assert found.tested.on == "common items"
    assert "held out other rows" in found.tested.why
    assert found.agreement is not None
    assert found.agreement.n_items == 60
    accuracy = next(one for one in found.measured if one.name == "accuracy")
    assert accuracy.test is not None
    assert (accuracy.test.of, accuracy.test.n_paired) == ("items", 60)
    # Without repeats the items' own difference is that of the two values.
    assert accuracy.test.difference == pytest.approx(accuracy.difference)
    assert accuracy.test.low <= accuracy.test.difference <= accuracy.test.high


def test_the_table_of_both_right_is_counted_from_the_predictions(make: Make) -> None:
    first, second = make(), make(encoder="lsa", seed=5)
    own = find(first, second).agreement
    assert own is not None
    one, other = predicted(first), predicted(second)
    other = other.loc[one.index]
    right, other_right = one["y_pred"] == one["y_true"], other["y_pred"] == other["y_true"]
    assert own.both == (right & other_right).sum()
    assert own.only_first == (right & ~other_right).sum()
    assert own.only_second == (~right & other_right).sum()
    assert own.neither == (~right & ~other_right).sum()
    assert own.only_first + own.only_second > 0
    apart = one.index[one["y_pred"] != other["y_pred"]]
    assert {each.id for each in own.items} == set(apart)
    for each in own.items:
        assert each.predicted == (one.loc[each.id, "y_pred"], other.loc[each.id, "y_pred"])
        assert each.truth == one.loc[each.id, "y_true"]
        assert each.probability is not None
        assert each.probability[1] == other.loc[each.id, f"probability: {each.predicted[1]}"]
        assert each.decision == (one.loc[each.id, "decision"], other.loc[each.id, "decision"])
        is_right = each.predicted[0] == each.truth
        assert each.kind == ("only A right" if is_right else "only B right")
    sure = [
        abs(
            one.loc[i, f"probability: {one.loc[i, 'y_true']}"]
            - other.loc[i, f"probability: {one.loc[i, 'y_true']}"]
        )
        for i in (each.id for each in own.items)
    ]
    assert sure == sorted(sure, reverse=True)


def test_items_are_shown_in_the_words_that_a_run_kept(make: Make) -> None:
    first = make()
    own = find(first, make(encoder="lsa", seed=5)).agreement
    assert own is not None
    table = pd.read_csv(REGISTRY.use_case("texts").fixture["path"])
    told = {each.id: each.text for each in own.items if each.text}
    assert told
    for name, text in told.items():
        assert table["text"][int(name.split(":")[1]) - 2].startswith(text.split(" …")[0])


def test_an_item_held_out_several_times_counts_once_by_its_mean(make: Make) -> None:
    first, second = make(), make(encoder="lsa", repeats=3)
    found = find(first, second)
    assert found.n_times == (1, 3)
    assert found.tested.on == "common items"
    own = found.agreement
    assert own is not None
    assert (own.n_items, own.n_units) == (60, 60)
    mean = (
        predicted(second).groupby("id")[["probability: negative", "probability: positive"]].mean()
    )
    assert own.items
    for each in own.items:
        row = mean.loc[each.id]
        assert each.predicted[1] == row.idxmax().removeprefix("probability: ")
        assert each.probability is not None
        assert each.probability[1] == pytest.approx(row.max())


def test_each_metric_is_tested_as_the_runs_measure_it_whatever_the_repeats(make: Make) -> None:
    """The mean of a run's repeats is another model, and mostly a better one."""
    pairs = [
        (make(), make(encoder="lsa", repeats=3)),
        (make(repeats=3), make(repeats=2)),
        (make(shots=4), make(shots=4, repeats=3)),
        (make(shots=4), make(shots=4, seed=1)),
    ]
    for first, second in pairs:
        found = find(first, second)
        assert found.tested.on == "common items"
        for one in found.measured:
            assert one.test is not None
            assert one.test.difference == pytest.approx(one.difference, abs=1e-12), one.name


def test_parts_of_other_splits_are_not_merged_into_one_group(make: Make) -> None:
    found = find(make(shots=4), make(shots=4, seed=1))
    assert found.agreement is not None
    assert found.agreement.n_units == found.agreement.n_items == 60
    assert {one.test.n_paired for one in found.measured if one.test} == {60}


def _walking(run: RunRecord, n_stretches: int) -> tuple[RunRecord, HeldOut]:
    """Say that a run walked forward, through stretches of equal length."""
    part = read_held_out(run)
    assert part is not None
    place = np.argsort(np.argsort(part.predictions.ids))
    drawn = place * n_stretches // len(place)
    return (
        replace(run, metrics={**run.metrics, "split": "walk-forward"}),
        replace(part, predictions=replace(part.predictions, drawn=drawn)),
    )


def test_of_two_ways_to_cut_time_the_longer_stretches_are_drawn(make: Make) -> None:
    walks = [_walking(make(seed=5), 12), _walking(make(), 7)]
    common, _ = common_items((walks[0][0], walks[1][0]), (walks[0][1], walks[1][1]))
    assert common is not None
    assert common.units is not None
    assert len(np.unique(common.units)) == 7
    assert [len(np.unique(own)) for own in common.drawn] == [7, 7]


def test_a_test_that_lacks_scores_is_told_as_it_is(make: Make) -> None:
    first, second = make(), make(encoder="lsa")
    short = replace(second, metrics={**second.metrics, "folds": second.metrics["folds"][:-1]})
    assert find(first, short).tested.why == "the folds' scores are not all there"
    assert find(first, make(seed=5)).tested.why.startswith("the two held out other rows")


@pytest.mark.parametrize("in_list", [False, True])
def test_settings_deep_within_an_encoder_are_told(make: Make, in_list: bool) -> None:
    run = make()
    records = []
    for patterns in ({}, {"acidic": "[DE](5)"}):
        encoder: Any = {"name": "signals", "patterns": patterns}
        features = {"encoder": ["composition", encoder] if in_list else encoder}
        records.append(
            replace(run, use_case="proteins", config={**run.config, "features": features})
        )
    stem = "features.encoder[1]" if in_list else "features.encoder"
    for order in (records, records[::-1]):
        [one] = differing_settings(order[0], order[1], REGISTRY)
        assert one.name.startswith(f"{stem}.patterns")
        assert "[DE](5)" in "".join(one.values)
        assert not any(own for own, value in zip(one.defaults, one.values, strict=True) if value)


def test_a_setting_of_another_name_that_begins_alike_is_no_encoders(make: Make) -> None:
    run = make()
    one, other = (
        replace(
            run,
            config={
                **run.config,
                "features": {**run.config["features"], "encoder_options": {"x": x}},
            },
        )
        for x in (1, 2)
    )
    [told] = differing_settings(one, other, REGISTRY)
    assert (told.name, told.defaults) == ("features.encoder_options.x", (False, False))


def _fewer(table: pd.DataFrame) -> pd.DataFrame:
    return table.iloc[:-4]


def _relabelled(table: pd.DataFrame) -> pd.DataFrame:
    other = {"positive": "negative", "negative": "positive"}
    table.loc[[3, 7], "label"] = table.loc[[3, 7], "label"].map(other)
    return table


def _reworded(table: pd.DataFrame) -> pd.DataFrame:
    table.loc[0, "text"] = "Something quite different was written in this place, and nothing else"
    return table


def _shifted(table: pd.DataFrame) -> pd.DataFrame:
    return table.iloc[::-1]


def test_rows_that_one_run_alone_has_are_named(make: Make) -> None:
    found = find(make(), make(change=_fewer))
    assert not found.data.is_same
    assert found.data.n_items == (60, 56)
    assert found.data.only_first == tuple(f"texts_fixture.csv:{k}" for k in (58, 59, 60, 61))
    assert found.data.only_second == ()
    assert found.agreement is not None
    assert found.agreement.n_items == 56
    assert found.tested.on == "common items"


def test_labels_that_changed_are_named_and_their_items_left_out(make: Make) -> None:
    table = pd.read_csv(REGISTRY.use_case("texts").fixture["path"])
    changed = _relabelled(table.copy())
    found = find(make(), make(change=_relabelled))
    assert sorted(found.data.relabelled) == [
        (f"texts_fixture.csv:{k + 2}", table["label"][k], changed["label"][k]) for k in (3, 7)
    ]
    assert found.agreement is not None
    assert found.agreement.n_items == 58


def test_contents_that_changed_are_named_as_far_as_runs_keep_them(make: Make) -> None:
    found = find(make(), make(change=_reworded))
    # The first item is in the preview that every run keeps.
    assert found.data.reworded == ("texts_fixture.csv:2",)
    assert found.data.n_texts >= 5


def test_ids_that_name_other_items_are_not_matched(make: Make) -> None:
    found = find(make(), make(change=_shifted))
    assert found.agreement is None
    assert "ids name other items" in found.unmatched
    assert found.tested.tests == {}
    assert found.verdict is None
    assert not found.data.is_known
    # Both numbers are there all the same.
    assert all(not math.isnan(one.first[0]) for one in found.measured[:1])


def test_a_text_that_is_cut_short_or_set_otherwise_is_the_same(make: Make, copied: Any) -> None:
    run = make()
    other = copied(run, data_sha256="another")
    told = json.loads((other.path / "dataset.json").read_bytes())
    for one in told["preview"]:
        words = one["text"].split()
        one["text"] = "  ".join(words[:4]) + " \u2026 (1,234 letters)"
    (other.path / "dataset.json").write_text(json.dumps(told), encoding="utf-8")
    (other.path / "explanation.json").unlink()
    found = find(run, other)
    assert found.data.n_texts >= 5
    assert found.data.reworded == ()


def _exchanged(table: pd.DataFrame) -> pd.DataFrame:
    table["text"] = table.groupby("label")["text"].transform(lambda own: own.tolist()[::-1])
    return table


def test_texts_tell_where_labels_under_the_same_ids_agree_by_their_order(make: Make) -> None:
    found = find(make(), make(change=_exchanged))
    assert found.unmatched == "the data differ, and the same ids name other items"
    assert found.agreement is None
    assert math.isnan(found.measured[0].difference)


def test_weights_are_told_and_items_with_other_weights_left_out(make: Make, copied: Any) -> None:
    run = make()
    weighted = copied(run)
    path = weighted.path / "predictions.parquet"
    table = pd.read_parquet(path)
    table.loc[:9, "weight"] = 2.0
    table.to_parquet(path)
    found = find(run, weighted)
    assert len(found.data.relabelled) == 10
    assert all(label == other for _, label, other in found.data.relabelled)
    assert found.agreement is not None
    assert found.agreement.n_items == 50
    own = find(weighted, copied(weighted)).agreement
    assert own is not None
    assert own.is_weighted


def test_another_problem_on_the_same_data_is_compared_item_by_item(make: Make, copied: Any) -> None:
    run = make()
    found = find(run, copied(run, use_case="reviews"))
    assert found.unmatched == ""
    assert found.agreement is not None
    assert found.agreement.n_items == 60
    assert found.measured[0].difference == 0


def test_the_folder_stays_among_the_comparisons_whatever_a_run_says(
    make: Make, copied: Any
) -> None:
    run = make()
    found = find(run, copied(run, use_case="../../home"))
    assert "/" not in found.name


def test_columns_that_one_lacks_are_named(make: Make) -> None:
    def _without_rooms(table: pd.DataFrame) -> pd.DataFrame:
        return table.drop(columns="rooms")

    found = find(make("table"), make("table", change=_without_rooms))
    assert [(one.name, *one.values) for one in found.data.columns] == [("rooms", "table", "")]
    assert found.agreement is not None
    assert found.agreement.n_items == 80


def test_numbers_are_compared_by_which_is_nearer(make: Make) -> None:
    first, second = (make("table", svm={"kernel": one, "C": 1.0}) for one in ("linear", "rbf"))
    found = find(first, second)
    own = found.agreement
    assert own is not None
    one, other = predicted(first), predicted(second)
    other = other.loc[one.index]
    near = (one["y_pred"] - one["y_true"]).abs()
    other_near = (other["y_pred"] - other["y_true"]).abs()
    assert own.only_first == (near < other_near).sum()
    assert own.only_second == (other_near < near).sum()
    apart = (one["y_pred"] - other["y_pred"]).abs()
    assert own.mean_apart == pytest.approx(apart.mean())
    assert len(own.items) == 80
    assert own.items[0].id == apart.idxmax()
    assert own.items[0].kind in ("A nearer", "B nearer")
    assert own.items[0].probability is None


def test_items_of_a_group_count_as_one(make: Make) -> None:
    def _persons(table: pd.DataFrame) -> pd.DataFrame:
        table["person"] = [f"person {k // 4}" for k in range(len(table))]
        return table

    data = {"label": "garden", "group": "person"}
    runs = [
        make("table", change=_persons, data=data, svm={"kernel": one, "C": 1.0})
        for one in ("linear", "rbf")
    ]
    own = find(*runs).agreement
    assert own is not None
    assert (own.n_items, own.n_units) == (80, 20)


def test_runs_of_other_problems_are_compared_in_all_that_is_common(make: Make) -> None:
    found = find(make(), make("table"))
    assert found.unmatched == "A is a classification and B a regression"
    assert found.agreement is None
    assert found.tested.tests == {}
    assert all(math.isnan(one.difference) for one in found.measured)
    assert {"use_case", "features.encoder"} <= {one.name for one in found.settings}
    assert found.costs
    spam = find(make(), make("spam"))
    assert spam.unmatched == "A is a run of texts and B one of spam"
    assert all(math.isnan(one.difference) for one in spam.measured)


def test_a_run_without_predictions_is_compared_in_all_else(make: Make, copied: Any) -> None:
    run = make()
    bare = copied(run, without=("predictions.parquet", "dataset.json", "explanation.json"))
    found = find(run, bare)
    assert found.unmatched.startswith("the predictions of B are not there (")
    assert found.agreement is None
    assert found.data.is_same
    assert found.measured[0].difference == 0
    (bare.path / "predictions.parquet").write_bytes(b"torn")
    assert "the predictions of B cannot be read" in find(run, bare).unmatched


def test_a_use_case_and_a_metric_that_are_gone_take_nothing_else_with_them(make: Make) -> None:
    known = {name: one for name, one in REGISTRY.metrics.items() if name != "f1_macro"}
    bare = replace(REGISTRY, use_cases={}, metrics=known)
    found = find_difference(make(), make(encoder="lsa"), bare)
    assert [one.name for one in found.settings] == ["features.encoder"]
    assert found.settings[0].defaults == (False, False)
    assert found.verdict is None
    assert found.measured[0].name == "f1_macro"
    assert found.measured[0].test is None
    assert found.measured[1].test is not None
    assert verdict(found) == "No paired test was made: f1_macro is not known here."


def test_costs_are_those_of_the_manifests(make: Make, copied: Any) -> None:
    run = make()
    costs = {**run.manifest["costs"], "peak_memory": 123, "seconds": {"encoding": 7.0}}
    costs["folds_kept"] = 2
    found = find(run, copied(run, costs=costs))
    told: dict[str, Any] = {one.name: (one.first, one.second) for one in found.costs}
    assert told["memory"] == (run.manifest["costs"]["peak_memory"], 123)
    assert told["encoding"] == (run.manifest["costs"]["seconds"]["encoding"], 7.0)
    assert told["numbers an item"][0] == run.manifest["costs"]["dimension"]
    # One that took folds of an earlier run timed only the rest.
    assert told["the whole run"] == (run.manifest["timings"]["total"], None)
    assert told["fitting"][1] is None


def test_it_is_written_for_people_and_programs(make: Make, store: RunStore) -> None:
    first, second = make(), make(encoder="lsa", seed=5)
    found, folder = compare_runs(first, second, store=store)
    assert folder == store.home / "comparisons" / f"texts-{first.id}-and-{second.id}"
    assert sorted(path.name for path in folder.iterdir()) == [
        "difference.html",
        "difference.json",
        "disagreements.csv",
    ]
    told = json.loads((folder / "difference.json").read_bytes())
    assert told == found.to_data()
    assert len(told["items"]["disagreements"]) == len(pd.read_csv(folder / "disagreements.csv"))
    # A folder of comparisons is no run.
    assert folder not in store.folders()


def test_two_words_that_name_runs_are_two_runs(make: Make, store: RunStore) -> None:
    first, second = make(), make(encoder="lsa", seed=5)
    pair = two_runs([first.id, str(second.path)], store)
    assert pair is not None
    assert [run.id for run in pair] == [first.id, second.id]
    assert two_runs(["texts", first.id], store) is None
    assert two_runs([first.id], store) is None
    assert two_runs([first.id, "other.yaml"], store) is None
    with pytest.raises(RunNotFoundError, match="No run answers to '2001'"):
        two_runs([first.id, "2001"], store)


def test_a_damaged_run_is_refused_with_what_is_wrong(
    make: Make, store: RunStore, copied: Any
) -> None:
    run = make()
    damaged = copied(run)
    (damaged.path / "metrics.json").write_text("{", encoding="utf-8")
    with pytest.raises(RunNotFoundError, match=r"is not a whole run \(metrics\.json"):
        two_runs([run.id, str(damaged.path)], store)
    (damaged.path / "metrics.json").unlink()
    with pytest.raises(
        RunNotFoundError, match=r"\(metrics\.json: No such file or directory\)\. Run"
    ):
        two_runs([run.id, str(damaged.path)], store)
    shutil.copy(run.path / "metrics.json", damaged.path)
    (damaged.path / "config.yaml").unlink()
    with pytest.raises(RunNotFoundError, match=r"\(config\.yaml is absent or damaged\)\. Run"):
        two_runs([run.id, str(damaged.path)], store)


def test_predictions_keep_their_order_whatever_the_file_has(make: Make, copied: Any) -> None:
    run = make()
    turned = copied(run)
    path = turned.path / "predictions.parquet"
    pd.read_parquet(path).iloc[::-1].to_parquet(path)
    own = find(run, turned).agreement
    assert own is not None
    assert own.items == ()
    one = read_held_out(turned)
    assert one is not None
    assert one.rows == getattr(read_held_out(run), "rows", "")


def test_mcnemar_is_the_binomial_test_where_items_stand_alone() -> None:
    from scipy.stats import binomtest

    rng = np.random.default_rng(0)
    for n in (1, 5, 40, 300):
        first, second = rng.random((2, n)) < [[0.8], [0.6]]
        only = [int((first & ~second).sum()), int((second & ~first).sum())]
        expected = binomtest(only[0], sum(only)).pvalue if sum(only) else 1.0
        assert exact_mcnemar(first, second) == pytest.approx(expected)
        assert exact_mcnemar(first, second, np.arange(n)) == pytest.approx(expected)
        assert exact_mcnemar(second, first) == pytest.approx(expected)


def test_mcnemar_flips_whole_groups() -> None:
    # Two groups in which the first is right on three more: either sign of each, 4 sums, 2 as far.
    first = np.repeat([True, True], 3)
    assert exact_mcnemar(first, ~first, np.repeat([0, 1], 3)) == 0.5
    assert exact_mcnemar(first, ~first) == pytest.approx(2 / 2**6)
    # What cancels within a group is no evidence.
    assert exact_mcnemar(np.array([True, False]), np.array([False, True]), np.zeros(2)) == 1.0
