"""What the estimators share: from rows to a Gram matrix, to a solution, to scikit-learn's names."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from widemargin.contracts import Kernel, KernelParameters
from widemargin.svm.engines import choose_engine
from widemargin.svm.estimators.parameters import check_number, is_number, refuse
from widemargin.svm.expression import Product, Sum, Term, gram_bytes
from widemargin.svm.fitted import FittedTerm
from widemargin.svm.kernels import KERNELS, from_callable
from widemargin.svm.kernels.pairwise import in_order
from widemargin.svm.machine import Machine
from widemargin.svm.memory import check_gram_size
from widemargin.svm.native.jobs import at_most, available_threads
from widemargin.svm.schemes import solution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.svm.duals import Duals, SolvedDuals
    from widemargin.svm.fitted import FittedKernel
    from widemargin.svm.schemes import Scheme

__all__ = ["Blocks", "KernelLike", "SupportVectorMachine", "named_kernel", "threads"]

KernelLike = str | Kernel | Term | Sum | Product | Callable[[Any, Any], Any]
Blocks = Mapping[str, slice | Sequence[int]]

_KERNELS = {kernel.name: kernel for kernel in KERNELS}
# Fuller CSR rows are multiplied faster dense.
_DENSE = 0.3


@dataclass(frozen=True)
class _Prepared:
    """Rows as an engine takes them; no kernel where a Gram matrix was given."""

    kernel: FittedKernel | None
    gram: NDArray[Any]


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
        if isinstance(self.kernel, str):
            if self.kernel not in (*_KERNELS, "precomputed"):
                names = ", ".join(map(repr, [*_KERNELS, "precomputed"]))
                refuse(self, "kernel", f"a str among {{{names}}}, a callable or a Kernel")
        elif not (isinstance(self.kernel, Kernel | Term | Sum | Product) or callable(self.kernel)):
            refuse(self, "kernel", "a str, a callable or a Kernel")
        if self.gamma != "scale" and not is_number(self.gamma, 0, np.inf, "left"):
            refuse(self, "gamma", "the str 'scale' or a float in the range [0.0, inf)")
        check_number(self, "degree", 0, closed="left", whole=True)
        check_number(self, "coef0")
        check_number(self, "tol", 0.0)
        check_number(self, "max_iter", -1, closed="left", whole=True)

    def _check_rows(self, X: Any, y: Any = "no_validation", **options: Any) -> Any:
        """Return validated rows, and targets where there are any; float32 rows stay float32."""
        precomputed = isinstance(self.kernel, str) and self.kernel == "precomputed"
        checked = validate_data(
            self,
            X,
            y,
            # A Gram matrix is never sparse.
            accept_sparse=False if precomputed else "csr",
            dtype=[np.float64, np.float32],
            order="C",
            **options,
        )
        if isinstance(checked, tuple):
            checked = _in_order(checked[0]), checked[1]
        else:
            checked = _in_order(checked)
        rows = checked[0] if isinstance(checked, tuple) else checked
        if precomputed and options.get("reset", True) and rows.shape[0] != rows.shape[1]:
            raise ValueError(
                "Precomputed matrix must be a square matrix. "
                f"Input is a {rows.shape[0]}x{rows.shape[1]} matrix."
            )
        return checked

    def _check_weight(self, sample_weight: Any, X: Any) -> NDArray[np.float64] | None:
        if sample_weight is None:
            return None
        weight: NDArray[np.float64] = _check_sample_weight(
            sample_weight, X, dtype=np.float64, ensure_non_negative=True
        )
        if not weight.any():
            raise ValueError("Sample weights must contain at least one non-zero number.")
        return weight

    def _weigh(
        self, weight: NDArray[np.float64] | None, codes: NDArray[np.int64]
    ) -> NDArray[np.float64] | None:
        """Return the rows' weights times those of their classes."""
        n_classes = len(self.classes_)
        self.class_weight_ = np.ones(n_classes)
        given: Any = self.class_weight
        if given is not None:
            if isinstance(given, str) and given == "balanced":
                counts = np.bincount(codes, weight, n_classes)
                self.class_weight_ = np.divide(
                    counts.sum(), n_classes * counts, out=np.zeros(n_classes), where=counts > 0
                )
            elif isinstance(given, dict):
                self.class_weight_ = compute_class_weight(
                    given, classes=self.classes_, y=self.classes_[codes]
                )
            else:
                refuse(self, "class_weight", "an instance of 'dict', the str 'balanced' or None")
            if self.class_weight_.min() < 0:
                raise ValueError("Negative values in data passed to `class_weight`.")
            by_class = self.class_weight_[codes]
            weight = by_class if weight is None else weight * by_class
        if weight is not None and len(np.unique(codes[weight > 0])) < 2:
            raise ValueError(
                "Invalid input - all samples with positive weights belong to the same class."
            )
        return weight

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
        kernel = self.kernel
        if isinstance(kernel, str) and kernel == "precomputed":
            return _Prepared(None, X)
        if isinstance(kernel, Sum | Product):
            held = gram_bytes(kernel, n, itemsize) // (n * n * itemsize)
            check_gram_size(n, itemsize, type(kernel).__name__.lower(), held + 1)
            prepared = kernel.prepare(X, blocks=self._slices(X), n_classes=n_classes)
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
            return _Prepared(whole, prepared.gram(whole))
        term = self._term(X, weight)
        check_gram_size(n, itemsize, term.kernel.name)
        return _Prepared(term, np.ascontiguousarray(term.gram(X, X)))

    def _term(self, X: Any, weight: NDArray[np.float64] | None) -> FittedTerm:
        """Return the one kernel that there is, its numbers settled."""
        kernel = self.kernel
        assert not isinstance(kernel, Sum | Product)
        if isinstance(kernel, str):
            term = Term(_KERNELS[kernel], degree=self.degree, coef0=self.coef0)
        elif isinstance(kernel, Term):
            term = kernel
        elif isinstance(kernel, Kernel):
            term = Term(kernel, degree=self.degree, coef0=self.coef0)
        else:
            term = Term(from_callable(kernel))
        columns = None
        if term.block is not None:
            slices = self._slices(X) or {}
            if term.block not in slices:
                raise ValueError(
                    f"{type(self).__name__} has no block {term.block!r}; 'blocks' names "
                    f"{', '.join(map(repr, slices)) or 'none'}."
                )
            columns = slices[term.block].start, slices[term.block].stop
        own = X if columns is None else X[:, slice(*columns)]
        gamma: Any = term.gamma
        if isinstance(gamma, tuple):
            if len(gamma) != 1:
                raise ValueError(
                    f"{type(self).__name__} takes one gamma; got {gamma}. To choose among several, "
                    "search."
                )
            gamma = gamma[0]
        if gamma == "auto":
            gamma = self.gamma
        if gamma == "scale":
            gamma = _scale(own, weight) if "gamma" in term.kernel.parameters else 1.0
        return FittedTerm(
            kernel=term.kernel,
            parameters=KernelParameters(
                gamma=float(gamma), degree=int(term.degree), coef0=float(term.coef0)
            ),
            block=term.block,
            columns=columns,
            dense=hasattr(own, "tocsr") and own.nnz > _DENSE * own.shape[0] * own.shape[1],
        )

    def _slices(self, X: Any) -> dict[str, slice] | None:
        """Return the blocks as slices of X's columns."""
        if self.blocks is None:
            return None
        slices = {}
        for name, given in self.blocks.items():
            if isinstance(given, slice):
                start, stop, step = given.indices(X.shape[1])
                if given.stop is not None and given.stop > X.shape[1]:
                    step = 0
            else:
                columns = np.asarray(given)
                start, stop, step = (
                    (int(columns[0]), int(columns[-1]) + 1, 1) if len(columns) else (0, 0, 1)
                )
                if not np.array_equal(columns, np.arange(start, stop)):
                    step = 0
            if step != 1 or not 0 <= start < stop <= X.shape[1]:
                raise ValueError(
                    f"The block {name!r} must be neighbouring columns of the {X.shape[1]} that X "
                    f"has. Got {given!r} instead."
                )
            slices[name] = slice(start, stop)
        return slices

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
        solved = choose_engine(self.engine).solve(
            [prepared.gram],
            duals,
            np.array([C]),
            tol=self.tol,
            max_iter=self.max_iter,
            n_threads=threads(self.n_jobs),
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
        if (
            isinstance(kernel, FittedTerm)
            and kernel.kernel is _KERNELS["linear"]
            and kernel.columns is None
        ):
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

    def _keep_measures(self, n_iter: NDArray[np.int64], gap: NDArray[np.float64]) -> None:
        self.n_iter_ = int(n_iter[0])
        self.duality_gap_ = float(gap[0])

    def _function(self, k: int) -> str:
        """Name a function in a warning."""
        return ""

    def _warn(self, solved: SolvedDuals) -> None:
        gaps = np.where(solved.converged[0, 0], -np.inf, solved.gap[0, 0])
        worst = int(gaps.argmax())
        lower = ", lower C" if hasattr(self, "C") else ""
        warnings.warn(
            f"{type(self).__name__} stopped after {solved.n_iter[0, 0, worst]} iterations before "
            f"it converged{self._function(worst)}: the duality gap is {gaps[worst]:.2g} of the "
            f"objective. Scale the rows, as with sklearn.preprocessing.StandardScaler{lower}, or "
            f"raise max_iter={self.max_iter} or tol={self.tol:g}.",
            ConvergenceWarning,
            stacklevel=4,
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
        precomputed = isinstance(self.kernel, str) and self.kernel == "precomputed"
        tags.input_tags.sparse = not precomputed
        tags.input_tags.pairwise = precomputed
        return tags


def _in_order(X: Any) -> Any:
    return in_order(X) if hasattr(X, "tocsr") else X


def named_kernel(owner: SupportVectorMachine, name: str) -> Kernel:
    """Return the kernel of that name.

    Raises
    ------
    ValueError
        Where there is none.
    """
    if name not in _KERNELS:
        refuse(owner, "kernel", f"a str among {{{', '.join(map(repr, _KERNELS))}}}, or a callable")
    return _KERNELS[name]


def _scale(X: Any, weight: NDArray[np.float64] | None) -> float:
    """Return scikit-learn's gamma, of dense and of sparse rows alike.

    Unlike scikit-learn's, a row of weight 2 counts as two rows, and one of weight 0 as none.
    """
    if weight is None and not hasattr(X, "tocsr"):
        variance = float(X.var(dtype=np.float64))
    else:
        by_row = np.ones(X.shape[0]) if weight is None else weight / weight.max()
        size = float(by_row.sum()) * X.shape[1]
        if hasattr(X, "tocsr"):
            loads = np.repeat(by_row, np.diff(X.indptr))
            mean = float(loads @ X.data) / size
            # Entries that are not stored are 0.
            absent = (size - float(loads.sum())) * mean**2
            variance = (float(loads @ (X.data - mean) ** 2) + absent) / size
        else:
            mean = float((by_row @ X).sum()) / size
            variance = float((by_row @ (X - mean) ** 2).sum()) / size
    return 1 / (X.shape[1] * variance) if variance > 0 else 1.0


def threads(n_jobs: int | None) -> int | None:
    """Return the number of threads; all that there are unless told otherwise."""
    if n_jobs is None or n_jobs == -1:
        return None
    if n_jobs == 0:
        raise ValueError("n_jobs == 0 has no meaning; give a number of threads, or -1 for all.")
    # Counted from behind, as everywhere in scikit-learn: -2 is all but one.
    return n_jobs if n_jobs > 0 else max(1, available_threads() + 1 + n_jobs)
