"""`torchvision` and `resnet50` with weights drawn at random and saved in the real format."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from widemargin.encoders import EmbeddingStore
from widemargin.encoders.images.layer_places import places_of, shape_and_places
from widemargin.encoders.images.pretrained import (
    RESNET50,
    TORCHVISION,
    ResNet50Encoder,
    ResNet50Settings,
    TorchvisionEncoder,
    TorchvisionSettings,
)
from widemargin.encoders.images.torchvision_shim import ensure_torchvision_operators
from widemargin.errors import DataError

torch: Any = pytest.importorskip("torch", reason='needs pip install "widemargin[vision]"')
ensure_torchvision_operators()
models: Any = pytest.importorskip(
    "torchvision.models", reason='needs pip install "widemargin[vision]"'
)


def noise(seed: int) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (90, 120, 3), dtype=np.uint8)


IMAGES = [noise(seed) for seed in range(3)]


def network(model: str, **options: Any) -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return models.get_model(model, weights=None, **options).eval()


@pytest.fixture(scope="module")
def resnet18(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "mine.pth"
    torch.save(network("resnet18").state_dict(), path)
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give torch an empty cache folder."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return tmp_path / "hub" / "checkpoints"


def test_pooled_features_are_what_the_model_computes(resnet18: Path) -> None:
    encoder = TorchvisionEncoder("resnet18", "avgpool", resnet18)
    whole = network("resnet18")
    whole.fc = torch.nn.Identity()
    prepare = models.ResNet18_Weights.DEFAULT.transforms()
    from PIL import Image

    with torch.inference_mode():
        expected = whole(torch.stack([prepare(Image.fromarray(image)) for image in IMAGES]))
    made = encoder.transform(IMAGES)
    assert made.shape == (3, 512) == (3, encoder.dimension)
    assert np.abs(made - expected.numpy()).max() < 1e-5 * np.abs(made).max()


def test_maps_are_averaged_over_the_image(resnet18: Path) -> None:
    pooled = TorchvisionEncoder("resnet18", "avgpool", resnet18).transform(IMAGES)
    maps = TorchvisionEncoder("resnet18", "layer4.1", resnet18).transform(IMAGES)
    assert np.allclose(pooled, maps, atol=1e-6)
    assert TorchvisionEncoder("resnet18", "layer2", resnet18).dimension == 128
    assert TorchvisionEncoder("resnet18", "fc", resnet18).dimension == 1000


@pytest.fixture(scope="module")
def swin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "swin.pth"
    torch.save(network("swin_t").state_dict(), path)
    return path


def test_maps_with_channels_last_are_averaged_over_the_image_too(swin: Path) -> None:
    pooled = TorchvisionEncoder("swin_t", "flatten", swin).transform(IMAGES[:1])
    for layer in ("norm", "permute"):
        made = TorchvisionEncoder("swin_t", layer, swin).transform(IMAGES[:1])
        assert made.shape == (1, 768)
        assert np.allclose(made, pooled, atol=1e-5)
    assert TorchvisionEncoder("swin_t", "features.7", swin).dimension == 768


def test_a_network_for_one_size_of_image_is_read_too() -> None:
    with torch.random.fork_rng(devices=[]):
        small = models.VisionTransformer(16, 4, 1, 2, 8, 8, num_classes=3).eval()
    blank = torch.zeros(1, 3, 16, 16)
    assert shape_and_places(small, "encoder", blank, "name") == ((1, 17, 8), (1,))
    assert shape_and_places(small, "conv_proj", blank, "name") == ((1, 8, 4, 4), (2, 3))
    assert shape_and_places(small, "heads", blank, "name") == ((1, 3), ())


def test_a_layer_without_channels_is_refused_and_another_is_named(resnet18: Path) -> None:
    class Windows(torch.nn.Module):  # type: ignore[misc]  # torch is optional, and untyped here
        def forward(self, maps: Any) -> Any:
            n, channels, height, width = maps.shape
            cut = maps.reshape(n, channels, height // 4, 4, width // 4, 4)
            return cut.permute(0, 2, 4, 3, 5, 1).reshape(n, -1, 16, channels)

    class Both(torch.nn.Module):  # type: ignore[misc]  # as above
        def forward(self, maps: Any) -> Any:
            return maps, maps

    net = torch.nn.Module()
    net.conv, net.windows, net.both = torch.nn.Conv2d(3, 5, 3, padding=1), Windows(), Both()
    net.unused, net.head = torch.nn.Linear(5, 2), torch.nn.Linear(5, 2)
    net.forward = lambda batch: net.head(net.windows(net.both(net.conv(batch))[0]).mean((1, 2)))
    for layer in ("windows", "both", "unused"):
        with pytest.raises(DataError) as told:
            shape_and_places(net, layer, torch.zeros(1, 3, 16, 16), "torchvision: net")
        assert str(told.value) == (
            f"torchvision: net: layer {layer!r} returns no vectors, sequences or maps whose "
            "channels can be told. Choose another layer, as in 'conv'."
        )
        assert not any(module._forward_hooks for module in net.modules())


@pytest.mark.parametrize(
    ("shape", "smaller", "places"),
    [
        ((1, 56, 56, 56), (1, 56, 28, 28), (2, 3)),
        ((1, 56, 56, 56), (1, 28, 28, 56), (1, 2)),
        ((1, 512, 1, 1), (1, 512, 1, 1), (2, 3)),
        ((1, 512, 7, 7), None, (2, 3)),
        ((1, 7, 7, 768), None, (1, 2)),
        ((1, 1, 1, 1), None, (2, 3)),
        ((1, 50, 768), None, (1,)),
        ((1, 1000), (1, 1000), ()),
        ((1, 64, 49, 32), (1, 16, 49, 32), None),
        ((1, 64, 49, 32), None, None),
        ((1, 7, 7, 7), None, None),
        ((64, 49, 32), None, None),
        ((1,), None, None),
        ((1, 2, 3, 4, 5), None, None),
    ],
)
def test_the_axes_of_places_are_those_that_grow_with_the_image(
    shape: Any, smaller: Any, places: Any
) -> None:
    assert places_of(shape, smaller) == places


def test_an_image_s_vector_does_not_depend_on_the_others(resnet18: Path) -> None:
    encoder = TorchvisionEncoder("resnet18", "avgpool", resnet18)
    alone = np.concatenate([encoder.transform([image]) for image in IMAGES])
    assert np.array_equal(encoder.transform(IMAGES), alone)


def test_resnet50_is_torchvision_s_with_its_layer_chosen(tmp_path: Path) -> None:
    path = tmp_path / "resnet50.pth"
    torch.save(network("resnet50").state_dict(), path)
    made = ResNet50Encoder(path).transform(IMAGES[:2])
    same = TorchvisionEncoder("resnet50", "avgpool", path).transform(IMAGES[:2])
    assert made.shape == (2, 2048)
    assert np.array_equal(made, same)
    built: Any = RESNET50.build(ResNet50Settings(weights=path))
    assert built.get_params() == {"weights": path}


def test_without_a_path_torchvision_s_own_folder_is_looked_in(cache: Path) -> None:
    cache.mkdir(parents=True)
    older = models.ResNet18_Weights.IMAGENET1K_V1
    torch.save(network("resnet18").state_dict(), cache / older.url.rpartition("/")[2])
    assert TorchvisionEncoder("resnet18", "avgpool").transform(IMAGES[:1]).shape == (1, 512)


def test_weights_of_a_published_name_bring_their_own_preparation(tmp_path: Path) -> None:
    state = network("resnet50").state_dict()
    encoders = []
    for weights in models.ResNet50_Weights:  # resized to 256 and to 232 pixels
        path = tmp_path / weights.url.rpartition("/")[2]
        torch.save(state, path)
        encoders.append(ResNet50Encoder(path))
    older, newer = (encoder.transform(IMAGES[:1])[0] for encoder in encoders)
    assert np.abs(older - newer).max() > 0.01 * np.abs(newer).max()
    assert encoders[0].identity() != encoders[1].identity()


def test_without_weights_it_says_where_they_come_from_and_fetches_nothing(cache: Path) -> None:
    with pytest.raises(DataError) as told:
        ResNet50Encoder().transform(IMAGES)
    message = str(told.value)
    assert message.startswith("resnet50: the weights of resnet50 are not here. Get https://")
    assert str(models.ResNet50_Weights.DEFAULT.url) in message
    assert str(cache) in message
    assert "set weights to its path" in message
    assert not cache.exists()


def test_a_path_without_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.pth: there is no such file"):
        ResNet50Encoder(tmp_path / "gone.pth").transform(IMAGES)


def test_the_weights_of_another_model_are_refused(resnet18: Path) -> None:
    with pytest.raises(DataError, match=r"mine\.pth: these are not the weights of resnet50"):
        ResNet50Encoder(resnet18).transform(IMAGES)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"hello"])
def test_a_file_without_weights_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "bad.pth").write_bytes(content)
    with pytest.raises(DataError, match=r"bad\.pth: is no file of weights"):
        ResNet50Encoder(tmp_path / "bad.pth").transform(IMAGES)


def test_a_whole_pickled_model_is_refused(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "model.pth")
    with pytest.raises(DataError, match=r"save it with torch\.save\(model\.state_dict\(\), path\)"):
        ResNet50Encoder(tmp_path / "model.pth").transform(IMAGES)


def test_a_misspelt_model_or_layer_gets_the_nearest_name(resnet18: Path) -> None:
    with pytest.raises(DataError, match=r"'resnet81'\. Did you mean 'resnet18'\?"):
        TorchvisionEncoder("resnet81", "avgpool", resnet18).transform(IMAGES)
    with pytest.raises(DataError, match=r"Did you mean 'avgpool'\? Its outermost layers are conv1"):
        TorchvisionEncoder("resnet18", "avgpol", resnet18).transform(IMAGES)


def test_vectors_are_kept_for_other_weights_and_other_layers_apart(
    resnet18: Path, tmp_path: Path
) -> None:
    def identity(path: Path, layer: str = "avgpool") -> Any:
        return TorchvisionEncoder("resnet18", layer, path).identity()

    moved = tmp_path / "moved.pth"
    moved.write_bytes(resnet18.read_bytes())
    other = tmp_path / "other.pth"
    state = network("resnet18").state_dict()
    state["fc.bias"] += 1
    torch.save(state, other)
    assert identity(moved) == identity(resnet18)
    assert identity(other) != identity(resnet18)
    assert identity(resnet18, "layer4") != identity(resnet18)
    encoder = TorchvisionEncoder("resnet18", "avgpool", resnet18)
    encoder.store = EmbeddingStore(tmp_path / "store")
    made = encoder.transform(IMAGES)
    assert np.array_equal(encoder.transform(IMAGES), made)


def test_a_saved_model_asks_for_the_same_weights(resnet18: Path, tmp_path: Path) -> None:
    state = TorchvisionEncoder("resnet18", "avgpool", resnet18).get_state()
    other = tmp_path / "other.pth"
    torch.save({}, other)
    with pytest.raises(DataError, match="not those that the model was trained with"):
        TorchvisionEncoder("resnet18", "avgpool", other).set_state(state)


def test_densenet_s_old_names_are_understood(tmp_path: Path) -> None:
    state = network("densenet121").state_dict()
    old = {
        key.replace(".norm1.", ".norm.1.").replace(".conv2.", ".conv.2."): value
        for key, value in state.items()
    }
    assert old.keys() != state.keys()
    torch.save(old, tmp_path / "old.pth")
    encoder = TorchvisionEncoder("densenet121", "features", tmp_path / "old.pth")
    assert encoder.dimension == 1024


def test_settings_build_the_encoder(resnet18: Path) -> None:
    settings = TorchvisionSettings(model="resnet18", layer="avgpool", weights=resnet18)
    built: Any = TORCHVISION.build(settings)
    assert built.get_params() == settings.model_dump()


def test_torchvision_is_importable_in_a_fresh_process_and_operators_are_defined_once() -> None:
    script = (
        "from widemargin.encoders.images.torchvision_shim import ensure_torchvision_operators as e;"
        "import warnings; warnings.simplefilter('error');"
        "first, second = e(), e(); import torchvision; print(first == second == e(),"
        "torchvision.models.resnet18().fc.out_features)"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env={**os.environ}
    )
    assert said.stdout.strip() == "True 1000", said.stderr
