"""Low-rank changes of linear layers and 1x1 convolutions.

E. J. Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021, arXiv:2106.09685: the
weight W stays, and ``s B A x`` is added to ``W x``. A begins at random and B at 0, so that training
begins with the network as it was. The factor s is 16 / rank, so that one learning rate serves
all ranks (section 4.1 there).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeGuard

import torch
from torch import nn

from widemargin.encoders.training.changes import factor_names

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LoraLayer", "add_lora", "lora_factors"]

_ALPHA = 16.0


class LoraLayer(nn.Module):
    """A layer with a change of low rank beside it.

    Parameters
    ----------
    base : torch.nn.Linear or torch.nn.Conv2d
        The layer; a convolution is one pixel wide and of one group.
    rank : int
        Rows of A and columns of B.
    """

    def __init__(self, base: nn.Linear | nn.Conv2d, rank: int) -> None:
        super().__init__()
        n_out, n_in = base.weight.shape[:2]
        self.base = base
        self.scale = _ALPHA / rank
        self.a = nn.Parameter(base.weight.new_empty(rank, n_in))
        self.b = nn.Parameter(base.weight.new_zeros(n_out, rank))
        nn.init.kaiming_uniform_(self.a, a=math.sqrt(5))

    @property
    def weight(self) -> torch.Tensor:
        """The weight with the change, for modules that take it instead of calling the layer."""
        added = (self.b @ self.a) * self.scale
        return self.base.weight + added.reshape(self.base.weight.shape)

    @property
    def bias(self) -> torch.Tensor | None:
        """The layer's own."""
        return self.base.bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return what the layer makes of `x`, and what the change adds."""
        own: torch.Tensor = self.base(x)
        functional = nn.functional
        if isinstance(self.base, nn.Linear):
            return own + functional.linear(functional.linear(x, self.a), self.b) * self.scale
        narrow = functional.conv2d(x, self.a[:, :, None, None], stride=self.base.stride)
        return own + functional.conv2d(narrow, self.b[:, :, None, None]) * self.scale


def add_lora(layers: Iterable[nn.Module], rank: int) -> list[nn.Parameter]:
    """Put a low-rank change beside every linear layer and 1x1 convolution, in place.

    Parameters
    ----------
    layers : iterable of torch.nn.Module
        Where they are looked for, the modules themselves not counted.
    rank : int
        The changes' rank; less where a layer is narrower.

    Returns
    -------
    list of torch.nn.Parameter
        The factors, which are what is trained.
    """
    added: list[nn.Parameter] = []
    for layer in layers:
        for parent in list(layer.modules()):
            for name, child in list(parent.named_children()):
                if not isinstance(parent, LoraLayer) and _takes(child):
                    own = LoraLayer(child, min(rank, *child.weight.shape[:2]))
                    setattr(parent, name, own)
                    added += [own.a, own.b]
    return added


def lora_factors(network: nn.Module) -> dict[str, NDArray[np.float32]]:
    """Return the factors under the names of `Changes`, s within B.

    Parameters
    ----------
    network : torch.nn.Module
        A network to which `add_lora` put changes.
    """
    found: dict[str, NDArray[np.float32]] = {}
    for name, module in network.named_modules():
        if isinstance(module, LoraLayer):
            # Outer changed layers would be part of the name; there are none within others.
            first, second = factor_names(f"{name}.weight")
            found[first] = module.a.detach().cpu().numpy().copy()
            found[second] = (module.b.detach() * module.scale).cpu().numpy()
    return found


def _takes(module: nn.Module) -> TypeGuard[nn.Linear | nn.Conv2d]:
    if isinstance(module, nn.Conv2d):
        return module.kernel_size == (1, 1) and module.groups == 1 and not any(module.padding)
    return isinstance(module, nn.Linear)
