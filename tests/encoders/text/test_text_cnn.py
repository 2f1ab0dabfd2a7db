"""`text-cnn` learns what tells the classes of these texts apart."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from widemargin.contracts import Silent, State
from widemargin.data.assets import data_home, verify
from widemargin.encoders.text.glove import GLOVE_ASSET, PretrainedGlove
from widemargin.encoders.text.text_cnn import TEXT_CNN, TextCnnEncoder, TextCnnSettings, shape_of
from widemargin.encoders.training import keeping, memory
from widemargin.errors import AssetError, DataError

torch = pytest.importorskip("torch", reason='needs pip install "widemargin[text]"')

SMALL: dict[str, Any] = {"dimension": 6, "filters": 8, "word_dimension": 8, "epochs": 12}
ODD = ["", "?", "a", "\ud83d now", "مرحبا 你好", "win " * 5000, "see you", "unseen wörds 0800"]


def orders(n: int, seed: int = 0) -> tuple[list[str], NDArray[np.str_]]:
    """Write texts of the same words: only which word follows on which tells them apart."""
    rng = np.random.default_rng(seed)
    y = np.array(["man", "dog"])[rng.integers(0, 2, n)]
    texts = []
    for label in y:
        words = list(rng.choice(["today", "here", "again", "so", "then"], rng.integers(2, 9)))
        at = int(rng.integers(0, len(words)))
        bites = ["dog", "bites", "man"] if label == "dog" else ["man", "bites", "dog"]
        texts.append(" ".join([*words[:at], *bites, *words[at:]]))
    return texts, y


@pytest.fixture(scope="module")
def fitted() -> TextCnnEncoder:
    return TextCnnEncoder(**SMALL).fit(*orders(300))


def test_a_linear_separator_tells_new_texts_apart_by_the_order_of_words(
    fitted: TextCnnEncoder,
) -> None:
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.svm import LinearSVC

    X, y = orders(300)
    new, expected = orders(100, seed=1)
    linear = LinearSVC().fit(fitted.transform(X), y)
    assert (linear.predict(fitted.transform(new)) == expected).mean() > 0.95
    counts = CountVectorizer().fit(X)
    words = LinearSVC().fit(counts.transform(X), y)
    assert (words.predict(counts.transform(new)) == expected).mean() < 0.7


def test_a_vector_is_what_the_paper_says(fitted: TextCnnEncoder) -> None:
    text = "dog bites man so then"
    network = fitted.network_
    ids = [1 + fitted.unknown + fitted.words_.index(word) for word in text.split()]
    rows = network.words.weight.detach().numpy()[[*ids, 0, 0, 0, 0]].astype(np.float64)
    found = []
    for width, own in zip(fitted.widths, network.filters, strict=True):
        weights, bias = (one.detach().numpy().astype(np.float64) for one in own.parameters())
        places = [rows[at : at + width].ravel() @ weights.T + bias for at in range(len(ids))]
        found.append(np.maximum(np.max(places, axis=0), 0))
    norm, _, last = network.last
    scale, shift = (one.detach().numpy().astype(np.float64) for one in norm.parameters())
    mean, variance = norm.running_mean.numpy(), norm.running_var.numpy()
    centred = (np.concatenate(found) - mean) / np.sqrt(variance + norm.eps) * scale + shift
    weights, bias = (one.detach().numpy().astype(np.float64) for one in last.parameters())
    expected = centred @ weights.T + bias
    np.testing.assert_allclose(fitted.transform([text])[0], expected, rtol=1e-4, atol=1e-5)


def test_no_vector_depends_on_neighbours_or_order(
    fitted: TextCnnEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [*orders(40, seed=2)[0], *ODD]
    together = fitted.transform(texts)
    assert np.isfinite(together).all()
    alone = np.concatenate([fitted.transform([text]) for text in texts])
    np.testing.assert_allclose(alone, together, rtol=1e-5, atol=1e-6)
    order = np.random.default_rng(0).permutation(len(texts))
    turned = fitted.transform([texts[row] for row in order])
    np.testing.assert_allclose(turned, together[order], rtol=1e-5, atol=1e-6)
    network = import_module("widemargin.encoders.text.text_cnn_network")
    monkeypatch.setattr(network, "_PLACES", 1)
    np.testing.assert_allclose(fitted.transform(texts), alone, rtol=1e-5, atol=1e-6)
    assert fitted.transform([]).shape == (0, 6)


def test_many_short_texts_are_encoded_together(
    fitted: TextCnnEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = import_module("widemargin.encoders.text.text_cnn_network")
    sizes: list[int] = []
    batch = network.WordInputs.batch

    def counted(self: Any, rows: Any, generator: Any = None) -> Any:
        sizes.append(len(rows))
        return batch(self, rows, generator)

    monkeypatch.setattr(network.WordInputs, "batch", counted)
    fitted.transform(["see you now"] * 3000)
    # 4,096 places at once, three a text.
    assert sizes == [1365, 1365, 270]


def test_words_are_cut_off_where_the_settings_say(fitted: TextCnnEncoder) -> None:
    short = TextCnnEncoder(**SMALL, max_length=5).set_state(fitted.get_state())
    texts = ["so then here man bites", "so then here man bites dog again"]
    assert np.array_equal(*short.transform(texts))
    assert not np.array_equal(*fitted.transform(texts))


def test_words_without_a_vector_of_their_own_share_one_by_their_shape() -> None:
    rng = np.random.default_rng(0)
    calls = [f"call {number}" for number in rng.integers(10**9, 10**10, 40)]
    mails = [f"call me{letter}" for letter in "abcdefghijklmnopqrstuvwxyzäöüßàáâãåæçèéê"]
    encoder = TextCnnEncoder(**SMALL, max_words=5)
    encoder.fit([*calls, *mails], ["number"] * 40 + ["word"] * 40)
    assert encoder.words_ == ["call"]
    same, unseen, other = encoder.transform([calls[0], "call 08001234567", "call mez"])
    assert np.array_equal(same, unseen)
    assert np.linalg.norm(same - other) > 0.1
    assert shape_of("08712460324") == shape_of("08001234567") == "0000"


def test_the_vocabulary_is_bounded_and_the_most_frequent_are_kept() -> None:
    texts, y = ["tea win cash", "win tea", "win now now"] * 4, ["a", "b", "a"] * 4
    usual: dict[str, Any] = {**SMALL, "epochs": 1}
    assert TextCnnEncoder(**usual, max_words=2).fit(texts, y).words_ == ["win", "tea"]
    assert TextCnnEncoder(**usual, min_count=8).fit(texts, y).words_ == ["win", "tea", "now"]
    # No word at all has a vector of its own.
    bare = TextCnnEncoder(**usual, min_count=99).fit(texts, y)
    assert bare.words_ == []
    again = clone(bare).set_state(bare.get_state())
    assert np.array_equal(again.transform(texts), bare.transform(texts))


def test_a_vocabulary_that_would_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "memory_limit", lambda: 8 * 48 * 4)
    with pytest.raises(DataError) as caught:
        TextCnnEncoder(**SMALL).fit(*orders(300))
    assert str(caught.value) == (
        "text-cnn: training vectors of 8 words with 8 numbers each takes 3 KiB, and 2 KiB, half "
        "of the memory, may be used. Set max_words to 4 at most, or word_dimension to 4 at most."
    )
    assert "48 bytes x words x word_dimension" in str(
        TextCnnSettings.model_fields["max_words"].description
    )


def test_the_same_seed_gives_the_same_vectors_and_another_one_others(
    fitted: TextCnnEncoder,
) -> None:
    X, y = orders(300)
    again = clone(fitted).fit(X, y)
    assert np.array_equal(again.transform(X), fitted.transform(X))
    assert again.history_ == fitted.history_
    other = TextCnnEncoder(**{**SMALL, "seed": 1, "epochs": 1}).fit(X, y)
    assert not np.allclose(other.transform(X), fitted.transform(X))


def test_saved_and_loaded_is_the_same_bit_for_bit(fitted: TextCnnEncoder) -> None:
    X = [*orders(30, seed=2)[0], *ODD]
    state = fitted.get_state()
    kept = State({name: own.copy() for name, own in state.arrays.items()}, dict(state.meta))
    again = TextCnnEncoder(**SMALL).set_state(kept)
    assert np.array_equal(again.transform(X), fitted.transform(X))
    assert again.classes_.tolist() == ["dog", "man"]
    assert again.history_ == fitted.history_
    assert again.words_ == fitted.words_
    with pytest.raises(DataError, match="do not fit the settings"):
        TextCnnEncoder(**{**SMALL, "dimension": 9}).set_state(state)


@pytest.mark.parametrize("loss", ["supervised-contrastive", "triplet", "info-nce"])
def test_contrastive_losses_bring_texts_of_a_class_together(loss: Any) -> None:
    texts, y = orders(200)
    X = TextCnnEncoder(**SMALL, loss=loss).fit(texts, y).transform(texts).astype(np.float64)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    cosines, alike = X @ X.T, y[:, None] == y[None, :]
    assert cosines[alike].mean() > cosines[~alike].mean() + 0.5


class Kept:
    """Checkpoints in memory; the process dies after so many savings."""

    def __init__(self, dies_after: int) -> None:
        self.states: dict[str, State] = {}
        self.n_saved, self.dies_after = 0, dies_after

    def load(self, key: str) -> State | None:
        return self.states.get(key)

    def save(self, key: str, state: State) -> None:
        self.states[key] = state
        self.n_saved += 1
        if self.n_saved == self.dies_after:
            raise KeyboardInterrupt

    def drop(self, key: str) -> None:
        self.states.pop(key, None)


def test_training_that_was_killed_goes_on_to_the_same_vectors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keeping, "PACE", keeping.Pace(0, 0))
    X, y = orders(120)
    settings: dict[str, Any] = {**SMALL, "epochs": 6, "patience": 6}
    encoder, kept = TextCnnEncoder(**settings), Kept(3)
    encoder.checkpoints = kept
    with pytest.raises(KeyboardInterrupt):
        encoder.fit(X, y)
    assert len(kept.states) == 1
    other = TextCnnEncoder(**settings)
    other.checkpoints = kept
    other.fit([*X[:-1], "see you"], y)
    assert len(kept.states) == 1  # other texts do not go on from there
    encoder.fit(X, y)
    assert kept.states == {}
    whole = TextCnnEncoder(**settings).fit(X, y)
    assert np.array_equal(encoder.transform(X), whole.transform(X))


def test_no_batch_is_a_single_text_of_many_rare_classes() -> None:
    y = np.arange(35) % 7
    X = [f"word{label} and more" for label in y]
    own = {**SMALL, "epochs": 20, "loss": "triplet", "batch_size": 4}
    encoder = TextCnnEncoder(**own).fit(X, y.astype(str))
    assert np.isfinite(encoder.transform(X)).all()


class Watched(Silent):
    def __init__(self) -> None:
        self.total: float | None = None

    def stage(self, name: str, total: float | None = None) -> Any:
        assert name == "training text-cnn"
        self.total = total
        return super().stage(name, total)


def test_epochs_are_told() -> None:
    encoder = TextCnnEncoder(**{**SMALL, "epochs": 2})
    encoder.progress = watched = Watched()
    encoder.fit(*orders(40))
    assert watched.total == 2
    assert len(encoder.history_.epochs) == 2
    assert not {"progress", "checkpoints"} & set(encoder.get_params())


def test_equal_texts_are_not_parted_between_training_and_what_is_held_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trained = import_module("widemargin.encoders.training.trained")
    seen: dict[str, Any] = {}
    train = trained.train_network

    def watched(*given: Any, **named: Any) -> Any:
        seen.update(named)
        return train(*given, **named)

    monkeypatch.setattr(trained, "train_network", watched)
    texts = ["See you", "see  YOU", "see you", "win"]
    TextCnnEncoder(**{**SMALL, "epochs": 1, "min_count": 1}).fit(texts, ["a", "a", "b", "b"])
    # Equal texts of two classes are of two groups.
    assert seen["groups"].tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize(
    ("y", "says"),
    [
        ([0.5, 1.5], "text-cnn learns classes, and the target is a number"),
        (["a", "a"], "the training rows have 1"),
        (["a"], "got 1 for 2 texts"),
        (None, "got 0 for 2 texts"),
    ],
)
def test_what_teaches_no_classes_is_refused(y: Any, says: str) -> None:
    with pytest.raises(DataError, match=says):
        TextCnnEncoder(**SMALL).fit(["win", "cash"], y)


def test_what_is_not_fitted_says_so() -> None:
    for ask in (lambda: TextCnnEncoder().transform(["win"]), TextCnnEncoder().get_state):
        with pytest.raises(NotFittedError):
            ask()


def test_only_word_vectors_of_glove_need_the_asset(tmp_path: Any, monkeypatch: Any) -> None:
    given = TextCnnSettings.model_validate_json('{"vectors": "glove-6b-50d"}')
    assert [asset.name for asset in TEXT_CNN.assets_for(given)] == ["glove-6b-50d"]
    assert TEXT_CNN.assets_for(TextCnnSettings()) == ()
    with pytest.raises(ValueError, match="the vectors of glove-6b-50d have 50 numbers"):
        TextCnnSettings.model_validate_json('{"vectors": "glove-6b-50d", "word_dimension": 40}')
    monkeypatch.setenv("WIDEMARGIN_HOME", str(tmp_path))
    with pytest.raises(AssetError, match="`widemargin data fetch glove-6b-50d`"):
        TextCnnEncoder(vectors="glove-6b-50d").fit(*orders(10))


def test_word_vectors_begin_as_gloves_where_it_is_asked_for(monkeypatch: Any) -> None:
    if any(finding.state != "ok" for finding in verify(GLOVE_ASSET, data_home())):
        pytest.skip("run `widemargin data fetch glove-6b-50d`")
    texts, y = orders(40)
    usual: dict[str, Any] = {**SMALL, "word_dimension": 50, "epochs": 1, "min_count": 1}
    usual |= {"learning_rate": 1e-12, "vectors": "glove-6b-50d"}
    encoder = TextCnnEncoder(**usual).fit([*texts, "qqzzx"], [*y, "dog"])
    row = 1 + encoder.unknown + encoder.words_.index("dog")
    dog = PretrainedGlove().source().vector("dog")
    assert dog is not None
    np.testing.assert_allclose(encoder.network_.words.weight.detach().numpy()[row], dog, atol=1e-6)
    # What is saved needs GloVe's files no more.
    monkeypatch.setenv("WIDEMARGIN_HOME", "/nowhere")
    again = TextCnnEncoder(**usual).set_state(encoder.get_state())
    assert np.array_equal(again.transform(texts), encoder.transform(texts))


def test_texts_that_glove_knows_nothing_of_are_refused() -> None:
    if any(finding.state != "ok" for finding in verify(GLOVE_ASSET, data_home())):
        pytest.skip("run `widemargin data fetch glove-6b-50d`")
    with pytest.raises(DataError, match="glove-6b-50d knows none of the words"):
        TextCnnEncoder(vectors="glove-6b-50d").fit(["qqzzx qqzzx", "zzxqq zzxqq"], ["a", "b"])


def test_the_settings_are_those_of_the_encoder() -> None:
    built = TEXT_CNN.build(TextCnnSettings())
    assert isinstance(built, TextCnnEncoder)
    assert built.get_params() == TextCnnEncoder().get_params()
    assert TextCnnSettings().model_dump() == TextCnnEncoder().get_params()
    own = TextCnnSettings.model_validate_json('{"widths": [1, 3], "loss": "triplet"}')
    assert own.widths == (1, 3)
    assert TextCnnSettings.model_validate_json(own.model_dump_json()) == own
    assert TEXT_CNN.trains
    assert TEXT_CNN.learns == "y"
