"""Telltales: columns that give the label away by themselves, as one written afterwards does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["find_telltales"]

_TELLS = 0.99
_FEWEST = 5


def find_telltales(X: pd.DataFrame, y: NDArray[Any]) -> str:
    """Name the columns that tell two classes apart by themselves, nearly without fail.

    A number does where the area under its ROC curve is at least 0.99; a category, where that of
    its values' shares of one class is, values of fewer than 5 rows taken together.

    Parameters
    ----------
    X : pandas.DataFrame of shape (n_rows, n_columns)
        float64 or object columns; NaN is a missing value.
    y : ndarray of shape (n_rows,)
        Labels; with other than two classes nothing is looked for.

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
    import numpy as np

    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) != 2 or y.dtype.kind == "f" or np.bincount(codes).min() < _FEWEST:
        return ""
    second = codes == 1
    told = {str(name): _area(X[name], second) for name in X}
    found = [f"{name} (ROC AUC {area:.3f})" for name, area in told.items() if area >= _TELLS]
    if not found:
        return ""
    return (
        f"The label can be told from one column alone: {', '.join(found[:20])}. A column that is "
        "written once the label is known leaks it: leave it out with data.ignore."
    )


def _area(values: pd.Series[Any], second: NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve of the better direction."""
    import numpy as np
    import pandas as pd
    from scipy.stats import rankdata

    if values.dtype.kind in "iufb":
        numbers = values.to_numpy(np.float64)
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
