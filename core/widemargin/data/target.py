"""Targets: whether a column of labels means classes or a number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from widemargin.data.readers import MISSING, parse_numbers
from widemargin.data.spelling import decimal_remedy, read_column, several_spellings
from widemargin.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["TaskChoice", "cell_text", "parse_target"]

TaskChoice = Literal["auto", "classification", "regression"]

_MOSTLY = 0.9  # a column of numbers with some slips, as opposed to a column of names


def cell_text(value: Any) -> str:
    """Write a cell as text, an empty one where it is missing.

    Parameters
    ----------
    value : object
        A cell of a table as it was read.

    Returns
    -------
    str
        Without blanks around it; a whole number without its zeros.

    Examples
    --------
    >>> cell_text(" red "), cell_text(3.0), cell_text("N/A"), cell_text(None)
    ('red', '3', '', '')
    """
    if value is None or value != value:  # NaN
        return ""
    text = str(value).strip()
    if text in MISSING:
        return ""
    return re.sub(r"^([+-]?\d+)\.0+$", r"\1", text)


def parse_target(
    texts: Sequence[str],
    names: Sequence[str],
    where: str,
    task: TaskChoice,
    max_classes: int,
    *,
    decimal_commas: bool = False,
    remedy: Sequence[str] = (),
) -> tuple[NDArray[Any], str]:
    """Turn labels into classes or numbers.

    Parameters
    ----------
    texts : sequence of str
        The labels, none of them empty.
    names : sequence of str
        The name of each row, for messages.
    where : str
        File and column, for messages.
    task : {"auto", "classification", "regression"}
        What to take them for; ``auto`` takes numbers with more than `max_classes` distinct values
        for a regression target and anything else for classes.
    max_classes : int
        As above.
    decimal_commas : bool, default=False
        Whether numbers with commas are fractions, even 1,234, and 1.234 is a thousand.
    remedy : sequence of str
        What ``data.decimal_commas`` would have to name for that; empty where there is no such
        setting.

    Returns
    -------
    y : ndarray of shape (n_rows,)
        Strings or float64.
    note : str
        What was chosen and how to choose otherwise, where it was not given; how numbers were
        read; and which classes may be one in several spellings.

    Raises
    ------
    DataError
        Where a number is needed and something else stands there, or where the labels are neither
        a number nor few classes.

    Examples
    --------
    >>> parse_target(["yes", "no"], ["1", "2"], "a.csv: column 'paid'", "auto", 2)[0].tolist()
    ['yes', 'no']
    """
    import numpy as np
    import pandas as pd

    cells = pd.Series(texts, dtype=object)
    numbers = parse_numbers(cells, "decimal" if decimal_commas else "sure")
    numeric = np.isfinite(numbers)
    distinct = len(set(texts))
    few = distinct <= max_classes
    if task == "regression" or (task == "auto" and not few and numeric.mean() >= _MOSTLY):
        if not numeric.all():
            row = int(np.flatnonzero(~numeric)[0])
            limit = "" if np.isnan(pd.to_numeric(texts[row], "coerce")) else " of 1e75 at most"
            raise DataError(
                f"{where} should be a number{limit} and is {texts[row][:60]!r} at {names[row]} "
                f"(and is no number in {int((~numeric).sum())} of {len(texts)} rows). Correct it, "
                "or take the labels for classes with --set data.task=classification."
            )
        y: NDArray[Any] = numbers
        kind, other = "regression", "classification"
        told = _how_read(cells, where, decimal_commas, remedy)
    else:
        if task == "auto" and distinct > max(10, len(texts) // 2):
            raise DataError(
                f"{where} has {distinct} distinct values in {len(texts)} rows, which is neither a "
                "number nor a few classes. Name another column with --set data.label=COLUMN, or "
                "insist with --set data.task=classification."
            )
        y = np.array(texts, dtype=np.str_)
        kind, other = "classification", "regression"
        spelt = several_spellings(texts)
        told = (
            f"Spelt in several ways, each a class of its own: {spelt}. Write alike what means the "
            "same."
            if spelt
            else ""
        )
    if task != "auto":
        return y, f"{where}: {told}" if told else ""
    what = "numbers" if numeric.all() else "values"
    switch = f"; for {other} say --set data.task={other}" if numeric.all() else ""
    note = f"{where} has {distinct} distinct {what}, so this is {kind}{switch}."
    return y, f"{note} {told}".strip()


def _how_read(
    cells: pd.Series[Any], where: str, decimal_commas: bool, remedy: Sequence[str]
) -> str:
    """Say how the numbers of a target are written, where that might surprise.

    Raises
    ------
    DataError
        Where they may mean two things.
    """
    reading = read_column(cells, "decimal" if decimal_commas else "sure")
    setting = f" where commas are decimal ones: {decimal_remedy(remedy)}" if remedy else ""
    if reading.unclear:
        # The setting does not help where signs differ.
        helps = setting and not read_column(cells, "decimal").unclear
        raise DataError(
            f"{where} holds numbers that may mean two things: {reading.unclear}. Write them in one "
            f"way{f'; or,{setting}' if helps else ''}."
        )
    told = []
    if reading.commas:
        told.append(f"Commas are decimal ones, as in {reading.commas}.")
    if reading.signs:
        told.append(f"Signs beside numbers are passed over, as in {reading.signs}.")
    if reading.either:
        number = parse_numbers([reading.either], "sure")[0]
        way_out = f"write it so{f', or,{setting}' if setting else ''}"
        told.append(f"{reading.either} is read as {number:g}; if it means another, {way_out}.")
    return " ".join(told)
