"""Passing mail on: whatever happens, what came in goes out.

Nothing but the standard library is imported here, so that a mail passes where all else is broken.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

__all__ = ["UNREADABLE", "limited", "pass_on"]

UNREADABLE = 74  # EX_IOERR of sysexits.h: the mail could not be read or written whole
_CHUNK = 1 << 20


class _TooLateError(BaseException):
    """Judging took too long; no Exception, so that nothing on the way goes on regardless."""


def pass_on(change: Callable[[bytes], bytes], *, failed: int, debug: bool) -> int:
    """Read a mail from standard input and write it to standard output, changed if all goes well.

    Parameters
    ----------
    change : callable
        Takes the mail, returns what is to be written. Whatever it raises, the mail is written as it
        came, and one line on standard error says why.
    failed : int
        The exit code where that happens.
    debug : bool
        Whether a traceback is printed too.

    Returns
    -------
    int
        0, `failed`, or `UNREADABLE` where the mail could not be read or written whole.
    """
    try:
        raw = b"".join(iter(lambda: os.read(0, _CHUNK), b""))
    except OSError as error:
        _say(f"no mail could be read from standard input: {error.strerror}.")
        return UNREADABLE
    except KeyboardInterrupt:
        _say("stopped before the mail was read whole.")
        return UNREADABLE
    code, out = 0, raw
    try:
        with _own_output() as output, warnings.catch_warnings():
            warnings.showwarning = _warn
            try:
                out = change(raw)
            # A mail is worth more than whatever went wrong, Ctrl-C and SystemExit included.
            except BaseException as error:  # noqa: BLE001
                if debug:
                    traceback.print_exc()
                _say(f"the mail is passed on as it came: {_reason(error)}")
                code, out = failed, raw
            with suppress(ValueError):  # not in the main thread
                # What is half written cannot be taken back.
                signal.signal(signal.SIGINT, signal.SIG_IGN)
            _write(output, out)
    except OSError as error:
        _say(f"the mail could not be written to standard output: {error.strerror}.")
        return UNREADABLE
    return code


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raise an error in what takes longer, where the system has alarms; 0 sets no limit."""
    if not seconds or not hasattr(signal, "SIGALRM"):
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise _TooLateError(f"it was not judged within {seconds} seconds.")

    before = signal.signal(signal.SIGALRM, stop)
    # Again every second, should the first one be swallowed by a library.
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        # Twice, should the alarm have come just before the first.
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _own_output() -> Iterator[int]:
    """Lend standard output; what anybody prints meanwhile goes to standard error."""
    output = os.dup(1)
    with suppress(OSError):  # standard error is closed
        os.dup2(2, 1)
    try:
        yield output
    finally:
        os.close(output)


def _write(output: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(output, rest) :]


def _reason(error: BaseException) -> str:
    # What refuses the command's own words says more by this method than by its text.
    told = getattr(error, "format_message", error.__str__)()
    return " ".join(told.split()) or type(error).__name__


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    _say(" ".join(str(message).split()))


def _say(message: str) -> None:
    with suppress(OSError, ValueError, AttributeError):  # nobody listens
        sys.stderr.write(f"widemargin filter: {message}\n")
        sys.stderr.flush()
