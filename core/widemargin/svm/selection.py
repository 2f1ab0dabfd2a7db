"""Model selection: every cell of a grid on every inner fold, one Gram matrix a gamma."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Kernel, KernelParameters, Progress, Silent, Split, SVMSettings
from widemargin.errors import DataError
from widemargin.svm.engines import choose_engine
from widemargin.svm.grid import c_grid, gamma_grid
from widemargin.svm.machine import Machine, Solution

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Cell", "Scorer", "Search", "refit", "select"]

Scorer = Callable[["NDArray[np.intp]", "NDArray[np.float64]"], float]
"""``scorer(rows, decisions of those rows) -> float``; greater is better."""

_GRAM_LIMIT = 4 * 2**30


@dataclass(frozen=True)
class Cell:
    """One pair of C and gamma with its held-out score on every inner fold.

    Parameters
    ----------
    C : float
        Price of a margin violation.
    gamma : float or None
        None where the kernel has none.
    scores : tuple of float
        One score a fold; greater is better.
    """

    C: float
    gamma: float | None
    scores: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean score; minus infinity where a fold's is undefined."""
        return float(np.mean(self.scores)) if np.isfinite(self.scores).all() else -np.inf

    @property
    def std(self) -> float:
        """Standard deviation of the scores over the folds."""
        return float(np.std(self.scores))


@dataclass(frozen=True, kw_only=True)
class Search:
    """What a search found.

    Parameters
    ----------
    cells : tuple of Cell
        Every cell tried.
    chosen : int
        The best mean score; of equals the smallest C, then the smallest gamma.
    held_out : ndarray of shape (n_samples,) or (n_samples, n_classes)
        Decisions of the chosen cell for each training row by the machine that had not seen it.
    machine : Machine
        Refitted at the chosen cell on all training rows.
    support : ndarray of shape (n_support,)
        Training rows on or inside the margin.
    weights : ndarray of shape (n_support,)
        How much each one counts: its multiplier, or its margin violation for a linear machine.
    """

    cells: tuple[Cell, ...]
    chosen: int
    held_out: NDArray[np.float64]
    machine: Machine
    support: NDArray[np.intp]
    weights: NDArray[np.float64]

    @property
    def best(self) -> Cell:
        """The chosen cell."""
        return self.cells[self.chosen]


def select(
    X: Any,
    y: NDArray[Any],
    *,
    n_classes: int,
    settings: SVMSettings,
    kernel: Kernel,
    splits: Sequence[Split],
    scorer: Scorer,
    sample_weight: NDArray[np.float64] | None = None,
    fold_rows: Sequence[tuple[Any, Any]] | None = None,
    random_state: int = 0,
    progress: Progress | None = None,
) -> Search:
    """Choose C and gamma on inner folds and refit.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        Training rows.
    y : ndarray of shape (n_samples,)
        Codes 0 .. n_classes - 1, or numbers where `n_classes` is 0.
    n_classes : int
        Number of classes; 0 for regression.
    settings : SVMSettings
        C, gamma and the rest.
    kernel : Kernel
        The kernel that ``settings.kernel`` names.
    splits : sequence of Split
        Inner folds; together their test parts hold each row once.
    scorer : callable
        ``scorer(rows, decisions) -> float``; greater is better.
    sample_weight : ndarray of shape (n_samples,), optional
        Factor of C by row.
    fold_rows : sequence of (train, test), optional
        The features of each split's two parts, where these were fitted on the split's own training
        rows because they learn y; `X` then serves the refit alone.
    random_state : int, default=0
        Seed.
    progress : Progress, optional
        Told of every fit; silent by default.

    Returns
    -------
    Search

    Raises
    ------
    DataError
        Where the Gram matrix would take more than 4 GiB.
    """
    solver = _Solver(X, y, n_classes, settings, kernel, sample_weight, random_state)
    values = c_grid(settings.C, kernel, X, n_classes)
    gammas = gamma_grid(settings.gamma, kernel, X, random_state)
    cells: list[Cell] = []
    held_out: list[NDArray[np.float64]] = []
    steps = len(gammas) * len(splits) * len(values)
    with (progress or Silent()).stage("inner search", total=steps) as stage:
        for gamma in gammas:
            view = solver.view(gamma)
            decisions = [
                np.empty(len(y)) if n_classes <= 2 else np.empty((len(y), n_classes))
                for _ in values
            ]
            scores: list[list[float]] = [[] for _ in values]
            for at, split in enumerate(splits):
                part = view if fold_rows is None else view.on(*fold_rows[at])
                for column, C in enumerate(values):
                    decided = part.fit_predict(split, C)
                    decisions[column][split.test] = decided
                    scores[column].append(scorer(split.test, decided))
                    stage.advance()
            held_out.extend(decisions)
            cells.extend(Cell(C, gamma, tuple(own)) for C, own in zip(values, scores, strict=True))
    order = sorted(
        range(len(cells)), key=lambda at: (-cells[at].mean, cells[at].C, cells[at].gamma or 0.0)
    )
    best = cells[order[0]]
    machine, solution = solver.view(best.gamma).refit(best.C)
    return Search(
        cells=tuple(cells),
        chosen=order[0],
        held_out=held_out[order[0]],
        machine=machine,
        support=solution.support,
        weights=solver.weigh(solution),
    )


def refit(
    X: Any,
    y: NDArray[Any],
    *,
    n_classes: int,
    settings: SVMSettings,
    kernel: Kernel,
    cell: Cell,
    sample_weight: NDArray[np.float64] | None = None,
    random_state: int = 0,
) -> Machine:
    """Fit one machine at one cell's C and gamma; parameters as for `select`."""
    solver = _Solver(X, y, n_classes, settings, kernel, sample_weight, random_state)
    return solver.view(cell.gamma).refit(cell.C)[0]


class _Solver:
    """One training part: rows, targets, weights, and the engine that fits them."""

    def __init__(
        self,
        X: Any,
        y: NDArray[Any],
        n_classes: int,
        settings: SVMSettings,
        kernel: Kernel,
        sample_weight: NDArray[np.float64] | None,
        random_state: int,
    ) -> None:
        self.X, self.y, self.n_classes = X, y, n_classes
        self.kernel, self.settings = kernel, settings
        self.sample_weight = sample_weight
        self.engine = choose_engine(settings.engine)
        self.random_state = random_state
        n = X.shape[0]
        # Distances, one gamma's Gram and a fold's copy of it are alive at once.
        if kernel.name != "linear" and 3 * 8 * n * n > _GRAM_LIMIT:
            raise DataError(
                f"the {kernel.name} kernel needs matrices of {n:,} x {n:,} numbers, "
                f"{3 * 8 * n * n / 2**30:.0f} GiB. Use --set svm.kernel=linear, or at most "
                f"{int((_GRAM_LIMIT / 24) ** 0.5):,} rows."
            )

    def view(self, gamma: float | None) -> _View:
        """Prepare the problem at one gamma."""
        if self.kernel.name == "linear":
            return _View(self, None)
        parameters = KernelParameters(
            gamma=1.0 if gamma is None else gamma,
            degree=self.settings.degree,
            coef0=self.settings.coef0,
        )
        return _View(self, parameters)

    def options(self, rows: NDArray[np.intp] | slice, C: float) -> dict[str, Any]:
        """Return what both of an engine's methods take."""
        weight = self.sample_weight
        return {
            "n_classes": self.n_classes,
            "C": C,
            "epsilon": self.settings.epsilon,
            "sample_weight": None if weight is None else weight[rows],
            "random_state": self.random_state,
        }

    def weigh(self, solution: Solution) -> NDArray[np.float64]:
        """Say how much each support vector counts."""
        if solution.dual_coef is not None:
            largest: NDArray[np.float64] = np.abs(solution.dual_coef).max(axis=0)
            return largest
        assert solution.coef is not None
        rows = self.X[solution.support]
        functions = rows @ solution.coef.T + solution.intercept
        own = self.y[solution.support]
        if self.n_classes == 0:
            violation = np.abs(own - functions[:, 0]) - self.settings.epsilon
        elif self.n_classes == 2:
            violation = 1 - (2 * own - 1) * functions[:, 0]
        else:
            violation = 1 - functions[np.arange(len(own)), own]
        positive: NDArray[np.float64] = np.maximum(violation, 0)
        return positive


class _View:
    """The problem at one gamma: rows for a linear machine, a Gram matrix for the others."""

    def __init__(self, solver: _Solver, parameters: KernelParameters | None) -> None:
        self._solver, self._parameters = solver, parameters

    @cached_property
    def _gram(self) -> NDArray[np.float64]:
        """The one Gram matrix that every fold and C of this gamma reads."""
        return self._compute(self._solver.X, self._solver.X)

    def _compute(self, X: Any, Y: Any) -> NDArray[np.float64]:
        assert self._parameters is not None
        return self._solver.kernel.gram(X, Y, self._parameters)

    def on(self, train: Any, test: Any) -> _Part:
        """Return the same problem on features that were fitted for one split alone."""
        return _Part(self, train, test)

    def fit_predict(self, split: Split, C: float) -> NDArray[np.float64]:
        """Fit on a split's training rows and decide its held-out rows."""
        X = self._solver.X
        if self._parameters is None:
            return self.fit_predict_rows(X[split.train], X[split.test], split, C)
        inner = self._gram[np.ix_(split.train, split.train)]
        solution = self._solve_gram(inner, split.train, C)
        across = self._gram[np.ix_(split.test, split.train[solution.support])]
        return self._machine(solution, None).decide_gram(across)

    def fit_predict_rows(
        self, train: Any, test: Any, split: Split, C: float
    ) -> NDArray[np.float64]:
        """Fit on given features of a split's training rows and decide those of the others."""
        if self._parameters is None:
            return self._machine(self._solve_linear(train, split.train, C), None).decide(test)
        solution = self._solve_gram(self._compute(train, train), split.train, C)
        return self._machine(solution, train[solution.support]).decide(test)

    def refit(self, C: float) -> tuple[Machine, Solution]:
        """Fit on all rows."""
        X = self._solver.X
        if self._parameters is None:
            solution = self._solve_linear(X, slice(None), C)
            return self._machine(solution, None), solution
        solution = self._solve_gram(self._gram, slice(None), C)
        return self._machine(solution, X[solution.support]), solution

    def _solve_linear(self, X: Any, rows: NDArray[np.intp] | slice, C: float) -> Solution:
        solver = self._solver
        return solver.engine.solve_linear(X, solver.y[rows], **solver.options(rows, C))

    def _solve_gram(
        self, gram: NDArray[np.float64], rows: NDArray[np.intp] | slice, C: float
    ) -> Solution:
        solver = self._solver
        return solver.engine.solve_gram(gram, solver.y[rows], **solver.options(rows, C))

    def _machine(self, solution: Solution, vectors: Any) -> Machine:
        return Machine(
            scheme=solution.scheme,
            n_classes=self._solver.n_classes,
            intercept=solution.intercept,
            coef=solution.coef,
            kernel=None if self._parameters is None else self._solver.kernel,
            parameters=self._parameters,
            vectors=vectors,
            dual_coef=solution.dual_coef,
        )


@dataclass(frozen=True)
class _Part:
    """One split with features of its own."""

    view: _View
    train: Any
    test: Any

    def fit_predict(self, split: Split, C: float) -> NDArray[np.float64]:
        """Fit on the training part and decide the other."""
        return self.view.fit_predict_rows(self.train, self.test, split, C)
