"""Results of a search under scikit-learn's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.svm.selection import GridCell

__all__ = ["cv_results", "params_of"]


def params_of(cell: GridCell) -> dict[str, Any]:
    """Return a cell's parameters: C, and gamma where the kernel has one.

    Examples
    --------
    >>> from widemargin.svm.selection import GridCell
    >>> params_of(GridCell(1.0, None, (0.5,), 0.5, 0.0))
    {'C': 1.0}
    """
    return {"C": cell.C} if cell.gamma is None else {"C": cell.C, "gamma": cell.gamma}


def cv_results(cells: Sequence[GridCell]) -> dict[str, Any]:
    """Return what scikit-learn's searches keep as ``cv_results_``, without times.

    Parameters
    ----------
    cells : sequence of GridCell
        All that were tried.

    Returns
    -------
    dict
        ``params``, ``param_C``, ``param_gamma`` where there is one, ``split{i}_test_score``,
        ``mean_test_score``, ``std_test_score``, ``rank_test_score``, and ``converged``.

    Examples
    --------
    >>> from widemargin.svm.selection import GridCell
    >>> cells = [GridCell(C, None, (mean,), mean, 0.0) for C, mean in ((1.0, 0.5), (2.0, 0.75))]
    >>> found = cv_results(cells)
    >>> found["rank_test_score"], found["split0_test_score"]
    (array([2, 1], dtype=int32), array([0.5 , 0.75]))
    """
    params = [params_of(cell) for cell in cells]
    means = np.array([cell.mean for cell in cells])
    results: dict[str, Any] = {"params": params}
    for name in params[0]:
        results[f"param_{name}"] = np.ma.MaskedArray(
            [own[name] for own in params], mask=np.zeros(len(params), dtype=bool)
        )
    for split, scores in enumerate(np.array([cell.scores for cell in cells], dtype=float).T):
        results[f"split{split}_test_score"] = scores.copy()
    results["mean_test_score"] = np.where(np.isfinite(means), means, np.nan)
    results["std_test_score"] = np.array([cell.std for cell in cells])
    results["rank_test_score"] = _ranks(means)
    results["converged"] = np.array([cell.converged for cell in cells])
    return results


def _ranks(means: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return 1 for the greatest; equals share the smallest of their ranks."""
    order = np.sort(-means)
    ranks: NDArray[np.int32] = (np.searchsorted(order, -means) + 1).astype(np.int32)
    return ranks
