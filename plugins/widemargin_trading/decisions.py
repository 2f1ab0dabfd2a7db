"""What the loaders share: windows of prices known when one decides, and what came of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from widemargin import DataError, Dataset, DatasetCard, DatasetLoader, Items
from widemargin.data import read_table
from widemargin_trading.prices import Prices, parse_prices

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["DOWN", "UP", "Decisions"]

UP, DOWN = "up", "down"

_FEW = 100
"""Days to decide on below which a walk-forward split has short parts."""

Days = Annotated[int, Field(ge=1, le=250)]


class Decisions(DatasetLoader):
    """Decisions to hold a share or not, each taken after the close of a day.

    An item is the window of prices that ends on that day; the target is what the share does over
    the `horizon` days after the trade, which is made at the close `delay` days later.
    """

    target: Literal["direction", "return"] = Field(
        "direction",
        description="what is predicted: whether the share rises over the horizon (classification), "
        "or its return in % (regression)",
    )
    horizon: Days = Field(5, description="days that a position is held")
    every: Days | None = Field(
        None,
        description="days from one decision to the next; null is the horizon, so that no two "
        "returns overlap. With fewer, each decision moves its share of the money",
    )
    delay: Annotated[int, Field(ge=0, le=20)] = Field(
        1,
        description="days from the close that is decided on to the close that is traded at; 0 "
        "trades at the very price that the decision was made with, which nobody can",
    )
    history: Annotated[int, Field(ge=3, le=5000)] = Field(
        120, description="days of a window, at least as many as the encoder looks back"
    )
    positions: Literal["long-flat", "long-short"] = Field(
        "long-flat",
        description="what is done when no rise is predicted: hold nothing, or sell short",
    )
    cost_bp: Annotated[float, Field(ge=0, le=1000)] = Field(
        5.0, description="costs of a trade, in hundredths of a per cent of what is traded"
    )
    slippage_bp: Annotated[float, Field(ge=0, le=1000)] = Field(
        5.0, description="what a trade's price is worse than the close, likewise"
    )
    latest: Annotated[int, Field(ge=1)] | None = Field(
        1,
        description="days of each share that predict answers, the last ones of its file; null "
        "answers all that have a whole window before them",
    )
    max_gap: Annotated[int, Field(ge=1, le=3650)] = Field(
        14, description="most days of the calendar from one row of a share to the next"
    )

    @model_validator(mode="after")
    def _check_every(self) -> Self:
        if self.every is not None and self.every > self.horizon:
            raise ValueError(
                f"every, {self.every}, exceeds horizon, {self.horizon}: no decision would be about "
                "the days between. Lower it, or raise horizon"
            )
        return self

    @property
    def step(self) -> int:
        """Days from one decision to the next."""
        return self.every or self.horizon

    @abstractmethod
    def _read(self, data_home: Path) -> tuple[Sequence[Prices], DatasetCard]:
        """Read the prices, and say where they come from."""

    def load(self, data_home: Path) -> Dataset:
        """Read the prices and make the decisions whose outcome is known."""
        return self._dataset(*self._read(data_home))

    def load_carelessly(self, data_home: Path) -> tuple[str, Dataset]:
        """Let each window end on the first day that is earned on: the commonest look-ahead."""
        title = "windows of prices that end too late, on the first day that the position earns on"
        return title, self._dataset(*self._read(data_home), late=self.delay + 1)

    def _dataset(self, series: Sequence[Prices], card: DatasetCard, late: int = 0) -> Dataset:
        """Make the data set of decisions; `late` days too many are in each window."""
        import numpy as np
        import pandas as pd

        moments = _moments(series, self.step)
        taken = []
        for place, one in enumerate(series):
            last = len(one) - 1 - self.delay - self.horizon
            days = np.flatnonzero(np.isin(one.days, moments))
            taken += [(one.days[t], place, t) for t in days if self.history - 1 <= t <= last]
        if not taken:
            longest = max(map(len, series), default=0)
            raise DataError(
                f"{card.title}: the longest series has {longest} days, and the first decision "
                f"needs {self.history} before it and {self.delay + self.horizon} after it. Give "
                "more days, or lower data.history (and the encoder's lookback)."
            )
        taken.sort(key=lambda one: one[:2])
        rows = [(series[place], int(t)) for _, place, t in taken]
        entries = [t + self.delay for _, t in rows]
        gained = np.array(
            [
                100 * (one.close[entry + self.horizon] / one.close[entry] - 1)
                for (one, _), entry in zip(rows, entries, strict=True)
            ]
        )
        spans = [slice(entry + 1, entry + 1 + self.horizon) for entry in entries]
        aside: dict[str, Sequence[object]] = {
            "symbol": [one.symbol for one, _ in rows],
            "days": [one.days[own] for (one, _), own in zip(rows, spans, strict=True)],
            "steps": [
                one.close[own] / one.close[own.start - 1 : own.stop - 1] - 1
                for (one, _), own in zip(rows, spans, strict=True)
            ],
        }
        notes = [*card.notes, *filter(None, (one.split_note() for one in series))]
        n_moments = len({day for day, _, _ in taken})
        if n_moments < _FEW and self.step > 1:
            notes.append(
                f"There are only {n_moments} days to decide on; give more days, or decide on each "
                "with --set data.every=1."
            )
        up = self.target == "direction"
        labels = np.where(gained > 0, UP, DOWN)
        after = f"over {self.horizon} days, from {_delayed(self.delay)}"
        card = replace(
            card,
            positive_class=UP if up else "",
            target=f"direction {after} (no move counts as down)" if up else f"return {after}",
            units="" if up else "%",
            item="decision",
            notes=tuple(notes),
        )
        dataset = Dataset(
            X=pd.DataFrame(
                {"prices": _column([_window(one, t + late, self.history) for one, t in rows])}
            ),
            kinds={"prices": "series"},
            y=labels if up else gained,
            ids=np.array([_name(*row) for row in rows], dtype=np.str_),
            times=np.array([one.days[t] for one, t in rows]),
            label_times=np.array(
                [one.days[own.stop - 1] for (one, _), own in zip(rows, spans, strict=True)]
            ),
            aside=pd.DataFrame({name: _column(values) for name, values in aside.items()}),
            card=card,
        )
        dataset.check_learnable()
        return dataset

    def read_items(self, source: Path) -> Iterator[Items]:
        """Read the windows up to the last days of each share in a table of prices."""
        series = parse_prices(read_table(source), source.name, max_gap=self.max_gap)
        for one in series:
            if len(one) < self.history:
                raise DataError(
                    f"{source.name}: {one.symbol or 'the series'} has {len(one)} days, and "
                    f"{self.history} are needed to decide after the last one (data.history)."
                )
        for one in series:
            possible = range(self.history - 1, len(one))
            days = possible if self.latest is None else possible[-self.latest :]
            yield Items(
                X={"prices": [_window(one, t, self.history) for t in days]},
                kinds={"prices": "series"},
                ids=[_name(one, t) for t in days],
            )


def _moments(series: Sequence[Prices], step: int) -> NDArray[np.datetime64]:
    """Return each step-th trading day, the same for all shares."""
    import numpy as np

    # From the first day on, so that days to come move none of those before.
    return np.unique(np.concatenate([one.days for one in series]))[::step]


def _window(one: Prices, t: int, length: int) -> NDArray[np.float64]:
    return one.rows[t + 1 - length : t + 1]


def _name(one: Prices, t: int) -> str:
    return f"{one.symbol} {one.days[t]}".strip()


def _delayed(delay: int) -> str:
    return "the close itself" if not delay else f"the close of day {delay} after it"


def _column(values: Sequence[object]) -> NDArray[np.object_]:
    """Hold arrays one a cell, where pandas would make a table of them."""
    import numpy as np

    cells = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        cells[place] = value
    return cells
