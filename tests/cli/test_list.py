"""`widemargin list`: every use case, its data, and what its last run reached."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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


def narrow(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    from rich.console import Console as RichConsole

    monkeypatch.setattr(
        "widemargin.cli.console._rich",
        lambda stream: RichConsole(file=stream, width=width, markup=False, emoji=False),
    )


@pytest.mark.parametrize("width", [0, 120, 80, 40])
def test_no_line_is_wider_than_the_terminal_and_a_pipes_is_as_one_of_120(
    width: int, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if width:
        narrow(monkeypatch, width)
    shown = call("list", "--runs", str(tmp_path)).out.splitlines()
    assert max(map(len, shown)) <= (width or 120)
    said = " ".join(" ".join(shown).split())
    cases = discover().use_cases
    for name, case in cases.items():
        [row] = [line for line in shown if line.partition(" ")[0] == name]
        # Below the row, where it has no room in it, nothing is lost.
        assert (case.summary in row) == (width != 40)
        assert case.summary.rstrip(".") in said
    assert "licence: CC BY 4.0" in said
    # What there is not takes no line.
    assert "none" not in said


def test_an_unknown_use_case_is_refused(call: Call, tmp_path: Path) -> None:
    said = call("list", "spma", "--runs", str(tmp_path))
    assert said.code == PluginError.exit_code
    assert "Did you mean 'spam'?" in said.err
