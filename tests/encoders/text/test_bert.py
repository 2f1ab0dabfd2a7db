from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from widemargin.encoders.images.torchvision_shim import ensure_torchvision_operators
from widemargin.encoders.text.bert import BERT, BertEncoder, BertSettings, _TorchModel
from widemargin.encoders.text.bert_layers import read_bert
from widemargin.encoders.text.packed import PackedModel
from widemargin.encoders.text.rectangles import batches_of
from widemargin.errors import DataError
from widemargin.native.bert import PackedBert
from widemargin.testing import check_encoder

TEXTS = (
    "the river bank is near",
    "the bank has money",
    "",
    "a",
    "free money now ! " * 40,
    "unknownword Zürich \U0001f600",
)
WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] the river bank is near has money free now ! a un ##known"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Tiny models of random weights, as save_pretrained writes them."""
    torch = pytest.importorskip("torch")
    ensure_torchvision_operators()
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(5)
    size = len(WORDS.split())
    common: dict[str, Any] = {"vocab_size": size, "max_position_embeddings": 64}
    configs: dict[str, Any] = {
        "bert": transformers.BertConfig(
            hidden_size=32,
            num_hidden_layers=4,
            num_attention_heads=4,
            intermediate_size=48,
            initializer_range=0.5,
            **common,
        ),
        "distilbert": transformers.DistilBertConfig(
            dim=24, n_layers=3, n_heads=2, hidden_dim=40, initializer_range=0.5, **common
        ),
        "roberta": transformers.RobertaConfig(
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            initializer_range=0.5,
            pad_token_id=0,
            vocab_size=size,
            max_position_embeddings=80,
        ),
    }
    made = {}
    for name, config in configs.items():
        folder = tmp_path_factory.mktemp(name)
        transformers.AutoModel.from_config(config).save_pretrained(folder)
        _write_tokenizer(folder)
        made[name] = folder
    return made


def _write_tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    vocabulary = {word: number for number, word in enumerate(WORDS.split())}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))  # noqa: S106  # no password
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    names: dict[str, Any] = {
        "pad": "[PAD]",
        "unk": "[UNK]",
        "cls": "[CLS]",
        "sep": "[SEP]",
        "mask": "[MASK]",
    }
    config: dict[str, Any] = {f"{key}_token": word for key, word in names.items()}
    config |= {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 60}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")


def peer(
    folder: Path, texts: Sequence[str], layers: Sequence[int], pooling: str, longest: int = 60
) -> NDArray[np.float64]:
    """Encode one text at a time with transformers."""
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder))
    model = transformers.AutoModel.from_pretrained(str(folder)).eval()
    vectors = []
    for text in texts:
        ids = tokenizer(text, truncation=True, max_length=longest)["input_ids"]
        with torch.inference_mode():
            given = torch.tensor([ids])
            found = model(
                given, attention_mask=torch.ones_like(given), output_hidden_states=True
            ).hidden_states
        states = np.mean([found[layer][0].numpy() for layer in layers], axis=0)
        vectors.append(
            {"mean": states.mean(axis=0), "cls": states[0], "max": states.max(axis=0)}[pooling]
        )
    return np.array(vectors, dtype=np.float64)


@pytest.mark.parametrize("name", ["bert", "distilbert", "roberta"])
@pytest.mark.parametrize(
    ("layers", "pooling"), [((-1,), "mean"), ((-2, -1), "cls"), ((0,), "max"), ((1, -1), "mean")]
)
def test_vectors_are_those_of_transformers(
    folders: dict[str, Path], name: str, layers: tuple[int, ...], pooling: Any
) -> None:
    folder = str(folders[name])
    own = BertEncoder(folder, pooling, layers, normalise=False).transform(TEXTS)
    expected = peer(folders[name], TEXTS, layers, pooling)
    np.testing.assert_allclose(own, expected, rtol=1e-4, atol=1e-5)


def test_bert_runs_on_our_forward_pass_and_others_on_torch(folders: dict[str, Path]) -> None:
    assert isinstance(BertEncoder(str(folders["bert"]))._model(), PackedModel)
    assert isinstance(BertEncoder(str(folders["distilbert"]))._model(), _TorchModel)


def test_bert_of_another_activation_runs_on_torch(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "relu"
    shutil.copytree(folders["bert"], folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"hidden_act": "relu"}), "utf-8")
    encoder = BertEncoder(str(folder), normalise=False)
    assert isinstance(encoder._model(), _TorchModel)
    expected = peer(folder, TEXTS, [-1], "mean")
    np.testing.assert_allclose(encoder.transform(TEXTS), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["bert", "distilbert", "roberta"])
def test_every_architecture_conforms(folders: dict[str, Path], name: str) -> None:
    check_encoder(BERT, BertSettings(model=str(folders[name])))


@pytest.mark.parametrize("name", ["bert", "roberta"])
def test_vectors_have_length_one_unless_told_otherwise(folders: dict[str, Path], name: str) -> None:
    own = BertEncoder(str(folders[name])).transform(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(own, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", ["bert", "distilbert"])
def test_vectors_do_not_depend_on_the_texts_beside_them(
    folders: dict[str, Path], name: str
) -> None:
    encoder = BertEncoder(str(folders[name]))
    together = encoder.transform(TEXTS)
    alone = np.concatenate([encoder.transform([text]) for text in TEXTS])
    np.testing.assert_allclose(alone, together, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["bert", "distilbert"])
def test_a_word_has_another_vector_in_another_sentence(folders: dict[str, Path], name: str) -> None:
    encoder = BertEncoder(str(folders[name]))
    river, money = (dict(encoder.word_vectors(text))["bank"] for text in TEXTS[:2])
    assert not np.allclose(river, money, atol=1e-2)
    # The embeddings below all layers know the word and its place, and both stand elsewhere.
    static = BertEncoder(str(folders[name]), layers=(0,))
    one, same = (dict(static.word_vectors(f"the bank {word}"))["bank"] for word in ("is", "has"))
    assert (one == same).all()


def test_a_word_cut_in_pieces_is_one_word(folders: dict[str, Path]) -> None:
    found = BertEncoder(str(folders["bert"])).word_vectors("Unknown bank!")
    assert [word for word, _ in found] == ["Unknown", "bank", "!"]


def test_a_text_is_cut_at_the_longest(folders: dict[str, Path]) -> None:
    encoder = BertEncoder(str(folders["bert"]), max_length=7)
    long, short = encoder.transform(["bank " * 90, "bank " * 5])
    assert (long == short).all()


def test_a_folder_says_how_it_pools_and_how_long_texts_are(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = _sentence_folder(folders["bert"], tmp_path, {"pooling_mode_cls_token": True})
    own = BertEncoder(str(folder), normalise=False).transform(TEXTS)
    expected = peer(folder, TEXTS, [-1], "cls", longest=9)
    np.testing.assert_allclose(own, expected, rtol=1e-4, atol=1e-5)
    chosen = BertEncoder(str(folder), pooling="mean", normalise=False).transform(TEXTS)
    assert np.abs(chosen - own).max() > 1e-2


def test_the_newer_way_to_say_how_a_folder_pools_is_read(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = _sentence_folder(folders["bert"], tmp_path, {"pooling_mode": "max"})
    assert BertEncoder(str(folder))._pooling() == "max"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"pooling_mode_lasttoken": True}, "pooling_mode_lasttoken"),
        ({"pooling_mode_cls_token": True, "pooling_mode_max_tokens": True}, "cls_token"),
        ({}, "nothing"),
    ],
)
def test_a_pooling_that_is_not_supported_is_named(
    folders: dict[str, Path], tmp_path: Path, config: dict[str, bool], said: str
) -> None:
    folder = _sentence_folder(folders["bert"], tmp_path, config)
    with pytest.raises(DataError, match=rf"pools by .*{said}.*one of mean, cls, max"):
        BertEncoder(str(folder)).transform(["text"])
    assert BertEncoder(str(folder), pooling="max").transform(["text"]).shape == (1, 32)


def _sentence_folder(source: Path, tmp_path: Path, pooling: dict[str, Any]) -> Path:
    folder = tmp_path / "sentences"
    shutil.copytree(source, folder)
    kind = "sentence_transformers.models."
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": f"{kind}Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": f"{kind}Pooling"},
    ]
    (folder / "1_Pooling").mkdir()
    whole = {"word_embedding_dimension": 32, **pooling}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(whole), "utf-8")
    (folder / "modules.json").write_text(json.dumps(modules), "utf-8")
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 9}', "utf-8")
    return folder


def test_the_same_model_in_another_place_is_the_same(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "moved"
    shutil.copytree(folders["bert"], folder)
    here, there = BertEncoder(str(folders["bert"])), BertEncoder(str(folder))
    assert here.identity() == there.identity()
    assert here.identity() != BertEncoder(str(folder), layers=(-2,)).identity()
    there.set_state(here.get_state())
    weights = folder / "model.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(changed)
    with pytest.raises(DataError, match="not those that the model was trained with"):
        BertEncoder(str(folder)).set_state(here.get_state())


def test_a_layer_that_there_is_not_is_refused(folders: dict[str, Path]) -> None:
    with pytest.raises(DataError, match="has 4 layers, so that -5 to 4 are allowed; got 5"):
        BertEncoder(str(folders["bert"]), layers=(5,)).transform(["text"])


def test_a_name_that_is_not_in_the_cache_is_not_fetched() -> None:
    said = "no model in the local Hugging Face cache. Fetch it with: hf download someone/something"
    with pytest.raises(DataError, match=re.escape(said)):
        BertEncoder("someone/something").transform(["text"])


def test_a_name_that_can_be_none_is_refused() -> None:
    with pytest.raises(DataError, match="is no folder, and no name of a model"):
        BertEncoder("no such/folder").transform(["text"])


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no config\.json"):
        BertEncoder(str(tmp_path)).transform(["text"])


@pytest.mark.parametrize("name", ["bert", "distilbert"])
def test_a_folder_with_damaged_weights_is_refused(
    folders: dict[str, Path], tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(folders[name], folder)
    (folder / "model.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0 no header")
    with pytest.raises(DataError, match=r"damaged.*(no readable BERT|cannot load it)"):
        BertEncoder(str(folder)).transform(["text"])


def test_settings_outside_the_rules_are_refused() -> None:
    for field, value in (("layers", []), ("pooling", "min"), ("max_length", 1), ("model", "")):
        with pytest.raises(ValidationError, match=field):
            BertSettings.model_validate_json(json.dumps({field: value}))
    built = BERT.build(BertSettings.model_validate_json('{"layers": [-2, -1]}'))
    assert isinstance(built, BertEncoder)
    assert built.layers == (-2, -1)


def test_batches_are_of_one_length_and_leave_nothing_out() -> None:
    lengths = [3, 500, 4, 4, 90, 1, 2048, 5000] + [500] * 9
    batches = list(batches_of(lengths, 2048))
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        [length] = {lengths[row] for row in batch}
        assert len(batch) == 1 or len(batch) * length <= 2048
    assert [len(batch) for batch in batches] == [1, 1, 2, 1, 4, 4, 2, 1, 1]


def _changed(source: Path, tmp_path: Path, **config: Any) -> Path:
    folder = tmp_path / "changed"
    shutil.copytree(source, folder)
    own = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(own | config), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"num_attention_heads": 0}, "num_attention_heads must be a whole number from 1; got 0"),
        ({"num_attention_heads": "4"}, "num_attention_heads must be a whole number from 1; got 4"),
        ({"num_attention_heads": 5}, "num_attention_heads must divide hidden_size; got 5 and 32"),
        ({"num_hidden_layers": 5}, "does not contain tensor encoder.layer.4.attention"),
        ({"intermediate_size": 64}, "intermediate.dense.weight has the shape (48, 32), and by"),
        ({"hidden_size": 64}, "query.weight has the shape (32, 32), and by"),
        ({"vocab_size": 99}, "word_embeddings.weight has the shape (18, 32), and by config.json"),
        ({"type_vocab_size": 3}, "must have (3, 32)"),
        ({"max_position_embeddings": 65}, "must have (65, 32)"),
        ({"layer_norm_eps": "x"}, "layer_norm_eps must be a number from 0 to 1; got x"),
    ],
)
def test_weights_that_do_not_fit_the_config_are_refused(
    folders: dict[str, Path], tmp_path: Path, config: dict[str, Any], said: str
) -> None:
    folder = _changed(folders["bert"], tmp_path, **config)
    with pytest.raises(DataError, match=re.escape(said)):
        BertEncoder(str(folder)).transform(["text"])


def test_a_config_that_is_no_json_or_no_settings_is_refused(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = _changed(folders["bert"], tmp_path)
    for text, said in (("{", r"config\.json: cannot be read"), ("[]", "no settings .* but a list")):
        (folder / "config.json").write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match=said):
            BertEncoder(str(folder)).transform(["text"])
        with pytest.raises(DataError, match=said):
            read_bert(folder)


def _saved_again(source: Path, tmp_path: Path, kind: str) -> Path:
    torch, safetensors = import_module("torch"), import_module("safetensors.torch")
    folder = tmp_path / kind
    shutil.copytree(source, folder)
    path = folder / "model.safetensors"
    own = {name: one.to(getattr(torch, kind)) for name, one in safetensors.load_file(path).items()}
    safetensors.save_file(own, path, metadata={"format": "pt"})
    return folder


@pytest.mark.parametrize("kind", ["bfloat16", "float16", "float64"])
def test_weights_of_other_floats_are_widened(
    folders: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    folder = _saved_again(folders["bert"], tmp_path, kind)
    own = BertEncoder(str(folder), normalise=False).transform(TEXTS)
    torch, transformers = import_module("torch"), import_module("transformers")
    whole = tmp_path / "whole"
    shutil.copytree(folder, whole)
    widened = transformers.AutoModel.from_pretrained(str(folder), dtype=torch.float32)
    widened.save_pretrained(whole)
    expected = BertEncoder(str(whole), normalise=False).transform(TEXTS)
    np.testing.assert_array_equal(own, expected)


def test_weights_that_are_no_floats_are_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = _saved_again(folders["bert"], tmp_path, "int8")
    with pytest.raises(DataError, match=r"of the type I8, which is not supported. Save .* float32"):
        BertEncoder(str(folder)).transform(["text"])


def test_the_oldest_names_of_normalisation_are_known(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    from safetensors.numpy import load_file, save_file

    folder = _changed(folders["bert"], tmp_path)
    path = folder / "model.safetensors"
    names = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    arrays = {}
    for name, array in load_file(path).items():
        for new, old in names.items():
            name = name.replace(new, old)
        arrays[f"bert.{name}"] = array
    save_file(arrays, path, metadata={"format": "pt"})
    expected = BertEncoder(str(folders["bert"])).transform(TEXTS)
    np.testing.assert_array_equal(BertEncoder(str(folder)).transform(TEXTS), expected)


@pytest.mark.parametrize("name", ["bert", "distilbert"])
def test_code_of_a_folder_is_never_run_and_nobody_is_asked(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("builtins.input", lambda *said: pytest.fail("somebody is asked"))
    code = {"AutoModel": "evil.Model", "AutoConfig": "evil.Config"}
    folder = _changed(folders[name], tmp_path, auto_map=code)
    (folder / "evil.py").write_text("raise SystemExit('was run')", encoding="utf-8")
    assert BertEncoder(str(folder)).transform(TEXTS).any()
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config |= {"model_type": "of-its-own", "num_hidden_layers": 3}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(DataError, match=r"cannot load it .*custom code"):
        BertEncoder(str(folder)).transform(TEXTS)


@pytest.mark.parametrize(("name", "limit"), [("bert", 64), ("distilbert", 64), ("roberta", 79)])
def test_no_text_is_longer_than_the_model_has_places_for(
    folders: dict[str, Path], name: str, limit: int
) -> None:
    encoder = BertEncoder(str(folders[name]), max_length=400, normalise=False)
    long = ["bank " * 300, "bank " * (limit - 2)]
    own = encoder.transform(long)
    np.testing.assert_array_equal(own[0], own[1])
    expected = peer(folders[name], long, [-1], "mean", longest=limit)
    np.testing.assert_allclose(own, expected, rtol=1e-4, atol=1e-5)


def test_what_computes_vectors_is_part_of_what_they_are(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert BertEncoder(str(folders["distilbert"])).identity()["engine"] == "torch"
    bert = BertEncoder(str(folders["bert"]))
    if PackedBert.serves(32, 48):
        assert bert.identity()["engine"] == PackedBert.instructions()
    monkeypatch.setattr(PackedBert, "serves", lambda d, inner: False)
    assert bert.identity()["engine"] == "numpy"
