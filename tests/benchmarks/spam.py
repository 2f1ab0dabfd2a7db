"""Print what `widemargin run spam` reaches, beside what is required and a plain scikit-learn model.

The peer is an untuned scikit-learn pipeline, TF-IDF of words and characters in front of LinearSVC
with C = 1, on the same items and outer folds.

    python tests/benchmarks/spam.py
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

import widemargin
from widemargin.data import near_duplicates
from widemargin.data.assets import data_home

REQUIRED = {"accuracy": 0.987, "f1": 0.95}


def main() -> None:
    """Run both and print a table."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        made = widemargin.run("spam", runs=folder, fresh=True)
        seconds = time.perf_counter() - start
        again = widemargin.run("spam", runs=folder, fresh=True)
        same = _metrics(made.path) == _metrics(again.path)
        loader = made.predictor.config.data
    dataset = loader.load(data_home())
    codes = near_duplicates(list(dataset.X["text"]))
    rows = np.sort(np.unique(codes, return_index=True)[1]).astype(np.intp)
    peer, peer_seconds = _peer(dataset.take(rows))
    print(f"{'':22}{'widemargin':>12}{'required':>10}{'peer':>10}")  # noqa: T201  # a table is the point
    for name in ("accuracy", "f1", "mcc", "roc_auc"):
        required = f"{REQUIRED[name]:.3f}" if name in REQUIRED else ""
        line = f"{name:22}{made.metrics[name]:12.4f}{required:>10}{peer[name]:10.4f}"
        print(line)  # noqa: T201  # as above
    print(f"{'seconds':22}{seconds:12.1f}{'60':>10}{peer_seconds:10.1f}")  # noqa: T201  # as above
    print(f"metrics.json of a second fresh run: {'identical' if same else 'DIFFERENT'}")  # noqa: T201  # as above


def _metrics(path: Path) -> bytes:
    return (path / "metrics.json").read_bytes()


def _peer(dataset: widemargin.Dataset) -> tuple[dict[str, float], float]:
    texts = np.array(list(dataset.X["text"]), dtype=object)
    spam = dataset.y == "spam"
    start = time.perf_counter()
    decision = np.zeros(len(texts))
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(texts, spam):
        model = make_pipeline(
            make_union(
                TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
                TfidfVectorizer(
                    analyzer="char_wb", ngram_range=(2, 4), min_df=2, sublinear_tf=True
                ),
            ),
            LinearSVC(C=1, random_state=0),
        )
        decision[test] = model.fit(texts[train], spam[train]).decision_function(texts[test])
    seconds = time.perf_counter() - start
    predicted = decision > 0
    return {
        "accuracy": accuracy_score(spam, predicted),
        "f1": f1_score(spam, predicted),
        "mcc": matthews_corrcoef(spam, predicted),
        "roc_auc": roc_auc_score(spam, decision),
    }, seconds


if __name__ == "__main__":
    main()
