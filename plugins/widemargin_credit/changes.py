"""Changes: the smallest ones that would turn a refusal, among those that an applicant can make.

Every value that a changeable column takes among the training rows is tried (of a number with more
than 32 values, 32 that stand for equally many rows each), by itself and then with every value of
every second column. A number that turns the decision is then brought as near to the applicant's
own as it may be, to whole numbers where the column has no others. Numbers are rounded, away from
the applicant's own, to the digits that are told; each answer has been predicted as it is told.

No bin of a monotone tree lies between two of those 32 values, as it holds a twentieth of the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.data import parse_numbers
from widemargin_credit.applications import BAD, MayChange
from widemargin_credit.deciding import Decider, applications_for, decider_of_run
from widemargin_credit.words import (
    exactly_in_words,
    in_words,
    value_in_words,
    written_number,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Change", "Turn", "smallest_changes", "turning_changes"]

_STEPS = 64
_ROUNDS = 3
_AT_ONCE = 20_000
_PAIRS_AT_ONCE = 4_000


@dataclass(frozen=True)
class Change:
    """One column's new value."""

    column: str
    before: Any
    after: Any

    def __str__(self) -> str:
        before, after = value_in_words(self.before), exactly_in_words(self.after)
        if before == after:
            before = exactly_in_words(self.before)
        return f"{in_words(self.column)}: {before} to {after}"


@dataclass(frozen=True)
class Turn:
    """Changes that together turn a refusal.

    Parameters
    ----------
    changes : tuple of Change
        What changes.
    size : float
        How far: for each number the share of training rows whose value is passed, for each category
        1.
    bad : float
        The probability of bad afterwards.
    """

    changes: tuple[Change, ...]
    size: float
    bad: float

    def __str__(self) -> str:
        return " and ".join(map(str, self.changes))


def smallest_changes(run: Any, applications: pd.DataFrame) -> list[list[Turn]]:
    """Return for each application what would turn its refusal, the smallest change first.

    Parameters
    ----------
    run : Run
        What ``widemargin.load("credit")`` returned.
    applications : DataFrame
        Columns as the model was trained on.

    Returns
    -------
    list of list of Turn
        For each application the smallest change of each column that suffices by itself; else the
        smallest of two columns; nothing where no such change turns it, or it is not refused.

    Examples
    --------
    >>> run = widemargin.load("credit")                              # doctest: +SKIP
    >>> applications = pandas.read_csv("applicants.csv")             # doctest: +SKIP
    >>> print(smallest_changes(run, applications)[0][0])             # doctest: +SKIP
    credit amount: 9,055 to 4,210
    """
    decider = decider_of_run(run)
    return turning_changes(decider, applications_for(decider, applications))


def turning_changes(decider: Decider, X: pd.DataFrame) -> list[list[Turn]]:
    """Return what `smallest_changes` does, of a decider."""
    search = _Search(decider, X)
    refused = np.flatnonzero(decider.refuses(X)).tolist()
    options = {row: search.options(row) for row in refused}
    singles = search.singles(options)
    # Of pairs the smallest is enough to be told; of single columns each may suit somebody.
    pairs = {row: search.pair(row, options[row]) for row in refused if not singles[row]}
    least = {row: [turn] for row, turn in pairs.items() if turn}
    turns = search.narrowed(singles | least)
    return [sorted(turns.get(row, []), key=lambda turn: turn.size) for row in range(len(X))]


@dataclass(frozen=True)
class _Option:
    """The values that a column may take in place of an applicant's own, and how far each is."""

    column: str
    sizes: Mapping[Any, float]


@dataclass
class _Narrowing:
    """A number on its way from one that turns the decision to the nearest that does."""

    row: int
    turn: Turn
    place: int
    now: float
    near: float
    far: float


def _rank(turn: Turn) -> tuple[float, float]:
    """Order turns; of one size the one that only just turns: no more is asked than it takes."""
    return turn.size, -turn.bad


class _Search:
    def __init__(self, decider: Decider, X: pd.DataFrame) -> None:
        self.decider = decider
        # Numbers that a column is known to have; a column of categories has none.
        self.numbers = {
            name: [(v, w) for v, w in zip(values, weights, strict=True) if v is not None]
            for name, (values, weights) in decider.population.items()
            if all(v is None or isinstance(v, float) for v in values)
        }
        self.columns: dict[str, NDArray[Any]] = {
            name: parse_numbers(X[name], "sure")
            if name in self.numbers
            else X[name].to_numpy(object)
            for name in decider.columns
        }

    def options(self, row: int) -> list[_Option]:
        """Return what an applicant may change."""
        found = []
        for column, allowed in self.decider.loader.may_change.items():
            if column in self.decider.population:
                sizes = self._sizes(column, self.columns[column][row], allowed)
                if sizes:
                    found.append(_Option(column, sizes))
        return found

    def singles(self, options: Mapping[int, Sequence[_Option]]) -> dict[int, list[Turn]]:
        """Return for each row the smallest turning change of each column that has one."""
        trials = (
            (row, {one.column: value}, size)
            for row, own in options.items()
            for one in own
            for value, size in one.sizes.items()
        )
        best: dict[tuple[int, str], Turn] = {}
        while part := list(islice(trials, _AT_ONCE)):
            for row, turn in self._turning(part):
                key = row, turn.changes[0].column
                if key not in best or _rank(turn) < _rank(best[key]):
                    best[key] = turn
        turns: dict[int, list[Turn]] = {row: [] for row in options}
        for (row, _), turn in best.items():
            turns[row].append(turn)
        return turns

    def pair(self, row: int, options: Sequence[_Option]) -> Turn | None:
        """Return the smallest turning change of two columns; the smallest ones are tried first."""
        pairs = list(combinations(options, 2))
        if not pairs:
            return None
        far = [np.array(list(one.sizes.values())) for one in options]
        sizes = [np.add.outer(one, other).ravel() for one, other in combinations(far, 2)]
        starts = np.cumsum([0, *map(len, sizes)])
        size = np.concatenate(sizes)
        values = {one.column: list(one.sizes) for one in options}
        best: Turn | None = None
        order = np.argsort(size, kind="stable")
        for start in range(0, len(order), _PAIRS_AT_ONCE):
            part = order[start : start + _PAIRS_AT_ONCE]
            if best is not None and size[part[0]] > best.size:
                break
            trials = []
            owners = np.searchsorted(starts, part, side="right") - 1
            for at, owner in zip(part.tolist(), owners.tolist(), strict=True):
                one, other = (own.column for own in pairs[owner])
                first, second = divmod(at - int(starts[owner]), len(values[other]))
                changes = {one: values[one][first], other: values[other][second]}
                trials.append((row, changes, float(size[at])))
            found = [turn for _, turn in self._turning(trials)]
            best = min([*found, *([best] if best else [])], key=_rank, default=None)
        return best

    def _turning(
        self, trials: Sequence[tuple[int, Mapping[str, Any], float]]
    ) -> Iterator[tuple[int, Turn]]:
        """Yield the row and the turn of each trial, of these sizes, that turns the decision."""
        bad, refused = self._predict([(row, changes) for row, changes, _ in trials])
        for place in np.flatnonzero(~refused).tolist():
            row, changes, size = trials[place]
            yield row, self._made(row, changes, size, float(bad[place]))

    def narrowed(self, turns: Mapping[int, Sequence[Turn]]) -> dict[int, list[Turn]]:
        """Bring each number as near to the applicant's own as still turns the decision."""
        done = {row: list(own) for row, own in turns.items()}
        for place in range(2):
            moving: dict[tuple[int, int], _Narrowing] = {}
            for row, own in done.items():
                for at, turn in enumerate(own):
                    if place < len(turn.changes) and self._moves(turn.changes[place].column):
                        moving[row, at] = self._start(row, turn, place)
            for _ in range(_ROUNDS):
                self._step(list(moving.values()))
            for (row, at), one in moving.items():
                done[row][at] = one.turn
        return done

    def _moves(self, column: str) -> bool:
        """Say whether a column is a number that may become others than the listed ones."""
        return column in self.numbers and isinstance(self.decider.loader.may_change[column], str)

    def _sizes(self, column: str, now: Any, allowed: MayChange) -> dict[Any, float]:
        if column in self.numbers and isinstance(allowed, str):
            if np.isnan(now):
                return {}
            return {
                value: self._passed(column, now, value)
                for value in self._tried(column, now)
                if allowed == "any" or (value < now) == (allowed == "lower")
            }
        values, _ = self.decider.population[column]
        wanted = [str(v) for v in values if v is not None] if isinstance(allowed, str) else allowed
        if column in self.numbers:
            return {v: 1.0 for v in parse_numbers(wanted, "sure").tolist() if v != now}
        return {value: 1.0 for value in wanted if value != str(now)}

    def _tried(self, column: str, now: float) -> list[float]:
        """Return the column's numbers, each rounded away from the applicant's own."""
        others = [value for value, _ in self.numbers[column] if value != now]
        return [written_number(value, upwards=value > now) for value in others]

    def _passed(self, column: str, now: float, value: float) -> float:
        """Return the share of rows from one to the other; a little for the distance."""
        low, high = min(now, value), max(now, value)
        share = sum(w for v, w in self.numbers[column] if low <= v <= high)
        return float(share + 1e-6 * (high - low) / (1 + abs(high)))

    def _start(self, row: int, turn: Turn, place: int) -> _Narrowing:
        column, far = turn.changes[place].column, float(turn.changes[place].after)
        now = float(self.columns[column][row])
        between = [v for v in self._tried(column, now) if min(now, far) < v < max(now, far)]
        near = min(between, key=lambda v: abs(v - far)) if between else now
        return _Narrowing(row, turn, place, now, near, far)

    def _step(self, moving: Sequence[_Narrowing]) -> None:
        trials, owners = [], []
        for at, one in enumerate(moving):
            column = one.turn.changes[one.place].column
            steps = np.linspace(one.near, one.far, _STEPS + 1)[1:-1]
            if all(v.is_integer() for v, _ in self.numbers[column]):
                steps = np.unique(np.round(steps))
            upwards = one.far > one.near
            low, high = min(one.near, one.far), max(one.near, one.far)
            for step in sorted({written_number(v, upwards=upwards) for v in steps.tolist()}):
                if not low < step < high:
                    continue
                changes = {change.column: change.after for change in one.turn.changes}
                trials.append((one.row, {**changes, column: step}))
                owners.append(at)
        bad, refused = self._predict(trials)
        tried: dict[int, list[tuple[float, bool, float]]] = {}
        for place, at in enumerate(owners):
            column = moving[at].turn.changes[moving[at].place].column
            step = float(trials[place][1][column])
            tried.setdefault(at, []).append((step, bool(refused[place]), float(bad[place])))
        for at, steps_of in tried.items():
            one = moving[at]
            steps_of.sort(key=lambda own: abs(own[0] - one.now))
            turning = next((k for k, own in enumerate(steps_of) if not own[1]), None)
            if turning is None:
                one.near = steps_of[-1][0]
                continue
            one.near = steps_of[turning - 1][0] if turning else one.near
            one.far = steps_of[turning][0]
            column = one.turn.changes[one.place].column
            was = float(one.turn.changes[one.place].after)
            size = one.turn.size - self._passed(column, one.now, was)
            size += self._passed(column, one.now, one.far)
            changes = {change.column: change.after for change in one.turn.changes}
            changes[column] = one.far
            one.turn = self._made(one.row, changes, size, steps_of[turning][2])

    def _predict(
        self, trials: Sequence[tuple[int, Mapping[str, Any]]]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the probability of bad of changed applications, and whether they are refused."""
        bad, refused = [np.empty(0)], [np.empty(0, dtype=bool)]
        for start in range(0, len(trials), _AT_ONCE):
            part = trials[start : start + _AT_ONCE]
            rows = np.array([row for row, _ in part])
            columns = {name: values[rows] for name, values in self.columns.items()}
            for at, (_, changes) in enumerate(part):
                for name, value in changes.items():
                    columns[name][at] = value
            judged = self.decider.judge(columns)
            assert judged.probability is not None
            bad.append(judged.probability[:, 0])
            refused.append(np.asarray(judged.label == BAD))
        return np.concatenate(bad), np.concatenate(refused)

    def _made(self, row: int, changes: Mapping[str, Any], size: float, bad: float) -> Turn:
        return Turn(
            tuple(Change(name, self.columns[name][row], new) for name, new in changes.items()),
            size,
            bad,
        )
