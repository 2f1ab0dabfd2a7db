"""Telltales: columns that give the label away by themselves, as one written afterwards does."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["find_telltales", "telltales"]

_TELLS = 0.99
_FEWEST = 5
_FEWEST_NUMBERS = 20
_SAME_ORDER = 0.999


def find_telltales(X: pd.DataFrame, y: NDArray[Any]) -> str:
    """Write a note on the columns that give the label away, nearly without fail.

    Parameters
    ----------
    X : pandas.DataFrame of shape (n_rows, n_columns)
        float64 or object columns; NaN is a missing value.
    y : ndarray of shape (n_rows,)
        Labels; `telltales` says how each kind is told.

    Returns
    -------
    str
        A note for people; empty where there is no such column.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> y = np.array(["good", "bad"] * 10)
    >>> table = pd.DataFrame({"paid off": np.where(y == "bad", "no", "yes"), "age": range(20)})
    >>> find_telltales(table, y)[:68]
    'The label can be told from one column alone: paid off (ROC AUC 1.000'
    """
    found = telltales(X, y)
    if not found:
        return ""
    return (
        f"The label can be told from one column alone: {', '.join(found[:20])}. A column that is "
        "written once the label is known leaks it: leave it out with data.ignore."
    )


def telltales(X: pd.DataFrame, y: NDArray[Any]) -> list[str]:
    """Name the columns that tell the label by themselves, nearly without fail.

    Of two classes, a number does where the area under its ROC curve is at least 0.99; a category,
    where that of its values' shares of one class is, values of fewer than 5 rows taken together.
    Of more classes, a column does where the commonest class of each of its values is right of at
    least 99% of the rows of every class, those of values in fewer than 5 rows counted as wrong; a
    number, too, where the commonest class of each interval is, between the best thresholds of
    neighbouring classes. Where the label is a number, a column of numbers does where the two rise
    or fall together: a rank correlation of at least 0.999 over 20 rows or more.

    Parameters
    ----------
    X : pandas.DataFrame of shape (n_rows, n_columns)
        float64 or object columns; NaN is a missing value.
    y : ndarray of shape (n_rows,)
        Labels; of fewer than 5 of a class nothing is said.

    Returns
    -------
    list of str
        Each column with how well it tells.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> y = np.array(["a", "b", "c"] * 10)
    >>> telltales(pd.DataFrame({"grade": np.char.upper(y), "age": range(30)}), y)
    ['grade (at least 1.000 of each class)']
    """
    import numpy as np

    least, how = _TELLS, "ROC AUC {:.3f}"
    if y.dtype.kind == "f":
        least, how = _SAME_ORDER, "rank correlation {:.3f}"
        told = {str(name): _order(X[name], y) for name in X}
    else:
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) < 2 or np.bincount(codes).min() < _FEWEST:
            return []
        if len(classes) == 2:
            told = {str(name): _area(X[name], codes == 1) for name in X}
        else:
            how = "at least {:.3f} of each class"
            told = {str(name): _most_right(X[name], codes) for name in X}
    return [f"{name} ({how.format(value)})" for name, value in told.items() if value >= least]


def _order(values: pd.Series[Any], target: NDArray[np.float64]) -> float:
    """Return the size of the rank correlation of the rows that have a number."""
    import numpy as np
    from scipy.stats import rankdata

    if values.dtype.kind not in "iufb":
        return 0.0
    numbers = values.to_numpy(np.float64, na_value=np.nan)
    known = ~np.isnan(numbers)
    if known.sum() < max(_FEWEST_NUMBERS, _TELLS * len(known)):
        return 0.0
    one, other = (rankdata(own[known]) for own in (numbers, target))
    if one.std() == 0 or other.std() == 0:
        return 0.0
    return float(abs(np.corrcoef(one, other)[0, 1]))


def _most_right(values: pd.Series[Any], codes: NDArray[np.intp]) -> float:
    """Return what the values tell, or the intervals that they lie in where these tell more."""
    import numpy as np

    right = _right(values, codes)
    if right < _TELLS and values.dtype.kind in "iuf":
        intervals = _intervals(values.to_numpy(np.float64, na_value=np.nan), codes)
        right = max(right, 0.0 if intervals is None else _right(intervals, codes))
    return right


def _intervals(numbers: NDArray[np.float64], codes: NDArray[np.intp]) -> NDArray[np.intp] | None:
    """Return each number's interval between thresholds of the classes; None where none part them.

    What is missing is an interval by itself.
    """
    import numpy as np

    known = ~np.isnan(numbers)
    order = np.lexsort((numbers[known], codes[known]))
    ends = np.cumsum(np.bincount(codes[known]))[:-1]
    rows = [own for own in np.split(numbers[known][order], ends) if len(own)]
    rows.sort(key=lambda own: float(own[len(own) // 2]))
    # Most columns tell nothing: a quarter of one class or of the next is on the wrong side.
    if any(low[len(low) * 3 // 4] > high[len(high) // 4] for low, high in pairwise(rows)):
        return None
    thresholds = np.sort([_threshold(low, high) for low, high in pairwise(rows)])
    return np.where(known, np.searchsorted(thresholds, numbers), -1)


def _threshold(low: NDArray[np.float64], high: NDArray[np.float64]) -> float:
    """Return the number up to which most of `low` lies, and little of `high`; both are sorted."""
    import numpy as np

    candidates = np.unique(np.concatenate([low, high]))
    shares = [np.searchsorted(own, candidates, "right") / len(own) for own in (low, high)]
    return float(candidates[np.argmax(shares[0] - shares[1])])


def _right(values: Any, codes: NDArray[np.intp]) -> float:
    """Return which share of the class that is told worst its rows' values tell.

    A value tells the class that is the commonest where it stands.
    """
    import numpy as np
    import pandas as pd

    places, distinct = pd.factorize(values, use_na_sentinel=False)
    counts = np.zeros((len(distinct), int(codes.max()) + 1))
    if counts.size > len(codes) * counts.shape[1] / _FEWEST:
        return 0.0  # most values stand in fewer rows than are looked at
    np.add.at(counts, (places, codes), 1)
    told = np.where(counts.sum(axis=1) >= _FEWEST, counts.argmax(axis=1), -1)[places]
    return min(float((told[codes == code] == code).mean()) for code in np.unique(codes))


def _area(values: pd.Series[Any], second: NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve of the better direction."""
    import numpy as np
    import pandas as pd
    from scipy.stats import rankdata

    if values.dtype.kind in "iufb":
        numbers = values.to_numpy(np.float64, na_value=np.nan)
        # Missing may speak for either class.
        missing = np.isnan(numbers)
        ends = (-np.inf, np.inf) if missing.any() else (0.0,)
        scores = [np.where(missing, end, numbers) for end in ends]
    else:
        names = values.astype(object).where(values.notna(), "").map(str)
        counts = names.map(names.value_counts())
        names = names.where(counts >= _FEWEST, "")
        scores = [pd.Series(second, index=names.index).groupby(names).transform("mean").to_numpy()]
    n, n_second = len(second), int(second.sum())
    areas = [
        (rankdata(own)[second].sum() - n_second * (n_second + 1) / 2) / (n_second * (n - n_second))
        for own in scores
    ]
    return float(max(max(area, 1 - area) for area in areas))
