r"""Indicators of price series: what a chart shows, as numbers without a unit.

Returns over several horizons, volatility, the relative strength index and the average true range
(Wilder 1978, "New Concepts in Technical Trading Systems"), moving average convergence and
divergence (Appel 1979), Bollinger's %b (Bollinger 2001), stochastic %K, drawdown and volume. With
the daily log returns :math:`r_t = \ln c_t - \ln c_{t-1}` and their deviation :math:`\sigma` over
the window, a return over h rows stands in units of what would be usual,
:math:`(\ln c_t - \ln c_{t-h}) / (\sigma \sqrt h)`, and so do the other differences of prices: the
numbers are of the order of 1, and mean the same for a quiet share as for a wild one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from widemargin.contracts import Columns, EncoderSpec, Section
from widemargin.encoders.items import column_of
from widemargin.encoders.named import NamedEncoder
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["INDICATORS", "IndicatorsEncoder", "IndicatorsSettings"]

_COLUMNS = ("open", "high", "low", "close", "volume")

_FLOOR = 1e-6
"""The least deviation of returns that is told from none, a ten-thousandth of a per cent."""

_FAR = 1e15
"""How far apart two prices of a window may be, as a quotient: within what floats tell apart."""

Rows = Annotated[int, Field(ge=2, le=5000)]


class IndicatorsSettings(Section):
    """Settings of the encoder ``indicators``."""

    lookback: Annotated[int, Field(ge=3, le=10_000)] = Field(
        120, description="rows of a window that are read, the last ones; fewer are refused"
    )
    returns: tuple[Annotated[int, Field(ge=1, le=5000)], ...] = Field(
        (1, 2, 5, 10, 20, 60), description="rows that each return goes back"
    )
    window: Rows = Field(
        20, description="rows of recent volatility, moving average, Bollinger bands and volume"
    )
    strength: Rows = Field(
        14, description="rows of relative strength, true range and stochastic %K"
    )
    averages: tuple[Rows, Rows, Rows] = Field(
        (12, 26, 9), description="rows of MACD's fast and slow averages and of its signal"
    )

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        longest = max(*self.returns, self.window, self.strength, *self.averages, 0)
        if self.lookback <= longest:
            raise ValueError(
                f"lookback, {self.lookback}, must exceed every other length; the longest is "
                f"{longest}"
            )
        if len(set(self.returns)) != len(self.returns):
            raise ValueError(f"returns: {list(self.returns)} names a length twice")
        if self.averages[0] >= self.averages[1]:
            raise ValueError(
                f"averages: the fast one, {self.averages[0]}, must be shorter than the slow one, "
                f"{self.averages[1]}"
            )
        return self


class IndicatorsEncoder(NamedEncoder):
    """Technical indicators of a window of prices, known at its last row.

    An item is an array of shape (n_times, 5): open, high, low, close and volume, the oldest row
    first. Its last row is the last that is known when the decision is made; what comes later must
    not be in it. Only the last `lookback` rows are read, so that older ones change nothing.

    No number has a unit: prices, or volumes, all multiplied by one factor give the same vectors.
    Where nothing moved, differences are 0, bands and strength stand in the middle, and deviations
    at a floor of a millionth.

    Parameters
    ----------
    lookback : int, default=120
        Rows that are read, and that an item needs.
    returns : tuple of int, default=(1, 2, 5, 10, 20, 60)
        Rows that each return goes back.
    window : int, default=20
        Rows of recent volatility, moving average, Bollinger bands and volume.
    strength : int, default=14
        Rows of relative strength, true range and stochastic %K.
    averages : tuple of (int, int, int), default=(12, 26, 9)
        Rows of MACD's fast and slow averages and of its signal.

    Examples
    --------
    >>> close = 100 * 1.01 ** np.arange(130.0)
    >>> prices = np.stack([close, close, close, close, np.ones(130)], axis=1)
    >>> encoder = IndicatorsEncoder()
    >>> row = dict(zip(encoder.columns, encoder.transform([prices])[0].tolist()))
    >>> row["relative strength 14"], row["drawdown"]
    (1.0, 0.0)
    """

    name: ClassVar[str] = "indicators"

    def __init__(
        self,
        lookback: int = 120,
        returns: tuple[int, ...] = (1, 2, 5, 10, 20, 60),
        window: int = 20,
        strength: int = 14,
        averages: tuple[int, int, int] = (12, 26, 9),
    ) -> None:
        self.lookback = lookback
        self.returns = returns
        self.window = window
        self.strength = strength
        self.averages = averages

    @property
    def columns(self) -> tuple[str, ...]:
        """The name of each number, in order."""
        w, s = self.window, self.strength
        macd = "MACD " + "/".join(map(str, self.averages))
        return (
            *(f"return over {h}" for h in self.returns),
            "log volatility in %",
            f"log of volatility {w} to all",
            f"skewness of returns {w}",
            f"share of rises {w}",
            f"relative strength {s}",
            macd,
            f"{macd} signal",
            f"{macd} difference",
            f"Bollinger %b {w}",
            f"distance from mean {w}",
            "distance from mean of all",
            f"log true range {s} in %",
            f"stochastic %K {s}",
            "drawdown",
            "rise from lowest",
            "close within the day",
            "gap at the opening",
            f"volume z-score {w}",
            f"log of volume to mean {w}",
        )

    def items(self, X: Columns | Sequence[Any]) -> list[NDArray[np.float64]]:
        """Return the last `lookback` rows of each window.

        Raises
        ------
        DataError
            Where a window is too short, or not of prices.
        """
        return [self._read(at, given) for at, given in enumerate(column_of(X, "series"), start=1)]

    def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
        """Return vectors of shape (n_items, dimension)."""
        rows = np.array(items, dtype=np.float64).reshape(len(items), self.lookback, 5)
        # In units of the last close and the largest volume, no square is too large for a float.
        largest = rows[:, :, 4].max(axis=1, initial=0.0)
        volume = rows[:, :, 4] / np.where(largest > 0, largest, 1.0)[:, None]
        relative = rows[:, :, :4] / rows[:, -1:, 3:4]
        opened, high, low, close = (relative[:, :, k].copy() for k in range(4))
        log_close = np.log(close)
        steps = np.diff(log_close, axis=1)
        usual = np.maximum(steps.std(axis=1), _FLOOR)
        parts = [
            (log_close[:, -1] - log_close[:, -1 - h]) / (usual * np.sqrt(h)) for h in self.returns
        ]
        parts += self._moves(steps, usual)
        parts += self._averages(close, usual)
        parts += self._ranges(high, low, close, usual)
        top = np.maximum(high[:, -1], low[:, -1]) - low[:, -1]
        parts += [
            (log_close[:, -1] - log_close.max(axis=1)) / (usual * np.sqrt(self.lookback)),
            (log_close[:, -1] - log_close.min(axis=1)) / (usual * np.sqrt(self.lookback)),
            _share(close[:, -1] - low[:, -1], top),
            (np.log(opened[:, -1]) - log_close[:, -2]) / usual,
        ]
        parts += _volumes(volume[:, -self.window :].copy())
        return np.stack(parts, axis=1).astype(np.float32)

    def _read(self, at: int, given: Any) -> NDArray[np.float64]:
        try:
            window = np.asarray(given, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(f"indicators: item {at}: is no array of numbers ({error}).") from error
        if window.ndim != 2 or window.shape[1] != 5:
            raise DataError(
                f"indicators: item {at}: has the shape {window.shape}; it must be (n_times, 5): "
                f"{', '.join(_COLUMNS)}."
            )
        if len(window) < self.lookback:
            raise DataError(
                f"indicators: item {at}: has {len(window)} rows and {self.lookback} are needed. "
                "Give each item a longer history (data.history, where the data have that setting), "
                "leave out the items that cannot have one, or lower lookback."
            )
        window = window[-self.lookback :]
        good = np.isfinite(window) & (window >= 0)
        good[:, :4] &= window[:, :4] > 0
        if not good.all():
            row, column = np.argwhere(~good)[0]
            rule = "a volume must be 0 or above" if column == 4 else "a price must be above 0"
            raise DataError(
                f"indicators: item {at}: {_COLUMNS[column]} is {window[row, column]:g} in row "
                f"{self.lookback - row} from the end; {rule}, and finite. Fill it in, or leave "
                "that day out."
            )
        prices = window[:, :4]
        if prices.max() / _FAR > prices.min():
            raise DataError(
                f"indicators: item {at}: prices go from {prices.min():g} to {prices.max():g}, "
                "which no market's do. Look for days in another unit."
            )
        return window

    def _moves(
        self, steps: NDArray[np.float64], usual: NDArray[np.float64]
    ) -> list[NDArray[np.float64]]:
        """Return volatility, skewness, share of rises and relative strength."""
        recent = steps[:, -self.window :].copy()
        now = np.maximum(recent.std(axis=1), _FLOOR)
        centred = (recent - recent.mean(axis=1)[:, None]) / now[:, None]
        gains = _smoothed(np.maximum(steps, 0), self.strength)
        losses = _smoothed(np.maximum(-steps, 0), self.strength)
        return [
            np.log(100 * usual),
            np.log(now / usual),
            (centred * centred * centred).mean(axis=1),
            (recent > 1e-9).mean(axis=1),
            2 * _share(gains, gains + losses) - 1,
        ]

    def _averages(
        self, close: NDArray[np.float64], usual: NDArray[np.float64]
    ) -> list[NDArray[np.float64]]:
        """Return MACD, %b and distances from means, in units of a usual day's move."""
        fast, slow, span = self.averages
        line = _exponential(close, fast) - _exponential(close, slow)
        signal = _exponential(line, span)[:, -1]
        recent = close[:, -self.window :].copy()
        mean, spread = recent.mean(axis=1), recent.std(axis=1)
        # Prices that stand still have a spread of rounding errors.
        still = spread <= _FLOOR * mean
        apart = np.where(still, 0.0, (close[:, -1] - mean) / np.where(still, 1.0, spread))
        return [
            line[:, -1] / usual,
            signal / usual,
            (line[:, -1] - signal) / usual,
            0.5 + apart / 4,
            -np.log(mean) / (usual * np.sqrt(self.window)),
            -np.log(close.mean(axis=1)) / (usual * np.sqrt(self.lookback)),
        ]

    def _ranges(
        self,
        high: NDArray[np.float64],
        low: NDArray[np.float64],
        close: NDArray[np.float64],
        usual: NDArray[np.float64],
    ) -> list[NDArray[np.float64]]:
        """Return the true range and where the close stands between highest and lowest."""
        before = close[:, :-1]
        true_range = np.maximum(high[:, 1:], before) - np.minimum(low[:, 1:], before)
        # Rounded or adjusted prices may have a high below the low.
        true_range = np.maximum(_smoothed(np.maximum(true_range, 0), self.strength), _FLOOR)
        lowest = low[:, -self.strength :].min(axis=1)
        highest = high[:, -self.strength :].max(axis=1)
        return [
            np.log(100 * true_range),
            _share(close[:, -1] - lowest, highest - lowest),
        ]


def _volumes(volume: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    mean, spread = volume.mean(axis=1), volume.std(axis=1)
    still = spread <= _FLOOR * mean
    apart = np.where(still, 0.0, (volume[:, -1] - mean) / np.where(still, 1.0, spread))
    traded = mean > 0
    # A day without trade is a thousandth of a usual one, so that its logarithm exists.
    ratio = np.where(traded, volume[:, -1] / np.where(traded, mean, 1.0), 1.0)
    return [apart, np.log(np.maximum(ratio, 1e-3))]


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return part of whole, between 0 and 1; one half where there is no whole."""
    there = whole > 1e-12
    return np.clip(np.where(there, part / np.where(there, whole, 1.0), 0.5), 0, 1)


def _smoothed(values: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return Wilder's average at the end: the mean of the first n, then 1/n of each new value."""
    average: NDArray[np.float64] = values[:, :n].copy().mean(axis=1)
    for k in range(n, values.shape[1]):
        average = average + (values[:, k] - average) / n
    return average


def _exponential(values: NDArray[np.float64], span: int) -> NDArray[np.float64]:
    """Return the exponential moving averages, begun at the first value."""
    out = values.copy()
    for k in range(1, values.shape[1]):
        out[:, k] = out[:, k - 1] + (values[:, k] - out[:, k - 1]) * 2 / (span + 1)
    return out


def _build(settings: IndicatorsSettings) -> IndicatorsEncoder:
    return IndicatorsEncoder(**settings.model_dump())


INDICATORS = EncoderSpec(
    name="indicators",
    summary="returns, volatility, strength and volume of a window of prices, without units",
    kinds=("series",),
    learns="nothing",
    settings=IndicatorsSettings,
    build=_build,
    dimension=len(IndicatorsEncoder().columns),
)
