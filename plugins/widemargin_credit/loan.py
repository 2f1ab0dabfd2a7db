"""The encoder ``loan``: applications as tables, with logarithms and ratios of amounts."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from pydantic import Field

from widemargin import DataError, EncoderSpec
from widemargin.data import parse_numbers
from widemargin.encoders import (
    Columns,
    Learns,
    Population,
    Share,
    State,
    TabularEncoder,
    TabularSettings,
    Transformer,
    doubts_of,
    is_numeric,
)
from widemargin_credit.population import find_population

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LOAN", "LoanEncoder", "LoanSettings"]

Only = Literal["all", "numbers", "categories"]
Logs = Literal["auto", "none"] | tuple[str, ...]
Ratios = Literal["auto", "none"] | tuple[tuple[str, str], ...]

_AMOUNT, _DURATION = ("amount",), ("duration", "term", "months")
_SKEWED = 1.0


class LoanSettings(TabularSettings):
    """Settings of the encoder ``loan``: those of ``tabular``, and what is derived."""

    only: Only = Field("all", description="which columns are read: all, numbers or categories")
    logs: Logs = Field(
        "auto",
        description="numbers whose logarithm is scaled in their place: auto (those above 0 that "
        "lean to the right), none, or a list",
    )
    ratios: Ratios = Field(
        "auto",
        description="pairs of numbers whose ratio is a further column: auto (amount by duration, "
        "found by their names), none, or a list of pairs",
    )


class LoanEncoder(Transformer):
    """Vectors of applications: `TabularEncoder` behind logarithms and ratios of numbers.

    Logarithms are for numbers that are scaled; weight of evidence bins them as they are.

    Parameters
    ----------
    tabular : TabularEncoder, optional
        What numbers and categories become; by default scaled and one-hot.
    only : {"all", "numbers", "categories"}, default="all"
        Which columns are read.
    logs : {"auto", "none"} or tuple of str, default="auto"
        Numbers whose logarithm is scaled; ``auto`` takes those that are above 0 in training and
        whose skewness is above 1.
    ratios : {"auto", "none"} or tuple of (str, str), default="auto"
        Pairs of numbers whose ratio is a further column; ``auto`` takes the one column named like
        an amount by the one named like a duration.

    Attributes
    ----------
    tabular_ : TabularEncoder
        Fitted to the columns and what is derived of them.
    logs_ : dict of str to float
        The least value above 0 in training of each number that becomes its logarithm.
    ratios_ : tuple of (str, str)
        The pairs.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"amount": [100.0, 1000.0], "duration": [10.0, 20.0]})
    >>> encoder = LoanEncoder(logs=("amount",)).fit(table)
    >>> encoder.get_feature_names_out().tolist()
    ['log amount', 'duration', 'amount / duration']
    """

    def __init__(
        self,
        tabular: TabularEncoder | None = None,
        only: Only = "all",
        logs: Logs = "auto",
        ratios: Ratios = "auto",
    ) -> None:
        self.tabular = tabular
        self.only = only
        self.logs = logs
        self.ratios = ratios

    def fit(self, X: Columns, y: Any = None) -> Self:
        """Learn from training rows what is derived, and then what `TabularEncoder` learns."""
        self._fit(X, y)
        return self

    def fit_transform(self, X: Columns, y: Any = None) -> NDArray[np.float64]:
        """Fit, then encode the training rows."""
        derived = self._fit(X, y)
        return self.tabular_.transform(derived)

    def _fit(self, X: Columns, y: Any) -> dict[str, Any]:
        given = {str(name): X[name] for name in X}
        numeric = {
            name: parse_numbers(own, "sure") for name, own in given.items() if is_numeric(own)
        }
        self.numbers_ = tuple(numeric)
        self.columns_ = tuple(
            name
            for name in given
            if self.only == "all" or (self.only == "numbers") == (name in numeric)
        )
        if not self.columns_:
            raise DataError(f"loan: there are no {self.only} among {', '.join(given)}.")
        self.ratios_ = () if self.only == "categories" else self._find_ratios(numeric)
        ratios = {name: _divided(numeric, pair) for name, pair in self._ratio_names().items()}
        self.logs_ = {} if self.only == "categories" else self._find_logs({**numeric, **ratios})
        reads = {*self.columns_, *(name for pair in self.ratios_ for name in pair)}
        self.population_ = {
            name: find_population(numeric.get(name, own), numeric=name in numeric)
            for name, own in given.items()
            if name in reads
        }
        derived = self.derive(X)
        template = self.tabular or TabularEncoder()
        self.tabular_ = TabularEncoder(**template.get_params()).fit(derived, y)
        return derived

    def transform(self, X: Columns) -> NDArray[np.float64]:
        """Return vectors of shape (n_samples, n_features).

        Raises
        ------
        DataError
            Where a column of the training table is absent.
        """
        self._check_fitted("tabular_")
        return self.tabular_.transform(self.derive(X))

    def doubts(self, X: Columns) -> list[dict[int, str]]:
        """Say of each column in which rows a cell counts otherwise than it is written."""
        self._check_fitted("tabular_")
        return [
            doubts_of(name, X[name], None if name in self.numbers_ else self._known(name))
            for name in self.population_
        ]

    def _known(self, name: str) -> set[str]:
        values, _ = self.population_[name]
        return {*map(str, values), *self.tabular_.categories_.get(name, ())}

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the columns, as in ``log amount`` and ``amount / duration``."""
        self._check_fitted("tabular_")
        return self.tabular_.get_feature_names_out()

    def explain(self, X: Columns, coef: NDArray[np.float64]) -> list[list[Share]]:
        """Split each row's product with `coef` into columns and what is derived of them."""
        self._check_fitted("tabular_")
        return self.tabular_.explain(self.derive(X), coef)

    def population(self) -> Mapping[str, Population]:
        """Return the values that training rows have in each column, and how often."""
        self._check_fitted("tabular_")
        return self.population_

    def get_state(self) -> State:
        """Return what was learnt."""
        self._check_fitted("tabular_")
        inner = self.tabular_.get_state()
        return State(
            inner.arrays,
            {
                "tabular": dict(inner.meta),
                "columns": list(self.columns_),
                "numbers": list(self.numbers_),
                "logs": self.logs_,
                "ratios": [list(pair) for pair in self.ratios_],
                "population": {
                    name: [list(values), list(weights)]
                    for name, (values, weights) in self.population_.items()
                },
            },
        )

    def set_state(self, state: State) -> Self:
        """Take up what was learnt."""
        meta = state.meta
        self.columns_ = tuple(map(str, meta["columns"]))
        self.numbers_ = tuple(map(str, meta["numbers"]))
        self.logs_ = {str(name): float(least) for name, least in meta["logs"].items()}
        self.ratios_ = tuple((str(a), str(b)) for a, b in meta["ratios"])
        self.population_ = {
            str(name): (tuple(values), tuple(map(float, weights)))
            for name, (values, weights) in meta["population"].items()
        }
        template = self.tabular or TabularEncoder()
        self.tabular_ = TabularEncoder(**template.get_params()).set_state(
            State(state.arrays, meta["tabular"])
        )
        return self

    def _find_ratios(
        self, numeric: Mapping[str, NDArray[np.float64]]
    ) -> tuple[tuple[str, str], ...]:
        if self.ratios == "none":
            return ()
        if self.ratios == "auto":
            amounts = [name for name in numeric if _named(name, _AMOUNT)]
            durations = [name for name in numeric if _named(name, _DURATION)]
            if len(amounts) == 1 and len(durations) == 1:
                return ((amounts[0], durations[0]),)
            return ()
        for name in (name for pair in self.ratios for name in pair):
            _check_number(name, numeric, "ratios")
        return self.ratios

    def _find_logs(self, numeric: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
        if self.logs == "none" or (self.tabular is not None and self.tabular.numbers != "scale"):
            return {}
        if self.logs != "auto":
            for name in self.logs:
                _check_number(name, numeric, "logs")
        return {
            name: float(values[values > 0].min())
            for name, values in numeric.items()
            if (values > 0).any() and (_leans(values) if self.logs == "auto" else name in self.logs)
        }

    def derive(self, X: Columns) -> dict[str, Any]:
        """Return the columns that `tabular_` reads: logarithms in place, and ratios.

        Raises
        ------
        DataError
            Where a column of the training table is absent.
        """
        needed = [*self.columns_, *(name for pair in self.ratios_ for name in pair)]
        for name in needed:
            if name not in X:
                raise DataError(
                    f"the column {name!r}, which the model was trained on, is absent. It needs "
                    f"{', '.join(dict.fromkeys(needed))}."
                )
        numeric = {name: parse_numbers(X[name], "sure") for name in needed if name in self.numbers_}
        derived = {name: numeric.get(name, X[name]) for name in self.columns_}
        derived |= {name: _divided(numeric, pair) for name, pair in self._ratio_names().items()}
        found: dict[str, Any] = {}
        for name, own in derived.items():
            if name in self.logs_:
                least = self.logs_[name]
                found[_free(f"log {name}", {*derived, *found})] = np.log(np.maximum(own, least))
            else:
                found[name] = own
        return found

    def _ratio_names(self) -> dict[str, tuple[str, str]]:
        """Name the ratios, each otherwise than any column."""
        found: dict[str, tuple[str, str]] = {}
        for of, by in self.ratios_:
            found[_free(f"{of} / {by}", {*self.columns_, *found})] = (of, by)
        return found


def _named(name: str, words: Sequence[str]) -> bool:
    return any(word in name.casefold() for word in words)


def _check_number(name: str, numeric: Mapping[str, Any], setting: str) -> None:
    if name not in numeric:
        raise DataError(
            f"loan: {setting} names {name!r}, which is no column of numbers; these are "
            f"{', '.join(numeric) or 'none'}."
        )


def _free(name: str, taken: Container[str]) -> str:
    """Return a name for what is derived that no column has."""
    while name in taken:
        name += " (derived)"
    return name


def _divided(
    numeric: Mapping[str, NDArray[np.float64]], pair: tuple[str, str]
) -> NDArray[np.float64]:
    of, by = (numeric[name] for name in pair)
    ratio: NDArray[np.float64] = np.full(len(of), math.nan)
    return np.divide(of, by, out=ratio, where=by != 0)


def _leans(values: NDArray[np.float64]) -> bool:
    """Say whether numbers are all above 0 and lean to the right."""
    known = values[~np.isnan(values)]
    if len(known) < 3 or known.min() <= 0:
        return False
    spread = float(known.std())
    return spread > 0 and float(((known - known.mean()) ** 3).mean()) / spread**3 > _SKEWED


def _build(settings: LoanSettings) -> LoanEncoder:
    own = settings.model_dump(include=set(TabularSettings.model_fields))
    return LoanEncoder(
        TabularEncoder(**own), only=settings.only, logs=settings.logs, ratios=settings.ratios
    )


def _learns(settings: LoanSettings) -> Learns:
    weighs = settings.categories != "one-hot" or settings.numbers != "scale"
    return "y" if weighs else "X"


LOAN = EncoderSpec(
    name="loan",
    summary="applications for credit: as tabular, with logarithms and ratios of amounts",
    kinds=("table",),
    learns="X",
    learns_from=_learns,
    settings=LoanSettings,
    build=_build,
)
