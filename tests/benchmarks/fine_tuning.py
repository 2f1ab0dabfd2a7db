"""Print what fine-tuning MiniLM on 16 messages a class gains over MiniLM as published.

For each seed 16 spam and 16 other messages of the SMS collection are drawn at random to learn from,
and 2,000 others to test on; equal messages count once. The machines are scikit-learn's `SVC` with
C = 1, linear and RBF. Intervals are of Student's t over seeds, of paired differences. The assets
come first: ``widemargin data fetch minilm sms-spam``.

    python tests/benchmarks/fine_tuning.py [SEEDS] [SETTINGS ...]

SEEDS are how many, from 0, or the first and the last, as in 5-9. SETTINGS are `features.train` as
JSON, as in '{"method": "full"}'. Rows appear as they are computed.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from widemargin.data.assets import data_home
from widemargin.encoders import MinilmEncoder, TunedEncoder, TuneSettings

SHOTS, TESTED = 16, 2000
LOSSES = ("info-nce", "supervised-contrastive", "triplet", "cross-entropy")
TRIED: list[Mapping[str, Any]] = [
    *({"loss": loss} for loss in LOSSES),
    {"method": "full"},
    {"method": "last"},
]
Scores = dict[str, float]


def main() -> None:
    """Compare frozen with fine-tuned vectors, seed by seed."""
    first, _, last = (sys.argv[1] if len(sys.argv) > 1 else "10").partition("-")
    seeds = range(int(first), int(last) + 1) if last else range(int(first))
    tried = [json.loads(given) for given in sys.argv[2:]] or TRIED
    texts, labels = _messages()
    found: dict[str, list[Scores]] = defaultdict(list)
    for seed in seeds:
        train, test = _drawn(labels, seed)
        runs: dict[str, Any] = {"frozen": MinilmEncoder()}
        for given in tried:
            settings = TuneSettings.model_validate({"device": "cpu", "seed": seed, **given})
            runs[json.dumps(given)] = TunedEncoder(MinilmEncoder(), settings)
        for name, encoder in runs.items():
            began, used = time.perf_counter(), time.process_time()
            encoder.fit(texts[train], labels[train])
            seconds = {"wall": time.perf_counter() - began, "cpu": time.process_time() - used}
            vectors = [encoder.transform(texts[rows]) for rows in (train, test)]
            scores = _scores(vectors[0], labels[train], vectors[1], labels[test])
            found[name].append({**scores, **seconds})
            print(json.dumps({"seed": seed, "run": name, **found[name][-1]}), flush=True)  # noqa: T201  # a table is the point
    for name, rows in found.items():
        print(name, *_summary(rows, found["frozen"]), sep="\n    ")  # noqa: T201


def _messages() -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    with (data_home() / "sms-spam" / "sms-spam.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["text"]: int(row["spam"]) for row in csv.DictReader(file)}
    return np.array(list(rows), dtype=object), np.array(list(rows.values()))


def _drawn(labels: NDArray[np.intp], seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    rng = np.random.default_rng(seed)
    train = np.concatenate(
        [rng.permutation(np.flatnonzero(labels == label))[:SHOTS] for label in (0, 1)]
    )
    others = np.setdiff1d(np.arange(len(labels)), train)
    return train, rng.permutation(others)[:TESTED]


def _scores(
    train: NDArray[np.float32], y: NDArray[Any], test: NDArray[np.float32], expected: NDArray[Any]
) -> Scores:
    from sklearn.metrics import accuracy_score, matthews_corrcoef
    from sklearn.svm import SVC

    scores = {}
    for kernel in ("linear", "rbf"):
        said = SVC(kernel=kernel, C=1).fit(train, y).predict(test)
        scores[f"{kernel} accuracy"] = float(accuracy_score(expected, said))
        scores[f"{kernel} MCC"] = float(matthews_corrcoef(expected, said))
    return scores


def _summary(rows: list[Scores], frozen: list[Scores]) -> list[str]:
    from scipy.stats import t

    told = []
    for key in rows[0]:
        own = np.array([row[key] for row in rows])
        gains = own - [row[key] for row in frozen]
        n = len(gains)
        half = t.ppf(0.975, n - 1) * gains.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
        told.append(
            f"{key:16} {own.mean():8.4f}   gain {gains.mean():+.4f} "
            f"({gains.mean() - half:+.4f} to {gains.mean() + half:+.4f})"
        )
    return told


if __name__ == "__main__":
    main()
