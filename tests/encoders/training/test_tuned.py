"""Fine-tuning small made-up models in the real formats, and the real MiniLM where it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from widemargin.contracts import State
from widemargin.data.assets import data_home
from widemargin.encoders import (
    ENCODERS,
    BertEncoder,
    EfficientNetEncoder,
    EmbeddingStore,
    Features,
    FrozenEncoder,
    MinilmEncoder,
    TorchvisionEncoder,
    TunableEncoder,
    TunedEncoder,
    TuneSettings,
)
from widemargin.encoders.sequences.esm import EsmEncoder
from widemargin.encoders.text.minilm import MINILM_ASSET
from widemargin.encoders.text.tfidf import TFIDF
from widemargin.encoders.weights import weights_folder
from widemargin.errors import AssetError, DataError, PluginError

torch: Any = pytest.importorskip("torch", reason='needs pip install "widemargin[text]"')

MakeModel = Callable[[str], Mapping[str, Any]]
SHORT: dict[str, Any] = {
    "loss": "supervised-contrastive",
    "epochs": 1,
    "steps": 4,
    "batch_size": 8,
    "device": "cpu",
}

TEXTS = [
    "win cash now",
    "see you at noon",
    "free prize, call today",
    "are you home yet ?",
    "claim the cash prize",
    "i am at the bus stop",
    "urgent, you won",
    "ok, thanks",
]
SPAM = ["yes", "no"] * 4


@pytest.fixture(scope="module")
def bert(make_model: MakeModel) -> str:
    pytest.importorskip("tokenizers")
    return str(make_model("bert")["model"])


@pytest.fixture(scope="module")
def distilbert(bert: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model that runs on transformers, not on our own forward pass."""
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("distilbert")
    with torch.random.fork_rng():
        torch.manual_seed(1)
        words = len((Path(bert) / "vocab.txt").read_text(encoding="utf-8").split())
        config = transformers.DistilBertConfig(
            vocab_size=words, dim=24, n_layers=2, n_heads=2, hidden_dim=32
        )
        transformers.DistilBertModel(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((Path(bert) / name).read_bytes())
    return str(folder)


@pytest.fixture
def minilm() -> Path:
    pytest.importorskip("tokenizers")
    try:
        return weights_folder(MINILM_ASSET)
    except AssetError:
        pytest.skip("needs: widemargin data fetch minilm")


def noise(seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (40, 40, 3), dtype=np.uint8)


IMAGES = [noise(seed) // (1 + 3 * (seed % 2)) for seed in range(6)]
DARK = ["no", "yes"] * 3
PROTEINS = ["MKTAYIAKQR", "GGGSGGGS", "MKTAYAAKQRL", "GGSGGGSGG", "MKLAYIAKQ", "SGGSGGS"]


def tuned(encoder: TunableEncoder, method: str = "full", **more: Any) -> TunedEncoder:
    rate = {"learning_rate": 0.01} if method == "lora" else {"learning_rate": 0.001}
    settings = {**SHORT, "method": method, "last": 1, "rank": 2, **rate, **more}
    return TunedEncoder(encoder, TuneSettings.model_validate(settings))


def every(make_model: MakeModel, name: str) -> tuple[TunableEncoder, list[Any], list[str]]:
    """Return an encoder of small random weights, items and their classes."""
    given = make_model(name)
    if name == "bert":
        return BertEncoder(**given), TEXTS, SPAM
    if name == "esm":
        return EsmEncoder(**given, max_length=6), PROTEINS, SPAM[:6]
    return TorchvisionEncoder(**given), IMAGES, DARK


@pytest.mark.parametrize("method", ["full", "last", "lora"])
@pytest.mark.parametrize("name", ["bert", "esm", "torchvision"])
def test_what_is_saved_comes_back_bit_for_bit(
    make_model: MakeModel, name: str, method: str
) -> None:
    encoder, items, labels = every(make_model, name)
    own = tuned(encoder, method).fit(items, labels)
    vectors = own.transform(items)
    assert vectors.shape == (len(items), encoder.dimension)
    assert np.abs(vectors - encoder.transform(items)).max() > 1e-4
    state = own.get_state()
    meta = json.loads(json.dumps(state.meta))
    back = tuned(encoder, method).set_state(State(state.arrays, meta))
    np.testing.assert_array_equal(back.transform(items), vectors)
    assert back.history_ == own.history_
    assert len(own.history_.epochs) == 4
    assert back.classes_.tolist() == sorted(set(labels))


@pytest.mark.parametrize("method", ["full", "last", "lora"])
def test_vectors_after_training_are_those_of_the_network_that_was_trained(
    bert: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from widemargin.encoders.training import fine_tuning

    seen: dict[str, Any] = {}
    whole = fine_tuning.fine_tune

    def noted(trainable: Any, *rest: Any, **more: Any) -> Any:
        seen["own"] = trainable
        return whole(trainable, *rest, **more)

    monkeypatch.setattr(fine_tuning, "fine_tune", noted)
    encoder = BertEncoder(bert, normalise=False)
    vectors = tuned(encoder, method).fit(TEXTS, SPAM).transform(TEXTS)
    network, batch = seen["own"].network, seen["own"].inputs(TEXTS)
    with torch.inference_mode():
        expected = network(batch.batch(np.arange(len(TEXTS)), None)).numpy()
    np.testing.assert_allclose(vectors, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
@pytest.mark.parametrize("layers", [(-1,), (0, 1), (-2, -1)])
@pytest.mark.parametrize("name", ["bert", "distilbert"])
def test_networks_to_train_make_the_vectors_of_the_encoder(
    bert: str, distilbert: str, name: str, layers: tuple[int, ...], pooling: Any
) -> None:
    folder = {"bert": bert, "distilbert": distilbert}[name]
    encoder = BertEncoder(folder, pooling, layers, normalise=False)
    trainable = encoder.trainable()
    texts = [*TEXTS, "", "word " * 40]
    with torch.inference_mode():
        batch = trainable.inputs(texts).batch(np.arange(len(texts)), None)
        found = trainable.network.eval()(batch).numpy()
    np.testing.assert_allclose(found, encoder.encode(texts), rtol=1e-4, atol=1e-5)


def test_sequences_in_windows_have_the_vectors_of_the_encoder(make_model: MakeModel) -> None:
    encoder = EsmEncoder(**make_model("esm"), max_length=4)
    trainable = encoder.trainable()
    items = encoder.items([*PROTEINS, "", "M"])
    with torch.inference_mode():
        batch = trainable.inputs(items).batch(np.arange(len(items)), None)
        found = trainable.network.eval()(batch).numpy()
        nothing = trainable.network(trainable.inputs([""]).batch(np.arange(1), None)).numpy()
    np.testing.assert_allclose(found, encoder.encode(items), rtol=1e-4, atol=1e-5)
    assert not nothing.any()


@pytest.mark.parametrize("layer", ["avgpool", "layer2"])
def test_images_have_the_vectors_of_the_encoder_in_training_too(
    make_model: MakeModel, layer: str
) -> None:
    encoder = TorchvisionEncoder(**{**make_model("torchvision"), "layer": layer})
    trainable = encoder.trainable()
    # Batch norms keep their statistics, so that training sees the vectors that are used.
    trainable.network.train()
    with torch.no_grad():
        found = trainable.network(trainable.inputs(IMAGES).batch(np.arange(6), None)).numpy()
    np.testing.assert_allclose(found, encoder.encode(IMAGES), rtol=1e-4, atol=1e-5)
    assert len(trainable.layers) == {"avgpool": 10, "layer2": 6}[layer]


def test_the_same_seed_trains_the_same_vectors(bert: str) -> None:
    one, two, other = (
        tuned(BertEncoder(bert), seed=seed).fit(TEXTS, SPAM).transform(TEXTS) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("full", lambda name: name.startswith("encoder.layer.")),
        ("last", lambda name: name.startswith("encoder.layer.1.")),
        ("lora", lambda name: name.endswith((".lora_a", ".lora_b"))),
    ],
)
def test_the_state_holds_only_what_training_changed(
    bert: str, method: str, expected: Callable[[str], bool]
) -> None:
    encoder = BertEncoder(bert)
    state = tuned(encoder, method).fit(TEXTS, SPAM).get_state()
    assert state.arrays
    assert all(expected(name) for name in state.arrays)
    assert not any("embeddings" in name for name in state.arrays)
    size = sum(array.nbytes for array in state.arrays.values())
    whole = sum(p.numel() * 4 for p in encoder.trainable().network.parameters())
    assert size < whole * {"full": 0.95, "last": 0.5, "lora": 0.2}[method]


def test_another_base_is_refused(bert: str, tmp_path: Path) -> None:
    state = tuned(BertEncoder(bert)).fit(TEXTS, SPAM).get_state()
    for path in Path(bert).iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = bytearray((tmp_path / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (tmp_path / "model.safetensors").write_bytes(weights)
    with pytest.raises(DataError, match="not those that the model was trained with"):
        tuned(BertEncoder(str(tmp_path))).set_state(state)


def test_what_training_depends_on_is_told_before_it(bert: str, distilbert: str) -> None:
    one = tuned(BertEncoder(bert))
    assert one.weights_hash() == BertEncoder(bert).weights_hash()
    assert json.dumps(dict(one.identity())) == json.dumps(dict(tuned(BertEncoder(bert)).identity()))
    for other in (tuned(BertEncoder(distilbert)), tuned(BertEncoder(bert), "last")):
        assert other.identity() != one.identity()


def test_a_change_of_another_network_is_refused(bert: str) -> None:
    own = tuned(BertEncoder(bert)).fit(TEXTS, SPAM)
    state = own.get_state()
    name = next(iter(state.arrays))
    damaged = State({**state.arrays, name: np.zeros((1, 1), np.float32)}, state.meta)
    with pytest.raises(DataError, match="it is of another network"):
        tuned(BertEncoder(bert)).set_state(damaged).transform(TEXTS)


def test_the_store_keeps_vectors_as_published_and_no_others(bert: str, tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path)
    frozen = BertEncoder(bert).transform(TEXTS)
    features = Features.model_validate(
        {"encoder": {"name": "bert", "model": bert}, "train": {**SHORT, "learning_rate": 0.001}},
        context={"encoders": {spec.name: spec for spec in ENCODERS}},
    )
    joined = features.build({"text": "text"}).use(store, _silent())
    X = {"text": TEXTS}
    changed = joined.fit_transform(X, SPAM)
    np.testing.assert_array_equal(joined.transform(X), changed)
    assert (changed != frozen).any()
    again = BertEncoder(bert)
    again.store = store
    np.testing.assert_array_equal(again.transform(TEXTS), frozen)
    own = joined.blocks[0][2]
    assert isinstance(own, TunedEncoder)
    assert own.encoder_.store is None
    assert own.encoder_.identity() != own.encoder.identity()


def _silent() -> Any:
    from widemargin.contracts import Silent

    return Silent()


def test_equal_items_are_encoded_once_and_vectors_depend_on_no_other(bert: str) -> None:
    own = tuned(BertEncoder(bert)).fit(TEXTS, SPAM)
    vectors = own.transform([*TEXTS, *reversed(TEXTS)])
    np.testing.assert_array_equal(vectors[:8], vectors[:7:-1])
    np.testing.assert_array_equal(own.transform(TEXTS[2:3])[0], vectors[2])


def test_shares_add_up_to_the_product(bert: str) -> None:
    own = tuned(BertEncoder(bert)).fit(TEXTS, SPAM)
    coef = np.random.default_rng(0).normal(size=32)
    pieces = own.explain(TEXTS, coef)
    assert [share.piece for row in pieces for share in row] == ["bert embedding"] * 8
    sums = [sum(share.contribution for share in row) for row in pieces]
    np.testing.assert_allclose(sums, own.transform(TEXTS).astype(float) @ coef)


def test_clones_are_unfitted_and_of_equal_parameters(bert: str) -> None:
    from sklearn.base import clone
    from sklearn.exceptions import NotFittedError

    own = tuned(BertEncoder(bert, pooling="cls"), "lora").fit(TEXTS, SPAM)
    copy = clone(own)
    assert copy.encoder is not own.encoder
    assert copy.get_params()["encoder__pooling"] == "cls"
    assert copy.settings == own.settings
    with pytest.raises(NotFittedError):
        copy.transform(TEXTS)
    assert copy.set_params(encoder__pooling="max").encoder.get_params()["pooling"] == "max"
    np.testing.assert_array_equal(
        clone(own).fit(TEXTS, SPAM).transform(TEXTS), own.transform(TEXTS)
    )


def test_only_layers_that_make_the_vectors_are_trained(bert: str) -> None:
    state = tuned(BertEncoder(bert, layers=(1,))).fit(TEXTS, SPAM).get_state()
    assert {name.split(".")[2] for name in state.arrays} == {"0"}
    with pytest.raises(DataError, match=r"from the embeddings alone, .* features.encoder.layers"):
        tuned(BertEncoder(bert, layers=(0,))).fit(TEXTS, SPAM)


def test_more_layers_than_there_are_cannot_be_trained(bert: str) -> None:
    with pytest.raises(DataError, match=r"features.train.last: .* 2 layers that learn; got 3"):
        tuned(BertEncoder(bert), "last", last=3).fit(TEXTS, SPAM)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0.5, 1.0] * 4, "the target is a number. Leave features.train out"),
        (["spam"] * 8, "the training rows have 1. It needs 2 or more"),
        (None, "learns from labels: got 0 for 8 items"),
    ],
)
def test_labels_that_teach_nothing_are_refused(bert: str, labels: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        tuned(BertEncoder(bert)).fit(TEXTS, labels)


def test_weights_that_only_compute_cannot_be_trained() -> None:
    with pytest.raises(DataError, match=r"onnx weights only compute; set .* to fp32"):
        tuned(MinilmEncoder(weights="onnx")).fit(TEXTS, SPAM)


def features(**section: Any) -> Features:
    context = {"encoders": {spec.name: spec for spec in ENCODERS}}
    return Features.model_validate_json(json.dumps(section), context=context)


def test_features_that_are_trained_learn_the_target() -> None:
    plain = features(encoder="minilm")
    assert (plain.learns, plain.trains, plain.train) == ("nothing", False, None)
    own = features(encoder=["minilm", "tfidf"], train={"method": "full"})
    assert (own.learns, own.trains) == ("y", True)
    blocks = own.build({"text": "text"}).blocks
    assert [type(encoder).__name__ for _, _, encoder in blocks] == ["TunedEncoder", "TfidfEncoder"]
    encoder = blocks[0][2]
    assert isinstance(encoder, TunedEncoder)
    assert encoder.settings == own.train


def test_features_none_of_which_can_be_trained_are_refused() -> None:
    with pytest.raises(ValidationError) as caught:
        features(encoder=["tfidf", "lsa"], train={})
    error = caught.value.errors()[0]
    assert error["loc"] == ("train",)
    can = "bert, efficientnet, esm, minilm, resnet50, torchvision"
    assert f"tfidf and lsa cannot be fine-tuned; those that can are {can}." in error["msg"]
    with pytest.raises(ValidationError, match="onnx weights only compute"):
        features(encoder={"name": "minilm", "weights": "onnx"}, train={})


def test_flip_without_images_is_refused() -> None:
    assert features(encoder=["minilm", "efficientnet"], train={"flip": True}).trains
    with pytest.raises(ValidationError, match="flip mirrors images, and minilm reads none"):
        features(encoder="minilm", train={"flip": True})


def test_flip_trains_on_mirror_images_and_changes_no_text(make_model: MakeModel, bert: str) -> None:
    plain, turned = (
        tuned(TorchvisionEncoder(**make_model("torchvision")), flip=flip)
        .fit(IMAGES, DARK)
        .transform(IMAGES)
        for flip in (False, True)
    )
    assert np.abs(plain - turned).max() > 1e-4
    plain, turned = (
        tuned(BertEncoder(bert), flip=flip).fit(TEXTS, SPAM).transform(TEXTS)
        for flip in (False, True)
    )
    assert np.array_equal(plain, turned)


def test_images_are_mirrored_in_training_alone(make_model: MakeModel) -> None:
    from widemargin.encoders.training.inputs import AugmentedInputs

    trainable = TorchvisionEncoder(**make_model("torchvision")).trainable()
    assert trainable.mirrored is not None
    inputs = AugmentedInputs(trainable.inputs(IMAGES), trainable.mirrored)
    assert len(inputs) == len(IMAGES)
    rows = np.arange(6)
    held_out = inputs.batch(rows, None)
    seen = inputs.batch(rows, torch.Generator().manual_seed(0))
    same = [torch.equal(a, b) for a, b in zip(seen, held_out, strict=True)]
    turned = [torch.equal(a, b.flip(2)) for a, b in zip(seen, held_out, strict=True)]
    assert [not one for one in same] == turned
    assert 0 < sum(turned) < 6
    assert seen.is_contiguous(memory_format=torch.channels_last)


def test_one_that_says_so_and_cannot_be_is_refused() -> None:
    spec = replace(TFIDF, name="own", tunable=True)
    context = {"encoders": {"own": spec}}
    with pytest.raises(PluginError) as caught:
        Features.model_validate_json('{"encoder": "own", "train": {}}', context=context)
    assert str(caught.value) == (
        "the encoder 'own' is registered with tunable=True, and what it builds, TfidfEncoder, is "
        "no widemargin.encoders.TunableEncoder. Derive it from that and give it trainable(), or "
        "register it without tunable; until then leave features.train out."
    )
    plain = Features.model_validate_json('{"encoder": "own"}', context=context)
    assert plain.build({"text": "text"}).blocks[0][0] == "own"
    with pytest.raises(PluginError, match="no widemargin"):
        plain.model_copy(update={"train": TuneSettings()}).build({"text": "text"})


def test_those_that_say_so_can_be_trained_and_no_others(make_model: MakeModel) -> None:
    for spec in ENCODERS:
        given = make_model(spec.name)
        if given or spec.name not in {"torchvision", "protvec"}:
            settings = spec.settings.model_validate_json(json.dumps(given))
            assert isinstance(spec.build(settings), TunableEncoder) == spec.tunable, spec.name


@pytest.mark.parametrize("method", ["full", "last", "lora"])
def test_each_method_has_a_learning_rate_of_its_own(method: str) -> None:
    own = TuneSettings.model_validate({"method": method})
    rates = {"full": 2e-4, "last": 2e-4, "lora": 2e-3}
    assert own.learning_rate == rates[method]
    assert TuneSettings.model_validate(own.model_dump()) == own
    assert TuneSettings.model_validate({"method": method, "learning_rate": 1.0}).learning_rate == 1


def test_few_items_are_gone_through_more_often(bert: str) -> None:
    own = tuned(BertEncoder(bert), steps=7, epochs=2, batch_size=4).fit(TEXTS, SPAM)
    assert len(own.history_.epochs) == 4  # of two batches
    own = tuned(BertEncoder(bert), steps=1, epochs=3).fit(TEXTS, SPAM)
    assert len(own.history_.epochs) == 3


def steps_of(monkeypatch: pytest.MonkeyPatch, losses: Sequence[float], **given: Any) -> int:
    """Fine-tune on 160 rows, 16 of them held out, with these losses; return the steps."""
    from widemargin.encoders.training.fine_tuning import fine_tune
    from widemargin.encoders.training.inputs import ArrayInputs
    from widemargin.encoders.training.network_epochs import NetworkTraining
    from widemargin.encoders.training.trainable import Trainable

    X = np.random.default_rng(0).normal(size=(160, 3)).astype(np.float32)
    network, told = torch.nn.Linear(3, 2), iter(losses)
    steps = [0]
    step = torch.optim.AdamW.step

    def counted(self: Any, *more: Any) -> Any:
        steps[0] += 1
        return step(self, *more)

    monkeypatch.setattr(torch.optim.AdamW, "step", counted)
    monkeypatch.setattr(NetworkTraining, "_held_out_loss", lambda *_: next(told))
    fine_tune(
        Trainable(network, [network], lambda items: ArrayInputs(np.stack(items))),
        list(X),
        np.arange(160) % 2,
        TuneSettings.model_validate({"method": "full", "epochs": 1, "device": "cpu", **given}),
        dimension=2,
        groups=np.arange(160),
    )
    return steps[0]


@pytest.mark.parametrize("loss", ["cross-entropy", "supervised-contrastive"])
@pytest.mark.parametrize(("batch_size", "steps"), [(16, 20), (2, 160)])
def test_there_are_as_many_steps_as_are_asked_though_rows_are_held_out(
    monkeypatch: pytest.MonkeyPatch, loss: str, batch_size: int, steps: int
) -> None:
    falling = [-float(epoch) for epoch in range(99)]
    taken = steps_of(monkeypatch, falling, loss=loss, batch_size=batch_size, steps=steps)
    assert steps <= taken < 2 * steps


def test_patience_may_end_training_before(monkeypatch: pytest.MonkeyPatch) -> None:
    rising = [float(epoch) for epoch in range(99)]
    assert steps_of(monkeypatch, rising, patience=2, batch_size=16, steps=90) == 27
    assert "unless `patience`" in str(TuneSettings.model_fields["steps"].description)


def test_convolutions_of_efficientnet_are_trained_as_they_are_folded() -> None:
    encoder = EfficientNetEncoder()
    try:
        frozen = encoder.transform(IMAGES[:4])
    except AssetError:
        pytest.skip("needs: widemargin data fetch efficientnet-lite0")
    trainable = encoder.trainable()
    assert len(trainable.layers) == 18
    with torch.no_grad():
        batch = trainable.inputs(IMAGES[:4]).batch(np.arange(4), None)
        found = trainable.network.train()(batch).numpy()
    np.testing.assert_allclose(found, frozen, rtol=1e-4, atol=1e-4)
    own = tuned(encoder, "lora", steps=1, batch_size=4).fit(IMAGES[:4], DARK[:4])
    vectors = own.transform(IMAGES[:4])
    assert np.abs(vectors - frozen).max() > 1e-3
    back = tuned(encoder, "lora").set_state(own.get_state())
    np.testing.assert_array_equal(back.transform(IMAGES[:4]), vectors)
    last = tuned(encoder, "last", steps=1, batch_size=4).fit(IMAGES[:4], DARK[:4]).get_state()
    assert set(last.arrays) == {"layers.17.0.weight", "layers.17.0.bias"}


def test_a_fine_tuned_minilm_predicts_without_torch(minilm: Path, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    own = tuned(MinilmEncoder(), "lora", steps=1).fit(TEXTS, SPAM)
    expected = own.transform(TEXTS)
    assert np.abs(expected - MinilmEncoder().transform(TEXTS)).max() > 1e-4
    state = own.get_state()
    assert sum(array.nbytes for array in state.arrays.values()) < 2**20
    save_file(dict(state.arrays), tmp_path / "arrays")
    (tmp_path / "meta").write_text(json.dumps(state.meta), encoding="utf-8")
    script = f"""
import json, sys
from pathlib import Path
import numpy as np
from safetensors.numpy import load_file
from widemargin.contracts import State
from widemargin.encoders import MinilmEncoder, TunedEncoder
home = Path(sys.argv[1])
state = State(load_file(home / "arrays"), json.loads((home / "meta").read_text()))
vectors = TunedEncoder(MinilmEncoder()).set_state(state).transform({TEXTS!r})
assert "torch" not in sys.modules and "transformers" not in sys.modules
np.save(home / "vectors.npy", vectors)
"""
    home = {**os.environ, "WIDEMARGIN_HOME": str(data_home())}
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, env=home)
    np.testing.assert_array_equal(np.load(tmp_path / "vectors.npy"), expected)


def test_a_frozen_encoder_has_no_training(bert: str) -> None:
    assert isinstance(BertEncoder(bert), FrozenEncoder)
    assert "changes" not in BertEncoder(bert).identity()
