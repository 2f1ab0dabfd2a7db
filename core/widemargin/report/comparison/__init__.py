"""Comparisons for people: one HTML file, a table for programs, and one for a README."""

from widemargin.report.comparison.columns import columns
from widemargin.report.comparison.files import comparison_files

__all__ = ["columns", "comparison_files"]
