"""Model selection: every cell of a grid on every fold, out of one Gram matrix a gamma."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from widemargin.contracts import Progress, Silent
from widemargin.errors import ParameterError
from widemargin.svm.expression import Expression, Term
from widemargin.svm.machine import Machine
from widemargin.svm.quantities import Within
from widemargin.svm.schemes import Part
from widemargin.svm.solver import Solver

if TYPE_CHECKING:
    from numpy.typing import NDArray

from widemargin.svm.roads import KernelRoad, LinearRoad, PartRows, Scorer, Tried

__all__ = ["GridCell", "PartRows", "Rule", "Scorer", "Search", "is_linear", "refit", "select"]

Rule = Literal["max", "one-standard-error"]


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
    converged : bool
        Whether the refitted machine met the optimality conditions.
    n_iter : int
        Iterations of its slowest function.
    """

    cells: tuple[GridCell, ...]
    chosen: int
    rows: NDArray[np.intp]
    held_out: NDArray[np.float64]
    machine: Machine
    support: NDArray[np.intp]
    weights: NDArray[np.float64]
    converged: bool = True
    n_iter: int = 0

    @property
    def best(self) -> GridCell:
        """The chosen cell."""
        return self.cells[self.chosen]


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
    ParameterError
        Where no part defines the score.
    """
    road = LinearRoad if is_linear(expression) else KernelRoad
    way = road(X, solver, expression, C, parts, blocks, part_rows, within)
    tried = []
    with (progress or Silent()).stage("inner search", total=way.steps) as stage:
        for cell in way.cells(scorer):
            tried.append(cell)
            stage.advance()
    cells = _compare(tried)
    chosen = _choose(cells, rule)
    machine, solution = way.refit(cells[chosen].C, cells[chosen].gamma)
    return Search(
        cells=cells,
        chosen=chosen,
        rows=np.concatenate([held_out for _, held_out in parts]),
        held_out=tried[chosen].held_out,
        machine=machine,
        support=solution.support,
        weights=way.weigh(solution),
        converged=solution.converged,
        n_iter=solution.n_iter,
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
    road = LinearRoad if is_linear(expression) else KernelRoad
    return road(X, solver, expression, cell.C, [], blocks, None, None).refit(cell.C, cell.gamma)[0]


def _compare(tried: Sequence[Tried]) -> tuple[GridCell, ...]:
    table = np.array([cell.scores for cell in tried], dtype=np.float64)
    defined = np.isfinite(table).any(axis=0)
    if not defined.any():
        raise ParameterError(
            "the score that the search maximises is undefined on every fold, as where each lacks a "
            "class, or holds out a single row and is scored by R2. Take fewer folds, or add items "
            "or groups of the rarest class.",
            "cv",
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
