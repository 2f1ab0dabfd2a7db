"""Support vector regression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from sklearn.base import RegressorMixin

from widemargin.svm.estimators.base import Blocks, KernelLike, SupportVectorMachine
from widemargin.svm.estimators.parameters import check_number
from widemargin.svm.estimators.rows import check_targets
from widemargin.svm.estimators.targets import check_numeric
from widemargin.svm.estimators.weights import check_weight
from widemargin.svm.schemes import regression

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SVR"]


class SVR(RegressorMixin, SupportVectorMachine):  # type: ignore[misc]  # scikit-learn has no hints
    """Epsilon-support vector regression.

    Parameters
    ----------
    C : float, default=1.0
        Price of leaving the tube.
    epsilon : float, default=0.1
        Half-width of the tube, in the target's units.
    kernel, gamma, degree, coef0, blocks, tol, max_iter, engine, n_jobs
        As for `SVC`.

    Attributes
    ----------
    support_, support_vectors_, dual_coef_, coef_, intercept_, converged_, machine_
        As for `SVC`, with one function.
    n_support_ : ndarray of shape (1,)
        Number of support vectors.
    n_iter_ : int
        Iterations.
    duality_gap_ : float
        Relative to the objective; 0 at the optimum.

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
        kernel: KernelLike = "rbf",
        gamma: float | Literal["scale"] = "scale",
        degree: int = 3,
        coef0: float = 0.0,
        blocks: Blocks | None = None,
        tol: float = 1e-3,
        max_iter: int = -1,
        engine: str = "auto",
        n_jobs: int | None = None,
    ) -> None:
        self.C = C
        self.epsilon = epsilon
        self.kernel = kernel
        self.gamma = gamma
        self.degree = degree
        self.coef0 = coef0
        self.blocks = blocks
        self.tol = tol
        self.max_iter = max_iter
        self.engine = engine
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to rows X of shape (n_samples, n_features), dense or CSR, and targets y.

        Rows of weight 0 are left out. float32 rows are compared in float32.
        """
        check_number(self, "C", 0.0)
        check_number(self, "epsilon", 0.0, closed="left")
        self._check_parameters()
        check_numeric(y, "SVR", "SVC")
        X, y = self._check_rows(X, y, y_numeric=True)
        y = y.astype(np.float64)
        check_targets(y)
        weight = check_weight(sample_weight, X)
        prepared = self._prepare(X, 0, weight, y[:, None])
        whole = np.arange(X.shape[0]), np.empty(0, dtype=np.intp)
        duals = regression(y, float(self.epsilon), weight, [whole])
        self._solve(X, prepared, duals, C=float(self.C))
        self.n_support_ = np.array([len(self.support_)])
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return the predicted target of each row."""
        return self._decide(X)
