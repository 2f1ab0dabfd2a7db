"""Reports: one self-contained HTML file that says what a run found."""

from widemargin.report.html import render_report

__all__ = ["render_report"]
