"""Comparisons: several runs of one plan, each in a process of its own, side by side."""

from widemargin.comparison.asked import Asked, ask
from widemargin.comparison.budget import Budget, parse_memory
from widemargin.comparison.jobs import run_cells
from widemargin.comparison.kept import Finished
from widemargin.comparison.pairs import Pair
from widemargin.comparison.plan import Cell, Plan, make_plan
from widemargin.comparison.row import Row
from widemargin.comparison.table import Comparison, compare

__all__ = [
    "Asked",
    "Budget",
    "Cell",
    "Comparison",
    "Finished",
    "Pair",
    "Plan",
    "Row",
    "ask",
    "compare",
    "make_plan",
    "parse_memory",
    "run_cells",
]
