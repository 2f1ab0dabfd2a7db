"""Run folders as the runner leaves them, with made-up but likely contents."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from widemargin.comparison import Comparison, Pair, Row
from widemargin.contracts import (
    Dataset,
    DatasetLoader,
    FeatureSection,
    Items,
    Kind,
    Lines,
    Metric,
    Predictions,
    ReportSection,
    RunRecord,
    Series,
    UseCase,
    Wording,
)
from widemargin.evaluation import METRICS as KNOWN
from widemargin.evaluation import PairedTest
from widemargin.report import render_report
from widemargin.report.artefacts import Artefacts, read_artefacts

Shape = Literal["binary", "many", "regression"]
HOSTILE = "<script>alert('won')</script> & \"FREE\" <b>entry</b>"
SPAM = [
    "FREE entry in 2 a wkly comp to win cup final tkts! Text WIN to 80082 now to receive entry",
    "URGENT! Your mobile number has been awarded a 2000 pound prize. To claim call 09061743386",
    "Congratulations, you have won a weeks holiday. Call now and claim, 150p/min",
    "Hi babe its me, new number. Txt back on 84122 for free photos",
    HOSTILE,
]
HAM = [
    "Ok lar, will be there by six. Is your call free at nine?",
    "I'll win the claim at work I think, can you call the insurance people please",
    "Hey there, congrats on the exam! Dinner is on me, free on Friday?",
    "Sorry, I'll call later. In a meeting",
    "Mum says the prize was a jar of honey. We laughed. Come home soon, the garden is lovely now",
]
PIECES = [
    "txt",
    "claim",
    "free",
    "prize",
    "www",
    "mobile",
    "won",
    "stop",
    "urgent",
    "win",
    "call",
    "150p",
    "reply",
    "service",
    "cash",
    "voucher",
    "new",
    "text",
    "uk",
    "entry",
]
HAM_PIECES = [
    "ok",
    "later",
    "my",
    "me",
    "home",
    "i",
    "da",
    "lor",
    "come",
    "sorry",
    "good",
    "it",
    "he",
    "going",
    "lol",
    "how",
    "love",
    "at",
    "what",
    "tomorrow",
]


class Loader(DatasetLoader):
    """Reads nothing; a use case needs one."""

    source: Literal["made-up"] = "made-up"

    def load(self, data_home: Path) -> Dataset:
        raise NotImplementedError

    def read_items(self, source: Path) -> Iterator[Items]:
        raise NotImplementedError


class Features(FeatureSection):
    """Builds nothing; a use case needs one."""

    learns: ClassVar[Literal["X"]] = "X"

    def build(self, kinds: Mapping[str, Kind]) -> Any:
        raise NotImplementedError


def nothing(predictions: Predictions) -> float:
    return float("nan")


METRICS = {
    metric.name: metric
    for metric in (
        Metric(name="f1", title="F1", summary="Harmonic mean of precision and recall.",
               task="classification", compute=nothing),
        Metric(name="accuracy", title="accuracy", summary="Share that is right.",
               task="classification", compute=nothing, unit="%"),
        Metric(name="mcc", title="MCC", summary="Correlation of truth and prediction.",
               task="classification", compute=nothing),
        Metric(name="roc_auc", title="ROC AUC",
               summary="How often a spam scores above a ham.", task="classification",
               compute=nothing, needs="decision"),
        Metric(name="average_precision", title="Average precision",
               summary="Area under the precision-recall curve.", task="classification",
               compute=nothing, needs="decision"),
        Metric(name="spam_caught_at_0.1", title="Spam caught at 0.1% of ham blocked",
               summary="", task="classification", compute=nothing, unit="%"),
        Metric(name="spam_caught_at_0.5", title="Spam caught at 0.5% of ham blocked",
               summary="", task="classification", compute=nothing, unit="%"),
        Metric(name="mae", title="mean absolute error", summary="Average size of an error.",
               task="regression", compute=nothing, unit="target", greater_is_better=False),
        Metric(name="rmse", title="Root mean squared error", summary="Weighs large errors more.",
               task="regression", compute=nothing, unit="target", greater_is_better=False),
        Metric(name="r2", title="R2", summary="Share of the variance explained.",
               task="regression", compute=nothing),
    )
}  # fmt: skip


def own_sections(predictions: Predictions) -> list[ReportSection]:
    if not predictions.is_binary:
        return []
    blocked = np.geomspace(1e-3, 1e-1, 30)
    return [
        ReportSection(
            title="What blocking costs",
            intro="A filter that loses mail is worse than one that lets some spam through.",
            blocks=[
                Lines(
                    title="Spam caught over ham blocked",
                    x_label="share of ham blocked (logarithmic)",
                    y_label="share of spam caught",
                    series=[Series(name="SVM", x=blocked.tolist(),
                                   y=(1 - 0.06 * (1e-3 / blocked) ** 0.3).tolist())],
                    x_log=True,
                    vertical=[(1e-3, "0.1%"), (5e-3, "0.5%")],
                    note="Each step to the right costs more lost messages.",
                )
            ],
        )
    ]  # fmt: skip


def make_use_case(shape: Shape) -> UseCase:
    """Build the use case that a made-up run is of."""
    spam = shape == "binary"
    return UseCase(
        name={"binary": "spam", "many": "leaves", "regression": "table"}[shape],
        summary={
            "binary": "Tells spam from ham in text messages",
            "many": "Names the plant that a leaf is from",
            "regression": "Predicts a number from the columns of a table",
        }[shape],
        task="regression" if shape == "regression" else "classification",
        data=(Loader,),
        features=Features,
        primary_metric={"classification": "f1", "regression": "mae"},
        metrics=tuple(METRICS),
        fixture={},
        wording=Wording(
            item="message",
            items="messages",
            piece="word",
            pieces="words",
            headline="Catches {spam_caught_at_0.1} of spam at 0.1% of ham blocked",
        )
        if spam
        else Wording(item="row", items="rows", piece="column", pieces="columns"),
        report_sections=own_sections,
    )


def write_run(folder: Path, shape: Shape, n: int = 0, seed: int = 0) -> RunRecord:
    """Write a run's folder and return its record."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    if shape == "regression":
        metrics = _write_regression(folder, rng, n or 442)
    elif shape == "binary":
        metrics = _write_binary(folder, rng, n or 4464)
    else:
        metrics = _write_many(folder, rng, n or 900)
    manifest = {
        "id": folder.name,
        "use_case": make_use_case(shape).name,
        "created": "2026-03-04T05:06:07+00:00",
        "seed": 0,
        "versions": {"widemargin": "0.1.0", "numpy": "2.4.6", "scikit-learn": "1.9.1"},
        "python": "3.11.9",
        "platform": "Linux-6.1-x86_64",
        "threads": 2,
        "timings": {
            "load": 0.41,
            "folds": 21.3,
            "near_duplicates": 0.0,
            "final": 3.3,
            "total": 25.2,
        },
        "git": {"commit": "0123456789abcdef0123456789abcdef01234567", "dirty": True},
        "data_sha256": "9f" * 32,
        "config_sha256": "1c" * 32,
    }
    config = {"use_case": manifest["use_case"], "svm": {"kernel": "linear", "C": "auto"},
              "evaluation": {"outer": 5, "inner": 5, "repeats": 1, "confidence": 0.95}}  # fmt: skip
    (folder / "config.yaml").write_text(
        "use_case: spam\ndata: {source: sms}\nfeatures: {encoder: tfidf}\n"
        "svm: {kernel: linear, C: auto}\nevaluation: {outer: 5, inner: 5, repeats: 1}\nseed: 0\n",
        encoding="utf-8",
    )
    for name in ("dataset.json", "search.json", "explanation.json"):
        if not (folder / name).is_file():
            _json(folder / name, {})
    _json(folder / "metrics.json", metrics)
    _json(folder / "manifest.json", manifest)
    _json(folder / "embedding_map.json", _map(folder, rng))
    return RunRecord(
        path=folder,
        id=folder.name,
        use_case=str(manifest["use_case"]),
        manifest=manifest,
        config=config,
        metrics=json.loads((folder / "metrics.json").read_text(encoding="utf-8")),
    )


def _json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


def _map(folder: Path, rng: np.random.Generator, most: int = 120) -> dict[str, Any]:
    frame = pd.read_parquet(folder / "predictions.parquet")[:most]
    label = frame["y_true"].tolist()
    codes = frame["y_true"].astype("category").cat.codes.to_numpy()
    spots = rng.normal(0, 1, (2, 2, len(frame))) + 0.1 * codes
    return {
        "n_items": 4 * len(frame), "learns": "X",
        "id": frame["id"].tolist(), "label": label, "predicted": frame["y_pred"].tolist(),
        "text": [(SPAM + HAM)[k % 10] for k in range(len(frame))], "pictures": {},
        "pca": {"x": spots[0, 0].tolist(), "y": spots[0, 1].tolist(), "shares": [0.2, 0.05]},
        "tsne": {"x": spots[1, 0].tolist(), "y": spots[1, 1].tolist(), "perplexity": 30.0},
    }  # fmt: skip


def _values(**given: tuple[float, float, float] | None) -> dict[str, Any]:
    keys = ("value", "low", "high")
    return {
        name.replace("_pct_", "."): dict(zip(keys, three or (None,) * 3, strict=True))
        for name, three in given.items()
    }


def _write_predictions(folder: Path, columns: Mapping[str, Any], n: int) -> None:
    frame = pd.DataFrame(
        {
            "id": [f"sms-{k}" for k in range(n)],
            "repeat": 0,
            "fold": np.arange(n) % 5,
            "weight": 1.0,
            **columns,
        }
    )
    frame.to_parquet(folder / "predictions.parquet")


def _write_binary(folder: Path, rng: np.random.Generator, n: int) -> dict[str, Any]:
    spam = rng.random(n) < 0.13
    margin = np.where(spam, rng.normal(1.25, 0.62, n), rng.normal(-1.45, 0.42, n))
    decision = 3.4 * margin + 0.3
    probability = 1 / (1 + np.exp(-decision))
    called = probability > 0.5
    names = np.array(["ham", "spam"])
    _write_predictions(
        folder,
        {"y_true": names[spam.astype(int)], "y_pred": names[called.astype(int)],
         "decision": decision, "probability: ham": 1 - probability,
         "probability: spam": probability},
        n,
    )  # fmt: skip
    mistakes = []
    wrong = np.flatnonzero(spam != called)
    for k, row in enumerate(wrong[np.argsort(-np.abs(decision[wrong]))][:10]):
        text = (SPAM if spam[row] else HAM)[k % 5]
        words = [w for w in dict.fromkeys(text.casefold().split()) if w in PIECES + HAM_PIECES]
        mistakes.append({
            "id": f"sms-{row}", "text": text, "true": str(names[int(spam[row])]),
            "predicted": str(names[int(called[row])]),
            "probability": float(max(probability[row], 1 - probability[row])),
            "decision": float(decision[row]),
            "shares": [{"piece": w, "contribution": 0.3 if w in PIECES else -0.2} for w in words],
        })  # fmt: skip
    sizes = 0.9 * 0.9 ** np.arange(20)
    pieces = [
        {"piece": w, "contribution": float(s), "items": int(400 * s)}
        for w, s in zip(PIECES, sizes, strict=True)
    ] + [
        {"piece": w, "contribution": float(-0.7 * s), "items": int(700 * s)}
        for w, s in zip(HAM_PIECES, sizes, strict=True)
    ]
    _json(folder / "explanation.json", {
        "pieces": pieces,
        "note": "Mean contribution to the score of the messages in which a word occurs.",
        "mistakes": mistakes,
        "support_vectors": {"count": 1234, "at_bound": 210, "examples": [
            {"id": f"sms-{k}", "text": (SPAM + HAM)[k], "label": "spam" if k < 5 else "ham",
             "weight": 3.0 - 0.2 * k} for k in range(10)]},
    })  # fmt: skip
    _json(folder / "search.json", _search(rng, [None], "f1", 0.955))
    _json(folder / "dataset.json", {
        "card": {
            "title": "SMS Spam Collection", "source": "a package of the index",
            "licence": "CC BY 4.0", "sha256": "ab" * 32, "positive_class": "spam",
            "citation": "Almeida, Gómez Hidalgo and Yamakami: Contributions to the Study of SMS "
            "Spam Filtering. DocEng 2011.",
            "target": "label", "units": "", "item": "message",
            "notes": ["373 near-duplicates were left out; the first of each stays."],
        },
        "n_items": n, "classes": {"ham": int((~spam).sum()), "spam": int(spam.sum())},
        "kinds": {"text": "text"}, "fingerprint": "cd" * 32, "groups": None,
        "preview": [{"id": f"sms-{k}", "text": (HAM + SPAM)[k], "label": "ham" if k < 5 else "spam"}
                    for k in (0, 3, 4, 5, 9)],
    })  # fmt: skip
    return {
        "task": "classification", "primary": "f1", "n_items": n, "classes": ["ham", "spam"],
        "positive": "spam", "units": "",
        "metrics": _values(
            f1=(0.9588, 0.9479, 0.9691), accuracy=(0.9895, 0.9866, 0.9922),
            mcc=(0.9529, 0.9404, 0.9645), roc_auc=(0.9951, 0.9921, 0.9975),
            average_precision=(0.9841, 0.9762, 0.9904),
            spam_caught_at_0_pct_1=(0.9412, 0.9104, 0.9587),
            spam_caught_at_0_pct_5=None,
        ),
        "baselines": {
            "dummy": {"title": "always guessing the commonest class", "metrics": {
                "f1": 0.0, "accuracy": 0.869, "mcc": 0.0, "roc_auc": 0.5,
                "average_precision": 0.131, "spam_caught_at_0.1": 0.0,
                "spam_caught_at_0.5": None}},
            "logistic_regression": {"title": "logistic regression", "metrics": {
                "f1": 0.9512, "accuracy": 0.9878, "mcc": 0.9451, "roc_auc": 0.9948,
                "average_precision": 0.9827, "spam_caught_at_0.1": 0.9187,
                "spam_caught_at_0.5": None}},
        },
        "folds": [{"f1": 0.95 + 0.003 * k} for k in range(5)], "n_folds": {"outer": 5, "inner": 5},
        "near_duplicates": {
            "removed": 373, "groups": 250, "contradictory": 2,
            "apart": {"accuracy": 0.9893, "f1": 0.9575},
            "crossing": {"accuracy": 0.9921, "f1": 0.9703}},
        "findings": [
            {"code": "WM004", "severity": "note", "title": "The baseline is close",
             "message": "Logistic regression lies within the interval of the support vector "
             "machine: on this data the two cannot be told apart."},
            {"code": "WM002", "severity": "warning", "title": "C lies at the edge of the search",
             "message": "Two of five outer parts chose the largest C that was searched. Widen the "
             "grid: --set svm.C=[1,3,10,30,100]."},
        ],
        "chosen": {"kernel": "linear", "C": 3.0, "gamma": None},
        "support_vectors": {"count": 1234, "share": 0.276},
    }  # fmt: skip


def _write_many(folder: Path, rng: np.random.Generator, n: int) -> dict[str, Any]:
    names = ["ash", "beech", "hornbeam", "oak", "silver birch"]
    true = rng.integers(0, 5, n)
    decision = rng.normal(0, 0.7, (n, 5))
    decision[np.arange(n), true] += 1.5
    raised = np.exp(2 * decision)
    probability = raised / raised.sum(axis=1, keepdims=True)
    called = probability.argmax(axis=1)
    columns: dict[str, Any] = {
        "y_true": [names[k] for k in true],
        "y_pred": [names[k] for k in called],
    }
    for k, name in enumerate(names):
        columns[f"decision: {name}"] = np.log(probability[:, k])
        columns[f"probability: {name}"] = probability[:, k]
    _write_predictions(folder, columns, n)
    _json(folder / "search.json", _search(rng, [0.001, 0.01, 0.1, 1.0, 10.0], "accuracy", 0.9))
    _json(
        folder / "explanation.json",
        {
            "pieces": [],
            "note": "",
            "mistakes": [],
        },
    )
    right = float((true == called).mean())
    return {
        "task": "classification", "primary": "accuracy", "n_items": n, "classes": names,
        "positive": "", "units": "",
        "metrics": _values(accuracy=(right, right - 0.02, right + 0.02)),
        "baselines": {"dummy": {"title": "always guessing the commonest class",
                                "metrics": {"accuracy": 0.21}}},
        "folds": [], "near_duplicates": None, "findings": [],
        "chosen": {"kernel": "rbf", "C": 10.0, "gamma": 0.1},
        "support_vectors": {"count": 402, "share": 0.447},
    }  # fmt: skip


def _write_regression(folder: Path, rng: np.random.Generator, n: int) -> dict[str, Any]:
    true = rng.gamma(4, 38, n)
    predicted = 0.7 * true + 45 + rng.normal(0, 38, n)
    _write_predictions(folder, {"y_true": true, "y_pred": predicted, "decision": predicted}, n)
    worst = np.argsort(-np.abs(true - predicted))[:10]
    columns = ["bmi", "s5", "bp", "s4", "s3", "sex", "s1", "s6", "age", "s2"]
    _json(folder / "explanation.json", {
        "pieces": [{"piece": c, "contribution": 12.0 * 0.8**k * (-1) ** k, "items": n}
                   for k, c in enumerate(columns)],
        "note": "Mean change of the prediction when a column is replaced by its mean.",
        "mistakes": [{"id": f"row {k}", "text": "age = 59, sex = 2, bmi = 32.1, bp = 101",
                      "true": float(true[k]), "predicted": float(predicted[k]), "shares": []}
                     for k in worst],
        "support_vectors": {"count": 390, "at_bound": 120, "examples": []},
    })  # fmt: skip
    _json(folder / "dataset.json", {
        "card": {"title": "Diabetes", "source": "scikit-learn", "licence": "BSD-3-Clause",
                 "target": "progression after a year", "units": "points", "notes": []},
        "n_items": n, "target": {"min": 25.0, "mean": 152.1, "max": 346.0, "std": 77.1},
        "kinds": dict.fromkeys(columns, "table"), "fingerprint": "cd" * 32, "groups": None,
        "preview": []})  # fmt: skip
    return {
        "task": "regression", "primary": "mae", "n_items": n, "classes": [], "positive": "",
        "units": "points",
        "metrics": _values(mae=(42.81, 39.9, 45.7), rmse=(54.0, 50.5, 57.5), r2=(0.49, 0.42, 0.55)),
        "baselines": {
            "dummy": {"title": "always guessing the mean",
                      "metrics": {"mae": 65.7, "rmse": 77.0, "r2": 0.0}},
            "ridge": {"title": "ridge regression",
                      "metrics": {"mae": 43.4, "rmse": 54.6, "r2": 0.48}}},
        "folds": [], "near_duplicates": None, "findings": [],
        "chosen": {"kernel": "rbf", "C": 30.0, "gamma": 0.03},
        "support_vectors": {"count": 390, "share": 0.88},
    }  # fmt: skip


def _search(
    rng: np.random.Generator, gammas: list[float | None], scoring: str, best: float
) -> dict[str, Any]:
    cells = []
    for gamma in gammas:
        for price in (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0):
            away = abs(np.log10(price) - 0.5) + (abs(np.log10(gamma) + 1) if gamma else 0)
            scores: NDArray[np.float64] = best - 0.03 * away**1.6 + rng.normal(0, 0.006, 5)
            cells.append({"C": price, "gamma": gamma, "scores": scores.tolist(),
                          "mean": float(scores.mean()), "std": float(scores.std())})  # fmt: skip
    chosen = int(np.argmax([cell["mean"] for cell in cells]))
    outer = [
        {"repeat": 0, "fold": k, "C": [3.0, 3.0, 10.0, 3.0, 1.0][k],
         "gamma": None if gammas == [None] else 0.1, "score": best + 0.002 * k}
        for k in range(5)
    ]  # fmt: skip
    return {"scoring": scoring, "cells": cells, "chosen": chosen, "outer": outer}


@pytest.fixture
def write() -> Callable[..., RunRecord]:
    """Write a made-up run's folder."""
    return write_run


@pytest.fixture
def render() -> Callable[[RunRecord, Shape], str]:
    """Render the report of a made-up run."""
    return lambda record, shape: render_report(record, make_use_case(shape), METRICS)


@pytest.fixture
def read() -> Callable[..., Artefacts]:
    """Read a made-up run, some of its metrics replaced."""
    shapes: dict[str, Shape] = {"spam": "binary", "leaves": "many", "table": "regression"}

    def read_run(record: RunRecord, **metrics: Any) -> Artefacts:
        changed = replace(record, metrics={**record.metrics, **metrics})
        return read_artefacts(changed, make_use_case(shapes[record.use_case]), METRICS)

    return read_run


def _row(name: str, f1: float, *, reused: bool = False) -> Row:
    metrics = {"f1": (f1, f1 - 0.02, f1 + 0.02), "brier": (0.01, np.nan, np.nan)}
    return _measured(name, {"encoder": name}, metrics, reused=reused)


def _measured(
    name: str,
    values: Mapping[str, str],
    metrics: Mapping[str, tuple[float, float, float]],
    *,
    use_case: str = "spam",
    reused: bool = False,
    **said: Any,
) -> Row:
    costs = {
        "dimension": 384,
        "seconds": {"encoding": 12.0, "fitting": 3.5, "predicting": 0.25},
        "peak_memory": 412_000_000,
        "items_kept": int(reused),
        "folds_kept": 0,
    }
    run = RunRecord(
        path=Path(f"runs/{use_case}") / f"20261123-{name}",
        id=name,
        use_case=use_case,
        manifest={
            "costs": costs,
            "threads": 2,
            "created": "2026-11-23T00:00:00+00:00",
            "timings": {"total": 40.0},
        },
        config={"features": {"encoder": {"name": "tfidf"}}},
        metrics={
            "n_items": 4465,
            "confidence": 0.95,
            "classes": ["a", "b"],
            "folds": [{}] * 5,
            "units": "",
            "chosen": {"kernel": "linear", "C": 10.0, "gamma": None},
            "support_vectors": {"count": 900, "share": 0.2},
            "baselines": {},
            **said,
        },
    )
    by_name = {metric.name: metric for metric in KNOWN}
    known = tuple(by_name[one] for one in metrics)
    return Row(
        name=name,
        values=values,
        use_case=use_case,
        identity="i",
        run=run,
        path=f"{use_case}/20261123-{name}",
        problem="",
        primary=known[0],
        known=known,
        metrics=metrics,
        has_report=True,
    )


def _failed(name: str, values: Mapping[str, str], use_case: str, problem: str) -> Row:
    return Row(
        name=name, values=values, use_case=use_case, identity="j", run=None, path="",
        problem=problem, primary=None, known=(), metrics={},
    )  # fmt: skip


def _pair(better: str, worse: str, by: float, p: float, *, clear: bool) -> Pair:
    test = PairedTest(by, by - 0.005, by + 0.005, 0.8 * p, 5)
    return Pair(better=better, worse=worse, test=test, p=p, is_clear=clear)


@pytest.fixture
def comparison() -> Comparison:
    """Compare three made-up runs; a fourth failed, and the first took vectors from the store."""
    return Comparison(
        name="spam-12345678",
        use_cases=("spam",),
        axes=("encoder",),
        rows=(
            _row("minilm", 0.961, reused=True),
            _row("tfidf", 0.957),
            _row("glove", 0.8),
            _failed("hog", {"encoder": "hog"}, "spam", HOSTILE),
        ),
        n_cells=4,
        metrics=tuple(metric for metric in KNOWN if metric.name in ("f1", "brier")),
        pairs=(
            _pair("minilm", "tfidf", 0.004, 0.1, clear=False),
            _pair("minilm", "glove", 0.16, 0.0001, clear=True),
            _pair("tfidf", "glove", 0.156, 0.0001, clear=True),
        ),
        unpaired="",
    )


def _domain(
    use_case: str,
    kernel: str,
    metrics: Mapping[str, tuple[float, float, float]],
    gains: Sequence[tuple[float, float, float]],
    **said: Any,
) -> Row:
    """Make a made-up run of a domain; gains are over the dummy and over the linear baseline."""
    primary = next(iter(metrics))
    baselines = {
        name: {
            "title": name,
            "metrics": {primary: metrics[primary][0] - gain},
            "gain": {primary: {"value": gain, "low": low, "high": high}},
        }
        for name, (gain, low, high) in zip(("dummy", "ridge"), gains, strict=True)
    }
    values = {"use case": use_case, "kernel": kernel}
    return _measured(
        f"{use_case}: {kernel}", values, metrics, use_case=use_case, baselines=baselines, **said
    )


@pytest.fixture
def domains() -> Comparison:
    """Compare made-up runs of three domains, one with two kernels; a fourth domain failed."""
    rows = (
        _domain(
            "spam", "linear", {"f1": (0.95, 0.94, 0.96), "accuracy": (0.98, 0.97, 0.99)},
            [(0.95, 0.94, 0.96), (0.001, -0.002, 0.004)],
        ),
        _domain(
            "spam", "rbf", {"f1": (0.97, 0.96, 0.98), "accuracy": (0.985, 0.975, 0.99)},
            [(0.97, 0.96, 0.98), (0.021, 0.01, 0.03)],
        ),
        _domain(
            "homes", "rbf", {"mae": (40.0, 38.0, 42.0)},
            [(-25.0, -27.0, -23.0), (3.0, 1.0, 5.0)],
            classes=[], units="EUR", n_items=442, confidence=0.95,
        ),
        _domain(
            "leaves", "rbf", {"accuracy": (0.9, 0.8, 1.0)},
            [(0.6, 0.5, 0.7), (0.1, 0.02, 0.2)], classes=["x", "y", "z"], n_items=60,
        ),
        _failed("sea: rbf", {"use case": "sea", "kernel": "rbf"}, "sea", "no file sea.csv"),
    )  # fmt: skip
    return Comparison(
        name="4-use-cases-12345678",
        use_cases=("spam", "homes", "leaves", "sea"),
        axes=("use case", "kernel"),
        rows=rows,
        n_cells=5,
        metrics=tuple(metric for metric in KNOWN if metric.name in ("f1", "mae", "accuracy")),
        pairs=(_pair("spam: rbf", "spam: linear", 0.02, 0.001, clear=True),),
        unpaired="",
        is_ranked=False,
    )
