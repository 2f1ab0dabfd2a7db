"""The model: fitted features, a machine and its calibration; saved as arrays and JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from widemargin.contracts import Columns, Kernel, State, n_rows
from widemargin.errors import DataError, ModelError
from widemargin.runs.rows import as_rows
from widemargin.runs.transformers import check_version, dump_transformer, load_transformer
from widemargin.svm.calibration import Calibration, least_cost, parse_calibration
from widemargin.svm.fitted import fitted_kernel
from widemargin.svm.machine import Machine

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Model", "Outcome", "dump_model", "encode", "judge", "parse_model"]

FORMAT = 2
_REMEDY = "Run the use case again, or restore the run's folder from a copy."


@dataclass(frozen=True)
class Outcome:
    """What a model says of some items.

    Parameters
    ----------
    prediction : ndarray of shape (n_samples,)
        Class codes, or numbers for regression.
    decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
        Signed margins; equal to `prediction` for regression.
    probability : ndarray of shape (n_samples, n_classes) or None
        Calibrated probabilities; None for regression.
    """

    prediction: NDArray[Any]
    decision: NDArray[np.float64]
    probability: NDArray[np.float64] | None


@dataclass(frozen=True, kw_only=True)
class Model:
    """Fitted features in front of a calibrated machine.

    Parameters
    ----------
    features : transformer
        Fitted; items in, rows out.
    machine : Machine
        The trained machine. With two classes, above 0 speaks for the second in sorted order.
    calibration : Calibration or None
        None for regression.
    classes : tuple of str
        Class names in sorted order; empty for regression.
    centre, scale : float
        A regression machine predicts ``(target - centre) / scale``.
    label_weights : tuple of float
        By what the probabilities are multiplied, of which the largest is the label's: what it costs
        to mistake an item of each class, or else what class weights say of it; empty where the most
        probable class is the label.
    """

    features: Any
    machine: Machine
    calibration: Calibration | None
    classes: tuple[str, ...]
    centre: float = 0.0
    scale: float = 1.0
    label_weights: tuple[float, ...] = ()

    def predict(self, X: Columns) -> Outcome:
        """Predict items given as columns."""
        return self.predict_rows(encode(self.features, X))

    def predict_rows(self, rows: Any) -> Outcome:
        """Predict rows of features."""
        return self.judge(self.machine.decide(rows))

    def judge(self, decision: NDArray[np.float64]) -> Outcome:
        """Turn decisions into predictions."""
        return judge(decision, self.calibration, self.centre, self.scale, self.label_weights)


def judge(
    decision: NDArray[np.float64],
    calibration: Calibration | None,
    centre: float,
    scale: float,
    label_weights: Sequence[float] = (),
) -> Outcome:
    """Turn decisions into predictions: the number, or the class of `least_cost`."""
    if calibration is None:
        target = decision * scale + centre
        return Outcome(target, target, None)
    probability = calibration.probabilities(decision)
    return Outcome(least_cost(probability, label_weights), decision, probability)


def encode(features: Any, X: Columns) -> Any:
    """Return the rows that a fitted transformer makes of columns, dense float64 or CSR."""
    if isinstance(X, dict) and not hasattr(features, "get_state"):
        # Our encoders read any columns; scikit-learn's transformers read data frames.
        import pandas as pd

        X = pd.DataFrame(X)
    return as_rows(features, features.transform(X), n_rows(X))


def dump_model(model: Model) -> dict[str, bytes]:
    """Return the model's files by name: safetensors, JSON, and a manifest with their hashes."""
    files: dict[str, bytes] = {}
    if hasattr(model.features, "get_state"):
        state: State = model.features.get_state()
        files["features.safetensors"] = _dump_arrays(state.arrays)
        files["features.json"] = _dump_json(state.meta)
    else:
        files["features.skops"] = dump_transformer(model.features)
    machine = model.machine
    arrays: dict[str, NDArray[Any]] = {"intercept": machine.intercept}
    if machine.coef is not None:
        arrays["coef"] = machine.coef
    if machine.dual_coef is not None:
        arrays["dual_coef"] = machine.dual_coef
        arrays |= _dump_matrix(machine.vectors)
    files["machine.safetensors"] = _dump_arrays(arrays)
    files["model.json"] = _dump_json(
        {
            "format": FORMAT,
            "classes": list(model.classes),
            "centre": model.centre,
            "scale": model.scale,
            # The name that they had when costs alone decided labels.
            "costs": list(model.label_weights),
            "scheme": machine.scheme,
            "kernel": None if machine.kernel is None else machine.kernel.to_data(),
            "calibration": None if model.calibration is None else model.calibration.to_data(),
        }
    )
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    files["manifest.json"] = _dump_json(hashes)
    return files


def parse_model(
    files: Mapping[str, bytes],
    *,
    features: Any,
    kernels: Mapping[str, Kernel],
    trusted: Sequence[str],
    scikit_learn: str = "",
) -> Model:
    """Rebuild a model from its files; nothing in them is executed.

    Parameters
    ----------
    files : mapping of str to bytes
        What `dump_model` returned.
    features : transformer
        Unfitted, as the run's config builds it; takes up the saved state.
    kernels : mapping of str to Kernel
        The registry's kernels.
    trusted : sequence of str
        Python packages of the registry, whose transformers a saved scikit-learn transformer may
        name.
    scikit_learn : str
        The version of scikit-learn that the model was saved with; empty where it is not known.

    Raises
    ------
    ModelError
        Where a file is absent, altered, of another format, not finite, or fits no other.
    """
    _check_hashes(files)
    if "features.skops" in files:
        check_version(scikit_learn)
    try:
        return _parse(files, features, kernels, trusted)
    # What hashes vouch for may still be of another version's making, or of somebody's.
    except (
        *(KeyError, TypeError, ValueError, AttributeError, IndexError),
        *(DataError, BadZipFile),
    ) as error:
        raise ModelError(
            f"the model's files do not fit each other ({type(error).__name__}: {error}). {_REMEDY}"
        ) from error


def _parse(
    files: Mapping[str, bytes], features: Any, kernels: Mapping[str, Kernel], trusted: Sequence[str]
) -> Model:
    meta = json.loads(files["model.json"])
    if meta.get("format") != FORMAT:
        raise ModelError(
            f"the model has format {meta.get('format')}, and this version reads {FORMAT}. "
            "Run the use case again: widemargin run --like RUN."
        )
    arrays = _parse_arrays(files["machine.safetensors"], "machine.safetensors")
    if "features.skops" in files:
        features = load_transformer(files["features.skops"], trusted)
    else:
        state = _parse_arrays(files["features.safetensors"], "features.safetensors")
        features.set_state(State(state, json.loads(files["features.json"])))
    kernel = None if meta["kernel"] is None else fitted_kernel(meta["kernel"], kernels)
    classes = tuple(meta["classes"])
    calibration = meta["calibration"]
    model = Model(
        features=features,
        machine=Machine(
            scheme=meta["scheme"],
            n_classes=len(classes),
            intercept=arrays["intercept"],
            coef=arrays.get("coef"),
            kernel=kernel,
            vectors=_parse_matrix(arrays),
            dual_coef=arrays.get("dual_coef"),
        ),
        calibration=None if calibration is None else parse_calibration(calibration, len(classes)),
        classes=classes,
        centre=meta["centre"],
        scale=meta["scale"],
        label_weights=tuple(map(float, meta.get("costs", ()))),
    )
    _check_shapes(model.machine)
    _check_width(features, model.machine)
    weights = model.label_weights
    if len(weights) not in (0, len(classes)) or not all(weight > 0 for weight in weights):
        raise ValueError("model.json has costs that are none of its classes'")
    if not np.isfinite([meta["centre"], meta["scale"], *weights]).all() or (
        calibration is None
    ) != (not classes):
        raise ValueError("model.json has numbers that are absent or not finite")
    return model


def _check_shapes(machine: Machine) -> None:
    n = machine.n_classes
    by_scheme = {"single": 1, "one-vs-one": n * (n - 1) // 2, "one-vs-rest": n}
    n_functions = by_scheme[machine.scheme]
    if (machine.scheme == "single") != (n in (0, 2)):
        raise ValueError(f"{machine.scheme} does not go with {n} classes")
    if machine.kernel is None:
        fits = machine.coef is not None and machine.coef.shape[:-1] == (n_functions,)
    else:
        fits = (
            machine.dual_coef is not None
            and machine.dual_coef.shape == (n_functions, machine.vectors.shape[0])
            and machine.vectors.shape[1] >= machine.kernel.width
        )
    if not fits or machine.intercept.shape != (n_functions,):
        raise ValueError("machine.safetensors has arrays of other shapes")


def _check_width(features: Any, machine: Machine) -> None:
    """Compare the features made with the features used, where the transformer names its own."""
    try:
        made = len(features.get_feature_names_out())
    # A chain of scikit-learn's transformers has no names where one link has none.
    except (AttributeError, ValueError, NotImplementedError):
        return
    used = (machine.vectors if machine.coef is None else machine.coef).shape[-1]
    if made != used:
        raise ValueError(f"the features are {made}, and the machine was trained on {used}")


def _check_hashes(files: Mapping[str, bytes]) -> None:
    try:
        hashes = dict(json.loads(files["manifest.json"]).items())
    except (KeyError, ValueError, AttributeError) as error:
        raise ModelError(f"the model's manifest.json is absent or unreadable. {_REMEDY}") from error
    needed = {*hashes, "model.json", "machine.safetensors"}
    if "features.skops" not in hashes:
        needed |= {"features.safetensors", "features.json"}
    for name in sorted(needed):
        if name not in files or name not in hashes:
            raise ModelError(f"the model's {name} is absent. {_REMEDY}")
        if hashlib.sha256(files[name]).hexdigest() != hashes[name]:
            raise ModelError(f"the model's {name} was altered after it was saved. {_REMEDY}")


def _dump_json(value: Any) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).encode()


def _dump_arrays(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    from safetensors.numpy import save

    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    return bytes(save(whole))


def _parse_arrays(content: bytes, name: str) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays: dict[str, NDArray[Any]] = load(content)
    except SafetensorError as error:
        raise ModelError(f"the model's {name} cannot be read: {error}.") from error
    for key, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ModelError(f"the model's {name} has values in {key!r} that are not finite.")
    return arrays


def _dump_matrix(matrix: Any) -> dict[str, NDArray[Any]]:
    if not hasattr(matrix, "tocsr"):
        return {"vectors": matrix}
    return {
        "vectors.data": matrix.data,
        "vectors.indices": matrix.indices,
        "vectors.indptr": matrix.indptr,
        "vectors.shape": np.array(matrix.shape, dtype=np.int64),
    }


def _parse_matrix(arrays: Mapping[str, NDArray[Any]]) -> Any:
    if "vectors.data" not in arrays:
        return arrays.get("vectors")
    from scipy.sparse import csr_matrix

    parts = (arrays["vectors.data"], arrays["vectors.indices"], arrays["vectors.indptr"])
    matrix = csr_matrix(parts, shape=tuple(arrays["vectors.shape"].tolist()))
    matrix.check_format()
    return matrix
