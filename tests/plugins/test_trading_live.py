"""Live prices against recorded answers: kept, asked for again, and missed with a reason."""

from __future__ import annotations

import inspect
import os
import sys
import time
import warnings
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from widemargin import DataError
from widemargin.contracts import Silent
from widemargin_trading import live
from widemargin_trading.data import PriceTable
from widemargin_trading.live import LivePrices, ask_patiently

FIXTURE = Path(live.__file__).with_name("fixture.csv")


class YFRateLimitError(Exception):
    """Named as yfinance's own, which need not be installed."""


class YFPricesMissingError(Exception):
    """Likewise."""


class YFTzMissingError(Exception):
    """Likewise."""


class Noted(Silent):
    """Progress that remembers its notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)


class Yahoo:
    """What yfinance answered, in its own form, one answer a call; the last one for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, str]] = []

    def __call__(self, ticker: str, start: str, end: str) -> Any:
        self.asked.append((ticker, start, end))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def recorded(symbol: str = "ACME") -> pd.DataFrame:
    """Return prices in the form of yfinance's answers: the exchange's midnight as index."""
    table = pd.read_csv(FIXTURE)
    table = table[table["symbol"] == symbol]
    index = pd.DatetimeIndex(pd.to_datetime(table["date"]), name="Date")
    out = table[["open", "high", "low", "close", "adj close", "volume"]]
    out = out.set_axis(["Open", "High", "Low", "Close", "Adj Close", "Volume"], axis=1)
    return out.set_index(index.tz_localize("America/New_York"))


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    return waits


def _loader(**settings: Any) -> LivePrices:
    return LivePrices(
        tickers=("ACME", "BOLT"), **{"start": "2021-01-04", "end": "2022-03-26", **settings}
    )


def _fetched(
    loader: LivePrices, home: Path, yahoo: Yahoo, monkeypatch: pytest.MonkeyPatch, **how: Any
) -> Noted:
    monkeypatch.setattr(live, "ask_yahoo", yahoo)
    noted = Noted()
    loader.fetch(home, offline=how.get("offline", False), progress=noted)
    return noted


def test_prices_are_asked_for_once_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yahoo = Yahoo(recorded("ACME"), recorded("BOLT"))
    _fetched(_loader(), tmp_path, yahoo, monkeypatch)
    assert yahoo.asked == [
        ("ACME", "2021-01-04", "2022-03-26"),
        ("BOLT", "2021-01-04", "2022-03-26"),
    ]
    _fetched(_loader(), tmp_path, yahoo, monkeypatch)
    assert len(yahoo.asked) == 2
    data = _loader().load(tmp_path)
    assert {name.split()[0] for name in data.ids} == {"ACME", "BOLT"}
    assert "ACME as of 20" in data.card.notes[0]
    own = PriceTable(path=FIXTURE).load(tmp_path)
    assert (own.y == data.y).all()
    assert all(np.allclose(a, b) for a, b in zip(own.X["prices"], data.X["prices"], strict=True))


def test_an_open_end_is_asked_for_anew_each_day_and_never_of_today(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yahoo = Yahoo(recorded())
    loader = LivePrices(tickers=("ACME",))
    _fetched(loader, tmp_path, yahoo, monkeypatch)
    _fetched(loader, tmp_path, yahoo, monkeypatch)
    assert len(yahoo.asked) == 1
    # The end is the day after the last one; midnight may have passed since.
    seconds = time.time()
    assert yahoo.asked[0][2] in {_day(seconds), _day(seconds - 60)}
    _age(tmp_path)
    _fetched(loader, tmp_path, yahoo, monkeypatch)
    assert len(yahoo.asked) == 2


def test_an_end_to_come_is_asked_for_until_it_has_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yahoo, seconds = Yahoo(recorded()), time.time()
    loader = LivePrices(tickers=("ACME",), end=_day(seconds + 5 * 86_400))
    _fetched(loader, tmp_path, yahoo, monkeypatch)
    _fetched(loader, tmp_path, yahoo, monkeypatch)
    assert len(yahoo.asked) == 1
    assert yahoo.asked[0][2] in {_day(seconds), _day(seconds + 60)}
    _age(tmp_path)
    _fetched(loader, tmp_path, yahoo, monkeypatch)
    assert len(yahoo.asked) == 2


def test_an_end_that_has_come_since_is_asked_for_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yahoo, end = Yahoo(recorded()), _day(time.time() - 86_400)
    loader = LivePrices(tickers=("ACME",), end=end)
    _fetched(loader, tmp_path, yahoo, monkeypatch)
    # Kept on the day before the end, when its last days were still to come.
    _age(tmp_path)
    _fetched(loader, tmp_path, yahoo, monkeypatch)
    _fetched(loader, tmp_path, yahoo, monkeypatch)
    assert [one[2] for one in yahoo.asked] == [end, end]


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))


def _age(home: Path) -> None:
    (path,) = (home / "yfinance").iterdir()
    os.utime(path, (time.time() - 2 * 86_400,) * 2)


def test_offline_nothing_is_asked_and_what_to_do_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yahoo = Yahoo(recorded())
    loader = LivePrices(tickers=("ACME",))
    with pytest.raises(DataError, match=r"nothing may be fetched offline\. Run it once .* CSV"):
        _fetched(loader, tmp_path, yahoo, monkeypatch, offline=True)
    assert not yahoo.asked
    _fetched(loader, tmp_path, yahoo, monkeypatch)
    _age(tmp_path)
    noted = _fetched(loader, tmp_path, yahoo, monkeypatch, offline=True)
    assert "offline, so that the prices of 20" in noted.notes[0]
    assert len(yahoo.asked) == 1


def test_a_limit_is_waited_for_longer_each_time(slept: list[float]) -> None:
    limit = YFRateLimitError("Too Many Requests.")
    noted = Noted()
    table = ask_patiently(
        Yahoo(limit, limit, recorded()), "ACME", "2021-01-04", "2022-03-26", noted
    )
    assert len(table) == 320
    assert slept == [10, 20]
    assert "Yahoo limits how often it may be asked (YFRateLimitError" in noted.notes[0]
    assert "asking again in 10 s" in noted.notes[0]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (YFRateLimitError("Too Many"), r"limits how often .* 4 times\. Wait for an hour"),
        (
            ConnectionError("no route"),
            r"did not answer \(ConnectionError: no route\), 4 times",
        ),
        (YFTzMissingError("no timezone"), "did not answer, or knows no such ticker"),
    ],
)
def test_what_does_not_end_is_told_with_what_to_do(
    slept: list[float], error: Exception, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        ask_patiently(Yahoo(error), "ACME", "2021-01-04", "2022-03-26", Silent())
    assert len(slept) == 3


@pytest.mark.parametrize(
    "answer",
    [YFPricesMissingError("none"), recorded().iloc[:0], OSError("HTTP Error 404: Not Found")],
)
def test_an_unknown_ticker_is_not_asked_for_again(slept: list[float], answer: Any) -> None:
    with pytest.raises(DataError, match=r"no prices of 'ACME' from 2021-01-04.*SAP\.DE"):
        ask_patiently(Yahoo(answer), "ACME", "2021-01-04", "2022-03-26", Silent())
    assert not slept


def test_an_answer_of_another_form_is_told_by_what_it_lacks() -> None:
    yahoo = Yahoo(recorded().drop(columns="Adj Close"))
    with pytest.raises(DataError, match="no column 'Adj Close'; it has Open"):
        ask_patiently(yahoo, "ACME", "2021-01-04", "2022-03-26", Silent())


def test_days_without_a_price_are_left_out() -> None:
    table = recorded()
    table.iloc[5, 3] = np.nan
    kept = ask_patiently(Yahoo(table), "ACME", "2021-01-04", "2022-03-26", Silent())
    assert len(kept) == len(table) - 1


def test_an_absent_library_is_told_with_how_to_install_it() -> None:
    error = ModuleNotFoundError("No module named 'yfinance'")
    with pytest.raises(DataError, match=r'pip install "widemargin\[finance\]"'):
        ask_patiently(Yahoo(error), "ACME", "2021-01-04", "2022-03-26", Silent())


def test_an_outage_leaves_the_prices_that_were_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    loader = LivePrices(tickers=("ACME",))
    _fetched(loader, tmp_path, Yahoo(recorded()), monkeypatch)
    _age(tmp_path)
    noted = _fetched(loader, tmp_path, Yahoo(ConnectionError("down")), monkeypatch)
    assert "did not answer" in noted.notes[-1]
    assert "are used." in noted.notes[-1]
    assert len(loader.load(tmp_path))


def test_prices_that_were_not_fetched_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the prices of ACME are not there"):
        _loader().load(tmp_path)


def test_tickers_that_differ_by_a_sign_have_files_of_their_own(tmp_path: Path) -> None:
    loader = _loader()
    names = {loader._path(tmp_path, one).name for one in ("^GSPC", "GSPC", "BRK-B", "BRK.B")}
    assert len(names) == 4
    assert not any("^" in name for name in names)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"start": "2021-02-30"}, "2021-02-30 is no day of the calendar"),
        ({"end": "2020-01-01"}, "end, 2020-01-01, must come after start, 2021-01-04"),
        ({"tickers": ("../x",)}, "pattern"),
        ({"tickers": ("ACME", "acme")}, "ACME and acme are one share twice; leave one of them out"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        LivePrices(**{"tickers": ("ACME",), "start": "2021-01-04", **settings})


class _Debug:
    hide_exceptions = True


def test_the_library_is_asked_for_plain_prices_and_told_to_raise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    debug, asked = _Debug(), {}

    class Ticker:
        def __init__(self, name: str) -> None:
            asked["ticker"] = name

        def history(self, **how: Any) -> pd.DataFrame:
            assert not debug.hide_exceptions
            warnings.warn("'raise_errors' deprecated", DeprecationWarning, stacklevel=2)
            asked.update(how)
            return recorded()

    config = SimpleNamespace(debug=debug)
    library = SimpleNamespace(Ticker=Ticker, config=config)
    monkeypatch.setitem(sys.modules, "yfinance", library)
    assert len(live.ask_yahoo("ACME", "2021-01-04", "2022-03-26")) == 320
    assert debug.hide_exceptions
    assert asked == {
        "ticker": "ACME",
        "start": "2021-01-04",
        "end": "2022-03-26",
        "auto_adjust": False,
        "actions": False,
        "raise_errors": True,
    }


def test_the_installed_library_takes_what_it_is_asked() -> None:
    pytest.importorskip("yfinance")
    errors = import_module("yfinance.exceptions")
    names = (live._LIMITED, live._UNCLEAR, *live._UNKNOWN)
    assert all(issubclass(getattr(errors, name), Exception) for name in names)
    history = import_module("yfinance.scrapers.history").PriceHistory.history
    assert {"start", "end", "auto_adjust", "actions", "raise_errors"} <= set(
        inspect.signature(history).parameters
    )
