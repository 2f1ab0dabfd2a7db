"""One-class support vector machine: what is unlike the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from sklearn.base import OutlierMixin

from widemargin.svm.estimators.base import Blocks, KernelLike, SupportVectorMachine
from widemargin.svm.estimators.parameters import check_number
from widemargin.svm.estimators.weights import check_weight
from widemargin.svm.schemes import one_class

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["OneClassSVM"]


class OneClassSVM(OutlierMixin, SupportVectorMachine):  # type: ignore[misc]  # as above
    """Unsupervised detection of outliers.

    Parameters
    ----------
    nu : float, default=0.5
        Greatest share of training rows outside, and least share of support vectors.
    kernel, gamma, degree, coef0, blocks, tol, max_iter, engine, n_jobs
        As for `SVC`.

    Attributes
    ----------
    support_, support_vectors_, dual_coef_, coef_, intercept_, converged_, machine_
        As for `SVC`, with one function.
    n_support_ : ndarray of shape (1,)
        Number of support vectors.
    offset_ : float
        What `decision_function` subtracts from `score_samples`.
    n_iter_ : int
        Iterations.
    duality_gap_ : float
        Relative to the objective; 0 at the optimum.

    References
    ----------
    Schoelkopf et al. 2001, "Estimating the support of a high-dimensional distribution",
    doi:10.1162/089976601750264965.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.linspace(0, 1, 10)[:, None]
    >>> OneClassSVM(nu=0.1, gamma=1.0).fit(X).predict([[0.5], [5.0]])
    array([ 1, -1])
    """

    def __init__(
        self,
        nu: float = 0.5,
        *,
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
        self.nu = nu
        self.kernel = kernel
        self.gamma = gamma
        self.degree = degree
        self.coef0 = coef0
        self.blocks = blocks
        self.tol = tol
        self.max_iter = max_iter
        self.engine = engine
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit to rows X of shape (n_samples, n_features), dense or CSR; `y` is not looked at.

        Rows of weight 0 are left out. float32 rows are compared in float32.
        """
        check_number(self, "nu", 0.0, 1.0, "right")
        self._check_parameters()
        X = self._check_rows(X)
        weight = check_weight(sample_weight, X)
        duals = one_class(float(self.nu), weight, X.shape[0])
        self._solve(X, self._prepare(X, 0, weight), duals)
        self.n_support_ = np.array([len(self.support_)])
        self.offset_ = -float(self.intercept_[0])
        return self

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return signed distances to the boundary: above 0 inside, below 0 outside."""
        return self._decide(X)

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Return unshifted decisions: the greater, the more alike the training rows."""
        scores: NDArray[np.float64] = self._decide(X) + self.offset_
        return scores

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Return 1 for each row inside and -1 for each outside."""
        return np.where(self._decide(X) >= 0, 1, -1)
