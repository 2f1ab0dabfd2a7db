"""TensorFlow Lite networks through the runtime's C interface, one thread each.

The interface is declared in tensorflow/lite/core/c/c_api.h.
"""

from __future__ import annotations

import ctypes
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TfliteNetwork"]

_POINTER, _INT, _SIZE = ctypes.c_void_p, ctypes.c_int32, ctypes.c_size_t
_FLOAT32 = 1  # kTfLiteFloat32
_FUNCTIONS = {
    "TfLiteModelCreateFromFile": (_POINTER, [ctypes.c_char_p]),
    "TfLiteModelDelete": (None, [_POINTER]),
    "TfLiteInterpreterOptionsCreate": (_POINTER, []),
    "TfLiteInterpreterOptionsSetNumThreads": (None, [_POINTER, _INT]),
    "TfLiteInterpreterOptionsDelete": (None, [_POINTER]),
    "TfLiteInterpreterCreate": (_POINTER, [_POINTER, _POINTER]),
    "TfLiteInterpreterDelete": (None, [_POINTER]),
    "TfLiteInterpreterResizeInputTensor": (
        ctypes.c_int,
        [_POINTER, _INT, ctypes.POINTER(_INT), _INT],
    ),
    "TfLiteInterpreterAllocateTensors": (ctypes.c_int, [_POINTER]),
    "TfLiteInterpreterInvoke": (ctypes.c_int, [_POINTER]),
    "TfLiteInterpreterGetInputTensor": (_POINTER, [_POINTER, _INT]),
    "TfLiteInterpreterGetOutputTensor": (_POINTER, [_POINTER, _INT]),
    "TfLiteTensorType": (ctypes.c_int, [_POINTER]),
    "TfLiteTensorNumDims": (_INT, [_POINTER]),
    "TfLiteTensorDim": (_INT, [_POINTER, _INT]),
    "TfLiteTensorByteSize": (_SIZE, [_POINTER]),
    "TfLiteTensorCopyFromBuffer": (ctypes.c_int, [_POINTER, _POINTER, _SIZE]),
    "TfLiteTensorCopyToBuffer": (ctypes.c_int, [_POINTER, _POINTER, _SIZE]),
}


@lru_cache(maxsize=2)
def _library(path: Path) -> ctypes.CDLL:
    library = ctypes.CDLL(str(path))
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class TfliteNetwork:
    """A network of one float32 input and one float32 output; not to be shared by threads.

    Parameters
    ----------
    library : Path
        The runtime, ``libtensorflowlite_c``.
    model : Path
        The network, ``.tflite``.

    Raises
    ------
    OSError
        Where the runtime does not run on this machine.
    RuntimeError
        Where it does not take the network.
    """

    def __init__(self, library: Path, model: Path) -> None:
        self._library = lib = _library(library)
        self._name = model.name
        self._shape: tuple[int, ...] = ()
        self._interpreter = None
        self._model = lib.TfLiteModelCreateFromFile(str(model).encode())
        self._need(self._model, "read")
        options = lib.TfLiteInterpreterOptionsCreate()
        # One thread: sums keep their order, and the process may fork.
        lib.TfLiteInterpreterOptionsSetNumThreads(options, 1)
        self._interpreter = lib.TfLiteInterpreterCreate(self._model, options)
        lib.TfLiteInterpreterOptionsDelete(options)
        self._need(self._interpreter, "taken")

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the network's answer to `x`, whose shape may differ from call to call."""
        lib, net = self._library, self._interpreter
        x = np.ascontiguousarray(x, dtype=np.float32)
        if x.shape != self._shape:
            self._shape = ()
            sizes = (_INT * x.ndim)(*x.shape)
            status = lib.TfLiteInterpreterResizeInputTensor(net, 0, sizes, x.ndim)
            self._need(status == 0 and lib.TfLiteInterpreterAllocateTensors(net) == 0, "resized")
            self._shape = x.shape
        given = lib.TfLiteInterpreterGetInputTensor(net, 0)
        status = lib.TfLiteTensorCopyFromBuffer(given, x.ctypes.data, x.nbytes)
        self._need(status == 0 and lib.TfLiteInterpreterInvoke(net) == 0, "run")
        made = lib.TfLiteInterpreterGetOutputTensor(net, 0)
        n_axes = lib.TfLiteTensorNumDims(made)
        y = np.empty([lib.TfLiteTensorDim(made, axis) for axis in range(n_axes)], np.float32)
        float32 = lib.TfLiteTensorType(made) == _FLOAT32
        self._need(float32 and lib.TfLiteTensorByteSize(made) == y.nbytes, "of use")
        self._need(lib.TfLiteTensorCopyToBuffer(made, y.ctypes.data, y.nbytes) == 0, "asked")
        return y

    def close(self) -> None:
        """Free the network's memory."""
        if self._interpreter:
            self._library.TfLiteInterpreterDelete(self._interpreter)
        if self._model:
            self._library.TfLiteModelDelete(self._model)
        self._interpreter = self._model = None

    def __del__(self) -> None:
        if hasattr(self, "_model"):
            self.close()

    def _need(self, fine: object, what: str) -> None:
        if not fine:
            raise RuntimeError(f"{self._name} cannot be {what}")
