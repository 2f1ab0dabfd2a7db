from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from widemargin.encoders.text.bert_layers import BertLayer, BertWeights, forward, to_bfloat16
from widemargin.encoders.text.packed import PackedModel, pool
from widemargin.native import bert as native_bert
from widemargin.native import library
from widemargin.native.bert import PackedBert
from widemargin.native.jobs import at_most

needs_library = pytest.mark.skipif(library() is None, reason="there is no compiled library")


def made_up(d: int = 32, heads: int = 4, inner: int = 48, n_layers: int = 3) -> BertWeights:
    random = np.random.default_rng(7)

    def pair(n_out: int, n_in: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        weight = random.normal(size=(n_out, n_in)) / np.sqrt(n_in)
        return weight.astype(np.float32), random.normal(size=n_out).astype(np.float32)

    def norm() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        scale = 1 + random.normal(size=d) / 4
        return scale.astype(np.float32), random.normal(size=d).astype(np.float32)

    layers = tuple(
        BertLayer(
            query=pair(d, d),
            key=pair(d, d),
            value=pair(d, d),
            mix=pair(d, d),
            mix_norm=norm(),
            grow=pair(inner, d),
            shrink=pair(d, inner),
            shrink_norm=norm(),
        )
        for _ in range(n_layers)
    )
    words = random.normal(size=(50, d)).astype(np.float32)
    positions = random.normal(size=(70, d)).astype(np.float32)
    return BertWeights(words, positions, norm(), layers, heads, 1e-12)


def texts(*lengths: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    random = np.random.default_rng(3)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return random.integers(50, size=starts[-1]).astype(np.int32), starts


def model(weights: BertWeights, taken: tuple[int, ...], arithmetic: str = "float32") -> PackedModel:
    return PackedModel(weights, None, taken, arithmetic)  # type: ignore[arg-type]  # no tokenizer is needed


@pytest.fixture(params=["portable", "avx2", "avx512"])
def level(request: pytest.FixtureRequest) -> Iterator[str]:
    found = library()
    if found is None:
        pytest.skip("there is no compiled library")
    wanted = ["portable", "avx2", "avx512"].index(request.param)
    try:
        if found.wm_set_level(wanted) != wanted:
            pytest.skip(f"this processor has no {request.param}")
        yield request.param
    finally:
        found.wm_set_level(-1)


@pytest.mark.parametrize(
    ("d", "heads", "inner"), [(32, 4, 48), (48, 3, 96), (64, 1, 16), (48, 16, 32)]
)
@pytest.mark.parametrize("taken", [(3,), (0,), (1, 3)])
@pytest.mark.parametrize("arithmetic", ["float32", "bfloat16"])
def test_the_library_computes_what_the_formula_says(
    level: str, d: int, heads: int, inner: int, taken: tuple[int, ...], arithmetic: str
) -> None:
    weights = made_up(d, heads, inner)
    ids, starts = texts(1, 5, 70, 12, 13, 2, 33, 64)
    expected = forward(weights, ids, starts, taken, bfloat16=arithmetic == "bfloat16")
    packed = model(weights, taken, arithmetic)
    assert packed._packed is not None
    states = packed._packed.states(ids, starts, taken)
    # A sum that differs in its last digit may be rounded to the next bfloat16 number.
    tolerance = 2e-5 if arithmetic == "float32" else 5e-2
    np.testing.assert_allclose(states, expected, rtol=0, atol=tolerance)
    assert np.abs(states - expected).mean() < tolerance / 10
    for pooling in ("mean", "cls", "max"):
        own = packed._packed.pooled(ids, starts, pooling, taken)
        parts = [pool(states[a:b], pooling) for a, b in pairwise(starts)]
        np.testing.assert_allclose(own, np.stack(parts), rtol=1e-5, atol=1e-5)


def test_rounding_to_bfloat16_changes_little_and_something() -> None:
    weights = made_up()
    ids, starts = texts(9, 14)
    exact = forward(weights, ids, starts, [3])
    rounded = forward(weights, ids, starts, [3], bfloat16=True)
    cosines = (exact * rounded).sum(axis=1)
    cosines /= np.linalg.norm(exact, axis=1) * np.linalg.norm(rounded, axis=1)
    assert 1e-7 < 1 - cosines.min() < 1e-3


def test_bfloat16_rounds_half_to_even() -> None:
    half = np.array([1 + 2**-8, 1 + 3 * 2**-8, -1 - 2**-8], dtype=np.float32)
    assert to_bfloat16(half).tolist() == [1.0, 1 + 2**-6, -1.0]


@needs_library
@pytest.mark.parametrize("arithmetic", ["float32", "bfloat16"])
def test_a_text_has_the_same_vector_whatever_is_encoded_with_it(arithmetic: str) -> None:
    packed = model(made_up(), (3,), arithmetic)
    ids, starts = texts(*([7, 30, 2, 51] * 20))
    each = [ids[a:b].tolist() for a, b in pairwise(starts)]
    together = packed.pooled(each, "mean")
    with at_most(1):
        assert (packed.pooled(each, "mean") == together).all()
    alone = np.concatenate([packed.pooled([one], "mean") for one in each])
    assert (alone == together).all()
    backwards = packed.pooled(each[::-1], "mean")[::-1]
    assert (backwards == together).all()


def test_numpy_does_the_work_where_there_is_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = made_up()
    each = [[1, 2, 3], [4], [5, 6, 7, 8] * 10]
    expected = model(weights, (2, 3)).pooled(each, "max")
    monkeypatch.setattr(native_bert, "library", lambda: None)
    fallback = model(weights, (2, 3))
    assert fallback._packed is None
    np.testing.assert_allclose(fallback.pooled(each, "max"), expected, atol=2e-5)
    states = model(weights, (2, 3)).states(each[2])
    np.testing.assert_allclose(pool(states, "max"), expected[2], atol=2e-5)


def test_a_length_that_the_library_does_not_take_is_left_to_numpy() -> None:
    weights = made_up(d=24, heads=2)
    packed = model(weights, (3,))
    assert packed._packed is None
    ids, starts = texts(5)
    assert (packed.states(ids.tolist()) == forward(weights, ids, starts, [3])).all()


def test_tokens_beyond_the_model_are_refused() -> None:
    from widemargin.errors import DataError

    with pytest.raises(DataError, match="tokens up to 50, and the model knows 50"):
        model(made_up(), (3,)).pooled([[3, 50]], "mean")


def test_a_tokenizer_that_makes_nothing_of_an_empty_text_is_refused() -> None:
    from widemargin.errors import DataError

    with pytest.raises(DataError, match="no token of an empty text"):
        model(made_up(), (3,)).pooled([[3], []], "mean")


def test_a_text_longer_than_the_position_table_is_refused() -> None:
    from widemargin.errors import DataError

    with pytest.raises(DataError, match="a text has 71 tokens, and the model has places for 70"):
        model(made_up(), (3,)).pooled([[3], [1] * 71], "mean")
    assert model(made_up(), (3,)).pooled([[1] * 70], "mean").shape == (1, 32)


def packed_arrays(
    d: int = 32, inner: int = 48
) -> tuple[list[NDArray[np.float32]], list[list[NDArray[np.float32]]]]:
    def ones(shape: int | tuple[int, ...]) -> NDArray[np.float32]:
        return np.ones(shape, dtype=np.float32)

    layer = [ones((3 * d, d)), ones(3 * d), ones((d, d)), ones(d), ones(d), ones(d)]
    layer += [ones((inner, d)), ones(inner), ones((d, inner)), ones(d), ones(d), ones(d)]
    return [ones((9, d)), ones((20, d)), ones(d), ones(d)], [layer, layer.copy()]


@needs_library
@pytest.mark.parametrize(
    ("heads", "d", "inner", "said"),
    [(0, 32, 48, "heads = 0"), (5, 32, 48, "heads = 5"), (2, 24, 48, "d = 24"), (2, 32, 40, "40")],
)
def test_the_door_to_the_library_refuses_wrong_sizes(
    heads: int, d: int, inner: int, said: str
) -> None:
    first, layers = packed_arrays(d, inner)
    with pytest.raises(ValueError, match=said):
        PackedBert(first, layers, heads=heads, eps=1e-5, bfloat16=False)


@needs_library
@pytest.mark.parametrize("place", range(12))
@pytest.mark.parametrize("number", [0, 1])
def test_the_door_to_the_library_refuses_arrays_of_other_shapes(number: int, place: int) -> None:
    first, layers = packed_arrays()
    layers[number][place] = layers[number][place][:-1]
    with pytest.raises(ValueError, match=r"has shape|must be multiples"):
        PackedBert(first, layers, heads=4, eps=1e-5, bfloat16=False)


@needs_library
def test_the_door_to_the_library_refuses_what_is_not_there() -> None:
    first, layers = packed_arrays()
    for own, each, said in [
        (first, [], "at least of one"),
        (first[:3], layers, "4 first arrays"),
        (first, [layers[0][:-1]], "12 of each layer"),
        ([first[0], first[1][:, :-1], *first[2:]], layers, "first, array 1"),
        ([first[2], *first[1:]], layers, "must be matrices"),
        ([first[0], first[1][:0], *first[2:]], layers, "at least one word and one position"),
    ]:
        with pytest.raises(ValueError, match=said):
            PackedBert(own, each, heads=4, eps=1e-5, bfloat16=False)


@needs_library
@pytest.mark.parametrize(
    ("ids", "starts", "said"),
    [
        ([1, 9], [0, 2], "ids must be from 0 to 8"),
        ([1, -1], [0, 2], "ids must be from 0 to 8"),
        ([1, 2], [0, 3], "starts must grow"),
        ([1, 2], [0, 2, 1], "starts must grow"),
        ([1, 2], [-1, 1], "starts must grow"),
        ([1] * 21, [0, 21], "a text has 21 tokens; 20 are allowed"),
    ],
)
def test_the_door_to_the_library_refuses_wrong_texts(
    ids: list[int], starts: list[int], said: str
) -> None:
    first, layers = packed_arrays()
    packed = PackedBert(first, layers, heads=4, eps=1e-5, bfloat16=False)
    with pytest.raises(ValueError, match=said):
        packed.states(np.array(ids, np.int32), np.array(starts, np.int64), [2])


@needs_library
def test_the_structure_is_mirrored_exactly() -> None:
    found = library()
    assert found is not None
    found.wm_size.restype = ctypes.c_int64
    assert found.wm_size(4) == ctypes.sizeof(native_bert._BertJob)


@needs_library
@pytest.mark.skipif(sys.platform == "win32", reason="sends an interrupt as Unix does")
def test_an_interrupt_stops_the_threads() -> None:
    code = """
import numpy as np, sys
from widemargin.native import jobs
from widemargin.native.bert import PackedBert

def told(futures, wait=jobs.wait):
    print("waiting", flush=True)
    return wait(futures)

d, inner = 768, 3072
z = lambda *shape: np.ones(shape, dtype=np.float32)
layer = [z(3*d, d), z(3*d), z(d, d), z(d), z(d), z(d), z(inner, d), z(inner), z(d, inner), z(d),
         z(d), z(d)]
packed = PackedBert([z(9, d), z(512, d), z(d), z(d)], [layer] * 12, heads=12, eps=1e-5,
                    bfloat16=False)
jobs.wait = told
try:
    packed.pooled(np.zeros(512 * 400, np.int32), np.arange(0, 512 * 401, 512), "mean", [12])
except KeyboardInterrupt:
    sys.exit(3)
"""
    words = [sys.executable, "-c", code]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "waiting\n"
            process.send_signal(signal.SIGINT)
            # The whole work takes minutes, and ends with another code.
            assert process.wait(timeout=1200) == 3
        finally:
            process.kill()
