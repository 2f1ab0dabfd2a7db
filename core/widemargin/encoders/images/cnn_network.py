"""The network of the encoder `cnn`, and the precision that it trains in.

In bfloat16 products of matrices have 8 bits of precision and sums 24, and an activation takes half
the memory. Images a second of processor time in training, grey ones of 28 x 28 in batches of 64, on
one core of an AMD EPYC of the fourth generation that others kept busy; the last two rows are the
same core, kept from using newer instructions:

    instructions                 channels   float32   bfloat16
    AVX-512 and its bfloat16     16           1,343      2,086
    AVX-512 and its bfloat16     32             462        875
    AVX-512                      32             441        205
    AVX2                         32             381         37
"""

from __future__ import annotations

import torch
from torch import nn

from widemargin.encoders.training.devices import computes_bfloat16
from widemargin.encoders.training.settings import Precision

__all__ = ["CnnNetwork"]

_STAGES = 3


class CnnNetwork(nn.Sequential):
    """Three stages of two 3x3 convolutions, the mean over places, and a layer of numbers.

    Parameters
    ----------
    colours : int
        Channels of an image.
    channels : int
        Channels of the first stage; each further one has twice as many.
    dimension : int
        Numbers that an image becomes.
    precision : {"float32", "bfloat16", "auto"}
        What training computes in; auto is bfloat16 where the device has instructions for it.
        Weights, and vectors out of training, are float32 always.

    Examples
    --------
    >>> network = CnnNetwork(1, 16, 64, "float32").eval()
    >>> tuple(network(torch.zeros(2, 1, 28, 28)).shape)
    (2, 64)
    """

    def __init__(self, colours: int, channels: int, dimension: int, precision: Precision) -> None:
        layers: list[nn.Module] = []
        into = colours
        for stage in range(_STAGES):
            out = channels << stage
            for width in (into, out):
                layers += [
                    nn.Conv2d(width, out, 3, padding=1, bias=False),
                    nn.BatchNorm2d(out),
                    nn.ReLU(inplace=True),
                ]
            layers.append(nn.MaxPool2d(2))
            into = out
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(into, dimension)]
        layers.append(nn.ReLU(inplace=True))
        super().__init__(*layers)
        self._precision = precision
        # A third faster on CPUs than with the channels apart.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # no stub for it

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return vectors of shape (n_images, dimension), float32."""
        if not self.training or not self._rough(images.device):
            return self._vectors(images)
        with torch.autocast(images.device.type, torch.bfloat16):
            return self._vectors(images).float()

    def _rough(self, device: torch.device) -> bool:
        auto = self._precision == "auto"
        return computes_bfloat16(device) if auto else self._precision == "bfloat16"

    def _vectors(self, images: torch.Tensor) -> torch.Tensor:
        for layer in self:
            images = layer(images)
        return images
