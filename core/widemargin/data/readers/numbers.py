"""Numbers as people write them in tables."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LARGEST", "MISSING", "Commas", "how_written", "parse_numbers", "plain_number"]

MISSING = frozenset(
    [
        *("", "?", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NaN", "nan", "NAN", "-nan", "-NaN"),
        *("NaT", "NULL", "null", "None"),
    ]
)
"""How a missing value is spelt in tables."""

LARGEST = 1e75
"""The largest number there is: past all that is measured, and its square is still one.

What lies beyond it is a mark for missing, as 1.7e308 is, or a slip.
"""

Commas = Literal["thousands", "sure", "decimal"]
"""What a comma in a number means: thousands, what it can only mean, or the decimal comma."""

# Groups of three behind commas: 1,234 and 1,234,567.8, but not 3,5 or 1,23.
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?")
# 12,5 and 1.234,56; and 1.234.567, whose points cannot be decimal ones.
_DECIMAL = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+),\d+")
_POINTED = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3}){2,}")
# 1,234 and 1.234 are thousands to some and a fraction to others; 0,125 is no thousand.
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
# 1 234,5 and 1'234.5.
_SPACED = re.compile(r"[+-]?[1-9]\d{0,2}(?:[ \u00a0\u202f'\u2019]\d{3})+(?:[.,]\d+)?")
# What most cells are, and what is read alike everywhere: 12, -3.5.
_SIMPLE = re.compile(r"[+-]?\d*(?:\.\d{0,2}|\.\d{4,})?")
_SIGNED = re.compile(r"([€$£¥]?)\s*([+-]?\d.*?)\s*([€$£¥%]?)")


def plain_number(text: str, commas: Commas) -> str:
    """Spell a number as computers do; a text that is no number of this kind comes back as it is.

    Parameters
    ----------
    text : str
        A cell without blanks around it.
    commas : {"thousands", "sure", "decimal"}
        ``thousands``: commas between groups of three go. ``sure``: so does what can only mean one
        thing, which is a comma in ``12,5`` or ``1.234,56``, blanks or apostrophes between groups
        of three, and a currency's or a per cent sign. ``decimal``: that, and ``1,234`` is a
        fraction and ``1.234`` a thousand.

    Examples
    --------
    >>> [plain_number("1,234", commas) for commas in ("thousands", "sure", "decimal")]
    ['1234', '1234', '1.234']
    >>> [plain_number(text, "sure") for text in ("1.234,56", "12,5", "$1,250", "5.5%", "1.234")]
    ['1234.56', '12.5', '1250', '5.5', '1.234']
    """
    if _SIMPLE.fullmatch(text) or (commas == "thousands" and "," not in text):
        return text
    if commas != "thousands" and (signed := _SIGNED.fullmatch(text)):
        text = signed[2]
        if _SPACED.fullmatch(text):
            return re.sub(r"[^\d.,+-]", "", text).replace(",", ".")
        either = _EITHER.fullmatch(text)
        if either and commas == "decimal":
            return text.replace(".", "").replace(",", ".")
        if not either and (_DECIMAL.fullmatch(text) or _POINTED.fullmatch(text)):
            return text.replace(".", "").replace(",", ".")
    return text.replace(",", "") if _GROUPED.fullmatch(text) else text


def how_written(text: str) -> tuple[str, str]:
    """Say how a number is written.

    Parameters
    ----------
    text : str
        A cell without blanks around it.

    Returns
    -------
    (str, str)
        The sign beside it, and ``comma`` where a comma can only be the decimal one, ``point``
        where a point can, ``1,234`` or ``1.234`` where it may be either, else nothing.

    Examples
    --------
    >>> [how_written(text) for text in ("12,5", "$1,234", "0.5", "1.234", "12")]
    [('', 'comma'), ('$', '1,234'), ('', 'point'), ('', '1.234'), ('', '')]
    >>> how_written("1 234,567")
    ('', 'comma')
    """
    if _SIMPLE.fullmatch(text):
        return "", "point" if "." in text else ""
    signed = _SIGNED.fullmatch(text)
    sign, text = (signed[1] or signed[3], signed[2]) if signed else ("", text)
    if _EITHER.fullmatch(text):
        return sign, "1,234" if "," in text else "1.234"
    spaced = "," in text and _SPACED.fullmatch(text)
    if spaced or _DECIMAL.fullmatch(text) or _POINTED.fullmatch(text):
        return sign, "comma"
    return sign, "point" if "." in text or _GROUPED.fullmatch(text) else ""


def parse_numbers(values: Any, commas: Commas = "thousands") -> NDArray[np.float64]:
    """Return numbers of shape (n_values,); NaN for what is missing, no number, or beyond `LARGEST`.

    Parameters
    ----------
    values : sequence
        Numbers or texts.
    commas : {"thousands", "sure", "decimal"}, default="thousands"
        As of `plain_number`.

    Examples
    --------
    >>> parse_numbers(["3.5", "1,234", "1e3", "12,5", "big", None]).tolist()
    [3.5, 1234.0, 1000.0, nan, nan, nan]
    >>> parse_numbers(["12,5", "1.234,56", "5 %"], "sure").tolist()
    [12.5, 1234.56, 5.0]
    """
    import numpy as np
    import pandas as pd

    column = pd.Series(values)
    if column.dtype.kind not in "iufb":
        column = column.astype(object).map(lambda value: _plain_cell(value, commas))
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    parsed: NDArray[np.float64] = np.where(np.abs(numbers) <= LARGEST, numbers, np.nan)
    return parsed


def _plain_cell(value: Any, commas: Commas) -> Any:
    if isinstance(value, str):
        return plain_number(value.strip(), commas)
    # Python's whole numbers have no end; those of float64 have.
    return math.inf if isinstance(value, int) and abs(value) > LARGEST else value
