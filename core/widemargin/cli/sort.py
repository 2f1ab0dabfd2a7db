"""``widemargin sort``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from widemargin.cli.console import Console, JsonOption, QuietOption, RunsOption
from widemargin.contracts.counting import agreeing, counted
from widemargin.errors import InputError

if TYPE_CHECKING:
    from widemargin.serving.sorter import Sorter

__all__ = ["app"]

app = typer.Typer(add_completion=False)


class _UnansweredError(InputError):
    """Some files were sorted and others were not."""

    exit_code = 3


@app.command()
def sort(
    run: Annotated[
        str, typer.Argument(help="A run's id or its beginning, its folder, a use case, or latest.")
    ],
    folder: Annotated[Path, typer.Argument(help="The folder of pictures or recordings to sort.")],
    into: Annotated[
        Path | None,
        typer.Option(help="Where the classes' folders go; FOLDER-sorted beside it by default."),
    ] = None,
    sure: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Probability of a class below which a file goes to 'not sure'."
        ),
    ] = 0.8,
    link: Annotated[
        bool, typer.Option("--link", help="Make symbolic links in place of copies.")
    ] = False,
    runs: RunsOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Sort files into one folder a class, and one of those that the model is not sure of.

    Files are copied, or linked; none is moved, changed or deleted, and none is overwritten: where a
    name is taken by another file the copy is called "name (2)". The same command again adds what
    is new. Folders within FOLDER are kept within each class. A file that cannot be read is named
    and goes nowhere; the exit code is then 3.
    """
    from widemargin.registry import discover
    from widemargin.runs.store import RunStore, runs_home
    from widemargin.serving import Predictor
    from widemargin.serving.sorter import Sorter

    folder = folder.expanduser()
    # The folder may be given as "." or by a link.
    target = into.expanduser() if into else Path(f"{folder.resolve()}-sorted")
    predictor = Predictor(RunStore(runs or runs_home()).find(run), discover())
    sorter = Sorter(predictor, folder, target, sure=sure, link=link, asked=run)
    console = Console(json=json, quiet=quiet)
    if which := predictor.which(run):
        console.note(which)
    with console.progress() as progress, progress.stage("sorting") as stage:
        for batch in predictor.read(folder):
            for line in sorter.sort(batch):
                console.err.print(line, markup=False, highlight=False, soft_wrap=True)
            stage.advance(len(batch))
    console.emit(
        {
            "into": str(target),
            "folders": dict(sorted(sorter.placed.items())),
            "were_there": sorter.were_there,
            "in_two_folders": len(sorter.twice),
            "unreadable": sorter.refused,
        }
    )
    _tell(console, sorter, target, predictor.use_case.wording.item, json=json)


def _tell(console: Console, sorter: Sorter, target: Path, item: str, *, json: bool) -> None:
    """Say for people how many files are where, and end with an error where some are nowhere."""
    from widemargin.serving.sorting import NOT_SURE

    if not json:
        for name in sorted(sorter.placed, key=lambda name: (name == NOT_SURE, name)):
            typer.echo(f"{sorter.placed[name]:>7,}  {target / name}")
        if kept := sorter.were_there:
            typer.echo(f"{counted(kept, item)} {agreeing(kept, 'were')} there from before.")
    if twice := sorter.twice:
        console.note(
            f"{counted(len(twice), item)} had been sorted into another folder before, and now "
            f"{agreeing(len(twice), 'lie')} in both, such as {twice[0]}. Sort into a new "
            "folder with --into to keep them apart."
        )
    if refused := sorter.refused:
        total = counted(refused + sorter.placed.total(), item)
        message = f"{refused:,} of {total} could not be sorted; see above."
        raise (_UnansweredError if sorter.placed else InputError)(message)
