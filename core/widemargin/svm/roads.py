"""Roads: from rows to a search's cells, by weights of features or by multipliers of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from widemargin.svm.expression import Expression, Prepared, Term
from widemargin.svm.grid import c_beyond, c_grid
from widemargin.svm.machine import Machine, Solution, violations
from widemargin.svm.quantities import Within
from widemargin.svm.schemes import Part
from widemargin.svm.solver import Solver

if TYPE_CHECKING:
    from numpy.typing import NDArray

from widemargin.svm.paths import Paths

__all__ = ["NEGLIGIBLE", "KernelRoad", "LinearRoad", "PartRows", "Scorer", "Tried"]

PartRows = tuple[Any, Any, "Mapping[str, slice] | None"]
"""The features of a part's two sets of rows, and which columns are which block."""

Scorer = Callable[["NDArray[np.float64]"], Sequence[float]]
"""``scorer(held-out decisions, part by part) -> one score a part``; greater is better."""

NEGLIGIBLE = 1e-3
"""What a step must bring to count as a rise, as a share of the scores' range."""

# Gram matrices of several gammas are solved together, so that threads need not wait for each other,
# as long as they take no more than this.
_TOGETHER = 512 * 2**20


@dataclass(frozen=True)
class Tried:
    """A cell before it is scored against the others."""

    C: float
    gamma: float | None
    held_out: NDArray[np.float64]
    scores: tuple[float, ...]
    converged: bool


class Road:
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
        self.beyond = c_beyond(self.values, kernel) if self.stops_early else ()


class LinearRoad(Road):
    """Weights of the features, by the squared hinge."""

    @property
    def steps(self) -> int | None:
        """How many cells there will be, where that is known."""
        return None if self.stops_early else len(self.values)

    def cells(self, scorer: Scorer) -> Iterator[Tried]:
        """Solve and score every C."""
        tried: list[Tried] = []
        for values in (self.values, *self.beyond):
            for cell in self._solve(values, scorer):
                tried.append(cell)
                yield cell
            if not _rises(tried):
                break

    def _solve(self, values: Sequence[float], scorer: Scorer) -> Iterator[Tried]:
        if self.part_rows is None:
            coef, intercept, converged, _ = self.solver.fit_rows(self.X, self.parts, values)
            held = [self.X[held_out] for _, held_out in self.parts]
            fitted = list(zip(held, coef, intercept, converged, strict=True))
        else:
            fitted = []
            for (train, _), (rows, held_out, _) in zip(self.parts, self.part_rows, strict=True):
                own = self.solver.at(train)
                coef, intercept, converged, _ = own.fit_rows(rows, [own.everything], values)
                fitted.append((held_out, coef[0], intercept[0], converged[0]))
        decided = [
            [self._machine(weights[at], constant[at]).decide(rows) for at in range(len(weights))]
            for rows, weights, constant, _ in fitted
        ]
        for at, value in enumerate(values):
            held_out = np.concatenate([own[at] for own in decided])
            met = all(bool(flags[at]) for _, _, _, flags in fitted)
            yield Tried(value, None, held_out, tuple(scorer(held_out)), met)

    def refit(self, C: float, gamma: float | None) -> tuple[Machine, Solution]:
        """Fit on all rows."""
        coef, intercept, converged, n_iter = self.solver.fit_rows(
            self.X, [self.solver.everything], [C]
        )
        solution = Solution(
            scheme=self.solver.own_scheme,
            support=np.empty(0, dtype=np.intp),
            dual_coef=None,
            coef=coef[0, 0],
            intercept=intercept[0, 0],
            n_iter=int(n_iter[0, 0]),
            converged=bool(converged[0, 0]),
        )
        support = np.flatnonzero(self._violations(solution, slice(None)) > 0)
        found = replace(solution, support=support)
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


class KernelRoad(Road):
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

    def cells(self, scorer: Scorer) -> Iterator[Tried]:
        """Solve and score every cell, gamma by gamma."""
        prepared = self._whole()
        if self.part_rows is not None or prepared.learns_y:
            yield from self._separately(scorer, prepared)
            return
        n = self.X.shape[0]
        itemsize = 4 if self.X.dtype == np.float32 else 8
        many = max(1, _TOGETHER // (itemsize * n * n))
        lead = -np.inf
        for first in range(0, len(prepared.gammas), many):
            gammas = prepared.gammas[first : first + many]
            grams = [prepared.gram(prepared.fit(gamma)) for gamma in gammas]
            steps = self._steps()
            planned = len(steps) - len(self.beyond)
            paths = Paths(self.solver, grams, self.parts, max(map(len, steps)))
            found: list[list[Tried]] = [[] for _ in gammas]
            going = list(range(len(gammas)))
            for step, values in enumerate(steps):
                # Beyond the plan goes only the path that leads, and only while it rises.
                if step >= planned:
                    lead = max([lead, *(max(_means(cells)) for cells in found)])
                    going = [
                        gram
                        for gram in going
                        if _rises(found[gram]) and max(_means(found[gram])) >= lead
                    ]
                if not going:
                    break
                decisions, converged = paths.solve(going, values)
                for own, gram in enumerate(going):
                    for at, value in enumerate(values):
                        held_out = decisions[own, at]
                        found[gram].append(
                            Tried(
                                value,
                                gammas[gram],
                                held_out,
                                tuple(scorer(held_out)),
                                bool(converged[own, at]),
                            )
                        )
                if self.stops_early:
                    going = [gram for gram in going if not _is_flat(found[gram])]
            for cells in found:
                yield from cells

    def _steps(self) -> list[tuple[float, ...]]:
        """Return the values of C that are solved together."""
        if not self.stops_early:
            return [self.values]
        return [self.values[:2], *((value,) for value in self.values[2:]), *self.beyond]

    def _separately(self, scorer: Scorer, prepared: Prepared) -> Iterator[Tried]:
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
            counted = self.solver.counted(train)
            target = self.solver.targets(train[counted])
            decisions, converged = [], []
            for gamma in gammas:
                gram = part.gram(part.fit(gamma, target, rows_within[counted]))
                solved = self.solver.solve([gram], duals, self.values)
                decisions.append(self.solver.decisions(duals, solved)[0])
                converged.append(solved.converged[0].all(axis=-1))
            pieces.append(np.stack(decisions))
            flags.append(np.stack(converged))
        joined, met = np.concatenate(pieces, axis=2), np.all(flags, axis=0)
        for row, gamma in enumerate(gammas):
            for column, value in enumerate(self.values):
                own_decisions = joined[row, column]
                yield Tried(
                    value,
                    gamma,
                    own_decisions,
                    tuple(scorer(own_decisions)),
                    bool(met[row, column]),
                )

    def refit(self, C: float, gamma: float | None) -> tuple[Machine, Solution]:
        """Fit on all rows."""
        prepared = self._whole()
        rows = np.arange(self.X.shape[0])
        rows = rows[self.solver.counted(rows)]
        target = self.solver.targets(rows) if prepared.learns_y else None
        fitted = prepared.fit(gamma, target, rows)
        solution = self.solver.fit_gram(prepared.gram(fitted), C)
        return self.solver.machine(solution, fitted, self.X[solution.support]), solution

    def weigh(self, solution: Solution) -> NDArray[np.float64]:
        """Say how much each support vector counts."""
        assert solution.dual_coef is not None
        if not len(solution.support):
            return np.empty(0)
        largest: NDArray[np.float64] = np.abs(solution.dual_coef).max(axis=0)
        return largest


def _means(cells: Sequence[Tried]) -> list[float]:
    """Return mean scores; minus infinity where no fold defines one."""
    means = []
    for cell in cells:
        defined = [score for score in cell.scores if np.isfinite(score)]
        means.append(float(np.mean(defined)) if defined else -np.inf)
    return means


def _is_flat(cells: Sequence[Tried]) -> bool:
    """Say whether the last two steps along C brought nothing."""
    means = _means(cells)
    # Where the score is undefined so far, there is nothing to say.
    return len(means) > 2 and -np.inf < max(means) and not max(means[-2:]) > max(means[:-2])


def _rises(cells: Sequence[Tried]) -> bool:
    """Say whether the last two steps along C brought something that is worth going on for."""
    means = _means(cells)
    if len(means) < 3 or not np.isfinite(means).all():
        return False
    return max(means[-2:]) - max(means[:-2]) > NEGLIGIBLE * (max(means) - min(means))


def _stack(train: Any, held_out: Any) -> Any:
    if hasattr(train, "tocsr"):
        from scipy.sparse import vstack

        return vstack([train, held_out], format="csr")
    return np.concatenate([train, held_out])
