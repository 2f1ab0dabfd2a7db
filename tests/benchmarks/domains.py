"""Print what each domain's configs reach, beside what they must reach and what is published.

Every row is an ordinary run of one config, by the protocol that the config names. A run that was
interrupted goes on where it was; one that ended is made again.

    python tests/benchmarks/domains.py                    # all, some hours on two cores
    python tests/benchmarks/domains.py cancer spam/best   # a domain, or one config
    python tests/benchmarks/domains.py --fresh cancer     # ignore what an interrupted run kept
    python tests/benchmarks/domains.py --markdown         # the README's table

Exits with 1 where a required figure is missed or a config fails.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import widemargin
from widemargin import WidemarginError

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


class Target(NamedTuple):
    """One figure: of which config, which metric, what is asked for, and what others published.

    What is asked for may be another config: more than that one reaches in the same call.
    """

    config: str
    metric: str
    must: float | str | None = None
    reach: float | None = None
    published: str = ""


TARGETS = (
    Target("spam/tfidf", "accuracy", 0.987),
    Target("spam/tfidf", "f1", 0.95, None, "0.954 linear, words and characters"),
    Target("spam/best", "accuracy", 0.991, 0.993),
    Target("spam/best", "mcc", 0.958, 0.97),
    Target("spam/mails", "f1"),
    Target("cancer/khan", "accuracy", 0.9, 1.0, "0.90 linear SVM (ISLR), 1.0 networks (Khan 2001)"),
    Target("cancer/khan-rfe", "accuracy"),
    Target("cancer/golub", "accuracy", 36 / 38, 1.0, "0.95 to 1.0, by method and genes"),
    Target("cancer/nci60", "accuracy", 0.68, 0.73),
    Target("proteins/composition", "accuracy"),
    Target("proteins/location", "accuracy", 0.57, 0.60),
    Target("proteins/location", "f1_macro", 0.38, 0.43),
    Target("peptides/composition", "roc_auc"),
    Target("peptides/spectrum", "roc_auc"),
    Target("peptides/best", "roc_auc", 0.95, 0.965),
    Target("peptides/anticancer", "roc_auc"),
    Target("credit/scorecard", "roc_auc", 0.79),
    Target("credit/evidence", "roc_auc", 0.79, 0.81, "0.796 best AutoML (OpenML credit-g)"),
    Target("credit/kernels", "roc_auc"),
    Target("trading/direction", "roc_auc"),
    Target("trading/return", "r2"),
    Target("sounds/mfcc", "f1_macro"),
    # More than MFCC under an RBF kernel.
    Target("sounds/kits", "f1_macro", "sounds/mfcc"),
    Target("images/hog", "accuracy", None, None, "0.926 HOG + SVM on all 60,000 images"),
    Target("images/fine-tuned", "accuracy"),
    Target("images/cnn", "accuracy", 0.92, 0.94, "0.897 RBF SVM on pixels, 0.934 small CNN"),
)


def main(
    given: Sequence[str] | None = None,
    targets: Sequence[Target] = TARGETS,
    run: Callable[..., widemargin.Run] = widemargin.run,
) -> int:
    """Run what is named and print a table; return the exit status."""
    parser = argparse.ArgumentParser(description="What each domain's configs reach.")
    parser.add_argument("names", nargs="*", help="use cases or configs, as in spam/best; all")
    parser.add_argument("--fresh", action="store_true", help="ignore what an interrupted run kept")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    asked = parser.parse_args(given)
    chosen = [one for one in targets if not asked.names or _named(one, asked.names)]
    unknown = [name for name in asked.names if not any(_named(one, [name]) for one in targets)]
    if unknown:
        known = ", ".join(dict.fromkeys(one.config for one in targets))
        parser.error(f"nothing is called {', '.join(unknown)}; there are {known}.")
    peers = {one.must for one in chosen if isinstance(one.must, str)}
    chosen = [one for one in targets if one in chosen or one.config in peers]
    lines, missed = [], False
    reached: dict[tuple[str, str], float] = {}
    for config in dict.fromkeys(one.config for one in chosen):
        own = [one for one in chosen if one.config == config]
        print(f"{config} ...", end=" ", file=sys.stderr, flush=True)  # noqa: T201  # progress
        began = time.perf_counter()
        try:
            made = run(CONFIGS / f"{config}.yaml", fresh=asked.fresh)
        except WidemarginError as error:
            print(f"failed: {error}", file=sys.stderr)  # noqa: T201  # as above
            lines += [_line(one, "failed", "", "failed") for one in own]
            missed = True
            continue
        minutes = (time.perf_counter() - began) / 60
        print(f"{minutes:.1f} min", file=sys.stderr)  # noqa: T201  # as above
        for one in own:
            value = made.metrics[one.metric]
            said = made.record.metrics["metrics"][one.metric]
            ends = [said["low"], said["high"]]
            interval = "" if None in ends else f"{ends[0]:.3f} to {ends[1]:.3f}"
            reached[one.config, one.metric] = value
            verdict = _verdict(one, value, reached)
            missed = missed or verdict == "MISSED"
            lines.append(_line(one, f"{value:.4f}", interval, verdict))
    _print(lines, markdown=asked.markdown)
    return int(missed)


def _named(target: Target, names: Sequence[str]) -> bool:
    return any(name in (target.config, target.config.partition("/")[0]) for name in names)


def _verdict(target: Target, value: float, reached: Mapping[tuple[str, str], float]) -> str:
    """Say what was reached; figures are compared as they are, unrounded, and more is better."""
    if target.reach is not None and value >= target.reach:
        return "reached"
    if isinstance(target.must, str):
        # A peer that failed has no figure, and nothing is more than that.
        return "met" if value > reached.get((target.must, target.metric), math.inf) else "MISSED"
    if target.must is not None:
        return "met" if value >= target.must else "MISSED"
    return ""


def _line(target: Target, value: str, interval: str, verdict: str) -> tuple[str, ...]:
    wanted = (
        f"> {one}" if isinstance(one, str) else "" if one is None else f"{one:.3g}"
        for one in (target.must, target.reach)
    )
    return (target.config, target.metric, value, interval, *wanted, verdict, target.published)


def _print(lines: Sequence[tuple[str, ...]], *, markdown: bool) -> None:
    head = ("config", "metric", "reached", "95% interval", "must", "reach", "", "published")
    table = [head, *lines]
    if markdown:
        table.insert(1, ("---",) * len(head))
        for row in table:
            print(f"| {' | '.join(row)} |")  # noqa: T201  # a table is the point
        return
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())  # noqa: T201  # as above


if __name__ == "__main__":
    sys.exit(main())
