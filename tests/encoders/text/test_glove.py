"""GloVe: the paper's loss, counted pairs, and the packaged vectors."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

from widemargin.data.assets import data_home, verify
from widemargin.encoders import FrozenEncoder
from widemargin.encoders.text import glove_training
from widemargin.encoders.text.glove import (
    GLOVE,
    GLOVE_ASSET,
    GloveEncoder,
    GloveSettings,
    PretrainedGlove,
)
from widemargin.encoders.text.glove_training import (
    Fit,
    GloveTraining,
    Pairs,
    count_pairs,
    loss,
)
from widemargin.encoders.text.pooling import Pooling
from widemargin.errors import AssetError, DataError

TRAIN = ["win cash now!", "see you now", "Don't win cash, see cash", "", "you see you"] * 3
TEXTS = ["WIN cash", "unseen wörds", "", "don't see you!", "\ud83d now"]
SMALL: dict[str, Any] = {"dimension": 6, "epochs": 3, "min_count": 1}
NUMBERED = st.lists(st.lists(st.integers(0, 4), max_size=9), max_size=5)


def counted(texts: list[list[int]], window: int) -> dict[tuple[int, int], float]:
    """Count as the paper says it, one pair at a time."""
    counts: dict[tuple[int, int], float] = {}
    for words in texts:
        for at, word in enumerate(words):
            for other in range(max(0, at - window), min(len(words), at + window + 1)):
                if other != at:
                    pair = (word, words[other])
                    counts[pair] = counts.get(pair, 0.0) + 1 / abs(at - other)
    return counts


def train_glove(pairs: Pairs, n_words: int, *, epochs: int, **options: Any) -> Fit:
    training = GloveTraining(pairs, n_words, **options)
    for _ in range(epochs):
        training.train_epoch()
    return training.checked()


def drawn(n: int, dimension: int) -> Fit:
    rng = np.random.default_rng(0)
    shapes: list[tuple[int, ...]] = [(n, dimension), (n, dimension), (n,), (n,)]
    return Fit(*(rng.normal(size=shape) for shape in shapes))


@given(NUMBERED, st.integers(1, 12))
def test_pairs_are_counted_by_one_over_their_distance(texts: list[list[int]], window: int) -> None:
    pairs = count_pairs(texts, 5, window)
    got = zip(pairs.rows.tolist(), pairs.columns.tolist(), pairs.counts.tolist(), strict=True)
    assert {(i, j): count for i, j, count in got} == pytest.approx(counted(texts, window))


def test_blocks_change_no_count(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    texts = [rng.integers(0, 5, 7).tolist() for _ in range(9)]
    whole = count_pairs(texts, 5, 3)
    monkeypatch.setattr(glove_training, "_BLOCK", 10)
    np.testing.assert_allclose(count_pairs(texts, 5, 3).counts, whole.counts)


def test_the_loss_is_the_papers() -> None:
    texts = [[0, 1, 2, 1], [2, 0, 0]]
    fit, x_max, alpha = drawn(3, 4), 1.2, 0.75
    expected = 0.0
    for (i, j), count in counted(texts, 2).items():
        weight = (count / x_max) ** alpha if count < x_max else 1.0
        guess = fit.words[i] @ fit.contexts[j] + fit.word_biases[i] + fit.context_biases[j]
        expected += weight * (guess - math.log(count)) ** 2
    got = loss(fit, count_pairs(texts, 3, 2), x_max=x_max, alpha=alpha)
    assert got == pytest.approx(expected)


def test_one_step_of_training_is_adagrads() -> None:
    texts = [[0, 1, 2, 1], [2, 0, 0]]
    pairs = count_pairs(texts, 3, 2)
    options: dict[str, Any] = {"dimension": 4, "x_max": 1.2, "alpha": 0.75, "random_state": 5}
    before = train_glove(pairs, 3, epochs=0, learning_rate=0.05, **options)
    after = train_glove(pairs, 3, epochs=1, learning_rate=0.05, **options)

    def at(name: str, place: Any, step: float) -> float:
        parts = {key: getattr(before, key).copy() for key in vars(before)}
        parts[name][place] += step
        return loss(Fit(**parts), pairs, x_max=1.2, alpha=0.75)

    for name, values in vars(before).items():
        for place in np.ndindex(values.shape):
            # Half the loss's gradient, by finite differences.
            slope = (at(name, place, 1e-5) - at(name, place, -1e-5)) / 4e-5
            moved = getattr(after, name)[place] - values[place]
            assert moved == pytest.approx(-0.05 * slope / math.sqrt(1 + slope**2), abs=1e-7)


def test_training_lowers_the_loss_and_is_repeatable() -> None:
    rng = np.random.default_rng(0)
    texts = [rng.integers(0, 30, 20).tolist() for _ in range(60)]
    pairs = count_pairs(texts, 30, 5)
    options: dict[str, Any] = {"dimension": 8, "x_max": 10.0, "alpha": 0.75, "learning_rate": 0.05}
    fits = [train_glove(pairs, 30, epochs=n, random_state=0, **options) for n in (0, 5, 40, 40)]
    losses = [loss(fit, pairs, x_max=10.0, alpha=0.75) for fit in fits]
    assert losses[0] > 2 * losses[1]
    assert losses[1] > 1.2 * losses[2]
    np.testing.assert_array_equal(fits[2].vectors, fits[3].vectors)
    other = train_glove(pairs, 30, epochs=5, random_state=1, **options)
    assert not np.array_equal(other.vectors, fits[1].vectors)


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning", "ignore:invalid:RuntimeWarning")
def test_a_learning_rate_that_is_too_large_is_named() -> None:
    with pytest.raises(DataError, match="glove: training diverged at a learning_rate of 1e"):
        GloveEncoder(**{**SMALL, "learning_rate": 1e200}).fit(TRAIN)


def test_words_that_stand_in_like_places_come_near_each_other() -> None:
    rng = np.random.default_rng(0)
    topics = [["river", "boat", "water", "swim"], ["money", "loan", "cash", "bank"]]
    texts = [" ".join(rng.choice(topics[row % 2], 6)) for row in range(400)]
    encoder = GloveEncoder(dimension=10).fit(texts)
    assert {word for word, _ in encoder.nearest("Boat", 3)} == {"river", "water", "swim"}


@pytest.mark.parametrize("pooling", ["mean", "sif", "max"])
def test_its_state_brings_back_the_same_vectors(pooling: Pooling) -> None:
    encoder = GloveEncoder(pooling=pooling, **SMALL).fit(TRAIN)
    X = encoder.transform(TEXTS)
    assert X.shape == (5, 6)
    assert X.dtype == np.float32
    assert not X[1:3].any()
    state = encoder.get_state()
    back = clone(encoder).set_state(state)
    np.testing.assert_array_equal(back.transform(TEXTS), X)


def test_texts_of_one_word_are_refused() -> None:
    with pytest.raises(DataError, match="glove: no two words stand in one text"):
        GloveEncoder(min_count=1).fit(["win", "win", ""])


def test_only_the_packaged_vectors_need_the_asset(tmp_path: Path) -> None:
    needs = {
        name: [asset.name for asset in GLOVE.assets_for(GloveSettings.model_validate_json(text))]
        for name, text in {
            "default": "{}",
            "corpus": '{"vectors": "corpus"}',
            "file": '{"vectors": "own.txt"}',
            "sif": '{"pooling": "sif"}',
        }.items()
    }
    assert needs == {
        "default": ["glove-6b-50d"],
        "corpus": [],
        "file": [],
        "sif": ["glove-6b-50d"],
    }
    path = tmp_path / "own.txt"
    path.write_text("win 1 2\n")
    encoder = GLOVE.build(GloveSettings.model_validate_json(f'{{"vectors": "{path}"}}'))
    assert isinstance(encoder, PretrainedGlove)
    assert encoder.transform(["Win"]).tolist() == [[1, 2]]


def test_what_each_choice_learns() -> None:
    assert GLOVE.learns_at(GloveSettings()) == "nothing"
    assert isinstance(GLOVE.build(GloveSettings()), FrozenEncoder)
    for text in ('{"pooling": "sif"}', '{"vectors": "corpus"}'):
        settings = GloveSettings.model_validate_json(text)
        assert GLOVE.learns_at(settings) == "X"
        assert isinstance(GLOVE.build(settings), GloveEncoder)


def test_packaged_vectors_that_are_absent_name_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIDEMARGIN_HOME", str(tmp_path))
    with pytest.raises(AssetError, match="`widemargin data fetch glove-6b-50d`"):
        PretrainedGlove().transform(["win"])


def test_a_name_of_no_vectors_is_refused_with_the_nearest() -> None:
    with pytest.raises(DataError) as caught:
        PretrainedGlove("glove-6b-50").identity()
    assert str(caught.value) == (
        "glove: glove-6b-50 is no file; vectors may be corpus or glove-6b-50d, or a file of "
        "vectors. Did you mean 'glove-6b-50d'?"
    )


@pytest.fixture
def packaged() -> None:
    if any(finding.state != "ok" for finding in verify(GLOVE_ASSET, data_home())):
        pytest.skip("run `widemargin data fetch glove-6b-50d`")


@pytest.mark.usefixtures("packaged")
def test_the_packaged_vectors_are_gloves() -> None:
    encoder = PretrainedGlove()
    # The first numbers of "the" in Stanford's glove.6B.50d.txt.
    np.testing.assert_allclose(
        encoder.transform(["THE"])[0, :4], [0.418, 0.24968, -0.41242, 0.1217], rtol=1e-6
    )
    assert encoder.dimension == 50
    near = [word for word, _ in encoder.nearest("frog", 5)]
    assert "toad" in near
    king, man, woman, queen = encoder.transform(["king", "man", "woman", "queen"])
    guess = king - man + woman
    assert np.corrcoef(guess, queen)[0, 1] > 0.8
    sif = GloveEncoder("glove-6b-50d", "sif").fit(TRAIN)
    back = GloveEncoder("glove-6b-50d", "sif").set_state(sif.get_state())
    np.testing.assert_array_equal(back.transform(TEXTS), sif.transform(TEXTS))
