"""How fast `efficientnet` is beside a plain torch loop: the same network, images and vectors.

    python tests/benchmarks/images.py [--images 300] [--rounds 3]

The peer opens one file after the other with Pillow, applies torchvision's transforms, and runs the
network layer by layer over batches of 32, as tutorials have it, with torch's own thread count. Both
use every core of this process, in turns. Needs `widemargin data fetch efficientnet-lite0` and
pip install "widemargin[vision]". Images are made up: 640 x 480 JPEG, soft shapes with fine noise.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from widemargin.encoders.images import efficientnet
from widemargin.encoders.images.torchvision_shim import ensure_torchvision_operators
from widemargin.encoders.weights import weights_folder

BATCH = 32


def made_up_images(folder: Path, count: int) -> list[Path]:
    """Write JPEG files that are about as hard to unpack as photographs."""
    from PIL import Image

    rng = np.random.default_rng(0)
    paths = []
    for number in range(count):
        image = np.full((480, 640, 3), 128.0)
        for rows, strength in ((6, 90.0), (24, 50.0), (96, 25.0), (480, 8.0)):
            for channel in range(3):
                coarse = rng.normal(0, strength, (rows, rows * 4 // 3)).astype(np.float32)
                image[:, :, channel] += Image.fromarray(coarse).resize((640, 480))
        paths.append(folder / f"{number:04}.jpg")
        Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(paths[-1], quality=88)
    return paths


def plain_network(state: dict[str, Any]) -> Any:
    """Build the network as torch modules, batch norms and all."""
    import torch
    from torch import nn

    class Same(nn.Module):
        """A convolution that pads as TensorFlow does, its batch norm, and ReLU6."""

        def __init__(self, conv: str, norm: str, stride: int, clipped: bool) -> None:
            super().__init__()
            weight = state[f"{conv}.weight"]
            out, into, kernel, _ = weight.shape
            groups = out if "depthwise" in conv else 1
            self.pad: nn.Module = nn.Identity()
            if stride == 2:
                near, far = (kernel - 2) // 2, (kernel - 1) // 2
                self.pad = nn.ZeroPad2d((near, far, near, far))
            self.conv = nn.Conv2d(
                into * groups, out, kernel, stride, kernel // 2 if stride == 1 else 0,
                groups=groups, bias=False,
            )  # fmt: skip
            self.conv.weight.data = weight
            self.norm = nn.BatchNorm2d(out, eps=1e-3)
            own = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
            self.norm.load_state_dict({key: state[f"{norm}.{key}"] for key in own})
            self.clip = nn.ReLU6() if clipped else nn.Identity()

        def forward(self, values: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = self.clip(self.norm(self.conv(self.pad(values))))
            return result

    class Block(nn.Module):
        """An inverted bottleneck."""

        def __init__(self, name: str, stride: int) -> None:
            super().__init__()
            layers = [
                Same(f"{name}_depthwise_conv", f"{name}_bn1", stride, True),
                Same(f"{name}_project_conv", f"{name}_bn2", 1, False),
            ]
            if f"{name}_expand_conv.weight" in state:
                layers.insert(0, Same(f"{name}_expand_conv", f"{name}_bn0", 1, True))
            self.layers = nn.Sequential(*layers)
            self.added = stride == 1

        def forward(self, values: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self.layers(values)
            return out + values if self.added and out.shape == values.shape else out

    strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1]
    blocks = [Block(f"_blocks.{number}.", stride) for number, stride in enumerate(strides)]
    return nn.Sequential(
        Same("_conv_stem", "_bn0", 2, True),
        *blocks,
        Same("_conv_head", "_bn1", 1, True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    ).eval()


def plain_loop(network: Any) -> Callable[[list[Path]], NDArray[np.float32]]:
    """Return the peer."""
    import torch
    from PIL import Image

    # By name, since torchvision ships no type hints.
    transforms: Any = import_module("torchvision.transforms")

    transform = transforms.Compose(
        [
            transforms.CenterCrop(420),  # 87.5% of 480
            transforms.Resize(224, interpolation=transforms.InterpolationMode.BICUBIC),
            transforms.ToTensor(),
            transforms.Normalize([127 / 255] * 3, [128 / 255] * 3),
        ]
    )

    def encode(paths: list[Path]) -> NDArray[np.float32]:
        parts = []
        with torch.no_grad():
            for start in range(0, len(paths), BATCH):
                images = []
                for path in paths[start : start + BATCH]:
                    with Image.open(path) as image:
                        images.append(transform(image.convert("RGB")))
                parts.append(network(torch.stack(images)).numpy())
        return np.concatenate(parts)

    return encode


def main() -> None:
    """Measure both in turns and print a table."""
    parser = argparse.ArgumentParser(description="efficientnet beside a plain torch loop")
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    ensure_torchvision_operators()
    import torch

    asset = efficientnet.EFFICIENTNET_LITE0
    path = weights_folder(asset) / asset.files[0].name
    peer = plain_loop(plain_network(torch.load(path, weights_only=True)))
    encoder = efficientnet.EfficientNetEncoder()
    roads = {"plain torch loop": peer, "widemargin": encoder.transform}
    seconds: dict[str, list[float]] = {name: [] for name in roads}
    busy: dict[str, list[float]] = {name: [] for name in roads}
    vectors: dict[str, NDArray[np.float32]] = {}
    with tempfile.TemporaryDirectory() as folder:
        paths = made_up_images(Path(folder), arguments.images)
        for encode in roads.values():
            encode(paths[:BATCH])
        for _ in range(arguments.rounds):
            for name, encode in roads.items():
                before, used = time.perf_counter(), time.process_time()
                vectors[name] = encode(paths)
                seconds[name].append(time.perf_counter() - before)
                busy[name].append(time.process_time() - used)
    write = sys.stdout.write
    write(f"{arguments.images} JPEG files of 640 x 480, {os.cpu_count()} cores, ")
    write(f"torch {torch.__version__}, median of {arguments.rounds} rounds\n\n")
    write("| | images/s | CPU ms/image | times the plain loop |\n|---|---:|---:|---:|\n")
    slow = float(np.median(seconds["plain torch loop"]))
    for name in roads:
        took = float(np.median(seconds[name]))
        cpu = float(np.median(busy[name])) / arguments.images * 1000
        rate = arguments.images / took
        write(f"| {name} | {rate:.1f} | {cpu:.1f} | {slow / took:.2f} |\n")
    a, b = vectors.values()
    cosines = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    write(f"\nsmallest cosine of the two vectors of an image: {cosines.min():.6f}\n")


if __name__ == "__main__":
    main()
