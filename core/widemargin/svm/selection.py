"""Model selection: every cell of a grid on every fold, out of one Gram matrix a gamma."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from widemargin.contracts import Progress, Silent
from widemargin.errors import DataError
from widemargin.svm.duals import Duals
from widemargin.svm.expression import Expression, Prepared, Term
from widemargin.svm.grid import c_grid
from widemargin.svm.machine import Machine, Solution, combine, violations
from widemargin.svm.prepared import Within
from widemargin.svm.schemes import Part
from widemargin.svm.solver import Solver

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["GridCell", "Rule", "Scorer", "Search", "is_linear", "refit", "select"]

PartRows = tuple[Any, Any, "Mapping[str, slice] | None"]
"""The features of a part's two sets of rows, and which columns are which block."""

Rule = Literal["max", "one-standard-error"]

Scorer = Callable[["NDArray[np.float64]"], Sequence[float]]
"""``scorer(held-out decisions, part by part) -> one score a part``; greater is better."""

# Gram matrices of several gammas are solved together, so that threads need not wait for each other,
# as long as they take no more than this.
_TOGETHER = 512 * 2**20
# Multipliers and decisions of the parts that are solved together.
_RESULTS = 256 * 2**20
# Where held-out parts are smaller than this share of the rows, a solution of all rows is nearly one
# of each part.
_SMALL_PART = 1 / 20


@dataclass(frozen=True)
class GridCell:
    """One pair of C and gamma with its held-out score on every fold.

    Parameters
    ----------
    C : float
        Price of a margin violation.
    gamma : float or None
        For a sum or product of kernels the factor of all automatic widths; None where there is
        none.
    scores : tuple of float
        One score a fold, greater is better; nan where undefined, as where a fold lacks a class.
    mean, std : float
        Over the folds that define the score for any cell; minus infinity where one of these does
        not define it for this cell.
    converged : bool
        Whether every machine of the cell met the optimality conditions.
    """

    C: float
    gamma: float | None
    scores: tuple[float, ...]
    mean: float
    std: float
    converged: bool = True


@dataclass(frozen=True, kw_only=True)
class Search:
    """What a search found.

    Parameters
    ----------
    cells : tuple of GridCell
        Every cell tried, by gamma and then C.
    chosen : int
        Which of them the rule chose.
    rows : ndarray of shape (n_held_out,)
        The rows that were held out, part by part.
    held_out : ndarray of shape (n_held_out,) or (n_held_out, n_classes)
        Their decisions at the chosen cell by machines that had not seen them.
    machine : Machine
        Refitted at the chosen cell on all rows.
    support : ndarray of shape (n_support,)
        Training rows on or inside the margin.
    weights : ndarray of shape (n_support,)
        How much each one counts: its multiplier, or its margin violation for a linear machine.
    """

    cells: tuple[GridCell, ...]
    chosen: int
    rows: NDArray[np.intp]
    held_out: NDArray[np.float64]
    machine: Machine
    support: NDArray[np.intp]
    weights: NDArray[np.float64]

    @property
    def best(self) -> GridCell:
        """The chosen cell."""
        return self.cells[self.chosen]


@dataclass(frozen=True)
class _Tried:
    """A cell before it is scored against the others."""

    C: float
    gamma: float | None
    held_out: NDArray[np.float64]
    scores: tuple[float, ...]
    converged: bool


def is_linear(expression: Expression) -> bool:
    """Say whether weights of the features are found without a Gram matrix.

    Examples
    --------
    >>> from widemargin.svm.kernels import LINEAR, RBF
    >>> is_linear(Term(LINEAR)), is_linear(Term(RBF))
    (True, False)
    """
    return (
        isinstance(expression, Term)
        and expression.block is None
        and expression.kernel.name == "linear"
    )


def select(
    X: Any,
    solver: Solver,
    *,
    expression: Expression,
    C: Literal["auto"] | float | tuple[float, ...],
    parts: Sequence[Part],
    scorer: Scorer,
    blocks: Mapping[str, slice] | None = None,
    part_rows: Sequence[PartRows] | None = None,
    within: Within | None = None,
    rule: Rule = "max",
    progress: Progress | None = None,
) -> Search:
    """Choose C and gamma on held-out parts and refit.

    A lone linear kernel is fitted to rows, with the squared hinge; every other one to Gram
    matrices, with the hinge.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        All rows.
    solver : Solver
        What is to be learned of them.
    expression : Expression
        The kernel, or a sum or product of kernels.
    C : "auto", float or tuple of float
        Values to try. ``auto`` goes along a path for as long as it helps.
    parts : sequence of (train, held_out)
        Row numbers; any splitter's parts, which may overlap.
    scorer : callable
        ``scorer(decisions) -> one score a part``, given one cell's held-out decisions, part by
        part; greater is better, nan where undefined.
    blocks : mapping of str to slice, optional
        Columns of each block of features.
    part_rows : sequence of (train, held_out, blocks), optional
        The features of each part's rows, where these were fitted on the part's own training rows
        because they learn y; `X` then serves the refit alone.
    within : Within, optional
        Where quantities of these rows have been computed among others.
    rule : {"max", "one-standard-error"}, default="max"
        The best mean score (of equals the smallest C, then the smallest gamma); or the smallest C,
        then gamma, whose mean is within one standard error of the best (Breiman, Friedman, Olshen
        & Stone 1984, "Classification and Regression Trees", section 3.4.3).
    progress : Progress, optional
        Told of every step; silent by default.

    Raises
    ------
    DataError
        Where no part defines the score.
    """
    road = _Linear if is_linear(expression) else _Kernel
    way = road(X, solver, expression, C, parts, blocks, part_rows, within)
    tried = []
    with (progress or Silent()).stage("inner search", total=way.steps) as stage:
        for cell in way.cells(scorer):
            tried.append(cell)
            stage.advance()
    cells = _compare(tried)
    chosen = _choose(cells, rule)
    machine, solution = way.refit(cells[chosen])
    return Search(
        cells=cells,
        chosen=chosen,
        rows=np.concatenate([held_out for _, held_out in parts]),
        held_out=tried[chosen].held_out,
        machine=machine,
        support=solution.support,
        weights=way.weigh(solution),
    )


def refit(
    X: Any,
    solver: Solver,
    *,
    expression: Expression,
    cell: GridCell,
    blocks: Mapping[str, slice] | None = None,
) -> Machine:
    """Fit one machine at one cell's C and gamma; parameters as for `select`."""
    road = _Linear if is_linear(expression) else _Kernel
    return road(X, solver, expression, cell.C, [], blocks, None, None).refit(cell)[0]


def _compare(tried: Sequence[_Tried]) -> tuple[GridCell, ...]:
    table = np.array([cell.scores for cell in tried], dtype=np.float64)
    defined = np.isfinite(table).any(axis=0)
    if not defined.any():
        raise DataError(
            "the metric that the search maximises is undefined on every inner fold, as where each "
            "lacks a class. Lower evaluation.inner, or add items or groups of the rarest class."
        )
    ranked = np.where(np.isfinite(table), table, -np.inf)[:, defined]
    whole = np.isfinite(ranked).all(axis=1)
    means = ranked.mean(axis=1).tolist()
    stds = np.full(len(tried), np.nan)
    stds[whole] = ranked[whole].std(axis=1)
    return tuple(
        GridCell(cell.C, cell.gamma, cell.scores, mean=mean, std=std, converged=cell.converged)
        for cell, mean, std in zip(tried, means, stds.tolist(), strict=True)
    )


def _choose(cells: Sequence[GridCell], rule: Rule) -> int:
    order = sorted(
        range(len(cells)), key=lambda at: (-cells[at].mean, cells[at].C, cells[at].gamma or 0.0)
    )
    best = cells[order[0]]
    if rule == "max":
        return order[0]
    least = best.mean - best.std / np.sqrt(max(1, np.isfinite(best.scores).sum()))
    good = [at for at in order if cells[at].mean >= least]
    return min(good or order[:1], key=lambda at: (cells[at].C, cells[at].gamma or 0.0))


class _Road:
    """What both roads share."""

    def __init__(
        self,
        X: Any,
        solver: Solver,
        expression: Expression,
        C: Literal["auto"] | float | tuple[float, ...],
        parts: Sequence[Part],
        blocks: Mapping[str, slice] | None,
        part_rows: Sequence[PartRows] | None,
        within: Within | None,
    ) -> None:
        self.X, self.solver, self.expression = X, solver, expression
        self.parts, self.blocks, self.part_rows = parts, blocks, part_rows
        self.within = within
        self.stops_early = C == "auto"
        kernel = expression.kernel if isinstance(expression, Term) else None
        self.values = c_grid(C, kernel, X, solver.n_classes)

    @property
    def steps(self) -> int | None:
        """How many cells there will be, where that is known."""
        return len(self.values)


class _Linear(_Road):
    """Weights of the features, by the squared hinge."""

    def cells(self, scorer: Scorer) -> Iterator[_Tried]:
        """Solve and score every C."""
        if self.part_rows is None:
            coef, intercept, converged, _ = self.solver.fit_rows(self.X, self.parts, self.values)
            held = [self.X[held_out] for _, held_out in self.parts]
            fitted = list(zip(held, coef, intercept, converged, strict=True))
        else:
            fitted = []
            for (train, _), (rows, held_out, _) in zip(self.parts, self.part_rows, strict=True):
                own = self.solver.at(train)
                coef, intercept, converged, _ = own.fit_rows(rows, [own.everything], self.values)
                fitted.append((held_out, coef[0], intercept[0], converged[0]))
        decided = [
            [self._machine(weights[at], constant[at]).decide(rows) for at in range(len(weights))]
            for rows, weights, constant, _ in fitted
        ]
        for at, value in enumerate(self.values):
            held_out = np.concatenate([own[at] for own in decided])
            met = all(bool(flags[at]) for _, _, _, flags in fitted)
            yield _Tried(value, None, held_out, tuple(scorer(held_out)), met)

    def refit(self, cell: GridCell) -> tuple[Machine, Solution]:
        """Fit on all rows."""
        coef, intercept, _, n_iter = self.solver.fit_rows(
            self.X, [self.solver.everything], [cell.C]
        )
        solution = Solution(
            scheme=self.solver.own_scheme,
            support=np.empty(0, dtype=np.intp),
            dual_coef=None,
            coef=coef[0, 0],
            intercept=intercept[0, 0],
            n_iter=int(n_iter[0, 0]),
        )
        support = np.flatnonzero(self._violations(solution, slice(None)) > 0)
        found = Solution(
            scheme=solution.scheme,
            support=support,
            dual_coef=None,
            coef=solution.coef,
            intercept=solution.intercept,
            n_iter=solution.n_iter,
        )
        return self.solver.machine(found), found

    def weigh(self, solution: Solution) -> NDArray[np.float64]:
        """Say how much each support vector counts."""
        return self._violations(solution, solution.support)

    def _violations(
        self, solution: Solution, rows: NDArray[np.intp] | slice
    ) -> NDArray[np.float64]:
        solver = self.solver
        return violations(solution, self.X[rows], solver.y[rows], solver.n_classes, solver.epsilon)

    def _machine(self, coef: NDArray[np.float64], intercept: NDArray[np.float64]) -> Machine:
        return Machine(
            scheme=self.solver.own_scheme,
            n_classes=self.solver.n_classes,
            intercept=intercept,
            coef=coef,
        )


class _Kernel(_Road):
    """Multipliers of the rows, by the hinge, out of Gram matrices."""

    _prepared: Prepared | None = None

    @property
    def steps(self) -> int | None:
        """How many cells there will be, where that is known."""
        return None if self.stops_early else len(self.values) * len(self._whole().gammas)

    def _whole(self) -> Prepared:
        if self._prepared is None:
            self._prepared = self._prepare(self.X, self.blocks, self.within)
        return self._prepared

    def _prepare(
        self, X: Any, blocks: Mapping[str, slice] | None, within: Within | None = None
    ) -> Prepared:
        return self.expression.prepare(
            X,
            blocks=blocks,
            within=within,
            n_classes=self.solver.n_classes,
            random_state=self.solver.random_state,
        )

    def cells(self, scorer: Scorer) -> Iterator[_Tried]:
        """Solve and score every cell, gamma by gamma."""
        prepared = self._whole()
        if self.part_rows is not None or prepared.learns_y:
            yield from self._separately(scorer, prepared)
            return
        n = self.X.shape[0]
        itemsize = 4 if self.X.dtype == np.float32 else 8
        many = max(1, _TOGETHER // (itemsize * n * n))
        for first in range(0, len(prepared.gammas), many):
            gammas = prepared.gammas[first : first + many]
            grams = [prepared.gram(prepared.fit(gamma)) for gamma in gammas]
            paths = _Paths(self.solver, grams, self.parts)
            found: list[list[_Tried]] = [[] for _ in gammas]
            going = list(range(len(gammas)))
            for values in self._steps():
                decisions, converged = paths.solve(going, values)
                for own, gram in enumerate(going):
                    for at, value in enumerate(values):
                        held_out = decisions[own, at]
                        found[gram].append(
                            _Tried(
                                value,
                                gammas[gram],
                                held_out,
                                tuple(scorer(held_out)),
                                bool(converged[own, at]),
                            )
                        )
                if self.stops_early:
                    going = [gram for gram in going if not _is_flat(found[gram])]
                if not going:
                    break
            for cells in found:
                yield from cells

    def _steps(self) -> list[tuple[float, ...]]:
        """Return the values of C that are solved together."""
        if not self.stops_early:
            return [self.values]
        return [self.values[:2], *((value,) for value in self.values[2:])]

    def _separately(self, scorer: Scorer, prepared: Prepared) -> Iterator[_Tried]:
        """Solve every part out of a Gram matrix of its own, since that learns from the target."""
        gammas = prepared.gammas
        pieces, flags = [], []
        for at, (train, held_out) in enumerate(self.parts):
            rows = np.concatenate([train, held_out])
            own = self.solver.at(rows)
            inner = np.arange(len(train))
            if self.part_rows is None:
                part, rows_within = prepared, train
                duals = self.solver.duals([(train, held_out)])
            else:
                own_train, own_held_out, blocks = self.part_rows[at]
                part = self._prepare(_stack(own_train, own_held_out), blocks)
                rows_within = inner
                duals = own.duals([(inner, np.arange(len(train), len(rows)))])
            target = self.solver.targets(train)
            decisions, converged = [], []
            for gamma in gammas:
                gram = part.gram(part.fit(gamma, target, rows_within))
                solved = self.solver.solve([gram], duals, self.values)
                decisions.append(self.solver.decisions(duals, solved)[0])
                converged.append(solved.converged[0].all(axis=-1))
            pieces.append(np.stack(decisions))
            flags.append(np.stack(converged))
        joined, met = np.concatenate(pieces, axis=2), np.all(flags, axis=0)
        for row, gamma in enumerate(gammas):
            for column, value in enumerate(self.values):
                own_decisions = joined[row, column]
                yield _Tried(
                    value,
                    gamma,
                    own_decisions,
                    tuple(scorer(own_decisions)),
                    bool(met[row, column]),
                )

    def refit(self, cell: GridCell) -> tuple[Machine, Solution]:
        """Fit on all rows."""
        prepared = self._whole()
        rows = np.arange(self.X.shape[0])
        target = self.solver.targets(rows) if prepared.learns_y else None
        fitted = prepared.fit(cell.gamma, target, rows)
        solution = self.solver.fit_gram(prepared.gram(fitted), cell.C)
        return self.solver.machine(solution, fitted, self.X[solution.support]), solution

    def weigh(self, solution: Solution) -> NDArray[np.float64]:
        """Say how much each support vector counts."""
        assert solution.dual_coef is not None
        if not len(solution.support):
            return np.empty(0)
        largest: NDArray[np.float64] = np.abs(solution.dual_coef).max(axis=0)
        return largest


class _Paths:
    """All parts along increasing C, on several Gram matrices; goes on from where it stopped."""

    def __init__(
        self, solver: Solver, grams: Sequence[NDArray[Any]], parts: Sequence[Part]
    ) -> None:
        self.solver, self.grams = solver, grams
        n = len(solver.y)
        largest = max(len(held_out) for _, held_out in parts)
        self._seeds = len(parts) > 1 / _SMALL_PART and largest < _SMALL_PART * n
        rows = max(len(train) + len(held_out) for train, held_out in parts)
        size = 2 * 8 * rows * solver.n_functions * len(grams)
        self._chunks = list(_chunks(parts, max(1, _RESULTS // size)))
        self._duals: list[Duals | None] = [None] * len(self._chunks)
        self._last: tuple[float, list[NDArray[np.float64]], list[int]] | None = None

    def solve(
        self, which: Sequence[int], values: Sequence[float]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return decisions (n_grams, n_C, n_held_out, ...) and whether cells converged."""
        grams = [self.grams[gram] for gram in which]
        decisions, flags, betas = [], [], []
        for at, chunk in enumerate(self._chunks):
            if self._seeds:
                decided, own_flags = self._solve_seeded(grams, chunk, values)
            else:
                duals = self._duals[at] or self.solver.duals(chunk)
                if len(self._chunks) == 1:
                    self._duals[at] = duals
                solved = self.solver.solve(grams, duals, values, warm=self._warm(at, which))
                decided = self.solver.decisions(duals, solved)
                own_flags = np.logical_and.reduce(solved.converged, axis=-1)
                betas.append(solved.beta[:, -1])
            decisions.append(decided)
            flags.append(own_flags)
        self._last = (values[-1], betas, list(which))
        met: NDArray[np.bool_] = np.logical_and.reduce(flags)
        return np.concatenate(decisions, axis=2), met

    def _warm(self, chunk: int, which: Sequence[int]) -> tuple[float, NDArray[np.float64]] | None:
        if self._last is None:
            return None
        value, betas, before = self._last
        return value, betas[chunk][[before.index(gram) for gram in which]]

    def _solve_seeded(
        self, grams: Sequence[NDArray[Any]], parts: Sequence[Part], values: Sequence[float]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Start from the solution of all rows: a part that lacks no support vector is solved."""
        solver = self.solver
        whole = solver.duals([solver.everything])
        solved = solver.solve(grams, whole, values)
        duals = solver.duals(parts)
        count = solver.n_functions
        pieces = []
        met = np.ones((len(grams), len(values)), dtype=bool)
        for function in range(count):
            start = np.zeros((len(grams), len(values), len(solver.y)))
            own = whole.own(function)
            start[:, :, whole.rows[own]] = solved.beta[:, :, own]
            taken = duals.take(range(function, len(duals), count))
            part = solver.solve(grams, taken, values, start=start)
            pieces.append(part.decision)
            met &= np.logical_and.reduce(part.converged, axis=-1)
        return combine(np.stack(pieces), solver.n_classes, solver.own_scheme), met


def _chunks(parts: Sequence[Part], many: int) -> Iterator[Sequence[Part]]:
    for first in range(0, len(parts), many):
        yield parts[first : first + many]


def _is_flat(cells: Sequence[_Tried]) -> bool:
    """Say whether the last two steps along C brought nothing."""
    means = []
    for cell in cells:
        defined = [score for score in cell.scores if np.isfinite(score)]
        means.append(float(np.mean(defined)) if defined else -np.inf)
    # Where the score is undefined so far, there is nothing to say.
    return len(means) > 2 and -np.inf < max(means) and not max(means[-2:]) > max(means[:-2])


def _stack(train: Any, held_out: Any) -> Any:
    if hasattr(train, "tocsr"):
        from scipy.sparse import vstack

        return vstack([train, held_out], format="csr")
    return np.concatenate([train, held_out])
