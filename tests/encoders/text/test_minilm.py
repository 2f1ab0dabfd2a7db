from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from widemargin.contracts import Asset
from widemargin.encoders.store import EmbeddingStore
from widemargin.encoders.text import minilm as module
from widemargin.encoders.text.minilm import (
    MINILM,
    MINILM_ASSET,
    MINILM_ONNX_ASSET,
    MinilmEncoder,
    MinilmSettings,
)
from widemargin.encoders.weights import weights_folder
from widemargin.errors import AssetError, DataError
from widemargin.native.bert import PackedBert

TEXTS = (
    "He sat on the bank of the river.",
    "She took the money to the bank.",
    "",
    "a",
    "WINNER!! Claim your £900 prize now, call 09061701461",
    "Zürich 東京 \U0001f600 e\u0301",
    "word " * 900,
)


@pytest.fixture
def weights() -> Path:
    return _folder(MINILM_ASSET)


@pytest.fixture
def onnx_weights(weights: Path) -> Path:
    pytest.importorskip("onnxruntime")
    return _folder(MINILM_ONNX_ASSET)


def _folder(asset: Asset) -> Path:
    pytest.importorskip("tokenizers")
    try:
        return weights_folder(asset)
    except AssetError:
        pytest.skip(f"needs: widemargin data fetch {asset.name}")


def cosines(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((left * right).sum(axis=1))


def test_settings_choose_the_assets() -> None:
    assert MINILM.assets_for(MinilmSettings()) == (MINILM_ASSET,)
    assert MINILM.assets_for(MinilmSettings(weights="onnx")) == (MINILM_ASSET, MINILM_ONNX_ASSET)


@pytest.mark.parametrize(
    ("field", "value"),
    [("weights", "int8"), ("pooling", "min"), ("max_length", 2), ("max_length", 513)],
)
def test_settings_outside_the_rules_are_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        MinilmSettings.model_validate({field: value})


def test_vectors_of_other_settings_never_meet_in_the_store() -> None:
    encoders = [
        MinilmEncoder(),
        MinilmEncoder(weights="onnx"),
        MinilmEncoder(arithmetic="float32"),
        MinilmEncoder(pooling="cls"),
        MinilmEncoder(max_length=128),
    ]
    assert len({json.dumps(encoder.identity()) for encoder in encoders}) == len(encoders)
    assert encoders[0].weights_hash() != encoders[1].weights_hash()


def test_vectors_of_other_engines_never_meet_in_the_store(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    encoders = [MinilmEncoder(), MinilmEncoder(arithmetic="float32")]
    here = [encoder.identity() for encoder in encoders]
    onnx = MinilmEncoder(weights="onnx").identity()
    assert onnx["engine"] == "onnxruntime"
    monkeypatch.setattr(PackedBert, "instructions", lambda: "of another processor")
    assert MinilmEncoder(weights="onnx").identity() == onnx
    if PackedBert.serves(384, 1536):
        assert [encoder.identity()["engine"] for encoder in encoders] == [
            "of another processor"
        ] * 2
    monkeypatch.setattr(PackedBert, "serves", lambda d, inner: False)
    assert [encoder.identity()["engine"] for encoder in encoders] == ["numpy"] * 2
    assert all(one != encoder.identity() for one, encoder in zip(here, encoders, strict=True))


def test_absent_weights_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIDEMARGIN_HOME", str(tmp_path))
    with pytest.raises(AssetError, match="minilm"):
        MinilmEncoder().transform(["text"])


def test_every_text_has_a_vector_of_length_one(weights: Path) -> None:
    vectors = MinilmEncoder().transform(TEXTS)
    assert vectors.shape == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_float32_vectors_are_those_of_sentence_transformers(weights: Path) -> None:
    own = MinilmEncoder(arithmetic="float32").transform(TEXTS)
    assert cosines(own, _peer(weights, TEXTS)).min() > 0.999999


def test_bfloat16_vectors_are_close_to_those_of_sentence_transformers(weights: Path) -> None:
    found = cosines(MinilmEncoder().transform(TEXTS), _peer(weights, TEXTS))
    assert found.mean() > 0.9999
    assert found.min() > 0.999


def test_onnx_vectors_are_close_to_those_of_sentence_transformers(onnx_weights: Path) -> None:
    texts = [text for text in TEXTS if len(text) > 1]
    own = MinilmEncoder(weights="onnx").transform(texts)
    peer = _peer(_folder(MINILM_ASSET), texts)
    assert cosines(own, peer).min() > 0.995


def _peer(folder: Path, texts: Sequence[str]) -> NDArray[np.float32]:
    """Pool as sentence_transformers does, on transformers' own model."""
    torch = pytest.importorskip("torch")
    from widemargin.encoders.images.torchvision_shim import ensure_torchvision_operators

    ensure_torchvision_operators()
    transformers = pytest.importorskip("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    model = transformers.AutoModel.from_pretrained(str(folder), local_files_only=True).eval()
    given = tokenizer(
        list(texts), padding=True, truncation=True, max_length=256, return_tensors="pt"
    )
    with torch.inference_mode():
        states = model(**given).last_hidden_state
    mask = given["attention_mask"].unsqueeze(-1)
    vectors = (states * mask).sum(dim=1) / mask.sum(dim=1)
    return np.asarray(torch.nn.functional.normalize(vectors).numpy())


def test_a_word_has_another_vector_in_another_sentence(weights: Path) -> None:
    encoder = MinilmEncoder(arithmetic="float32")
    river, money = (dict(encoder.word_vectors(text))["bank"] for text in TEXTS[:2])
    again = dict(encoder.word_vectors(TEXTS[0]))["bank"]
    assert (river == again).all()
    cosine = river @ money / np.linalg.norm(river) / np.linalg.norm(money)
    assert cosine < 0.95


def test_words_come_back_as_they_stand_in_the_text(weights: Path) -> None:
    found = MinilmEncoder().word_vectors("Unaffable Zürich, now!")
    assert [word for word, _ in found] == ["Unaffable", "Zürich", ",", "now", "!"]
    assert all(vector.shape == (384,) for _, vector in found)


def test_a_text_is_cut_at_the_longest(weights: Path) -> None:
    encoder = MinilmEncoder(max_length=12)
    long, short = encoder.transform(["word " * 900, "word " * 10])
    assert (long == short).all()
    assert len(encoder.word_vectors("word " * 900)) == 10


def test_half_a_surrogate_pair_is_read_as_a_question_mark(weights: Path) -> None:
    broken, mended = MinilmEncoder().transform(["see \ud800 you", "see ? you"])
    assert (broken == mended).all()


def test_the_first_token_and_the_greatest_differ_from_the_mean(weights: Path) -> None:
    mean, first, greatest = (
        MinilmEncoder(pooling=pooling).transform(["see you at five"])[0]
        for pooling in ("mean", "cls", "max")
    )
    assert mean @ first < 0.999
    assert mean @ greatest < 0.999


def test_vectors_do_not_depend_on_the_texts_beside_them(onnx_weights: Path) -> None:
    for encoder, tolerance in ((MinilmEncoder(), 0.0), (MinilmEncoder(weights="onnx"), 1e-5)):
        together = encoder.transform(TEXTS)
        alone = np.concatenate([encoder.transform([text]) for text in TEXTS])
        np.testing.assert_allclose(alone, together, rtol=0, atol=tolerance)


def test_the_store_gives_back_the_same_vectors(weights: Path, tmp_path: Path) -> None:
    encoder = MinilmEncoder()
    expected = encoder.transform(TEXTS)
    encoder.store = EmbeddingStore(tmp_path)
    assert (encoder.transform(TEXTS) == expected).all()
    encoder.encode = None  # type: ignore[method-assign,assignment]  # all are in the store
    assert (encoder.transform(TEXTS[::-1]) == expected[::-1]).all()


def test_a_damaged_tokenizer_is_named(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "minilm"
    shutil.copytree(weights, folder)
    (folder / "tokenizer.json").write_text("{", encoding="utf-8")
    monkeypatch.setattr(module, "weights_folder", lambda asset: folder)
    with pytest.raises(DataError, match=r"tokenizer\.json: is no readable tokenizer"):
        MinilmEncoder(max_length=99).transform(["text"])


def test_a_damaged_onnx_model_is_named(
    onnx_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = weights_folder(MINILM_ASSET)
    (tmp_path / "model.onnx").write_bytes(b"no model")
    monkeypatch.setattr(
        module,
        "weights_folder",
        lambda asset: tmp_path if asset is MINILM_ONNX_ASSET else tokenizer,
    )
    with pytest.raises(DataError, match=r"model\.onnx: is no readable ONNX model"):
        MinilmEncoder(weights="onnx").transform(["text"])


def test_neither_torch_nor_transformers_is_imported(weights: Path) -> None:
    script = (
        "import sys; from widemargin.encoders.text.minilm import MinilmEncoder; "
        "MinilmEncoder().transform(['text']); "
        "print([name for name in sys.argv[1:] if name in sys.modules])"
    )
    words = [sys.executable, "-c", script, "torch", "transformers", "onnxruntime", "sklearn"]
    said = subprocess.run(words, capture_output=True, text=True, check=True, env={**os.environ})
    assert said.stdout.strip() == "[]"


def test_the_licence_and_the_size_are_told() -> None:
    assert MINILM.licence == "Apache-2.0"
    assert MINILM.dimension == MinilmEncoder().dimension == 384
    assert replace(MINILM).extra == "text"
