"""Scores of credit: measures, points, reasons, changes, fairness, costs."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

import widemargin
from widemargin import DataError, Predictions
from widemargin.evaluation import METRICS, Lines, Table
from widemargin_credit import changes
from widemargin_credit.changes import Change, smallest_changes
from widemargin_credit.deciding import Decider, bad_of, decider_of_run
from widemargin_credit.fairness import Group, Rate, compared, group_rates, groups_of
from widemargin_credit.measures import gini, ks, stability, wilson
from widemargin_credit.profit import profit_curve, profit_sections
from widemargin_credit.reasons import reasons
from widemargin_credit.scorecard import scorecard

FIXTURE = Path(__file__).parents[2] / "plugins" / "widemargin_credit" / "fixture.csv"
MAY_CHANGE = {"amount": "lower", "duration": "any", "savings": ["some", "much"]}
EVIDENCE = {
    "name": "loan",
    "categories": "weight-of-evidence",
    "numbers": "weight-of-evidence",
    "ratios": "none",
}
CARD = {"features": {"encoder": EVIDENCE}, "svm": {"kernel": "linear", "C": 1.0}}
KERNELS = {
    "features": {"encoder": [{**EVIDENCE, "as": "evidence"}, {"name": "loan", "as": "all"}]},
    "svm": {"blocks": {"evidence": "poly", "all": "rbf"}, "C": 1.0, "gamma": "auto"},
}


def credit(folder: Path, path: Any = FIXTURE, **settings: Any) -> Any:
    data = {"path": str(path), "protected": ["sex"], "ignore": ["id"], "may_change": MAY_CHANGE}
    return widemargin.run(
        "credit",
        runs=folder,
        data=data | settings.pop("data", {}),
        evaluation={"outer": 3, "inner": 2, "resamples": 100, "map": "none"},
        **settings,
    )


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return credit(tmp_path_factory.mktemp("kernels"), **KERNELS)


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return credit(tmp_path_factory.mktemp("card"), **CARD)


def applications() -> pd.DataFrame:
    table = pd.read_csv(FIXTURE)
    return table[["amount", "duration", "savings", "history", "purpose"]].astype(
        {"amount": float, "duration": float}
    )


def scored(decision: Any, is_bad: Any, weight: Any = None) -> Predictions:
    decision = np.asarray(decision, dtype=float)
    bad = 1 / (1 + np.exp(-decision))
    codes = np.where(is_bad, 0, 1)
    return Predictions(
        y_true=codes,
        y_pred=np.where(bad > 1 / 6, 0, 1),
        decision=decision,
        probability=np.column_stack([bad, 1 - bad]),
        classes=("bad", "good"),
        positive=0,
        ids=np.arange(len(codes)).astype(str),
        weight=np.ones(len(codes)) if weight is None else np.asarray(weight, dtype=float),
        costs=(5.0, 1.0),
    )


drawn = st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=2, max_size=40).filter(
    lambda rows: len({is_bad for _, is_bad in rows}) == 2
)


@given(drawn)
def test_gini_is_twice_the_auc_less_1_and_ks_is_scipys(rows: list[tuple[int, bool]]) -> None:
    decision, is_bad = (np.array(own) for own in zip(*rows, strict=True))
    told = scored(decision, is_bad)
    auc = next(metric for metric in METRICS if metric.name == "roc_auc").compute(told)
    assert gini(told) == pytest.approx(2 * auc - 1)
    # scipy's own p-values warn where they cannot be computed; only the statistic is asked for.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        peer = ks_2samp(decision[is_bad], decision[~is_bad])
    assert ks(told) == pytest.approx(peer.statistic)


def test_ks_honours_weights_and_needs_both_classes() -> None:
    twice = scored([0, 1, 1, 2], [False, True, True, False])
    once = scored([0, 1, 2], [False, True, False], weight=[1, 2, 1])
    assert ks(twice) == pytest.approx(ks(once))
    assert math.isnan(ks(scored([0.0, 1.0], [True, True])))


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=60), st.randoms())
def test_scores_are_stable_against_themselves(scores: list[float], random: Any) -> None:
    mixed = list(scores)
    random.shuffle(mixed)
    found = stability(scores, mixed)
    assert found.index == 0
    assert sum(found.expected) == pytest.approx(1)


def test_a_shift_shows_in_the_index() -> None:
    rng = np.random.default_rng(0)
    first = rng.normal(size=4000)
    assert stability(first.tolist(), rng.normal(size=4000).tolist()).index < 0.02
    assert stability(first.tolist(), (rng.normal(size=4000) + 1).tolist()).index > 0.5
    # The formula, by hand: halves of 1/2 and 1/4, 3/4.
    found = stability([1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 3.5, 4.0], bins=2)
    assert found.index == pytest.approx(-0.25 * math.log(0.5) + 0.25 * math.log(1.5))


@given(st.integers(0, 50), st.integers(1, 50))
def test_wilsons_interval_holds_the_share(hits: int, more: int) -> None:
    n = hits + more
    low, high = wilson(hits, n)
    assert 0 <= low <= hits / n <= high <= 1
    assert wilson(0, 0) == (0.0, 1.0)


def test_points_add_up_to_the_scaled_margin(card: Any) -> None:
    own = scorecard(card)
    assert own is not None
    X = applications()
    decision = np.array([one.margin for one in card.predictor.predict(X)])
    np.testing.assert_allclose(own.score(X), own.scale.points(decision), atol=1e-6)
    np.testing.assert_allclose(own.base + own.points(X).sum(axis=1), own.score(X), atol=1e-9)


def test_points_double_the_odds_as_told(card: Any) -> None:
    own = scorecard(card)
    assert own is not None
    X = applications()
    bad = np.array([one.probabilities["bad"] for one in card.predictor.predict(X)])
    odds = (1 - bad) / bad
    np.testing.assert_allclose(odds, 50 * 2 ** ((own.score(X) - 600) / 20), rtol=1e-6)
    assert own.scale.is_exact
    assert own.scale.of_probability(1 / 51) == pytest.approx(600)
    assert own.scale.of_probability(1 / 101) == pytest.approx(620, abs=0.01)


def test_points_of_a_number_only_rise_or_only_fall_unless_it_is_free(
    tmp_path: Path,
) -> None:
    # Risk at both ends of the age, and of amounts in steps that a tree does not keep in order.
    rng = np.random.default_rng(3)
    age, amount = rng.integers(18, 80, 400), rng.normal(size=400).round(3)
    risk = np.where(abs(age - 48) > 20, 0.6, 0.1) + 0.1 * (amount > 0)
    table = pd.DataFrame({"age": age, "amount": amount})
    path = tmp_path / "u.csv"
    table.assign(label=np.where(rng.random(400) < risk, "bad", "good")).to_csv(path, index=False)
    data: dict[str, Any] = {"protected": [], "ignore": [], "may_change": {}}
    svm = {"kernel": "linear", "C": 1.0}
    encoder = {**EVIDENCE, "bins": "tree", "n_bins": 10, "smoothing": 10.0}

    def turns(free: list[str], column: str) -> int:
        features = {"encoder": {**encoder, "free": free}}
        own = scorecard(credit(tmp_path, path, data=data, features=features, svm=svm))
        assert own is not None
        points = [
            line.points for line in own.lines if line.column == column and line.bin != "missing"
        ]
        assert len(points) > 2
        return int((np.diff(np.sign(np.diff(points))) != 0).sum())

    def told() -> str:
        path = sorted((tmp_path / "credit").iterdir())[-1] / "analysis.json"
        return path.read_text(encoding="utf-8")

    assert turns([], "amount") == 0
    assert "Risk seems to rise and fall along age, and its points only do one" in told()
    assert "rise and fall along amount" not in told()
    assert turns([], "age") == 0
    assert turns(["age"], "age") > 0
    assert "Risk seems" not in told()


def test_values_keep_their_brackets_among_the_columns_that_decide(tmp_path: Path) -> None:
    table = pd.read_csv(FIXTURE).replace({"savings": {"none": "None (so far)"}})
    path = tmp_path / "brackets.csv"
    table.to_csv(path, index=False)
    made = credit(tmp_path, path, data={"may_change": {}}, **CARD)
    told = json.loads((made.record.path / "explanation.json").read_text(encoding="utf-8"))
    pieces = [one["piece"] for one in told["pieces"]]
    assert "savings = None (so far)" in pieces


def test_the_card_as_csv_scores_by_hand(card: Any) -> None:
    own = scorecard(card)
    assert own is not None
    rows = list(csv.DictReader(io.StringIO(own.csv())))
    assert rows[0]["column"] == "base"
    points = {(row["column"], row["bin"]): float(row["points"]) for row in rows[1:]}
    X = applications().iloc[[0]]
    by_hand = float(rows[0]["points"])
    for column in ("savings", "history", "purpose"):
        by_hand += points[column, X[column].iloc[0]]
    for column in ("amount", "duration"):
        by_hand += next(
            value
            for (name, bin_), value in points.items()
            if name == column and inside(float(X[column].iloc[0]), bin_)
        )
    assert own.score(X)[0] == pytest.approx(by_hand)


def inside(value: float, name: str) -> bool:
    if name == "missing":
        return False
    if name.startswith("below "):
        return value < float(name.removeprefix("below "))
    if name.endswith(" or more"):
        return value >= float(name.removesuffix(" or more"))
    low, high = name.split(" to below ")
    return float(low) <= value < float(high)


def test_only_a_linear_machine_on_evidence_has_a_card(kernels: Any) -> None:
    assert scorecard(kernels) is None


@pytest.mark.parametrize("which", ["kernels", "card"])
def test_a_change_that_is_told_turns_the_decision(
    which: str, request: pytest.FixtureRequest
) -> None:
    run = request.getfixturevalue(which)
    X = applications()
    before = run.predict(X)
    turns = smallest_changes(run, X)
    found = 0
    for row, own in enumerate(turns):
        if before["label"].iloc[row] == "good":
            assert own == []
        for turn in own:
            changed = X.iloc[[row]].copy()
            for change in turn.changes:
                assert change.column in MAY_CHANGE
                changed[change.column] = change.after
                if change.column == "amount":
                    assert change.after < change.before
                if change.column == "savings":
                    assert change.after in MAY_CHANGE["savings"]
            after = run.predict(changed)
            assert after["label"].iloc[0] == "good"
            told = 1 - after["probability"].iloc[0]
            assert told == pytest.approx(turn.bad)
            found += 1
    assert found > 5


@pytest.mark.parametrize("allowed", ["lower", "any", ["100000.125", "350000.125"]])
def test_what_is_told_of_a_number_of_many_digits_turns_the_decision(
    tmp_path: Path, allowed: Any
) -> None:
    # Amounts of which no more than the first digits are told.
    table = pd.read_csv(FIXTURE)
    table["amount"] = table["amount"] * 100 + 0.78125
    table.to_csv(tmp_path / "many.csv", index=False)
    data = {"may_change": {"amount": allowed}}
    run = credit(tmp_path / "runs", tmp_path / "many.csv", data=data, **CARD)
    X = applications()
    X["amount"] = X["amount"] * 100 + 0.78125
    found = 0
    for row, own in enumerate(smallest_changes(run, X)):
        for turn in own:
            told = str(turn).removeprefix("amount: ").split(" to ")[1].replace(",", "")
            after = run.predict(X.iloc[[row]].assign(amount=float(told)))
            assert after["label"].iloc[0] == "good"
            assert 1 - after["probability"].iloc[0] == pytest.approx(turn.bad)
            assert float(told) == turn.changes[0].after
            found += 1
    assert found


def test_a_change_that_is_smaller_than_what_is_shown_is_told_in_full() -> None:
    assert str(Change("amount", 123456.4, 123456.0)) == "amount: 123,456.4 to 123,456"
    assert str(Change("amount", 123456.78, 9.0)) == "amount: 123,457 to 9"
    assert str(Change("purpose", None, "car")) == "purpose: missing to car"


def test_no_smaller_amount_turns_the_decision(card: Any) -> None:
    # On weights of evidence the decision changes at the edges of bins alone.
    X = applications()
    turns = smallest_changes(card, X)
    checked = 0
    for row, own in enumerate(turns):
        for turn in own:
            (change, *others) = turn.changes
            if others or change.column != "amount":
                continue
            between = np.arange(change.after + 1, change.before)
            rows = pd.concat([X.iloc[[row]]] * len(between), ignore_index=True)
            rows["amount"] = between
            assert (card.predict(rows)["label"] == "bad").all()
            checked += 1
    assert checked


def test_reasons_are_what_a_linear_machine_adds_against_the_mean(card: Any) -> None:
    own = scorecard(card)
    assert own is not None
    X = applications()
    points = own.points(X)
    decider = decider_of_run(card)
    for column, place in (("savings", 2), ("history", 3), ("purpose", 4)):
        assert sum(decider.population[column][1]) == pytest.approx(1)
        mean = points[:, place].mean()
        for row, told in enumerate(reasons(card, X, most=9)):
            said = next((one.points for one in told if one.column == column), None)
            expected = points[row, place] - mean
            if said is None:
                assert expected > -0.5
            else:
                assert said == pytest.approx(expected, abs=1e-6)


def test_reasons_are_in_words(card: Any) -> None:
    X = applications().iloc[:3].reset_index(drop=True)
    X.loc[0, "amount"] = 90_000.0
    X.loc[0, "savings"] = "gold bars"
    X.loc[1, "history"] = None
    told = reasons(card, X, most=9)
    lines = [str(one) for own in told for one in own]
    assert all(line.endswith(" points)") and " (-" in line for line in lines)
    assert not any("=" in line for line in lines)
    words = {one.column: one.words for one in told[0]}
    assert words["amount"] == "amount: 90,000, more than 98% of applications"
    assert len(reasons(card, X, most=1)[0]) == 1
    assert all(one.points <= -0.5 for own in told for one in own)


def test_blanks_of_a_table_read_as_text_are_missing(card: Any) -> None:
    X = applications().iloc[:1]
    gaps = X.assign(savings=None, amount=np.nan)
    texts = X.astype(object).assign(savings="", amount=" ", duration=str(X["duration"].iloc[0]))
    assert reasons(card, texts) == reasons(card, gaps)
    assert list(map(str, smallest_changes(card, texts)[0])) == list(
        map(str, smallest_changes(card, gaps)[0])
    )


@pytest.mark.parametrize("which", ["kernels", "card"])
def test_cells_that_count_otherwise_than_written_are_noted(
    which: str, request: pytest.FixtureRequest
) -> None:
    X = applications().iloc[:2].astype(object)
    X.iloc[1, list(X).index("amount")] = "much"
    X.iloc[1, list(X).index("savings")] = "gold bars"
    whole, odd = request.getfixturevalue(which).predictor.predict(X)
    assert (whole.note, odd.is_empty) == ("", False)
    assert odd.note == (
        "amount: 'much' is no number, and counts as missing; savings: 'gold bars' is new to the "
        "model or rare there, and counts as other"
    )


def test_protected_columns_never_influence_a_prediction(tmp_path: Path) -> None:
    table = pd.read_csv(FIXTURE)
    shuffled = table.assign(sex=np.random.default_rng(1).permutation(table["sex"]))
    path = tmp_path / "shuffled.csv"
    shuffled.to_csv(path, index=False)
    settings = {"svm": {"C": 1.0}}
    first = credit(tmp_path / "a", **settings)
    second = credit(tmp_path / "b", path=path, **settings)
    X = applications()
    pd.testing.assert_series_equal(first.predict(X)["margin"], second.predict(X)["margin"])
    with_sex = first.predict(X.assign(sex="female"))["margin"]
    pd.testing.assert_series_equal(with_sex, first.predict(X.assign(sex="male"))["margin"])
    assert "sex" not in first.kinds
    # And the groups do change with the column.
    one, other = (
        next(s for s in sections(run) if s["title"] == "Fairness") for run in (first, second)
    )
    assert one != other


def sections(run: Any) -> list[dict[str, Any]]:
    import json

    found: list[dict[str, Any]] = json.loads((run.path / "analysis.json").read_bytes())
    return found


@pytest.mark.parametrize("which", ["kernels", "card"])
def test_the_report_has_its_own_parts(which: str, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(which)
    titles = [section["title"] for section in sections(run)]
    assert titles[0] == ("Scorecard" if which == "card" else "The score")
    assert "Refusals: reasons, and what would turn them" in titles
    assert {"Fairness", "Stability of the score"} <= set(titles)
    page = run.report.read_text(encoding="utf-8")
    assert "Profit by the share accepted" in page
    assert "16.7%, which is 1 / (5 + 1)" in page
    # Nothing of a row can be underlined: the columns stand below it.
    assert "Below each are the columns that weighed most" in page
    assert "Underlined are the columns" not in page


def test_a_threshold_is_what_the_costs_imply(kernels: Any) -> None:
    for one in kernels.predictor.predict(applications()):
        assert (one.label == "bad") == (one.probabilities["bad"] >= 1 / 6)


def test_without_protected_columns_or_changes_the_report_says_how(tmp_path: Path) -> None:
    run = credit(tmp_path, data={"protected": [], "may_change": {}}, **CARD)
    told = str(sections(run))
    assert "Say which columns hold sex, age, origin" in told
    assert "nothing is named in data.may_change" in told


def test_a_list_of_values_for_a_number_is_kept_to(tmp_path: Path) -> None:
    may_change = {"duration": ["6", "12"], "amount": ["500"]}
    run = credit(tmp_path, data={"may_change": may_change}, **CARD)
    turns = [turn for own in smallest_changes(run, applications()) for turn in own]
    told = [change for turn in turns for change in turn.changes]
    assert told
    for change in told:
        assert change.after in map(float, may_change[change.column])


def test_pairs_are_searched_in_parts_and_the_smallest_is_kept(
    card: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, own = applications(), decider_of_run(card)
    may_change = {"amount": "lower", "purpose": "any"}
    decider = dataclasses.replace(
        own, loader=own.loader.model_copy(update={"may_change": may_change})
    )
    whole = changes.turning_changes(decider, X)
    assert any(len(turn.changes) == 2 for own in whole for turn in own)
    sizes: list[int] = []
    monkeypatch.setattr(changes, "_AT_ONCE", 50)
    monkeypatch.setattr(changes, "_PAIRS_AT_ONCE", 7)

    def counted(rows: Any) -> Any:
        sizes.append(len(rows["amount"]))
        return decider.judge(rows)

    found = changes.turning_changes(dataclasses.replace(decider, judge=counted), X)
    assert found == whole
    assert max(sizes[1:]) <= 50


def test_profit_is_counted_from_the_safest_on() -> None:
    accepted, profit = profit_curve(
        [0.1, 0.2, 0.2, 0.9], [False, True, False, True], [1, 1, 1, 1], (5.0, 1.0)
    )
    assert accepted == [0.0, 0.25, 0.75, 1.0]
    assert profit == [0.0, 0.25, -0.75, -2.0]


def test_costs_of_the_section_are_those_of_the_metric() -> None:
    rng = np.random.default_rng(0)
    is_bad = rng.random(300) < 0.3
    told = scored(rng.normal(size=300) + 2 * is_bad - 1.5, is_bad)
    (section,) = profit_sections(told)
    cost = next(metric for metric in METRICS if metric.name == "mean_cost").compute(told)
    pairs = dict(section.blocks[0].pairs)  # type: ignore[union-attr]  # Facts
    assert pairs["Mean cost"] == f"{cost:.3f}"
    assert pairs["... refusing everybody"] == f"{(~is_bad).mean():.3f}"
    assert pairs["... accepting everybody"] == f"{5 * is_bad.mean():.3f}"
    lines = section.blocks[1]
    assert isinstance(lines, Lines)
    # What is earned by accepting all but the refused is what is lost less by them.
    (at, _) = lines.vertical[0]
    assert at == pytest.approx((told.y_pred == 1).mean())


def test_nothing_is_said_of_costs_that_nobody_stated() -> None:
    told = scored([-1.0, 0.0, 1.0, 2.0], [True] + [False] * 3)
    weighed = dataclasses.replace(told, costs=(), label_weights=(5.0, 1.0))
    assert profit_sections(told)
    assert profit_sections(weighed) == []


@pytest.mark.parametrize(
    ("shift", "said"),
    [
        (-9.0, "The model is not worth having at these costs: its decisions cost {own:.3f} an "),
        (2.0, "an application; refusing everybody, the cheaper of the two ways to do without one"),
    ],
)
def test_a_model_that_costs_more_than_none_is_told_so(shift: float, said: str) -> None:
    rng = np.random.default_rng(0)
    is_bad = rng.random(300) < 0.3
    told = scored(rng.normal(size=300) + 2 * is_bad + shift - 3.5, is_bad)
    (section,) = profit_sections(told)
    own = next(metric for metric in METRICS if metric.name == "mean_cost").compute(told)
    assert said.format(own=float(own)) in section.intro
    assert ("refusing everybody 0." in section.intro) == (shift < 0)


def test_the_least_cost_in_hindsight_may_be_that_of_accepting_everybody() -> None:
    told = scored([-1.0, 0.0, 1.0, 2.0], [True] + [False] * 3)
    told = dataclasses.replace(told, costs=(1.0, 5.0))
    (section,) = profit_sections(told)
    pairs = dict(section.blocks[0].pairs)  # type: ignore[union-attr]  # Facts
    assert pairs["... accepting everybody"] == "0.250"
    assert pairs["... where it is least in hindsight"] == "0.250, accepting everybody"


@given(drawn)
def test_no_threshold_costs_less_than_the_one_in_hindsight(rows: list[tuple[int, bool]]) -> None:
    decision, is_bad = (np.array(own) for own in zip(*rows, strict=True))
    told = scored(decision, is_bad)
    (section,) = profit_sections(told)
    pairs = dict(section.blocks[0].pairs)  # type: ignore[union-attr]  # Facts
    assert told.probability is not None
    bad = told.probability[:, 0]
    costs = [
        (5.0 * (is_bad & (bad < bound)) + (~is_bad & (bad >= bound))).mean()
        for bound in [*bad, np.inf]
    ]
    said = pairs["... where it is least in hindsight"]
    assert float(said.split(",")[0]) == pytest.approx(min(costs), abs=6e-4)


def rate(share: float, n: int) -> Rate:
    return Rate(share, *wilson(share * n, n), n)


def group(name: str, refused: float, n: int = 400, good: int = 100) -> Group:
    none = Rate(float("nan"), 0.0, 1.0, 0)
    return Group("sex", name, n, rate(0.3, n), rate(refused, n), none, rate(refused, good))


def test_groups_are_compared_with_an_interval() -> None:
    (line,) = compared([group("f", 0.7), group("m", 0.2)])
    assert line.startswith("Sex: f is accepted 0.38 times as often as m (95% interval 0.")
    assert "below four fifths, the usual mark" in line
    assert line.endswith("Of its good ones 50.0 in a hundred more are refused.")
    assert "above four fifths" in compared([group("f", 0.22), group("m", 0.2)])[0]
    assert "it cannot be told" in compared([group("f", 0.6, 40), group("m", 0.4, 40)])[0]


def test_what_cannot_be_compared_is_left_out() -> None:
    small = group("x", 1.0, 5)
    (line,) = compared([group("f", 0.7), group("m", 0.2), small])
    assert "f is accepted" in line
    assert line.endswith("Too small to be compared (fewer than 30): x.")
    assert compared([group("f", 0.5), group("m", 0.5)]) == []
    nobody = dataclasses.replace(group("f", 0.7), good_refused=Rate(float("nan"), 0.0, 1.0, 0))
    assert "nan" not in compared([nobody, group("m", 0.2)])[0]
    assert "0.00 times" in compared([group("f", 1.0), group("m", 0.2)])[0]


def test_groups_that_fare_alike_are_seldom_told_apart() -> None:
    rng = np.random.default_rng(0)
    told = 0
    for _ in range(400):
        own = [
            group(name, share, 40)
            for name, share in zip("fmx", rng.binomial(40, 0.5, 3) / 40, strict=True)
        ]
        told += any("below four fifths" in line and "cannot" not in line for line in compared(own))
    assert told <= 20


def test_names_of_groups_keep_their_digits() -> None:
    names = [name for name, _ in groups_of(pd.Series([1.0, 1234561.5, 2e6]), [1234561, 1234562])]
    assert names == ["below 1234561", "1234561 to below 1234562", "1234562 or more"]
    names = [name for name, _ in groups_of(pd.Series([1234561.0, 1234562.0]), None)]
    assert names == ["1234561", "1234562"]


@pytest.mark.parametrize(
    ("expected", "actual", "said"),
    [
        ([], [1.0], "of the expected scores there are none"),
        ([1.0], [], "of the actual scores there are none"),
        ([1.0, math.nan], [1.0], "of the expected scores score 1 is no number"),
    ],
)
def test_unknown_scores_are_not_compared(expected: Any, actual: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        stability(expected, actual)


def test_a_constant_score_is_compared_by_below_at_and_above() -> None:
    assert stability([1.0] * 9, [1.0] * 4).index == pytest.approx(0, abs=0.2)
    moved = stability([1.0] * 100, [0.0] * 50 + [2.0] * 50)
    assert len(moved.expected) == 3
    assert moved.index > 1


def test_points_of_blanks_are_those_of_what_is_missing(card: Any) -> None:
    own = scorecard(card)
    assert own is not None
    texts = pd.read_csv(FIXTURE, dtype=str, keep_default_na=False)
    texts.loc[[0, 1], "savings"] = ""
    texts.loc[[2, 3], "amount"] = " "
    X = applications()
    X.loc[[0, 1], "savings"] = None
    X.loc[[2, 3], "amount"] = np.nan
    np.testing.assert_allclose(own.score(texts), own.score(X))
    decision = np.array([one.margin for one in card.predictor.predict(X)])
    np.testing.assert_allclose(own.score(texts), own.scale.points(decision), atol=1e-6)
    with pytest.raises(DataError, match="no column 'savings'"):
        own.points(X.drop(columns="savings"))


def test_groups_are_counted() -> None:
    aside = pd.DataFrame({"sex": ["f", "f", "m", "m"], "age": [20.0, 30.0, 40.0, np.nan]})
    is_bad = np.array([True, False, True, False])
    refused = np.array([1.0, 0.5, 0.0, 0.0])
    found = {
        (one.attribute, one.name): one
        for one in group_rates(aside, is_bad, refused, {"age": (26.0,)})
    }
    assert list(found) == [
        ("sex", "f"),
        ("sex", "m"),
        ("age", "below 26"),
        ("age", "26 or more"),
        ("age", "missing"),
    ]
    women = found["sex", "f"]
    assert (women.n, women.bad.value, women.refused.value) == (2, 0.5, 0.75)
    assert (women.bad_refused.value, women.good_refused.value) == (1.0, 0.5)
    assert women.refused.low < 0.75 < women.refused.high
    assert str(found["age", "below 26"].good_refused) == "none"


def test_a_protected_number_is_cut_into_quarters_unless_told() -> None:
    names = [name for name, _ in groups_of(pd.Series(np.arange(100.0)), None)]
    assert names == ["below 24.75", "24.75 to below 49.5", "49.5 to below 74.25", "74.25 or more"]


def test_other_runs_have_no_reasons(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(
        "a,label\n" + "\n".join(f"{k * k % 17},{'xy'[k % 2]}" for k in range(40)), encoding="utf-8"
    )
    run = widemargin.run(
        "table",
        runs=tmp_path,
        data={"path": str(path)},
        svm={"C": 1.0},
        evaluation={"outer": 2, "inner": 2, "resamples": 100, "map": "none"},
    )
    with pytest.raises(DataError, match="is no run of credit"):
        smallest_changes(run, pd.DataFrame({"a": [1.0]}))


def test_a_loaded_run_decides_as_the_study_did(kernels: Any) -> None:
    decider = decider_of_run(widemargin.load(kernels.path))
    assert isinstance(decider, Decider)
    assert decider.threshold == pytest.approx(1 / 6)
    X = applications()
    labels = kernels.predict(X)["label"]
    assert (decider.refuses(X) == (labels == "bad")).all()
    assert ((bad_of(decider.judge(X)) > 1 / 6) == (labels == "bad")).all()
    margins = kernels.predict(X)["margin"]
    np.testing.assert_allclose(decider.judge(X).decision, margins)


def test_tables_of_refusals_hold_each_refusal(kernels: Any) -> None:
    titles = [section["title"] for section in sections(kernels)]
    whole = next(s for s in sections(kernels) if s["title"].startswith("All "))
    rows = whole["blocks"][0]["block"]["rows"]
    assert whole["title"] == f"All {len(rows)} refusals"
    assert titles.index(whole["title"]) == 2
    assert Table(columns=["a"], rows=rows).rows
    n_refused = sum(kernels.predict(applications())["label"] == "bad")
    assert len(rows) == n_refused
