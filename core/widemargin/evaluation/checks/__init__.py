"""Checks: what to know before believing a run's numbers; one module a code, its docstring the page.

Add a check by adding a module with ``CODE``, ``TITLE`` and ``check``, its name in `CHECKS`, and
its line in the README beside this folder.
"""

from __future__ import annotations

import inspect
from typing import Protocol

from widemargin.evaluation.checks import (
    wm001_no_better_than_dummy,
    wm002_no_better_than_linear_baseline,
    wm003_near_duplicates,
    wm004_edge_of_search,
    wm005_few_items_of_a_class,
    wm006_poorly_calibrated,
    wm007_too_few_items_for_folds,
    wm008_suspiciously_perfect,
    wm009_not_converged,
    wm010_unknown_words,
    wm011_one_answer_is_cheaper,
)
from widemargin.evaluation.checks.context import CheckContext, Finding, NearDuplicates, Searched

__all__ = [
    "CHECKS",
    "Check",
    "CheckContext",
    "Finding",
    "NearDuplicates",
    "Searched",
    "page",
    "run_checks",
]


class Check(Protocol):
    """What the module of a check holds."""

    @property
    def CODE(self) -> str:  # noqa: N802  # a module's constant
        """``WM`` and three digits."""

    @property
    def TITLE(self) -> str:  # noqa: N802  # a module's constant
        """What it finds, in a few words."""

    def check(self, context: CheckContext) -> Finding | None:
        """Return a finding where there is one."""


CHECKS: tuple[Check, ...] = (
    wm001_no_better_than_dummy,
    wm002_no_better_than_linear_baseline,
    wm003_near_duplicates,
    wm004_edge_of_search,
    wm005_few_items_of_a_class,
    wm006_poorly_calibrated,
    wm007_too_few_items_for_folds,
    wm008_suspiciously_perfect,
    wm009_not_converged,
    wm010_unknown_words,
    wm011_one_answer_is_cheaper,
)
"""Every check, in the order of its code."""


def run_checks(context: CheckContext) -> list[Finding]:
    """Run every check.

    Parameters
    ----------
    context : CheckContext
        The run's numbers.

    Returns
    -------
    list of Finding
        Warnings first, then notes, each by code.
    """
    findings = [finding for check in CHECKS if (finding := check.check(context)) is not None]
    return sorted(findings, key=lambda finding: (finding.severity != "warning", finding.code))


def page(code: str) -> str:
    """Return what a code means and what to do about it.

    Parameters
    ----------
    code : str
        As in ``"WM001"``.

    Returns
    -------
    str
        Plain text.

    Raises
    ------
    KeyError
        Where there is no such code.

    Examples
    --------
    >>> page("WM001").splitlines()[0]
    'WM001: no better than the dummy.'
    """
    pages = {check.CODE: inspect.getdoc(check) for check in CHECKS}
    return pages[code] or ""
