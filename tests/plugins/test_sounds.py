"""The use case `sounds`: drum kits, folders of one's own, and kits that were never heard."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter, defaultdict
from pathlib import Path

import pytest

import widemargin
from widemargin import DataError, Table
from widemargin.contracts.kept_sections import load_sections
from widemargin_sounds.kits import DRUM_KITS_ASSET, DrumKits

FIXTURE = Path(__file__).parents[2] / "plugins" / "widemargin_sounds" / "fixture"


def test_every_family_has_strokes_of_many_kits() -> None:
    import csv

    kits = defaultdict(set)
    path = FIXTURE.parent / "kits.csv"
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            kits[row["family"]].add(row["file"].partition("/")[0])
    assert len(kits) == 9
    assert min(map(len, kits.values())) >= 7


def test_the_asset_pins_every_file_by_its_hash() -> None:
    assert len(DRUM_KITS_ASSET.files) == 536
    assert len({file.name for file in DRUM_KITS_ASSET.files}) == 536
    assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in DRUM_KITS_ASSET.files)
    assert all(file.member.endswith(f"/{file.name}") for file in DRUM_KITS_ASSET.files)


def test_absent_kits_are_told_with_the_way_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"536 of 536 .* `widemargin data fetch drum-kits`"):
        DrumKits().load(tmp_path)


def test_a_kit_is_the_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"family": "kick", "file": "one/kick.wav"},
        {"family": "snare", "file": "one/snare.wav"},
        {"family": "kick", "file": "two/kick.wav"},
        {"family": "snare", "file": "two/snare.wav"},
    ]
    monkeypatch.setattr("widemargin_sounds.kits._KITS", rows)
    for number, row in enumerate(rows):
        path = DRUM_KITS_ASSET.path(tmp_path, row["file"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([number]))
    dataset = DrumKits().load(tmp_path)
    assert dataset.groups is not None
    assert dataset.groups.tolist() == ["one", "one", "two", "two"]
    assert dataset.classes == ("kick", "snare")


def test_a_run_of_a_folder_says_how_each_group_fared(tmp_path: Path) -> None:
    pytest.importorskip("soundfile")
    made = widemargin.run(
        "sounds",
        data={"path": str(FIXTURE), "group": "subfolder"},
        svm={"C": 10.0, "gamma": 1.0},
        evaluation={"split": "leave-one-out", "resamples": 100},
        runs=tmp_path,
    )
    assert made.metrics["accuracy"] > 0.9
    assert made.record.metrics["n_folds"]["outer"] == 4
    (section,) = json.loads((made.path / "analysis.json").read_text())
    assert section["title"] == "Group by group"
    assert "attic" in json.dumps(section)
    page = made.report.read_text(encoding="utf-8")
    for kit in ("attic", "barn", "cellar", "dock"):
        assert kit in page
    label = made.predict([str(FIXTURE / "kick" / "barn" / "1.wav")])["label"].iloc[0]
    assert label == "kick"


def test_repeats_count_no_recording_twice(tmp_path: Path) -> None:
    pytest.importorskip("soundfile")
    made = widemargin.run(
        "sounds",
        data={"path": str(FIXTURE), "group": "subfolder"},
        svm={"C": 1e-6, "gamma": 1.0},
        evaluation={"outer": 2, "inner": 2, "repeats": 3, "resamples": 100},
        runs=tmp_path,
    )
    (section,) = load_sections((made.path / "analysis.json").read_bytes())
    (block,) = section.blocks
    assert isinstance(block, Table)
    recordings = Counter(path.parent.name for path in FIXTURE.rglob("*.wav"))
    assert {row[0]: row[1] for row in block.rows} == recordings
    for name, _, _, wrong in block.rows:
        mistakes = [int(count) for count in re.findall(r"\((\d+)\)", str(wrong))]
        assert sum(mistakes) <= recordings[str(name)]


def test_recordings_without_groups_have_no_such_table(tmp_path: Path) -> None:
    pytest.importorskip("soundfile")
    made = widemargin.run(
        "sounds",
        data={"path": str(FIXTURE)},
        svm={"C": 10.0, "gamma": 1.0},
        evaluation={"outer": 2, "inner": 2, "resamples": 100},
        runs=tmp_path,
    )
    assert "Group by group" not in made.report.read_text(encoding="utf-8")


def test_a_copy_among_the_recordings_leaves_the_groups_their_names(tmp_path: Path) -> None:
    pytest.importorskip("soundfile")
    folder = tmp_path / "sounds"
    shutil.copytree(FIXTURE, folder)
    shutil.copy2(folder / "kick" / "barn" / "1.wav", folder / "kick" / "barn" / "copy.wav")
    made = widemargin.run(
        "sounds",
        data={"path": str(folder), "group": "subfolder"},
        svm={"C": 10.0, "gamma": 1.0},
        evaluation={"split": "leave-one-out", "resamples": 100},
        runs=tmp_path / "runs",
    )
    told = (made.path / "analysis.json").read_text()
    assert all(kit in told for kit in ("attic", "barn", "cellar", "dock"))
