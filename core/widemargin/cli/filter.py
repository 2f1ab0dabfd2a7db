"""``widemargin filter``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from widemargin.cli.passing import limited, pass_on

__all__ = ["app", "main"]

app = typer.Typer(add_completion=False)

_TEMPFAIL = 75  # EX_TEMPFAIL of sysexits.h: try again later
_SECONDS = 60


@app.command()
def filter_mail(
    ctx: typer.Context,
    run: Annotated[
        str, typer.Argument(help="A run's id or its beginning, its folder, a use case, or latest.")
    ],
    threshold: Annotated[
        float | None,
        typer.Option(
            help="Margin from which on a mail is flagged, as the report's table of what a mail "
            "server would see gives them; where the run's own labels change by default."
        ),
    ] = None,
    tempfail: Annotated[
        bool,
        typer.Option(
            "--tempfail",
            help="Exit with 75 where a mail cannot be judged, so that the mail server tries again.",
        ),
    ] = False,
    timeout: Annotated[
        int, typer.Option(min=0, help="Seconds that judging a mail may take; 0 for no limit.")
    ] = _SECONDS,
    runs: Annotated[
        Path | None, typer.Option(help="Folder of runs.", envvar="WIDEMARGIN_RUNS")
    ] = None,
) -> bytes:
    """Read a mail on standard input and write it back with X-Spam-* headers.

    X-Spam-Flag says YES or NO. X-Spam-Score (the margin), X-Spam-Probability and X-Spam-Status say
    how sure that is, and X-Spam-Checker-Version names the run. X-Spam-* headers that were there
    before are taken out; all else, and the body above all, stays byte for byte.

    Whatever fails, the mail is written as it came, and a line on standard error says why. The exit
    code is 0 all the same, or 75 with --tempfail; 74 where the mail could not be read or written
    whole.
    """

    def judged(raw: bytes) -> bytes:
        with limited(timeout):
            from widemargin import __version__
            from widemargin.registry import discover
            from widemargin.runs.store import RunStore, runs_home
            from widemargin.serving import Predictor
            from widemargin.serving.mail import stamp_verdict

            predictor = Predictor(RunStore(runs or runs_home()).find(run), discover())
            return stamp_verdict(raw, predictor, version=__version__, threshold=threshold)

    if isinstance(ctx.obj, bytes):
        return judged(ctx.obj)
    raise typer.Exit(pass_on(judged, failed=_TEMPFAIL if tempfail else 0, debug=False))


def main(words: Sequence[str]) -> int:
    """Run the command on its words; return its exit code, whatever happens.

    Wrong words are a failure like any other: the mail is passed on.
    """
    given = [word for word in words if word != "--debug"]
    failed = _TEMPFAIL if "--tempfail" in given else 0

    def change(raw: bytes) -> bytes:
        out = app(given, standalone_mode=False, obj=raw)
        if not isinstance(out, bytes):  # an exit code: of an interruption, or of help
            raise InterruptedError(f"it was stopped before the mail was judged (code {out}).")
        return out

    return pass_on(change, failed=failed, debug="--debug" in words)
