"""Expressions over training rows: their Gram matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from widemargin.contracts import KernelParameters
from widemargin.svm.blocks import (
    UNIT,
    Blocks,
    check_values,
    columns_of,
    inverse_lengths,
    normalise,
    take_block,
)
from widemargin.svm.fitted import FittedKernel, FittedProduct, FittedSum, FittedTerm
from widemargin.svm.grid import gamma_grid, middle_gamma, scale_gamma

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.svm.expression import Term
    from widemargin.svm.quantities import Within

__all__ = ["Prepared", "PreparedProduct", "PreparedSum", "PreparedTerm", "Weights"]

Weights = Literal["equal", "aligned", "learned"] | tuple[float, ...]

_FACTORS = (1 / 4, 1.0, 4.0)
_CHUNK = 256


class PreparedTerm:
    """One kernel over training rows.

    The quantity that no parameter changes is computed once, and each Gram matrix from it; where
    there is only one Gram matrix, that is what is kept. With `keep` the last Gram matrix is kept in
    any case, and where it is False none is.
    """

    learns_y: bool = False

    def __init__(
        self,
        term: Term,
        X: Any,
        blocks: Blocks | None,
        *,
        random_state: int,
        joined: bool,
        keep: bool | None,
        within: Within | None = None,
    ) -> None:
        self._term, self._joined, self._within = term, joined, within
        self._columns = columns_of(term.block, blocks)
        self._X = take_block(X, self._columns, None, term.kernel, term.block)
        self._dense = hasattr(X, "tocsr") and not hasattr(self._X, "tocsr")
        self._quantity: NDArray[Any] | None = None
        self._kept: tuple[KernelParameters, NDArray[Any]] | None = None
        self._base = 1.0
        if not joined:
            self.gammas = gamma_grid(term.gamma, term.kernel, self._X, random_state)
        else:
            self.gammas = _FACTORS if term.has_automatic_width else (None,)
            if "gamma" in term.kernel.parameters:
                self._base = _settled(term, self._X, random_state)
        self._keep = len(self.gammas) == 1 if keep is None else keep

    def fit(
        self,
        gamma: float | None,
        target: NDArray[np.float64] | None = None,
        rows: NDArray[np.intp] | None = None,
    ) -> FittedTerm:
        """Settle the numbers.

        Parameters
        ----------
        gamma : float or None
            In sums and products the factor of an automatic width.
        target, rows : ndarray, optional
            Not looked at.
        """
        if self._joined:
            # Only automatic widths follow the factor.
            factor = gamma if gamma is not None and len(self.gammas) > 1 else 1.0
            value = self._base * factor
        else:
            value = 1.0 if gamma is None else float(gamma)
        return FittedTerm(
            kernel=self._term.kernel,
            parameters=KernelParameters(
                gamma=value, degree=self._term.degree, coef0=self._term.coef0
            ),
            block=self._term.block,
            columns=self._columns,
            dense=self._dense,
            normalised=self._joined,
        )

    def gram(self, fitted: FittedKernel) -> NDArray[Any]:
        """Return the Gram matrix of all rows, which nobody may change.

        Raises
        ------
        ParameterError
            Where a value is not finite.
        """
        assert isinstance(fitted, FittedTerm)
        parameters = fitted.parameters
        if self._kept is not None and self._kept[0] == parameters:
            return self._kept[1]
        kernel = self._term.kernel
        quantity = self._quantity
        if quantity is None and self._within is not None:
            quantity = self._within.take(kernel, self._term.block, self._columns)
        if quantity is None:
            quantity = np.ascontiguousarray(kernel.pairwise(self._X, self._X))
        # A matrix that was given as such is not ours to write to.
        own = quantity is not self._X and quantity.flags.writeable
        if len(self.gammas) > 1:
            self._quantity = quantity
            own = False
        gram = kernel.value(quantity, parameters, quantity if own else np.empty_like(quantity))
        if self._joined and kernel.name not in UNIT:
            scale = inverse_lengths(gram.diagonal().copy())
            normalise(gram, scale, scale)
        check_values(gram, kernel, self._term.block)
        if self._keep:
            self._kept = parameters, gram
        return gram


class PreparedSum:
    """A sum of kernels over training rows; with `keep`, its Gram matrix is kept."""

    def __init__(
        self,
        terms: Sequence[Prepared],
        weights: Weights,
        *,
        is_regression: bool,
        keep: bool = False,
    ) -> None:
        self._terms, self._weights, self._is_regression = terms, weights, is_regression
        self._keep = keep
        self._kept: tuple[FittedSum, NDArray[Any]] | None = None
        self.gammas = _common(terms)
        self.learns_y: bool = weights in ("aligned", "learned") or any(
            one.learns_y for one in terms
        )

    def fit(
        self,
        gamma: float | None,
        target: NDArray[np.float64] | None = None,
        rows: NDArray[np.intp] | None = None,
    ) -> FittedSum:
        """Settle the numbers and weights.

        Parameters
        ----------
        gamma : float or None
            Factor of the automatic widths.
        target : ndarray of shape (n_rows, n_functions), optional
            Where weights are found: +1 and -1 for each class against the rest, or numbers.
        rows : ndarray of shape (n_rows,), optional
            The training rows that `target` belongs to; by default all.
        """
        fitted = tuple(one.fit(gamma, target, rows) for one in self._terms)
        return FittedSum(summands=fitted, weights=self._weigh(fitted, target, rows))

    def _weigh(
        self,
        fitted: Sequence[FittedKernel],
        target: NDArray[np.float64] | None,
        rows: NDArray[np.intp] | None,
    ) -> tuple[float, ...]:
        weights = self._weights
        if not isinstance(weights, str):
            total = float(sum(weights))
            return tuple(float(own) / total for own in weights)
        if weights == "equal" or len(fitted) == 1:
            return (1.0 / len(fitted),) * len(fitted)
        from widemargin.svm.block_weights import aligned_weights, learned_weights

        if target is None:
            raise ValueError(f"{weights} weights need the target")
        grams = [one.gram(own) for one, own in zip(self._terms, fitted, strict=True)]
        target = np.asarray(target, dtype=np.float64).reshape(len(target), -1)
        if rows is None:
            rows = np.arange(len(target))
        if weights == "aligned":
            return aligned_weights(grams, target, rows)
        return learned_weights(grams, target, rows, is_regression=self._is_regression)

    def gram(self, fitted: FittedKernel) -> NDArray[Any]:
        """Return the Gram matrix of all rows, as `PreparedTerm.gram`."""
        assert isinstance(fitted, FittedSum)
        if self._kept is not None and self._kept[0] == fitted:
            return self._kept[1]
        total: NDArray[Any] | None = None
        for one, own, weight in zip(self._terms, fitted.summands, fitted.weights, strict=True):
            if weight == 0 and total is not None:
                continue
            gram = one.gram(own)
            if total is None:
                total = gram * weight
            else:
                for start in range(0, len(gram), _CHUNK):
                    total[start : start + _CHUNK] += weight * gram[start : start + _CHUNK]
            del gram  # so that there are two matrices, not three, while the next one is made
        assert total is not None
        if self._keep:
            self._kept = fitted, total
        return total


class PreparedProduct:
    """A product of kernels over training rows."""

    def __init__(self, terms: Sequence[Prepared]) -> None:
        self._terms = terms
        self.gammas = _common(terms)
        self.learns_y: bool = any(one.learns_y for one in terms)

    def fit(
        self,
        gamma: float | None,
        target: NDArray[np.float64] | None = None,
        rows: NDArray[np.intp] | None = None,
    ) -> FittedProduct:
        """Settle the numbers; parameters as for `PreparedSum.fit`."""
        return FittedProduct(factors=tuple(one.fit(gamma, target, rows) for one in self._terms))

    def gram(self, fitted: FittedKernel) -> NDArray[Any]:
        """Return the Gram matrix of all rows, as `PreparedTerm.gram`."""
        assert isinstance(fitted, FittedProduct)
        product: NDArray[Any] | None = None
        for one, own in zip(self._terms, fitted.factors, strict=True):
            gram = one.gram(own)
            if product is None:
                product = gram.copy()
            else:
                product *= gram
        assert product is not None
        return product


Prepared = PreparedTerm | PreparedSum | PreparedProduct


def _common(terms: Sequence[Prepared]) -> tuple[float | None, ...]:
    return _FACTORS if any(len(one.gammas) > 1 for one in terms) else (None,)


def _settled(term: Term, X: Any, random_state: int) -> float:
    """Return the gamma of a term in a sum or product, before any factor."""
    assert not isinstance(term.gamma, tuple)
    if term.gamma == "auto":
        return middle_gamma(term.kernel, X, random_state)
    return scale_gamma(X) if term.gamma == "scale" else float(term.gamma)
