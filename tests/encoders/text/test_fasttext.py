"""FastText: gensim's and fastText's numbers, unseen words, and files refused where damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from widemargin.contracts import State
from widemargin.encoders.text.fasttext import (
    FASTTEXT,
    FastTextEncoder,
    FastTextSettings,
    PretrainedFastText,
)
from widemargin.encoders.text.fasttext_files import FastTextFile, open_fasttext, subword_hashes
from widemargin.encoders.text.pooling import Pooling
from widemargin.errors import DataError

TRAIN = ["win cash now!", "see you now", "Don't win cash, see cash", "", "you see naïve you"] * 3
TEXTS = ["WIN winning", "unseen wörds", "", "don't see you!", "\ud83d q"]
SMALL: dict[str, Any] = {"dimension": 6, "epochs": 2, "min_count": 1, "buckets": 500}


@pytest.fixture(scope="session")
def model() -> Any:
    gensim = pytest.importorskip("gensim.models")
    texts = [text.lower().split() for text in TRAIN]
    return gensim.FastText(
        texts, vector_size=5, min_count=1, epochs=2, bucket=50, min_n=2, max_n=4, workers=1, seed=1
    )


@pytest.fixture
def file(model: Any, tmp_path: Path) -> Path:
    path = tmp_path / "own.bin"
    pytest.importorskip("gensim.models.fasttext").save_facebook_model(model, str(path))
    return path


@pytest.mark.parametrize("word", ["a", "win", "naïve", "漢字", "😀", "don't", "ab"])
@pytest.mark.parametrize(("shortest", "longest"), [(1, 3), (3, 6), (2, 2), (1, 20)])
def test_ngrams_are_hashed_as_fasttext_does(word: str, shortest: int, longest: int) -> None:
    theirs = pytest.importorskip("gensim.models.fasttext_inner")
    ngrams = theirs.compute_ngrams_bytes(word, shortest, longest)
    expected = [theirs.ft_hash_bytes(ngram) for ngram in ngrams]
    assert subword_hashes(word, shortest, longest) == expected


def test_a_file_gives_the_vectors_that_gensim_gives(model: Any, file: Path) -> None:
    load = pytest.importorskip("gensim.models.fasttext").load_facebook_vectors
    expected = load(str(file))
    ours: Any = FastTextFile(file)
    assert (len(ours), ours.dimension) == (len(expected), 5)
    for word in expected.index_to_key:
        np.testing.assert_allclose(ours.vector(word), expected[word], rtol=1e-5, atol=1e-8)
    for word in ("winning", "Cash", "é", "tea"):
        assert ours.vector(word) is None
        np.testing.assert_allclose(ours.compose(word), expected[word], rtol=1e-5, atol=1e-8)
    words, matrix = ours.word_vectors(3)
    assert words == expected.index_to_key[:3]
    np.testing.assert_allclose(matrix, expected.vectors[:3], rtol=1e-5, atol=1e-8)


def test_a_file_learns_nothing_and_gives_unseen_words_a_vector(file: Path) -> None:
    settings = FastTextSettings.model_validate_json(f'{{"vectors": "{file}"}}')
    assert FASTTEXT.learns_at(settings) == "nothing"
    encoder = FASTTEXT.build(settings)
    assert isinstance(encoder, PretrainedFastText)
    X = encoder.fit(TRAIN).transform(TEXTS)
    assert X.shape == (5, 5)
    assert X[:2].any(axis=1).all()
    assert not X[2].any()
    assert encoder.set_state(encoder.get_state()) is encoder
    sif = FastTextEncoder(file, "sif").fit(TRAIN)
    back = FastTextEncoder(file, "sif").set_state(sif.get_state())
    np.testing.assert_array_equal(back.transform(TEXTS), sif.transform(TEXTS))


@pytest.mark.parametrize("pooling", ["mean", "sif", "max"])
def test_its_state_brings_back_the_vectors_of_unseen_words(pooling: Pooling) -> None:
    encoder = FastTextEncoder(pooling=pooling, **SMALL).fit(TRAIN)
    X = encoder.transform(TEXTS)
    assert X[0].any()
    assert X.dtype == np.float32
    state = encoder.get_state()
    back = clone(encoder).set_state(state)
    np.testing.assert_array_equal(back.transform(TEXTS), X)
    again = back.get_state()
    assert {name: array.tobytes() for name, array in again.arrays.items()} == {
        name: array.tobytes() for name, array in state.arrays.items()
    }
    coef = np.random.default_rng(0).normal(size=6)
    totals = [sum(share.contribution for share in own) for own in back.explain(TEXTS, coef)]
    np.testing.assert_allclose(totals, X.astype(np.float64) @ coef, atol=1e-6)


def test_known_and_unseen_words_are_composed_as_gensim_composes_them() -> None:
    gensim = pytest.importorskip("gensim.models")
    encoder = FastTextEncoder(**{**SMALL, "buckets": 40}).fit(["cash win cashing"] * 4)
    theirs = gensim.FastText(
        [["cash", "win", "cashing"]] * 4,
        sg=1,
        vector_size=6,
        window=5,
        epochs=2,
        min_count=1,
        negative=5,
        bucket=40,
        seed=0,
        workers=1,
    )
    ours: Any = encoder.source()
    np.testing.assert_array_equal(ours.vector("cash"), theirs.wv["cash"])
    # All n-grams of this word have a bucket that training met, so nothing counts as zero.
    hashes = {
        value % 40 for word in ("cash", "win", "cashing") for value in subword_hashes(word, 3, 6)
    }
    unseen = next(
        word
        for word in ("ash", "cas", "hing", "shin", "casting", "win!")
        if {value % 40 for value in subword_hashes(word, 3, 6)} <= hashes
    )
    np.testing.assert_allclose(ours.compose(unseen), theirs.wv[unseen], rtol=1e-5)


def test_ngrams_that_training_never_met_count_as_zero() -> None:
    encoder = FastTextEncoder(**{**SMALL, "buckets": 1_000_000}).fit(["cash cash"])
    table: Any = encoder.source()
    met = {value % 1_000_000 for value in subword_hashes("cash", 3, 6)}
    assert set(table.used.tolist()) == met
    assert table.compose("zzz") is None
    wanted = [value % 1_000_000 for value in subword_hashes("cashy", 3, 6)]
    rows = [table.buckets[table.used.tolist().index(one)] for one in wanted if one in met]
    assert 0 < len(rows) < len(wanted)
    np.testing.assert_allclose(table.compose("cashy"), sum(rows) / len(wanted), rtol=1e-5)


def test_a_damaged_state_is_refused() -> None:
    state = FastTextEncoder(**SMALL).fit(TRAIN).get_state()
    arrays = {**state.arrays, "used": state.arrays["used"][:3]}
    with pytest.raises(DataError, match=r"fasttext: the model has .* words .* 3 buckets and"):
        FastTextEncoder(**SMALL).set_state(State(arrays, state.meta))


def test_subwords_that_end_before_they_begin_are_refused() -> None:
    with pytest.raises(ValueError, match="subwords: the shortest, 4, exceeds the longest"):
        FastTextSettings(subwords=(4, 3))


def test_every_file_that_is_cut_off_is_refused(file: Path) -> None:
    whole = file.read_bytes()
    matrix_end = FastTextFile(file)._rows_start + 4 * 5 * (len(FastTextFile(file)) + 50)
    for length in [*range(4, 400, 7), matrix_end - 1]:
        file.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"it is (cut off|damaged)\."):
            FastTextFile(file)
    file.write_bytes(whole[:matrix_end])
    assert FastTextFile(file).vector("win") is not None


def patched(whole: bytes, start: int, value: int, size: int = 4) -> bytes:
    return whole[:start] + value.to_bytes(size, "little", signed=True) + whole[start + size :]


@pytest.mark.parametrize(
    ("start", "value", "size", "says"),
    [
        (4, 99, 4, "is of version 99 of the format; 11 and 12 are read."),
        (8, -5, 4, "has a header that cannot be; it is damaged."),
        (8, 6, 4, "its matrix is of"),
        (8 + 4 * 8, 2**31 - 1, 4, "has a header that cannot be; it is damaged."),
        (8 + 4 * 8, 49, 4, "its matrix is of"),
        (8 + 56 + 4, 2**31 - 1, 4, "has a header that cannot be; it is damaged."),
        (8 + 56 + 8, 3, 4, "is a supervised model, which learnt somebody's labels"),
        (8 + 56 + 20, 7, 8, "is quantised; give the .bin file, not the .ftz file."),
        (0, 7, 4, "is not fastText's own binary format. Give a .bin file that fastText wrote,"),
        (0, 0x80, 4, "is saved by gensim as a pickle"),
    ],
)
def test_a_header_that_cannot_be_is_refused(
    file: Path, start: int, value: int, size: int, says: str
) -> None:
    file.write_bytes(patched(file.read_bytes(), start, value, size))
    with pytest.raises(DataError) as caught:
        FastTextFile(file)
    assert str(caught.value).startswith(f"fasttext: {file} ")
    assert says in str(caught.value)


def test_a_quantised_matrix_and_numbers_that_are_not_finite_are_refused(file: Path) -> None:
    whole = file.read_bytes()
    rows = FastTextFile(file)._rows_start
    file.write_bytes(patched(whole, rows - 17, 1, 1))
    with pytest.raises(DataError, match="is quantised"):
        FastTextFile(file)
    file.write_bytes(whole[:rows] + np.full(5, np.inf, "<f4").tobytes() + whole[rows + 20 :])
    ours = FastTextFile(file)
    with pytest.raises(DataError, match=r"has a number for .* that is not finite; it is damaged"):
        ours.word_vectors(1)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"fasttext: .*none\.bin cannot be read"):
        open_fasttext(tmp_path / "none.bin")
