"""What the loaders share: windows of prices known when one decides, and what came of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from widemargin import DataError, Dataset, DatasetCard, DatasetLoader, Items
from widemargin.encoders import Columns, ItemsError
from widemargin_trading.price_files import read_prices
from widemargin_trading.prices import Prices

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["DOWN", "UP", "Decisions", "each_once"]

UP, DOWN = "up", "down"

_FEWEST = 3
"""Days to decide on without which there is nothing to learn."""

_FEW = 100
"""Days to decide on below which a walk-forward split has short parts."""

Days = Annotated[int, Field(ge=1, le=250)]


class _Decision(NamedTuple):
    """One decision about one share, whose places are those of its own days.

    The window ends at `known`; the position is entered at the close of `entry`, and left at that
    of `leave`.
    """

    prices: Prices
    moment: np.datetime64
    known: int
    entry: int
    leave: int

    @property
    def days(self) -> NDArray[np.datetime64]:
        """The days from entry to leave, both included."""
        return self.prices.days[self.entry : self.leave + 1]

    @property
    def close(self) -> NDArray[np.float64]:
        """Their closes."""
        return self.prices.close[self.entry : self.leave + 1]


class Decisions(DatasetLoader):
    """Decisions to hold a share or not, each taken after the close of a day.

    An item is the window of prices that ends on that day; the target is what the share does over
    the `horizon` days after the trade, which is made at the close `delay` days later. Days are
    those on which any of the shares is traded.
    """

    target: Literal["direction", "return"] = Field(
        "direction",
        description="what is predicted: whether the share rises over the horizon (classification), "
        "or its return in % (regression)",
    )
    horizon: Days = Field(
        5,
        description="days that a position is held, days on which any of the shares is traded; "
        "one that is closed is traded at its next close",
    )
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
        return title, self._dataset(*self._read(data_home), late=True)

    def _dataset(self, series: Sequence[Prices], card: DatasetCard, late: bool = False) -> Dataset:
        """Make the data set of decisions; `late` lets windows end on the first day earned on."""
        import numpy as np
        import pandas as pd

        taken = self._taken(series)
        n_moments = len({one.moment for one in taken})
        if n_moments < _FEWEST:
            longest = max(map(len, series), default=0)
            raise DataError(
                f"{card.title}: the longest series has {longest} days, and the first decision "
                f"needs {self.history} before it and {self.delay + self.horizon} after it, which "
                f"leaves {n_moments} to decide on. Give more days, or lower data.history (and "
                "the encoder's lookback)."
            )
        gained = np.array([100 * (one.close[-1] / one.close[0] - 1) for one in taken])
        aside: dict[str, Sequence[object]] = {
            "symbol": [one.prices.symbol for one in taken],
            "days": [one.days[1:] for one in taken],
            "steps": [one.close[1:] / one.close[:-1] - 1 for one in taken],
        }
        up = self.target == "direction"
        labels = np.where(gained > 0, UP, DOWN)
        after = f"over {self.horizon} days, from {_delayed(self.delay)}"
        card = replace(
            card,
            positive_class=UP if up else "",
            target=f"direction {after} (no move counts as down)" if up else f"return {after}",
            units="" if up else "%",
            item="decision",
            notes=(*card.notes, *self._notes(series, taken, n_moments)),
        )
        ends = [one.entry + 1 if late else one.known for one in taken]
        windows = [
            _window(one.prices, end, self.history) for one, end in zip(taken, ends, strict=True)
        ]
        dataset = Dataset(
            X=pd.DataFrame({"prices": _column(windows)}),
            kinds={"prices": "series"},
            y=labels if up else gained,
            ids=np.array([_name(one.prices, one.moment) for one in taken], dtype=np.str_),
            times=np.array([one.moment for one in taken]),
            label_times=np.array([one.days[-1] for one in taken]),
            aside=pd.DataFrame({name: _column(values) for name, values in aside.items()}),
            card=card,
        )
        dataset.check_learnable()
        return dataset

    def _taken(self, series: Sequence[Prices]) -> list[_Decision]:
        """Decide on each step-th day of all shares' calendar, the same days for all.

        A share that is not traded on a day is known up to its last one before, and traded on its
        next one. Of two decisions the first is left no later than the second is entered, so that
        each day of a share is earned on, and by `every` being the horizon once.
        """
        import numpy as np

        calendar = np.unique(np.concatenate([one.days for one in series]))
        wait = self.delay + self.horizon
        # From the first day on, so that days to come move none of those before.
        at = np.arange(0, len(calendar) - wait, self.step)
        taken = []
        for one in series:
            known = np.searchsorted(one.days, calendar[at], side="right") - 1
            entry = np.searchsorted(one.days, calendar[at + self.delay])
            leave = np.searchsorted(one.days, calendar[at + wait])
            # A share that is closed from entry to leave offers nothing to decide on.
            good = (known >= self.history - 1) & (entry < leave) & (leave < len(one))
            taken += [
                _Decision(one, calendar[at[row]], int(known[row]), int(entry[row]), int(leave[row]))
                for row in np.flatnonzero(good)
            ]
        return sorted(taken, key=lambda one: one.moment)

    def _notes(
        self, series: Sequence[Prices], taken: Sequence[_Decision], n_moments: int
    ) -> Iterator[str]:
        about = {one.prices.symbol for one in taken}
        for one in series:
            yield from one.notes()
            if one.symbol not in about:
                yield (
                    f"{one.symbol} has {len(one)} days, too few to decide on: {self.history} are "
                    f"needed before a decision and {self.delay + self.horizon} after it."
                )
        if n_moments < _FEW and self.step > 1:
            yield (
                f"There are only {n_moments} days to decide on; give more days, or decide on each "
                "with --set data.every=1."
            )

    def read_items(self, source: Path) -> Iterator[Items]:
        """Read the windows up to the last days of each share in a table or folder of prices.

        The window of a share that is too young is too short, and refused where it is answered, so
        that the others are.
        """
        for one in self._prices(source):
            possible = range(max(0, min(self.history, len(one)) - 1), max(1, len(one)))
            days = possible if self.latest is None else possible[-self.latest :]
            yield Items(
                X={"prices": [_window(one, t, self.history) for t in days]},
                kinds={"prices": "series"},
                ids=[_name(one, one.days[t]) if len(one) else one.symbol for t in days],
            )

    def _prices(self, source: Path) -> Sequence[Prices]:
        """Read the prices that are to be decided on; without days of a share that is absent."""
        return read_prices(source, max_gap=self.max_gap)

    def checked(self, X: Columns) -> Columns:
        """Refuse windows that are too short to decide on."""
        windows = list(X["prices"]) if "prices" in X else []
        short = {
            row: f"has {len(window)} days, and {self.history} are needed to decide after the last "
            "one (data.history)."
            for row, window in enumerate(windows)
            if hasattr(window, "__len__") and len(window) < self.history
        }
        if short:
            raise ItemsError(short, len(windows), item="window")
        return X


def each_once(names: tuple[str, ...], same: Callable[[str], str] = str) -> tuple[str, ...]:
    """Return names of shares if each stands there once; `same` gives equal ones one spelling.

    Raises
    ------
    ValueError
        With the one that stands there twice.
    """
    spelt: dict[str, str] = {}
    for name in names:
        if same(name) in spelt:
            raise ValueError(
                f"{spelt[same(name)]} and {name} are one share twice; leave one of them out"
            )
        spelt[same(name)] = name
    return names


def _window(one: Prices, t: int, length: int) -> NDArray[np.float64]:
    return one.rows[max(0, t + 1 - length) : t + 1]


def _name(one: Prices, day: np.datetime64) -> str:
    return f"{one.symbol} {day}".strip()


def _delayed(delay: int) -> str:
    return "the close itself" if not delay else f"the close of day {delay} after it"


def _column(values: Sequence[object]) -> NDArray[np.object_]:
    """Hold arrays one a cell, where pandas would make a table of them."""
    import numpy as np

    cells = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        cells[place] = value
    return cells
