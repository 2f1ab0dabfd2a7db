"""Tables of prices, and the decisions that are made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from widemargin import DataError
from widemargin.data import fingerprint, read_table
from widemargin_trading.data import STOCKS_ASSET, Market, PriceTable
from widemargin_trading.prices import parse_prices

FIXTURE = Path(__file__).parents[2] / "plugins" / "widemargin_trading" / "fixture.csv"
HEAD = "date,open,high,low,close,volume"
DAY = "2024-01-{:02},9,11,8,10,100"


def _written(folder: Path, *lines: str, head: str = HEAD) -> Path:
    path = folder / "prices.csv"
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return path


def _parsed(folder: Path, *lines: str, head: str = HEAD, **options: Any) -> Any:
    return parse_prices(read_table(_written(folder, *lines, head=head)), "prices.csv", **options)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([DAY.format(3), DAY.format(2)], r"prices\.csv:3: 2024-01-02 comes after 2024-01-03. Sort"),
        ([DAY.format(2), DAY.format(2)], r"prices\.csv:3: 2024-01-02 stands there twice"),
        (
            [DAY.format(1), DAY.format(30)],
            r"no day between 2024-01-01 and 2024-01-30, which are 29",
        ),
        (
            ["2024-01-02,9,11,8,-10,100"],
            r"prices\.csv:2: close is -10; it must be a number above 0",
        ),
        (["2024-01-02,9,11,8,10,-1"], r"prices\.csv:2: volume is -1; it must be .* at least 0"),
        (["2024-01-02,9,,8,10,100"], r"prices\.csv:2: high is missing or no number"),
        (["2024-01-02,9,7,8,10,100"], r"prices\.csv:2: the high, 7, is below the low, 8"),
        (["31.01.2024,9,11,8,10,100"], r"prices\.csv:2: the date is '31\.01\.2024'; write it as"),
        (["2024-13-02,9,11,8,10,100"], r"prices\.csv:2: the date is '2024-13-02'"),
    ],
)
def test_a_row_that_cannot_be_is_named_by_its_line(
    tmp_path: Path, lines: list[str], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        _parsed(tmp_path, *lines)


def test_a_table_without_a_column_is_told_which_are_needed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no column 'volume'; needed are date, open"):
        _parsed(tmp_path, "2024-01-02,9,11,8,10", head="date,open,high,low,close")


def test_a_row_without_its_share_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"prices\.csv:2: ticker is empty"):
        _parsed(tmp_path, "," + DAY.format(2), head="ticker," + HEAD)


def test_a_share_that_is_not_there_is_told_which_are(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no share 'X'; it has A, B"):
        _parsed(
            tmp_path,
            "A," + DAY.format(2),
            "B," + DAY.format(2),
            head="symbol," + HEAD,
            symbols=["X"],
        )


def test_shares_may_stand_one_after_the_other_or_day_by_day(tmp_path: Path) -> None:
    lines = [f"{name},{DAY.format(day)}" for day in (2, 3) for name in "AB"]
    by_day = _parsed(tmp_path, *lines, head="Ticker," + HEAD.title())
    by_share = _parsed(tmp_path, *sorted(lines), head="Ticker," + HEAD.title())
    assert [one.symbol for one in by_day] == [one.symbol for one in by_share] == ["A", "B"]
    assert all((a.rows == b.rows).all() for a, b in zip(by_day, by_share, strict=True))


def test_a_split_moves_neither_adjusted_prices_nor_what_was_traded(tmp_path: Path) -> None:
    head = HEAD + ",Adj_Close"
    (one,) = _parsed(
        tmp_path, "2024-01-02,9,11,8,10,100,5", "2024-01-03,4.5,5.5,4,5,200,5", head=head
    )
    assert one.rows[0].tolist() == one.rows[1].tolist() == [4.5, 5.5, 4, 5, 1000]
    assert not one.split_note()
    (plain,) = _parsed(tmp_path, DAY.format(2), "2024-01-03,4.5,5.5,4,5,200")
    assert "went to 0.50 times what it was on 2024-01-03" in plain.split_note()


def _ramp(folder: Path, n: int = 40) -> Path:
    days = pd.bdate_range("2024-01-01", periods=n)
    close = 100 + np.arange(n) + 5 * (np.arange(n) % 3)
    lines = [
        f"{day:%Y-%m-%d},{c},{c + 1},{c - 1},{c},10" for day, c in zip(days, close, strict=True)
    ]
    return _written(folder, *lines)


@pytest.mark.parametrize(("delay", "every"), [(0, None), (1, None), (1, 2), (3, 1)])
def test_the_target_is_the_return_from_the_trade_on(
    tmp_path: Path, delay: int, every: int | None
) -> None:
    path = _ramp(tmp_path)
    loader = PriceTable(path=path, target="return", horizon=4, delay=delay, every=every, history=10)
    data = loader.load(tmp_path)
    (one,) = parse_prices(read_table(path), "")
    place = {day: at for at, day in enumerate(one.days)}
    assert data.times is not None
    assert data.label_times is not None
    assert data.aside is not None
    for row in range(len(data)):
        t = place[data.times[row]]
        entry, leave = t + delay, t + delay + 4
        assert data.y[row] == pytest.approx(100 * (one.close[leave] / one.close[entry] - 1))
        assert data.label_times[row] == one.days[leave]
        assert data.aside["days"][row].tolist() == one.days[entry + 1 : leave + 1].tolist()
        assert np.prod(1 + data.aside["steps"][row]) == pytest.approx(1 + data.y[row] / 100)
        window = data.X["prices"][row]
        assert (window == one.rows[t - 9 : t + 1]).all()
    steps = np.diff([place[day] for day in data.times])
    assert set(steps) == {every or 4}


@pytest.mark.parametrize("delay", [0, 2])
def test_the_careless_way_knows_the_first_day_that_is_earned_on(tmp_path: Path, delay: int) -> None:
    loader = PriceTable(path=_ramp(tmp_path), horizon=4, delay=delay, history=10)
    title, careless = loader.load_carelessly(tmp_path)
    data = loader.load(tmp_path)
    (one,) = parse_prices(read_table(loader.path), "")
    assert "end too late" in title
    assert (careless.y == data.y).all()
    assert data.aside is not None
    for row in range(len(data)):
        first = np.flatnonzero(one.days == data.aside["days"][row][0])[0]
        assert (careless.X["prices"][row] == one.rows[first - 9 : first + 1]).all()


def test_the_direction_is_the_sign_of_the_return(tmp_path: Path) -> None:
    path = _ramp(tmp_path)
    up = PriceTable(path=path, horizon=1, every=1, history=10).load(tmp_path)
    gained = PriceTable(path=path, target="return", horizon=1, every=1, history=10).load(tmp_path)
    assert set(up.y) == {"up", "down"}
    assert ((up.y == "up") == (gained.y > 0)).all()
    assert up.positive_class == "up"
    assert gained.card.units == "%"
    assert "from the close of day 1 after it" in up.card.target


def test_decisions_of_all_shares_fall_on_the_same_days() -> None:
    data = PriceTable(path=FIXTURE).load(FIXTURE.parent)
    assert data.times is not None
    _, counts = np.unique(data.times, return_counts=True)
    assert set(counts) == {2}
    assert set(data.aside["symbol"]) == {"ACME", "BOLT"} if data.aside is not None else False
    one = PriceTable(path=FIXTURE, symbols=("BOLT",)).load(FIXTURE.parent)
    assert len(one) == len(data) // 2


def test_few_days_to_decide_on_are_told_with_how_to_have_more() -> None:
    few = PriceTable(path=FIXTURE).load(FIXTURE.parent)
    assert "only 39 days to decide on; give more days, or decide on each" in few.card.notes[-1]
    daily = PriceTable(path=FIXTURE, every=1).load(FIXTURE.parent)
    assert not daily.card.notes


def test_too_short_a_series_says_how_long_it_must_be(tmp_path: Path) -> None:
    path = _written(tmp_path, *(DAY.format(day) for day in range(1, 9)))
    with pytest.raises(DataError, match="has 8 days, and the first decision needs 120 before"):
        PriceTable(path=path).load(tmp_path)
    with pytest.raises(DataError, match=r"has 8 days, and 120 are needed.*data\.history"):
        list(PriceTable(path=path).read_items(path))


def test_days_between_decisions_are_at_most_the_horizon(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="every, 6, exceeds horizon, 5"):
        PriceTable(path=tmp_path, every=6)


def test_prediction_takes_the_window_up_to_the_last_day_of_each_share() -> None:
    items = list(PriceTable(path=Path("elsewhere.csv")).read_items(FIXTURE))
    acme, bolt = parse_prices(read_table(FIXTURE), "")
    assert [list(one.ids) for one in items] == [["ACME 2022-03-25"], ["BOLT 2022-03-25"]]
    assert (items[0].X["prices"][0] == acme.rows[-120:]).all()
    assert (items[1].X["prices"][0] == bolt.rows[-120:]).all()


@pytest.mark.parametrize(("latest", "n_days"), [(3, 3), (None, 201), (900, 201)])
def test_prediction_takes_as_many_days_as_are_asked_for(latest: int | None, n_days: int) -> None:
    loader = PriceTable(path=FIXTURE, latest=latest)
    read = {
        name: window
        for items in loader.read_items(FIXTURE)
        for name, window in zip(items.ids, items.X["prices"], strict=True)
    }
    assert len(read) == 2 * n_days
    data = loader.load(FIXTURE.parent)
    own = dict(zip(data.ids, data.X["prices"], strict=True))
    assert latest is not None or set(own) <= set(read)
    assert all((own[name] == read[name]).all() for name in own if name in read)


def test_a_table_without_adjusted_closes_is_told_what_that_means(tmp_path: Path) -> None:
    data = PriceTable(path=_ramp(tmp_path), horizon=1, history=10).load(tmp_path)
    assert "no column adj close" in " ".join(data.card.notes)
    assert "adj close" not in " ".join(PriceTable(path=FIXTURE).load(tmp_path).card.notes)


def test_the_published_sample_is_read_as_one_own_table_would_be(tmp_path: Path) -> None:
    names = {"adj close": "Adj Close", "symbol": "Ticker"}
    table = pd.read_csv(FIXTURE).rename(columns=lambda name: names.get(name, name.title()))
    path = STOCKS_ASSET.path(tmp_path)
    path.parent.mkdir(parents=True)
    table.replace({"Ticker": {"ACME": "AAPL", "BOLT": "IBM"}}).to_csv(path, index=False)
    data = Market(symbols=("AAPL", "IBM")).load(tmp_path)
    own = PriceTable(path=FIXTURE).load(tmp_path)
    assert (data.y == own.y).all()
    assert data.ids[0].startswith("AAPL 20")
    assert "which flatters holding" in data.card.notes[0]
    assert len(fingerprint(data)) == 64
