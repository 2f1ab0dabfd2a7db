"""Paths: every part of a search along increasing C, on several Gram matrices at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.svm.duals import Duals, SolvedDuals
from widemargin.svm.machine import combine
from widemargin.svm.schemes import Part
from widemargin.svm.solver import Solver

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Paths"]

# Multipliers and decisions of the parts that are solved together.
_RESULTS = 256 * 2**20
# Where held-out parts are smaller than this share of the rows, a solution of all rows is nearly one
# of each part.
_SMALL_PART = 1 / 20


class Paths:
    """All parts along increasing C, on several Gram matrices; goes on from where it stopped."""

    def __init__(
        self, solver: Solver, grams: Sequence[NDArray[Any]], parts: Sequence[Part], n_C: int
    ) -> None:
        self.solver, self.grams = solver, grams
        n = len(solver.y)
        largest = max(len(held_out) for _, held_out in parts)
        self._seeds = len(parts) > 1 / _SMALL_PART and largest < _SMALL_PART * n
        rows = max(len(train) + len(held_out) for train, held_out in parts)
        size = 2 * 8 * rows * solver.n_functions * len(grams) * n_C
        self._chunks = list(_chunks(parts, max(1, _RESULTS // size)))
        self._duals: list[Duals | None] = [None] * len(self._chunks)
        self._last: tuple[float, list[NDArray[np.float64]], list[int]] | None = None

    def solve(
        self, which: Sequence[int], values: Sequence[float]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return decisions (n_grams, n_C, n_held_out, ...) and whether cells converged."""
        grams = [self.grams[gram] for gram in which]
        decisions, flags, betas = [], [], []
        if self._seeds:
            whole = self.solver.duals([self.solver.everything])
            of_all = self.solver.solve(grams, whole, values)
        for at, chunk in enumerate(self._chunks):
            if self._seeds:
                decided, own_flags = self._solve_seeded(grams, chunk, values, whole, of_all)
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
        self,
        grams: Sequence[NDArray[Any]],
        parts: Sequence[Part],
        values: Sequence[float],
        whole: Duals,
        solved: SolvedDuals,
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Start from the solution of all rows: a part that lacks no support vector is solved."""
        solver = self.solver
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
