"""The way in: thin, so that Ctrl-C is heard while the rest is still being imported."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit; 130 where Ctrl-C came before a command could hear it."""
    try:
        from widemargin.cli.main import main as start

        start()
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        sys.exit(130)
