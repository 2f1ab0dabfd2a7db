"""The engine that stands on scikit-learn: LIBLINEAR for rows, LIBSVM for a Gram matrix."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from widemargin.svm.machine import Solution, duels, violations

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ScikitLearn"]


class ScikitLearn:
    """Hands each problem to scikit-learn's LinearSVC, LinearSVR, SVC or SVR.

    More than two classes are decided by duels, one machine a pair, for the linear kernel too:
    LIBLINEAR's own one-against-the-rest cannot part a class that lies between others
    (scikit-learn's digits, scaled, C = 1, five folds: accuracy 0.957 against 0.979).

    The linear machines minimise the squared hinge (the squared epsilon-insensitive loss), whose
    optimum LIBLINEAR finds quickly and reliably; rows with a loss above 0 are their support
    vectors (Fan et al. 2008, "LIBLINEAR: a library for large linear classification",
    JMLR 9:1871-1874). The others minimise the hinge (Chang & Lin 2011, "LIBSVM: a library for
    support vector machines", doi:10.1145/1961189.1961199).
    """

    name = "scikit-learn"

    def solve_linear(
        self,
        X: Any,
        y: NDArray[Any],
        *,
        n_classes: int,
        C: float,
        epsilon: float,
        sample_weight: NDArray[np.float64] | None,
        random_state: int,
    ) -> Solution:
        """Fit weights to rows, dense or CSR."""
        import numpy as np
        from sklearn.svm import LinearSVC, LinearSVR

        def fit(
            machine: Any, rows: Any, target: NDArray[Any], weight: NDArray[np.float64] | None
        ) -> tuple[NDArray[np.float64], float, int]:
            with _quietly():
                machine.fit(rows, target, sample_weight=weight)
            coef = np.asarray(machine.coef_, dtype=np.float64).ravel()
            return coef, float(np.ravel(machine.intercept_)[0]), int(np.max(machine.n_iter_))

        # Few wide rows are solved in the dual, many narrow ones in the primal.
        classifier = LinearSVC(C=C, dual="auto", random_state=random_state, max_iter=5000)
        if n_classes == 0:
            regressor = LinearSVR(
                C=C,
                epsilon=epsilon,
                loss="squared_epsilon_insensitive",
                dual=False,
                random_state=random_state,
            )
            fitted = [fit(regressor, X, y, sample_weight)]
        elif n_classes == 2:
            fitted = [fit(classifier, X, y, sample_weight)]
        else:
            fitted = []
            for _, first, second in duels(n_classes):
                own = np.flatnonzero((y == first) | (y == second))
                weight = None if sample_weight is None else sample_weight[own]
                fitted.append(fit(classifier, X[own], y[own] == first, weight))
        solution = Solution(
            scheme="one-vs-one" if n_classes > 2 else "single",
            support=np.empty(0, dtype=np.intp),
            dual_coef=None,
            coef=np.stack([coef for coef, _, _ in fitted]),
            intercept=np.array([intercept for _, intercept, _ in fitted]),
            n_iter=max(n_iter for _, _, n_iter in fitted),
        )
        losses = violations(solution, X, y, n_classes, epsilon)
        return replace(solution, support=np.flatnonzero(losses > 0))

    def solve_gram(
        self,
        gram: NDArray[np.float64],
        y: NDArray[Any],
        *,
        n_classes: int,
        C: float,
        epsilon: float,
        sample_weight: NDArray[np.float64] | None,
        random_state: int,
    ) -> Solution:
        """Fit multipliers to a Gram matrix of the training rows."""
        import numpy as np
        from sklearn.svm import SVC, SVR

        machine: Any
        if n_classes == 0:
            machine = SVR(kernel="precomputed", C=C, epsilon=epsilon, cache_size=500)
        else:
            machine = SVC(kernel="precomputed", C=C, cache_size=500, random_state=random_state)
        machine.fit(gram, y, sample_weight=sample_weight)
        multipliers, intercept = machine.dual_coef_, machine.intercept_
        if n_classes > 2:
            multipliers = np.array(list(_duels(multipliers, machine.n_support_)))
        return Solution(
            scheme="one-vs-one" if n_classes > 2 else "single",
            support=machine.support_.astype(np.intp),
            dual_coef=np.asarray(multipliers, dtype=np.float64),
            coef=None,
            intercept=np.asarray(intercept, dtype=np.float64),
            n_iter=int(np.max(machine.n_iter_)),
        )


def _duels(
    multipliers: NDArray[np.float64], n_support: NDArray[np.int32]
) -> Iterator[NDArray[np.float64]]:
    """Spread LIBSVM's packed multipliers, (n_classes - 1, n_support), to one row a duel."""
    import numpy as np

    ends = np.cumsum([0, *n_support])
    for first in range(len(n_support)):
        for second in range(first + 1, len(n_support)):
            row = np.zeros(multipliers.shape[1])
            own, other = slice(ends[first], ends[first + 1]), slice(ends[second], ends[second + 1])
            row[own] = multipliers[second - 1, own]
            row[other] = multipliers[first, other]
            yield row


def _quietly() -> warnings.catch_warnings[None]:
    """Silence LIBLINEAR's warning that an extreme C of a search has not converged.

    Such a cell's validation score says by itself whether it is of use; `n_iter` tells the rest.
    """
    from sklearn.exceptions import ConvergenceWarning

    return warnings.catch_warnings(action="ignore", category=ConvergenceWarning)
