"""The commands encode, encoders and store."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from widemargin.contracts import EncoderSpec, Section
from widemargin.encoders import EmbeddingStore, FrozenEncoder
from widemargin.encoders.built_in import BUILT_IN
from widemargin.encoders.items import texts_of
from widemargin.encoders.store import store_folder
from widemargin.runs.store import RunStore


class Lengths(FrozenEncoder):
    """Two numbers a text; learns nothing."""

    name = "lengths"
    calls = 0

    @property
    def dimension(self) -> int:
        return 2

    def items(self, X: Any) -> list[Any]:
        return texts_of(X)

    def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
        Lengths.calls += len(items)
        made = [[len(text), text.count("e")] for text in items]
        return np.array(made, dtype=np.float32).reshape(-1, 2)


class NoSettings(Section):
    pass


@pytest.fixture
def lengths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Register the encoder, with a data home of its own."""
    monkeypatch.setenv("WIDEMARGIN_HOME", str(tmp_path / "home"))
    spec = EncoderSpec(
        name="lengths",
        summary="letters of a text",
        kinds=("text",),
        learns="nothing",
        settings=NoSettings,
        build=lambda settings: Lengths(),
        dimension=2,
    )
    monkeypatch.setitem(BUILT_IN, "lengths", spec)
    Lengths.calls = 0


def settings(fixtures: Any, use_case: str, *more: str) -> list[str]:
    pairs = [f"data.{key}={value}" for key, value in fixtures[use_case].items()]
    return [word for pair in (*pairs, *more) for word in ("--set", pair)]


def test_a_runs_features_encode_its_data(call: Any, small_runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "vectors.parquet"
    said = call("encode", "table", "-o", str(out), "--runs", str(small_runs))
    assert said.code == 0, said.err
    table = pq.read_table(out)
    about = json.loads(table.schema.metadata[b"widemargin"])
    vectors = np.array(table["vector"].to_pylist())
    assert vectors.shape == (table.num_rows, about["dimension"])
    assert np.isfinite(vectors).all()
    assert said.out.startswith(f"{out}: {table.num_rows:,} vectors of {about['dimension']} numbers")
    assert set(table.column_names) == {"id", "label", "vector"}


def test_sparse_features_are_written_as_indices_and_values(
    call: Any, small_runs: Path, tmp_path: Path
) -> None:
    import widemargin

    out, texts = tmp_path / "v.parquet", tmp_path / "new.csv"
    texts.write_text("text\nwin cash now\n\nsee you\n", encoding="utf-8")
    said = call("encode", "spam", "-o", str(out), "-f", str(texts), "--runs", str(small_runs))
    assert said.code == 0, said.err
    table = pq.read_table(out)
    model = widemargin.load("spam", runs=small_runs).predictor.model
    rows = model.features.transform({"text": ["win cash now"]})
    assert table["indices"][0].as_py() == rows.indices.tolist()
    assert table["values"][0].as_py() == pytest.approx(rows.data)
    assert "label" not in table.column_names


@pytest.mark.parametrize("command", ["encode", "probe"])
def test_training_that_was_killed_goes_on(
    call: Any, fixtures: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    pytest.importorskip("torch", reason='needs pip install "widemargin[text]"')
    from widemargin.encoders.training import keeping

    monkeypatch.setattr(keeping, "PACE", keeping.Pace(0, 0))
    words = ["encode", "texts", "-o", str(tmp_path / "v.parquet")]
    if command == "probe":
        words = ["probe", "text-cnn", "texts", "--sample", "10"]
    given = ["features.encoder.name=text-cnn", "features.encoder.epochs=2"]
    words += [*settings(fixtures, "texts", *given), "--runs", str(tmp_path / "runs")]
    keep = RunStore.keep

    def killed(*given: Any) -> None:
        keep(*given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RunStore, "keep", killed)
        assert call(*words).code != 0
    said = call(*words)
    assert said.code == 0, said.err
    told = " ".join(said.err.split())
    assert "goes on after epoch 1 of a training that was interrupted" in told
    found = re.search(r"The features learn y and are fitted to (.+?) rows;", told)
    assert found
    if command == "encode":
        assert found[1] == f"all {pq.read_table(tmp_path / 'v.parquet').num_rows}"
    else:
        learnt, of = map(int, found[1].split(" of "))
        assert learnt == pytest.approx(0.8 * of, abs=1)
    assert not list((tmp_path / "runs").rglob("training-*"))


@pytest.mark.usefixtures("lengths")
def test_a_config_is_encoded_without_a_run_and_kept(
    call: Any, fixtures: Any, tmp_path: Path
) -> None:
    out = tmp_path / "vectors.parquet"
    words = ["encode", "texts", "-o", str(out)]
    words += settings(fixtures, "texts", "features.encoder=lengths")
    said = call(*words)
    assert said.code == 0, said.err
    made = pq.read_table(out)
    first = Lengths.calls
    assert 0 < first <= made.num_rows
    again = call(*words, "--json")
    assert json.loads(again.out) == {"path": str(out), "rows": made.num_rows, "dimension": 2}
    assert Lengths.calls == first
    assert pq.read_table(out).equals(made)


@pytest.mark.usefixtures("lengths")
def test_a_changed_row_is_encoded_alone_in_the_next_run(
    call: Any, fixtures: Any, tmp_path: Path
) -> None:
    source = Path(fixtures["texts"]["path"])
    text = source.read_text(encoding="utf-8")
    mine = tmp_path / "mine.csv"
    mine.write_text(text, encoding="utf-8")
    arguments = ["run", "texts", "--runs", str(tmp_path / "runs"), "--set", f"data.path={mine}"]
    for key, value in fixtures["texts"].items():
        if key != "path":
            arguments += ["--set", f"data.{key}={value}"]
    arguments += ["--set", "features.encoder=lengths", "--set", "svm.C=1"]
    assert call(*arguments).code == 0
    first = Lengths.calls
    lines = text.splitlines()
    mine.write_text("\n".join([*lines[:-1], "more " + lines[-1]]) + "\n", encoding="utf-8")
    assert call(*arguments).code == 0
    assert Lengths.calls == first + 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("encode", "spam", "-o", "v.csv"), "let the name end in .parquet"),
        (("encode", "spam", "-o", "nowhere/v.parquet"), "there is no folder"),
        (("encode", "nothing", "-o", "v.parquet"), "nothing"),
        (("encoders", "--kind", "txt"), "Did you mean 'text'?"),
        (("store", "prune"), "Say what to delete"),
        (("store", "prune", "nothing"), "Nothing is kept of an encoder 'nothing'"),
    ],
)
def test_wrong_use_is_told_with_the_remedy(
    call: Any, words: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WIDEMARGIN_HOME", str(tmp_path / "home"))
    said = call(*words)
    assert said.code == 2
    assert says in said.err
    assert list(tmp_path.glob("**/*.parquet")) == []


def test_settings_of_a_run_cannot_be_changed(call: Any, small_runs: Path, tmp_path: Path) -> None:
    words = ["encode", "latest", "-o", str(tmp_path / "v.parquet"), "--set", "seed=1"]
    said = call(*words, "--runs", str(small_runs))
    assert said.code == 2
    assert "--set is for a config or a use case" in said.err


def test_a_file_that_is_there_survives_items_that_cannot_be_read(
    call: Any, small_runs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "v.parquet"
    out.write_bytes(b"mine")
    words = ["encode", "spam", "-o", str(out), "-f", str(tmp_path / "gone.csv")]
    assert call(*words, "--runs", str(small_runs)).code == 2
    assert out.read_bytes() == b"mine"
    assert [path.name for path in tmp_path.iterdir()] == ["v.parquet"]


@pytest.mark.skipif(sys.platform != "linux", reason="measures a process's memory")
def test_a_file_is_encoded_in_a_tenth_of_its_size(
    small_runs: Path, fixtures: Any, tmp_path: Path
) -> None:
    source, small, out = (tmp_path / name for name in ("large.csv", "small.csv", "v.parquet"))
    head, *rows = Path(fixtures["table"]["path"]).read_text(encoding="utf-8").splitlines()
    with source.open("w", encoding="utf-8") as file:
        file.write(f"{head},remark\n")
        for row in range(30_000):
            file.write(f"{rows[row % len(rows)]},{row} {'nothing to say ' * 200}\n")
    script = (
        "import sys\n"
        "from widemargin.cli.main import main\n"
        "from widemargin.runs.costs import peak_memory\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as stop: code = stop.code\n"
        "print(code, peak_memory())"
    )

    def peak(rows: Path) -> int:
        words = ["encode", "table", "-o", str(out), "-f", str(rows), "--runs", str(small_runs)]
        said = subprocess.run(
            [sys.executable, "-c", script, *words, "-q"],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        code, size = said.stdout.splitlines()[-1].split()
        assert code in ("0", "None"), said.stderr
        return int(size)

    with source.open(encoding="utf-8") as file:
        small.write_text("".join(islice(file, 5000)), encoding="utf-8")
    little = peak(small)
    grown = peak(source) - little
    assert pq.read_metadata(out).num_rows == 30_000
    assert grown < source.stat().st_size / 10


def test_encoders_are_listed_by_kind(call: Any) -> None:
    rows = json.loads(call("encoders", "--json").out)
    names = [row["name"] for row in rows]
    assert {"tfidf", "kmer", "tabular"} <= set(names)
    [tfidf] = [row for row in rows if row["name"] == "tfidf"]
    assert tfidf["reads"] == ["text"]
    assert tfidf["learns"] == "X"
    only = json.loads(call("encoders", "--kind", "table", "--json").out)
    assert {row["name"] for row in only} < set(names)
    assert all("table" in row["reads"] for row in only)


def test_encoders_name_the_weights_that_are_absent(
    call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIDEMARGIN_HOME", str(tmp_path))
    rows = json.loads(call("encoders", "--json").out)
    needing = [row for row in rows if row["bytes"]]
    for row in needing:
        assert row["state"] != "yes"
        assert "widemargin data fetch" in row["remedy"] or "pip install" in row["remedy"]


@pytest.mark.usefixtures("lengths")
def test_store_says_what_is_kept_and_deletes_it(call: Any, tmp_path: Path) -> None:
    assert "Nothing is kept" in call("store", "info").out
    encoder = Lengths()
    encoder.store = EmbeddingStore(store_folder())
    encoder.transform(["one", "three"])
    said = call("store", "info").out
    assert "lengths" in said
    assert str(store_folder()) in said
    # It counts, and claims no health that it did not look at.
    assert "`widemargin store verify` checks them" in call("store", "info").err
    assert state_of(call)["damaged"] is None
    [state] = json.loads(call("store", "info", "--json").out)
    assert (state["vectors"], state["identity"]["name"]) == (2, "lengths")
    assert call("store", "verify").out == "2 vectors are right.\n"
    assert call("store", "prune", "--older-than", "1").out == "Nothing was that old.\n"
    assert call("store", "prune", "lengths").out == "1 deleted.\n"
    assert json.loads(call("store", "info", "--json").out) == []
    assert call("store", "prune", "--all").out == f"Nothing is kept in {store_folder()}.\n"
    assert call("store", "verify").out == f"Nothing is kept in {store_folder()}.\n"


def state_of(call: Any) -> dict[str, Any]:
    [state] = json.loads(call("store", "info", "--json").out)
    assert isinstance(state, dict)
    return state


@pytest.mark.usefixtures("lengths")
def test_verify_removes_an_encoders_vectors_where_their_file_is_damaged(call: Any) -> None:
    encoder = Lengths()
    encoder.store = EmbeddingStore(store_folder())
    folder = encoder.store.shelf(encoder.identity()).folder
    folder.mkdir(parents=True)
    (folder / "data.mdb").write_bytes(b"no database" * 1000)
    assert "unreadable" in call("store", "info").out
    said = call("store", "verify")
    assert said.code == 2
    assert f"{folder}: File is not an LMDB file. All vectors of lengths with these" in said.err
    assert not folder.exists()
    assert call("store", "verify").code == 0


@pytest.mark.parametrize("words", [("info",), ("verify",), ("prune", "--all"), ("prune", "tfidf")])
def test_a_file_in_the_stores_place_is_refused(
    call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("WIDEMARGIN_HOME", str(tmp_path))
    (tmp_path / "embeddings").write_text("mine")
    said = call("store", *words)
    assert (said.code, said.out) == (2, "")
    assert "embeddings: is a file, and the store of embeddings is the folder" in said.err
    assert "set WIDEMARGIN_HOME to another folder" in said.err


def terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    from rich.console import Console as RichConsole

    monkeypatch.setattr(
        "widemargin.cli.console._rich",
        lambda stream: RichConsole(
            file=stream,
            width=width,
            force_terminal=True,
            color_system=None,
            markup=False,
            emoji=False,
        ),
    )


@pytest.mark.usefixtures("lengths")
@pytest.mark.parametrize("width", [60, 80, 120, 300])
def test_no_column_is_lost_on_a_narrow_terminal(
    call: Any, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    encoder = Lengths()
    encoder.store = EmbeddingStore(store_folder())
    encoder.transform(["one"])
    rows = json.loads(call("encoders", "--json").out)
    terminal(monkeypatch, width)
    listed = call("encoders").out
    assert all(len(line) <= width for line in listed.splitlines())
    flat = " ".join(listed.split())
    for row in rows:
        for part in (row["name"], row["licence"], row["summary"]):
            assert part in flat
    assert ("what it is: " in flat) == (width < 300)
    kept = " ".join(call("store", "info").out.split())
    for part in ("lengths", "numbers", "last used"):
        assert part in kept


def test_a_pipe_has_lines_of_120_letters_and_nothing_is_lost(call: Any) -> None:
    rows = json.loads(call("encoders", "--json").out)
    _, *lines = call("encoders").out.splitlines()
    assert max(map(len, lines)) <= 120
    assert [line.split()[0] for line in lines if line[0] != " "] == [row["name"] for row in rows]
    flat = " ".join(" ".join(lines).split())
    for row in rows:
        assert row["licence"] in flat
        assert row["summary"] in flat


@pytest.mark.usefixtures("lengths")
def test_verify_ends_with_2_where_vectors_were_damaged(call: Any) -> None:
    encoder = Lengths()
    encoder.store = EmbeddingStore(store_folder())
    encoder.transform(["one", "three"])
    [state] = encoder.store.states()
    data = state.folder / "data.mdb"
    whole = np.array([5, 2], dtype=np.float32).tobytes()
    with data.open("r+b") as file:
        file.seek(data.read_bytes().index(whole))
        file.write(b"\x00" * 8)
    said = call("store", "verify")
    assert said.code == 2
    assert "lengths: 1 damaged vector was removed; it will be computed again." in said.err
    assert call("store", "verify").code == 0
