"""Counts in sentences: one item is, two items are."""

from __future__ import annotations

__all__ = ["counted"]

_SINGULAR = {"are": "is", "were": "was", "have": "has"}


def counted(number: int, noun: str, verb: str = "") -> str:
    """Return a count with its noun, and the verb that goes with it.

    Parameters
    ----------
    number : int
        How many.
    noun : str
        One of them; an s makes it several.
    verb : {"", "are", "were", "have"}
        The verb of several.

    Examples
    --------
    >>> counted(1, "vector", "are"), counted(2345, "vector", "are"), counted(0, "row")
    ('1 vector is', '2,345 vectors are', '0 rows')
    """
    said = f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
    if not verb:
        return said
    return f"{said} {_SINGULAR[verb] if number == 1 else verb}"
