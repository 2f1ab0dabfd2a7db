"""Columns of tables: how numbers are spelt, what says nothing, copies, and what tells too much."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from widemargin import DataError
from widemargin.data import (
    find_columns,
    find_copies,
    find_telltales,
    parse_numbers,
    parse_target,
    plain_cells,
    read_decimal_commas,
)
from widemargin.data.spelling import several_spellings
from widemargin.data.telltales import telltales


def note(notes: tuple[str, ...], start: str) -> str:
    (found,) = [one for one in notes if one.startswith(start)]
    return found


def found(*cells: str) -> tuple[Any, tuple[str, ...]]:
    """Find a column of these cells, repeated so that they are many."""
    X, notes = find_columns(
        pd.DataFrame({"price": list(cells) * 6, "town": ["a", "b"] * 3 * len(cells)})
    )
    return X["price"], notes


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("12,5", 12.5),
        ("-1.234,56", -1234.56),
        ("0,125", 0.125),
        ("1234,567", 1234.567),
        ("1.234.567", 1234567.0),
        ("1 234,5", 1234.5),
        ("1\u202f234", 1234.0),
        ("1'234.50", 1234.5),
        ("$1,250", 1250.0),
        ("12,5 €", 12.5),
        ("5.5%", 5.5),
    ],
)
def test_a_number_that_can_mean_one_thing_is_read(cell: str, number: float) -> None:
    assert parse_numbers([cell], "sure").tolist() == [number]
    assert parse_numbers([cell], "decimal").tolist() == [number] or cell == "$1,250"


@pytest.mark.parametrize("cell", ["03.03.2019", "1,2,3", "5 to 10%", "A-12,5", "12,", "€", "(3)"])
def test_what_is_no_number_stays_none(cell: str) -> None:
    assert np.isnan(parse_numbers([cell], "sure")).all()
    assert np.isnan(parse_numbers([cell], "decimal")).all()


@given(st.floats(-1e9, 1e9), st.integers(0, 4))
def test_decimal_commas_are_read_as_they_were_written(number: float, digits: int) -> None:
    english = f"{number:,.{digits}f}"
    german = english.translate(str.maketrans(",.", ".,"))
    assert parse_numbers([german], "decimal") == parse_numbers([english])


def test_a_column_of_decimal_commas_is_one_of_numbers_and_says_so() -> None:
    price, notes = found("1.234,56", "12,5", "7", "?")
    assert price[:3].tolist() == [1234.56, 12.5, 7.0]
    assert note(notes, "Commas") == "Commas are decimal ones in price (1.234,56)."


def test_a_column_that_may_mean_two_things_is_named_with_the_setting() -> None:
    price, notes = found("12,5", "1.234", "7,25")
    assert price.dtype == object
    assert note(notes, "Left as") == (
        "Left as categories, since their numbers may mean two things: price (12,5 beside 1.234). "
        "Write them in one way; or, where commas are decimal ones: --set "
        "'data.decimal_commas=[price]'."
    )
    table = plain_cells(pd.DataFrame({"price": ["12,5", "1.234", "7,25"]}), ["price"])
    assert table["price"].tolist() == [12.5, 1234.0, 7.25]


def test_one_comma_among_thousands_of_three_digits_does_not_unsettle_a_column() -> None:
    cells = [f"1.{number}" for number in range(100, 300)]
    X, notes = find_columns(pd.DataFrame({"price": [*cells, "12,5"], "town": ["a", "b", "c"] * 67}))
    assert X["price"].dtype == np.float64
    assert X["price"].iloc[-1] == 12.5
    assert not [one for one in notes if one.startswith("Left as")]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (("1,234", "850", "12,000"), "price (1,234 is 1234)"),
        (("1.234", "850", "12.000"), "price (1.234 is 1.234)"),
        (("1,234", "850", "2.5"), ""),
        (("1.234", "2.518", "12.125"), ""),
        (("1.5", "850", "12.000"), ""),
        (("1,234", "850", "12,5", "1,5", "2,5"), ""),
    ],
)
def test_what_is_read_one_way_and_might_mean_another_is_said(
    cells: tuple[str, ...], said: str
) -> None:
    _, notes = found(*cells)
    told = [one for one in notes if one.startswith("Commas and points")]
    assert told == (
        [
            f"Commas and points might mean other numbers in {said}. Where commas are decimal ones: "
            "--set 'data.decimal_commas=[price]'."
        ]
        if said
        else []
    )


def test_a_sign_beside_all_numbers_is_passed_over_and_several_are_not() -> None:
    price, notes = found("5%", "7.5 %")
    assert price[:2].tolist() == [5.0, 7.5]
    assert note(notes, "Signs") == "Signs beside numbers are passed over in price (5%)."
    price, notes = found("$5", "€7", "$9")
    assert price.dtype == object
    assert "price ($5 beside €7)" in note(notes, "Left as")
    price, notes = found("5%", "0.05")
    assert "price (0.05 beside 5%)" in note(notes, "Left as")
    price, _ = found("$5", "0", "$7.50")
    assert price[:3].tolist() == [5.0, 0.0, 7.5]
    # One cell that is written otherwise unsettles no column.
    table = pd.DataFrame({"price": [*map(str, range(0, 298, 2)), "150 €"], "town": ["a", "b"] * 75})
    assert find_columns(table)[0]["price"].iloc[-1] == 150


def test_decimal_commas_are_numbers_however_often_items_are_read() -> None:
    once = read_decimal_commas({"price": ["1,234", "7"], "town": ["a", "b"]}, ["price", "absent"])
    twice = read_decimal_commas(pd.DataFrame(dict(once)), ["price"])
    assert list(once["price"]) == list(twice["price"]) == [1.234, 7.0]
    assert list(twice["town"]) == ["a", "b"]
    table = plain_cells(pd.DataFrame({"price": ["1,234", "7"]}), ["price"])
    pd.testing.assert_frame_equal(plain_cells(table, ["price"]), table)


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%y", "%Y-%m-%dT%H:%M:%S"])
def test_dates_are_left_out_and_a_few_days_are_categories(form: str) -> None:
    days = pd.date_range("2019-01-30", periods=40).strftime(form)
    table = pd.DataFrame({"day": [*days, *days], "age": range(80, 0, -1), "sex": ["m", "w"] * 40})
    X, notes = find_columns(table)
    assert list(X) == ["age", "sex"]
    assert "day (dates; give a number in their place" in note(notes, "Columns left out")
    assert list(find_columns(table, keep=True)[0]) == ["day", "age", "sex"]
    few = table.assign(day=[*days[:20]] * 4)
    assert "day" in find_columns(few)[0]


@pytest.mark.parametrize(
    ("name", "is_id"),
    [
        ("customer_id", True),
        ("customerID", True),
        ("Antragsnummer", True),
        ("nr", True),
        ("amount_paid", False),
        ("income", False),
        ("residence", False),
    ],
)
def test_whole_numbers_that_all_differ_are_an_id_where_the_name_says_so(
    name: str, is_id: bool
) -> None:
    numbers = np.random.default_rng(0).permutation(10_000)[:50]
    X, notes = find_columns(pd.DataFrame({name: numbers, "b": ["x", "y"] * 25}))
    assert (name not in X) == is_id
    assert any("(named as an id is, with hardly a value twice)" in one for one in notes) == is_id
    fractions = pd.DataFrame({name: numbers + 0.5, "b": ["x", "y"] * 25})
    assert name in find_columns(fractions)[0]


def test_an_id_is_known_beside_copies_of_rows() -> None:
    table = pd.DataFrame({"who": [f"n{row}" for row in range(40)], "a": range(40, 0, -1), "b": 1.5})
    X, _ = find_columns(pd.concat([table, table[:10]], ignore_index=True))
    assert list(X) == ["a"]
    again = pd.DataFrame(
        {"kunden_nr": [f"n{row % 30}" for row in range(40)], "a": range(40, 0, -1), "b": 1.5}
    )
    assert list(find_columns(again)[0]) == ["a"]
    assert "town" in find_columns(again.rename(columns={"kunden_nr": "town"}))[0]
    # Towns of a table of two columns are no ids, however often a pair comes again.
    towns = pd.DataFrame({"town": [f"t{row // 2}" for row in range(60)], "b": ["x", "x"] * 30})
    assert "town" in find_columns(towns)[0]


def test_columns_that_are_mostly_missing_are_named() -> None:
    table = pd.DataFrame({"rare": [*["x", "x", "y"], *[None] * 27], "a": range(30, 0, -1)})
    assert note(find_columns(table)[1], "Mostly") == "Mostly missing: rare (90%)."
    assert not [n for n in find_columns(table[:10])[1] if n.startswith("Mostly")]


def rows(n: int = 200) -> tuple[pd.DataFrame, Any]:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"age": rng.normal(size=n), "town": rng.choice(np.array(["a", "b", None]), n)}
    )
    return table, rng.choice(["good", "bad"], n)


def test_a_number_too_large_is_missing_and_told_with_its_place() -> None:
    cells = [f"{number}.5" for number in range(300)]
    cells[7], cells[9], cells[11] = "1.7e308", "-inf", "many"
    table = pd.DataFrame({"price": cells, "town": ["a", "b"] * 150})
    X, notes = find_columns(table)
    assert X["price"].isna().sum() == 3
    assert note(notes, "Not every") == (
        "Not every value is a number in price (3 taken for missing, the first '1.7e308' at row 8). "
        "Infinite numbers, and those beyond 1e75, count as none. Correct what is a slip."
    )
    _, notes = find_columns(table[9:], lines=[f"a.csv:{row + 2}" for row in range(300)])
    assert "price (2 taken for missing, the first '-inf' at a.csv:11)" in note(notes, "Not every")
    numbers = pd.DataFrame({"price": [1.0, -1e76, 2.0], "town": ["a", "b", "a"]})
    X, notes = find_columns(numbers)
    assert X["price"].isna().tolist() == [False, True, False]
    assert "price (1 taken for missing, '-1e+76' at row 2)" in note(notes, "Not every")
    assert "beyond 1e75" not in note(find_columns(table[11:])[1], "Not every")


@pytest.mark.parametrize("cell", ["#N/A", "<NA>", "NAN", "-nan", "NaT", " nan ", "n/a", "NULL"])
def test_missing_values_are_known_however_they_are_spelt(cell: str) -> None:
    table = plain_cells(pd.DataFrame({"price": ["1", cell], "town": ["a", cell]}))
    X, notes = find_columns(table)
    assert X.isna().sum().tolist() == [1, 1]
    assert not [one for one in notes if one.startswith("Not every")]


@pytest.mark.parametrize("index", [[f"r{at}" for at in range(41)], [0] * 41, [0.5] * 41])
def test_a_table_under_any_index_is_read_as_one_that_is_counted(index: list[Any]) -> None:
    cells = {
        "size": [f"{at}.5" for at in range(40)] + ["many"],
        "row": np.arange(41.0),
        "town": ["Ulm", "Bonn"] * 20 + ["Ulm"],
    }
    plain, notes = find_columns(pd.DataFrame(cells))
    X, said = find_columns(pd.DataFrame(cells, index=index))
    assert said == notes
    assert note(said, "Not every").startswith(
        "Not every value is a number in size (1 taken for missing, 'many' at row 41)."
    )
    assert list(X.index) == index
    pd.testing.assert_frame_equal(X.reset_index(drop=True), plain)


def test_categories_in_several_spellings_are_named_with_their_counts() -> None:
    cells = ["Yes", "yes", "yes", "YES ", "NO", "perhaps"] * 4
    towns = ["Ko\u0308ln", "K\u00f6ln", "New  York", "new york", "Ulm", "Bonn"] * 4
    table = plain_cells(pd.DataFrame({"agreed": cells, "town": towns, "side": ["l", "r"] * 12}))
    X, notes = find_columns(table)
    assert note(notes, "Spelt in") == (
        "Spelt in several ways, each a category of its own: agreed (yes 8, YES 4, Yes 4), town "
        "(Ko\u0308ln 4, K\u00f6ln 4; New  York 4, new york 4). Write alike what means the same."
    )
    assert X["agreed"].nunique() == 5
    assert not [one for one in find_columns(table[["side"]])[1] if one.startswith("Spelt in")]
    crowd = [f"{letter}{at}" for at in range(7) for letter in "aA"]
    assert several_spellings(crowd).endswith("A4 1, a4 1; and 2 more")
    mail = "Free money now and then, " * 40
    assert several_spellings([mail, mail, mail.upper()]) == (
        "Free money now and then, Free ... 2, FREE MONEY NOW AND THEN, FREE ... 1"
    )


def test_classes_in_several_spellings_are_named_and_numbers_are_none() -> None:
    labels = ["yes", "Yes", "no", "yes"]
    names = ["1", "2", "3", "4"]
    for task in ("auto", "classification"):
        y, said = parse_target(labels, names, "a.csv: column 'paid'", task, 3)
        assert sorted(set(y.tolist())) == ["Yes", "no", "yes"]
        assert said.startswith("a.csv: column 'paid'")
        assert said.endswith(
            " Spelt in several ways, each a class of its own: yes 2, Yes 1. Write alike what means "
            "the same."
        )
    with pytest.raises(DataError, match=r"a number of 1e75 at most and is '1e308' at 2 \(and is"):
        parse_target(["1", "1e308", "3"], names[:3], "paid", "regression", 2)


@pytest.mark.parametrize(
    ("labels", "numbers", "said"),
    [
        (["1.234,5", "12,5", "7"], [1234.5, 12.5, 7], "Commas are decimal ones, as in 1.234,5."),
        (["$5", "$7.50", "$9"], [5, 7.5, 9], "Signs beside numbers are passed over, as in $5."),
        (
            ["1,234", "7", "8"],
            [1234, 7, 8],
            "1,234 is read as 1234; if it means another, write it so.",
        ),
        (["1,234.5", "7", "8"], [1234.5, 7, 8], ""),
    ],
)
def test_a_target_is_read_as_a_column_of_numbers_is(
    labels: list[str], numbers: list[float], said: str
) -> None:
    y, note_ = parse_target(labels, ["1", "2", "3"], "column 'price'", "regression", 2)
    assert y.tolist() == numbers
    assert note_ == (f"column 'price': {said}" if said else "")
    y, note_ = parse_target(labels, ["1", "2", "3"], "column 'price'", "auto", 2)
    assert y.tolist() == numbers
    assert note_.endswith(f"--set data.task=classification. {said}".rstrip())


def test_a_target_whose_numbers_may_mean_two_things_is_refused() -> None:
    said = r"price holds numbers that may mean two things: 1,5 beside 1\.234\."
    with pytest.raises(DataError, match=rf"{said} Write them in one way\.$"):
        parse_target(["1,5", "1.234", "7,5"], ["1", "2", "3"], "price", "regression", 2)


def test_a_target_of_decimal_commas_is_read_as_the_setting_says() -> None:
    rest: Any = (["1", "2", "3"], "column 'price'", "regression", 2)
    remedy = "or, where commas are decimal ones: --set 'data.decimal_commas=[size, price]'."
    with pytest.raises(DataError) as told:
        parse_target(["847,2", "1.950", "7"], *rest, remedy=["size", "price"])
    assert str(told.value).endswith(f" 847,2 beside 1.950. Write them in one way; {remedy}")
    y, said = parse_target(["847,2", "1.950", "7"], *rest, decimal_commas=True)
    assert y.tolist() == [847.2, 1950, 7]
    assert said == "column 'price': Commas are decimal ones, as in 847,2."
    y, said = parse_target(["2.596", "2.019", "410"], *rest, remedy=["size", "price"])
    assert y.tolist() == [2.596, 2.019, 410]
    assert said == (
        f"column 'price': 2.596 is read as 2.596; if it means another, write it so, {remedy}"
    )
    y, said = parse_target(["2.596", "2.019", "410"], *rest, decimal_commas=True)
    assert (y.tolist(), said) == ([2596, 2019, 410], "")
    # It is no remedy where the numbers are of two currencies.
    for setting in ({"remedy": ["price"]}, {"decimal_commas": True}):
        with pytest.raises(DataError, match=r"\$5 beside €1\.250\. Write them in one way\.$"):
            parse_target(["€1.250", "€7", "$5"], *rest, **setting)


def test_copies_share_a_group_and_are_counted() -> None:
    table, y = rows()
    assert find_copies(table, y) == (None, "")
    more = pd.concat([table, table[:3]], ignore_index=True)
    groups, said = find_copies(more, np.append(y, y[:3]), "person")
    assert groups is not None
    assert groups[200:].tolist() == groups[:3].tolist()
    assert len(set(groups.tolist())) == 200
    assert (
        said == "3 of 203 persons are copies of another one, label and all; no split parts copies."
    )


def test_a_row_with_another_label_is_no_copy() -> None:
    table, y = rows()
    more = pd.concat([table, table[:1]], ignore_index=True)
    assert find_copies(more, np.append(y, "other")) == (None, "")


def test_all_rows_three_times_are_copies_too() -> None:
    table, y = rows()
    groups, said = find_copies(pd.concat([table] * 3, ignore_index=True), np.tile(y, 3))
    assert groups is not None
    assert said.startswith("400 of 600 rows are copies")
    none, said = find_copies(pd.concat([table[:20]] * 30, ignore_index=True), np.tile(y[:20], 30))
    assert none is None
    assert said.startswith("580 of 600 rows equal another one, label and all: so many")


def test_rows_of_coarse_columns_agree_by_chance() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({name: rng.choice(list("xyz"), 500) for name in "abc"})
    assert find_copies(table, rng.choice(["good", "bad"], 500)) == (None, "")
    ages = pd.DataFrame(
        {"age": rng.integers(18, 75, 600) * 1.0, "sex": rng.choice(["m", "w"], 600)}
    )
    assert find_copies(ages, rng.choice(["good", "bad"], 600)) == (None, "")


@pytest.mark.parametrize(
    "column",
    [
        lambda y: np.where(y == "bad", 300.0, 0.0),
        lambda y: np.where(y == "bad", np.nan, 5.0),
        lambda y: np.where(y == "bad", "written off", "running"),
        lambda y: [None if one == "bad" else "paid" for one in y],
    ],
)
def test_a_column_that_gives_the_label_away_is_named(column: Any) -> None:
    table, y = rows()
    said = find_telltales(table.assign(status=column(y)), y)
    assert said == (
        "The label can be told from one column alone: status (ROC AUC 1.000). A column that is "
        "written once the label is known leaks it: leave it out with data.ignore."
    )
    assert find_telltales(table, y) == ""


def test_a_column_that_tells_more_than_two_classes_is_named() -> None:
    table, _ = rows()
    y = np.array(["ant", "bee", "cat", "cat"] * 50)
    told = "grade (at least 1.000 of each class)"
    for grade in (np.char.upper(y), np.unique(y, return_inverse=True)[1] * 1.0):
        assert telltales(table.assign(grade=grade), y) == [told]
        assert f"one column alone: {told}." in find_telltales(table.assign(grade=grade), y)
    # Several values of one class tell it too, a missing one among them.
    finer = pd.Series([f"{one} {at % 8 // 4}" for at, one in enumerate(y)]).mask(y == "bee")
    assert telltales(table.assign(grade=finer), y) == [told]
    # One bee of 50 is too many to be wrong, one cat of 100 is not.
    rows_ = np.arange(200)
    assert telltales(table.assign(grade=finer.mask(rows_ == 1, "ant 0")), y) == []
    slip = telltales(table.assign(grade=finer.mask(rows_ == 2, "ant 0")), y)
    assert slip == ["grade (at least 0.990 of each class)"]
    # What knows one class, or is right because it is common, does not.
    assert telltales(table.assign(grade=y == "ant"), y) == []
    common = np.array(["a"] * 190 + ["b"] * 5 + ["c"] * 5)
    assert telltales(table.assign(grade="x"), common) == []
    assert telltales(table.assign(name=[f"n{row}" for row in range(200)]), y) == []


def test_a_number_whose_thresholds_tell_more_than_two_classes_is_named() -> None:
    score = np.random.default_rng(0).normal(size=300)
    # The middle class has the last name, so that the classes' order is not the numbers'.
    y = np.array(["low", "top", "high"])[np.digitize(score, [-0.5, 0.8])]

    def told(score: Any) -> list[str]:
        return telltales(pd.DataFrame({"score": score}), y)

    assert told(score) == told(-np.exp(score)) == ["score (at least 1.000 of each class)"]
    # What is missing tells a class, too; but not where it stands for two.
    assert told(np.where(y == "top", np.nan, score)) == told(score)
    assert told(np.where(y == "low", score, np.nan)) == []
    (one,) = np.flatnonzero(score == score[y == "low"].min())
    n_low = int((y == "low").sum())
    slip = np.where(np.arange(300) == one, 9.0, score)
    share = (n_low - 1) / n_low
    expected = [f"score (at least {share:.3f} of each class)"] if share >= 0.99 else []
    assert told(slip) == expected
    # Classes that overlap, or of which one lies on both sides of another, are not told.
    assert told(score + np.random.default_rng(1).normal(scale=0.1, size=300)) == []
    assert told(np.abs(score - 0.15)) == []


def test_a_column_that_rises_or_falls_with_the_number_to_predict_is_named() -> None:
    table, _ = rows()
    y = table["age"].to_numpy() ** 3
    assert telltales(table, y) == ["age (rank correlation 1.000)"]
    assert telltales(table.assign(age=1 / (y + 100)), y) == ["age (rank correlation 1.000)"]
    noisy = y + np.random.default_rng(1).normal(scale=0.3, size=200)
    assert telltales(table, noisy) == []
    assert telltales(table[:19], y[:19]) == []
    assert telltales(table.assign(age=7.0), y) == []
    assert telltales(table.assign(age=table["age"].mask(table.index % 2 == 0)), y) == []


def test_names_that_all_differ_give_nothing_away_and_numbers_are_no_classes() -> None:
    table, y = rows()
    assert find_telltales(table.assign(name=[f"n{row}" for row in range(200)]), y) == ""
    assert find_telltales(table, np.random.default_rng(1).normal(size=200)) == ""
    few = np.array(["good"] * 196 + ["bad"] * 4)
    assert find_telltales(pd.DataFrame({"a": (few == "bad") * 1.0}), few) == ""
