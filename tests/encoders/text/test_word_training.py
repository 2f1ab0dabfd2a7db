"""Word vectors train epoch by epoch: told, kept, bounded, and the same after a kill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from widemargin.contracts import State
from widemargin.encoders.sequences.protvec import ProtVecEncoder, ProtVecSettings
from widemargin.encoders.text.fasttext import FastTextEncoder, FastTextSettings
from widemargin.encoders.text.glove import GloveEncoder, GloveSettings
from widemargin.encoders.text.word2vec import Word2VecEncoder, Word2VecSettings
from widemargin.encoders.training import keeping, memory
from widemargin.errors import DataError

gensim = pytest.importorskip("gensim.models", reason='needs pip install "widemargin[text]"')


def make_texts(n: int) -> list[str]:
    rng = np.random.default_rng(0)
    topics = [["river", "boat", "water", "swim"], ["money", "loan", "cash", "bank"]]
    return [" ".join(rng.choice(topics[row % 2], 6)) for row in range(n)]


def make_proteins(n: int) -> list[str]:
    rng = np.random.default_rng(0)
    return ["".join(rng.choice(list("ACDEFGHIKL"), 60)) for _ in range(n)]


TEXTS, PROTEINS = make_texts(60), make_proteins(40)
EPOCHS = 4
SMALL: dict[str, Any] = {"dimension": 6, "epochs": EPOCHS, "min_count": 1}
ENCODERS: dict[str, tuple[Any, dict[str, Any], list[str]]] = {
    "skip-gram": (Word2VecEncoder, SMALL, TEXTS),
    "cbow": (Word2VecEncoder, {**SMALL, "algorithm": "cbow"}, TEXTS),
    "fasttext": (FastTextEncoder, {**SMALL, "buckets": 50}, TEXTS),
    "glove": (GloveEncoder, SMALL, TEXTS),
    "protvec": (ProtVecEncoder, SMALL, PROTEINS),
}
SETTINGS: list[tuple[Any, Any]] = [
    (Word2VecEncoder, Word2VecSettings),
    (FastTextEncoder, FastTextSettings),
    (GloveEncoder, GloveSettings),
]
each = pytest.mark.parametrize("name", ENCODERS)


class Told:
    """Progress that remembers stages, with how far each came, and notes."""

    def __init__(self) -> None:
        self.stages: dict[str, tuple[float | None, float]] = {}
        self.notes: list[str] = []

    @contextmanager
    def stage(self, name: str, total: float | None = None) -> Iterator[Any]:
        self.stages[name] = (total, 0)
        self._now = name
        yield self

    def advance(self, steps: float = 1) -> None:
        total, done = self.stages[self._now]
        self.stages[self._now] = (total, done + steps)

    def note(self, message: str) -> None:
        self.notes.append(message)


class Kept:
    """Checkpoints in memory; the process dies after so many savings."""

    def __init__(self, dies_after: int | None = None) -> None:
        self.states: dict[str, State] = {}
        self.dies_after = dies_after
        self.n_saved = 0

    def load(self, key: str) -> State | None:
        return self.states.get(key)

    def save(self, key: str, state: State) -> None:
        meta = json.loads(json.dumps(state.meta, allow_nan=False))
        self.states[key] = State({name: own.copy() for name, own in state.arrays.items()}, meta)
        self.n_saved += 1
        if self.n_saved == self.dies_after:
            raise KeyboardInterrupt

    def drop(self, key: str) -> None:
        self.states.pop(key, None)


def fitted(
    name: str, checkpoints: Kept | None = None, told: Told | None = None, **more: Any
) -> Any:
    kind, settings, items = ENCODERS[name]
    encoder = kind(**{**settings, **more})
    encoder.checkpoints = checkpoints
    encoder.progress = told or Told()
    return encoder.fit(items)


def arrays(encoder: Any) -> dict[str, NDArray[Any]]:
    return dict(encoder.get_state().arrays)


def assert_same(one: Any, other: Any) -> None:
    first, second = arrays(one), arrays(other)
    assert first.keys() == second.keys()
    for name, own in first.items():
        np.testing.assert_array_equal(own, second[name], err_msg=name)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a checkpoint after every epoch, however short."""
    monkeypatch.setattr(keeping, "PACE", keeping.Pace(0, 0))


@each
@pytest.mark.parametrize("epoch", range(1, EPOCHS))
@pytest.mark.usefixtures("at_once")
def test_a_training_killed_after_any_epoch_goes_on_to_the_same_vectors(
    name: str, epoch: int
) -> None:
    kept, told = Kept(dies_after=epoch), Told()
    with pytest.raises(KeyboardInterrupt):
        fitted(name, kept)
    assert len(kept.states) == 1
    again = fitted(name, kept, told)
    assert kept.n_saved == EPOCHS - 1  # the epochs before the kill were not trained again
    assert kept.states == {}
    assert_same(again, fitted(name))
    assert told.stages[f"training {again.name}"] == (EPOCHS, EPOCHS)
    assert (
        f"{again.name}: goes on after epoch {epoch} of a training that was interrupted"
        in told.notes
    )


KILLED = """
import os, signal, sys
import numpy as np
from widemargin.encoders.text.word2vec import Word2VecEncoder
from widemargin.encoders.training import keeping

class File:
    n_saved = 0
    def load(self, key): return None
    def drop(self, key): pass
    def save(self, key, state):
        self.n_saved += 1
        meta = {"key": key, **state.meta}
        np.savez(sys.argv[1], **state.arrays, **{f"meta.{k}": np.array(v) for k, v in meta.items()})
        if self.n_saved == 2:
            os.kill(os.getpid(), signal.SIGKILL)

keeping.PACE = keeping.Pace(0, 0)
encoder = Word2VecEncoder(**SMALL)
encoder.checkpoints = File()
encoder.fit(TEXTS)
"""


def test_a_process_that_is_killed_leaves_what_another_goes_on_from(tmp_path: Path) -> None:
    file = tmp_path / "kept.npz"
    script = f"SMALL, TEXTS = {SMALL}, {TEXTS}\n{KILLED}"
    environ = {**os.environ, "PYTHONHASHSEED": "5"}
    done = subprocess.run([sys.executable, "-c", script, str(file)], check=False, env=environ)
    assert done.returncode < 0
    with np.load(file) as own:
        meta = {name[5:]: own[name].item() for name in own.files if name.startswith("meta.")}
        saved = {name: own[name] for name in own.files if not name.startswith("meta.")}
    kept, told = Kept(), Told()
    kept.states[meta.pop("key")] = State(saved, meta)
    assert_same(fitted("skip-gram", kept, told), fitted("skip-gram"))
    assert "word2vec: goes on after epoch 2 of a training that was interrupted" in told.notes


@each
@pytest.mark.usefixtures("at_once")
def test_another_training_does_not_go_on_from_there(name: str) -> None:
    kind, settings, items = ENCODERS[name]
    kept = Kept(dies_after=2)
    with pytest.raises(KeyboardInterrupt):
        fitted(name, kept)
    left = list(kept.states)
    seed: dict[str, Any] = {"seed" if kind is ProtVecEncoder else "random_state": 1}
    assert_same(fitted(name, kept, **seed), fitted(name, **seed))
    other = kind(**settings)
    other.checkpoints = kept
    assert_same(other.fit(items[:-1]), kind(**settings).fit(items[:-1]))
    assert list(kept.states) == left


@each
def test_every_epoch_is_told_and_short_trainings_keep_nothing(name: str) -> None:
    kept, told = Kept(), Told()
    encoder = fitted(name, kept, told)
    assert kept.n_saved == 0
    assert told.stages[f"training {encoder.name}"] == (EPOCHS, EPOCHS)
    assert not {"progress", "checkpoints"} & set(encoder.get_params())


@pytest.mark.parametrize("algorithm", ["skip-gram", "cbow"])
def test_epoch_by_epoch_gives_what_gensim_gives_at_once(algorithm: Any) -> None:
    texts = [text.split() for text in TEXTS]
    usual: dict[str, Any] = {
        "sentences": texts, "sg": int(algorithm == "skip-gram"), "vector_size": 6, "min_count": 1,
        "epochs": 7, "seed": 3, "workers": 1,
    }  # fmt: skip
    own: dict[str, Any] = {**SMALL, "epochs": 7, "algorithm": algorithm, "random_state": 3}
    words, vectors = Word2VecEncoder(**own).fit(TEXTS).word_vectors()
    np.testing.assert_array_equal(vectors, gensim.Word2Vec(**usual).wv[words])
    words, vectors = FastTextEncoder(**own, buckets=50).fit(TEXTS).word_vectors()
    np.testing.assert_array_equal(vectors, gensim.FastText(**usual, bucket=50).wv[words])


@pytest.mark.parametrize("name", ["fasttext", "glove", "protvec"])
def test_other_processes_learn_the_same(name: str) -> None:
    kind, settings, items = ENCODERS[name]
    script = (
        f"from {kind.__module__} import {kind.__name__} as Encoder\n"
        f"print(Encoder(**{settings}).fit({items}).transform({items}).tobytes().hex())"
    )
    environ = {**os.environ, "PYTHONHASHSEED": "77"}
    words = [sys.executable, "-c", script]
    said = subprocess.run(words, capture_output=True, text=True, check=True, env=environ)
    assert said.stdout.strip() == fitted(name).transform(items).tobytes().hex()


@pytest.mark.parametrize("name", ["skip-gram", "fasttext", "glove"])
def test_the_most_frequent_words_are_kept_and_it_is_said(name: str) -> None:
    kind, settings, _ = ENCODERS[name]
    encoder = kind(**{**settings, "max_words": 3})
    encoder.progress = told = Told()
    encoder.fit(["tea win cash", "win tea now", "cash see", "now see you you you"])
    # cash, now and see occur as often as win and tea do, and came later.
    assert sorted(encoder.word_vectors()[0]) == ["tea", "win", "you"]
    assert (
        f"{encoder.name}: more than 3 words (max_words) occur often enough in the training texts; "
        "the most frequent ones are kept." in told.notes
    )
    encoder = kind(**{**settings, "max_words": 7})
    encoder.progress = told = Told()
    encoder.fit(["tea win cash", "win tea now", "cash see", "now see you you you"])
    assert not [note for note in told.notes if "max_words" in note]


def test_the_most_frequent_kmers_are_kept_and_it_is_said() -> None:
    encoder = ProtVecEncoder(**{**SMALL, "k": 1, "max_kmers": 2})
    encoder.progress = told = Told()
    encoder.fit(["CCCAAAAWW", "ADDW"])
    assert [encoder._name(int(kmer)) for kmer in encoder.kmers_] == ["A", "C"]
    assert told.notes == [
        "protvec: the training sequences have fewer than 10,000 k-mers, of which vectors learn "
        "little; kmer or composition may do better.",
        "protvec: more than 2 k-mers (max_kmers) occur often enough in the training sequences; "
        "the most frequent ones are kept.",
    ]
    encoder.progress = told = Told()
    encoder.fit(["ACDE" * 2600])
    assert not [note for note in told.notes if "fewer" in note]


def test_vectors_that_would_not_fit_are_refused_before_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = [f"word{row} word{row}" for row in range(100)]
    limit = 100 * 8 * 50
    monkeypatch.setattr(memory, "memory_limit", lambda: limit)
    trained: list[int] = []
    monkeypatch.setattr(Word2VecEncoder, "train", lambda self, read: trained.append(len(read)))
    with pytest.raises(DataError) as caught:
        Word2VecEncoder(dimension=100).fit(texts)
    assert str(caught.value) == (
        "word2vec: training vectors of 100 words with 100 numbers each takes 78 KiB, and 39 KiB, "
        "half of the memory, may be used. Set max_words to 50 at most, or dimension to 50 at "
        "most."
    )
    assert trained == []
    # What it says does fit.
    Word2VecEncoder(dimension=50).fit(texts)
    Word2VecEncoder(dimension=100, max_words=50).fit(texts)
    assert trained == [100, 100]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("fasttext", "Set buckets lower, or dimension to 3 at most"),
        ("glove", "Set max_words to 3 at most, or dimension to 2 at most"),
        ("protvec", r"Set max_kmers to 13 at most\.$"),
    ],
)
def test_each_encoder_says_what_would_fit(
    name: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "memory_limit", lambda: 1000)
    with pytest.raises(DataError, match=says):
        fitted(name)


def test_too_many_pairs_of_words_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    glove = import_module("widemargin.encoders.text.glove")
    monkeypatch.setattr(glove, "memory_limit", lambda: 20 * 100)
    with pytest.raises(DataError) as caught:
        fitted("glove")
    assert str(caught.value) == (
        "glove: too many pairs of words stand near each other; 20 fit into half of the memory at "
        "100 bytes each. Lower max_words or window, or raise min_count."
    )
    monkeypatch.setattr(glove, "memory_limit", lambda: 64 * 100)
    fitted("glove")


@pytest.mark.parametrize(("kind", "settings"), SETTINGS)
def test_the_bound_on_memory_is_stated_and_holds(kind: Any, settings: Any) -> None:
    stated = settings.model_fields["max_words"].description
    assert f"{kind.word_bytes} bytes x words" in stated
    n, dimension = 400, 2000
    texts = [f"word{row} word{row}" for row in range(n)]
    more = {"buckets": 100} if kind is FastTextEncoder else {}
    kind(dimension=2, epochs=1, **more).fit(texts)  # so that no import is counted
    tracemalloc.start()
    kind(dimension=dimension, epochs=2, **more).fit(texts)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    bound = dimension * (kind.word_bytes * n + 4 * more.get("buckets", 0))
    assert 0.6 * bound < most < bound + 4_000_000


def test_the_bound_on_memory_of_kmers_is_stated() -> None:
    stated = ProtVecSettings.model_fields["max_kmers"].description
    assert stated is not None
    assert "12 bytes x k-mers x dimension" in stated
