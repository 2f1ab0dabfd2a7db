"""What the estimators share: from rows to a Gram matrix, to a solution, to scikit-learn's names."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted, validate_data

from widemargin.contracts import Kernel, KernelParameters
from widemargin.native.jobs import at_most, available_threads
from widemargin.svm.blocks import columns_of
from widemargin.svm.engines import choose_engine
from widemargin.svm.estimators.advice import (
    IndefiniteKernelWarning,
    how_to_converge,
    tell_indefinite,
)
from widemargin.svm.estimators.kernels import (
    KernelLike,
    check_kernel,
    expression_of,
    is_precomputed,
    with_scale,
)
from widemargin.svm.estimators.parameters import check_number, is_number, refuse
from widemargin.svm.estimators.rows import Blocks, check_magnitude, slices_of
from widemargin.svm.estimators.weights import times_class_weight, weights_of_classes
from widemargin.svm.expression import Product, Sum, Term
from widemargin.svm.fitted import FittedTerm
from widemargin.svm.kernels import LINEAR
from widemargin.svm.kernels.pairwise import in_order
from widemargin.svm.machine import Machine
from widemargin.svm.memory import check_gram_size, gram_bytes
from widemargin.svm.schemes import solution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.svm.duals import Duals, SolvedDuals
    from widemargin.svm.fitted import FittedKernel
    from widemargin.svm.schemes import Scheme

__all__ = ["Blocks", "KernelLike", "SupportVectorMachine", "threads"]

# Fuller CSR rows are multiplied faster dense.
_DENSE = 0.3


@dataclass(frozen=True)
class _Prepared:
    """Rows as an engine takes them; no kernel where a Gram matrix was given."""

    kernel: FittedKernel | None
    rows: Any
    given: NDArray[Any] | None = None

    @cached_property
    def gram(self) -> NDArray[Any]:
        """The Gram matrix: the one that was given, or computed when it is first asked for."""
        if self.given is not None:
            return self.given
        assert isinstance(self.kernel, FittedTerm)
        return np.ascontiguousarray(self.kernel.gram(self.rows, self.rows))


class SupportVectorMachine(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no type hints
    """What classification, regression and one class share."""

    # Whatever was given, until it is checked.
    kernel: Any
    gamma: Any
    degree: Any
    coef0: Any
    tol: Any
    max_iter: Any
    blocks: Blocks | None
    class_weight: Any
    classes_: Any
    engine: str
    n_jobs: int | None
    n_iter_: Any
    duality_gap_: Any

    def _check_parameters(self) -> None:
        check_kernel(self)
        self._check_gamma()
        check_number(self, "degree", 0, closed="left", whole=True)
        check_number(self, "coef0")
        check_number(self, "tol", 0.0)
        check_number(self, "max_iter", -1, closed="left", whole=True)
        if self.n_jobs is not None:
            check_number(self, "n_jobs", whole=True)

    def _check_gamma(self) -> None:
        scale = isinstance(self.gamma, str) and self.gamma == "scale"
        if not scale and not is_number(self.gamma, 0, np.inf, "left"):
            refuse(self, "gamma", "the str 'scale' or a float in the range [0.0, inf)")

    def _check_rows(self, X: Any, y: Any = "no_validation", **options: Any) -> Any:
        """Return validated rows, and targets where there are any; float32 rows stay float32."""
        precomputed = is_precomputed(self.kernel)
        checked = validate_data(
            self,
            X,
            y,
            # A Gram matrix is never sparse.
            accept_sparse=False if precomputed else "csr",
            dtype=[np.float64, np.float32],
            order="C",
            # Looked at below, together with their size.
            ensure_all_finite=False,
            **options,
        )
        is_pair = isinstance(checked, tuple)
        rows = _in_order(checked[0] if is_pair else checked)
        # What a function makes of its rows is its own affair; kernel values are squared once less.
        squared = isinstance(self.kernel, str | Kernel | Term | Sum | Product)
        check_magnitude(rows, type(self).__name__, is_squared=squared)
        if precomputed and options.get("reset", True) and rows.shape[0] != rows.shape[1]:
            raise ValueError(
                "Precomputed matrix must be a square matrix. "
                f"Input is a {rows.shape[0]}x{rows.shape[1]} matrix."
            )
        return (rows, checked[1]) if is_pair else rows

    def _weigh(
        self, sample_weight: NDArray[np.float64] | None, codes: NDArray[np.int64]
    ) -> NDArray[np.float64] | None:
        """Return the rows' weights times those of their classes."""
        self.class_weight_ = weights_of_classes(self, codes, sample_weight)
        return times_class_weight(self.class_weight_, codes, sample_weight)

    def _prepare(
        self,
        X: Any,
        n_classes: int,
        weight: NDArray[np.float64] | None,
        target: NDArray[np.float64] | None = None,
    ) -> _Prepared:
        """Return the Gram matrix of the rows; `target` is for sums that learn their weights."""
        with at_most(threads(self.n_jobs)):
            return self._prepare_rows(X, n_classes, weight, target)

    def _prepare_rows(
        self,
        X: Any,
        n_classes: int,
        weight: NDArray[np.float64] | None,
        target: NDArray[np.float64] | None,
    ) -> _Prepared:
        n, itemsize = X.shape[0], X.dtype.itemsize
        if is_precomputed(self.kernel):
            return _Prepared(None, X, X)
        slices = self._slices(X)
        kernel = expression_of(self.kernel, self.gamma, self.degree, self.coef0)
        kernel = with_scale(kernel, X, slices, weight)
        if isinstance(kernel, Sum | Product):
            held = gram_bytes(kernel, n, itemsize) // (n * n * itemsize)
            check_gram_size(n, itemsize, type(kernel).__name__.lower(), held + 1)
            prepared = kernel.prepare(X, blocks=slices, n_classes=n_classes)
            if prepared.learns_y and target is None:
                raise ValueError(
                    f"{type(self).__name__} has no target to learn a kernel's weights from. "
                    "Give weights, or take 'equal'."
                )
            if target is not None and weight is not None:
                used = np.flatnonzero(weight > 0)
                whole = prepared.fit(None, target[used], used)
            else:
                whole = prepared.fit(None, target)
            return _Prepared(whole, X, prepared.gram(whole))
        term = self._fitted(kernel, X, slices)
        check_gram_size(n, itemsize, term.kernel.name)
        return _Prepared(term, X)

    def _fitted(self, term: Term, X: Any, slices: dict[str, slice]) -> FittedTerm:
        """Return the one kernel that there is, its numbers settled."""
        gamma: Any = term.gamma if isinstance(term.gamma, tuple) else (term.gamma,)
        if len(gamma) != 1:
            raise ValueError(
                f"{type(self).__name__} takes one gamma; got {gamma}. To choose among several, "
                "search."
            )
        columns = columns_of(term.block, slices)
        own = X if columns is None else X[:, slice(*columns)]
        return FittedTerm(
            kernel=term.kernel,
            parameters=KernelParameters(
                gamma=float(gamma[0]), degree=int(term.degree), coef0=float(term.coef0)
            ),
            block=term.block,
            columns=columns,
            dense=hasattr(own, "tocsr") and own.nnz > _DENSE * own.shape[0] * own.shape[1],
        )

    def _slices(self, X: Any) -> dict[str, slice]:
        """Return the blocks as slices of X's columns."""
        return slices_of(self.blocks, X, getattr(self, "feature_names_in_", None))

    def _solve(
        self,
        X: Any,
        prepared: _Prepared,
        duals: Duals,
        *,
        C: float = 1.0,
        scheme: Scheme = "single",
        n_classes: int = 0,
        n_functions: int = 1,
    ) -> None:
        """Solve, and keep what scikit-learn's estimators keep."""
        engine, solved = choose_engine(self.engine), None
        with at_most(threads(self.n_jobs)):
            if engine.name == "native" and self.max_iter < 0:
                from widemargin.svm.engines.growing import grow

                solved = grow(X, prepared.kernel, duals, C, tol=self.tol)
            if solved is None:
                solved = engine.solve(
                    [prepared.gram], duals, np.array([C]), tol=self.tol, max_iter=self.max_iter
                )
        found = solution(duals, solved, scheme, n_functions)
        assert found.dual_coef is not None
        kernel = prepared.kernel
        self.shape_fit_ = X.shape
        self.support_ = found.support
        self.support_vectors_ = X[found.support] if kernel else np.empty((0, 0))
        self.dual_coef_ = found.dual_coef
        self.intercept_ = found.intercept
        self.converged_ = bool(solved.converged.all())
        self.fit_status_ = int(not self.converged_)
        self._keep_measures(solved.n_iter[0, 0], solved.gap[0, 0])
        coef = None
        self.__dict__.pop("coef_", None)
        if isinstance(kernel, FittedTerm) and kernel.kernel == LINEAR and kernel.columns is None:
            coef = np.asarray((self.support_vectors_.T @ found.dual_coef.T).T)
            self.coef_ = coef
        self.machine_ = Machine(
            scheme=scheme,
            n_classes=n_classes,
            intercept=found.intercept,
            coef=coef,
            kernel=None if coef is not None else kernel,
            vectors=self.support_vectors_ if coef is None and kernel else None,
            dual_coef=None if coef is not None else found.dual_coef,
        )
        if not self.converged_:
            self._warn(solved)
        self._warn_of_kernel(X, stacklevel=4)

    def _keep_measures(self, n_iter: NDArray[np.int64], gap: NDArray[np.float64]) -> None:
        self.n_iter_ = int(n_iter[0])
        self.duality_gap_ = float(gap[0])

    def _function(self, k: int) -> str:
        """Name a function in a warning."""
        return ""

    def _warn(self, solved: SolvedDuals) -> None:
        gaps = np.where(solved.converged[0, 0], -np.inf, solved.gap[0, 0])
        worst = int(gaps.argmax())
        advice = how_to_converge(self.tol, self.max_iter, has_price=hasattr(self, "C"))
        warnings.warn(
            f"{type(self).__name__} stopped after {solved.n_iter[0, 0, worst]} iterations before "
            f"it converged{self._function(worst)}: the duality gap is {gaps[worst]:.2g} of the "
            f"objective. {advice}",
            ConvergenceWarning,
            stacklevel=4,
        )

    def _warn_of_kernel(self, X: Any, stacklevel: int) -> None:
        told = "" if self.machine_.kernel is None else tell_indefinite(self.machine_.kernel, X)
        if told:
            warnings.warn(
                f"{type(self).__name__}: {told}", IndefiniteKernelWarning, stacklevel=stacklevel
            )

    def _decide(self, X: Any) -> NDArray[np.float64]:
        check_is_fitted(self)
        with at_most(threads(self.n_jobs)):
            return self._decide_rows(X)

    def _decide_rows(self, X: Any) -> NDArray[np.float64]:
        X = self._check_rows(X, reset=False)
        if self.machine_.coef is not None:
            return self.machine_.decide(X)
        if not len(self.support_):
            return self.machine_.decide_gram(np.empty((X.shape[0], 0)))
        if self.machine_.kernel is None:
            return self.machine_.decide_gram(X[:, self.support_])
        return self.machine_.decide(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        precomputed = is_precomputed(self.kernel)
        tags.input_tags.sparse = not precomputed
        tags.input_tags.pairwise = precomputed
        return tags


def _in_order(X: Any) -> Any:
    return in_order(X) if hasattr(X, "tocsr") else X


def threads(n_jobs: int | None) -> int | None:
    """Return the number of threads; all that there are unless told otherwise."""
    if n_jobs is None or n_jobs == -1:
        return None
    if n_jobs == 0:
        raise ValueError("n_jobs == 0 has no meaning; give a number of threads, or -1 for all.")
    # Counted from behind, as everywhere in scikit-learn: -2 is all but one.
    return n_jobs if n_jobs > 0 else max(1, available_threads() + 1 + n_jobs)
