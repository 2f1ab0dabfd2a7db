"""The plan of a comparison: its cells, each an ordinary run, or one that exists."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from widemargin.comparison.asked import Asked
from widemargin.comparison.axes import AXES
from widemargin.comparison.targets import Target, where
from widemargin.config import resolve
from widemargin.contracts import RunRecord
from widemargin.errors import ConfigError, InputError, Problem
from widemargin.runs.identity import hash_of

if TYPE_CHECKING:
    from widemargin.config import RunConfig
    from widemargin.registry import Registry

__all__ = ["Cell", "Plan", "make_plan"]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One run of a comparison.

    Parameters
    ----------
    values : mapping of str to str
        Its value on each axis, as people read it.
    target : str
        The target's name, whether or not there is another one.
    use_case : str
        The problem that it solves.
    config : RunConfig or None
        The resolved config of its run; None where that exists.
    run : RunRecord, optional
        The run, where it existed before.
    """

    values: Mapping[str, str]
    target: str
    use_case: str
    config: RunConfig | None
    run: RunRecord | None = None

    @property
    def name(self) -> str:
        """What tells it from the other cells."""
        return cell_name(self.values)

    @property
    def key(self) -> str:
        """Hash of its config, as the run's manifest has it; of the run's name where it exists."""
        if self.config is None:
            assert self.run is not None
            return hash_of(f"{self.run.use_case}/{self.run.id}")
        return hash_of(self.config.to_dict())


def cell_name(values: Mapping[str, str]) -> str:
    """Name a cell by its values.

    Examples
    --------
    >>> cell_name({"encoder": "tfidf", "kernel": "rbf"})
    'tfidf with rbf'
    >>> cell_name({"use case": "spam", "encoder": "tfidf", "kernel": "rbf"})
    'spam: tfidf with rbf'
    """
    targets = [value for axis, value in values.items() if axis not in AXES]
    varied = " with ".join(value for axis, value in values.items() if axis in AXES)
    return ": ".join([*targets, varied] if varied else targets)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is compared.

    Parameters
    ----------
    axes : tuple of str
        What differs from cell to cell: targets, where there are several, as ``use case``,
        ``config`` or ``run``; then names of `AXES`.
    cells : tuple of Cell
        All combinations of the axes' values, in the order given.
    file : str
        Name of the comparison's file; empty where there is none.
    title : str
        What it is headed; empty where nothing was said.
    """

    axes: tuple[str, ...]
    cells: tuple[Cell, ...]
    file: str = ""
    title: str = ""

    @property
    def use_cases(self) -> tuple[str, ...]:
        """The problems that cells solve, each once."""
        return tuple(dict.fromkeys(cell.use_case for cell in self.cells))

    @property
    def name(self) -> str:
        """The folder that it is kept in: the same cells in any order have the same one."""
        cases = sorted(self.use_cases)
        stem = self.file or ("-".join(cases) if len(cases) <= 3 else f"{len(cases)}-use-cases")
        return f"{stem}-{hash_of(sorted(cell.key for cell in self.cells))[:8]}"


def make_plan(asked: Asked, registry: Registry) -> Plan:
    """Make the cells: every target, in every combination of the axes' values.

    Parameters
    ----------
    asked : Asked
        Targets, axes and settings.
    registry : Registry
        What is installed.

    Raises
    ------
    InputError
        Where there are fewer than two cells, two are equal, or a run that exists should be varied.
    ConfigError
        Where a value is none that its setting takes; it names the problems of all cells.
    """
    targets, axes = asked.targets, list(asked.axes.values())
    _check_runs(asked)
    if len(targets) == 1 and not axes:
        raise InputError(where(asked.file) + _TOO_FEW)
    several = (_axis_of(targets),) if len(targets) > 1 else ()
    named = [values.named() for values in axes]
    cells: list[Cell] = []
    problems = Problems(len(targets))
    for target in targets:
        own = dict.fromkeys(several, target.name)
        if target.run is not None:
            cells.append(
                Cell(
                    values=own,
                    target=target.name,
                    use_case=target.use_case,
                    config=None,
                    run=target.run,
                )
            )
            continue
        for combination in itertools.product(*named):
            layers = [values.document(k) for values, (_, k) in zip(axes, combination, strict=True)]
            try:
                config = resolve(
                    registry.use_case(target.use_case),
                    [*target.layers, asked.overrides, *layers],
                    encoders=registry.encoders,
                    kernels=registry.kernels,
                )
            except ConfigError as error:
                problems.add(error.problems, target.name, target.file)
                continue
            varied = dict(zip(asked.axes, (name for name, _ in combination), strict=True))
            cells.append(
                Cell(
                    values={**own, **varied},
                    target=target.name,
                    use_case=target.use_case,
                    config=config,
                )
            )
    problems.raise_any()
    if len(cells) < 2:
        only = axes[0].axis
        raise InputError(
            f"{axes[0].said} names {cells[0].name!r} only, and a comparison needs two or more, as "
            f"in {only.option} {only.example}."
        )
    _refuse_equal(cells, asked.file)
    return Plan(
        axes=(*several, *asked.axes),
        cells=tuple(cells),
        file=Path(asked.file).stem,
        title=asked.title,
    )


_TOO_FEW = (
    "Say what to compare: "
    + " or ".join(f"{axis.option} {axis.example}" for axis in AXES.values())
    + ", or name several use cases, config files or runs."
)


class Problems:
    """What is wrong with targets, each thing once, and of which of them.

    Parameters
    ----------
    n_targets : int
        How many there are; what is wrong with all of them needs no name.
    """

    def __init__(self, n_targets: int) -> None:
        self._n_targets = n_targets
        self._found: dict[Problem, dict[str, None]] = {}

    def add(self, problems: Sequence[Problem], name: str, file: str = "") -> None:
        """Note what is wrong with a target; what stands in its own file needs no name either."""
        for problem in problems:
            own = self._found.setdefault(problem, {})
            if not (file and problem.file == file):
                own[name] = None

    def raise_any(self) -> None:
        """Raise what was noted.

        Raises
        ------
        ConfigError
            Where anything was.
        """
        told = [
            replace(problem, message=f"for {', '.join(names)}: {problem.message}")
            if names and len(names) < self._n_targets
            else problem
            for problem, names in self._found.items()
        ]
        if told:
            raise ConfigError(told)


def _axis_of(targets: Sequence[Target]) -> str:
    kinds = {target.kind for target in targets}
    return kinds.pop() if len(kinds) == 1 else "run"


def _check_runs(asked: Asked) -> None:
    """Refuse to vary or to change a run that exists."""
    runs = [target for target in asked.targets if target.run]
    for values in asked.axes.values():
        if runs:
            raise InputError(
                f"{values.said} varies what is run, and {runs[0].name} exists already; name its "
                "use case or its config instead."
            )
    given = [one for one in (*asked.shared, asked.overrides) if one.values]
    if len(runs) == len(asked.targets) and given:
        keys = ", ".join(given[0].values)
        raise InputError(
            f"{given[0].name or 'a setting'}: {keys} would change what is run, and all of these "
            "runs exist already; leave it out."
        )


def _refuse_equal(cells: Sequence[Cell], file: str) -> None:
    seen: dict[str, Cell] = {}
    for cell in cells:
        other = seen.setdefault(cell.key, cell)
        if other is not cell:
            what = "have the same settings" if cell.config else "are the same run"
            raise InputError(
                f"{where(file)}{other.name!r} and {cell.name!r} {what}; take out one of them."
            )
