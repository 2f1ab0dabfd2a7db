"""What differs between two runs, made up, with one of everything."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from widemargin.comparison import Pair
from widemargin.comparison.difference import (
    Agreement,
    Cost,
    DataDifference,
    Difference,
    Differing,
    Disagreement,
    Measured,
    PairedTests,
)
from widemargin.contracts import RunRecord
from widemargin.evaluation import METRICS, PairedTest

KNOWN = {metric.name: metric for metric in METRICS}
HOSTILE = "<script>alert('won')</script> & \"FREE\" <b>entry</b>"


def record(folder: Path, name: str, **said: Any) -> RunRecord:
    path = folder / "spam" / name
    path.mkdir(parents=True)
    metrics: Mapping[str, Any] = {
        "task": "classification",
        "primary": "f1",
        "classes": ["ham", "spam"],
        "units": "",
        "confidence": 0.95,
        **said,
    }
    manifest = {"created": "2026-11-23T07:20:45+00:00", "costs": {"items_kept": 0}}
    return RunRecord(
        path=path, id=name, use_case="spam", manifest=manifest, config={}, metrics=metrics
    )


@pytest.fixture
def found(tmp_path: Path) -> Difference:
    test = PairedTest(0.0066, -0.0049, 0.0181, 0.19, 5)
    first, second = record(tmp_path, "one"), record(tmp_path, "two")
    (second.path / "report.html").write_text("report", encoding="utf-8")
    return Difference(
        first=first,
        second=second,
        settings=(
            Differing(name="svm.kernel", first="linear", second="rbf", defaults=(True, False)),
            Differing(name="svm.costs", first="", second="none"),
        ),
        versions=(Differing(name="numpy", first="1", second="2"),),
        model=(Differing(name="C", first="1", second="10"),),
        data=DataDifference(
            fingerprints=("a" * 64, "b" * 64),
            n_items=(5104, 5100),
            card=(Differing(name="licence", first="CC BY 4.0", second=HOSTILE),),
            columns=(
                Differing(name="subject", first="text", second=""),
                Differing(name="age", first="table", second="text"),
            ),
            only_first=tuple(f"sms:{k}" for k in range(7)),
            relabelled=(("sms:9", "ham", "spam"),),
            reworded=("sms:8",),
            n_texts=20,
            is_known=True,
        ),
        known=KNOWN,
        measured=(
            Measured(
                name="f1",
                first=(0.9613, 0.95, 0.97),
                second=(0.9680, 0.958, 0.978),
                difference=0.0067,
                test=test,
            ),
            Measured(
                name="accuracy",
                first=(0.991, 0.988, 0.993),
                second=(0.9926, 0.990, 0.995),
                difference=0.0016,
                test=replace(test, p=math.nan, low=math.nan, high=math.nan),
            ),
            Measured(
                name="brier",
                first=(0.007, 0.005, 0.009),
                second=(math.nan,) * 3,
                difference=math.nan,
            ),
        ),
        tested=PairedTests(on="folds", tests={"f1": test, "accuracy": test}),
        verdict=Pair(better="B", worse="A", test=test, p=0.19, is_clear=False),
        agreement=Agreement(
            n_items=5093,
            both=5042,
            only_first=5,
            only_second=13,
            neither=33,
            p=0.0963,
            n_units=5093,
            mean_apart=math.nan,
            items=(
                Disagreement(
                    id="sms:3983",
                    truth="spam",
                    predicted=("ham", "spam"),
                    probability=(0.79, 0.9),
                    decision=(-0.45, 0.02),
                    kind="only B right",
                    text=HOSTILE,
                ),
                Disagreement(
                    id="sms:1",
                    truth="ham",
                    predicted=("ham", "spam"),
                    probability=(0.6, 0.5),
                    decision=(-0.2, 0.1),
                    kind="only A right",
                ),
            ),
        ),
        unmatched="",
        n_times=(1, 1),
        costs=(
            Cost(name="encoding", unit="s", first=2.0, second=5.0),
            Cost(name="memory", unit="bytes", first=1e9, second=None),
            Cost(name="support vectors", unit="", first=1059, second=838),
        ),
    )
