"""``widemargin sort``."""

from __future__ import annotations

import errno
import os
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from widemargin.cli.console import Console, JsonOption, QuietOption, RunsOption
from widemargin.contracts.counting import counted
from widemargin.errors import InputError

__all__ = ["app"]

app = typer.Typer(add_completion=False)


# What is wrong with one name, and not with the folder or the disk.
_OF_THE_NAME = {errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ}


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
    from widemargin.serving.sorting import (
        NOT_SURE,
        check_target,
        class_folders,
        folders_with,
        place_file,
    )

    folder = folder.expanduser()
    # The folder may be given as "." or by a link.
    target = into.expanduser() if into else Path(f"{folder.resolve()}-sorted")
    predictor = Predictor(RunStore(runs or runs_home()).find(run), discover())
    wording = predictor.use_case.wording
    if not predictor.reads_files or not predictor.model.classes:
        raise InputError(
            "sort is for classes of files that are items each, such as pictures and recordings; "
            f"{run} is not of that kind. `widemargin predict {run} --file {folder}` answers."
        )
    folders = class_folders(predictor.model.classes)
    learned_from = getattr(predictor.config.data, "path", None)
    check_target(folder, target, folders.values(), learned_from and Path(learned_from).expanduser())
    console = Console(json=json, quiet=quiet)
    if which := predictor.which(run):
        console.note(which)
    placed: Counter[str] = Counter()
    kept, refused = 0, 0
    twice: list[str] = []
    with console.progress() as progress, progress.stage("sorting") as stage:
        for batch in predictor.read(folder):
            paths = dict(zip(batch.ids, batch.X[next(iter(batch.kinds))], strict=True))
            if not all(isinstance(path, str | os.PathLike) for path in paths.values()):
                raise InputError(
                    f"{folder}: its {wording.items} are read out of other files, and sort copies "
                    f"files. `widemargin predict {run} --file {folder}` answers."
                )
            answers = predictor.answer(batch)
            for line in answers.refused:
                console.err.print(line, markup=False, highlight=False, soft_wrap=True)
            refused += len(answers.refused)
            for one in answers.predictions:
                likely = one.probability is not None and one.probability >= sure
                name = folders[str(one.label)] if likely else NOT_SURE
                others = [
                    target / other for other in (*folders.values(), NOT_SURE) if other != name
                ]
                if elsewhere := folders_with(Path(paths[one.id]), others, one.id):
                    twice.append(f"{one.id} (in {name!r} and {elsewhere[0].name!r})")
                try:
                    made = place_file(Path(paths[one.id]), target / name / one.id, link=link)
                except OSError as error:
                    why = (
                        f"{one.id}: cannot be put into {target / name} ({error.strerror or error})."
                    )
                    if error.errno not in _OF_THE_NAME:
                        raise InputError(f"{why} What was sorted before stays.") from None
                    console.err.print(why, markup=False, highlight=False, soft_wrap=True)
                    refused += 1
                    continue
                placed[name] += 1
                kept += not made
            stage.advance(len(batch))
    console.emit(
        {
            "into": str(target),
            "folders": dict(sorted(placed.items())),
            "were_there": kept,
            "in_two_folders": len(twice),
            "unreadable": refused,
        }
    )
    if not json:
        for name, count in sorted(placed.items(), key=lambda pair: (pair[0] == NOT_SURE, pair[0])):
            typer.echo(f"{count:>7,}  {target / name}")
        if kept:
            were = "was" if kept == 1 else "were"
            typer.echo(f"{counted(kept, wording.item)} {were} there from before.")
    if twice:
        console.note(
            f"{counted(len(twice), wording.item)} had been sorted into another folder before, and "
            f"now {'lies' if len(twice) == 1 else 'lie'} in both, such as {twice[0]}. Sort into a "
            "new folder with --into to keep them apart."
        )
    if refused:
        total = refused + placed.total()
        message = f"{refused:,} of {counted(total, wording.item)} could not be sorted; see above."
        raise (_UnansweredError if placed else InputError)(message)
