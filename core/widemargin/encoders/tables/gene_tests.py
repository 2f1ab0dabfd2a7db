r"""Univariate tests, all genes at once: how far a gene tells the classes apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Test", "gene_strengths"]

Test = Literal["f", "kruskal"]


def gene_strengths(values: NDArray[np.float64], y: Any, test: Test) -> NDArray[np.float64]:
    """Return a number for each gene that is larger the more it tells about the target.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_genes)
        Expression without missing values.
    y : sequence of shape (n_samples,)
        Class names, or numbers (float) for regression.
    test : {"f", "kruskal"}
        F of the analysis of variance, or H of Kruskal and Wallis; for numbers F of the
        correlation, which only ``"f"`` has. A constant gene has 0, one that tells all infinity.

    Raises
    ------
    DataError
        Where there is no target, it is constant, or the test is not for it.
    """
    if y is None:
        raise DataError("expression: select compares classes and was fitted without any; give y.")
    target = np.asarray(y)
    if target.dtype.kind == "f":
        if test != "f":
            raise DataError(
                "expression: test: kruskal compares classes, and the target is a number; take f."
            )
        return _correlation(values, target)
    classes, codes = np.unique(target, return_inverse=True)
    if len(classes) < 2:
        raise DataError(
            "expression: select compares classes, and all training rows are of one; give rows of "
            "another."
        )
    if len(classes) == len(codes):
        raise DataError(
            "expression: select compares classes, and every training row has one of its own."
        )
    return _anova(values, codes) if test == "f" else _kruskal(values, codes)


def _groups(values: NDArray[np.float64], codes: NDArray[np.intp]) -> Any:
    sizes = np.bincount(codes).astype(np.float64)
    sums = np.stack([values[codes == code].sum(axis=0) for code in range(len(sizes))])
    return sizes[:, None], sums / sizes[:, None]


def _anova(values: NDArray[np.float64], codes: NDArray[np.intp]) -> NDArray[np.float64]:
    centred = values - values.mean(axis=0)
    sizes, means = _groups(centred, codes)
    between = (sizes * means**2).sum(axis=0)
    within = ((centred - means[codes]) ** 2).sum(axis=0)
    ratio = _quotient(between, within, values)
    return ratio * ((len(codes) - len(sizes)) / (len(sizes) - 1))


def _kruskal(values: NDArray[np.float64], codes: NDArray[np.intp]) -> NDArray[np.float64]:
    from scipy.stats import rankdata

    n = len(codes)
    ranks = rankdata(values, axis=0) - (n + 1) / 2
    sizes, means = _groups(ranks, codes)
    # H with the correction for ties is the share of the ranks' variance between classes.
    whole = (ranks**2).sum(axis=0)
    between = (sizes * means**2).sum(axis=0)
    statistic: NDArray[np.float64] = (n - 1) * between / np.where(whole > 0, whole, 1.0)
    return statistic


def _correlation(values: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    if not np.isfinite(target).all() or np.ptp(target) == 0:
        raise DataError("expression: select needs a target that is finite and not constant.")
    centred = values - values.mean(axis=0)
    line = target - target.mean()
    explained = (line @ centred) ** 2 / (line @ line)
    left = np.maximum((centred**2).sum(axis=0) - explained, 0)
    return _quotient(explained, left, values) * (len(target) - 2)


def _quotient(
    told: NDArray[np.float64], left: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    # What is left of a sum of squares by rounding is nothing.
    nothing = len(values) * (1e-14 * np.maximum(1e-150, np.abs(values).max(axis=0))) ** 2
    told = np.where(told <= nothing, 0.0, told)
    none_left = left <= nothing
    ratio = told / np.where(none_left, 1.0, left)
    return np.where(none_left, np.where(told > 0, np.inf, 0.0), ratio)
