"""Tables of prices, and the decisions that are made of them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from widemargin import DataError
from widemargin.data import fingerprint, read_table
from widemargin.encoders import IndicatorsEncoder, ItemsError
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
        (
            [DAY.format(3), DAY.format(2), DAY.format(4)],
            r"prices\.csv:3: 2024-01-02 comes after 2024-01-03. Sort",
        ),
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
        (
            ["2024-01-02,9,11,8,15,100"],
            r"prices\.csv:2: the close, 15, is not within that day's low and high, 8 and 11",
        ),
        (["2024-01-02,7,11,8,10,100"], r"the open, 7, is not within that day's low and high"),
        (["01/02/2024,9,11,8,10,100"], r"prices\.csv:2: the date is '01/02/2024'; write it as"),
        (["30.02.2024,9,11,8,10,100"], r"prices\.csv:2: the date is '30\.02\.2024'; write it as"),
        (["2024-13-02,9,11,8,10,100"], r"prices\.csv:2: the date is '2024-13-02'"),
    ],
)
def test_a_row_that_cannot_be_is_named_by_its_line(
    tmp_path: Path, lines: list[str], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        _parsed(tmp_path, *lines)


def test_a_table_without_a_column_is_told_which_are_needed(tmp_path: Path) -> None:
    said = r"no column 'close'; needed are date.*rename it in the file or.*columns=\{close: NAME"
    with pytest.raises(DataError, match=said):
        _parsed(tmp_path, "2024-01-02,9,11,8,10", head="date,open,high,low,last")


def test_a_row_without_its_share_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"prices\.csv:2: ticker is empty"):
        _parsed(tmp_path, "," + DAY.format(2), head="ticker," + HEAD)


def test_a_share_that_is_not_there_is_told_which_are(tmp_path: Path) -> None:
    path = _written(tmp_path, "A," + DAY.format(2), "B," + DAY.format(2), head="symbol," + HEAD)
    with pytest.raises(DataError, match="no share 'X'; it has A, B"):
        PriceTable(path=path, symbols=("A", "X")).load(tmp_path)


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
    assert not list(one.notes())
    (plain,) = _parsed(tmp_path, DAY.format(2), "2024-01-03,4.5,5.5,4,5,200")
    assert "went to 0.50 times what it was on 2024-01-03" in next(plain.notes())


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
    with pytest.raises(DataError, match=r"which leaves 1 to decide on\. Give more days"):
        PriceTable(path=_ramp(tmp_path, 131)).load(tmp_path)
    path = _written(tmp_path, *(DAY.format(day) for day in range(1, 9)))
    loader = PriceTable(path=path)
    (items,) = loader.read_items(path)
    assert list(items.ids) == ["2024-01-08"]
    with pytest.raises(ItemsError, match=r"has 8 days, and 120 are needed.*data\.history"):
        loader.checked(items.X)


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


@pytest.mark.parametrize("name", ["NA", "NULL", "NaN", "nan", "None", "1.0"])
def test_a_share_may_be_called_as_missing_values_are(tmp_path: Path, name: str) -> None:
    (one,) = _parsed(tmp_path, f"{name}," + DAY.format(2), head="ticker," + HEAD)
    assert one.symbol == name


def test_shares_that_are_called_by_numbers_are_read_from_typed_tables(tmp_path: Path) -> None:
    table = pd.read_csv(_written(tmp_path, DAY.format(2))).assign(symbol=[700.0])
    (one,) = parse_prices(table, "")
    assert one.symbol == "700"
    table["symbol"] = [None]
    with pytest.raises(DataError, match="symbol is empty"):
        parse_prices(table, "a.parquet")


@pytest.mark.parametrize("loader", [PriceTable, Market])
def test_a_share_that_is_named_twice_is_refused(loader: Any) -> None:
    with pytest.raises(ValidationError, match="AAPL and AAPL are one share twice; leave one"):
        loader(path=FIXTURE, symbols=("AAPL", "IBM", "AAPL"))


def test_the_newest_row_may_come_first(tmp_path: Path) -> None:
    lines = [f"2024-01-0{day},9,11,8,{day + 6},100" for day in (2, 3, 4)]
    (rising,), (falling,) = _parsed(tmp_path, *lines), _parsed(tmp_path, *lines[::-1])
    assert (rising.days == falling.days).all()
    assert (rising.rows == falling.rows).all()
    with pytest.raises(DataError, match=r"prices\.csv:3: close is 0"):
        _parsed(tmp_path, DAY.format(4), "2024-01-03,9,11,8,0,100", DAY.format(2))


@pytest.mark.parametrize(
    "line",
    [
        "2024-01-02;9,5;11;8,25;10;1.000",
        "02.01.2024;9,5;11;8,25;10;1.000",
        "2.1.2024;9,5;11;8,25;10,0;1000",
        "20240102;9.5;11.0;8.25;10;1,000",
        "2024/01/02;9.5;11.0;8.25;10;1000",
        "2024-01-02;9.5;11.0;8.25;10;1.00K",
        "2024-01-02;9,5;11;8,25;10;0,001M",
        "2.01.2024;9.5;11.0;8.25;10;1000",
        "2024-01-02 00:00:00-05:00;9.5;11.0;8.25;10;1000",
    ],
)
def test_days_and_numbers_are_read_as_they_are_written_elsewhere(tmp_path: Path, line: str) -> None:
    (one,) = _parsed(tmp_path, line, head=HEAD.replace(",", ";"))
    assert str(one.days[0]) == "2024-01-02"
    assert one.rows[0].tolist() == [9.5, 11, 8.25, 10, 10_000]


@pytest.mark.parametrize(
    ("written", "days"),
    [
        (("01/30/2024", "02/01/2024", "02/02/2024"), ("01-30", "02-01", "02-02")),
        (("30/01/2024", "01/02/2024", "02/02/2024"), ("01-30", "02-01", "02-02")),
        (("30-1-2024", "1-2-2024"), ("01-30", "02-01")),
        (("01/01/2024",), ("01-01",)),
    ],
)
def test_strokes_are_read_as_the_days_that_can_be_read_in_one_way(
    tmp_path: Path, written: tuple[str, ...], days: tuple[str, ...]
) -> None:
    (one,) = _parsed(tmp_path, *(f"{day},9,11,8,10,100" for day in written))
    assert one.days.astype(str).tolist() == [f"2024-{day}" for day in days]


def test_days_that_are_written_in_two_ways_are_refused(tmp_path: Path) -> None:
    lines = [f"{day},9,11,8,10,100" for day in ("30/01/2024", "01/31/2024")]
    with pytest.raises(DataError, match=r"prices\.csv:3: the date is '01/31/2024'"):
        _parsed(tmp_path, *lines)


def test_where_one_comma_is_a_decimal_one_all_are(tmp_path: Path) -> None:
    lines = ("2024-01-02;9,5;11,125;8;10,5;1.000", "2024-01-03;9;11;8;10;2.000")
    first, _ = _parsed(tmp_path, *lines, head=HEAD.replace(",", ";"))[0].rows.tolist()
    assert first == [9.5, 11.125, 8, 10.5, 10_500]


@pytest.mark.parametrize(
    ("closes", "volume", "read"),
    [
        (("12.5", "12.55", "13.125", "13.2"), "52,1M", (12.5, 12.55, 13.125, 13.2)),
        (("999.5", "1,000.5", "1,001"), "1,5M", (999.5, 1000.5, 1001)),
        (("12,5", "13,125"), "52.1M", (12.5, 13.125)),
        # What may be read in either way is written as the rest of the table is.
        (("13,125", "14"), "52,1M", (13.125, 14)),
        (("13,125", "14"), "52.1M", (13125, 14)),
        (("1,250", "$1,300"), "100", (1250, 1300)),
    ],
)
def test_how_volumes_are_written_says_nothing_of_prices_that_are_clear(
    tmp_path: Path, closes: tuple[str, ...], volume: str, read: tuple[float, ...]
) -> None:
    lines = [f"2024-01-{day:02};{close};{volume}" for day, close in enumerate(closes, 1)]
    (one,) = _parsed(tmp_path, *lines, head="date;close;volume")
    assert one.close.tolist() == list(read)
    millions = {"5": 52.1e6, "1": 1.5e6} if volume != "100" else {"1": 100}
    traded = millions["5" if volume.startswith("5") else "1"]
    assert one.rows[:, 4].tolist() == pytest.approx([close * traded for close in read])


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ("2024-01-01;12,5;1", "2024-01-02;12.75;1"),
            r"prices\.csv:2: close is '12,5', where the comma can only be the decimal one; but "
            r"prices\.csv:3: close is '12.75', where the point is\. Write both in one way",
        ),
        (("2024-01-01;12;1,5M", "2024-01-02;12;1.5M"), r"volume is '1,5', .* volume is '1\.5'"),
    ],
)
def test_a_table_that_is_written_in_two_ways_is_refused(
    tmp_path: Path, lines: tuple[str, ...], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        _parsed(tmp_path, *lines, head="date;close;volume")


def test_columns_may_be_called_otherwise(tmp_path: Path) -> None:
    head = "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>"
    (one,) = _parsed(tmp_path, "AAPL.US,D,20240102,000000,9,11,8,10,100,0", head=head)
    assert (one.symbol, str(one.days[0])) == ("AAPL.US", "2024-01-02")
    assert one.rows[0].tolist() == [9, 11, 8, 10, 1000]
    head = "Datum,Erster,Hoch,Tief,Schlusskurs,Volume"
    german = {"date": "Datum", "open": "Erster", "high": "Hoch", "low": "Tief"}
    german |= {"close": "Schlusskurs"}
    (one,) = _parsed(tmp_path, DAY.format(2), head=head, columns=german)
    assert one.rows[0].tolist() == [9, 11, 8, 10, 1000]
    with pytest.raises(DataError, match=r"no column 'Kurs', which data\.columns names for close"):
        _parsed(tmp_path, DAY.format(2), head=head, columns=german | {"close": "Kurs"})


def test_a_column_that_prices_do_not_have_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"'Datum' is none of date, open, .*before the colon"):
        PriceTable(path=FIXTURE, columns={"Datum": "date"})


def test_a_column_that_is_named_for_one_thing_serves_no_other(tmp_path: Path) -> None:
    head = "date,open,high,low,close,adj_close,volume"
    (one,) = _parsed(
        tmp_path, "2024-01-02,9,11,4,10,5,1", head=head, columns={"close": "adj_close"}
    )
    assert one.rows[0].tolist() == [9, 11, 4, 5, 5]
    assert not one.adjusted


def test_days_without_any_price_are_left_out_and_counted(tmp_path: Path) -> None:
    lines = [DAY.format(2), "2024-01-03,null,null,null,null,null", DAY.format(4)]
    (one,) = _parsed(tmp_path, *lines)
    assert one.days.astype(str).tolist() == ["2024-01-02", "2024-01-04"]
    assert next(one.notes()) == "1 day was left out, which had no price."


def test_a_table_without_volumes_is_told_what_that_means(tmp_path: Path) -> None:
    table = pd.read_csv(FIXTURE).drop(columns="volume")
    table.to_csv(tmp_path / "prices.csv", index=False)
    data = PriceTable(path=tmp_path / "prices.csv").load(tmp_path)
    assert "There is no column volume" in data.card.notes[0]
    assert (data.X["prices"][0][:, 4] == 0).all()


def test_closes_alone_stand_for_the_other_prices_too(tmp_path: Path) -> None:
    table = pd.read_csv(FIXTURE)[["symbol", "date", "close", "adj close"]]
    table.to_csv(tmp_path / "prices.csv", index=False)
    data = PriceTable(path=tmp_path / "prices.csv").load(tmp_path)
    assert (data.y == PriceTable(path=FIXTURE).load(tmp_path).y).all()
    assert "closes alone, which stand for open" in " ".join(data.card.notes)
    window = data.X["prices"][0]
    assert (window[:, :4] == window[:, 3:4]).all()
    encoded = IndicatorsEncoder().transform({"prices": list(data.X["prices"])})
    assert np.isfinite(encoded).all()


def _folder(folder: Path) -> Path:
    (folder / "shares").mkdir()
    for symbol, own in pd.read_csv(FIXTURE).groupby("symbol"):
        own.drop(columns="symbol").to_csv(folder / "shares" / f"{symbol}.US.csv", index=False)
    return folder / "shares"


def test_a_folder_with_a_table_for_each_share_is_read_as_one_table(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (folder / "notes.md").write_text("no prices")
    loader = PriceTable(path=folder)
    data, own = loader.load(tmp_path), PriceTable(path=FIXTURE).load(tmp_path)
    assert (data.y == own.y).all()
    assert [name.split()[0] for name in data.ids[:2]] == ["ACME.US", "BOLT.US"]
    assert [one.ids[0].split()[0] for one in loader.read_items(folder)] == ["ACME.US", "BOLT.US"]
    one = PriceTable(path=folder, symbols=("BOLT.US",)).load(tmp_path)
    assert len(one) == len(own) // 2


def test_a_share_in_two_files_and_a_folder_without_tables_are_refused(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    shutil.copy(folder / "ACME.US.csv", folder / "ACME.US.txt")
    with pytest.raises(DataError, match=r"ACME\.US stands in .*ACME\.US\.csv too"):
        PriceTable(path=folder).load(tmp_path)
    for file in folder.iterdir():
        file.unlink()
    with pytest.raises(DataError, match="the folder has no table"):
        PriceTable(path=folder).load(tmp_path)


def _with_a_young_share(folder: Path) -> Path:
    table = pd.read_csv(FIXTURE)
    young = table[table["symbol"] == "BOLT"].tail(8).assign(symbol="YOUNG")
    pd.concat([table, young]).to_csv(folder / "prices.csv", index=False)
    return folder / "prices.csv"


def test_a_young_share_is_told_and_learned_nothing_about(tmp_path: Path) -> None:
    data = PriceTable(path=_with_a_young_share(tmp_path)).load(tmp_path)
    own = PriceTable(path=FIXTURE).load(tmp_path)
    assert (data.ids == own.ids).all()
    assert "YOUNG has 8 days, too few to decide on: 120 are needed before" in data.card.notes[0]


def test_prediction_answers_the_shares_that_were_learned_about(tmp_path: Path) -> None:
    path = _with_a_young_share(tmp_path)
    loader = PriceTable(path=FIXTURE, symbols=("BOLT", "YOUNG", "GONE"))
    bolt, young, gone = loader.read_items(path)
    assert list(bolt.ids) == ["BOLT 2022-03-25"]
    assert loader.checked(bolt.X) is bolt.X
    assert list(young.ids) == ["YOUNG 2022-03-25"]
    with pytest.raises(ItemsError, match="has 8 days"):
        loader.checked(young.X)
    assert list(gone.ids) == ["GONE"]
    with pytest.raises(ItemsError, match="has 0 days"):
        loader.checked(gone.X)
    with pytest.raises(DataError, match="no share 'GONE'; it has ACME, BOLT, YOUNG"):
        list(PriceTable(path=FIXTURE, symbols=("GONE",)).read_items(path))
