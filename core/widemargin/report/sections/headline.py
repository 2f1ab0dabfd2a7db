"""What the reader should take away: one number, one sentence, and what speaks against it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from widemargin.contracts import Estimate, Estimates, ReportSection
from widemargin.contracts.counting import counted
from widemargin.contracts.dataset import OWN
from widemargin.evaluation import Finding
from widemargin.evaluation.draws import FEW, LEAST
from widemargin.report.artefacts import Artefacts
from widemargin.report.sections.search import gamma_name
from widemargin.report.wordings import brief, capital, count, date, full, listing, number, percent

__all__ = ["Headline", "build_findings", "build_headline", "build_numbers", "estimate"]


UNSPOKEN = ("label", "class")
"""Names of a target that say nothing."""

# A larger share of the rows in one group leaves intervals too narrow (evaluation/README.md).
_MOST = 0.5

LONGEST = 60
"""Letters of class names that a title holds; of more it says how many there are."""


@dataclass(frozen=True, kw_only=True)
class Headline:
    """The top of the report."""

    name: str
    title: str
    metric: str
    number: str
    unit: str
    estimate: Estimate | None
    references: Sequence[str]
    ends: tuple[float, float] | None
    sentence: str
    facts: Sequence[tuple[str, str]]


def build_headline(run: Artefacts) -> Headline:
    """Say the main thing in one number, one sentence and a row of facts."""
    metric = run.metric(run.primary)
    row = estimate(run, run.primary, short=True)
    titles = [_reference_name(key) for key in _baselines(run)]
    shown = [row.value, row.low, row.high, *(value for _, value in row.references)] if row else []
    within = all(0 <= value <= 1 for value in shown if value is not None)
    return Headline(
        name=run.record.use_case,
        title=_title(run),
        metric=capital(run.title(run.primary)),
        number=brief(metric, row.value) if row else "",
        unit=run.units if metric.unit == "target" else "",
        estimate=row,
        references=titles,
        # Most scores live between 0 and 1, and are then shown on that whole line.
        ends=(0.0, 1.0) if within and metric.unit != "target" else None,
        sentence=_sentence(run, row),
        facts=_facts(run),
    )


def build_findings(run: Artefacts) -> list[Finding]:
    """List what the checks found, warnings first."""
    found = [
        Finding(**{**one, "title": capital(one["title"]), "message": capital(one["message"])})
        for one in run.metrics.get("findings") or []
    ]
    return sorted(found, key=lambda one: (one.severity != "warning", one.code))


def build_numbers(run: Artefacts) -> ReportSection | None:
    """Build the table of all metrics with their intervals beside the baselines."""
    names = list(run.metrics.get("metrics") or {})
    rows = [row for name in names if (row := estimate(run, name)) is not None]
    if not rows:
        return None
    titles = [_reference_title(key, one) for key, one in _baselines(run).items()]
    note = f"Intervals cover {_confidence(run)} and {_made(run)}.{_uneven(run)}{_of_quantiles(run)}"
    if titles:
        note += (
            " Each strip has a scale of its own: the dot is the value, the line its interval, and "
            f"the upright tick marks “{titles[-1]}”."
        )
    return ReportSection(
        title="All the numbers", blocks=[Estimates(rows=rows, references=titles, note=note)]
    )


def _made(run: Artefacts) -> str:
    """Say how the intervals are made; runs of before it was written down all resampled."""
    made = run.metrics.get("intervals") or {"by": "bootstrap"}
    if made["by"] == "bootstrap":
        return f"come from resampling {_drawn(run)}"
    drawn = f"{count(made['of'])} {_drawn(run).removeprefix('the ')}"
    if made["by"] == "jackknife":
        return (
            f"come from leaving out {drawn}, one at a time, and Student's distribution (the "
            f"jackknife): fewer than {FEW} are too few to resample"
        )
    return (
        f"are there only where nothing is wrong: of {drawn}, fewer than {LEAST}, nothing else "
        "tells how far a number is from what more would give"
    )


def _uneven(run: Artefacts) -> str:
    """Say where one group holds most rows: nothing tells how others of its size would differ."""
    told = run.predictions
    if told is None or told.drawn is None or len(told.drawn) == 0:
        return ""
    weight = np.bincount(np.unique(told.drawn, return_inverse=True)[1].reshape(-1), told.weight)
    share = float(weight.max() / weight.sum())
    if len(weight) < LEAST or share <= _MOST:
        return ""
    return (
        f" One of these holds {percent(share, 0)} of all that was predicted: take them for wider."
    )


def _of_quantiles(run: Artefacts) -> str:
    """Say what metrics that rest on a quantile have, where it is not what the others have."""
    made = (run.metrics.get("intervals") or {}).get("by")
    ends = {
        run.title(name): own.get("low")
        for name, own in (run.metrics.get("metrics") or {}).items()
        if run.metric(name).quantile is not None and own.get("value") is not None
    }
    said = ""
    known = [title for title, low in ends.items() if low is not None]
    if known and made == "jackknife" and not run.classes:
        said += f" Leaving one out says little of the {listing(known)}, which is resampled."
    none = [title for title, low in ends.items() if low is None]
    if none and made:
        items = run.use_case.wording.items
        said += f" {capital(listing(none))}: none, for too few {items} beyond where it is read off."
    return said


def _drawn(run: Artefacts) -> str:
    """Say what is drawn as one for the intervals."""
    predictions, items = run.predictions, run.use_case.wording.items
    if (run.record.config.get("evaluation") or {}).get("shots"):
        return "whole outer parts, each with items of its own to learn from"
    if run.metrics.get("split") == "walk-forward":
        return "whole stretches of time"
    if predictions is None or predictions.drawn is None:
        return f"the held-out {items}"
    if len(set(predictions.drawn.tolist())) < predictions.n_items:
        return f"whole groups of {items}"
    return f"the held-out {items}, each with all of its predictions"


def estimate(run: Artefacts, name: str, short: bool = False) -> Estimate | None:
    """Build one metric's estimate; None where it was not measured."""
    measured = (run.metrics.get("metrics") or {}).get(name)
    if measured is None:
        return None
    metric = run.metric(name)
    write = brief if short else full
    value, low, high = (measured.get(key) for key in ("value", "low", "high"))
    interval = ""
    if low is not None and high is not None:
        # The unit is said once, with the value.
        interval = f"{write(metric, low, '')} to {write(metric, high, '')}"
    references = [
        (write(metric, other, ""), other)
        for other in (one.get("metrics", {}).get(name) for one in _baselines(run).values())
    ]
    return Estimate(
        name=capital(run.title(name)),
        text=write(metric, value, run.units),
        value=value,
        low=low,
        high=high,
        interval=interval,
        references=references,
        summary=capital(metric.summary),
    )


def _sentence(run: Artefacts, row: Estimate | None) -> str:
    parts = [_domain_sentence(run)]
    if row is not None:
        said = f"{row.name} is {row.text}"
        if row.interval:
            said += f" ({_confidence(run)} interval {row.interval})"
        others = [
            f"{_reference_title(key, one)} {'gives' if k == 0 else 'reaches'} {text}"
            for k, ((key, one), (text, value)) in enumerate(
                zip(_baselines(run).items(), row.references, strict=True)
            )
            if value is not None
        ]
        parts.append("; ".join([said, listing(others)]) if others else said)
    return " ".join(f"{capital(part).rstrip('.')}." for part in parts if part)


def _domain_sentence(run: Artefacts) -> str:
    """Fill the use case's own sentence, or say nothing where a number of it is missing."""
    measured = run.metrics.get("metrics") or {}
    named = dict(zip(("positive", "negative"), _two_classes(run), strict=False))
    missing = False

    def fill(found: re.Match[str]) -> str:
        nonlocal missing
        if found[1] in named:
            return named[found[1]]
        value = measured.get(found[1], {}).get("value")
        missing = missing or value is None
        return brief(run.metric(found[1]), value, run.units)

    text = re.sub(r"\{([^{}]+)\}", fill, run.use_case.wording.headline)
    return "" if missing else text


def _two_classes(run: Artefacts) -> list[str]:
    """Return the positive class and the other; nothing where there are not two."""
    if len(run.classes) != 2 or not run.positive:
        return []
    return sorted(run.classes, key=lambda name: name != run.positive)


def _title(run: Artefacts) -> str:
    """Say what was asked: people's own data ask what their labels say, and not the use case."""
    card = run.dataset.get("card") or {}
    if card.get("licence") != OWN or not card.get("title"):
        return run.use_case.summary.rstrip(".")
    target = str(card.get("target") or "")
    said = "" if target in UNSPOKEN else target
    classes = _two_classes(run) or list(run.classes)
    if classes:
        told = listing(classes, "or")
        if len(told) > LONGEST:
            told = counted(len(classes), "class", several="classes")
        said = f"{said} ({told})" if said else told
    where = f"{capital(run.use_case.wording.items)} in {card['title']}"
    return f"{where}: {said}" if said else where


def _facts(run: Artefacts) -> list[tuple[str, str]]:
    metrics, wording = run.metrics, run.use_case.wording
    facts = []
    if (n_items := metrics.get("n_items")) is not None:
        facts.append((wording.items.capitalize(), count(n_items)))
    chosen = metrics.get("chosen") or {}
    if chosen.get("kernel"):
        facts.append(("Kernel", str(chosen["kernel"])))
    facts += [
        (title, number(chosen[name], 3))
        for name, title in (("C", "C"), ("gamma", gamma_name(run)))
        if chosen.get(name) is not None
    ]
    support = metrics.get("support_vectors") or {}
    if support.get("count") is not None:
        share = support.get("share")
        said = f" ({percent(share, 0)})" if share is not None else ""
        facts.append(("Support vectors", count(support["count"]) + said))
    if parts := _parts(run):
        facts.append(("Measured on", parts))
    if created := run.record.manifest.get("created"):
        facts.append(("Run", date(str(created))))
    return facts


def _parts(run: Artefacts) -> str:
    """Say on how many held-out parts the run was measured; the config may have asked for more."""
    asked = run.record.config.get("evaluation") or {}
    if run.metrics.get("split") == "published":
        return "the published test part"
    if run.metrics.get("split") == "leave-one-out":
        made = (run.metrics.get("n_folds") or {}).get("outer") or 0
        return f"{counted(made, 'held-out part')} of one item or group"
    outer = (run.metrics.get("n_folds") or {}).get("outer") or asked.get("outer")
    if run.metrics.get("split") == "walk-forward":
        stretches = counted(outer or 0, "stretch", several="stretches")
        return f"{stretches} of time, each after all that was learned from"
    if not outer:
        return ""
    made = len(run.metrics.get("folds") or [])
    repeats = made // outer if made else asked.get("repeats") or 1
    often = f", {repeats} times" if repeats > 1 else ""
    shots = asked.get("shots")
    of = f", learning from {count(shots)} a class" if shots else ""
    return f"{counted(outer, 'held-out part')}{often}{of}"


def _baselines(run: Artefacts) -> dict[str, Any]:
    return dict(run.metrics.get("baselines") or {})


def _reference_title(key: str, baseline: dict[str, Any]) -> str:
    return str(baseline.get("title") or key.replace("_", " "))


def _reference_name(key: str) -> str:
    """Name a baseline in a word or two, for a figure."""
    return "guessing" if key == "dummy" else key.replace("_", " ")


def _confidence(run: Artefacts) -> str:
    share = run.metrics.get("confidence") or 0.95
    return f"{number(100 * float(share), 3)}%"
