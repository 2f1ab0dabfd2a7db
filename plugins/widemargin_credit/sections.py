"""The report's own sections: scorecard, refusals, fairness, stability."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from widemargin import Dataset, ReportSection
from widemargin.evaluation import Block, Code, Facts, Study, Table, Text
from widemargin_credit.applications import BAD, GOOD
from widemargin_credit.changes import Turn, turning_changes
from widemargin_credit.deciding import Decider, Scale, bad_of, decider_of_study
from widemargin_credit.fairness import fairness_section
from widemargin_credit.measures import stability
from widemargin_credit.reasons import Reason, reasons_of
from widemargin_credit.scorecard import Scorecard, bent_columns, card_of
from widemargin_credit.words import in_words

__all__ = ["credit_sections"]

_NOTHING = "no column by itself: the threshold is strict, and all are near the mean application's"

_SHOWN = 10
_MOST = 1000
_REASONS = 3


def credit_sections(study: Study) -> list[ReportSection]:
    """Make the sections of a run."""
    if set(study.predictions.classes) != {GOOD, BAD}:
        return []
    decider = decider_of_study(study)
    learned = study.dataset.take(study.learned)
    scale = decider.scale(learned.X)
    card = card_of(decider, learned.X)
    return [
        *_scorecard(decider, scale, card, learned),
        *_refusals(study, decider, scale),
        *fairness_section(study),
        *_stability(study),
    ]


def _scorecard(
    decider: Decider, scale: Scale, card: Scorecard | None, learned: Dataset
) -> list[ReportSection]:
    X, threshold = learned.X, decider.threshold
    bent: list[Block] = [
        Text(
            text=f"Risk seems to rise and fall along {in_words(name)}, and its points only do one "
            f"of both: its information value is {own:.2f}, and {other:.2f} in bins that may do "
            f"both. The encoder's setting free=[{name}] lets them."
        )
        for name, own, other in bent_columns(decider.features, X, learned.y)
    ]
    pairs = [
        (
            f"{scale.base_score:g} points",
            f"good is {scale.base_odds:g} times as likely as bad, which is a probability of bad "
            f"of {1 / (1 + scale.base_odds):.1%}",
        ),
        (f"{scale.pdo:g} points more", "double the odds"),
        (
            "Refused below",
            f"{scale.of_probability(threshold):.1f} points, a probability of bad of "
            f"{threshold:.1%}",
        ),
    ]
    if card is None:
        text = (
            "This machine has no card: its score is no sum of points for each column's bins. "
            "configs/credit/scorecard.yaml trains one that has."
        )
        return [
            ReportSection(title="The score", blocks=[Facts(pairs=pairs), Text(text=text), *bent])
        ]
    off = float(np.abs(card.score(X) - scale.points(decider.judge(X).decision)).max())
    rounded = round(card.base) + np.round(card.points(X)).sum(axis=1)
    told = np.asarray(rounded < scale.of_probability(threshold))
    other = int((told != decider.refuses(X)).sum())
    lines = [
        (in_words(line.column), line.bin, line.good, line.bad, round(line.points, 1))
        for line in card.lines
        if line.good + line.bad
    ]
    blocks: list[Block] = [
        Facts(pairs=[*pairs, ("Everybody has", f"{card.base:.1f} points")]),
        Table(
            title="Points",
            columns=("column", "bin", "good", "bad", "points"),
            rows=lines,
            note="Good and bad are numbers of applications that the card was made from. Bins that "
            "none of them fell into are left out: they have 0 points or nearly so.",
        ),
        Text(
            text="An application's score is what everybody has and the points of its bins. Over "
            f"the {len(X):,} applications the sum is the margin on this scale to within "
            f"{off:.0e} points. With points rounded to whole numbers, {other:,} of them would be "
            "decided otherwise."
        ),
    ]
    if not scale.is_exact:
        blocks.append(
            Text(
                text="The probabilities are not those of a sigmoid, so that the scale is laid "
                "through their log-odds; what a score means holds only nearly."
            )
        )
    return [
        ReportSection(title="Scorecard", blocks=[*blocks, *bent]),
        ReportSection(
            title="The scorecard as CSV",
            blocks=[Code(text=card.csv(), title="scorecard.csv, with all digits")],
            advanced=True,
        ),
    ]


def _refusals(study: Study, decider: Decider, scale: Scale) -> list[ReportSection]:
    X, y, ids = study.dataset.X, study.dataset.y, study.dataset.ids
    judged = decider.judge(X)
    bad = bad_of(judged)
    refused = np.flatnonzero(judged.label == BAD)
    if not len(refused):
        return [
            ReportSection(title="Refusals", blocks=[Text(text="The model refuses nobody here.")])
        ]
    if not decider.population:
        text = "These features do not know the population; take the encoder loan for reasons."
        return [ReportSection(title="Refusals", blocks=[Text(text=text)])]
    # The nearest to the threshold first: of those most can still be done.
    n_refused = len(refused)
    refused = refused[np.argsort(bad[refused], kind="stable")][:_MOST]
    own = X.iloc[refused].reset_index(drop=True)
    with study.progress.stage("reasons of refusals"):
        why = reasons_of(decider, own, scale, _REASONS)
    with study.progress.stage("changes that turn refusals"):
        turns = turning_changes(decider, own)
    scores = scale.points(judged.decision[refused])
    rows = [
        (
            str(ids[at]),
            round(float(scores[place]), 1),
            f"{bad[at]:.1%}",
            str(y[at]),
            "; ".join(f"{one.words} ({one.points:+.0f})" for one in why[place]) or _NOTHING,
            _told(turns[place]),
        )
        for place, at in enumerate(refused)
    ]
    columns = (
        *("application", "points", "bad", "ended", "what speaks against it most, in points"),
        "what would turn it, each by itself",
    )
    near = np.unique(np.linspace(0, len(rows) - 1, min(_SHOWN, len(rows))).astype(int))
    return [
        ReportSection(
            title="Refusals: reasons, and what would turn them",
            intro=(
                f"The saved model refuses {n_refused:,} of the {len(X):,} applications. A "
                "reason is a column, with what the score loses on average against drawing "
                "that column from all applications, the others staying as they are. The model has "
                "learned from these applications: this shows how it speaks, and measures nothing."
            ),
            blocks=[
                *_summary(decider, turns, why),
                Table(
                    title="Some of them, from the nearest to the threshold to the furthest",
                    columns=columns,
                    rows=[rows[at] for at in near],
                    note="Each change has been predicted, and turns the model's own label. It says "
                    "what the model would do, and nothing of whether the credit would be paid "
                    "back.",
                ),
            ],
        ),
        ReportSection(
            title=(
                f"All {n_refused:,} refusals"
                if n_refused == len(rows)
                else f"The {len(rows):,} refusals nearest to the threshold"
            ),
            blocks=[Table(columns=columns, rows=rows)],
            advanced=True,
        ),
    ]


def _summary(
    decider: Decider, turns: Sequence[Sequence[Turn]], why: Sequence[Sequence[Reason]]
) -> list[Block]:
    n = len(turns)
    first: dict[str, int] = {}
    for own in why:
        if own:
            first[own[0].column] = first.get(own[0].column, 0) + 1
    commonest = sorted(first.items(), key=lambda item: -item[1])[:5]
    said = [
        (
            "The first reason is most often",
            ", ".join(f"{in_words(name)} ({count / n:.0%})" for name, count in commonest),
        )
    ]
    may = decider.loader.may_change
    if not may:
        said.append(("What may change", "nothing is named in data.may_change"))
        return [Facts(pairs=said)]
    one = sum(bool(own) and len(own[0].changes) == 1 for own in turns)
    two = sum(bool(own) and len(own[0].changes) == 2 for own in turns)
    said += [
        ("What may change", "; ".join(_allowed(name, how) for name, how in may.items())),
        ("Turned by one change", f"{one:,} ({one / n:.0%})"),
        ("... by two", f"{two:,} ({two / n:.0%})"),
        ("... by neither", f"{n - one - two:,} ({(n - one - two) / n:.0%})"),
    ]
    return [Facts(pairs=said)]


def _allowed(name: str, how: Any) -> str:
    if isinstance(how, str):
        return f"{in_words(name)} ({'to any value' if how == 'any' else how})"
    return f"{in_words(name)} (to {' or '.join(how)})"


def _told(turns: Sequence[Turn]) -> str:
    if not turns:
        return "no allowed change of one or two columns"
    return "; ".join(f"{turn} ({turn.bad:.0%} bad)" for turn in turns)


def _stability(study: Study) -> list[ReportSection]:
    """Compare scores of training rows with held-out ones, over parts that hold a row out once."""
    held_rows = np.zeros(len(study.dataset), dtype=bool)
    trained, held, each = [], [], []
    with study.progress.stage("stability of the score") as stage:
        for split in study.splits:
            if held_rows[split.test].any():
                break
            held_rows[split.test] = True
            model = study.refit(split.train)
            own = model.decide(study.dataset.X.iloc[split.train])
            others = model.decide(study.dataset.X.iloc[split.test])
            each.append(stability(own.tolist(), others.tolist()).index)
            trained += own.tolist()
            held += others.tolist()
            stage.advance()
    found = stability(trained, held)
    names = _ranges(found.edges)
    verdict = (
        "alike" if found.index < 0.1 else "somewhat apart" if found.index <= 0.25 else "far apart"
    )
    return [
        ReportSection(
            title="Stability of the score",
            intro=(
                f"The population stability index of held-out against training scores is "
                f"{found.index:.3f}: they are {verdict} (below 0.1 alike, above 0.25 far apart). "
                f"By outer part it is {min(each):.3f} to {max(each):.3f}, where a part is a small "
                "sample. Good and bad are drawn alike here, so that a difference is the machine's "
                "own: it knows its training rows, and a kernel machine pushes them to its margin."
            ),
            blocks=[
                Table(
                    columns=("margin", "training", "held out", "adds to the index"),
                    rows=[
                        (name, f"{p:.1%}", f"{q:.1%}", round(float((q - p) * np.log(q / p)), 4))
                        for name, p, q in zip(names, found.expected, found.actual, strict=True)
                    ],
                    note="Compare later applications with the held-out column: "
                    "widemargin_credit.measures.stability does it from two lists of margins.",
                )
            ],
        )
    ]


def _ranges(edges: Sequence[float]) -> list[str]:
    ends = [f"{edge:+.2f}" for edge in edges]
    middle = [f"{low} to {high}" for low, high in pairwise(ends)]
    return [f"below {ends[0]}", *middle, f"from {ends[-1]}"] if ends else ["any"]
