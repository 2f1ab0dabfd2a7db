"""Runs: the stages, the record, and the store that keeps it."""

from widemargin.runs.store import RunStore, read_record, runs_home

__all__ = ["RunStore", "read_record", "runs_home"]
