"""Support vector machines with scikit-learn's manners, over any engine."""

from __future__ import annotations

from math import isfinite
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from widemargin.contracts import KernelParameters
from widemargin.svm.engines import choose_engine
from widemargin.svm.kernels import KERNELS
from widemargin.svm.machine import Machine, Solution

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SVC", "SVR"]

_KERNELS = {kernel.name: kernel for kernel in KERNELS}


def _is_above(value: Any, bound: float, *, strictly: bool) -> bool:
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    number = float(value)
    return isfinite(number) and (number > bound if strictly else number >= bound)


def _seed(random_state: Any) -> int:
    if random_state is None:
        return 0
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


class _SVM(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no type hints
    """What classification and regression share."""

    C: Any
    kernel: str
    gamma: float | Literal["scale"]
    degree: int
    coef0: float
    engine: str
    random_state: Any

    @property
    def _sparse(self) -> str | bool:
        """What sparse rows are read as; a Gram matrix is never sparse."""
        return False if self.kernel == "precomputed" else "csr"

    def _solve(
        self, X: Any, y: NDArray[Any], n_classes: int, sample_weight: Any, epsilon: float
    ) -> None:
        if not _is_above(self.C, 0, strictly=True):
            raise ValueError(
                f"The 'C' parameter of {type(self).__name__} must be a float in the range "
                f"(0.0, inf). Got {self.C!r} instead."
            )
        engine = choose_engine(self.engine)
        options: dict[str, Any] = {
            "n_classes": n_classes,
            "C": float(self.C),
            "epsilon": epsilon,
            "sample_weight": sample_weight,
            "random_state": _seed(self.random_state),
        }
        if self.kernel == "linear":
            solution = engine.solve_linear(X, y, **options)
            self.machine_ = self._linear_machine(solution, n_classes)
        else:
            gram = X if self.kernel == "precomputed" else self._gram(X, X)
            if self.kernel == "precomputed" and X.shape[0] != X.shape[1]:
                raise ValueError(
                    "Precomputed matrix must be a square matrix. "
                    f"Input is a {X.shape[0]}x{X.shape[1]} matrix."
                )
            solution = engine.solve_gram(gram, y, **options)
            self.machine_ = self._kernel_machine(solution, X, n_classes)
        self.support_ = solution.support
        self.intercept_ = solution.intercept
        self.n_iter_ = solution.n_iter
        if solution.dual_coef is not None:
            self.dual_coef_ = solution.dual_coef
        if solution.coef is not None:
            self.coef_ = solution.coef

    def _linear_machine(self, solution: Solution, n_classes: int) -> Machine:
        return Machine(
            scheme=solution.scheme,
            n_classes=n_classes,
            intercept=solution.intercept,
            coef=solution.coef,
        )

    def _kernel_machine(self, solution: Solution, X: Any, n_classes: int) -> Machine:
        own = self.kernel != "precomputed"
        return Machine(
            scheme=solution.scheme,
            n_classes=n_classes,
            intercept=solution.intercept,
            kernel=_KERNELS[self.kernel] if own else None,
            parameters=self._parameters if own else None,
            vectors=X[solution.support] if own else None,
            dual_coef=solution.dual_coef,
        )

    def _gram(self, X: Any, Y: Any) -> NDArray[np.float64]:
        if self.kernel not in _KERNELS:
            raise ValueError(
                f"The 'kernel' parameter of {type(self).__name__} must be a str among "
                f"{{{', '.join(map(repr, [*_KERNELS, 'precomputed']))}}}. Got {self.kernel!r} "
                "instead."
            )
        gamma = self.gamma
        if gamma != "scale" and not _is_above(gamma, 0, strictly=False):
            raise ValueError(
                f"The 'gamma' parameter of {type(self).__name__} must be the str 'scale' or a "
                f"float in the range [0.0, inf). Got {gamma!r} instead."
            )
        if gamma == "scale":
            # scikit-learn's rule, of dense and of sparse rows alike.
            size = X.multiply(X).mean() - X.mean() ** 2 if hasattr(X, "tocsr") else X.var()
            gamma = 1 / (X.shape[1] * size) if size > 0 else 1.0
        self._parameters = KernelParameters(
            gamma=float(gamma), degree=self.degree, coef0=self.coef0
        )
        return _KERNELS[self.kernel].gram(X, Y, self._parameters)

    def _decide(self, X: Any) -> NDArray[np.float64]:
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=self._sparse, dtype=np.float64, reset=False)
        if self.kernel == "precomputed":
            return self.machine_.decide_gram(X[:, self.support_])
        return self.machine_.decide(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.kernel != "precomputed"
        tags.input_tags.pairwise = self.kernel == "precomputed"
        return tags


class SVC(ClassifierMixin, _SVM):  # type: ignore[misc]  # scikit-learn has no type hints
    """Support vector classification.

    Parameters
    ----------
    C : float, default=1.0
        Price of a margin violation.
    kernel : {"linear", "rbf", "poly", "sigmoid", "precomputed"}, default="rbf"
        Similarity of two rows. The linear kernel minimises the squared hinge, the others the hinge.
    gamma : "scale" or float, default="scale"
        Inverse width of rbf, slope of poly and sigmoid.
    degree : int, default=3
        Degree of poly.
    coef0 : float, default=0.0
        Constant term of poly and sigmoid.
    class_weight : dict, "balanced" or None, default=None
        Factor of C by class.
    engine : {"auto", "scikit-learn"}, default="auto"
        What solves the problem.
    random_state : int, RandomState or None, default=None
        Seed of LIBLINEAR's order of coordinates; None means 0.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted class labels.
    support_ : ndarray of shape (n_support,)
        Training rows on or inside the margin.
    dual_coef_ : ndarray of shape (n_functions, n_support)
        Signed multipliers, one row a duel of classes; absent for the linear kernel.
    coef_ : ndarray of shape (n_functions, n_features)
        Weights; only for the linear kernel.
    intercept_ : ndarray of shape (n_functions,)
        Constant terms.
    n_iter_ : int
        Iterations of the slowest function.

    References
    ----------
    Cortes & Vapnik 1995, "Support-vector networks", doi:10.1007/BF00994018.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0], [1.0], [4.0], [5.0]]), np.array(["a", "a", "b", "b"])
    >>> SVC(kernel="linear").fit(X, y).predict([[0.5], [4.5]])
    array(['a', 'b'], dtype='<U1')
    """

    def __init__(
        self,
        C: float = 1.0,
        *,
        kernel: str = "rbf",
        gamma: float | Literal["scale"] = "scale",
        degree: int = 3,
        coef0: float = 0.0,
        class_weight: dict[Any, float] | Literal["balanced"] | None = None,
        engine: str = "auto",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.C = C
        self.kernel = kernel
        self.gamma = gamma
        self.degree = degree
        self.coef0 = coef0
        self.class_weight = class_weight
        self.engine = engine
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to rows X of shape (n_samples, n_features), dense or CSR, and labels y."""
        X, y = validate_data(self, X, y, accept_sparse=self._sparse, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"The number of classes has to be greater than one; got {len(self.classes_)} class"
            )
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        if self.class_weight is not None:
            by_class = compute_sample_weight(self.class_weight, y)
            weight = by_class if weight is None else weight * by_class
        self._solve(X, codes, len(self.classes_), weight, epsilon=0.0)
        return self

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return signed margins, (n_samples,), or (n_samples, n_classes) beyond two classes."""
        return self._decide(X)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of each row."""
        decision = self._decide(X)
        codes = (decision > 0).astype(int) if decision.ndim == 1 else decision.argmax(axis=1)
        predicted: NDArray[Any] = self.classes_[codes]
        return predicted


class SVR(RegressorMixin, _SVM):  # type: ignore[misc]  # scikit-learn has no type hints
    """Epsilon-support vector regression.

    Parameters
    ----------
    C : float, default=1.0
        Price of leaving the tube.
    epsilon : float, default=0.1
        Half-width of the tube, in the target's units.
    kernel, gamma, degree, coef0, engine, random_state
        As for `SVC`; the linear kernel minimises the squared epsilon-insensitive loss.

    References
    ----------
    Smola & Schoelkopf 2004, "A tutorial on support vector regression",
    doi:10.1023/B:STCO.0000035301.49549.88.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.arange(8.0)[:, None]
    >>> SVR(C=100, kernel="linear", epsilon=0.01).fit(X, 2 * X[:, 0]).predict([[3.5]]).round(1)
    array([7.])
    """

    def __init__(
        self,
        C: float = 1.0,
        *,
        epsilon: float = 0.1,
        kernel: str = "rbf",
        gamma: float | Literal["scale"] = "scale",
        degree: int = 3,
        coef0: float = 0.0,
        engine: str = "auto",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.C = C
        self.epsilon = epsilon
        self.kernel = kernel
        self.gamma = gamma
        self.degree = degree
        self.coef0 = coef0
        self.engine = engine
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to rows X of shape (n_samples, n_features), dense or CSR, and targets y."""
        X, y = validate_data(
            self, X, y, accept_sparse=self._sparse, dtype=np.float64, y_numeric=True
        )
        if not _is_above(self.epsilon, 0, strictly=False):
            raise ValueError(
                "The 'epsilon' parameter of SVR must be a float in the range [0.0, inf). "
                f"Got {self.epsilon!r} instead."
            )
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        self._solve(X, y.astype(np.float64), 0, weight, epsilon=float(self.epsilon))
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return the predicted target of each row."""
        return self._decide(X)
