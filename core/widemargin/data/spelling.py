"""Spelling: how a column's numbers and categories are written, and what that leaves open."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from widemargin.data.readers.numbers import Commas, how_written, parse_numbers

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Reading",
    "are_dates",
    "decimal_remedy",
    "read_column",
    "several_spellings",
    "spelling_notes",
]

# Many distinct numbers are a measurement with slips in it; few may be the names of categories, of
# which one or two happen to be letters.
_MANY = 20
_SHARE_OF_MANY = 0.8
_SHARE_OF_FEW = 0.99
_SHOWN = 30  # letters of a text in a note

_DATE = re.compile(r"(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}([./-])\d{1,2}\1\d{2}(?:\d{2})?)(?:[ T].*)?")


@dataclass(frozen=True)
class Reading:
    """A column as it was read.

    Parameters
    ----------
    values : pandas.Series
        float64, or texts; NaN is a missing value.
    slips : sequence of int
        The labels of the rows whose value is no number among numbers, or one too large.
    commas, signs : str
        A cell with a decimal comma, or with a sign beside the number; empty where there is none.
    either : str
        A cell that was read as one number and may mean another, as 1,234 does.
    unclear : str
        Why the column is none of numbers, though every cell might be one.
    """

    values: pd.Series[Any]
    slips: Sequence[int] = ()
    commas: str = ""
    signs: str = ""
    either: str = ""
    unclear: str = ""


def read_column(texts: pd.Series[Any], commas: Commas = "sure") -> Reading:
    """Read a column of texts as numbers where it holds them.

    Parameters
    ----------
    texts : pandas.Series
        Cells without blanks around them; NaN is a missing value.
    commas : {"sure", "decimal"}, default="sure"
        As of `parse_numbers`; with ``decimal`` none may mean another number.
    """
    import pandas as pd

    numbers = pd.Series(parse_numbers(texts, commas), index=texts.index)
    present = int(texts.notna().sum())
    slips = texts.index[texts.notna() & numbers.isna()].tolist()
    share = _SHARE_OF_MANY if numbers.nunique() > _MANY else _SHARE_OF_FEW
    allowed = (1 - share) * present
    if len(slips) > allowed:
        return Reading(texts)
    known = numbers.notna()
    own = [str(cell) for cell in texts[known]]
    written = [how_written(cell) for cell in own]
    # Nothing is nothing in every currency.
    signs = Counter(
        sign for (sign, _), number in zip(written, numbers[known], strict=True) if number or sign
    )
    (usual, n_usual), *others = signs.most_common() or [("", 0)]
    if signs.total() - n_usual > allowed:
        some = [
            next(cell for cell, (one, _) in zip(own, written, strict=True) if one == sign)
            for sign in (others[0][0], usual)
        ]
        return Reading(texts, unclear=" beside ".join(sorted(some)))
    found = {how: _first(own, written, how) for how in ("comma", "1,234", "1.234", "point", "")}
    n_commas = sum(how == "comma" for _, how in written)
    either = "" if commas == "decimal" else found["1,234"] or found["1.234"]
    if either and n_commas > allowed:
        return Reading(texts, unclear=f"{found['comma']} beside {either}")
    if n_commas or found["point"] or (either == found["1.234"] and not found[""]):
        either = ""
    signed = next((cell for cell, (sign, _) in zip(own, written, strict=True) if sign), "")
    return Reading(numbers, slips, found["comma"], signed, either)


def spelling_notes(readings: dict[str, Reading]) -> list[str]:
    """Say which columns were read in a way that people should know of."""

    def told(names: Sequence[str], how: str) -> str:
        return ", ".join(f"{name} ({getattr(readings[name], how)})" for name in names[:20])

    def having(how: str) -> list[str]:
        return [name for name, own in readings.items() if getattr(own, how)]

    notes = []
    if names := having("commas"):
        notes.append(f"Commas are decimal ones in {told(names, 'commas')}.")
    if names := having("signs"):
        notes.append(f"Signs beside numbers are passed over in {told(names, 'signs')}.")
    if names := having("either"):
        said = ", ".join(
            f"{name} ({cell} is {parse_numbers([cell], 'sure')[0]:g})"
            for name in names[:20]
            if (cell := readings[name].either)
        )
        notes.append(
            f"Commas and points might mean other numbers in {said}. Where commas are decimal ones: "
            f"{decimal_remedy(names)}."
        )
    if names := having("unclear"):
        notes.append(
            f"Left as categories, since their numbers may mean two things: "
            f"{told(names, 'unclear')}. Write them in one way; or, where commas are decimal ones: "
            f"{decimal_remedy(names)}."
        )
    return notes


def several_spellings(texts: Iterable[str]) -> str:
    """Name the texts that differ in capitals, blanks or the form of their letters alone.

    Parameters
    ----------
    texts : iterable of str
        Cells, each as often as it stands there.

    Returns
    -------
    str
        Each spelling with how often it stands there, the commonest first; empty where there are no
        two of one text.

    Examples
    --------
    >>> several_spellings(["yes", "no", "Yes", "yes", "NO", "perhaps"])
    'yes 2, Yes 1; NO 1, no 1'
    """
    alike: dict[str, list[tuple[str, int]]] = {}
    counts = Counter(texts)
    for text, count in sorted(counts.items(), key=lambda own: (-own[1], own[0])):
        plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
        alike.setdefault(plain, []).append((text, count))
    several = [
        ", ".join(f"{_cut(text)} {count:,}" for text, count in own[:5])
        for own in alike.values()
        if own[1:]
    ]
    more = f"; and {len(several) - 5} more" if len(several) > 5 else ""
    return "; ".join(several[:5]) + more


def are_dates(texts: pd.Series[Any]) -> bool:
    """Say whether a column holds dates, of more than 20 days.

    Examples
    --------
    >>> import pandas as pd
    >>> are_dates(pd.Series([f"{day}.03.2019" for day in range(1, 29)]))
    True
    """
    own = texts.dropna().map(str)
    matched = own.str.fullmatch(_DATE)
    return bool(len(own)) and own.nunique() > _MANY and float(matched.mean()) >= _SHARE_OF_FEW


def _first(cells: Sequence[str], written: Sequence[tuple[str, str]], how: str) -> str:
    return next((cell for cell, own in zip(cells, written, strict=True) if own[1] == how), "")


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def decimal_remedy(names: Sequence[str]) -> str:
    """Return the setting that takes the commas of these columns for decimal ones."""
    return f"--set 'data.decimal_commas=[{', '.join(names)}]'"
