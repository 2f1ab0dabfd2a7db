"""Strategies and their measures: laws, and figures that can be checked by hand."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import NormalDist
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import widemargin
from widemargin.contracts import Predictions, Split, Study
from widemargin.contracts.kept_sections import load_sections
from widemargin.evaluation import Facts, Lines, Table
from widemargin_trading.data import PriceTable
from widemargin_trading.measures import (
    YEAR,
    best_of_luck,
    deflated_sharpe,
    drawdown,
    growth,
    paired_interval,
    sharpe,
    volatility,
    worth,
)
from widemargin_trading.sections import by_chance, money_sections, signals_of, verdict
from widemargin_trading.strategy import Book, Outcome, shifted

FIXTURE = Path(__file__).parents[2] / "plugins" / "widemargin_trading" / "fixture.csv"


def _book(horizon: int = 5, every: int | None = None, **options: Any) -> Book:
    data = PriceTable(path=FIXTURE, horizon=horizon, every=every, **options).load(FIXTURE.parent)
    assert data.aside is not None
    return Book.of(data.aside)


def _by_hand(steps: list[list[float]], step: int) -> Book:
    days = np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]")
    spans = [slice(at * step, at * step + len(own)) for at, own in enumerate(steps)]
    aside = pd.DataFrame({"symbol": ["A"] * len(steps)})
    aside["days"] = pd.Series([days[own] for own in spans], dtype=object)
    aside["steps"] = pd.Series([np.array(own) for own in steps], dtype=object)
    return Book.of(aside)


def _signals(book: Book, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).choice([0.0, 1.0], len(book.share))


@pytest.mark.parametrize(("horizon", "every"), [(5, None), (5, 1), (4, 2), (5, 2), (1, None)])
def test_all_decisions_to_hold_are_buying_and_holding(horizon: int, every: int | None) -> None:
    book = _book(horizon, every)
    assert np.allclose(book.positions(np.ones(len(book.share))), book.always())


def test_decisions_under_way_at_once_move_their_parts_of_the_money() -> None:
    book = _by_hand([[0.1, 0.2], [0.2, 0.3], [0.3, 0.4]], step=1)
    assert book.positions(np.array([1.0, 0.0, 1.0]))[:, 0].tolist() == [1, 0.5, 0.5, 1]
    assert book.positions(np.array([1.0, 1.0, -1.0]))[:, 0].tolist() == [1, 1, 0, -1]


def test_costs_are_taken_from_what_is_traded() -> None:
    book = _by_hand([[0.1], [0.2], [-0.5]], step=1)
    held = book.positions(np.array([1.0, 0.0, 1.0]))
    outcome = book.earn(held, 10)
    assert outcome.traded.tolist() == [1, 1, 1]
    assert outcome.gained == pytest.approx([0.1 - 0.001, -0.001, -0.5 - 0.001])
    turned = book.earn(book.positions(np.array([1.0, -1.0, 1.0])), 10)
    assert turned.traded.tolist() == [1, 2, 2]
    assert turned.gained == pytest.approx([0.099, -0.202, -0.502])


_CLOSED = {"A": [17, 60, 61, 133], "B": [3, 18, 41, 42, 43, 44, 45, 46, 100, 133]}
"""Holidays of two exchanges: single ones, common ones, and a whole week."""


def _two_exchanges(folder: Path) -> pd.DataFrame:
    days = pd.bdate_range("2024-01-01", periods=160)
    tables = []
    for seed, (symbol, closed) in enumerate(_CLOSED.items()):
        own = days.delete(closed)
        close = 100 * np.exp(np.random.default_rng(seed).normal(0, 0.02, len(own)).cumsum())
        spread = {"open": close, "high": 1.01 * close, "low": 0.99 * close, "close": close}
        table = {"symbol": symbol, "date": own.strftime("%Y-%m-%d"), **spread, "volume": 1000}
        tables.append(pd.DataFrame(table))
    pd.concat(tables).to_csv(folder / "prices.csv", index=False)
    return pd.concat(tables)


@pytest.mark.parametrize(
    ("horizon", "every", "delay"),
    [(5, None, 1), (5, None, 0), (1, None, 1), (3, None, 4), (5, 1, 1), (4, 3, 2)],
)
def test_no_return_is_lost_where_exchanges_have_different_holidays(
    tmp_path: Path, horizon: int, every: int | None, delay: int
) -> None:
    prices = _two_exchanges(tmp_path)
    loader = PriceTable(
        path=tmp_path / "prices.csv", horizon=horizon, every=every, delay=delay, history=10
    )
    data = loader.load(tmp_path)
    assert data.aside is not None
    assert data.times is not None
    book = Book.of(data.aside)
    held = book.positions(np.ones(len(book.share)))
    assert np.allclose(held, book.always())
    for column, symbol in enumerate(book.symbols):
        own = prices[prices["symbol"] == symbol]
        days, close = own["date"].tolist(), own["close"].to_numpy()
        earned = np.flatnonzero(book.alive[:, column])
        first, last = (days.index(str(book.days[at])) for at in earned[[0, -1]])
        became = np.prod(1 + book.returns[earned, column])
        assert became == pytest.approx(close[last] / close[first - 1])
        # From some days after the first window on until the end, but for the last few days.
        assert first <= 10 + delay + 2 * horizon
        assert last >= len(days) - 1 - delay - 2 * horizon - 1
        times = data.times[data.aside["symbol"] == symbol].astype(str)
        assert set(times) <= set(prices["date"])
    pairs = np.stack([book.share[book.decision], book.place])
    if every is None:
        assert len(np.unique(pairs, axis=1).T) == len(book.place)


def test_decisions_know_nothing_of_their_day_or_later_where_the_share_was_closed(
    tmp_path: Path,
) -> None:
    prices = _two_exchanges(tmp_path)
    data = PriceTable(path=tmp_path / "prices.csv", every=1, history=10).load(tmp_path)
    assert data.aside is not None
    assert data.times is not None
    closed = 0
    for row in range(len(data)):
        own = prices[prices["symbol"] == data.aside["symbol"][row]]
        until = own[own["date"] <= str(data.times[row])]
        assert data.X["prices"][row][-1, 3] == until["close"].iloc[-1]
        assert data.aside["days"][row][0] > data.times[row]
        closed += str(data.times[row]) not in set(own["date"])
    assert closed


def test_a_year_has_as_many_days_as_the_market_is_open() -> None:
    daily = _by_hand([[0.01]] * 50, step=1)
    assert daily.year == pytest.approx(365.25)
    assert 245 < _book().year < 262
    held = daily.positions(np.ones(50))
    assert daily.earn(held, 0).year == daily.year


@given(cost=st.floats(0, 100), more=st.floats(0.1, 100), seed=st.integers(0, 50))
def test_higher_costs_never_earn_more(cost: float, more: float, seed: int) -> None:
    book = _small()
    held = book.positions(_signals(book, seed))
    cheap, dear = book.earn(held, cost), book.earn(held, cost + more)
    assert (dear.gained <= cheap.gained).all()
    lost = (cheap.gained - dear.gained).sum()
    assert lost == pytest.approx(cheap.traded.sum() * more / 1e4)


@given(seed=st.integers(0, 50))
def test_short_is_the_opposite_of_long(seed: int) -> None:
    book = _small()
    held = book.positions(_signals(book, seed))
    assert np.allclose(book.earn(held, 0).gained, -book.earn(-held, 0).gained)


def _small() -> Book:
    rng = np.random.default_rng(3)
    return _by_hand(rng.normal(0, 0.02, (20, 2)).tolist(), step=2)


def test_foresight_earns_at_least_what_anything_else_does() -> None:
    book = _book()
    best = np.zeros(len(book.share))
    for row, share in enumerate(book.share):
        best[row] = np.prod(1 + book.returns[book.place[book.decision == row], share]) > 1
    seen = growth(book.earn(book.positions(best), 0).gained)
    assert seen > 1
    others = [growth(book.earn(book.positions(_signals(book, n)), 0).gained) for n in range(20)]
    assert seen > max(others)


def test_a_day_on_which_only_others_were_traded_changes_no_position() -> None:
    days = np.arange("2024-01-01", "2024-01-05", dtype="datetime64[D]")
    aside = pd.DataFrame({"symbol": ["A", "B"]})
    aside["days"] = pd.Series([days[[0, 1, 2]], days[[0, 2, 3]]], dtype=object)
    aside["steps"] = pd.Series([np.full(3, 0.1), np.full(3, 0.2)], dtype=object)
    book = Book.of(aside)
    held = book.positions(np.ones(2))
    assert held.tolist() == [[1, 1], [1, 1], [1, 1], [0, 1]]
    outcome = book.earn(held, 0)
    assert outcome.gained == pytest.approx([0.15, 0.05, 0.15, 0.2])
    assert outcome.traded.tolist() == [1, 0, 0, 0]


def test_random_entries_trade_as_much_as_the_strategy() -> None:
    book = _book()
    signals = _signals(book)
    own = book.earn(book.positions(signals), 10)
    drawn = list(shifted(book, signals, 1000, np.random.default_rng(0)))
    assert len(drawn) == (book.share == 0).sum() - 1
    for turned in drawn:
        outcome = book.earn(book.positions(turned), 10)
        # But for where the sequence was cut and joined.
        assert abs(outcome.traded.sum() - own.traded.sum()) <= 2 * len(book.symbols)
        assert outcome.held.sum() == pytest.approx(own.held.sum())
    assert len({turned.tobytes() for turned in drawn}) > len(drawn) // 2


@pytest.mark.parametrize(("positions", "other"), [("long-flat", 0.0), ("long-short", -1.0)])
def test_what_is_not_predicted_to_rise_is_left_or_sold(positions: str, other: float) -> None:
    assert signals_of(np.array([0.1, 0.0, -0.1]), positions).tolist() == [1.0, other, other]


def test_measures_of_returns_are_those_of_textbooks() -> None:
    gained = np.array([0.5, -0.5, 0.5, -0.5])
    assert growth(np.full(YEAR, 0.0)) == 0
    assert growth(np.array([0.1, -1.0])) == -1
    assert volatility(gained) == pytest.approx(math.sqrt(1 / 3 * YEAR))
    assert sharpe(np.full(9, 0.0)) == 0
    assert sharpe(np.array([0.0, 0.02])) == pytest.approx(0.01 / (0.02 / math.sqrt(2)) * 252**0.5)
    assert drawdown(gained) == pytest.approx(1 - 0.75 * 0.5)
    assert drawdown(np.array([0.1, 0.2])) == 0
    assert growth(np.full(365, 0.001), 365) == pytest.approx(1.001**365 - 1)


def test_ruin_is_for_good() -> None:
    gained = np.array([0.5, -1.5, 0.5, 4.0])
    assert worth(gained).tolist() == [1.5, 0, 0, 0]
    assert drawdown(gained) == 1
    assert growth(gained) == -1


def test_one_configuration_is_judged_by_the_probabilistic_sharpe_ratio() -> None:
    gained = np.random.default_rng(0).normal(0.0005, 0.01, 1000)
    daily = gained.mean() / gained.std(ddof=1)
    # Of normal returns skewness is 0 and kurtosis 3.
    near = NormalDist().cdf(daily * math.sqrt(999) / math.sqrt(1 + daily**2 / 2))
    assert deflated_sharpe(gained, 1) == pytest.approx(near, abs=0.01)
    assert deflated_sharpe(np.zeros(100), 1) == 0


def test_the_published_example_of_the_deflated_ratio_is_met() -> None:
    # Bailey and Lopez de Prado (2014): the best of 100 ratios of variance 1/2 a year, over 1,250
    # days of 250 a year, is 0.1132 a day by luck. Here the variance is 1/(T - 1).
    a_day = best_of_luck(1250, 100) / math.sqrt(YEAR)
    assert a_day * math.sqrt(1249) == pytest.approx(0.1132 / math.sqrt(0.5 / 250), abs=0.01)


@given(n=st.integers(1, 10_000))
def test_more_configurations_make_any_ratio_less_believable(n: int) -> None:
    gained = np.random.default_rng(0).normal(0.001, 0.01, 500)
    assert deflated_sharpe(gained, n + 1) <= deflated_sharpe(gained, n)
    assert best_of_luck(500, n + 1) >= best_of_luck(500, n)


def test_the_best_by_luck_is_the_mean_of_the_best_of_as_many() -> None:
    rng = np.random.default_rng(0)
    best = [max(sharpe(one) for one in rng.normal(0, 0.01, (20, 250))) for _ in range(300)]
    assert best_of_luck(250, 20) == pytest.approx(np.mean(best), rel=0.05)


def test_intervals_hold_the_difference_as_often_as_they_say() -> None:
    held = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        common = rng.normal(0, 0.01, 400)
        own, other = common + rng.normal(0.001, 0.004, 400), common
        _, low, high = paired_interval(own, other, np.mean, resamples=200, random_state=seed)
        held += low <= 0.001 <= high
    assert held >= 52


def test_luck_among_random_entries_is_a_p_value() -> None:
    own = _outcome(np.full(9, 0.01))
    worse, better = _outcome(np.full(9, 0.0)), _outcome(np.full(9, 0.02))
    assert by_chance(own, [worse] * 99) == "0 of 99, p = 0.01"
    assert by_chance(own, [worse] * 1498 + [better, own]) == "2 of 1,500, p = 0.002"


def _outcome(gained: NDArray[np.float64]) -> Outcome:
    return Outcome(gained=gained, traded=np.eye(1, len(gained))[0], held=np.ones(len(gained)))


def test_the_verdict_is_plain_whatever_came_out() -> None:
    rng = np.random.default_rng(0)
    market = rng.normal(0.0003, 0.01, 1500)
    holding = _outcome(market)
    noise = _outcome(market + rng.normal(0, 0.003, 1500))
    better = _outcome(market + rng.normal(0.002, 0.003, 1500))
    idle = Outcome(gained=np.zeros(1500), traded=np.zeros(1500), held=np.zeros(1500))
    said = verdict(noise, holding, 10)
    assert not said.beaten
    assert said.text.startswith("Nothing here beats buying and holding. After costs")
    assert "95% interval \N{MINUS SIGN}" in said.text
    ahead = _outcome(market + np.random.default_rng(4).normal(0.0001, 0.003, 1500))
    said = verdict(ahead, holding, 10)
    assert not said.beaten
    assert "a difference of +" in said.text
    assert said.text.startswith("Nothing here clearly beats buying and holding. After costs")
    said = verdict(better, holding, 10)
    assert said.beaten
    assert said.text.startswith("The strategy beats buying and holding.")
    assert "the strategy held everything on every day" in verdict(holding, holding, 1).text
    assert "never bought anything" in verdict(idle, holding, 1).text


def test_what_an_interval_shows_may_be_undone_by_how_much_was_tried() -> None:
    rng = np.random.default_rng(1)
    market = rng.normal(0.0003, 0.01, 1500)
    holding = _outcome(market)
    better = _outcome(market + rng.normal(0.0003, 0.004, 1500))
    assert verdict(better, holding, 1).beaten
    said = verdict(better, holding, 100_000)
    assert not said.beaten
    assert said.text.startswith("Nothing here is shown to beat buying and holding.")
    assert "with 100000 configurations tried the probability" in said.text


def _study(predicted: NDArray[np.float64], rows: NDArray[np.intp]) -> Study:
    """Return as much of a run's study as the sections on money look at."""
    loader = PriceTable(path=FIXTURE, target="return", positions="long-short")
    data = loader.load(FIXTURE.parent)
    half = len(data) // 2
    told = Predictions(
        y_true=data.y[rows],
        y_pred=predicted,
        decision=predicted,
        probability=None,
        classes=(),
        positive=1,
        ids=data.ids[rows],
        weight=np.ones(len(rows)),
    )
    seen: Any = SimpleNamespace(
        loader=loader,
        dataset=data,
        predictions=told,
        rows=rows,
        splits=[Split(np.arange(half), np.arange(half, len(data)))],
        seed=0,
        searched=1,
        searched_before=0,
        runs_before=0,
    )
    return cast("Study", seen)


def test_the_order_of_predictions_changes_no_money() -> None:
    n = len(PriceTable(path=FIXTURE).load(FIXTURE.parent))
    rng = np.random.default_rng(0)
    predicted, order = rng.normal(size=n), rng.permutation(n)
    plain = money_sections(_study(predicted, np.arange(n)))
    assert plain == money_sections(_study(predicted[order], order))


def test_predictions_of_one_decision_that_disagree_move_half_of_its_money_each() -> None:
    n = len(PriceTable(path=FIXTURE).load(FIXTURE.parent))
    rows, predicted = np.tile(np.arange(n), 2), np.repeat([1.0, -1.0], n)
    (section,) = money_sections(_study(predicted, rows))
    assert "the strategy never bought anything" in section.intro


@pytest.mark.parametrize("target", ["direction", "return"])
def test_a_run_on_a_table_of_ones_own_reports_its_money(tmp_path: Path, target: str) -> None:
    def run(**data: Any) -> Any:
        return widemargin.run(
            "trading",
            data={"path": str(FIXTURE), "target": target, **data},
            svm={"kernel": "linear", "C": [0.1, 1.0]},
            evaluation={"outer": 3, "inner": 2, "resamples": 100, "map": "none"},
            runs=tmp_path,
        )

    run(positions="long-short")
    made = run()
    (section,) = load_sections((made.path / "analysis.json").read_bytes())
    assert section.title == "What it would have earned"
    assert "buying and holding" in section.intro
    assert "10 hundredths of a per cent" in section.intro
    figures, curves, luck, stretches = section.blocks
    assert isinstance(figures, Table)
    assert [row[0] for row in figures.rows][:3] == [
        "growth a year",
        "volatility a year",
        "Sharpe ratio",
    ]
    assert isinstance(curves, Lines)
    assert [one.name for one in curves.series][:2] == ["strategy", "holding all shares"]
    assert len(curves.series[2].low) == len(curves.series[2].x)
    assert isinstance(luck, Facts)
    assert luck.pairs[0] == (
        "Configurations tried",
        "4: 2 cells of this run's search, and 2 of 1 other config run before on the same data",
    )
    assert isinstance(stretches, Table)
    assert len(stretches.rows) == 3
    assert made.predict(FIXTURE)["id"].tolist() == ["ACME 2022-03-25", "BOLT 2022-03-25"]


def test_a_market_that_can_be_foreseen_is_told_to_be_beaten(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    n = 900
    # Long rises and falls: what the last weeks did goes on for a while.
    trend = np.repeat(np.where(np.arange(n // 45) % 2 == 0, 0.006, -0.006), 45)
    tables = []
    for name in ("ACME", "BOLT"):
        close = 100 * np.exp(np.cumsum(trend + rng.normal(0, 0.008, n)))
        days = pd.bdate_range("2015-01-01", periods=n).strftime("%Y-%m-%d")
        spread = {"open": close, "high": 1.01 * close, "low": 0.99 * close, "close": close}
        tables.append(pd.DataFrame({"symbol": name, "date": days, **spread, "volume": 1000}))
    pd.concat(tables).to_csv(tmp_path / "prices.csv", index=False)
    made = widemargin.run(
        "trading",
        data={"path": str(tmp_path / "prices.csv"), "every": 2},
        svm={"kernel": "linear", "C": [0.01, 0.1]},
        evaluation={"outer": 3, "inner": 2, "resamples": 100, "map": "none"},
        runs=tmp_path,
    )
    (section,) = load_sections((made.path / "analysis.json").read_bytes())
    assert section.intro.startswith("The strategy beats buying and holding.")
    assert made.metrics["roc_auc"] > 0.8
