"""Where a network computes, and what is said where that has too little memory."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from widemargin.encoders.training.settings import Device
from widemargin.errors import DataError

__all__ = ["computes_bfloat16", "device_for", "device_name", "moved", "ran_out_of_memory"]

# Of x86 processors, as torch calls them; on others nothing was measured.
_BFLOAT16 = ("avx512_bf16", "amx_bf16")

# What torch and its libraries say in a RuntimeError.
_OUT_OF_MEMORY = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "ALLOC_FAILED",
)


def device_for(choice: Device, name: str) -> Any:
    """Return the ``torch.device`` that a setting means here.

    Raises
    ------
    DataError
        Where a graphics card is asked for and torch finds none.

    Examples
    --------
    >>> device_for("cpu", "cnn")
    device(type='cpu')
    """
    torch: Any = import_module("torch")
    found = torch.cuda.is_available()
    if choice == "cuda" and not found:
        built = torch.version.cuda is not None or getattr(torch.version, "hip", None) is not None
        lacks = "finds no graphics card here" if built else "was built without CUDA"
        raise DataError(
            f"{name}: device is cuda, and torch {torch.__version__} {lacks}. Set device to auto or "
            "cpu, or install a driver and a torch with CUDA (https://pytorch.org)."
        )
    if choice == "cpu" or not found:
        return torch.device("cpu")
    return torch.device("cuda", torch.cuda.current_device())


def device_name(device: Any) -> str:
    """Return what people and histories call a device: ``cpu``, ``cuda: NVIDIA L4``."""
    torch: Any = import_module("torch")
    return "cpu" if device.type == "cpu" else f"cuda: {torch.cuda.get_device_name(device)}"


def computes_bfloat16(device: Any) -> bool:
    """Return whether a device has instructions for bfloat16, so that it is faster than float32.

    Without them it is far slower (`CnnNetwork` has measurements).
    """
    torch: Any = import_module("torch")
    if device.type != "cpu":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    found = torch.cpu.get_capabilities()
    return any(found.get(name, False) for name in _BFLOAT16)


def moved(batch: Any, device: Any) -> Any:
    """Bring a batch, or a tuple, list or dict of tensors, to a device.

    To a card from pinned memory, so that the next batch is made while this one travels.
    """
    if device.type == "cpu":
        return batch
    if isinstance(batch, dict):
        return {name: moved(own, device) for name, own in batch.items()}
    if isinstance(batch, tuple | list):
        return type(batch)(moved(own, device) for own in batch)
    return batch.pin_memory().to(device, non_blocking=True)


def ran_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory did not suffice, on a card or on the CPU."""
    torch: Any = import_module("torch")
    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(own in str(error) for own in _OUT_OF_MEMORY)
