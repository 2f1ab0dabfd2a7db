"""Where the data came from, and with which settings and versions the run was made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from widemargin.contracts import (
    Bars,
    Block,
    Cell,
    Code,
    Facts,
    Quote,
    Quotes,
    ReportSection,
    Table,
    Text,
)
from widemargin.report.artefacts import Artefacts
from widemargin.report.wordings import count, number, percent, seconds

__all__ = ["build_data_card", "build_settings"]

Json = Mapping[str, Any]


def build_data_card(run: Artefacts) -> ReportSection | None:
    """Say what the data is, whose, under which licence, and what its labels mean."""
    if not run.dataset:
        return None
    card: Json = run.dataset.get("card") or {}
    pairs = [(name, str(card[key])) for name, key in _CARD if card.get(key)]
    if (n_items := run.dataset.get("n_items")) is not None:
        pairs.append(("Items", count(n_items)))
    if run.dataset.get("groups") is not None:
        pairs.append(("Groups kept whole", count(run.dataset["groups"])))
    kinds: Json = run.dataset.get("kinds") or {}
    if kinds:
        pairs.append(("Columns", _columns(kinds)))
    if spread := _target(run):
        pairs.append(("Range", spread))
    for name, digest in (
        ("SHA-256 of the file", card.get("sha256")),
        ("Fingerprint of the rows", run.dataset.get("fingerprint")),
    ):
        if digest:
            pairs.append((name, str(digest)))
    blocks: list[Block] = []
    if pairs:
        blocks.append(Facts(title=str(card.get("title", "")), pairs=pairs))
    blocks += [Text(text=str(note)) for note in card.get("notes") or []]
    blocks += _distribution(run)
    preview: list[Json] = list(run.dataset.get("preview") or [])
    if preview and "The first few" not in run.sheets:
        quotes = [
            Quote(
                text=run.written(one),
                name=str(one.get("id", "")),
                facts=[(str(card.get("target") or "label"), run.label(one.get("label")))],
            )
            for one in preview
        ]
        blocks.append(Quotes(title="The first few", quotes=quotes))
    return ReportSection(title="The data", blocks=blocks) if blocks else None


def build_settings(run: Artefacts) -> ReportSection | None:
    """Show the resolved config, the versions and where the time went."""
    manifest = run.record.manifest
    blocks: list[Block] = []
    if run.config_text.strip():
        blocks.append(Code(title="Resolved config", text=run.config_text.strip()))
    if run.record.id:
        again = f"widemargin run --like {run.record.id}"
        blocks.append(Code(title="The same again", text=again))
    timings: Json = manifest.get("timings") or {}
    spent = {name: float(taken) for name, taken in timings.items() if taken}
    total = spent.pop("total", sum(spent.values()))
    if spent:
        blocks.append(
            Bars(
                title=f"Where {seconds(total)} went",
                x_label="seconds",
                labels=[name.replace("_", " ") for name in spent],
                values=list(spent.values()),
            )
        )
    if pairs := _made(manifest):
        blocks.append(Facts(title="The run", pairs=pairs))
    versions: Json = manifest.get("versions") or {}
    if versions:
        listed = [(str(name), str(version)) for name, version in versions.items()]
        blocks.append(Facts(title="Versions", pairs=listed))
    if not blocks:
        return None
    return ReportSection(title="Settings and versions", blocks=blocks, advanced=True)


_CARD = (
    ("Source", "source"),
    ("Licence", "licence"),
    ("Citation", "citation"),
    ("Predicted", "target"),
    ("Class of interest", "positive_class"),
    ("Units", "units"),
    ("One item", "item"),
)


def _distribution(run: Artefacts) -> list[Block]:
    classes: Json = run.dataset.get("classes") or {}
    if classes:
        total = sum(float(n) for n in classes.values()) or 1.0
        rows: list[list[Cell]] = [
            [name, int(n), percent(float(n) / total)] for name, n in classes.items()
        ]
        items = run.use_case.wording.items
        return [Table(title="Classes", columns=["class", items, "share"], rows=rows)]
    return []


def _target(run: Artefacts) -> str:
    target: Json = run.dataset.get("target") or {}
    if not target:
        return ""
    low, high, mean, spread = (number(target.get(key)) for key in ("min", "max", "mean", "std"))
    units = f" {run.units}" if run.units else ""
    return f"{low} to {high}{units}; mean {mean}, standard deviation {spread}"


def _columns(kinds: Json) -> str:
    if len(kinds) > 24:
        return count(len(kinds))
    if len(set(kinds.values())) == 1:
        return f"{', '.join(kinds)} ({next(iter(kinds.values()))})"
    return ", ".join(f"{name} ({kind})" for name, kind in kinds.items())


def _made(manifest: Json) -> list[tuple[str, str]]:
    pairs = [
        (name, str(manifest[key]))
        for name, key in (
            ("Run", "id"),
            ("Created", "created"),
            ("Seed", "seed"),
            ("Python", "python"),
            ("Platform", "platform"),
            ("Solver engine", "engine"),
            ("Threads", "threads"),
            ("Data hash", "data_sha256"),
            ("Config hash", "config_sha256"),
        )
        if manifest.get(key) is not None
    ]
    git: Json = manifest.get("git") or {}
    if git.get("commit"):
        dirty = ", with changes not committed" if git.get("dirty") else ""
        pairs.append(("Git commit", f"{git['commit']}{dirty}"))
    return pairs
