"""ESM: transformers' own vectors of a small made-up model, whatever the batch and the length."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from widemargin.encoders.hub import model_folder
from widemargin.encoders.sequences import esm
from widemargin.encoders.sequences.esm import ESM, EsmEncoder, EsmSettings
from widemargin.encoders.store import EmbeddingStore
from widemargin.errors import DataError
from widemargin.testing.encoder_checks import check_encoder


@pytest.fixture(scope="module")
def folder(make_model: Callable[[str], Mapping[str, Any]]) -> Path:
    """A random model in the real format, as people fetch them."""
    return Path(make_model("esm")["model"])


def transformers_mean(folder: Path, text: str) -> Any:
    """Return the mean over residues as transformers alone gives it."""
    torch, transformers = import_module("torch"), import_module("transformers")
    tokenizer = transformers.EsmTokenizer(str(folder / "vocab.txt"))
    model = transformers.EsmModel.from_pretrained(folder, add_pooling_layer=False).eval()
    with torch.inference_mode():
        out = model(**tokenizer(text, return_tensors="pt"))
    return out.last_hidden_state[0, 1:-1].mean(0).numpy()


def test_vectors_are_the_means_of_transformers_own(folder: Path) -> None:
    texts = ["MKTAYIAKQRQISFVKSHFSRQ", "MK", "XBZUOACDEFGHIKLMNPQRSTVWY"]
    rows = EsmEncoder(str(folder)).transform(texts)
    assert rows.dtype == np.float32
    for row, text in zip(rows, texts, strict=True):
        np.testing.assert_allclose(row, transformers_mean(folder, text), rtol=1e-5, atol=1e-5)


def test_long_sequences_are_cut_into_windows_of_like_length(folder: Path) -> None:
    encoder = EsmEncoder(str(folder), max_length=10)
    text = "MKTAYIAKQRQISFVKSHFSRQL"
    parts = [text[:7], text[7:15], text[15:]]
    assert list(encoder._cut(text)) == parts
    means = [transformers_mean(folder, part) * len(part) for part in parts]
    expected = np.sum(means, axis=0) / len(text)
    np.testing.assert_allclose(encoder.transform([text])[0], expected, rtol=1e-5, atol=1e-5)


def test_batches_hold_a_budget_of_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(esm, "_TOKENS", 20)
    windows = list(enumerate("A" * size for size in (2, 3, 3, 3, 3, 3, 8, 30)))
    batches = [[row for row, _ in batch] for batch in esm._batches(windows)]
    assert batches == [[0], [1, 2, 3, 4], [5], [6], [7]]


def test_a_batch_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    texts = ["".join(random.choice(list("ACDEFGHIKL"), size)) for size in range(1, 60)]
    whole = EsmEncoder(str(folder)).transform(texts)
    monkeypatch.setattr(esm, "_TOKENS", 1)
    alone = EsmEncoder(str(folder)).transform(texts[::-1])[::-1]
    np.testing.assert_allclose(whole, alone, rtol=1e-5, atol=1e-5)


def test_odd_letters_count_as_unknown_and_an_empty_sequence_is_zero(folder: Path) -> None:
    rows = EsmEncoder(str(folder)).transform(["mk*-J\nÜ", "MKXXXX", "", " "])
    np.testing.assert_array_equal(rows[0], rows[1])
    assert not rows[2:].any()


def test_kept_vectors_do_not_depend_on_where_the_model_lies(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    encoder = EsmEncoder(str(folder))
    assert EsmEncoder(str(copy)).identity() == encoder.identity()
    encoder.store = EmbeddingStore(tmp_path / "store")
    row = encoder.transform(["MKT"])
    moved = EsmEncoder(str(copy))
    moved.store = encoder.store
    np.testing.assert_array_equal(moved.transform(["MKT"]), row)
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\1")
    assert EsmEncoder(str(copy)).identity() != encoder.identity()


def test_a_model_that_is_not_here_is_not_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(DataError) as caught:
        EsmEncoder("somebody/esm2_tiny").transform(["MK"])
    assert str(caught.value) == (
        "esm: somebody/esm2_tiny: is no folder, and no model in the local Hugging Face cache. "
        "Fetch it with: hf download somebody/esm2_tiny"
    )


def test_a_hub_name_is_looked_up_in_the_local_cache(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "models--somebody--esm2_tiny"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text("0" * 40)
    shutil.copytree(folder, place / "snapshots" / ("0" * 40))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
        assert model_folder("somebody/esm2_tiny", "esm") == place / "snapshots" / ("0" * 40)


def test_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert", "hidden_size": 8}))
    with pytest.raises(DataError, match=r"a model of the type 'bert', not 'esm'"):
        EsmEncoder(str(tmp_path)).transform(["MK"])
    with pytest.raises(DataError, match=r"holds no config\.json"):
        EsmEncoder(str(tmp_path / "..")).transform(["MK"])


def damaged(folder: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "damaged"
    shutil.copytree(folder, copy)
    return copy


def test_code_of_a_folder_is_never_run(folder: Path, tmp_path: Path) -> None:
    copy = damaged(folder, tmp_path)
    config = json.loads((copy / "config.json").read_text(encoding="utf-8"))
    config["auto_map"] = {"AutoModel": "evil.EsmModel", "AutoConfig": "evil.EsmConfig"}
    (copy / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (copy / "evil.py").write_text("raise SystemExit('was run')", encoding="utf-8")
    assert EsmEncoder(str(copy)).transform(["MK"]).any()


def test_what_computes_vectors_is_part_of_what_they_are(folder: Path) -> None:
    assert EsmEncoder(str(folder)).identity()["engine"] == "torch"


def test_weights_that_lack_a_part_are_refused_and_not_made_up(folder: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    copy = damaged(folder, tmp_path)
    arrays = load_file(copy / "model.safetensors")
    arrays.pop("esm.encoder.layer.0.attention.self.query.weight")
    save_file(arrays, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(DataError, match=r"do not fit config\.json: .*query\.weight"):
        EsmEncoder(str(copy)).transform(["MK"])


def test_weights_that_are_cut_short_are_refused(folder: Path, tmp_path: Path) -> None:
    copy = damaged(folder, tmp_path)
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(DataError, match="the weights cannot be read"):
        EsmEncoder(str(copy)).transform(["MK"])


def test_a_vocabulary_without_residues_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = damaged(folder, tmp_path)
    (copy / "vocab.txt").write_text("<cls>\n<pad>\n<eos>\n" + "\n".join("ACDEFGHIKLMNPQRSTVWYBZUO"))
    with pytest.raises(DataError, match=r"lacks X\. Give an ESM-2 model"):
        EsmEncoder(str(copy)).transform(["MK"])


def test_it_does_what_every_encoder_must_do(folder: Path) -> None:
    check_encoder(ESM, EsmSettings(model=str(folder), max_length=200))
