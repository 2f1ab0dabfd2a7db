"""Encoders that learn nothing: equal items once, kept vectors, the same answers either way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from widemargin.encoders import EmbeddingStore, FrozenEncoder, State
from widemargin.encoders.items import column_of, content_key, texts_of
from widemargin.errors import DataError


class Letters(FrozenEncoder):
    """Counts of three letters; remembers what it was asked for."""

    name = "letters"
    chunk = 2

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor
        self.asked: list[str] = []

    @property
    def dimension(self) -> int:
        return 3

    def items(self, X: Any) -> list[Any]:
        return texts_of(X)

    def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
        self.asked += items
        counts = [[self.factor * text.count(letter) for letter in "abc"] for text in items]
        return np.array(counts, dtype=np.float32)


class Broken(Letters):
    def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
        return np.full((len(items), 3), np.nan, dtype=np.float32)


@given(st.lists(st.text("abc", max_size=3), max_size=12))
def test_each_row_has_its_own_items_vector_however_often_it_occurs(texts: list[str]) -> None:
    encoder = Letters()
    rows = encoder.transform(texts)
    assert rows.shape == (len(texts), 3)
    assert rows.tolist() == [[text.count(letter) for letter in "abc"] for text in texts]
    assert sorted(encoder.asked) == sorted(set(texts))


def test_kept_vectors_are_not_computed_again(tmp_path: Path) -> None:
    first, second = Letters(), Letters()
    first.store = second.store = EmbeddingStore(tmp_path)
    before = first.transform(["a", "b", "a", "abc"])
    after = second.transform(["abc", "c", "a", "b"])
    assert second.asked == ["c"]
    assert np.array_equal(after[[2, 3, 0]], before[[0, 1, 3]])


def test_another_parameter_another_version_and_other_weights_are_kept_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = EmbeddingStore(tmp_path)

    def encoded(encoder: Letters) -> list[str]:
        encoder.store = store
        encoder.transform(["a"])
        return encoder.asked

    assert encoded(Letters()) == ["a"]
    assert encoded(Letters()) == []
    assert encoded(Letters(factor=2.0)) == ["a"]
    monkeypatch.setattr(Letters, "version", 2)
    assert encoded(Letters()) == ["a"]
    monkeypatch.setattr(Letters, "weights_hash", lambda self: "f" * 64)
    assert encoded(Letters()) == ["a"]
    assert encoded(Letters()) == []


def test_two_of_one_name_are_counted_apart(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path)
    for factor, texts in ((1.0, ["a", "b"]), (2.0, ["a", "b", "c"]), (1.0, ["a", "d", "e", "f"])):
        encoder = Letters(factor)
        encoder.store = store
        encoder.transform(texts)
    # What each asked for first; the second question of the first is not counted again.
    assert sorted(store.found.values()) == [(2, 0), (3, 0)]


def test_what_can_be_encoded_beside_an_item_that_fails_is_kept(tmp_path: Path) -> None:
    class Fails(Letters):
        def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
            if "bad" in items:
                raise DataError("bad: cannot be read.")
            return super().encode(items)

    encoder = Fails()
    encoder.store = EmbeddingStore(tmp_path)
    with pytest.raises(DataError, match="bad"):
        encoder.transform(["a", "b", "c", "bad"])
    again = Fails()
    again.store = encoder.store
    again.transform(["a", "b", "c", "d"])
    assert again.asked == ["d"]


def test_a_vector_that_is_not_finite_is_refused_and_not_kept(tmp_path: Path) -> None:
    encoder = Broken()
    encoder.store = EmbeddingStore(tmp_path)
    with pytest.raises(DataError, match="not finite"):
        encoder.transform(["a"])
    assert list(encoder.store.states()) == []


def test_other_weights_than_the_models_are_refused() -> None:
    state = Letters().get_state()
    assert isinstance(Letters().set_state(state), Letters)
    with pytest.raises(DataError, match="not those that the model was trained with"):
        Letters().set_state(State({}, {**state.meta, "weights": "0" * 64}))


def test_the_margin_of_numbers_without_words_is_one_piece() -> None:
    encoder, coef = Letters(), np.array([1.0, 2.0, 3.0])
    [[share]] = encoder.explain(["abcc"], coef)
    assert share.piece == "letters embedding"
    assert share.contribution == pytest.approx(9.0)


def test_what_makes_an_item_is_its_content(tmp_path: Path) -> None:
    one, other = tmp_path / "one.png", tmp_path / "other.png"
    one.write_bytes(b"same")
    other.write_bytes(b"same")
    assert content_key(one) == content_key(other) == content_key(b"same")
    assert content_key("same") != content_key(b"same")
    flat, wide = np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8)
    assert content_key(flat) != content_key(wide)
    assert content_key(flat) != content_key(flat.astype(np.int8))


@pytest.mark.parametrize("item", [None, 3.5, ["a"], np.array(["a"])])
def test_an_item_of_no_known_type_is_refused(item: Any) -> None:
    with pytest.raises(DataError, match="which no encoder reads"):
        content_key(item)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.png: cannot be read"):
        content_key(tmp_path / "gone.png")
    with pytest.raises(DataError, match=r"is a folder; name the files in it"):
        content_key(tmp_path)


def test_two_columns_of_pictures_are_refused() -> None:
    with pytest.raises(DataError, match="2 columns of kind image"):
        column_of({"front": ["a"], "back": ["b"]}, "image")
