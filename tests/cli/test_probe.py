"""The command probe."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from widemargin.contracts import EncoderSpec, Section
from widemargin.data.assets import data_home, verify
from widemargin.encoders.built_in import BUILT_IN
from widemargin.encoders.text.contextual import ContextualEncoder, ContextualModel, Pooling
from widemargin.encoders.text.glove import GLOVE_ASSET
from widemargin.encoders.text.words import words_of

VECTORS = {
    "king": (3, 2, 0, 0),
    "queen": (3, 0, 2, 0),
    "man": (0, 2, 0, 0.1),
    "woman": (0, 0, 2, 0.1),
    "prince": (2, 2, 0, 0.5),
    "guest": (0, 0.1, 0.2, 5),
    "visitor": (0, 0.2, 0.2, 5),
    "lemon": (0, 0, 0.1, -3),
    "lime": (0, 0.2, 0.1, -3),
    "bank": (1, 1, 1, -1),
}


@pytest.fixture
def vectors(tmp_path: Path) -> str:
    """Return the setting that names a small file of vectors."""
    path = tmp_path / "own.txt"
    lines = [" ".join([word, *map(str, numbers)]) for word, numbers in VECTORS.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return f"features.encoder.vectors={path}"


def settings(fixtures: Any, use_case: str, *more: str) -> list[str]:
    pairs = [f"data.{key}={value}" for key, value in fixtures[use_case].items()]
    return [word for pair in (*pairs, *more) for word in ("--set", pair)]


def widest(out: str) -> int:
    return max(map(len, out.splitlines()))


def test_given_vectors_are_probed_without_any_data(call: Any, vectors: str) -> None:
    said = call("probe", "word2vec", "--set", vectors, "--offline", "--word", "king")
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert "Words: word2vec" in lines
    assert "10 words; 4 numbers a word" in lines
    assert any(line.startswith("  king  prince 0.9") for line in lines)
    assert any(line.startswith("  king - man + woman  queen 0.9") for line in lines)
    assert any(line.split() == ["woman", "for", "man", "1", "100%", "100%"] for line in lines)
    assert any(line.split() == ["all", "1", "100%", "100%"] for line in lines)
    assert "59 not asked, for unknown words: Norway, Oslo, Portugal" in said.out
    assert "90 pairs left out, for unknown words: lawyer, attorney" in said.out
    assert "effective dimension" in said.out
    assert "Items:" not in said.out
    assert widest(said.out) <= 80


def test_json_has_every_number_and_word(call: Any, vectors: str) -> None:
    words = ["probe", "word2vec", "--set", vectors, "--json", "--analogy", "king - man + woman"]
    said = call(*words, "--word", "king", "--word", "Lemon", "--neighbours", "2")
    data = json.loads(said.out)
    assert data["encoder"] == "word2vec"
    assert data["items"] is None
    own = data["words"]
    assert [near["asked"] for near in own["neighbours"]] == ["king", "Lemon"]
    assert own["neighbours"][1]["found"][0][0] == "lime"
    assert len(own["neighbours"][0]["found"]) == 2
    assert own["answers"][0]["found"][0][0] == "queen"
    assert own["analogies"]["asked"] == own["analogies"]["first"] == 1
    assert own["analogies"]["left_out"] == 59
    assert len(own["similarity"]["pairs"]) == 2
    assert own["similarity"]["correlation"] is None
    assert len(own["similarity"]["unknown"]) > 100
    assert own["geometry"]["vectors"] == 10
    assert 1 < own["geometry"]["participation_ratio"] <= own["geometry"]["effective_rank"] <= 4


def test_a_table_has_one_vector_a_word_in_every_context(call: Any, vectors: str) -> None:
    words = ["probe", "word2vec", "--set", vectors]
    contexts = ["--context", "the bank of a king", "--context", "a bank for lemon"]
    said = call(*words, *contexts, "--word", "bank")
    assert said.code == 0, said.err
    assert "'bank' in 2 contexts" in said.out
    line = next(line for line in said.out.splitlines() if line.startswith("cosine of 1 and 2"))
    word, text = map(float, line.split()[-2:])
    assert word == 1
    assert text < 1
    assert "one vector a word" in said.out


def test_trained_vectors_are_trained_on_the_use_case(call: Any, fixtures: Any) -> None:
    pytest.importorskip("gensim")
    more = ("features.encoder.dimension=8", "features.encoder.epochs=2")
    said = call("probe", "word2vec", "spam", *settings(fixtures, "spam", *more))
    assert said.code == 0, said.err
    assert "trained on the texts of spam; 8 numbers a word" in said.out
    assert "Items: word2vec on spam" in said.out
    assert "same class" in said.out
    assert widest(said.out) <= 80
    # Without a name, spam's texts are taken, too.
    unnamed = call("probe", "word2vec", *settings(fixtures, "spam", *more))
    assert unnamed.out == said.out


def test_letters_give_unknown_words_a_vector_and_they_are_named(call: Any, fixtures: Any) -> None:
    pytest.importorskip("gensim")
    more = ("features.encoder.dimension=8", "features.encoder.epochs=1")
    arguments = ["probe", "fasttext", "spam", *settings(fixtures, "spam", *more)]
    said = call(*arguments, "--word", "freeest")
    assert said.code == 0, said.err
    assert "(an unknown word, made of its letters)" in " ".join(said.out.split())
    assert "unknown words made of their letters: " in said.out


def test_items_of_any_encoder_are_probed(call: Any, fixtures: Any) -> None:
    for encoder, use_case in (("hog", "pictures"), ("tfidf", "spam"), ("tabular", "table")):
        said = call("probe", encoder, use_case, *settings(fixtures, use_case))
        assert said.code == 0, said.err
        assert f"Items: {encoder} on {use_case}" in said.out
        assert "Words:" not in said.out
        assert "effective dimension" in said.out
        # A number that is predicted has no classes.
        assert ("same class" in said.out) == (use_case != "table")
        assert widest(said.out) <= 80


def test_neighbours_of_an_item_are_listed_with_class_and_cosine(call: Any, fixtures: Any) -> None:
    arguments = ["probe", "hog", "pictures", *settings(fixtures, "pictures"), "--json"]
    data = json.loads(call(*arguments).out)["items"]
    assert {own["label"] for own in data["neighbours"]} == {"spots", "stripes"}
    name = data["neighbours"][1]["neighbours"][0]["id"]
    data = json.loads(call(*arguments, "--item", name, "--neighbours", "3").out)["items"]
    [own] = data["neighbours"]
    assert own["id"] == name
    assert [near["label"] for near in own["neighbours"]] == ["stripes"] * 3
    cosines = [near["cosine"] for near in own["neighbours"]]
    assert cosines == sorted(cosines, reverse=True)
    assert data["purity"]["k"] == 3
    assert data["purity"]["share"] > data["purity"]["chance"]
    assert sum(own["items"] for own in data["purity"]["classes"]) == data["items"] == 24


def test_at_most_a_sample_of_the_items_is_looked_at(call: Any, fixtures: Any) -> None:
    arguments = ["probe", "tfidf", "spam", *settings(fixtures, "spam"), "--sample", "10"]
    data = json.loads(call(*arguments, "--json").out)["items"]
    assert data["items"] == data["geometry"]["vectors"] == 10
    assert data["of"] > 10
    assert f"10 of {data['of']:,} items, drawn at random" in call(*arguments).out


def test_what_learns_of_labels_is_probed_on_other_items(call: Any) -> None:
    arguments = ["probe", "tabular", "table", "--set", "data.source=breast-cancer", "--json"]
    seen = json.loads(call(*arguments).out)["items"]
    assert (seen["held_out"], seen["items"]) == (False, seen["of"])
    learnt = ["--set", "features.encoder.numbers=weight-of-evidence"]
    unseen = json.loads(call(*arguments, *learnt).out)["items"]
    assert unseen["held_out"]
    assert unseen["items"] == pytest.approx(unseen["of"] / 5, abs=1)
    shown = call(*arguments[:-1], *learnt).out
    assert "items, that it did not learn from" in " ".join(shown.split())


class Turning(ContextualEncoder):
    """A word's vector is turned by the number of words before it."""

    name = "turning"

    @property
    def dimension(self) -> int:
        return 3

    def _model(self) -> ContextualModel:
        raise NotImplementedError

    def _pooling(self) -> Pooling:
        return "mean"

    def trainable(self) -> Any:
        raise NotImplementedError

    def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
        made = [[len(text), text.count("e"), ord(text[0]) % 7 + 1] for text in items]
        return np.array(made, dtype=np.float32).reshape(-1, 3)

    def word_vectors(self, text: str) -> list[tuple[str, NDArray[np.float32]]]:
        every = words_of(text)
        return [(word, np.array([at, 1, 0], np.float32)) for at, word in enumerate(every)]


class NoSettings(Section):
    pass


@pytest.fixture
def turning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Register the encoder, with a data home of its own."""
    monkeypatch.setenv("WIDEMARGIN_HOME", str(tmp_path / "home"))
    spec = EncoderSpec(
        name="turning",
        summary="turns",
        kinds=("text",),
        learns="nothing",
        settings=NoSettings,
        build=lambda _: Turning(),
        dimension=3,
    )
    monkeypatch.setitem(BUILT_IN, "turning", spec)


@pytest.mark.usefixtures("turning")
def test_a_contextual_encoder_has_another_vector_in_another_context(call: Any) -> None:
    said = call("probe", "turning", "--context", "Bank on me", "--context", "my bank")
    assert said.code == 0, said.err
    line = next(line for line in said.out.splitlines() if line.startswith("cosine of 1 and 2"))
    assert float(line.split()[-2]) == pytest.approx(np.sqrt(0.5), abs=0.006)
    bundled = call("probe", "turning")
    assert "the same meaning  another meaning" in bundled.out
    assert "words, each read as a text of its own; 3 numbers a word" in bundled.out
    assert widest(bundled.out) <= 80


@pytest.mark.usefixtures("turning")
def test_a_use_case_adds_its_words_and_items_to_a_pretrained_encoder(
    call: Any, fixtures: Any
) -> None:
    alone = json.loads(call("probe", "turning", "--json").out)
    both = json.loads(
        call("probe", "turning", "spam", *settings(fixtures, "spam"), "--json", "-q").out
    )
    assert alone["items"] is None
    assert both["items"]["use_case"] == "spam"
    assert both["words"]["looked_at"] > alone["words"]["looked_at"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nothing"], "There is no encoder 'nothing'"),
        (["glov"], "Did you mean 'glove'?"),
        (["hog"], "hog reads image; name a use case"),
        (["hog", "nope"], "There is no use case 'nope'"),
        (["word2vec", "--analogy", "king-man"], "as in 'king - man + woman'"),
        (["word2vec", "--analogy", ""], "not a sum of two words"),
        (["word2vec", "--word", " "], "--word is empty"),
        (["word2vec", "--context", "one"], "--context is given once"),
        (["word2vec", "--context", "one", "--context", ""], "--context is empty"),
        (["word2vec", "--context", "a b", "--context", "c d"], "share no word"),
        (["tfidf", "--word", "king"], "tfidf has no vectors of words, which --word is about"),
        (["tfidf", "--analogy", "a + b"], "which --analogy is about"),
        (["tfidf", "--context", "a bat", "--context", "bat"], "which --context is about"),
        (["tfidf", "--neighbours", "0"], "--neighbours"),
        (["tfidf", "--set", "features.encoder=[tfidf, lsa]"], "probe is about one encoder"),
        (["tfidf", "--set", "features.encoder.nope=1"], "features.encoder.nope: unknown setting"),
        ([], "Missing argument 'ENCODER'"),
    ],
)
def test_what_cannot_be_asked_is_told_with_the_remedy(
    call: Any, words: list[str], says: str
) -> None:
    said = call("probe", *words)
    assert said.code == 2
    assert says in " ".join(said.err.split())
    assert said.out == ""


def test_words_that_a_file_does_not_have_are_named(call: Any, vectors: str) -> None:
    said = call("probe", "word2vec", "--set", vectors, "--word", "quean", "--word", "zebra")
    assert said.code == 2
    assert "no vector of 'quean', 'zebra' (its vocabulary has 10 words)" in said.err
    assert "Did you mean 'queen'?" in said.err
    said = call("probe", "word2vec", "--set", vectors, "--analogy", "king - zebra")
    assert said.code == 2
    assert "no vector of 'zebra'" in said.err


def test_items_are_asked_for_where_there_are_some(call: Any, vectors: str, fixtures: Any) -> None:
    said = call("probe", "word2vec", "--set", vectors, "--item", "3")
    assert said.code == 2
    assert "name one behind the encoder, as in `widemargin probe word2vec spam`" in said.err
    said = call("probe", "tfidf", "spam", *settings(fixtures, "spam"), "--item", "nope")
    assert said.code == 2
    assert "there is no item 'nope' among the" in said.err


def test_kinds_that_do_not_fit_are_told(call: Any, fixtures: Any) -> None:
    said = call("probe", "hog", "spam", *settings(fixtures, "spam"))
    assert said.code == 2
    assert "hog reads image" in said.err


def test_published_vectors_know_the_bundled_words(call: Any) -> None:
    if any(finding.state != "ok" for finding in verify(GLOVE_ASSET, data_home())):
        pytest.skip("needs `widemargin data fetch glove-6b-50d`")
    data = json.loads(call("probe", "glove", "--offline", "--json").out)["words"]
    assert data["answers"][0]["found"][0][0] == "queen"
    assert data["analogies"]["left_out"] == len(data["analogies"]["unknown"]) == 0
    # What the screen says that pretrained vectors reach.
    assert data["analogies"]["first"] / data["analogies"]["asked"] > 0.6
    assert 0.7 < data["similarity"]["correlation"] < 0.85
    assert data["similarity"]["left_out"] == 0
