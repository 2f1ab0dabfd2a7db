"""`widemargin list`: every use case, its data, and what its last run reached."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import widemargin
from widemargin.errors import PluginError
from widemargin.registry import discover

Call = Callable[..., Any]
FIXTURE = Path(__file__).parents[2] / "plugins" / "widemargin_generic" / "texts_fixture.csv"


def test_every_use_case_is_listed_with_its_data_and_licence(call: Call, tmp_path: Path) -> None:
    said = call("list", "--runs", str(tmp_path), "--json")
    rows = {row["name"]: row for row in json.loads(said.out)}
    cases = discover().use_cases
    assert set(rows) == set(cases)
    assert rows["spam"]["data"][0]["licence"] == "CC BY 4.0"
    assert rows["spam"]["data"][0]["bytes"] > 100_000
    assert rows["spam"]["primary"] == {"classification": "F1"}
    assert rows["spam"]["items"]["sms"] == 5_574
    assert rows["table"]["items"] == {"diabetes": 442, "breast-cancer": 569}
    assert rows["texts"]["data"] == []
    assert rows["texts"]["items"] == {}
    assert rows["texts"]["task"] == "by the target"
    assert all(row["last"] is None for row in rows.values())
    shown = call("list", "--runs", str(tmp_path)).out
    for name, case in cases.items():
        assert name in shown
        assert case.summary.split()[0] in shown
    said = " ".join(shown.split())
    assert "83, 57 and 38" in said
    assert "442" not in said  # no data of the use case's own, but examples that come with a library


def test_the_last_of_several_runs_is_told(call: Call, tmp_path: Path) -> None:
    for C in (0.01, 1.0):
        made = widemargin.run(
            "texts",
            data={"path": str(FIXTURE)},
            svm={"C": C},
            evaluation={"outer": 2, "inner": 2, "resamples": 100},
            runs=tmp_path,
        )
    (row,) = json.loads(call("list", "texts", "--runs", str(tmp_path), "--json").out)
    assert row["last"]["run"] == made.id
    assert row["last"]["n_items"] == made.record.metrics["n_items"]
    value = made.table()[0][1]
    assert f"macro F1 {value} on" in call("list", "texts", "--runs", str(tmp_path)).out


def test_an_unknown_use_case_is_refused(call: Call, tmp_path: Path) -> None:
    said = call("list", "spma", "--runs", str(tmp_path))
    assert said.code == PluginError.exit_code
    assert "Did you mean 'spam'?" in said.err
