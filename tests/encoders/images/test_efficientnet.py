"""`efficientnet`: the architecture with made-up weights, and the real ones where they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from widemargin.encoders.images import efficientnet
from widemargin.encoders.images.efficientnet import (
    EFFICIENTNET_LITE0,
    EfficientNetEncoder,
    EfficientNetSettings,
    input_of,
)
from widemargin.encoders.images.efficientnet_layers import convolutions, forward
from widemargin.encoders.weights import weights_folder
from widemargin.errors import AssetError, DataError

torch: Any = pytest.importorskip("torch", reason='needs pip install "widemargin[vision]"')
pytest.importorskip("PIL", reason='needs pip install "widemargin[vision]"')

BLOCKS = (  # kernel, stride, channels in, widened, out: written out, not computed
    [(3, 1, 32, 32, 16), (3, 2, 16, 96, 24), (3, 1, 24, 144, 24), (5, 2, 24, 144, 40)]
    + [(5, 1, 40, 240, 40), (3, 2, 40, 240, 80), (3, 1, 80, 480, 80), (3, 1, 80, 480, 80)]
    + [(5, 1, 80, 480, 112), (5, 1, 112, 672, 112), (5, 1, 112, 672, 112), (5, 2, 112, 672, 192)]
    + [(5, 1, 192, 1152, 192)] * 3
    + [(3, 1, 192, 1152, 320)]
)


def made_up_state() -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    state: dict[str, Any] = {}

    def layer(conv: str, norm: str, out: int, into: int, kernel: int) -> None:
        scale = (2 / (into * kernel * kernel)) ** 0.5
        state[f"{conv}.weight"] = scale * torch.randn(
            out, into, kernel, kernel, generator=generator
        )
        for own in ("weight", "running_var"):
            state[f"{norm}.{own}"] = torch.rand(out, generator=generator) + 0.5
        for own in ("bias", "running_mean"):
            state[f"{norm}.{own}"] = torch.randn(out, generator=generator) / 4
        state[f"{norm}.num_batches_tracked"] = torch.tensor(7)

    layer("_conv_stem", "_bn0", 32, 3, 3)
    for number, (kernel, _, into, wide, out) in enumerate(BLOCKS):
        name = f"_blocks.{number}."
        if wide != into:
            layer(f"{name}_expand_conv", f"{name}_bn0", wide, into, 1)
        layer(f"{name}_depthwise_conv", f"{name}_bn1", wide, 1, kernel)
        layer(f"{name}_project_conv", f"{name}_bn2", out, wide, 1)
    layer("_conv_head", "_bn1", 1280, 320, 1)
    state["_fc.weight"] = torch.zeros(1000, 1280)
    state["_fc.bias"] = torch.zeros(1000)
    return state


def slow_forward(state: dict[str, Any], values: Any) -> Any:
    """Run the network as the paper has it: batch norms apart, float64, channels first."""
    functional = torch.nn.functional
    state = {name: value.double() for name, value in state.items()}

    def layer(values: Any, conv: str, norm: str, stride: int = 1, clip: bool = True) -> Any:
        weight = state[f"{conv}.weight"]
        kernel, side = weight.shape[-1], values.shape[-1]
        missing = max((-(-side // stride) - 1) * stride + kernel - side, 0)
        near, far = missing // 2, missing - missing // 2
        padded = functional.pad(values, (near, far, near, far))
        groups = len(weight) if "depthwise" in conv else 1
        values = functional.conv2d(padded, weight, None, stride, 0, 1, groups)
        own = [state[f"{norm}.{key}"] for key in ("running_mean", "running_var", "weight", "bias")]
        values = functional.batch_norm(values, *own, eps=1e-3)
        return functional.relu6(values) if clip else values

    values = layer(values.double(), "_conv_stem", "_bn0", 2)
    for number, (_, stride, into, wide, out) in enumerate(BLOCKS):
        name, before = f"_blocks.{number}.", values
        if wide != into:
            values = layer(values, f"{name}_expand_conv", f"{name}_bn0")
        values = layer(values, f"{name}_depthwise_conv", f"{name}_bn1", stride)
        values = layer(values, f"{name}_project_conv", f"{name}_bn2", clip=False)
        if stride == 1 and into == out:
            values = values + before
    return layer(values, "_conv_head", "_bn1").mean((2, 3))


def noise(seed: int, width: int = 300, height: int = 260) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Put made-up weights in the real format where the asset would be."""
    folder = tmp_path / EFFICIENTNET_LITE0.name
    folder.mkdir()
    torch.save(made_up_state(), folder / EFFICIENTNET_LITE0.files[0].name)
    monkeypatch.setattr(efficientnet, "weights_folder", lambda asset: tmp_path / asset.name)


@pytest.mark.parametrize("size", [64, 96, 224])
def test_the_network_is_the_paper_s_with_the_batch_norms_folded_in(size: int) -> None:
    state = made_up_state()
    images = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        made, expected = forward(convolutions(state), images), slow_forward(state, images)
    assert made.shape == (2, 1280)
    assert expected.std() > 0.1
    assert (made - expected).abs().max() < 1e-4 * expected.abs().max()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda state: state.pop("_conv_head.weight"), "_conv_head.weight is missing"),
        (lambda state: state.update({"_bn0.bias": torch.zeros(5)}), r"has the shape \(5,\)"),
        (lambda state: state.update({"extra.bias": torch.zeros(5)}), "extra.bias belong to no"),
    ],
)
def test_other_weights_are_refused(change: Any, told: str) -> None:
    state = made_up_state()
    change(state)
    with pytest.raises(DataError, match=told):
        convolutions(state)


def test_the_input_is_the_middle_of_the_image_from_minus_1_to_1() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    image[:, 110:530] = 255  # the middle 420 of 640 columns
    pixels = input_of(image)
    assert pixels.shape == (224, 224, 3)
    assert pixels[:, 2:-2].min() == 1.0
    assert input_of(np.zeros((9, 5), np.uint8)).max() == np.float32(-127 / 128)


def test_the_input_may_be_smaller_and_reach_the_border() -> None:
    image = np.zeros((40, 40, 3), np.uint8)
    image[:, 0] = 255
    assert input_of(image, 64, 1.0).shape == (64, 64, 3)
    assert input_of(image, 64, 1.0)[:, 0].min() == 1.0
    assert input_of(image, 64).max() < 0


@pytest.mark.parametrize("given", [{"size": 100}, {"size": 32}, {"crop": 0.0}, {"crop": 1.1}])
def test_sizes_that_the_network_cannot_halve_are_refused(given: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=next(iter(given))):
        EfficientNetSettings.model_validate(given)


@pytest.mark.usefixtures("made_up")
def test_the_size_is_part_of_what_a_vector_is() -> None:
    small = EfficientNetEncoder(size=64, crop=1.0)
    vectors = small.transform([noise(0), noise(1)])
    assert vectors.shape == (2, 1280)
    assert not np.allclose(vectors, EfficientNetEncoder().transform([noise(0), noise(1)]))
    assert small.identity() != EfficientNetEncoder().identity()
    batch = small.trainable().inputs([noise(0)]).batch(np.arange(1), None)
    assert batch.shape == (1, 3, 64, 64)
    assert np.array_equal(batch[0].numpy().transpose(1, 2, 0), input_of(noise(0), 64, 1.0))


@pytest.mark.usefixtures("made_up")
def test_a_vector_depends_on_its_image_alone_and_not_at_all_on_its_neighbours() -> None:
    images = [noise(seed) for seed in range(5)]
    encoder = EfficientNetEncoder()
    together = encoder.transform(images)
    assert together.shape == (5, 1280)
    assert len(np.unique(together, axis=0)) == 5
    alone = np.concatenate([encoder.transform([image]) for image in images])
    assert np.array_equal(together, alone)
    assert np.array_equal(encoder.transform(images[::-1]), together[::-1])


@pytest.mark.usefixtures("made_up")
def test_torch_has_its_threads_back_even_after_an_error() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    try:
        with pytest.raises(DataError, match="no image file"):
            EfficientNetEncoder().transform([noise(0), b"broken"])
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


def test_without_its_weights_it_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIDEMARGIN_HOME", str(tmp_path))
    with pytest.raises(AssetError, match="widemargin data fetch efficientnet-lite0"):
        EfficientNetEncoder().transform([noise(0)])


def real_encoder() -> EfficientNetEncoder:
    encoder = EfficientNetEncoder()
    try:
        encoder.transform([noise(0)])
    except AssetError as error:
        pytest.skip(str(error))
    return encoder


def test_the_real_weights_see_what_images_have_in_common() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    palace, flower = datasets.load_sample_images().images
    encoder = real_encoder()
    vectors = encoder.transform([palace, palace[:, ::-1].copy(), flower, flower[:, ::-1].copy()])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    alike = vectors @ vectors.T
    assert min(alike[0, 1], alike[2, 3]) > 0.8 > 0.5 > alike[:2, 2:].max()


def test_the_real_weights_give_what_their_own_package_gives() -> None:
    package = pytest.importorskip(
        "efficientnet_lite_pytorch", reason="compares with a package that nothing else needs"
    )
    real_encoder()
    network = package.EfficientNet.from_name("efficientnet-lite0").eval()
    folder = weights_folder(EFFICIENTNET_LITE0)
    path = folder / EFFICIENTNET_LITE0.files[0].name
    network.load_state_dict(torch.load(path, weights_only=True))
    with torch.inference_mode():
        pixels = torch.from_numpy(input_of(noise(3))).permute(2, 0, 1)[None]
        expected = network.extract_features(pixels).mean((2, 3))[0].numpy()
    assert np.abs(EfficientNetEncoder().transform([noise(3)])[0] - expected).max() < 1e-5
