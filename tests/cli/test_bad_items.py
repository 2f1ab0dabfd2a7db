"""Bad items on the command line: all are named, the others are answered, and the end says so."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

soundfile = pytest.importorskip("soundfile")

FIXTURE = Path(__file__).parents[2] / "plugins" / "widemargin_generic" / "pictures_fixture"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures, and among them two that are torn, of the same content, and an empty one."""
    folder = Path(shutil.copytree(FIXTURE, tmp_path / "pictures"))
    (folder / "spots" / "torn.png").write_bytes(b"no picture")
    (folder / "stripes" / "torn too.png").write_bytes(b"no picture")
    (folder / "stripes" / "empty.png").write_bytes(b"")
    return folder


def lines_of(said: Any) -> list[str]:
    return [line for line in said.err.splitlines() if ".png" in line]


ENCODERS = [
    "hog",
    "{name: cnn, epochs: 1}",
    "[pixels, hog]",
]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_run_names_all_bad_pictures_in_one_refusal(
    call: Any, folder: Path, tmp_path: Path, encoder: str
) -> None:
    words = ("--set", f"data.path={folder}", "--set", f"features.encoder={encoder}")
    said = call("run", "pictures", *words, "--runs", str(tmp_path / "runs"), "--quiet")
    assert said.code == 2
    assert "Error: 3 of 27 pictures cannot be read:" in said.err
    named = [line.strip().partition(": ")[0] for line in lines_of(said)]
    assert named == [
        str(folder / name)
        for name in ("spots/torn.png", "stripes/empty.png", "stripes/torn too.png")
    ]
    assert said.err.strip().endswith("Mend them or leave them out, and give the command again.")


@pytest.mark.parametrize("form", ["json", "csv", "text"])
def test_predict_answers_the_good_pictures_and_names_the_bad_ones(
    call: Any, folder: Path, small_runs: Path, form: str
) -> None:
    words = ("--file", str(folder), "--format", form, "--runs", str(small_runs), "--quiet")
    said = call("predict", "pictures", *words)
    assert said.code == 3
    if form == "json":
        ids = [json.loads(line)["id"] for line in said.out.splitlines()]
    elif form == "csv":
        ids = [row["id"] for row in csv.DictReader(io.StringIO(said.out))]
    else:
        ids = [line.partition("  ")[0] for line in said.out.splitlines()]
    good = sorted(path.relative_to(FIXTURE).as_posix() for path in FIXTURE.rglob("*.png"))
    assert ids == good
    assert len(lines_of(said)) == 3
    assert said.err.splitlines()[-1] == "Error: 3 of 27 pictures were not answered; see above."


def test_predict_of_a_table_names_the_rows_whose_file_is_absent(
    call: Any, small_runs: Path, tmp_path: Path
) -> None:
    (tmp_path / "new.csv").write_text(f"file\n{FIXTURE / 'spots' / '01.png'}\ngone.png\n")
    words = ("--file", str(tmp_path / "new.csv"), "--json", "--runs", str(small_runs))
    said = call("predict", "pictures", *words)
    assert said.code == 3
    assert [json.loads(line)["id"] for line in said.out.splitlines()] == [
        str(FIXTURE / "spots" / "01.png")
    ]
    assert "gone.png: cannot be read (No such file or directory)." in said.err
    assert "1 of 2 pictures was not answered; see above." in said.err


def test_the_answer_to_a_path_is_called_by_the_path(call: Any, small_runs: Path) -> None:
    path = str(FIXTURE / "spots" / "01.png")
    said = call("predict", "pictures", path, "--runs", str(small_runs))
    assert said.code == 0
    assert said.out.startswith(f"{path}  ")
    # Nothing follows the margin here, since the numbers of the encoder have no words.
    assert "Margin: " in said.err
    assert "After the margin" not in said.err


def test_where_nothing_could_be_answered_the_input_is_wrong(call: Any, small_runs: Path) -> None:
    said = call("predict", "pictures", "gone.png", "--runs", str(small_runs))
    assert (said.code, said.out) == (2, "")
    assert said.err.splitlines()[-1] == "Error: 1 of 1 picture was not answered; see above."


@pytest.mark.parametrize("encoder", ["mfcc", "{name: logmel-cnn, epochs: 1}"])
def test_a_recording_that_was_cut_short_is_named(call: Any, tmp_path: Path, encoder: str) -> None:
    folder = tmp_path / "recordings"
    for name in ("hum", "hiss"):
        (folder / name).mkdir(parents=True)
        for number in range(6):
            samples = np.sin(np.arange(4000) * (0.05 if name == "hum" else 1.5) + number) / 2
            soundfile.write(folder / name / f"{number}.wav", samples, 8000)
    cut = folder / "hum" / "3.wav"
    cut.write_bytes(cut.read_bytes()[:-200])
    words = ("--set", f"data.path={folder}", "--set", f"features.encoder={encoder}")
    said = call("run", "recordings", *words, "--runs", str(tmp_path / "runs"), "--quiet")
    assert said.code == 2
    assert f"{cut}: ends after 0.487 of 0.5 seconds" in said.err
    assert "was not copied whole" in said.err


def test_an_empty_text_gets_an_answer_that_says_so(
    call: Any, small_runs: Path, tmp_path: Path
) -> None:
    (tmp_path / "new.txt").write_text("win cash\n  \nsee you\n", encoding="utf-8")
    words = ("predict", "spam", "--file", str(tmp_path / "new.txt"), "--runs", str(small_runs))
    said = call(*words)
    assert said.code == 0
    marked = ["(empty: this is only what the model" in line for line in said.out.splitlines()]
    assert marked == [False, True, False]
    assert "1 item is empty, and marked so" in " ".join(said.err.split())
    notes = [json.loads(line).get("note") for line in call(*words, "--json").out.splitlines()]
    assert notes == [None, "empty", None]
    rows = csv.DictReader(io.StringIO(call(*words, "--format", "csv").out))
    assert [row["note"] for row in rows] == ["", "empty", ""]


def test_lines_that_are_not_utf_8_are_counted(
    call: Any, small_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Piped(io.TextIOWrapper):
        def isatty(self) -> bool:
            return False

    def said_of(data: bytes, *words: str) -> str:
        monkeypatch.setattr("sys.stdin", Piped(io.BytesIO(data)))
        return str(call("predict", "spam", "--runs", str(small_runs), *words).err)

    assert "2 lines were not UTF-8, and read as Windows-1252." in said_of(b"caf\xe9\na\n\xe9\n")
    assert "1 line was not UTF-8" in said_of(b"caf\xe9")
    assert "UTF-8" not in said_of("caf\u00e9".encode())
    assert "UTF-8" not in said_of(b"caf\xe9", "--quiet")


def test_the_hint_after_a_run_speaks_of_a_folder_where_items_are_files(
    call: Any, tmp_path: Path
) -> None:
    words = ("--set", f"data.path={FIXTURE}", "--runs", str(tmp_path / "runs"), "--quiet")
    said = call("run", "pictures", *words)
    assert said.out.splitlines()[-1] == "Predict  widemargin predict pictures --file FOLDER"


def test_encode_names_all_bad_pictures_and_writes_nothing(
    call: Any, folder: Path, small_runs: Path, tmp_path: Path
) -> None:
    target = tmp_path / "vectors.parquet"
    words = ("--file", str(folder), "-o", str(target), "--runs", str(small_runs), "--quiet")
    said = call("encode", "pictures", *words)
    assert said.code == 2
    assert "3 of 27 items cannot be read:" in said.err
    assert len(lines_of(said)) == 3
    assert not target.exists()


def test_a_single_vector_is_counted_as_one(call: Any, small_runs: Path, tmp_path: Path) -> None:
    target = tmp_path / "vectors.parquet"
    words = ("--file", str(FIXTURE / "spots" / "01.png"), "-o", str(target), "--quiet")
    said = call("encode", "pictures", *words, "--runs", str(small_runs))
    assert ": 1 vector of " in said.out


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Twelve recordings of half a second."""
    folder = tmp_path / "recordings"
    for name in ("hum", "hiss"):
        (folder / name).mkdir(parents=True)
        for number in range(6):
            samples = np.sin(np.arange(4000) * (0.05 if name == "hum" else 1.5) + number) / 2
            soundfile.write(folder / name / f"{number}.wav", samples, 8000)
    return folder


def test_a_run_and_its_answers_say_what_is_not_read_whole(
    call: Any, recordings: Path, tmp_path: Path
) -> None:
    runs = ("--runs", str(tmp_path / "runs"))
    soundfile.write(recordings / "hum" / "3.wav", np.sin(np.arange(12_000) * 0.05) / 2, 8000)
    words = [
        *("--set", f"data.path={recordings}", "--set", "evaluation.outer=2"),
        *("--set", "features.encoder={name: mfcc, max_seconds: 1}", "--set", "svm.C=1"),
    ]
    said = call("run", "recordings", *words, *runs)
    assert said.code == 0
    what = "mfcc reads the first 1 of its 1.5 seconds; {name: mfcc, max_seconds: 2} in"
    note = f"1 recording is not read whole, as hum/3.wav: {what}"
    assert note in " ".join(said.err.split())
    (page,) = (tmp_path / "runs").rglob("dataset.json")
    assert any(one.startswith(note) for one in json.loads(page.read_bytes())["card"]["notes"])

    said = call("predict", "recordings", "--file", str(recordings), "--json", *runs)
    assert said.code == 0
    notes = {one["id"]: one.get("note", "") for one in map(json.loads, said.out.splitlines())}
    assert [name for name, own in notes.items() if own] == ["hum/3.wav"]
    assert notes["hum/3.wav"].startswith(what)
    assert f"1 item has a note: hum/3.wav: {what}" in " ".join(said.err.split())
    # It has a text answer as all others have.
    assert "(empty" not in call("predict", "recordings", "--file", str(recordings), *runs).out

    soundfile.write(recordings / "hiss" / "none.wav", np.zeros(4000), 8000)
    said = call("predict", "recordings", "--file", str(recordings), *runs)
    assert said.code == 3
    assert f"{recordings / 'hiss' / 'none.wav'}: is silent" in " ".join(said.err.split())
    said = call("run", "recordings", *words, *runs)
    assert said.code == 2
    assert "none.wav: is silent, in all of the 0.5 seconds" in " ".join(said.err.split())
