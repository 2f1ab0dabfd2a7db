"""A lifeline: a run that another process started ends with it, however that one ended."""

from __future__ import annotations

import _thread
import os
import signal
import threading
import time

__all__ = ["LIFELINE_VARIABLE", "hold_lifeline"]

LIFELINE_VARIABLE = "WIDEMARGIN_LIFELINE"
"""Set for a run whose standard input is a pipe that its parent holds open and never writes to."""

_STDIN = 0
_GRACE = 20.0
"""Seconds in which a run may end as after Ctrl-C; then it is ended at once."""


def hold_lifeline() -> None:
    """Stop as for Ctrl-C once the parent is gone, where it gave a lifeline; return at once.

    The system closes a process' pipes when it ends, even by SIGKILL, which nothing else tells of
    on every system.
    """
    if os.environ.pop(LIFELINE_VARIABLE, ""):
        # What asks for input finds none, as without a lifeline, in place of a pipe that is silent.
        pipe = os.dup(_STDIN)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, _STDIN)
        os.close(nothing)
        threading.Thread(target=_watch, args=(pipe,), name="lifeline", daemon=True).start()


def _watch(pipe: int) -> None:
    try:
        while os.read(pipe, 1):
            pass
    except OSError:
        return  # closed here, and so it tells nothing
    # Where Ctrl-C is ignored, as of a script's background, the run would not hear of it.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        _thread.interrupt_main()
        time.sleep(_GRACE)
    os._exit(130)
