"""``widemargin predict``."""

from __future__ import annotations

import csv
import json as json_module
import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from widemargin.cli.console import Console, QuietOption, RunsOption
from widemargin.cli.predict_notes import Tally, legend, legend_of_pieces, taken_as_texts
from widemargin.contracts.metric import amount
from widemargin.errors import InputError

if TYPE_CHECKING:
    from widemargin.contracts import Items, Stage
    from widemargin.serving import Answers, Prediction, Predictor

__all__ = ["app"]

app = typer.Typer(add_completion=False)

_DECIDING = 6
_CHUNK = 1 << 16
_EMPTY = "(empty: this is only what the model takes for granted)"


class Format(StrEnum):
    """How predictions are written."""

    text = "text"
    json = "json"
    csv = "csv"


@app.command()
def predict(
    run: Annotated[
        str, typer.Argument(help="A run's id or its beginning, its folder, a use case, or latest.")
    ],
    items: Annotated[
        list[str] | None,
        typer.Argument(
            help="Texts, paths of pictures or recordings, or rows as JSON objects; none reads "
            "standard input."
        ),
    ] = None,
    file: Annotated[
        str,
        typer.Option("--file", "-f", help="A file or folder of items; - for standard input."),
    ] = "",
    format: Annotated[  # noqa: A002  # the option's name
        Format, typer.Option(help="text, json (one object a line) or csv.")
    ] = Format.text,
    json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    explain: Annotated[
        bool | None,
        typer.Option(help="Say what each piece adds; on for items given as arguments, else off."),
    ] = None,
    runs: RunsOption = None,
    quiet: QuietOption = False,
) -> None:
    """Predict new items: label, calibrated probability, margin, and what decided.

    Items come from the arguments, from a file or folder, or from standard input, one a line. The
    probability is that of the label. json and csv name with each margin the class that a margin
    above 0 speaks for (margin_for), and the margin from which on the label is that class
    (threshold); of more than two classes, the margin is the label's own.

    An item that cannot be read gets no answer: standard error names it, all others are answered,
    and the exit code is 3, or 2 where none was answered. An empty text or row gets an answer, so
    that each line has one, with a note that says so (note in json and csv): treat it by a rule of
    your own. What is not read whole, or counts otherwise than it is written, has a note too;
    standard error names the first few of these.
    """
    from widemargin.registry import discover
    from widemargin.runs.store import RunStore, runs_home
    from widemargin.serving import Predictor

    if items and file:
        raise InputError("Give items as arguments or with --file, not both.")
    if not items and not file and sys.stdin.isatty():
        raise InputError(
            'Give items: widemargin predict RUN "a text", or --file FILE, or pipe lines in.'
        )
    store = RunStore(runs or runs_home())
    predictor = Predictor(store.find(run), discover())
    wanted = bool(items) if explain is None else explain
    tally = Tally()
    answers: Iterator[Answers] = (
        predictor.answer(batch, explain=wanted) for batch in _batches(predictor, items, file, tally)
    )
    form = Format.json if json else format
    notes = Console(quiet=quiet)
    if items and not predictor.reads_files:
        for line in taken_as_texts(items):
            notes.note(line)
    if form is Format.text:
        answers = _after_legend(answers, predictor, notes, asked=run)
    # A bar on a terminal that also shows the predictions would only be in their way.
    console = Console(quiet=quiet or bool(items) or sys.stdout.isatty())
    with console.progress() as progress, progress.stage("predicting", _count(file)) as stage:
        width = max(map(len, predictor.model.classes), default=0)
        _write(_counted(answers, tally, stage), form, explained=wanted, width=width)
    for line in tally.notes():
        notes.note(line)
    if explain and tally.answered and not tally.explained:
        pieces = predictor.use_case.wording.pieces
        notes.note(
            f"Nothing is explained: with this machine's kernel a margin does not divide into "
            f"{pieces}. One with kernel: linear does."
        )
    tally.check(predictor.use_case.wording)


def _after_legend(
    answers: Iterable[Answers], predictor: Predictor, console: Console, asked: str
) -> Iterator[Answers]:
    """Say how to read the lines before the first one that it is true of."""
    waiting = [
        (predictor.which(asked), lambda one: True),
        (legend(predictor), lambda one: True),
        (legend_of_pieces(predictor), lambda one: not one.is_empty and _deciding(one)),
    ]
    for answer in answers:
        for own in list(waiting):
            line, is_true = own
            if any(map(is_true, answer.predictions)):
                waiting.remove(own)
                if line:
                    console.note(line)
        yield answer


def _count(file: str) -> float | None:
    """Count the lines of a plain text file, for the time left; None where that says nothing."""
    path = Path(file)
    if not path.is_file() or path.suffix.lower() in (".parquet", ".gz", ".eml", ".mbox"):
        return None
    with path.open("rb") as opened:
        return sum(block.count(b"\n") for block in iter(lambda: opened.read(1 << 20), b"")) or None


def _counted(
    answers: Iterable[Answers], tally: Tally, stage: Stage
) -> Iterator[Sequence[Prediction]]:
    """Pass on the predictions, and name what was not answered."""
    for answer in answers:
        yield answer.predictions
        for line in answer.refused:
            Console().err.print(line, markup=False, highlight=False, soft_wrap=True)
        tally.count(answer)
        stage.advance(len(answer.predictions) + len(answer.refused))


def _batches(
    predictor: Predictor, items: list[str] | None, file: str, tally: Tally
) -> Iterator[Items]:
    if items:
        return predictor.batches_of(items, "item")
    if file and file != "-":
        return predictor.read(Path(file))
    lines = _lines(cast(BufferedReader, sys.stdin.buffer), tally)
    return predictor.batches_of_groups(lines, "line")


def _lines(stream: BufferedReader, tally: Tally) -> Iterator[list[str]]:
    """Group lines as they arrive, so that those of a slow pipe are answered at once."""
    rest = b""
    # read1 waits for the first bytes only, and takes what is there.
    while chunk := stream.read1(_CHUNK):
        *whole, rest = (rest + chunk).split(b"\n")
        yield [_decode(line, tally) for line in whole]
    if rest:
        yield [_decode(rest, tally)]


def _decode(line: bytes, tally: Tally) -> str:
    """Read a line as UTF-8; one that is not reads as Windows-1252, so that none is lost."""
    line = line.rstrip(b"\r")
    try:
        return line.decode()
    except UnicodeDecodeError:
        tally.undecodable += 1
        return line.decode("cp1252", errors="replace")


def _write(
    answers: Iterable[Sequence[Prediction]], form: Format, *, explained: bool, width: int
) -> None:
    out = sys.stdout
    writer = csv.writer(out, lineterminator="\n")
    if form is Format.csv:
        heads = ["id", "label", "probability", "margin", "margin_for", "threshold", "note"]
        writer.writerow([*heads, "shares"] if explained else heads)
    for answer in answers:
        for one in answer:
            if form is Format.json:
                out.write(json_module.dumps(_plain(one, explained), ensure_ascii=False) + "\n")
            elif form is Format.csv:
                row = [one.id, one.label, one.probability]
                row += [one.margin, one.margin_for, one.threshold, one.note]
                writer.writerow([*row, _deciding(one)] if explained else row)
            else:
                out.write(_line(one, width) + "\n")
        out.flush()


def _plain(one: Prediction, explained: bool) -> dict[str, Any]:
    plain: dict[str, Any] = {"id": one.id, "label": one.label}
    if one.probability is not None:
        plain |= {
            "probability": one.probability,
            "margin": one.margin,
            "margin_for": one.margin_for,
            "threshold": one.threshold,
            "probabilities": dict(one.probabilities),
        }
    if one.note:
        plain["note"] = one.note
    if explained:
        plain["shares"] = [
            {"piece": share.piece, "contribution": share.contribution} for share in one.shares
        ]
    return plain


def _line(one: Prediction, width: int = 0) -> str:
    if one.probability is None:
        assert isinstance(one.label, float)
        said = f"{one.id}  {amount(one.label, 6)}"
    else:
        # 100.0% would promise what no model can.
        sure = f"{one.probability:.1%}" if one.probability < 0.9995 else ">99.9%"
        said = f"{one.id}  {one.label:<{width}}  {sure:>6}  margin {one.margin:+.2f}"
        likeliest = max(one.probabilities, key=lambda name: one.probabilities[name])
        # Costs or class weights chose the label: without a word the percentage looks wrong.
        if one.probabilities[likeliest] > one.probability:
            said += f"  though {likeliest} is likelier"
    deciding = _EMPTY if one.is_empty else _deciding(one)
    return f"{said}  {deciding}" if deciding else said


def _deciding(one: Prediction) -> str:
    shares = [share for share in one.shares if share.contribution]
    # A word's own comma would read as one between the pieces.
    pieces = [(share.piece.rstrip(",;") or share.piece, share) for share in shares[:_DECIDING]]
    return ", ".join(f"{piece} {_signed(share.contribution)}" for piece, share in pieces)


def _signed(contribution: float) -> str:
    return f"{contribution:+,.0f}" if abs(contribution) >= 1000 else f"{contribution:+.2f}"
