"""Scales: from numbers to places, and the round numbers that axes name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from widemargin.report.wordings import MINUS

__all__ = ["Scale", "extent", "nice_ticks", "simplified", "thinned", "tick_texts"]


@dataclass(frozen=True)
class Scale:
    """From a number between `low` and `high` to a place between `start` and `end`.

    Examples
    --------
    >>> Scale(0, 10, 100, 200)(5)
    150.0
    >>> Scale(1, 100, 0, 200, log=True)(10)
    100.0
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Place a value; one outside the range lands on the nearer end."""
        low, high, value = (self._through(part) for part in (self.low, self.high, value))
        share = (value - low) / (high - low) if high > low else 0.5
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self, wanted: int = 5) -> list[float]:
        """Round numbers within the range."""
        if not self.log:
            return nice_ticks(self.low, self.high, wanted)
        first = math.ceil(round(math.log10(self.low), 9))
        last = math.floor(round(math.log10(self.high), 9))
        step = max(1, math.ceil((last - first + 1) / (wanted + 1)))
        tens = [10.0**power for power in range(first, last + 1, step)]
        if len(tens) >= 3:
            return tens
        finer = (m * 10.0**p for p in range(first - 1, last + 1) for m in (1, 2, 5))
        return [tick for tick in finer if self.low * 0.999 <= tick <= self.high * 1.001]

    def _through(self, value: float) -> float:
        return math.log10(max(value, 1e-300)) if self.log else value


def nice_ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Choose about so many round numbers (1, 2 or 5 times a power of ten) within a range.

    Examples
    --------
    >>> nice_ticks(0, 1)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    >>> nice_ticks(-3, 12, 3)
    [0.0, 5.0, 10.0]
    """
    if not high > low:
        return [low]
    raw = (high - low) / max(wanted, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    ends = [
        (math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9), step)
        for step in (m * power for m in (10, 5, 2, 1))
    ]
    first, last, step = min(ends, key=lambda end: abs(end[1] - end[0] + 1 - wanted))
    # Rounding to the step's own decimals drops what binary fractions leave behind.
    places = max(0, -math.floor(math.log10(step))) + 1
    return [round(k * step, places) + 0.0 for k in range(first, last + 1)]


def tick_texts(ticks: Sequence[float]) -> list[str]:
    """Write ticks with the decimals that tell them apart.

    Examples
    --------
    >>> tick_texts([0.0, 0.5, 1.0]), tick_texts([0.0, 2000.0]), tick_texts([0.001, 0.01, 100.0])
    (['0', '0.5', '1'], ['0', '2,000'], ['0.001', '0.01', '100'])
    >>> tick_texts([500_000.0, 1_000_000.0]), tick_texts([5e8, 1e9])
    (['500,000', '1,000,000'], ['5e8', '1e9'])
    """
    # From 1e9 on the axis speaks in powers of ten, then for its smaller large numbers too.
    most = 1e9 if all(abs(tick) < 1e9 for tick in ticks) else 1e6
    return [_tick_text(tick, most) for tick in ticks]


def _tick_text(tick: float, most: float) -> str:
    if tick == 0:
        return "0"
    if abs(tick) >= most or abs(tick) < 1e-4:
        mantissa, exponent = f"{tick:.2e}".split("e")
        short = mantissa.rstrip("0").rstrip(".")
        return f"{short}e{int(exponent)}".replace("-", MINUS)
    return f"{tick:,.6f}".rstrip("0").rstrip(".").replace("-", MINUS)


def extent(values: Iterable[float], pad: float = 0.04) -> tuple[float, float]:
    """Find the range of finite values, a little widened; 0 to 1 where there are none.

    Examples
    --------
    >>> extent([1.0, 3.0], pad=0.5), extent([2.0]), extent([])
    ((0.0, 4.0), (1.5, 2.5), (0.0, 1.0))
    """
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    if low == high:
        return low - 0.5, high + 0.5
    return low - pad * (high - low), high + pad * (high - low)


def thinned(n: int, most: int) -> list[int]:
    """Choose at most so many of `n` positions, evenly, both ends among them.

    Examples
    --------
    >>> thinned(9, 3), thinned(2, 5)
    ([0, 4, 8], [0, 1])
    """
    if n <= most:
        return list(range(n))
    return sorted({round(k * (n - 1) / (most - 1)) for k in range(most)})


def simplified(
    points: Sequence[tuple[float, float]], tolerance: float = 0.3
) -> list[tuple[float, float]]:
    """Leave out points that lie on the line between their neighbours (Douglas and Peucker, 1973).

    Examples
    --------
    >>> simplified([(0, 0), (1, 0), (2, 0), (2, 5)])
    [(0, 0), (2, 0), (2, 5)]
    """
    if len(points) < 3:
        return list(points)
    kept = {0, len(points) - 1}
    pending = [(0, len(points) - 1)]
    while pending:
        first, last = pending.pop()
        (x1, y1), (x2, y2) = points[first], points[last]
        length = math.hypot(x2 - x1, y2 - y1)
        worst, at = tolerance, -1
        for k in range(first + 1, last):
            x, y = points[k]
            if length:
                away = abs((x2 - x1) * (y1 - y) - (x1 - x) * (y2 - y1)) / length
            else:
                away = math.hypot(x - x1, y - y1)
            if away > worst:
                worst, at = away, k
        if at >= 0:
            kept.add(at)
            pending += [(first, at), (at, last)]
    return [points[k] for k in sorted(kept)]
