"""Nothing that was known later may change what was known, or predicted, before."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from widemargin.config import resolve
from widemargin.contracts import DatasetCard, Silent
from widemargin.data import read_table
from widemargin.encoders import IndicatorsEncoder
from widemargin.registry import discover
from widemargin.runs import RunStore
from widemargin.runs.runner import execute
from widemargin_trading.data import PriceTable
from widemargin_trading.lookahead import Made, looking_ahead, with_other_future
from widemargin_trading.prices import Prices, parse_prices

FIXTURE = Path(__file__).parents[2] / "plugins" / "widemargin_trading" / "fixture.csv"
DAY = np.datetime64("2021-12-01")
ENCODER = IndicatorsEncoder()


def _series() -> list[Prices]:
    return parse_prices(read_table(FIXTURE), "fixture.csv")


def _indicators(series: Sequence[Prices]) -> Made:
    loader = PriceTable(path=FIXTURE, every=1)
    data = loader._dataset(series, DatasetCard(title="Invented"))
    assert data.times is not None
    return data.times, ENCODER.columns, ENCODER.transform({"prices": list(data.X["prices"])})


@cache
def _ahead() -> tuple[str, ...]:
    return looking_ahead(_indicators, _series(), DAY)


@pytest.mark.parametrize("feature", ENCODER.columns)
def test_no_indicator_looks_ahead(feature: str) -> None:
    assert "rows" not in _ahead()
    assert feature not in _ahead()


@pytest.mark.parametrize("feature", ENCODER.columns)
def test_every_indicator_would_be_found_out_if_windows_ended_a_day_late(feature: str) -> None:
    def late(series: Sequence[Prices]) -> Made:
        days, names, _ = _indicators(series)
        rows = []
        for day in days[::2]:
            rows += [one.rows[: int(np.searchsorted(one.days, day)) + 2] for one in series]
        return days, names, ENCODER.transform({"prices": rows})

    # Half of the indicators hardly move on a usual day: the other future begins on several.
    found = {
        name
        for day in ("2021-11-01", "2021-12-01", "2022-01-03", "2022-02-01")
        for name in looking_ahead(late, _series(), np.datetime64(day))
    }
    assert feature in found


def test_a_feature_of_all_days_together_is_found_out() -> None:
    def leaking(series: Sequence[Prices]) -> Made:
        days, names, features = _indicators(series)
        # Standardised by days to come: the commonest way to look ahead.
        features[:, 3] = (features[:, 3] - features[:, 3].mean()) / features[:, 3].std()
        return days, names, features

    assert looking_ahead(leaking, _series(), DAY) == (ENCODER.columns[3],)


def test_another_future_that_changes_which_days_are_decided_on_is_found_out() -> None:
    def choosing(series: Sequence[Prices]) -> Made:
        days, names, features = _indicators(series)
        kept = features[:, 0] > np.median(features[:, 0])
        return days[kept], names, features[kept]

    assert looking_ahead(choosing, _series(), DAY) == ("rows",)


def test_what_is_missing_in_either_future_looks_not_ahead() -> None:
    def gappy(series: Sequence[Prices]) -> Made:
        days, names, features = _indicators(series)
        features[0, :2] = np.nan
        if series[0].rows[-1, 3] != _series()[0].rows[-1, 3]:
            features[0, 0] = 1.0
        return days, names, features

    assert looking_ahead(gappy, _series(), DAY) == (ENCODER.columns[0],)


def test_a_past_without_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="no row is of 2020-01-01 or before"):
        looking_ahead(_indicators, _series(), np.datetime64("2020-01-01"))


def test_another_future_leaves_the_past_alone_and_nothing_else() -> None:
    (one, _), rng = _series(), np.random.default_rng(0)
    other = with_other_future(one, DAY, rng)
    past = one.days <= DAY
    assert (other.rows[past] == one.rows[past]).all()
    assert (other.rows[~past] != one.rows[~past]).all()
    assert (other.rows[:, 1] >= other.rows[:, 2]).all()


def test_a_dividend_to_come_scales_past_prices_and_changes_no_feature() -> None:
    series = _series()
    _, _, before = _indicators(series)
    scaled = [
        Prices(symbol=one.symbol, days=one.days, rows=one.rows * [0.5, 0.5, 0.5, 0.5, 1.0])
        for one in series
    ]
    np.testing.assert_allclose(_indicators(scaled)[2], before, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    # The Gram matrix of all rows is in float32, and rounded as its largest rows demand.
    ("target", "kernel", "rounding"),
    [("direction", "linear", 0.0), ("return", "linear", 0.0), ("direction", "rbf", 1e-3)],
)
def test_past_predictions_are_the_same_whatever_comes_later(
    tmp_path: Path, target: str, kernel: str, rounding: float
) -> None:
    registry = discover()
    case = registry.use_case("trading")

    def predictions(series: Sequence[Prices], name: str) -> pd.DataFrame:
        path = tmp_path / f"{name}.csv"
        _write(series, path)
        asked = {
            "data": {"path": str(path), "target": target, "every": 1, "history": 61},
            "features": {"encoder": {"name": "indicators", "lookback": 61}},
            "svm": {"kernel": kernel, "C": [0.01, 0.1]},
            "evaluation": {"outer": 3, "inner": 2, "resamples": 100, "map": "none"},
        }
        config = resolve(case, [asked], encoders=registry.encoders, kernels=registry.kernels)
        record = execute(config, case, registry, RunStore(tmp_path / name), progress=Silent())
        return pd.read_parquet(record.path / "predictions.parquet")

    series = _series()
    before = predictions(series, "before")
    days = np.array([one[-10:] for one in before["id"]], dtype="datetime64[D]")
    last = days[before["fold"] == 1].max()
    rng = np.random.default_rng(0)
    after = predictions([with_other_future(one, last, rng) for one in series], "after")
    assert (before["id"] == after["id"]).all()
    past = before["fold"] < 2
    assert 0 < past.sum() < len(before)
    apart = (before["decision"] - after["decision"]).abs() / before["decision"].std()
    assert apart[past].max() <= rounding
    assert (before["y_pred"][past] == after["y_pred"][past]).mean() >= 1 - rounding
    assert apart[~past].max() > 0.1


def _write(series: Sequence[Prices], path: Path) -> None:
    def lines(one: Prices) -> pd.DataFrame:
        rows: NDArray[np.float64] = one.rows
        columns = dict(zip(("open", "high", "low", "close"), rows.T[:4], strict=True))
        volume = rows[:, 4] / rows[:, 3]
        return pd.DataFrame(
            {"symbol": one.symbol, "date": one.days.astype(str), **columns, "volume": volume}
        )

    pd.concat([lines(one) for one in series]).to_csv(path, index=False)
