"""Targets: whether a column of labels means classes or a number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from widemargin.data.readers import MISSING
from widemargin.errors import DataError

if TYPE_CHECKING:
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
    texts: Sequence[str], names: Sequence[str], where: str, task: TaskChoice, max_classes: int
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

    Returns
    -------
    y : ndarray of shape (n_rows,)
        Strings or float64.
    note : str
        What was chosen and how to choose otherwise; empty where it was given.

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

    numbers = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").to_numpy(np.float64)
    numeric = np.isfinite(numbers)
    distinct = len(set(texts))
    few = distinct <= max_classes
    if task == "regression" or (task == "auto" and not few and numeric.mean() >= _MOSTLY):
        if not numeric.all():
            row = int(np.flatnonzero(~numeric)[0])
            raise DataError(
                f"{where} should be a number and is {texts[row][:60]!r} at {names[row]} (and is no "
                f"number in {int((~numeric).sum())} of {len(texts)} rows). Correct it, or take the "
                "labels for classes with --set data.task=classification."
            )
        y: NDArray[Any] = numbers
        kind, other = "regression", "classification"
    else:
        if task == "auto" and distinct > max(10, len(texts) // 2):
            raise DataError(
                f"{where} has {distinct} distinct values in {len(texts)} rows, which is neither a "
                "number nor a few classes. Name another column with --set data.label=COLUMN, or "
                "insist with --set data.task=classification."
            )
        y = np.array(texts, dtype=np.str_)
        kind, other = "classification", "regression"
    if task != "auto":
        return y, ""
    what = "numbers" if numeric.all() else "values"
    switch = f"; for {other} say --set data.task={other}" if numeric.all() else ""
    return y, f"{where} has {distinct} distinct {what}, so this is {kind}{switch}."
