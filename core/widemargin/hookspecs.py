"""What a plugin may implement; all of it optional."""

from __future__ import annotations

from collections.abc import Sequence

import pluggy

from widemargin.contracts import Command, EncoderSpec, Kernel, Metric, RunRecord, UseCase

PROJECT = "widemargin"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

# A hook that registers things returns a list or tuple of them; hence no type of return is enforced
# by pluggy, and `registry` checks each item.


@hookspec
def register_use_cases() -> Sequence[UseCase]:  # type: ignore[empty-body]  # a specification has no body
    """Return the plugin's use cases."""


@hookspec
def register_encoders() -> Sequence[EncoderSpec]:  # type: ignore[empty-body]  # as above
    """Return the plugin's encoders."""


@hookspec
def register_kernels() -> Sequence[Kernel]:  # type: ignore[empty-body]  # as above
    """Return the plugin's kernels."""


@hookspec
def register_metrics() -> Sequence[Metric]:  # type: ignore[empty-body]  # as above
    """Return the plugin's metrics."""


@hookspec
def register_commands() -> Sequence[Command]:  # type: ignore[empty-body]  # as above
    """Return the plugin's commands for the command line."""


@hookspec
def run_started(use_case: str, run_id: str) -> None:
    """Hear that a run begins."""


@hookspec
def run_finished(record: RunRecord) -> None:
    """Hear that a run has been written."""
