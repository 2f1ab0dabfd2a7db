"""How the networks in front of the machine were trained, and what fine-tuning changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from widemargin.contracts import Block, Cell, Lines, ReportSection, Series, Table, Text
from widemargin.contracts.counting import counted
from widemargin.report.artefacts import Artefacts
from widemargin.report.wordings import MINUS, brief, capital, full, number

__all__ = ["build_training"]

Json = Mapping[str, Any]


def build_training(run: Artefacts) -> ReportSection | None:
    """Draw the loss of the saved model's networks, and compare fine-tuned with frozen encoders."""
    blocks: list[Block] = []
    frozen: Json = run.metrics.get("frozen") or {}
    if frozen:
        blocks += [Text(text=_gain(run, frozen)), _beside_frozen(run, frozen)]
    for one in run.training:
        blocks.append(_curve(one))
    if not blocks:
        return None
    return ReportSection(
        title="Training",
        intro=(
            "The encoder's network was trained on the training items of each outer part anew, so "
            "that no item was judged by a network that had seen it. The curve is that of the "
            "saved model."
        ),
        blocks=blocks,
    )


def _gain(run: Artefacts, frozen: Json) -> str:
    """Say whether fine-tuning helped, as far as its interval allows."""
    metric = run.metric(run.primary)
    own: Json = frozen.get(run.primary) or {}
    values = own.get("tuned") or {}, own.get("frozen") or {}, own.get("gain") or {}
    tuned, before, gain = (part.get("value") for part in values)
    low, high = values[2].get("low"), values[2].get("high")
    title = capital(run.title(run.primary))
    said = (
        f"{title} is {brief(metric, tuned, run.units)} with the fine-tuned encoder and "
        f"{brief(metric, before, run.units)} with the frozen one"
    )
    if gain is None or low is None or high is None:
        return f"{said}."
    sign = 1 if metric.greater_is_better else -1
    worst, best = sorted((sign * low, sign * high))
    verdict = (
        "fine-tuning helped"
        if worst > 0
        else "fine-tuning did harm"
        if best < 0
        else "no clear difference"
    )
    return (
        f"{said}, on the same items: a difference of {_signed(gain)} "
        f"({_signed(low)} to {_signed(high)}): {verdict}."
    )


def _beside_frozen(run: Artefacts, frozen: Json) -> Table:
    rows: list[list[Cell]] = []
    for name, own in frozen.items():
        metric, gain = run.metric(name), own["gain"]
        interval = ""
        if gain["low"] is not None and gain["high"] is not None:
            interval = f"{_signed(gain['low'])} to {_signed(gain['high'])}"
        rows.append(
            [
                capital(run.title(name)),
                full(metric, own["frozen"]["value"], run.units),
                full(metric, own["tuned"]["value"], run.units),
                "" if gain["value"] is None else _signed(gain["value"]),
                interval,
            ]
        )
    return Table(
        title="Fine-tuned beside frozen",
        columns=["metric", "frozen", "fine-tuned", "difference", "interval"],
        rows=rows,
        note="Both chose C and gamma in the same way and were judged on the same parts. The "
        "interval is that of the difference on the same items.",
    )


def _curve(one: Json) -> Lines:
    """Draw a network's losses over the epochs."""
    epochs: Sequence[Json] = one["epochs"]
    steps = [float(k + 1) for k in range(len(epochs))]
    series = [Series(name="training items", x=steps, y=[float(own["train"]) for own in epochs])]
    notes: list[str] = []
    held = [(x, own["held_out"]) for x, own in zip(steps, epochs, strict=True)]
    told = [(x, float(y)) for x, y in held if y is not None]
    if told:
        xs, ys = zip(*told, strict=True)
        series.append(Series(name="items held out of training", x=xs, y=ys))
    else:
        notes.append("Too few items to hold any out of training, so that it ran to its end.")
    best = int(one["best"])
    if one.get("stopped") == "patience":
        notes.append("Training stopped where it no longer got better.")
    notes += [f"Trained on the {one['device']}, {counted(one['batch_size'], 'item')} a step."]
    notes += [str(note) for note in one.get("notes") or ()]
    return Lines(
        title=f"Loss of {one['block']} over the epochs",
        x_label="epoch",
        y_label="loss",
        series=series,
        markers=len(steps) < 3,
        vertical=[(float(best), f"kept: epoch {best}")],
        note=" ".join(capital(note).rstrip(".") + "." for note in notes if note),
    )


def _signed(value: float) -> str:
    text = number(abs(value), 3)
    return text if text == "0" else f"{MINUS if value < 0 else '+'}{text}"
