"""A report of people's own data speaks of these, and not of what the use case was made for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from widemargin.contracts import RunRecord, Wording
from widemargin.report.artefacts import Artefacts
from widemargin.report.sections import build_headline

Write = Callable[..., RunRecord]
Read = Callable[..., Artefacts]


def own(record: RunRecord, **card: Any) -> None:
    """Make the run one on a file of somebody's own."""
    path = record.path / "dataset.json"
    said = json.loads(path.read_text()) if path.is_file() else {}
    card = {"title": "mine.csv", "licence": "the user's own", "target": "label", **card}
    path.write_text(json.dumps({**said, "card": {**said.get("card", {}), **card}}))


def renamed(record: RunRecord, **names: str) -> dict[str, Any]:
    """Call the classes something else; return what the metrics then say of them."""
    path = record.path / "predictions.parquet"
    frame = pd.read_parquet(path)
    frame[["y_true", "y_pred"]] = frame[["y_true", "y_pred"]].replace(names)
    columns = {f"probability: {old}": f"probability: {new}" for old, new in names.items()}
    frame.rename(columns=columns).to_parquet(path)
    return {"classes": sorted(names.values()), "positive": names["spam"]}


def test_a_published_set_is_titled_by_the_use_case(
    write: Write, read: Read, tmp_path: Path
) -> None:
    run = read(write(tmp_path / "run", "binary", n=50))
    assert build_headline(run).title == run.use_case.summary.rstrip(".")


@pytest.mark.parametrize(
    ("shape", "card", "said"),
    [
        ("binary", {}, "Messages in mine.csv: wanted or lost"),
        ("binary", {"target": "kept"}, "Messages in mine.csv: kept (wanted or lost)"),
        ("many", {}, "Leaves in mine.csv: ash, beech, hornbeam, oak or silver birch"),
        ("regression", {"target": "price"}, "Patients in mine.csv: price"),
    ],
)
def test_peoples_own_data_are_titled_by_what_they_hold(
    shape: str, card: dict[str, Any], said: str, write: Write, read: Read, tmp_path: Path
) -> None:
    record = write(tmp_path / "run", shape, n=50)
    own(record, **card)
    names = renamed(record, ham="lost", spam="wanted") if shape == "binary" else {}
    run = read(record, **names)
    wording = run.use_case.wording
    said = said.replace("Leaves", wording.items.capitalize())
    assert build_headline(run).title == said.replace("Patients", wording.items.capitalize())


def test_too_many_classes_for_a_title_are_counted(write: Write, read: Read, tmp_path: Path) -> None:
    record = write(tmp_path / "run", "many", n=50)
    own(record, target="species")
    names = [*record.metrics["classes"], *(f"a tree of a long name, number {k}" for k in (1, 2))]
    run = read(record, classes=names)
    assert build_headline(run).title.endswith(" in mine.csv: species (7 classes)")


def test_a_headline_names_the_classes_of_the_data(write: Write, read: Read, tmp_path: Path) -> None:
    record = write(tmp_path / "run", "binary", n=50)
    names = renamed(record, ham="lost", spam="wanted")
    wording = Wording(headline="Tells {positive} from {negative} in {accuracy} of cases")

    def said(run: Artefacts) -> str:
        case = replace(run.use_case, wording=wording)
        return build_headline(replace(run, use_case=case)).sentence

    assert said(read(record, **names)).startswith("Tells wanted from lost in 99.0% of")
    # Of numbers, or of more classes, there is no such sentence.
    for shape in ("many", "regression"):
        assert "Tells" not in said(read(write(tmp_path / shape, shape, n=50)))
