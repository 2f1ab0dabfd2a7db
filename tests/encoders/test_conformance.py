"""Every registered encoder passes every check, and every check catches what it is for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from widemargin.contracts import EncoderSpec, Section, Share, State
from widemargin.encoders import FrozenEncoder
from widemargin.encoders.items import texts_of
from widemargin.encoders.transformer import Transformer
from widemargin.errors import AssetError, DataError
from widemargin.registry import discover
from widemargin.testing import (
    ConformanceError,
    EncoderCheck,
    check_encoder,
    check_encoder_clones,
    check_encoder_is_deterministic,
    check_encoder_learns,
    check_encoder_needs_no_network,
    check_encoder_odd_items,
    check_encoder_round_trip,
    check_encoder_rows_are_independent,
    check_encoder_shape,
    check_encoder_shares,
    encoder_checks,
)

ENCODERS = discover().encoders


@pytest.mark.parametrize("check", encoder_checks(), ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", sorted(ENCODERS))
def test_every_registered_encoder_conforms(
    check: EncoderCheck, name: str, make_model: Callable[[str], Mapping[str, Any]]
) -> None:
    if name == "resnet50":
        pytest.skip("the class of torchvision with one network; its weights are a user's own")
    spec, given = ENCODERS[name], make_model(name)
    settings = spec.settings.model_validate_json(json.dumps(given)) if given else None
    try:
        check(spec, settings)
    except AssetError as error:
        pytest.skip(str(error))


def test_the_kit_has_every_check_in_its_list() -> None:
    import widemargin.testing

    offered = {name for name in widemargin.testing.__all__ if name.startswith("check_encoder_")}
    assert {check.__name__ for check in encoder_checks()} == offered


def test_knowing_the_encoders_imports_no_heavy_library() -> None:
    script = (
        "import sys; from widemargin.registry import discover; "
        "from widemargin.config import describe; assert discover().encoders; "
        "print([name for name in sys.argv[1:] if name in sys.modules])"
    )
    heavy = "torch torchvision transformers tokenizers onnxruntime gensim PIL soundfile Bio sklearn"
    words = [sys.executable, "-c", script, *heavy.split(), "scipy", "pandas", "lmdb"]
    said = subprocess.run(words, capture_output=True, text=True, check=True, env={**os.environ})
    assert said.stdout.strip() == "[]"


class Lengths(FrozenEncoder):
    """Keeps every rule."""

    name = "lengths"

    @property
    def dimension(self) -> int:
        return 2

    def items(self, X: Any) -> list[Any]:
        return texts_of(X)

    def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
        return np.array([[len(text), text.count("e")] for text in items], dtype=np.float32)


class Settings(Section):
    pass


def spec(build: Callable[[], Any], **more: Any) -> EncoderSpec:
    whole = EncoderSpec(
        name="made",
        summary="made up",
        kinds=("text",),
        learns="nothing",
        settings=Settings,
        build=lambda settings: build(),
    )
    return replace(whole, **more)


def test_an_encoder_that_keeps_the_rules_passes() -> None:
    check_encoder(spec(Lengths))


class NotFinite(Lengths):
    def transform(self, X: Any) -> NDArray[np.float32]:
        return super().transform(X) / np.float32(0)


class Constant(Lengths):
    def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
        return np.ones((len(items), 2), dtype=np.float32)


class Drawn(Lengths):
    def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
        return np.random.default_rng().normal(size=(len(items), 2)).astype(np.float32)


class Padded(Lengths):
    def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
        longest = max(len(text) for text in items)
        return np.array([[len(text) / longest, 1] for text in items], dtype=np.float32)


class NoOddItems(Lengths):
    def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
        return np.array([[ord(text[0]), len(text)] for text in items], dtype=np.float32)


class Curt(Lengths):
    def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
        if "" in items:
            raise DataError("no")
        return super().encode(items)


class NoClone(Lengths):
    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor * 2

    def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
        return np.float32(self.factor) * super().encode(items)


class Learning(Transformer):
    """Divides lengths by the greatest one seen."""

    def fit(self, X: Any, y: Any = None) -> Learning:
        self.longest_ = max(map(len, texts_of(X)))
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        return np.array([[len(text) / self.longest_] for text in texts_of(X)]).reshape(-1, 1)

    def get_feature_names_out(self, input_features: Any = None) -> list[str]:
        return ["length"]

    def get_state(self) -> State:
        return State({}, {"longest": self.longest_})

    def set_state(self, state: State) -> Learning:
        self.longest_ = state.meta["longest"]
        return self

    def explain(self, X: Any, coef: NDArray[np.float64]) -> list[list[Share]]:
        return [[Share("length", float(value @ coef))] for value in self.transform(X)]


class Forgetful(Learning):
    def set_state(self, state: State) -> Learning:
        self.longest_ = 1
        return self


class Peeking(Learning):
    def fit(self, X: Any, y: Any = None) -> Learning:
        self.longest_ = 1 + sum(len(text) for text, own in zip(texts_of(X), y) if own == "odd")  # noqa: B905  # made to be wrong
        return self


class Loses(Learning):
    def explain(self, X: Any, coef: NDArray[np.float64]) -> list[list[Share]]:
        return [[Share("length", 0.0)] for _ in texts_of(X)]


class Calls(Lengths):
    def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
        import socket
        from contextlib import suppress

        with suppress(OSError):
            socket.getaddrinfo("weights.example", 443)
        return super().encode(items)


@pytest.mark.parametrize(
    ("check", "broken", "says"),
    [
        (check_encoder_shape, spec(NotFinite), "not finite"),
        (check_encoder_shape, spec(Constant), "same vector"),
        (check_encoder_shape, spec(Lengths, dimension=7), "where the spec says 7"),
        (check_encoder_is_deterministic, spec(Drawn), "they differ"),
        (check_encoder_rows_are_independent, spec(Padded), "alone"),
        (check_encoder_odd_items, spec(NoOddItems), "IndexError"),
        (check_encoder_odd_items, spec(Curt), "DataError"),
        (check_encoder_clones, spec(NoClone), "clone"),
        (check_encoder_round_trip, spec(Forgetful, learns="X"), "other vectors"),
        (check_encoder_learns, spec(Learning), "after fitting on other rows"),
        (check_encoder_learns, spec(Peeking, learns="X"), "after fitting on other labels"),
        (check_encoder_shares, spec(Loses, learns="X"), "other sums"),
        (check_encoder_needs_no_network, spec(Calls), "it asked for weights.example"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning", "ignore:invalid value")
def test_a_check_catches_what_it_is_for(
    check: EncoderCheck, broken: EncoderSpec, says: str
) -> None:
    with pytest.raises((ConformanceError, DataError)) as caught:
        check(broken)
    told = str(caught.value)
    if isinstance(caught.value, ConformanceError):
        assert says in told
        assert "Remedy:" in told


def test_an_encoder_that_learns_nothing_must_be_one_that_can_be_kept() -> None:
    class Fixed(Learning):
        def fit(self, X: Any, y: Any = None) -> Fixed:
            self.longest_ = 10
            return self

    with pytest.raises(ConformanceError, match="no FrozenEncoder"):
        check_encoder_learns(spec(Fixed))


def test_all_that_is_broken_is_told_at_once() -> None:
    with pytest.raises(ConformanceError) as caught:
        check_encoder(spec(Drawn))
    assert len(str(caught.value).splitlines()) >= 3
