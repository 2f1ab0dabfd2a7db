"""Checks before anything runs: data are read, and every cell can begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from widemargin.comparison.axes import AXES
from widemargin.comparison.budget import Budget
from widemargin.comparison.plan import Cell, Plan, Problems
from widemargin.contracts import Progress, Stage
from widemargin.data.assets import data_home, require
from widemargin.errors import AssetError, DataError, InputError, Problem
from widemargin.runs.identity import engine_name, hash_of, sources_hash, versions
from widemargin.runs.loading import load_dataset

if TYPE_CHECKING:
    from widemargin.registry import Registry

__all__ = ["Checked", "check_cells", "fetch_weights"]


@dataclass(frozen=True)
class Checked:
    """A cell that can begin.

    Parameters
    ----------
    parts : sequence
        What its run depends on.
    features : object
        Its unfitted features, whose encoders may read files that change.
    shared : frozenset of str
        Vectors of which a cell with the same finds some in the embedding store.
    """

    parts: Sequence[Any]
    features: Any
    shared: frozenset[str]

    def identity(self) -> str:
        """Hash all that the run depends on, as it is now."""
        encoders = [encoder for _, _, encoder in getattr(self.features, "blocks", ())]
        return hash_of([*self.parts, [_weights(one) for one in encoders]])


def check_cells(
    plan: Plan,
    registry: Registry,
    budget: Budget,
    *,
    offline: bool,
    mirror: str,
    progress: Progress,
) -> tuple[dict[str, Checked], dict[str, str]]:
    """Read the data and see that every cell can begin.

    Returns
    -------
    dict of str to Checked
        What each cell depends on, by its name.
    dict of str to str
        Why the data of some cells cannot be had, where those of others can.

    Raises
    ------
    ConfigError
        Where a cell's features cannot be made of its data's kind of items.
    InputError
        Where no cell's data can be had.
    """
    several = len({cell.target for cell in plan.cells}) > 1
    data = _Data(registry, offline=offline, mirror=mirror)
    threads = budget.threads
    common = [versions(), threads, sources_hash(registry.packages())]
    problems = Problems(len({cell.target for cell in plan.cells}))
    unread: dict[str, str] = {}
    error: InputError | None = None
    found = {}
    for cell in plan.cells:
        if cell.config is None:
            continue
        told = _Told(progress, cell.target) if several else progress
        try:
            fingerprint, kinds = data.of(cell, told)
        except (AssetError, DataError) as caught:
            unread[cell.name], error = str(caught), error or caught
            continue
        try:
            features = cell.config.features.build(kinds)
        except DataError as caught:
            problems.add([_refused(cell, str(caught))], cell.target)
            continue
        parts = [cell.key, fingerprint, engine_name(cell.config.svm.engine), *common]
        found[cell.name] = Checked(parts, features, _shared(cell, fingerprint))
    problems.raise_any()
    if error is not None and not found and all(cell.config for cell in plan.cells):
        raise error
    return found, unread


def fetch_weights(
    cells: Sequence[Cell], *, offline: bool, mirror: str, progress: Progress
) -> dict[str, str]:
    """Fetch what the encoders of cells read, each asset once.

    Returns
    -------
    dict of str to str
        Why that of some cells cannot be had, by their names.
    """
    tried: dict[str, str] = {}
    problems: dict[str, str] = {}
    for cell in cells:
        assert cell.config is not None
        for asset in cell.config.features.assets:
            if asset.name not in tried:
                tried[asset.name] = ""
                try:
                    require(asset, data_home(), offline=offline, mirror=mirror, progress=progress)
                except AssetError as error:
                    tried[asset.name] = str(error)
            if tried[asset.name]:
                problems.setdefault(cell.name, tried[asset.name])
    return problems


def _refused(cell: Cell, message: str) -> Problem:
    axis = AXES["encoder"]
    varied = axis.name in cell.values
    return Problem(message, file=axis.option if varied else "")


class _Told:
    """Progress whose notes say which target they are about."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress, self._name = progress, name

    def stage(self, name: str, total: float | None = None) -> AbstractContextManager[Stage]:
        return self._progress.stage(f"{self._name}: {name}", total)

    def note(self, message: str) -> None:
        self._progress.note(f"{self._name}: {message}")


class _Data:
    """Reads each data set once, and keeps only its fingerprint and its columns' kinds."""

    def __init__(self, registry: Registry, **given: Any) -> None:
        self._registry, self._given = registry, given
        self._known: dict[str, tuple[str, Mapping[str, Any]] | InputError] = {}

    def of(self, cell: Cell, progress: Progress) -> tuple[str, Mapping[str, Any]]:
        """Return a cell's, or raise what was raised first."""
        assert cell.config is not None
        key = hash_of([cell.use_case, cell.config.to_dict()["data"]])
        if key not in self._known:
            try:
                loaded = load_dataset(
                    cell.config,
                    self._registry.use_case(cell.use_case).split,
                    **self._given,
                    progress=progress,
                )
            except (AssetError, DataError) as error:
                self._known[key] = error
            else:
                self._known[key] = loaded.fingerprint, dict(loaded.dataset.kinds)
        found = self._known[key]
        if isinstance(found, InputError):
            raise found
        return found


def _weights(encoder: Any) -> str | None:
    """Hash what an encoder reads besides the items; None where that is not there."""
    tell = getattr(encoder, "weights_hash", None)
    try:
        return str(tell()) if tell else ""
    except InputError:
        return None  # the run fetches it, or says what is wrong


def _shared(cell: Cell, fingerprint: str) -> frozenset[str]:
    """Name the encoders that learn nothing, whose vectors are kept from run to run."""
    assert cell.config is not None
    choices = getattr(cell.config.features, "encoder", ())
    return frozenset(
        hash_of([fingerprint, choice.spec.name, choice.settings.model_dump(mode="json")])
        for choice in (choices if isinstance(choices, tuple) else ())
        if choice.spec.learns_at(choice.settings) == "nothing"
    )
