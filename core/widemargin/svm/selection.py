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
from widemargin.svm.machine import Machine, Solution, violations

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["GridCell", "Scorer", "Search", "check_gram_size", "refit", "select"]

Scorer = Callable[["NDArray[np.float64]"], Sequence[float]]
"""``scorer(held-out decisions of all training rows) -> one score a split``."""

_GRAM_LIMIT = 4 * 2**30


@dataclass(frozen=True)
class GridCell:
    """One pair of C and gamma with its held-out score on every inner fold.

    Parameters
    ----------
    C : float
        Price of a margin violation.
    gamma : float or None
        None where the kernel has none.
    scores : tuple of float
        One score a fold, greater is better; nan where undefined, as where a fold lacks a class.
    mean, std : float
        Over the folds that define the score for any cell; minus infinity where one of these does
        not define it for this cell.
    """

    C: float
    gamma: float | None
    scores: tuple[float, ...]
    mean: float
    std: float


@dataclass(frozen=True, kw_only=True)
class Search:
    """What a search found.

    Parameters
    ----------
    cells : tuple of GridCell
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

    cells: tuple[GridCell, ...]
    chosen: int
    held_out: NDArray[np.float64]
    machine: Machine
    support: NDArray[np.intp]
    weights: NDArray[np.float64]

    @property
    def best(self) -> GridCell:
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
        ``scorer(decisions) -> one score a split``, given one cell's held-out decisions of all
        training rows; greater is better, nan where undefined.
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
        Where the Gram matrix would take more than 4 GiB, or no fold defines the score.
    """
    solver = _Solver(X, y, n_classes, settings, kernel, sample_weight, random_state)
    values = c_grid(settings.C, kernel, X, n_classes)
    gammas = gamma_grid(settings.gamma, kernel, X, random_state)
    held_out: list[NDArray[np.float64]] = []
    steps = len(gammas) * len(splits) * len(values)
    with (progress or Silent()).stage("inner search", total=steps) as stage:
        for gamma in gammas:
            view = solver.view(gamma)
            decisions = [
                np.empty(len(y)) if n_classes <= 2 else np.empty((len(y), n_classes))
                for _ in values
            ]
            for at, split in enumerate(splits):
                part = view if fold_rows is None else view.on(*fold_rows[at])
                for column, C in enumerate(values):
                    decisions[column][split.test] = part.fit_predict(split, C)
                    stage.advance()
            held_out.extend(decisions)
    places = [(C, gamma) for gamma in gammas for C in values]
    cells = _score(places, [tuple(scorer(own)) for own in held_out])
    order = sorted(
        range(len(cells)), key=lambda at: (-cells[at].mean, cells[at].C, cells[at].gamma or 0.0)
    )
    best = cells[order[0]]
    machine, solution = solver.view(best.gamma).refit(best.C)
    return Search(
        cells=cells,
        chosen=order[0],
        held_out=held_out[order[0]],
        machine=machine,
        support=solution.support,
        weights=solver.weigh(solution),
    )


def _score(
    places: Sequence[tuple[float, float | None]], scores: Sequence[tuple[float, ...]]
) -> tuple[GridCell, ...]:
    table = np.array(scores, dtype=np.float64)
    defined = np.isfinite(table).any(axis=0)
    if not defined.any():
        raise DataError(
            "the metric that the search maximises is undefined on every inner fold, as where each "
            "lacks a class. Lower evaluation.inner, or add items or groups of the rarest class."
        )
    ranked = np.where(np.isfinite(table), table, -np.inf)[:, defined]
    return tuple(
        GridCell(
            C,
            gamma,
            own,
            mean=float(row.mean()),
            std=float(row.std()) if np.isfinite(row).all() else float("nan"),
        )
        for (C, gamma), own, row in zip(places, scores, ranked, strict=True)
    )


def refit(
    X: Any,
    y: NDArray[Any],
    *,
    n_classes: int,
    settings: SVMSettings,
    kernel: Kernel,
    cell: GridCell,
    sample_weight: NDArray[np.float64] | None = None,
    random_state: int = 0,
) -> Machine:
    """Fit one machine at one cell's C and gamma; parameters as for `select`."""
    solver = _Solver(X, y, n_classes, settings, kernel, sample_weight, random_state)
    return solver.view(cell.gamma).refit(cell.C)[0]


def check_gram_size(kernel: Kernel, n: int) -> None:
    """Refuse a kernel machine whose matrices would not fit, before anything is computed.

    Raises
    ------
    DataError
        Where `n` rows need more than 4 GiB.

    Examples
    --------
    >>> from widemargin.svm.kernels import LINEAR
    >>> check_gram_size(LINEAR, 1_000_000)
    """
    # Distances, one gamma's Gram and a fold's copy of it are alive at once.
    if kernel.name != "linear" and 3 * 8 * n * n > _GRAM_LIMIT:
        raise DataError(
            f"the {kernel.name} kernel needs matrices of {n:,} x {n:,} numbers, "
            f"{3 * 8 * n * n / 2**30:.0f} GiB. Use --set svm.kernel=linear, or at most "
            f"{int((_GRAM_LIMIT / 24) ** 0.5):,} rows."
        )


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
        check_gram_size(kernel, X.shape[0])

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
        support = solution.support
        return violations(
            solution, self.X[support], self.y[support], self.n_classes, self.settings.epsilon
        )


class _View:
    """The problem at one gamma: rows for a linear machine, a Gram matrix for the others."""

    def __init__(self, solver: _Solver, parameters: KernelParameters | None) -> None:
        self._solver, self._parameters = solver, parameters

    @property
    def is_linear(self) -> bool:
        """Whether rows are enough and no Gram matrix is needed."""
        return self._parameters is None

    @cached_property
    def _gram(self) -> NDArray[np.float64]:
        """The one Gram matrix that every fold and C of this gamma reads."""
        return self.compute(self._solver.X, self._solver.X)

    def compute(self, X: Any, Y: Any) -> NDArray[np.float64]:
        assert self._parameters is not None
        kernel = self._solver.kernel
        gram = kernel.gram(X, Y, self._parameters)
        if not np.isfinite(gram).all():
            settings = " or ".join(f"svm.{name}" for name in kernel.parameters)
            raise DataError(
                f"the {kernel.name} kernel of these rows is too large for a number; "
                f"choose a smaller {settings}."
            )
        return gram

    def on(self, train: Any, test: Any) -> _Part:
        """Return the same problem on features that were fitted for one split alone."""
        return _Part(self, train, test)

    def fit_predict(self, split: Split, C: float) -> NDArray[np.float64]:
        """Fit on a split's training rows and decide its held-out rows."""
        X = self._solver.X
        if self._parameters is None:
            return self.on(X[split.train], X[split.test]).fit_predict(split, C)
        inner = self._gram[np.ix_(split.train, split.train)]
        solution = self.solve_gram(inner, split.train, C)
        across = self._gram[np.ix_(split.test, split.train[solution.support])]
        return self.machine(solution, None).decide_gram(across)

    def refit(self, C: float) -> tuple[Machine, Solution]:
        """Fit on all rows."""
        X = self._solver.X
        if self._parameters is None:
            solution = self.solve_linear(X, slice(None), C)
            return self.machine(solution, None), solution
        solution = self.solve_gram(self._gram, slice(None), C)
        return self.machine(solution, X[solution.support]), solution

    def solve_linear(self, X: Any, rows: NDArray[np.intp] | slice, C: float) -> Solution:
        solver = self._solver
        return solver.engine.solve_linear(X, solver.y[rows], **solver.options(rows, C))

    def solve_gram(
        self, gram: NDArray[np.float64], rows: NDArray[np.intp] | slice, C: float
    ) -> Solution:
        solver = self._solver
        return solver.engine.solve_gram(gram, solver.y[rows], **solver.options(rows, C))

    def machine(self, solution: Solution, vectors: Any) -> Machine:
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


class _Part:
    """One split with features of its own."""

    def __init__(self, view: _View, train: Any, test: Any) -> None:
        self._view, self._train, self._test = view, train, test

    @cached_property
    def _gram(self) -> NDArray[np.float64]:
        return self._view.compute(self._train, self._train)

    def fit_predict(self, split: Split, C: float) -> NDArray[np.float64]:
        """Fit on the training part and decide the other."""
        view = self._view
        if view.is_linear:
            machine = view.machine(view.solve_linear(self._train, split.train, C), None)
        else:
            solution = view.solve_gram(self._gram, split.train, C)
            machine = view.machine(solution, self._train[solution.support])
        return machine.decide(self._test)
