"""The report's part on sounds: how each kit, speaker or place that was never heard fares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from widemargin import ReportSection, Table

if TYPE_CHECKING:
    from widemargin.evaluation import Study

__all__ = ["group_sections"]

_SHOWN = 3
_MOST = 200


def group_sections(study: Study) -> Sequence[ReportSection]:
    """Return the table of groups, hardest first; nothing where recordings have no groups."""
    aside, told = study.dataset.aside, study.predictions
    if aside is None or "group" not in aside or not told.classes:
        return []
    named = aside["group"].to_numpy(dtype=str)[study.rows]
    if len(set(named)) in (1, told.n_items) or len(set(named)) > _MOST:
        return []
    right = told.y_pred == told.y_true
    # With repeats a recording is predicted several times.
    each = told.n_items / len(told)
    rows = []
    for name in sorted(set(named)):
        own = named == name
        wrong = Counter(
            f"{told.classes[truth]} as {told.classes[called]}"
            for truth, called in zip(
                told.y_true[own & ~right], told.y_pred[own & ~right], strict=True
            )
        )
        first = ", ".join(
            f"{pair} ({round(count * each)})" if round(count * each) > 1 else pair
            for pair, count in wrong.most_common(_SHOWN)
        )
        rows.append((name, len(np.unique(study.rows[own])), float(np.mean(right[own])), first))
    rows.sort(key=lambda row: (row[2], row[0]))
    return [
        ReportSection(
            title="Group by group",
            intro="Each group was held out whole: none of its recordings was learned from when "
            "these were predicted. The hardest come first.",
            blocks=[
                Table(
                    columns=("group", "recordings", "right", "most often taken wrongly"),
                    rows=[
                        (name, count, f"{share:.0%}", first) for name, count, share, first in rows
                    ],
                )
            ],
        )
    ]
