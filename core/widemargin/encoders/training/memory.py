"""Memory: refuse a table of vectors that would not fit, before anything is trained."""

from __future__ import annotations

from functools import cache

from widemargin.errors import DataError
from widemargin.native.memory import memory_bytes

__all__ = ["check_table_fits", "memory_limit"]

_UNKNOWN = 8 * 2**30


@cache
def memory_limit() -> int:
    """Return how many bytes training may take: half of the memory of the machine or container.

    Examples
    --------
    >>> memory_limit() > 0
    True
    """
    return (memory_bytes() or _UNKNOWN) // 2


def check_table_fits(
    name: str,
    n_words: int,
    dimension: int,
    word_bytes: int,
    *,
    other_bytes: int = 0,
    other: str = "",
    setting: str = "max_words",
    numbers: str = "dimension",
    words: str = "words",
) -> None:
    """Refuse vectors whose training takes more than `memory_limit`.

    Parameters
    ----------
    name : str
        The encoder, for the message.
    n_words, dimension : int
        How many vectors, and numbers in each.
    word_bytes : int
        Bytes that training needs for each number of a word's vector: all matrices together.
    other_bytes : int, default=0
        Bytes for each number of a vector that words have no part in.
    other : str
        The setting that decides these.
    setting, numbers, words : str
        The settings that decide how many words and numbers there are, and what words are called.

    Raises
    ------
    DataError
        It names what training takes, and what would fit.

    Examples
    --------
    >>> check_table_fits("word2vec", 200_000, 100, 8)
    """
    limit = memory_limit()
    row = word_bytes * n_words + other_bytes
    if row * dimension <= limit:
        return
    fit = []
    if (fewer := (limit // dimension - other_bytes) // word_bytes) > 0:
        fit.append(f"{setting} to {fewer:,} at most")
    elif other:
        fit.append(f"{other} lower")
    if limit // row > 0:
        fit.append(f"{numbers} to {limit // row:,} at most")
    raise DataError(
        f"{name}: training vectors of {n_words:,} {words} with {dimension:,} numbers each takes "
        f"{_size(row * dimension)}, and {_size(limit)}, half of the memory, may be used. Set "
        f"{', or '.join(fit) or f'{setting} and {numbers} lower'}."
    )


def _size(n: int) -> str:
    return f"{n / 2**30:,.1f} GiB" if n >= 2**29 else f"{n / 2**10:,.0f} KiB"
