"""Small random models in the real formats, for encoders whose weights people bring themselves."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from widemargin.data.assets import data_home, require
from widemargin.encoders import ENCODERS
from widemargin.encoders.images.torchvision_shim import ensure_torchvision_operators

MakeModel = Callable[[str], Mapping[str, Any]]


@pytest.fixture(scope="session", autouse=True)
def weights_in_ci() -> None:
    """Fetch all weights where all checks are to run; elsewhere tests without theirs are skipped."""
    if os.environ.get("CI"):
        for spec in ENCODERS:
            for asset in spec.assets:
                require(asset, data_home())


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory) -> MakeModel:
    """Return a function: an encoder's name in, settings that name a small random model out."""
    made: dict[str, Mapping[str, Any]] = {}

    def make(name: str) -> Mapping[str, Any]:
        if name not in made:
            made[name] = MAKERS[name](tmp_path_factory.mktemp(name)) if name in MAKERS else {}
        return made[name]

    return make


def make_bert(folder: Path) -> Mapping[str, Any]:
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    ensure_torchvision_operators()
    transformers = import_module("transformers")
    torch.manual_seed(0)
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = [*special, *letters, *(f"##{letter}" for letter in letters), *"0123456789,.?!"]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    config = transformers.BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
    )
    transformers.BertModel(config).save_pretrained(folder)
    return {"model": str(folder)}


def make_esm(folder: Path) -> Mapping[str, Any]:
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    ensure_torchvision_operators()
    transformers = import_module("transformers")
    torch.manual_seed(0)
    config = transformers.EsmConfig(
        vocab_size=33,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=1026,
        position_embedding_type="rotary",
        token_dropout=True,
        emb_layer_norm_before=False,
        pad_token_id=1,
        mask_token_id=32,
    )
    transformers.EsmForMaskedLM(config).save_pretrained(folder)
    residues = "LAGVSERTIDPKQNFYMHWCXBUZO.-"
    tokens = ["<cls>", "<pad>", "<eos>", "<unk>", *residues, "<null_1>", "<mask>"]
    (folder / "vocab.txt").write_text("\n".join(tokens), encoding="utf-8")
    return {"model": str(folder)}


def make_torchvision(folder: Path) -> Mapping[str, Any]:
    torch = pytest.importorskip("torch")
    ensure_torchvision_operators()
    pytest.importorskip("torchvision")
    torch.manual_seed(0)
    path = folder / "resnet18.pth"
    torch.save(import_module("torchvision.models").resnet18().state_dict(), path)
    return {"model": "resnet18", "layer": "avgpool", "weights": str(path)}


MAKERS: Mapping[str, Callable[[Path], Mapping[str, Any]]] = {
    "bert": make_bert,
    "esm": make_esm,
    "torchvision": make_torchvision,
}
