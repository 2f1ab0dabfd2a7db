"""Sections: what the report says, as typed blocks, in order."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

from widemargin.contracts import ReportSection
from widemargin.contracts.kept_sections import sections_of
from widemargin.contracts.places import told
from widemargin.report.artefacts import Artefacts
from widemargin.report.figures import Figure, draw
from widemargin.report.sections.calibration import build_calibration
from widemargin.report.sections.confusion import build_confusion
from widemargin.report.sections.curves import build_ranking, build_scores
from widemargin.report.sections.headline import (
    Headline,
    build_findings,
    build_headline,
    build_numbers,
)
from widemargin.report.sections.items_map import build_map
from widemargin.report.sections.origins import build_data_card, build_settings
from widemargin.report.sections.reasons import (
    build_blocks,
    build_mistakes,
    build_pieces,
    build_support_vectors,
)
from widemargin.report.sections.regression import build_regression
from widemargin.report.sections.search import build_careless, build_near_duplicates, build_search
from widemargin.report.sections.training import build_training

__all__ = ["Headline", "build_findings", "build_headline", "build_sections"]

BEFORE: tuple[Callable[[Artefacts], ReportSection | None], ...] = (build_numbers,)
AFTER: tuple[Callable[[Artefacts], ReportSection | None], ...] = (
    build_regression,
    build_ranking,
    build_confusion,
    build_calibration,
    build_scores,
    build_near_duplicates,
    build_careless,
    build_training,
    build_search,
    build_blocks,
    build_pieces,
    build_map,
    build_mistakes,
    build_support_vectors,
    build_data_card,
    build_settings,
)


def build_sections(run: Artefacts) -> list[ReportSection]:
    """Build every section that the run has something to say in, the use case's own second."""
    first = [section for build in BEFORE if (section := build(run)) is not None]
    own = [*_own_part(run), *_drawable(run, run.analysis)]
    rest = [section for build in AFTER if (section := build(run)) is not None]
    return [*first, *own, *rest]


def _own_part(run: Artefacts) -> list[ReportSection]:
    if run.use_case.report_sections is None or run.predictions is None:
        return []
    try:
        sections = sections_of(run.use_case.report_sections, run.predictions)
    # Whatever a plugin raises must not cost the user the rest of the report.
    except Exception as error:  # noqa: BLE001
        _left_out(run, error)
        return []
    return _drawable(run, sections)


def _drawable(run: Artefacts, sections: Sequence[ReportSection]) -> list[ReportSection]:
    """Return the sections whose figures can be drawn."""
    kept = []
    for section in sections:
        try:
            for block in section.blocks:
                if isinstance(block, Figure):
                    draw(block)
        except Exception as error:  # noqa: BLE001  # as above
            _left_out(run, error)
        else:
            kept.append(section)
    return kept


def _left_out(run: Artefacts, error: Exception) -> None:
    warnings.warn(
        f"the report's own part of {run.use_case.name!r} is left out: {told(error)}",
        RuntimeWarning,
        stacklevel=2,
    )
