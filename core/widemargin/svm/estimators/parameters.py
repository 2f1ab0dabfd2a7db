"""Parameters of estimators, refused in scikit-learn's words."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, isfinite
from numbers import Integral, Real
from typing import Any

__all__ = ["check_choice", "check_number", "is_number", "refuse"]


def is_number(value: Any, low: float, high: float, closed: str, *, whole: bool = False) -> bool:
    """Return whether a value is a finite number of an interval.

    Parameters
    ----------
    value : object
        What was given.
    low, high : float
        The ends.
    closed : {"left", "right", "both", "neither"}
        Which ends belong to the interval.
    whole : bool, default=False
        Whether it must be an integer.

    Examples
    --------
    >>> is_number(0, 0, 1, "left"), is_number(True, 0, 1, "both"), is_number("0", 0, 1, "both")
    (True, False, False)
    """
    if isinstance(value, bool) or not isinstance(value, Integral if whole else Real):
        return False
    number = float(value)
    above = number >= low if closed in ("left", "both") else number > low
    below = number <= high if closed in ("right", "both") else number < high
    return isfinite(number) and above and below


def check_number(
    owner: object,
    name: str,
    low: float = -inf,
    high: float = inf,
    closed: str = "neither",
    *,
    whole: bool = False,
) -> None:
    """Refuse an estimator's parameter that is no number of an interval.

    Raises
    ------
    ValueError
        Where it is not.
    """
    if not is_number(getattr(owner, name), low, high, closed, whole=whole):
        opening = "[" if closed in ("left", "both") else "("
        closing = "]" if closed in ("right", "both") else ")"
        kind = "an int" if whole else "a float"
        ends = f"{low:.0f}, {high:.0f}" if whole else f"{low}, {high}"
        refuse(owner, name, f"{kind} in the range {opening}{ends}{closing}")


def check_choice(owner: object, name: str, choices: Iterable[str]) -> None:
    """Refuse an estimator's parameter that is none of some words.

    Raises
    ------
    ValueError
        Where it is not.
    """
    choices = list(choices)
    value = getattr(owner, name)
    if not (isinstance(value, str) and value in choices):
        refuse(owner, name, f"a str among {{{', '.join(map(repr, choices))}}}")


def refuse(owner: object, name: str, allowed: str) -> None:
    """Refuse a parameter.

    Raises
    ------
    ValueError
        Always.
    """
    raise ValueError(
        f"The {name!r} parameter of {type(owner).__name__} must be {allowed}. "
        f"Got {getattr(owner, name)!r} instead."
    )
