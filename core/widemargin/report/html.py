"""From a run's folder to one HTML file."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from widemargin.contracts import Metric, RunRecord, UseCase
from widemargin.report.artefacts import read_artefacts
from widemargin.report.figures import draw_headline_strip
from widemargin.report.page import parts_of, render_page
from widemargin.report.sections import build_findings, build_headline, build_sections

__all__ = ["render_report"]


def render_report(record: RunRecord, use_case: UseCase, metrics: Mapping[str, Metric]) -> str:
    """Render a run's report from what is in its folder.

    Parameters
    ----------
    record : RunRecord
        The run; only the folder `record.path` is read.
    use_case : UseCase
        Its problem: wording, and report sections of its own.
    metrics : mapping of str to Metric
        The registered metrics, for titles and units.

    Returns
    -------
    str
        HTML that refers to nothing outside itself. A file or value that the run lacks leaves its
        section out.
    """
    run = read_artefacts(record, use_case, metrics)
    headline = build_headline(run)
    strip = Markup("")
    if headline.estimate is not None:
        strip = draw_headline_strip(
            headline.metric, headline.estimate, headline.references, headline.ends
        )
    return render_page(
        "report.html.j2",
        {
            "headline": headline,
            "strip": strip,
            "findings": build_findings(run),
            "parts": parts_of(build_sections(run)),
            "record": record,
        },
    )
