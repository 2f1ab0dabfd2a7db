"""Jobs: each cell runs in a process of its own, one after the other; finished ones are kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from widemargin.comparison.plan import Cell, Plan
from widemargin.config import RunConfig, dump_yaml
from widemargin.contracts import Progress, RunRecord
from widemargin.data.assets import data_home, require
from widemargin.encoders.store import STORE_VARIABLE
from widemargin.errors import (
    AssetError,
    ConfigError,
    DataError,
    InputError,
    Problem,
    RunNotFoundError,
)
from widemargin.native.jobs import available_threads
from widemargin.runs.identity import engine_name, hash_of, sources_hash, versions
from widemargin.runs.loading import load_dataset
from widemargin.runs.store import RunStore, read_record

if TYPE_CHECKING:
    from widemargin.registry import Registry

__all__ = ["FILE", "Finished", "run_cells"]

FILE = "comparison.json"
"""What a comparison's folder says for programs: its cells, their runs, and all numbers."""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A cell that came to an end.

    Parameters
    ----------
    cell : Cell
        The cell.
    identity : str
        Hash of all that its run depends on: config, data, versions, engine, threads, sources, and
        the weights that its encoders read.
    run : RunRecord, optional
        Its run; None where it failed.
    problem : str
        What the run said when it failed.
    """

    cell: Cell
    identity: str
    run: RunRecord | None = None
    problem: str = ""


Write = Callable[[Sequence[Finished]], None]


def run_cells(
    plan: Plan,
    registry: Registry,
    store: RunStore,
    *,
    fresh: bool = False,
    offline: bool = False,
    mirror: str = "",
    progress: Progress,
    write: Write,
) -> list[Finished]:
    """Run every cell that is not finished yet, one after the other.

    Each is an ordinary run of the store, made by ``widemargin run`` in a process of its own, so
    that its peak of memory is its own and nothing of one cell is left in the next.

    Parameters
    ----------
    plan : Plan
        The cells.
    registry : Registry
        What is installed.
    store : RunStore
        Where runs and the comparison are kept.
    fresh : bool
        Whether to run cells again that are finished, and to encode all items again.
    offline : bool
        Whether fetching assets is forbidden.
    mirror : str
        Folder or address that assets are looked for in first.
    progress : Progress
        Told of every cell.
    write : callable
        ``write(finished)``: called after every cell.

    Returns
    -------
    list of Finished
        One a cell, in the plan's order.

    Raises
    ------
    InputError
        Where a cell cannot run at all, as where its encoder reads another kind of item; nothing
        is run then.
    KeyboardInterrupt
        Where Ctrl-C stopped it; it says how to go on.
    """
    checked = _check(plan, registry, offline=offline, mirror=mirror, progress=progress)
    folder = store.comparison(plan.name)
    known = {} if fresh else _finished(folder / FILE, store)
    results: dict[str, Finished] = {}

    def finished() -> list[Finished]:
        return [results[cell.name] for cell in plan.cells if cell.name in results]

    for cell in plan.cells:
        identity = checked[cell.name].identity()
        if run := known.get(identity):
            results[cell.name] = Finished(cell=cell, identity=identity, run=run)
    if results:
        progress.note(
            f"{len(results)} of {len(plan.cells)} are finished from before and are not run again; "
            "--fresh runs all."
        )
        write(finished())
    left = [cell for cell in plan.cells if cell.name not in results]
    try:
        with progress.stage("cells", total=len(left)) as stage:
            for cell in left:
                with progress.stage(cell.name):
                    results[cell.name] = _run(
                        cell,
                        checked[cell.name],
                        store,
                        fresh=fresh,
                        offline=offline,
                        mirror=mirror,
                        progress=progress,
                    )
                write(finished())
                if results[cell.name].run is not None:  # a failure has been told of
                    progress.note(f"{cell.name}: finished, {len(results)} of {len(plan.cells)}.")
                stage.advance()
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"{len(results)} of {len(plan.cells)} are finished and kept; the same command"
            f"{' without --fresh' if fresh else ''} goes on with the others."
        ) from None
    return finished()


@dataclass(frozen=True)
class _Checked:
    """A cell that can begin: what its run depends on, and its encoders, whose files may change."""

    parts: Sequence[Any]
    features: Any

    def identity(self) -> str:
        """Hash all that the run depends on, as it is now."""
        return hash_of([*self.parts, [_weights(one) for one in self._encoders()]])

    def _encoders(self) -> list[Any]:
        return [encoder for _, _, encoder in getattr(self.features, "blocks", ())]


def _weights(encoder: Any) -> str | None:
    """Hash what an encoder reads besides the items; None where that is not there."""
    tell = getattr(encoder, "weights_hash", None)
    try:
        return str(tell()) if tell else ""
    except InputError:
        return None  # the run fetches it, or says what is wrong


def _check(
    plan: Plan, registry: Registry, *, offline: bool, mirror: str, progress: Progress
) -> dict[str, _Checked]:
    """Read the data and see that every cell can begin; return what each depends on, by name."""
    fingerprints: dict[str, tuple[str, Mapping[str, Any]]] = {}
    problems: dict[Problem, None] = {}
    shared = [versions(), available_threads(), sources_hash(registry.packages())]
    found = {}
    for cell in plan.cells:
        key = hash_of(cell.config.to_dict()["data"])
        if key not in fingerprints:
            loaded = load_dataset(
                cell.config,
                registry.use_case(cell.use_case).split,
                offline=offline,
                mirror=mirror,
                progress=progress,
            )
            fingerprints[key] = loaded.fingerprint, dict(loaded.dataset.kinds)
        fingerprint, kinds = fingerprints[key]
        try:
            features = cell.config.features.build(kinds)
        except DataError as error:
            problems[Problem(str(error))] = None
            continue
        parts = [cell.config_sha256, fingerprint, engine_name(cell.config.svm.engine), *shared]
        found[cell.name] = _Checked(parts, features)
    if problems:
        raise ConfigError(problems)
    return found


def _finished(path: Path, store: RunStore) -> dict[str, RunRecord]:
    """Read which cells have a run that is still there, by identity."""
    try:
        cells = json.loads(path.read_bytes())["cells"]
        told = {cell["identity"]: cell["run"] for cell in cells if cell["run"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    found = {}
    for identity, run in told.items():
        try:
            found[identity] = read_record(store.home / run)
        except RunNotFoundError:
            continue  # deleted or damaged since; it is run again
    return found


def _run(
    cell: Cell,
    checked: _Checked,
    store: RunStore,
    *,
    fresh: bool,
    offline: bool,
    mirror: str,
    progress: Progress,
) -> Finished:
    try:
        for asset in cell.config.features.assets:
            require(asset, data_home(), offline=offline, mirror=mirror, progress=progress)
    except AssetError as error:
        progress.note(f"{cell.name} failed: {error}")
        return Finished(cell=cell, identity=checked.identity(), problem=str(error))
    # Before the run, so that a file that changes meanwhile makes another identity than it has then.
    identity = checked.identity()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        config = _write_config(cell.config, folder)
        environment = dict(os.environ)
        words = [str(config), "--runs", str(store.home), "--json", "--quiet"]
        words += ["--offline"] if offline else []
        words += ["--data-mirror", mirror] if mirror else []
        if fresh:
            # Vectors that other runs had encoded would hide what encoding costs.
            words.append("--fresh")
            environment[STORE_VARIABLE] = str(folder / "embeddings")
        code, out, err = _call(words, environment)
    said = [line for line in err.splitlines() if line.strip()]
    if code:
        problem = "\n".join(line.removeprefix("Error: ") for line in said)
        problem = problem or f"its process ended with code {code}" + _killed(code)
        progress.note(f"{cell.name} failed: {problem}")
        return Finished(cell=cell, identity=identity, problem=problem)
    for line in said:
        progress.note(f"{cell.name}: {line}")
    record = read_record(Path(json.loads(out)["path"]))
    return Finished(cell=cell, identity=identity, run=record)


def _write_config(config: RunConfig, folder: Path) -> Path:
    path = folder / "cell.yaml"
    path.write_text(dump_yaml(config), encoding="utf-8")
    return path


def _call(words: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str, str]:
    """Run ``widemargin run`` with these words; an interruption ends it too."""
    # This interpreter and our own command, no shell.
    child = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "widemargin", "run", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**environment, "PYTHONIOENCODING": "utf-8"},
    )
    try:
        out, err = child.communicate()
    except BaseException:
        _stop(child)
        raise
    if child.returncode in (130, -signal.SIGINT):
        raise KeyboardInterrupt
    return child.returncode, out, err


def _stop(child: subprocess.Popen[str]) -> None:
    """Let a run end: Ctrl-C on a terminal has told it already, elsewhere we do."""
    for tell, seconds in ((None, 2), (signal.SIGINT, 20), (signal.SIGTERM, 5)):
        if tell is not None:
            child.send_signal(tell)
        with suppress(subprocess.TimeoutExpired):
            child.communicate(timeout=seconds)
            return
    child.kill()
    child.communicate()


def _killed(code: int) -> str:
    """Say why a process may have been killed."""
    if code == -9:
        return "; it was killed, as the system does where memory runs out"
    return ""
