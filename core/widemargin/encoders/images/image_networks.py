"""Pretrained networks of images, as they are trained further.

Batch norms stay what they were on ImageNet, linear maps of fixed numbers: a batch of a few images
has no mean and deviation worth having, and with others than those of use a network would learn
from vectors that nobody ever gets. Scales and shifts learn; in EfficientNet-Lite0 they are part of
the convolutions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from widemargin.encoders.images.efficientnet_layers import Convolution, blocks, forward
from widemargin.encoders.training.changes import Changes

__all__ = ["ConvolutionNetwork", "LayerNetwork", "changed", "layers_up_to"]


class ConvolutionNetwork(nn.Module):
    """EfficientNet-Lite0, its convolutions as parameters.

    Parameters
    ----------
    network : sequence of Convolution
        As published.
    """

    def __init__(self, network: Sequence[Convolution]) -> None:
        super().__init__()
        self._network = network
        self.layers = nn.ModuleList(
            nn.ModuleList(_module(network[place]) for place in block) for block in blocks(network)
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return pooled features, of shape (n_images, 1280)."""
        layers: Any = self.layers
        modules = [module for block in layers for module in block]
        vectors: torch.Tensor = forward(self._network, images, modules)
        return vectors


def _module(layer: Convolution) -> nn.Conv2d:
    n_out, n_in, kernel, _ = layer.weight.shape
    with torch.device("meta"):
        module = nn.Conv2d(
            n_in * layer.groups,
            n_out,
            kernel,
            stride=layer.stride,
            padding=0 if layer.stride == 2 else kernel // 2,
            groups=layer.groups,
        )
    module.weight = nn.Parameter(layer.weight.clone())
    module.bias = nn.Parameter(layer.bias.clone())
    return module


def changed(network: Sequence[Convolution], changes: Changes) -> list[Convolution]:
    """Return EfficientNet-Lite0 with the weights that training left."""
    own = list(network)
    for number, block in enumerate(blocks(network)):
        for place, at in enumerate(block):
            name = f"layers.{number}.{place}"
            weight = changes.of(f"{name}.weight", own[at].weight.numpy())
            bias = changes.of(f"{name}.bias", own[at].bias.numpy())
            laid = torch.from_numpy(weight).contiguous(memory_format=torch.channels_last)
            own[at] = replace(own[at], weight=laid, bias=torch.from_numpy(bias))
    return own


class LayerNetwork(nn.Module):
    """A network of torchvision up to one of its layers.

    Parameters
    ----------
    network : torch.nn.Module
        The network.
    layer : str
        The layer's name.
    places : tuple of int
        The axes of its output that are places in the image.
    """

    def __init__(self, network: nn.Module, layer: str, places: tuple[int, ...]) -> None:
        super().__init__()
        self.network, self._places = network, places
        self._seen: Any = None
        network.get_submodule(layer).register_forward_hook(self._keep)

    def train(self, mode: bool = True) -> Self:
        """Begin or end training; batch norms keep the statistics that they have."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, _BatchNorm):
                module.eval()
        return self

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the layer's output, of shape (n_images, n_channels), averaged over places."""
        self.network(images)
        found, self._seen = self._seen, None
        vectors: torch.Tensor = found.mean(self._places) if self._places else found
        return vectors

    def _keep(self, module: nn.Module, inputs: Any, output: Any) -> None:
        self._seen = output


def layers_up_to(network: nn.Module, layer: str) -> list[nn.Module]:
    """Return a network's layers in order, the last one being that which holds `layer`.

    Sequences count as the layers that they are of; what has no weights is left out.

    Examples
    --------
    >>> network = nn.Sequential(nn.Sequential(nn.Linear(1, 2), nn.ReLU()), nn.Linear(2, 1))
    >>> [type(one).__name__ for one in layers_up_to(network, "0.1")]
    ['Linear']
    """
    found: list[nn.Module] = []

    def walk(module: nn.Module, name: str) -> bool:
        for child_name, child in module.named_children():
            own = f"{name}{child_name}"
            if not isinstance(child, nn.Sequential):
                found.append(child)
            elif walk(child, f"{own}."):
                return True
            if own == layer or layer.startswith(f"{own}."):
                return True
        return False

    walk(network, "")
    return [one for one in found if any(True for _ in one.parameters())]
