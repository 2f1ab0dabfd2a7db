"""How numbers, counts and dates are written for people."""

from __future__ import annotations

import math
from datetime import datetime

from widemargin.contracts import Metric

__all__ = [
    "MINUS",
    "brief",
    "capital",
    "count",
    "date",
    "full",
    "listing",
    "number",
    "percent",
    "seconds",
]

UNDEFINED = "undefined"
MINUS = "\u2212"
"""The minus sign, which is as wide as a plus; a hyphen is not."""


def count(value: float) -> str:
    """Write a count, with a comma at every thousand.

    Examples
    --------
    >>> count(4464)
    '4,464'
    """
    return f"{round(value):,}"


def number(value: float | None, digits: int = 4) -> str:
    """Write a number with so many significant digits, and a true minus sign.

    Examples
    --------
    >>> number(-0.123456), number(1234567.0), number(3.0), number(None)
    ('−0.1235', '1,234,567', '3', 'undefined')
    """
    if value is None or not math.isfinite(value):
        return UNDEFINED
    if value == 0:
        return "0"
    if abs(value) < 1e-4 or abs(value) >= 1e9:
        text = f"{value:.{digits - 1}e}"
        mantissa, exponent = text.split("e")
        return f"{_trim(mantissa)}e{int(exponent)}".replace("-", MINUS)
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return _trim(f"{value:,.{places}f}").replace("-", MINUS)


def percent(value: float | None, places: int = 1) -> str:
    """Write a share as a percentage.

    Examples
    --------
    >>> percent(0.27)
    '27.0%'
    """
    if value is None or not math.isfinite(value):
        return UNDEFINED
    return f"{100 * value:.{places}f}%"


def full(metric: Metric, value: float | None, units: str = "") -> str:
    """Write a metric's value as tables show it; None is undefined."""
    return metric.format(math.nan if value is None else value, units).replace("-", MINUS)


def brief(metric: Metric, value: float | None, units: str = "") -> str:
    """Write a metric's value as a sentence says it, with one digit fewer than tables.

    Examples
    --------
    >>> f1 = Metric(name="f1", title="F1", summary="", task="classification",
    ...             compute=lambda p: 1.0)
    >>> brief(f1, 0.95912), brief(f1, None)
    ('0.959', 'undefined')
    """
    if value is None or not math.isfinite(value):
        return UNDEFINED
    if metric.unit == "%":
        return percent(value)
    if metric.unit == "target":
        return f"{number(value, 3)} {units}".rstrip()
    # Adding 0 takes the sign from a negative zero.
    return f"{round(value, 3) + 0.0:.3f}".replace("-", MINUS)


def capital(text: str) -> str:
    """Begin with a capital letter, and leave the rest alone.

    Examples
    --------
    >>> capital("mean absolute error"), capital("ROC AUC")
    ('Mean absolute error', 'ROC AUC')
    """
    return text[:1].upper() + text[1:]


def seconds(value: float) -> str:
    """Write a duration.

    Examples
    --------
    >>> seconds(0.04), seconds(12.3), seconds(754)
    ('0.04 s', '12.3 s', '12 min 34 s')
    """
    if value < 60:
        return f"{number(value, 3)} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def date(text: str) -> str:
    """Write an ISO time as a date; what is none stays as it is.

    Examples
    --------
    >>> date("2026-03-04T05:06:07+00:00")
    '4 March 2026'
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{moment.day} {moment:%B %Y}"


def listing(parts: list[str], last: str = "and") -> str:
    """Join with commas and a last "and", or what is given.

    Examples
    --------
    >>> listing(["a", "b", "c"])
    'a, b and c'
    """
    return (
        f" {last} ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)
    )


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
