"""Word2vec: trained repeatably, saved exactly, given vectors, and what each learns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from widemargin.contracts import Silent, State
from widemargin.encoders import Features, FrozenEncoder
from widemargin.encoders.text.pooling import Pooling
from widemargin.encoders.text.word2vec import (
    LONGEST_TEXT,
    WORD2VEC,
    PretrainedWord2Vec,
    Word2VecEncoder,
    Word2VecSettings,
)
from widemargin.encoders.text.word_encoder import pieces_of
from widemargin.errors import DataError

TRAIN = ["win cash now!", "see you now", "Don't win cash, see cash", "", "you see you"] * 3
TEXTS = ["WIN cash", "unseen wörds", "", "don't see you!", "\ud83d now"]
SMALL: dict[str, Any] = {"dimension": 6, "epochs": 2, "min_count": 1}


class Noted(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.stages: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)

    def stage(self, name: str, total: float | None = None) -> AbstractContextManager[Any]:
        self.stages.append(name)
        return super().stage(name, total)


def parsed(settings: str) -> Word2VecSettings:
    return Word2VecSettings.model_validate_json(settings)


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    path = tmp_path / "own.vec"
    path.write_text("win 1 2\ncash 3 -4\nsee 0 1\ndo 2 2\nn't 1 1\n")
    return path


@pytest.mark.parametrize("algorithm", ["skip-gram", "cbow"])
@pytest.mark.parametrize("pooling", ["mean", "sif", "max"])
def test_its_state_brings_back_the_same_vectors(algorithm: Any, pooling: Pooling) -> None:
    encoder = Word2VecEncoder(algorithm=algorithm, pooling=pooling, **SMALL).fit(TRAIN)
    X = encoder.transform(TEXTS)
    assert X.shape == (5, 6)
    assert X.dtype == np.float32
    assert not X[1:3].any()
    assert X[0].any()
    state = encoder.get_state()
    back = clone(encoder).set_state(state)
    np.testing.assert_array_equal(back.transform(TEXTS), X)
    assert back.explain(TEXTS, np.ones(6)) == encoder.explain(TEXTS, np.ones(6))
    assert back.get_feature_names_out().tolist() == [f"word2vec: {k}" for k in range(1, 7)]
    again = back.get_state()
    assert again.meta == state.meta
    assert {name: array.tobytes() for name, array in again.arrays.items()} == {
        name: array.tobytes() for name, array in state.arrays.items()
    }


def test_algorithm_and_seed_decide_what_is_learnt() -> None:
    # gensim leaves out most occurrences of frequent words, so that little is learnt in one pass.
    made = [
        Word2VecEncoder(**{**SMALL, "epochs": 50, **more}).fit_transform(TRAIN)
        for more in ({}, {}, {"random_state": 1}, {"algorithm": "cbow"})
    ]
    np.testing.assert_array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])
    assert not np.array_equal(made[0], made[3])


def test_other_processes_learn_the_same() -> None:
    script = (
        "from widemargin.encoders.text.word2vec import Word2VecEncoder\n"
        f"X = Word2VecEncoder(**{SMALL}).fit_transform({TRAIN})\n"
        "print(X.tobytes().hex())"
    )
    expected = Word2VecEncoder(**SMALL).fit_transform(TRAIN).tobytes().hex()
    environ = {**os.environ, "PYTHONHASHSEED": "77"}
    words = [sys.executable, "-c", script]
    said = subprocess.run(words, capture_output=True, text=True, check=True, env=environ)
    assert said.stdout.strip() == expected


def test_words_that_stand_in_like_places_come_near_each_other() -> None:
    rng = np.random.default_rng(0)
    topics = [["river", "boat", "water", "swim"], ["money", "loan", "cash", "bank"]]
    texts = [" ".join(rng.choice(topics[row % 2], 6)) for row in range(400)]
    encoder = Word2VecEncoder(dimension=10, epochs=20).fit(texts)
    assert {word for word, _ in encoder.nearest("Boat", 3)} == {"river", "water", "swim"}
    words, matrix = encoder.word_vectors()
    assert sorted(words) == sorted([*topics[0], *topics[1]])
    assert matrix.shape == (8, 10)


def test_no_word_of_a_long_text_is_left_out() -> None:
    # gensim reads so many words of a sentence and drops the others.
    limit = pytest.importorskip("gensim.models.word2vec").MAX_WORDS_IN_BATCH
    assert limit == LONGEST_TEXT
    texts = [[str(k) for k in range(2 * limit + 5)], [], ["win"]]
    pieces = list(pieces_of(texts, LONGEST_TEXT))
    assert [len(piece) for piece in pieces] == [limit, limit, 5, 1]
    assert [word for piece in pieces for word in piece] == [*texts[0], "win"]


def test_few_words_are_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = Word2VecEncoder(**SMALL)
    encoder.progress = noted = Noted()
    encoder.fit(TRAIN)
    assert noted.notes == [
        "word2vec: the training texts have fewer than 10,000 words, of which word vectors learn "
        "little; vectors that were trained elsewhere, or tfidf, may do better."
    ]
    assert noted.stages == ["training word2vec"]
    monkeypatch.setattr("widemargin.encoders.text.word_encoder._FEW", 10)
    encoder.progress = noted = Noted()
    encoder.fit(TRAIN)
    assert noted.notes == []


def test_texts_in_which_no_word_repeats_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        Word2VecEncoder(min_count=2).fit(["win cash", "see you", ""])
    assert str(caught.value) == (
        "word2vec: no word occurs at least 2 times in the 3 texts; lower min_count, or give "
        "vectors that were trained elsewhere."
    )


def test_given_vectors_learn_nothing_unless_sif_pools_them(vectors: Path) -> None:
    def learns(settings: Word2VecSettings) -> tuple[str, type]:
        return WORD2VEC.learns_at(settings), type(WORD2VEC.build(settings))

    path = str(vectors)
    assert learns(parsed("{}")) == ("X", Word2VecEncoder)
    assert learns(parsed(f'{{"vectors": "{path}"}}')) == ("nothing", PretrainedWord2Vec)
    assert learns(parsed(f'{{"vectors": "{path}", "pooling": "max"}}'))[0] == "nothing"
    sif = parsed(f'{{"vectors": "{path}", "pooling": "sif"}}')
    assert learns(sif) == ("X", Word2VecEncoder)
    # A resolved config says every setting.
    assert parsed(sif.model_dump_json()) == sif


def test_settings_of_training_are_refused_with_vectors_that_are_trained(vectors: Path) -> None:
    with pytest.raises(ValueError, match="epochs is for the training of vectors, and vectors"):
        parsed(f'{{"vectors": "{vectors}", "epochs": 3}}')


def test_given_vectors_are_pooled_and_explained(vectors: Path) -> None:
    encoder = PretrainedWord2Vec(vectors)
    X = encoder.fit(TRAIN).transform(["Win cash", "don't", "tea"])
    np.testing.assert_array_equal(X, [[2, -1], [1.5, 1.5], [0, 0]])
    assert isinstance(encoder, FrozenEncoder)
    assert encoder.dimension == 2
    (shares,) = encoder.explain(["Win cash!"], np.array([1.0, 1.0]))
    assert [(share.piece, share.contribution) for share in shares] == [
        ("Win", 1.5),
        ("cash!", -0.5),
    ]
    assert [word for word, _ in encoder.nearest("win", 2)] == ["do", "n't"]
    assert encoder.word_vectors(1)[0] == ["win"]


def test_where_given_vectors_lie_is_no_part_of_what_they_are(vectors: Path) -> None:
    other = vectors.with_name("other.vec")
    other.write_bytes(vectors.read_bytes())
    one, two = PretrainedWord2Vec(vectors), PretrainedWord2Vec(other)
    assert one.identity() == two.identity()
    assert one.identity() != PretrainedWord2Vec(vectors, "max").identity()
    two.set_state(one.get_state())
    other.write_text("win 1 2\n")
    assert one.identity() != PretrainedWord2Vec(other).identity()


@pytest.mark.parametrize("pooling", ["mean", "sif"])
def test_a_model_of_other_vectors_is_refused(vectors: Path, pooling: Pooling) -> None:
    encoder = Word2VecEncoder(vectors, pooling).fit(TRAIN)
    state = encoder.get_state()
    assert "vectors" not in state.arrays
    back = Word2VecEncoder(vectors, pooling).set_state(state)
    np.testing.assert_array_equal(back.transform(TEXTS), encoder.transform(TEXTS))
    vectors.write_text("win 1 2\n")
    with pytest.raises(DataError, match="not those that the model was trained with"):
        Word2VecEncoder(vectors, pooling).set_state(state)


def test_a_damaged_state_is_refused() -> None:
    state = Word2VecEncoder(**SMALL).fit(TRAIN).get_state()
    arrays = {**state.arrays, "vectors": state.arrays["vectors"][:3]}
    with pytest.raises(DataError, match="word2vec: the model has 8 words and 3 vectors"):
        Word2VecEncoder(**SMALL).set_state(State(arrays, state.meta))


def test_without_gensim_training_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gensim", None)
    monkeypatch.delitem(sys.modules, "gensim.models", raising=False)
    with pytest.raises(DataError, match=r'word2vec needs gensim.*"widemargin\[text\]"'):
        Word2VecEncoder(**SMALL).fit(TRAIN)


def test_features_learn_what_their_settings_make_them_learn(vectors: Path) -> None:
    def learns(*chosen: dict[str, str]) -> str:
        encoders = {"encoders": {"word2vec": WORD2VEC}}
        text = json.dumps({"encoder": list(chosen)})
        features = Features.model_validate_json(text, context=encoders)
        again = features.model_dump_json()
        assert Features.model_validate_json(again, context=encoders) == features
        return features.learns

    given = {"name": "word2vec", "vectors": str(vectors), "as": "given"}
    assert learns(given) == "nothing"
    assert learns(given, {"name": "word2vec"}) == "X"
