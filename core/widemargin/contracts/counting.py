"""Counts in sentences: one item is, two items are."""

from __future__ import annotations

__all__ = ["agreeing", "counted"]

_SINGULAR = {"are": "is", "were": "was", "have": "has"}


def agreeing(number: int, verb: str) -> str:
    """Return a verb as it goes with a count.

    Parameters
    ----------
    number : int
        How many there are of what the verb is of.
    verb : str
        As it is said of several, as in ``"were"`` or ``"lie"``.

    Examples
    --------
    >>> agreeing(1, "were"), agreeing(2, "were"), agreeing(1, "lie")
    ('was', 'were', 'lies')
    """
    return _SINGULAR.get(verb, f"{verb}s") if number == 1 else verb


def counted(number: int, noun: str, verb: str = "", several: str = "") -> str:
    """Return a count with its noun, and the verb that goes with it.

    Parameters
    ----------
    number : int
        How many.
    noun : str
        One of them.
    verb : str
        The verb as it is said of several, as in ``"are"``; none where it is empty.
    several : str
        The noun's plural; by default an s makes it.

    Examples
    --------
    >>> counted(1, "vector", "are"), counted(2345, "vector", "are"), counted(0, "row")
    ('1 vector is', '2,345 vectors are', '0 rows')
    >>> counted(2, "class", several="classes")
    '2 classes'
    """
    said = f"{number:,} {noun if number == 1 else several or noun + 's'}"
    return f"{said} {agreeing(number, verb)}" if verb else said
