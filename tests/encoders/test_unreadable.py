"""Items that cannot be read: all are named at once, by whichever encoder of files."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from widemargin.contracts import EncoderSpec, Silent
from widemargin.encoders import ENCODERS, EmbeddingStore, FrozenEncoder, JoinedEncoders
from widemargin.encoders.items import texts_of
from widemargin.errors import AssetError, DataError, InputError, ItemsError
from widemargin.testing.encoder_samples import sample_of

OF_FILES = [spec for spec in ENCODERS if set(spec.kinds) & {"image", "audio"}]


QUICK = {
    "cnn": {"epochs": 1, "size": 8},
    "logmel-cnn": {"epochs": 1},
}


class Words(FrozenEncoder):
    """Refuses a batch that holds a bad word, and does not say which it is."""

    name = "words"
    chunk = 4

    def __init__(self) -> None:
        self.asked: list[int] = []

    @property
    def dimension(self) -> int:
        return 1

    def items(self, X: Any) -> list[Any]:
        return texts_of(X)

    def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
        self.asked.append(len(items))
        for item in items:
            if item.startswith("bad"):
                raise DataError(f"{item}: is no word.")
        return np.array([[len(item)] for item in items], dtype=np.float32)


def some_items(spec: EncoderSpec, folder: Path) -> tuple[list[Any], list[int]]:
    """Return items with a torn file, a copy of it, an empty and an absent one among them."""
    sample = sample_of(spec.kinds[0])
    items = list(next(iter(sample.columns.values())))[:8]
    for name, content in {"torn": b"no file", "copy": b"no file", "empty": b""}.items():
        (folder / name).write_bytes(content)
    for row, name in {1: "torn", 4: "copy", 5: "empty", 7: "absent"}.items():
        items[row] = folder / name
    return items, [1, 4, 5, 7]


@pytest.mark.parametrize("spec", OF_FILES, ids=lambda spec: spec.name)
def test_every_encoder_of_files_names_all_that_it_cannot_read(
    spec: EncoderSpec, make_model: Callable[[str], Mapping[str, Any]], tmp_path: Path
) -> None:
    if spec.name == "resnet50":
        pytest.skip("the class of torchvision with one network; its weights are a user's own")
    given = make_model(spec.name)
    settings = spec.settings.model_validate_json(json.dumps({**given, **QUICK.get(spec.name, {})}))
    items, bad = some_items(spec, tmp_path)
    encoder = spec.build(settings)
    joined: Any = JoinedEncoders([("one", ("x",), encoder)])
    joined.use(EmbeddingStore(tmp_path / "store"), Silent())
    try:
        with pytest.raises(ItemsError) as caught:
            joined.check({"x": items})
    except AssetError as error:
        pytest.skip(str(error))
    assert list(caught.value.problems) == bad
    for row in bad:
        assert items[row].name in caught.value.problems[row]
    good = [item for row, item in enumerate(items) if row not in bad]
    labels = np.array(["a", "b"] * (len(good) // 2))
    joined.check({"x": good})
    joined.fit({"x": good}, labels)
    with pytest.raises(ItemsError) as caught:
        joined.transform({"x": items[3:]})
    assert list(caught.value.problems) == [1, 2, 4]


def test_an_encoder_that_does_not_say_which_item_it_was_is_asked_in_parts(tmp_path: Path) -> None:
    encoder = Words()
    encoder.store = EmbeddingStore(tmp_path)
    with pytest.raises(ItemsError) as caught:
        encoder.transform(["a", "bad1", "b", "c", "d", "bad2"])
    assert caught.value.problems == {1: "bad1: is no word.", 5: "bad2: is no word."}
    again = Words()
    again.store = encoder.store
    assert again.transform(["a", "b", "c", "d"]).tolist() == [[1]] * 4
    assert again.asked == []


def test_a_reason_that_all_items_share_is_not_asked_for_chunk_after_chunk() -> None:
    class Absent(Words):
        def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
            self.asked.append(len(items))
            raise DataError("words needs torch, which is not installed.")

    encoder = Absent()
    with pytest.raises(DataError) as caught:
        encoder.transform([str(number) for number in range(400)])
    assert str(caught.value) == "words needs torch, which is not installed."
    assert not isinstance(caught.value, ItemsError)
    assert sum(encoder.asked) <= 12


def test_joined_encoders_name_what_any_of_them_cannot_read() -> None:
    class Lower(Words):
        def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
            for item in items:
                if item.isupper():
                    raise DataError(f"{item}: is too loud.")
            return np.zeros((len(items), 1), dtype=np.float32)

    joined = JoinedEncoders([("one", ("x",), Words()), ("other", ("x",), Lower())])
    with pytest.raises(ItemsError) as caught:
        joined.check({"x": ["LOUD", "fine", "bad"]})
    assert caught.value.problems == {0: "LOUD: is too loud.", 2: "bad: is no word."}


def test_the_first_ten_are_named_and_the_rest_are_counted() -> None:
    error = ItemsError(dict.fromkeys(range(0, 26, 2), "is empty."), 1200)
    first, *lines, last = str(error.named([f"{n}.png" for n in range(26)], "picture")).splitlines()
    assert first == "13 of 1,200 pictures cannot be read:"
    assert lines[0] == "  0.png: is empty."
    assert lines[9:] == ["  18.png: is empty.", "  and 3 more."]
    assert last == "Mend them or leave them out, and give the command again."


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("/home/cats/1.png: is torn.", "/home/cats/1.png: is torn."),
        ("is torn.", "cats/1.png: is torn."),
    ],
)
def test_a_name_is_said_once(why: str, said: str) -> None:
    assert str(ItemsError({0: why}, 1, ["cats/1.png"])) == said


def test_the_error_can_be_copied_and_sent_to_another_process() -> None:
    error = ItemsError({1: "is torn."}, 3, ["a", "b", "c"], "picture")
    back = copy.copy(error)
    assert (str(back), back.problems, back.n_items) == (str(error), {1: "is torn."}, 3)
    assert isinstance(back, InputError)
