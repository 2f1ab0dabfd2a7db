"""Reading a run's folder: its files are there, and say what everything else relies on."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from widemargin.contracts import RunRecord
from widemargin.errors import ConfigError, RunNotFoundError

__all__ = ["has_manifest", "last_whole", "only_cells", "read_record"]

_MANIFEST: dict[str, Any] = {
    "id": str,
    "use_case": str,
    "created": str,
    "timings": {"total": (int, float)},
}
_NUMBER = (int, float, type(None))
_METRICS: dict[str, Any] = {
    "task": str,
    "primary": str,
    "n_items": int,
    "classes": list,
    "units": str,
    "confidence": (int, float),
    "metrics": dict,
    "baselines": dict,
    "near_duplicates": (dict, type(None)),
    "findings": list,
    "chosen": {"kernel": str, "C": (int, float), "gamma": (int, float, type(None))},
    "support_vectors": {"count": int, "share": (int, float)},
}
# What some runs lack, as those of before it was there; where it is, others rely on it.
_MANIFEST_MAY: dict[str, Any] = {
    "comparison": str,
    "seed": int,
    "versions": dict,
    "encoders": list,
    "git": dict,
    "costs": {
        "dimension": int,
        "seconds": dict.fromkeys(("encoding", "fitting", "predicting"), _NUMBER),
        "peak_memory": int,
        "items_kept": int,
        "folds_kept": int,
    },
}
_METRICS_MAY: dict[str, Any] = {"folds": list, "intervals": dict}
_CONFIG_MAY: dict[str, Any] = {
    "data": dict,
    "features": dict,
    "svm": dict,
    "evaluation": {"resamples": int, "shots": int},
}


def read_record(path: Path) -> RunRecord:
    """Read a run's folder.

    Raises
    ------
    RunNotFoundError
        Where a file of the record is absent, damaged or not of a run.
    """
    from widemargin.config import read

    try:
        manifest = _read(path / "manifest.json", _MANIFEST)
        metrics = _read(path / "metrics.json", _METRICS)
        _check(manifest, _MANIFEST_MAY, "manifest.json", may_lack=True)
        for encoder in manifest.get("encoders") or ():
            _check(encoder, {}, "'encoders' of manifest.json")
        _check(metrics, _METRICS_MAY, "metrics.json", may_lack=True)
        _check_tables(metrics)
        config = read(path / "config.yaml").values
        _check(config, _CONFIG_MAY, "config.yaml", may_lack=True)
    except (OSError, ValueError, RecursionError, ConfigError) as error:
        # One line, whatever was wrong: it may be one of several that are told.
        reason = " ".join(str(error).split())
        if isinstance(error, OSError):
            reason = f"{Path(error.filename or path).name}: {error.strerror or error}"
        elif isinstance(error, ConfigError):
            reason = "config.yaml is absent or damaged"
        raise RunNotFoundError(
            f"{path} is not a whole run ({reason}). Run the use case again, or delete the folder."
        ) from error
    return RunRecord(
        path=path,
        id=manifest["id"],
        use_case=manifest["use_case"],
        manifest=manifest,
        config=config,
        metrics=metrics,
    )


def last_whole(runs: Sequence[Path]) -> RunRecord | None:
    """Read the last run that can be read and is no comparison's cell; None where all are cells.

    A comparison tries what may be no good: what it leaves last is nobody's choice of a model. A
    warning names the runs after the one that is returned that cannot be read.

    Raises
    ------
    RunNotFoundError
        The last run's, where none can be read.
    """
    errors: list[RunNotFoundError] = []
    for run in sorted(runs, key=lambda run: run.name, reverse=True):
        if _is_cell(run):
            continue
        try:
            record = read_record(run)
        except RunNotFoundError as error:
            errors.append(error)
        else:
            for unread in errors:
                warnings.warn(f"{unread} {record.id} is taken instead.", stacklevel=3)
            return record
    if errors:
        raise errors[0]
    return None


def only_cells(name: str, runs: Sequence[Path]) -> str:
    """Say what to type where a name stands for a last run, and comparisons made all there are."""
    last = max(runs, key=lambda run: run.name)
    of = "" if name == "latest" else f"of {name} "
    return (
        f"{name!r} stands for the last run, and {of}there are only runs that `widemargin compare` "
        f"made, which it passes over. `widemargin run {last.parent.name}` makes another; or name "
        f"one of these by its id, such as {last.name}: `widemargin runs` lists them."
    )


def _is_cell(run: Path) -> bool:
    """Say whether a comparison made a run; its other files are not read for that."""
    try:
        return bool(json.loads((run / "manifest.json").read_bytes()).get("comparison"))
    except (OSError, ValueError, RecursionError, AttributeError):
        return False  # whoever reads all of it tells what is wrong


def has_manifest(run: Path) -> bool:
    """Say whether a folder is a run's."""
    try:
        return (run / "manifest.json").is_file()
    except OSError:  # a name longer than names may be, or a folder of somebody else's
        return False


def _read(path: Path, shape: dict[str, Any]) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error
    _check(content, shape, path.name)
    result: dict[str, Any] = content
    return result


def _check(content: Any, shape: dict[str, Any], where: str, *, may_lack: bool = False) -> None:
    """Refuse what is no mapping with these keys; a shape's leaf is a type, or several."""
    if not isinstance(content, dict):
        raise ValueError(f"{where} holds no JSON object")
    for key, wanted in shape.items():
        if may_lack and content.get(key) is None:
            continue
        if key not in content:
            raise ValueError(f"{where} lacks {key!r}")
        if isinstance(wanted, dict):
            _check(content[key], wanted, f"{key!r} of {where}", may_lack=may_lack)
        elif not isinstance(content[key], wanted):
            raise ValueError(f"{key!r} of {where} is not what a run writes there")


def _check_tables(metrics: dict[str, Any]) -> None:
    where = "metrics.json"
    values = dict.fromkeys(("value", "low", "high"), _NUMBER)
    _check(metrics["metrics"], {metrics["primary"]: dict}, f"'metrics' of {where}")
    for name, own in metrics["metrics"].items():
        _check(own, values, f"{name!r} of {where}")
    for name, own in metrics["baselines"].items():
        _check(own, {"title": str, "metrics": dict}, f"{name!r} of {where}")
        _check(own["metrics"], dict.fromkeys(own["metrics"], _NUMBER), f"{name!r} of {where}")
        gains = own.get("gain") or {}
        _check(gains, dict.fromkeys(gains, values), f"'gain' of {name!r} of {where}")
    duplicates = metrics["near_duplicates"]
    if duplicates is not None:
        shape = {"removed": int, "apart": dict, "crossing": dict}
        _check(duplicates, shape, f"'near_duplicates' of {where}")
    finding = dict.fromkeys(("code", "severity", "title", "message"), str)
    if not all(isinstance(name, str) for name in metrics["classes"]):
        raise ValueError(f"'classes' of {where} is not what a run writes there")
    scores = dict.fromkeys(metrics["metrics"], _NUMBER)
    for fold in metrics.get("folds") or ():
        _check(fold, scores, f"'folds' of {where}", may_lack=True)
    for one in metrics["findings"]:
        _check(one, finding, f"'findings' of {where}")
