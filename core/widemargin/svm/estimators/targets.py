"""Targets as estimators take them: text is classes, and numbers with fractions are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["check_labels", "check_numeric"]


def check_labels(y: NDArray[Any], name: str, other: str) -> None:
    """Refuse targets that are no classes.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Validated targets.
    name, other : str
        The estimator's name, and that of the one for numbers.

    Raises
    ------
    ValueError
        Where they are not.

    Examples
    --------
    >>> check_labels(np.array([1.0, 2.0]), "SVC", "SVR")
    >>> check_labels(np.array([1.0, 2.5]), "SVC", "SVR")
    Traceback (most recent call last):
    ValueError: Unknown label type: continuous. SVC predicts classes, and y holds numbers with ...
    """
    if y.dtype.kind == "f":
        fractions = y[y != np.floor(y)]
        if len(fractions):
            # It begins as scikit-learn's does, by which callers know it.
            raise ValueError(
                f"Unknown label type: continuous. {name} predicts classes, and y holds numbers "
                f"with fractions, such as {fractions[0]:.6g}. To predict numbers take {other}; "
                "for classes of them cut them first, as with numpy.digitize."
            )
    check_classification_targets(y)


def check_numeric(y: Any, name: str, other: str) -> None:
    """Refuse targets that are text; numbers written as text are numbers, as in scikit-learn.

    Parameters
    ----------
    y : array-like
        Targets as they were given.
    name, other : str
        The estimator's name, and that of the one for classes.

    Raises
    ------
    ValueError
        Where there is text that is no number.

    Examples
    --------
    >>> check_numeric(["1.5", "2"], "SVR", "SVC")
    >>> check_numeric(["no", "yes"], "SVR", "SVC")
    Traceback (most recent call last):
    ValueError: SVR predicts numbers, and y holds text that is none, such as 'no'. For classes ...
    """
    try:
        values = np.asarray(y)
    except ValueError:  # of uneven rows, which validation refuses in scikit-learn's words
        return
    if values.dtype.kind not in "OUST":
        return
    for value in values.reshape(-1):
        if isinstance(value, str | bytes) and not _is_number(value):
            shown = value if isinstance(value, bytes) else str(value)
            raise ValueError(
                f"{name} predicts numbers, and y holds text that is none, such as {shown!r}. For "
                f"classes take {other}."
            )


def _is_number(text: str | bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
