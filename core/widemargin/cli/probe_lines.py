"""A probe as lines for people, at most 80 columns wide, each number with a word on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from widemargin.cli.console import Column, Console

if TYPE_CHECKING:
    from widemargin.evaluation.probing.geometry import Geometry
    from widemargin.evaluation.probing.similarity import PairSeen
    from widemargin.serving.probing import ItemProbe, Near, Probe, WordProbe

__all__ = ["show_probe"]

_WIDTH = 80
_NAMED = 12
_PAIRS = 3
_CLASSES = 8


def show_probe(console: Console, probe: Probe) -> None:
    """Print a probe."""
    lines = _Lines(console)
    if probe.words is not None:
        _show_words(lines, probe.encoder, probe.words)
    if probe.items is not None:
        _show_items(lines, probe.encoder, probe.items)


class _Lines:
    """Writes headings, and paragraphs that are folded at 80 columns."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.width = min(_WIDTH, console.out.width)

    def head(self, title: str, said: str = "") -> None:
        from rich.text import Text

        self.console.print()
        self.console.print(Text(title, style="bold"))
        if said:
            self.fold(said, style="dim")

    def fold(self, said: str, first: str = "", style: str = "") -> None:
        """Write a paragraph, its later lines under where it begins after `first`."""
        from rich.cells import cell_len

        room = self.width - cell_len(first)
        line, written = "", False
        for word in [*filter(None, said.split(" ")), None]:
            if word is not None and cell_len(f"{line} {word}") <= room + (not line):
                line = f"{line} {word}" if line else word
                continue
            if line:
                lead = " " * cell_len(first) if written else first
                self._print(f"{lead}{line}", style)
                written = True
            line = word or ""
            while cell_len(line) > room:
                lead = " " * cell_len(first) if written else first
                self._print(f"{lead}{line[:room]}", style)
                line, written = line[room:], True

    def _print(self, line: str, style: str) -> None:
        from rich.text import Text

        # Blanks that do not break have done their work.
        self.console.print(Text(line.replace("\u00a0", " "), style=style))

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        self.console.table(columns, rows)


def _show_words(lines: _Lines, encoder: str, words: WordProbe) -> None:
    told = f"{words.looked_at:,} words"
    if words.known > words.looked_at:
        told = f"the first {words.looked_at:,} of {words.known:,} words"
    if words.trained_on:
        told += f", trained on the texts of {words.trained_on}"
    elif words.contextual:
        told += ", each read as a text of its own"
    lines.head(f"Words: {encoder}", f"{told}; {words.geometry.dimension:,} numbers a word")
    if words.neighbours:
        lines.head("Nearest neighbours", "by cosine: 1 is the same direction, 0 a right angle")
        _near(lines, words.neighbours)
    if words.answers:
        lines.head(
            "Analogies", "the words nearest to the sum of the vectors, the question's left out"
        )
        _near(lines, words.answers)
    _show_analogies(lines, words)
    _show_similarity(lines, words)
    _show_contexts(lines, words)
    _show_geometry(lines, words.geometry, "words")


def _near(lines: _Lines, listed: Sequence[Near]) -> None:
    width = min(24, max(len(own.asked) for own in listed))
    for own in listed:
        found = ", ".join(f"{word}\u00a0{cosine:.2f}" for word, cosine in own.found)
        if own.how == "letters":
            found += " (an unknown word, made of its letters)"
        lines.fold(found or "none", first=f"  {own.asked:<{width}}  ")


def _show_analogies(lines: _Lines, words: WordProbe) -> None:
    scores = words.analogies
    lines.head(
        f"{scores.asked + scores.left_out} analogies: a is to b as c is to ?",
        "right where the nearest word is the one meant; pretrained vectors reach 60% to 90%, "
        f"chance is 1 in {scores.candidates:,}",
    )
    rows = [
        [own.name, str(own.asked), *_rates(own.first, own.among, own.asked)]
        for own in scores.relations
    ]
    rows.append(["all", str(scores.asked), *_rates(scores.first, scores.among, scores.asked)])
    columns = [
        Column(""),
        Column("asked", right=True),
        Column("right", right=True),
        Column("among the first 5", right=True),
    ]
    lines.table(columns, rows)
    if scores.left_out:
        _named(lines, f"{scores.left_out} not asked, for unknown words", scores.unknown)


def _rates(first: int, among: int, asked: int) -> list[str]:
    return [f"{first / asked:.0%}", f"{among / asked:.0%}"] if asked else ["-", "-"]


def _show_similarity(lines: _Lines, words: WordProbe) -> None:
    own = words.similarity
    lines.head(
        f"{len(own.pairs) + own.left_out} pairs of words, graded from 0 (nothing in common) to 4 "
        "(the same)",
        "does the encoder put them into the same order? Spearman's correlation is 1 for the same "
        "order, 0 for none; pretrained vectors reach about 0.8",
    )
    told = f"{own.correlation:.2f}" if math.isfinite(own.correlation) else "undefined"
    if math.isfinite(own.low):
        told += f" (95% interval {own.low:.2f} to {own.high:.2f})"
    lines.fold(f"{told}, of {len(own.pairs)} pairs", first="  correlation  ")
    ordered = sorted(own.pairs, key=lambda pair: pair.places)
    if len(ordered) >= 2 * _PAIRS:
        lines.fold(_pairs(ordered[: -_PAIRS - 1 : -1]), first="  too near     ")
        lines.fold(_pairs(ordered[:_PAIRS]), first="  too far      ")
    if own.left_out:
        _named(lines, f"{own.left_out} pairs left out, for unknown words", own.unknown)
    if own.spelt:
        _named(lines, f"{len(own.spelt)} unknown words made of their letters", own.spelt)


def _pairs(pairs: Sequence[PairSeen]) -> str:
    return ", ".join(
        f"{pair.first} - {pair.second} (grade\u00a0{pair.grade}, cosine\u00a0{pair.cosine:.2f})"
        for pair in pairs
    )


def _show_contexts(lines: _Lines, words: WordProbe) -> None:
    seen = [own for own in words.contexts if math.isfinite(own["like"])]
    if words.own_contexts is not None:
        _own_contexts(lines, words.own_contexts)
    elif words.contextual and seen:
        lines.head(
            "One word in two contexts", "cosine of its vectors in two sentences, by what it means"
        )
        columns = [
            Column(""),
            Column("the same meaning", right=True),
            Column("another meaning", right=True),
        ]
        rows = [[own["word"], f"{own['like']:.2f}", f"{own['unlike']:.2f}"] for own in seen]
        lines.table(columns, rows)
        told = sum(own["like"] > own["unlike"] for own in seen)
        lines.fold(f"nearer where it means the same: {told} of {len(seen)}", style="dim")
    if not words.contextual:
        if words.own_contexts is None:
            lines.head("One word in two contexts")
        lines.fold(
            "one vector a word, whatever stands around it: the cosine of bank by a river and bank "
            "with money is 1; minilm and bert tell them apart",
            style="dim",
        )


def _own_contexts(lines: _Lines, own: dict[str, Any]) -> None:
    lines.head(f"{own['word']!r} in {len(own['texts'])} contexts")
    for at, text in enumerate(own["texts"], 1):
        lines.fold(text, first=f"  {at}  ")
    columns = [Column(""), Column("the word", right=True), Column("the whole text", right=True)]
    rows = [
        [
            f"cosine of {first + 1} and {second + 1}",
            f"{own['cosines'][first][second]:.2f}",
            f"{own['text_cosines'][first][second]:.2f}",
        ]
        for first in range(len(own["texts"]))
        for second in range(first + 1, len(own["texts"]))
    ]
    lines.table(columns, rows)


def _show_items(lines: _Lines, encoder: str, items: ItemProbe) -> None:
    told = f"{items.items:,} items"
    if items.items < items.of:
        told = f"{items.items:,} of {items.of:,} items"
        told += ", that it did not learn from" if items.held_out else ", drawn at random"
    lines.head(
        f"Items: {encoder} on {items.use_case}",
        f"{items.title}: {told}; {items.geometry.dimension:,} numbers an item",
    )
    grouped = "; items of one group are not compared" if items.grouped else ""
    lines.head("Nearest neighbours", f"by cosine, with each item's class{grouped}")
    for own in items.neighbours:
        _item(lines, "", own)
        for near in own["neighbours"]:
            _item(lines, f"  {near['cosine']:.2f}  ", near)
    if items.purity is not None:
        _show_purity(lines, items)
    _show_geometry(lines, items.geometry, "items")


def _item(lines: _Lines, lead: str, own: dict[str, Any]) -> None:
    from rich.cells import cell_len, set_cell_size
    from rich.text import Text

    said = " ".join(f"{lead or '  '}{own['label']}: {own['text']}".split(" "))
    said = said.replace("\n", " ")
    if cell_len(said) > lines.width:
        said = set_cell_size(said, lines.width - 1).rstrip() + "…"
    lines.console.print(Text(said, style="" if lead else "bold"))


def _show_purity(lines: _Lines, items: ItemProbe) -> None:
    purity = items.purity
    assert purity is not None
    lines.head(
        "Are neighbours of the same class?",
        f"share of an item's {purity.k} nearest that are of its class; items at random would have "
        "that of chance, and 100% means that classes lie apart",
    )
    rows = [
        [own.name, f"{own.items:,}", f"{own.share:.0%}", f"{own.chance:.0%}"]
        for own in purity.classes[:_CLASSES]
    ]
    rows.append(["all", f"{purity.items:,}", f"{purity.share:.0%}", f"{purity.chance:.0%}"])
    columns = [
        Column(""),
        Column("items", right=True),
        Column("same class", right=True),
        Column("chance", right=True),
    ]
    lines.table(columns, rows)
    if len(purity.classes) > _CLASSES:
        lines.fold(f"{len(purity.classes) - _CLASSES} more classes: --json", style="dim")
    if math.isfinite(purity.low):
        lines.fold(f"95% interval of all: {purity.low:.0%} to {purity.high:.0%}", style="dim")


def _show_geometry(lines: _Lines, geometry: Geometry, what: str) -> None:
    most = min(geometry.dimension, geometry.vectors - 1)
    lines.head(
        "The shape of the cloud",
        f"of {geometry.vectors:,} {what}; at most {most:,} directions can be used",
    )
    rows = (
        (
            "effective dimension",
            f"{geometry.participation_ratio:,.1f}",
            "directions used (participation ratio)",
        ),
        ("", f"{geometry.effective_rank:,.1f}", "by entropy, which counts faint ones more"),
        (
            "mean cosine",
            f"{geometry.mean_cosine:.3f}",
            f"of two {what}: 0 isotropic, 1 one direction",
        ),
        (
            "partition ratio",
            _small(geometry.partition_ratio),
            "of the vectors: 1 isotropic, near 0 not",
        ),
        (
            "",
            _small(geometry.partition_ratio_of_directions),
            "of their directions: from 0.14 to 1",
        ),
    )
    width = max(len(value) for _, value, _ in rows)
    for name, value, said in rows:
        lines.fold(said, first=f"  {name:<19}  {value:>{width}}  ")
    if geometry.zero:
        lines.fold(f"{what} that are 0 in every number: {geometry.zero:,}", style="dim")


def _small(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 or value == 0 else f"{value:.0e}"


def _named(lines: _Lines, what: str, names: Sequence[str]) -> None:
    more = f" and {len(names) - _NAMED} more (--json)" if len(names) > _NAMED else ""
    lines.fold(f"{what}: {', '.join(names[:_NAMED])}{more}", style="dim")
