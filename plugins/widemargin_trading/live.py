"""The loader of live prices, by way of yfinance: asked for once, kept in the data home."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from widemargin import DataError, DatasetCard
from widemargin.data import keep_file
from widemargin_trading.decisions import Decisions, each_once
from widemargin_trading.price_files import read_prices
from widemargin_trading.prices import Prices

if TYPE_CHECKING:
    import pandas as pd

    from widemargin.data import Progress

__all__ = ["LivePrices", "ask_patiently", "ask_yahoo"]

_TRIES = 4
_WAIT = 2.0
_LIMITED = "YFRateLimitError"
_UNKNOWN = ("YFTickerMissingError", "YFPricesMissingError")
_UNCLEAR = "YFTzMissingError"
"""What yfinance says of an unknown ticker and, in some versions, of a lost connection."""

_COLUMNS = ("Open", "High", "Low", "Close", "Adj Close", "Volume")

Ask = Callable[[str, str, str], Any]
"""``ask(ticker, start, end) -> pandas.DataFrame``, as `ask_yahoo`."""

OneTicker = Annotated[str, Field(pattern=r"^[A-Za-z0-9^][A-Za-z0-9.^=_-]*$", max_length=20)]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]


class LivePrices(Decisions):
    """Daily prices from Yahoo Finance, through yfinance."""

    source: Literal["yfinance"] = Field("yfinance", description="Yahoo Finance, through yfinance")
    tickers: Annotated[tuple[OneTicker, ...], Field(min_length=1)] = Field(
        description="shares by Yahoo's names, as in AAPL, SAP.DE, ^GSPC"
    )
    start: Day = Field("2005-01-01", description="first day, as in 2005-01-01")
    end: Day | None = Field(
        None,
        description="day after the last one; where it is null or to come, all up to yesterday is "
        "asked for, each day anew, so that tomorrow's run is another",
    )

    @field_validator("tickers")
    @classmethod
    def _check_tickers(cls, tickers: tuple[str, ...]) -> tuple[str, ...]:
        return each_once(tickers, str.casefold)

    @model_validator(mode="after")
    def _check_span(self) -> Self:
        for day in filter(None, (self.start, self.end)):
            try:
                date.fromisoformat(day)
            except ValueError:
                raise ValueError(f"{day} is no day of the calendar") from None
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"end, {self.end}, must come after start, {self.start}")
        return self

    def fetch(self, data_home: Path, *, offline: bool, progress: Progress) -> None:
        """Ask for the prices that are not in the data home, or too old there."""
        with progress.stage("prices", total=len(self.tickers)) as stage:
            for ticker in self.tickers:
                self._bring(ticker, self._path(data_home, ticker), offline, progress)
                stage.advance()

    def _read(self, data_home: Path) -> tuple[Sequence[Prices], DatasetCard]:
        series: list[Prices] = []
        asked = []
        for ticker in self.tickers:
            path = self._path(data_home, ticker)
            if not path.is_file():
                raise DataError(f"{path}: the prices of {ticker} are not there. {_REMEDY}")
            asked.append(f"{ticker} as of {_kept_on(path)}")
            series += read_prices(path, max_gap=self.max_gap)
        card = DatasetCard(
            title="Daily prices of " + ", ".join(self.tickers),
            source="Yahoo Finance, through yfinance",
            licence="Yahoo's terms of use: for personal use",
            citation="https://finance.yahoo.com",
            notes=(f"Asked for: {', '.join(asked)}.",),
        )
        return series, card

    def _path(self, data_home: Path, ticker: str) -> Path:
        # No file system minds these, and two tickers never share a name.
        plain = re.sub(r"[^A-Z0-9.-]", lambda sign: f"_{ord(sign[0]):x}", ticker.upper())
        return data_home / "yfinance" / f"{plain}_{self.start}_{self.end or 'yesterday'}.csv"

    def _bring(self, ticker: str, path: Path, offline: bool, progress: Progress) -> None:
        kept = path.is_file()
        today = datetime.now(UTC).date().isoformat()
        # The day that has not ended is left out: its bar is still moving.
        end = min(self.end or today, today)
        if kept and _kept_on(path) >= end:
            return
        if offline:
            if not kept:
                raise DataError(
                    f"{ticker}: its prices are not in the data home, and nothing may be fetched "
                    f"offline. {_REMEDY}"
                )
            progress.note(f"{ticker}: offline, so that the prices of {_kept_on(path)} are used.")
            return
        try:
            table = ask_patiently(ask_yahoo, ticker, self.start, end, progress)
        except DataError as error:
            if not kept:
                raise
            progress.note(f"{error} The prices of {_kept_on(path)} are used.")
            return
        keep_file(path, _written(table, ticker).encode())


_REMEDY = (
    "Run it once with a connection and without --offline; or save prices in a CSV and give "
    "data.path=prices.csv in place of data.tickers."
)


def ask_patiently(ask: Ask, ticker: str, start: str, end: str, progress: Progress) -> pd.DataFrame:
    """Ask for a share's prices, again where the answer is a limit or an outage.

    Parameters
    ----------
    ask : callable
        ``ask(ticker, start, end) -> pandas.DataFrame``.
    ticker, start, end : str
        What is asked for; `end` is the day after the last one.
    progress : Progress
        Told of every wait.

    Returns
    -------
    pandas.DataFrame of shape (n_days, 6)
        As yfinance gives it, without incomplete days.

    Raises
    ------
    DataError
        Where the ticker is unknown, the limit or the outage stays, or yfinance is not installed.
    """
    problem = ""
    for attempt in range(_TRIES):
        try:
            table = ask(ticker, start, end)
        except ImportError as error:
            raise DataError(
                f"prices of {ticker}: {error}. Install it with `pip install "
                '"widemargin[finance]"`, or give a CSV with data.path.'
            ) from error
        # Any library below yfinance may raise its own error for a lost connection.
        except Exception as error:
            name = type(error).__name__
            if name in _UNKNOWN or " 404" in f" {error}":
                raise _no_prices(ticker, start, end) from error
            limited = name == _LIMITED
            wait = _WAIT * 2**attempt * (5 if limited else 1)
            what = "Yahoo did not answer"
            if limited:
                what = "Yahoo limits how often it may be asked"
            elif name == _UNCLEAR:
                what = "Yahoo did not answer, or knows no such ticker"
            problem = f"{what} ({name}: {' '.join(str(error).split())[:200]})"
            if attempt < _TRIES - 1:
                progress.note(f"{ticker}: {problem}; asking again in {wait:g} s.")
                time.sleep(wait)
            continue
        if absent := [column for column in _COLUMNS if column not in table]:
            raise DataError(
                f"{ticker}: yfinance's answer has no column {absent[0]!r}; it has "
                f"{', '.join(map(str, table.columns))}. Another version of yfinance may mend it."
            )
        whole: pd.DataFrame = table[list(_COLUMNS)].dropna()
        if whole.empty:
            raise _no_prices(ticker, start, end)
        return whole
    raise DataError(
        f"{ticker}: {problem}, {_TRIES} times. Wait for an hour, ask for fewer tickers, or save "
        "prices in a CSV and give data.path=prices.csv in place of data.tickers."
    )


def ask_yahoo(ticker: str, start: str, end: str) -> Any:
    """Ask yfinance for daily prices, neither adjusted nor rounded.

    Raises
    ------
    ImportError
        Where yfinance is not installed.
    Exception
        Whatever yfinance, or the network below it, raises.
    """
    yfinance: Any = import_module("yfinance")
    # Versions differ: some hide what the network raises unless this is set.
    debug: Any = getattr(getattr(yfinance, "config", None), "debug", None)
    hidden = getattr(debug, "hide_exceptions", None)
    if hidden is not None:
        debug.hide_exceptions = False
    try:
        with warnings.catch_warnings():
            # Later versions would rather have it set for the whole process only.
            warnings.simplefilter("ignore", DeprecationWarning)
            return yfinance.Ticker(ticker).history(
                start=start, end=end, auto_adjust=False, actions=False, raise_errors=True
            )
    finally:
        if hidden is not None:
            debug.hide_exceptions = hidden


def _no_prices(ticker: str, start: str, end: str) -> DataError:
    return DataError(
        f"Yahoo has no prices of {ticker!r} from {start} to {end}. Look for its name at "
        "finance.yahoo.com (shares outside the United States have an ending, as in SAP.DE), or "
        "take other days."
    )


def _written(table: pd.DataFrame, ticker: str) -> str:
    out = table.copy()
    out.insert(0, "symbol", ticker)
    out.insert(0, "date", [f"{day:%Y-%m-%d}" for day in table.index])
    return str(out.to_csv(index=False, lineterminator="\n"))


def _kept_on(path: Path) -> str:
    return f"{datetime.fromtimestamp(path.stat().st_mtime, UTC):%Y-%m-%d}"
