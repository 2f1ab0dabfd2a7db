"""A trained machine as arrays: what predicting needs, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from widemargin.contracts import Kernel, KernelParameters

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Machine", "Solution", "duels", "violations", "vote"]

Scheme = Literal["single", "one-vs-one"]


@dataclass(frozen=True, kw_only=True)
class Solution:
    """What an engine returns: one or more separating functions over the training rows.

    Parameters
    ----------
    scheme : {"single", "one-vs-one"}
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
    """

    scheme: Scheme
    support: NDArray[np.intp]
    dual_coef: NDArray[np.float64] | None
    coef: NDArray[np.float64] | None
    intercept: NDArray[np.float64]
    n_iter: int


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A decision function made of arrays.

    Either `coef`, or `kernel` with `vectors` and `dual_coef`, is present.

    Parameters
    ----------
    scheme : {"single", "one-vs-one"}
        How the functions make a decision.
    n_classes : int
        Number of classes; 0 for regression.
    intercept : ndarray of shape (n_functions,)
        Constant terms.
    coef : ndarray of shape (n_functions, n_features), optional
        Weights of a linear machine.
    kernel, parameters : Kernel and KernelParameters, optional
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
    kernel: Kernel | None = None
    parameters: KernelParameters | None = None
    vectors: Any = None
    dual_coef: NDArray[np.float64] | None = None

    def decide(self, X: Any) -> NDArray[np.float64]:
        """Return decisions of shape (n_samples,), or (n_samples, n_classes) beyond two classes."""
        if self.coef is not None:
            return self._combine(X @ self.coef.T + self.intercept)
        assert self.kernel is not None
        assert self.parameters is not None
        return self.decide_gram(self.kernel.gram(X, self.vectors, self.parameters))

    def decide_gram(self, gram: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return decisions from kernel values against the support vectors."""
        assert self.dual_coef is not None
        return self._combine(gram @ self.dual_coef.T + self.intercept)

    def _combine(self, functions: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.scheme == "single":
            return functions[:, 0]
        return vote(functions, self.n_classes)

    def class_coef(self, code: int) -> NDArray[np.float64]:
        """Return the weights of a linear machine that speak for one class of several.

        They are the mean over the class's duels, so that their product with a row is its mean
        margin in these, less the constant terms.
        """
        import numpy as np

        assert self.coef is not None
        own = [
            self.coef[column] if first == code else -self.coef[column]
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

    Beyond two classes it is the worst of the row's own duels; for regression, the way out of the
    tube.
    """
    import numpy as np

    assert solution.coef is not None
    functions = X @ solution.coef.T + solution.intercept
    if n_classes == 0:
        worst = np.abs(y - functions[:, 0]) - epsilon
    elif n_classes == 2:
        worst = 1 - (2 * y - 1) * functions[:, 0]
    else:
        worst = np.zeros(len(y))
        for column, first, second in duels(n_classes):
            for code, sign in ((first, 1.0), (second, -1.0)):
                own = y == code
                worst[own] = np.maximum(worst[own], 1 - sign * functions[own, column])
    loss: NDArray[np.float64] = np.maximum(worst, 0)
    return loss


def vote(functions: NDArray[np.float64], n_classes: int) -> NDArray[np.float64]:
    r"""Turn one-vs-one functions into one decision a class.

    A class's decision is its number of won duels plus the sum :math:`s` of its margins squeezed
    into :math:`s / (3 (|s| + 1))`, less than a third of a vote: margins break ties and overturn
    no majority. This is scikit-learn's ``decision_function_shape="ovr"``.

    Parameters
    ----------
    functions : ndarray of shape (n_samples, n_classes * (n_classes - 1) / 2)
        Duels (0, 1), (0, 2), ..., (1, 2), ...; above 0 means that the first class wins.
    n_classes : int
        Number of classes.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
    """
    import numpy as np

    votes = np.zeros((len(functions), n_classes))
    margins = np.zeros_like(votes)
    for column, first, second in duels(n_classes):
        won = functions[:, column] > 0
        votes[:, first] += won
        votes[:, second] += ~won
        margins[:, first] += functions[:, column]
        margins[:, second] -= functions[:, column]
    squeezed: NDArray[np.float64] = margins / (3 * (np.abs(margins) + 1))
    return votes + squeezed
