"""Indicators: known values, no units, and nothing but the last rows of the window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError

from widemargin.encoders.tables.indicators import (
    INDICATORS,
    IndicatorsEncoder,
    IndicatorsSettings,
)
from widemargin.errors import DataError
from widemargin.testing.encoder_checks import check_encoder

SMALL: dict[str, Any] = {
    "lookback": 12,
    "returns": (1, 3),
    "window": 5,
    "strength": 4,
    "averages": (2, 4, 3),
}


def make_prices(n: int, seed: int = 0) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.02, n)))
    opened = np.concatenate([[100.0], close[:-1]]) * np.exp(random.normal(0, 0.005, n))
    high = np.maximum(opened, close) * 1.003
    low = np.minimum(opened, close) * 0.995
    return np.column_stack([opened, high, low, close, random.uniform(1e4, 2e5, n)])


def named(prices: Any, **parameters: Any) -> dict[str, float]:
    encoder = IndicatorsEncoder(**parameters)
    return dict(zip(encoder.columns, encoder.transform([prices])[0].tolist(), strict=True))


def test_numbers_are_those_of_their_definitions() -> None:
    window = make_prices(12)
    opened, high, low, close, volume = window.T
    row = named(window, **SMALL)
    steps = np.diff(np.log(close))
    usual = steps.std()
    recent = close[-5:]
    assert row["return over 3"] == pytest.approx(np.log(close[-1] / close[-4]) / usual / 3**0.5)
    assert row["log volatility in %"] == pytest.approx(np.log(100 * usual), rel=1e-5)
    assert row["log of volatility 5 to all"] == pytest.approx(np.log(steps[-5:].std() / usual))
    assert row["share of rises 5"] == pytest.approx((steps[-5:] > 0).mean())
    upper, lower = (recent.mean() + sign * 2 * recent.std() for sign in (1, -1))
    assert row["Bollinger %b 5"] == pytest.approx((close[-1] - lower) / (upper - lower), rel=1e-5)
    lowest, highest = low[-4:].min(), high[-4:].max()
    assert row["stochastic %K 4"] == pytest.approx((close[-1] - lowest) / (highest - lowest))
    assert row["gap at the opening"] == pytest.approx(np.log(opened[-1] / close[-2]) / usual)
    assert row["close within the day"] == pytest.approx((close[-1] - low[-1]) / (high - low)[-1])
    assert row["volume z-score 5"] == pytest.approx(
        (volume[-1] - volume[-5:].mean()) / volume[-5:].std(), rel=1e-5
    )


def test_relative_strength_and_true_range_are_wilders() -> None:
    window = make_prices(12)
    _, high, low, close, _ = window.T
    steps = np.diff(np.log(close))

    def wilder(values: NDArray[np.float64]) -> float:
        average = float(values[:4].mean())
        for value in values[4:].tolist():
            average = (3 * average + value) / 4
        return average

    gains, losses = wilder(np.maximum(steps, 0)), wilder(np.maximum(-steps, 0))
    row = named(window, **SMALL)
    index = 100 - 100 / (1 + gains / losses)
    assert row["relative strength 4"] == pytest.approx((index - 50) / 50, rel=1e-5)
    ranges = [
        max(high[k] - low[k], abs(high[k] - close[k - 1]), abs(low[k] - close[k - 1]))
        for k in range(1, 12)
    ]
    expected = np.log(100 * wilder(np.array(ranges)) / close[-1])
    assert row["log true range 4 in %"] == pytest.approx(expected, rel=1e-5)


def test_moving_averages_are_pandas_own() -> None:
    import pandas as pd

    window = make_prices(12)
    close = pd.Series(window[:, 3])
    fast, slow = (close.ewm(span=span, adjust=False).mean() for span in (2, 4))
    line = fast - slow
    signal = line.ewm(span=3, adjust=False).mean()
    usual = np.diff(np.log(window[:, 3])).std() * window[-1, 3]
    row = named(window, **SMALL)
    assert row["MACD 2/4/3"] == pytest.approx(line.iloc[-1] / usual, rel=1e-5)
    assert row["MACD 2/4/3 signal"] == pytest.approx(signal.iloc[-1] / usual, rel=1e-5)
    difference = (line - signal).iloc[-1] / usual
    assert row["MACD 2/4/3 difference"] == pytest.approx(difference, rel=1e-4, abs=1e-6)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_units_of_prices_and_of_volume_change_nothing(seed: int, price: float, lot: float) -> None:
    window = make_prices(130, seed)
    other = window * np.array([price, price, price, price, lot])
    one, two = IndicatorsEncoder().transform([window, other])
    np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-5)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(0, 80))
def test_rows_older_than_lookback_change_nothing(seed: int, older: int) -> None:
    window = make_prices(120, seed)
    longer = np.concatenate([make_prices(older, seed + 1) * 3, window])
    one, two = IndicatorsEncoder().transform([window, longer])
    np.testing.assert_array_equal(one, two)


def test_each_window_is_by_itself_whatever_else_is_encoded() -> None:
    windows = [make_prices(130, seed) for seed in range(7)]
    whole = IndicatorsEncoder().transform(windows)
    alone = np.concatenate([IndicatorsEncoder().transform([window]) for window in windows])
    np.testing.assert_array_equal(whole, alone)


def test_what_comes_later_cannot_be_seen() -> None:
    series = make_prices(200)
    changed = series.copy()
    changed[150:] *= 2
    encoder = IndicatorsEncoder()
    np.testing.assert_array_equal(
        encoder.transform([series[:150]]), encoder.transform([changed[:150]])
    )


@pytest.mark.parametrize("price", [1.0, 0.1, 1e-200, 1e200])
@pytest.mark.parametrize("volume", [0.0, 7.0, 1e300])
def test_a_market_that_stands_still_is_in_the_middle(price: float, volume: float) -> None:
    window = np.tile([price, price, price, price, volume], (120, 1))
    row = named(window)
    floors = {"log volatility in %", "log true range 14 in %"}
    middles = {"Bollinger %b 20", "stochastic %K 14", "close within the day"}
    assert all(row[name] == pytest.approx(np.log(1e-4)) for name in floors)
    assert all(row[name] == 0.5 for name in middles)
    assert not any(value for name, value in row.items() if name not in floors | middles)


def test_strength_and_bands_stay_between_their_ends() -> None:
    for close, strength in ((100 * 1.01 ** np.arange(120.0), 1), (0.99 ** np.arange(120.0), -1)):
        window = np.column_stack([close] * 4 + [np.ones(120)])
        row = named(window)
        assert row["relative strength 14"] == pytest.approx(strength)
        assert row["stochastic %K 14"] == (1 if strength == 1 else 0)


def test_numbers_are_of_the_order_of_one() -> None:
    rows = IndicatorsEncoder().transform([make_prices(120, seed) for seed in range(50)])
    assert rows.std(axis=0).min() > 0.05
    assert np.abs(rows).max() < 8


def test_a_window_that_is_too_short_is_told_what_it_needs() -> None:
    with pytest.raises(DataError) as caught:
        IndicatorsEncoder().transform([make_prices(120), make_prices(119)])
    assert str(caught.value) == (
        "indicators: item 2: has 119 rows and 120 are needed. Give each item a longer history "
        "(data.history, where the data have that setting), leave out the items that cannot have "
        "one, or lower lookback."
    )


@pytest.mark.parametrize(
    ("at", "value", "said"),
    [
        ((-1, 3), 0.0, "close is 0 in row 1 from the end; a price must be above 0, and finite"),
        ((-5, 0), np.nan, "open is nan in row 5 from the end; a price must be above 0, and finite"),
        ((-2, 4), -1.0, "volume is -1 in row 2 from the end; a volume must be 0 or above"),
        ((-3, 1), np.inf, "high is inf in row 3 from the end; a price must be above 0, and finite"),
        ((-3, 1), 1e30, r"prices go from .* to 1e\+30, which no market's do"),
    ],
)
def test_a_price_that_is_none_is_named(at: tuple[int, int], value: float, said: str) -> None:
    window = make_prices(130)
    window[at] = value
    with pytest.raises(DataError, match=f"indicators: item 1: {said}"):
        IndicatorsEncoder().transform([window])


def test_what_is_wrong_before_the_rows_that_are_read_does_no_harm() -> None:
    window = make_prices(130)
    window[:10] = np.nan
    assert np.isfinite(IndicatorsEncoder().transform([window])).all()


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (np.ones(120), r"has the shape \(120,\)"),
        (np.ones((120, 4)), r"has the shape \(120, 4\); it must be \(n_times, 5\): open, high"),
        ("prices", "is no array of numbers"),
        ([[1, 2], [3]], "is no array of numbers"),
    ],
)
def test_what_is_no_window_is_refused(item: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        IndicatorsEncoder().transform([item])


def test_lists_of_rows_are_read_as_arrays_are() -> None:
    window = make_prices(120)
    one, two = IndicatorsEncoder().transform({"prices": [window, window.tolist()]})
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"lookback": 60}, "lookback, 60, must exceed every other length; the longest is 60"),
        ({"averages": (26, 12, 9)}, "the fast one, 26, must be shorter than the slow one, 12"),
        ({"returns": (1, 1)}, r"returns: \[1, 1\] names a length twice"),
    ],
)
def test_lengths_that_do_not_go_together_are_refused(settings: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        IndicatorsSettings(**settings)


@pytest.mark.parametrize("settings", [{}, SMALL, {"returns": ()}])
def test_it_does_what_every_encoder_must_do(settings: dict[str, Any]) -> None:
    check_encoder(INDICATORS, IndicatorsSettings(**settings))
