"""A trained machine as arrays: what predicting needs, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from widemargin.svm.fitted import FittedKernel

__all__ = ["Machine", "Scheme", "Solution", "combine", "duels", "violations", "vote"]

Scheme = Literal["single", "one-vs-one", "one-vs-rest"]
"""How functions tell classes apart; ``single`` for two classes, and for regression."""


@dataclass(frozen=True, kw_only=True)
class Solution:
    """What an engine returns: one or more separating functions over the training rows.

    Parameters
    ----------
    scheme : {"single", "one-vs-one", "one-vs-rest"}
        ``single`` for two classes and for regression.
    support : ndarray of shape (n_support,)
        Rows whose removal would change the solution.
    dual_coef : ndarray of shape (n_functions, n_support) or None
        Signed multipliers; None where only `coef` is known.
    coef : ndarray of shape (n_functions, n_features) or None
        Weights of a linear machine.
    intercept : ndarray of shape (n_functions,)
        Constant terms.
    n_iter : int
        Iterations of the slowest function.
    converged : bool
        Whether every function met the optimality conditions.
    """

    scheme: Scheme
    support: NDArray[np.intp]
    dual_coef: NDArray[np.float64] | None
    coef: NDArray[np.float64] | None
    intercept: NDArray[np.float64]
    n_iter: int
    converged: bool = True


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A decision function made of arrays.

    Either `coef`, or `kernel` with `vectors` and `dual_coef`, is present.

    Parameters
    ----------
    scheme : {"single", "one-vs-one", "one-vs-rest"}
        How the functions make a decision.
    n_classes : int
        Number of classes; 0 for regression.
    intercept : ndarray of shape (n_functions,)
        Constant terms.
    coef : ndarray of shape (n_functions, n_features), optional
        Weights of a linear machine.
    kernel : FittedKernel, optional
        The kernel of a machine that keeps its support vectors.
    vectors : ndarray or CSR of shape (n_support, n_features), optional
        Support vectors.
    dual_coef : ndarray of shape (n_functions, n_support), optional
        Their signed multipliers.

    Examples
    --------
    >>> import numpy as np
    >>> line = Machine(scheme="single", n_classes=2, intercept=np.array([-1.0]),
    ...                coef=np.array([[2.0]]))
    >>> line.decide(np.array([[0.0], [1.0]]))
    array([-1.,  1.])
    """

    scheme: Scheme
    n_classes: int
    intercept: NDArray[np.float64]
    coef: NDArray[np.float64] | None = None
    kernel: FittedKernel | None = None
    vectors: Any = None
    dual_coef: NDArray[np.float64] | None = None

    def decide(self, X: Any) -> NDArray[np.float64]:
        """Return decisions of shape (n_samples,), or (n_samples, n_classes) beyond two classes."""
        if self.coef is not None:
            return self._combine(X @ self.coef.T + self.intercept)
        assert self.kernel is not None
        assert self.dual_coef is not None
        from widemargin.svm.expansion import expand

        functions = expand(self.kernel, X, self.vectors, self.dual_coef)
        return self._combine(functions + self.intercept)

    def decide_gram(self, gram: NDArray[Any]) -> NDArray[np.float64]:
        """Return decisions from kernel values against the support vectors."""
        assert self.dual_coef is not None
        return self._combine(gram @ self.dual_coef.T + self.intercept)

    def parts(self, X: Any) -> list[tuple[str, NDArray[np.float64]]]:
        """Split each row's functions into what each summand of the kernel adds.

        The parts of shape (n_samples, n_functions) and the constant terms add up to the functions.
        """
        assert self.kernel is not None
        assert self.dual_coef is not None
        coef = self.dual_coef.T
        return [(name, gram @ coef) for name, gram in self.kernel.parts(X, self.vectors)]

    def _combine(self, functions: NDArray[np.float64]) -> NDArray[np.float64]:
        return combine(functions.T, self.n_classes, self.scheme)

    def class_coef(self, code: int) -> NDArray[np.float64]:
        """Return the weights of a linear machine that speak for one class of several."""
        assert self.coef is not None
        return self.for_class(self.coef.T, code)

    def for_class(self, functions: NDArray[np.float64], code: int) -> NDArray[np.float64]:
        """Return what the functions say of one class of several, taken over their last axis.

        One against the rest, it is the class's own function. One against one, it is the mean over
        the class's duels.
        """
        import numpy as np

        if self.scheme == "one-vs-rest":
            own_function: NDArray[np.float64] = functions[..., code]
            return own_function
        own = [
            functions[..., column] if first == code else -functions[..., column]
            for column, first, second in duels(self.n_classes)
            if code in (first, second)
        ]
        mean: NDArray[np.float64] = np.mean(own, axis=0)
        return mean


def duels(n_classes: int) -> Iterator[tuple[int, int, int]]:
    """Go through the pairs of classes: the column of each one's function, and the two codes.

    Examples
    --------
    >>> list(duels(3))
    [(0, 0, 1), (1, 0, 2), (2, 1, 2)]
    """
    pairs = ((i, j) for i in range(n_classes) for j in range(i + 1, n_classes))
    for column, (first, second) in enumerate(pairs):
        yield column, first, second


def violations(
    solution: Solution, X: Any, y: NDArray[Any], n_classes: int, epsilon: float
) -> NDArray[np.float64]:
    """Return by how much each training row violates a linear machine's margin, at least 0.

    Beyond two classes it is the worst of the functions that the row takes part in; for regression,
    the way out of the tube.
    """
    import numpy as np

    assert solution.coef is not None
    functions = X @ solution.coef.T + solution.intercept
    worst: NDArray[np.float64]
    if n_classes == 0:
        worst = np.abs(y - functions[:, 0]) - epsilon
    elif n_classes == 2:
        worst = 1 - (2 * y - 1) * functions[:, 0]
    elif solution.scheme == "one-vs-rest":
        signs = np.where(np.asarray(y)[:, None] == np.arange(n_classes), 1.0, -1.0)
        worst = (1 - signs * functions).max(axis=1)
    else:
        worst = np.zeros(len(y))
        for column, first, second in duels(n_classes):
            for code, sign in ((first, 1.0), (second, -1.0)):
                own = y == code
                worst[own] = np.maximum(worst[own], 1 - sign * functions[own, column])
    loss: NDArray[np.float64] = np.maximum(worst, 0)
    return loss


def combine(functions: NDArray[np.float64], n_classes: int, scheme: Scheme) -> NDArray[np.float64]:
    """Turn functions into decisions.

    Parameters
    ----------
    functions : ndarray of shape (n_functions, ...)
        One array a function.
    n_classes : int
        Number of classes; 0 for regression.
    scheme : {"single", "one-vs-one", "one-vs-rest"}
        What the functions tell apart.

    Returns
    -------
    ndarray of shape (...) or (..., n_classes)
        Beyond two classes, one decision a class.
    """
    import numpy as np

    if scheme == "single":
        only: NDArray[np.float64] = functions[0]
        return only
    if scheme == "one-vs-rest":
        return np.moveaxis(functions, 0, -1)
    return vote(functions, n_classes)


def vote(functions: NDArray[np.float64], n_classes: int) -> NDArray[np.float64]:
    r"""Turn one-vs-one functions into one decision a class.

    A class's decision is its number of won duels plus the sum :math:`s` of its margins squeezed
    into :math:`s / (3 (|s| + 1))`, less than a third of a vote: margins break ties and overturn
    no majority. This is scikit-learn's ``decision_function_shape="ovr"``.

    Parameters
    ----------
    functions : ndarray of shape (n_classes * (n_classes - 1) / 2, ...)
        Duels (0, 1), (0, 2), ..., (1, 2), ...; above 0 means that the first class wins.
    n_classes : int
        Number of classes.

    Returns
    -------
    ndarray of shape (..., n_classes)
    """
    import numpy as np

    votes = np.zeros((n_classes, *functions.shape[1:]))
    margins = np.zeros_like(votes)
    for column, first, second in duels(n_classes):
        own = functions[column]
        won = own > 0
        votes[first] += won
        votes[second] += ~won
        margins[first] += own
        margins[second] -= own
    squeezed: NDArray[np.float64] = margins / (3 * (np.abs(margins) + 1))
    return np.moveaxis(votes + squeezed, 0, -1)
