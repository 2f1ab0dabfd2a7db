"""Copies: rows of a table that are equal in every feature and in the label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["find_copies"]

_BY_CHANCE = 10.0
_TELL_APART = 0.1


def find_copies(
    X: pd.DataFrame, y: NDArray[Any], item: str = "row"
) -> tuple[NDArray[np.intp] | None, str]:
    """Find rows that are copies of another one.

    Rows of a few coarse columns agree by chance. Values of a column agree in two different rows
    with some probability; the product of these over the columns says how many pairs of rows would
    agree, were the columns independent. They are not, so that up to ten times as many count as
    chance.

    Parameters
    ----------
    X : pandas.DataFrame of shape (n_rows, n_columns)
        The features.
    y : ndarray of shape (n_rows,)
        The labels.
    item : str
        What a row is.

    Returns
    -------
    groups : ndarray of shape (n_rows,) or None
        The group of each row, copies in one; None where no row is a copy.
    note : str
        How many there are, for people; empty where there are none.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> amounts = [100.0 + 7 * row for row in range(50)] + [100.0]
    >>> table = pd.DataFrame({"amount": amounts, "rate": amounts, "town": ["Bonn"] * 51})
    >>> groups, note = find_copies(table, np.array(["no"] * 51))
    >>> int(groups[0]), int(groups[-1]), note
    (0, 0, '1 of 51 rows is a copy of another one, label and all; no split parts copies.')
    """
    import numpy as np
    import pandas as pd

    hashes = pd.util.hash_pandas_object(X, index=False).to_numpy()
    both = pd.DataFrame({"row": hashes, "label": y})
    groups: NDArray[np.intp] = np.asarray(both.groupby(["row", "label"], sort=False).ngroup())
    n, distinct = len(X), int(groups.max()) + 1 if len(X) else 0
    copies = n - distinct
    if not copies or copies <= _BY_CHANCE * _expected(X, y, groups):
        return None, ""
    if distinct < _TELL_APART * n:
        return None, (
            f"{copies:,} of {n:,} {item}s equal another one, label and all: so many that splits "
            "cannot keep them together. If they are copies, leave them out."
        )
    are = "is a copy" if copies == 1 else "are copies"
    return groups, (
        f"{copies:,} of {n:,} {item}s {are} of another one, label and all; no split parts copies."
    )


def _expected(X: pd.DataFrame, y: NDArray[Any], groups: NDArray[np.intp]) -> float:
    """Return how many pairs of rows would agree, were the columns independent."""
    import numpy as np
    import pandas as pd

    # Each row once: copies say nothing of chance.
    first = np.unique(groups, return_index=True)[1]
    pairs = max(1, len(first) * (len(first) - 1))
    chance = 1.0
    for column in (*(X[name] for name in X), pd.Series(y)):
        counts = column.iloc[first].value_counts(dropna=False)
        chance *= float((counts * (counts - 1)).sum()) / pairs
    return chance * len(X) * (len(X) - 1) / 2
