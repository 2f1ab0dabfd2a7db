"""A solver: what is to be learned, and the engine that learns it, from rows or Gram matrices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from widemargin.svm import schemes
from widemargin.svm.duals import Duals, SolvedDuals
from widemargin.svm.engines import Engine
from widemargin.svm.machine import Machine, Solution, combine
from widemargin.svm.schemes import Part

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.svm.fitted import FittedKernel

__all__ = ["Solver"]


@dataclass(frozen=True, kw_only=True)
class Solver:
    """What is to be learned, whatever the features are.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Codes 0 .. n_classes - 1, or numbers where `n_classes` is 0.
    n_classes : int
        Number of classes; 0 for regression.
    engine : Engine
        What solves it.
    scheme : {"one-vs-one", "one-vs-rest"}
        How more than two classes are told apart.
    epsilon : float
        Half-width of the regression tube.
    sample_weight : ndarray of shape (n_samples,), optional
        Factor of C by row.
    random_state : int
        Seed of the linear engine's order of rows.
    n_threads : int, optional
        By default as many as the process may use.
    tol : float
        Largest violation of the optimality conditions; a tenth of it for linear machines.
    max_iter : int
        Most pairs of multipliers to change, or of passes over rows; -1 for no limit, which for
        passes is 5,000.
    """

    y: NDArray[Any]
    n_classes: int
    engine: Engine
    scheme: Literal["one-vs-one", "one-vs-rest"] = "one-vs-one"
    epsilon: float = 0.1
    sample_weight: NDArray[np.float64] | None = None
    random_state: int = 0
    n_threads: int | None = None
    tol: float = 1e-3
    max_iter: int = -1

    @property
    def own_scheme(self) -> schemes.Scheme:
        """The scheme, or ``single``."""
        return schemes.scheme_of(self.n_classes, self.scheme)

    @property
    def n_functions(self) -> int:
        """How many separating functions there are."""
        return schemes.count_functions(self.n_classes, self.own_scheme)

    @property
    def everything(self) -> Part:
        """All rows to train on, and none to decide."""
        return np.arange(len(self.y)), np.empty(0, dtype=np.intp)

    def targets(self, rows: NDArray[np.intp] | slice) -> NDArray[np.float64]:
        """Return what kernels may be weighed by: numbers, or +1 and -1 for each class."""
        if not self.n_classes:
            return np.asarray(self.y[rows], dtype=np.float64)[:, None]
        rest = schemes.scheme_of(self.n_classes, "one-vs-rest")
        return np.stack(schemes.targets(self.y[rows], self.n_classes, rest), axis=1)

    def counted(self, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Say which rows take part: those of a weight above 0."""
        if self.sample_weight is None:
            return np.ones(len(rows), dtype=np.bool_)
        taken: NDArray[np.bool_] = self.sample_weight[rows] > 0
        return taken

    def at(self, rows: NDArray[np.intp]) -> Solver:
        """Return the problem of some rows, in their order."""
        weight = None if self.sample_weight is None else self.sample_weight[rows]
        return Solver(
            y=self.y[rows],
            n_classes=self.n_classes,
            engine=self.engine,
            scheme=self.scheme,
            epsilon=self.epsilon,
            sample_weight=weight,
            random_state=self.random_state,
            n_threads=self.n_threads,
            tol=self.tol,
            max_iter=self.max_iter,
        )

    def duals(self, parts: Sequence[Part]) -> Duals:
        """Build the dual problems of every part, function by function."""
        if self.n_classes:
            return schemes.classification(
                self.y, self.n_classes, self.own_scheme, self.sample_weight, parts
            )
        return schemes.regression(self.y, self.epsilon, self.sample_weight, parts)

    def solve(
        self,
        grams: Sequence[NDArray[Any]],
        duals: Duals,
        C: Sequence[float],
        *,
        start: NDArray[np.float64] | None = None,
        warm: tuple[float, NDArray[np.float64]] | None = None,
    ) -> SolvedDuals:
        """Hand the problems to the engine."""
        return self.engine.solve(
            grams,
            duals,
            np.array(C, dtype=np.float64),
            tol=self.tol,
            max_iter=self.max_iter,
            start=start,
            warm=warm,
            n_threads=self.n_threads,
        )

    def decisions(self, duals: Duals, solved: SolvedDuals) -> NDArray[np.float64]:
        """Combine held-out decisions, part by part.

        Returns
        -------
        ndarray of shape (n_grams, n_C, n_held_out) or (n_grams, n_C, n_held_out, n_classes)
            Where n_held_out counts each part's held-out rows once.
        """
        count = self.n_functions
        if count == 1 and self.own_scheme == "single":
            return solved.decision
        # Functions of all parts, each part's held-out rows in turn.
        places = np.arange(len(solved.decision[0, 0]))
        of_parts = np.split(places, duals.held_out_starts[count:-1:count])
        order = np.concatenate([own.reshape(count, -1) for own in of_parts], axis=1)
        functions = np.moveaxis(solved.decision[:, :, order], 2, 0)
        return combine(functions, self.n_classes, self.own_scheme)

    def machine(
        self, solution: Solution, kernel: FittedKernel | None = None, vectors: Any = None
    ) -> Machine:
        """Make a machine of a solution."""
        return Machine(
            scheme=solution.scheme,
            n_classes=self.n_classes,
            intercept=solution.intercept,
            coef=solution.coef,
            kernel=kernel,
            vectors=vectors,
            dual_coef=solution.dual_coef,
        )

    def fit_gram(self, gram: NDArray[Any], C: float) -> Solution:
        """Fit all rows of a Gram matrix at one C."""
        duals = self.duals([self.everything])
        solved = self.solve([gram], duals, [C])
        return schemes.solution(duals, solved, self.own_scheme, self.n_functions)

    def fit_rows(
        self, X: Any, parts: Sequence[Part], C: Sequence[float]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
        """Fit linear machines to rows.

        Returns
        -------
        coef : ndarray of shape (n_parts, n_C, n_functions, n_features)
        intercept : ndarray of shape (n_parts, n_C, n_functions)
        converged : ndarray of bool, shape (n_parts, n_C)
        n_iter : ndarray of int64, shape (n_parts, n_C)
        """
        solved = self.engine.solve_rows(
            X,
            self.duals(parts),
            np.array(C, dtype=np.float64),
            tol=0.1 * self.tol,
            max_iter=5000 if self.max_iter < 0 else self.max_iter,
            random_state=self.random_state,
            n_threads=self.n_threads,
        )
        shape = (len(C), len(parts), self.n_functions)
        coef = solved.coef.reshape(*shape, -1).swapaxes(0, 1)
        intercept = solved.intercept.reshape(shape).swapaxes(0, 1)
        converged: NDArray[np.bool_] = np.logical_and.reduce(
            solved.converged.reshape(shape), axis=2
        )
        n_iter: NDArray[np.int64] = solved.n_iter.reshape(shape).max(axis=2)
        return coef, intercept, converged.T, n_iter.T
