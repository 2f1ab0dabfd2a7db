"""Which axes of a layer's output are places in the image, and which one holds the channels."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from widemargin.errors import DataError

__all__ = ["Shape", "places_of", "shape_and_places"]

Shape = tuple[int, ...]


def shape_and_places(network: Any, layer: str, blank: Any, name: str) -> tuple[Shape, Shape]:
    """Return the shape of what a layer makes of an image, and which of its axes are places.

    Raises
    ------
    DataError
        Where no axis can be told to be the channels.
    """
    shapes = _shapes(network, blank)
    try:
        smaller = _shapes(network, blank[:, :, ::2, ::2])
    # Networks that take images of one size only fail in many ways for another.
    except Exception:  # noqa: BLE001
        smaller = {}
    found = {known: places_of(own, smaller.get(known)) for known, own in shapes.items()}
    places = found.get(layer)
    if places is None:
        # The last one before the numbers of the classes; the network itself ends last.
        *_, end = shapes.values()
        usable = [one for one, own in found.items() if own is not None and shapes[one] != end]
        raise DataError(
            f"{name}: layer {layer!r} returns no vectors, sequences or maps whose channels can be "
            f"told. Choose another layer, as in {usable[-1]!r}."
        )
    return shapes[layer], places


def _shapes(network: Any, batch: Any) -> dict[str, Shape]:
    """Return the shape of every layer's output, in the order in which layers end."""
    torch = import_module("torch")
    shapes: dict[str, Shape] = {}
    hooks = []
    for known, module in network.named_modules():

        def keep(module: Any, inputs: Any, output: Any, known: str = known) -> None:
            shapes.pop(known, None)
            if isinstance(output, torch.Tensor):
                shapes[known] = tuple(output.shape)

        hooks.append(module.register_forward_hook(keep))
    try:
        with torch.inference_mode():
            network(batch.contiguous(memory_format=torch.channels_last))
    finally:
        for hook in hooks:
            hook.remove()
    return shapes


def places_of(shape: Shape, smaller: Shape | None) -> Shape | None:
    """Return the axes to average over; None where none can be told to be the channels.

    `smaller` is the shape for a smaller image, where the network takes it. Where that tells
    nothing, the two axes of equal length are the places, since images are square.
    """
    if shape[:1] != (1,) or len(shape) not in (2, 3, 4):
        return None
    if len(shape) < 4:
        return (1,) if len(shape) == 3 else ()
    first, last = (2, 3), (1, 2)
    changed = tuple(k for k in (1, 2, 3) if smaller and shape[k] != smaller[k])
    if changed:
        return changed if changed in (first, last) else None
    _, one, two, three = shape
    if two == three and (one != two or one == 1):
        return first
    return last if one == two != three else None
