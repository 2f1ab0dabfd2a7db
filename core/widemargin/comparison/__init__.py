"""Comparisons: several runs of one plan, each in a process of its own, side by side."""

from widemargin.comparison.jobs import Finished, run_cells
from widemargin.comparison.pairs import Pair
from widemargin.comparison.plan import Cell, Plan, make_plan
from widemargin.comparison.table import Comparison, Row, compare

__all__ = [
    "Cell",
    "Comparison",
    "Finished",
    "Pair",
    "Plan",
    "Row",
    "compare",
    "make_plan",
    "run_cells",
]
