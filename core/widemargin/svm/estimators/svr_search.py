"""Support vector regression that chooses its own C and gamma."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import RegressorMixin

from widemargin.svm.estimators.kernels import KernelLike
from widemargin.svm.estimators.parameters import check_number
from widemargin.svm.estimators.rows import Blocks, check_targets
from widemargin.svm.estimators.search import Gammas, Prices, Scoring, SupportVectorSearch
from widemargin.svm.estimators.targets import check_numeric
from widemargin.svm.estimators.weights import check_weight

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.svm.selection import Rule

__all__ = ["SVRSearch"]


class SVRSearch(RegressorMixin, SupportVectorSearch):  # type: ignore[misc]  # no type hints
    """Support vector regression that chooses C and gamma by cross-validation.

    The linear kernel, which needs no Gram matrix, minimises the squared epsilon-insensitive loss,
    as scikit-learn's LinearSVR may; the others minimise the loss itself, as `SVR`.

    Parameters
    ----------
    kernel, C, gamma, degree, coef0, blocks, rule, tol, max_iter, engine, n_jobs, random_state
        As for `SVCSearch`.
    cv : int, splitter or iterable of (train, test), default=5
        Anything that scikit-learn takes.
    scoring : str, callable or None, default=None
        Any scorer of scikit-learn's; None is R2, which folds of one row do not define.
    epsilon : float, default=0.1
        Half-width of the tube, in the target's units.

    Attributes
    ----------
    cv_results_, best_params_, best_score_, best_index_, n_splits_
        As for `SVCSearch`.
    machine_, support_, n_iter_, converged_, held_out_rows_
        As for `SVCSearch`.
    held_out_decision_ : ndarray of shape (n_held_out,)
        Predictions of these rows at the chosen C and gamma by machines that had not seen them.

    Notes
    -----
    Scale columns of different units first; the notes of `SVCSearch` say why nothing warns of them.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> search = SVRSearch(C=(10.0, 100.0, 1000.0), gamma=(1.0, 4.0, 16.0)).fit(X, y)
    >>> search.best_params_, bool(search.best_score_ > 0.45)
    ({'C': 100.0, 'gamma': 4.0}, True)
    """

    def __init__(
        self,
        kernel: KernelLike = "rbf",
        *,
        C: Prices = "auto",
        gamma: Gammas = "auto",
        degree: int = 3,
        coef0: float = 0.0,
        blocks: Blocks | None = None,
        cv: Any = 5,
        scoring: Scoring = None,
        rule: Rule = "max",
        epsilon: float = 0.1,
        tol: float = 1e-3,
        max_iter: int = -1,
        engine: str = "auto",
        n_jobs: int | None = None,
        random_state: Any = 0,
    ) -> None:
        self.kernel = kernel
        self.C = C
        self.gamma = gamma
        self.degree = degree
        self.coef0 = coef0
        self.blocks = blocks
        self.cv = cv
        self.scoring = scoring
        self.rule = rule
        self.epsilon = epsilon
        self.tol = tol
        self.max_iter = max_iter
        self.engine = engine
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any, *, groups: Any = None, sample_weight: Any = None) -> Self:
        """Search, and refit at the chosen C and gamma.

        Parameters
        ----------
        X : array or CSR of shape (n_samples, n_features)
            Rows, or a Gram matrix; float32 rows are compared in float32, which is faster.
        y : array of shape (n_samples,)
            Numbers.
        groups : array of shape (n_samples,), optional
            Handed to the splitter.
        sample_weight : array of shape (n_samples,), optional
            Factor of C by row; scores are not weighted.

        Raises
        ------
        ValueError
            Where parameters or data cannot be used; ParameterError, which is one, where they do
            not go together.
        """
        self._check_search()
        check_number(self, "epsilon", 0.0, closed="left")
        check_numeric(y, "SVRSearch", "SVCSearch")
        X, y = self._check_rows(X, y, y_numeric=True)
        target = np.asarray(y, dtype=np.float64)
        check_targets(target)
        weight = check_weight(sample_weight, X)
        self._search(X, y, target, 0, self._parts(X, y, groups), weight, weight)
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return the predicted number of each row."""
        return self._decide(X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the score by which the search chose: of `scoring`, or R2."""
        return self._score(X, y, sample_weight, super().score)
