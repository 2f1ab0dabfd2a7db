"""Run records: what one execution left behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["RunRecord"]


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """A finished run: its folder and what its JSON files say.

    Parameters
    ----------
    path : Path
        The run's folder, ``runs/<use_case>/<id>``.
    id, use_case : str
        Its name and its problem.
    manifest : mapping
        When, with which seed, versions, timings, data hash and git state.
    config : mapping
        The resolved config.
    metrics : mapping
        What ``metrics.json`` holds: metrics with intervals, baselines, findings.

    Examples
    --------
    >>> said = {"id": "a", "comparison": "spam-1f2e"}
    >>> RunRecord(
    ...     path=Path("a"), id="a", use_case="spam", manifest=said, config={}, metrics={}
    ... ).comparison
    'spam-1f2e'
    """

    path: Path
    id: str
    use_case: str
    manifest: Mapping[str, Any]
    config: Mapping[str, Any]
    metrics: Mapping[str, Any]

    @property
    def comparison(self) -> str:
        """The comparison that made the run, one of its cells; empty for all other runs."""
        return str(self.manifest.get("comparison") or "")
