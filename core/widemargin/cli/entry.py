"""The way in: thin, so that Ctrl-C is heard while the rest is still being imported."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit; 130 where Ctrl-C came before a command could hear it."""
    words = sys.argv[1:]
    if words[:1] == ["filter"] and "--help" not in words:
        sys.exit(_filter(words[1:]))
    try:
        from widemargin.cli.main import main as start

        start()
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        sys.exit(130)


def _filter(words: list[str]) -> int:
    """Filter a mail, which is passed on even where nothing else can be imported."""
    from widemargin.cli.passing import pass_on

    try:
        from widemargin.cli.filter import main as start
    except BaseException as error:  # noqa: BLE001  # a mail is worth more than whatever went wrong
        failure = error
    else:
        return start(words)

    def change(raw: bytes) -> bytes:
        raise failure

    return pass_on(change, failed=75 if "--tempfail" in words else 0, debug="--debug" in words)
