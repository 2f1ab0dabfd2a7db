"""Applications: the published table, people's own, and what is kept from the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from widemargin import DataError
from widemargin.testing import check_encoder
from widemargin_credit.data import ASSET, SEX_ASSET, ApplicationTable, GermanCredit
from widemargin_credit.loan import LOAN, LoanEncoder, LoanSettings
from widemargin_credit.population import find_population

FIXTURE = Path(__file__).parents[2] / "plugins" / "widemargin_credit" / "fixture.csv"

GERMAN = """credit_amount,duration_in_month,credit_history,savings_account_and_bonds,\
personal_status_and_sex,age_in_years,foreign_worker,other_debtors_or_guarantors,\
other_installment_plans,creditability
1169,6,critical,... < 100 DM,female : divorced/separated/married,67,yes,none,none,good
5951,48,paid,... >= 1000 DM,male : single,22,yes,guarantor,bank,bad
2096,12,critical,... < 100 DM,male : single,49,no,none,bank,good
"""


SEXES = """sex,age,duration,credit_amount
male,67,6,1169
female,22,48,5951
male,49,12,2096
"""


def german_credit(home: Path) -> None:
    for asset, text in ((ASSET, GERMAN), (SEX_ASSET, SEXES)):
        path = asset.path(home)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def written(folder: Path, text: str) -> Path:
    path = folder / "own.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_published_table_keeps_sex_age_and_origin_out_of_the_features(tmp_path: Path) -> None:
    german_credit(tmp_path)
    dataset = GermanCredit().load(tmp_path)
    assert dataset.y.tolist() == ["good", "bad", "good"]
    assert dataset.positive_class == "bad"
    assert not {"sex", "age_in_years", "foreign_worker", "personal_status_and_sex"} & set(dataset.X)
    assert dataset.aside is not None
    # By the second copy: the first one's own column is sorted.
    man, woman = "man who is not single, or single woman", "woman who is not single, or single man"
    assert dataset.aside["sex"].tolist() == [man, woman, man]
    assert dataset.aside["foreign_worker"].tolist() == ["no", "no", "yes"]
    assert any("The table does not tell the sex" in note for note in dataset.card.notes)
    assert dataset.aside["age_in_years"].tolist() == [67.0, 22.0, 49.0]
    open_to_all = GermanCredit(protected_as_features=True).load(tmp_path)
    assert {"sex", "age_in_years", "foreign_worker"} <= set(open_to_all.kinds)
    assert "personal_status_and_sex" not in open_to_all.kinds


def test_copies_of_other_applications_do_not_tell_the_sex(tmp_path: Path) -> None:
    german_credit(tmp_path)
    SEX_ASSET.path(tmp_path).write_text(SEXES.replace("male,49,12", "male,49,13"))
    with pytest.raises(DataError, match="not of the same applications in the same order"):
        GermanCredit().load(tmp_path)


def test_new_applications_are_read_as_the_table_is(tmp_path: Path) -> None:
    (items,) = GermanCredit().read_items(written(tmp_path, GERMAN))
    assert "creditability" not in items.X
    assert "sex" not in items.X
    assert items.ids[0] == "own.csv:2"
    without = "\n".join(line.rsplit(",", 1)[0] for line in GERMAN.splitlines())
    (same,) = GermanCredit().read_items(written(tmp_path, without))
    assert list(same.X) == list(items.X)


@pytest.mark.parametrize("column", ["credit_history", "sex", "age_in_years", "foreign_worker"])
def test_what_nobody_can_change_cannot_be_asked_for(column: str) -> None:
    with pytest.raises(ValidationError, match=f"'{column}' is nothing that an applicant could"):
        GermanCredit(may_change={column: "any"})
    with pytest.raises(ValidationError, match="is nothing that an applicant could"):
        GermanCredit(protected=(), may_change={column: "any"})


def test_a_table_of_ones_own_says_which_value_is_bad() -> None:
    table = ApplicationTable(path=FIXTURE, id="id", protected=("sex",), ignore=("purpose",))
    dataset = table.load(Path())
    assert sorted(dataset.kinds) == ["amount", "duration", "history", "savings"]
    assert dataset.ids[0].startswith("A")
    assert (dataset.y == "bad").sum() == 20
    assert "Bad is bad; good is good." in dataset.card.notes
    assert "Protected, and out of the features: sex." in dataset.card.notes


def test_labels_may_be_numbers_and_rows_without_one_are_left_out(tmp_path: Path) -> None:
    rows = [f"{k},{k % 3},{(0, 1, '')[k % 3]}" for k in range(30)]
    path = written(tmp_path, "\n".join(["amount,kind,defaulted", *rows]))
    dataset = ApplicationTable(path=path, label="defaulted", bad=("1",)).load(tmp_path)
    assert len(dataset) == 20
    assert set(dataset.y) == {"good", "bad"}
    assert "10 of 30 rows are left out: no word of how it ended." in dataset.card.notes
    with pytest.raises(DataError, match=r"no 'bad'\. It has 0, 1\. Say which of them means"):
        ApplicationTable(path=path, label="defaulted").load(tmp_path)


def test_a_row_counter_is_known_where_rows_are_left_out(tmp_path: Path) -> None:
    rows = [f"{k},{k * 37 % 101},{('good', 'bad', '')[k % 3]}" for k in range(90)]
    path = written(tmp_path, "\n".join(["place,amount,label", *rows]))
    dataset = ApplicationTable(path=path).load(tmp_path)
    assert (len(dataset), list(dataset.kinds)) == (60, ["amount"])


def test_mistakes_in_settings_are_named(tmp_path: Path) -> None:
    text = "who,amount,label\na,1,good\na,2,bad\n"
    path = written(tmp_path, text)
    with pytest.raises(DataError, match=r"names 'a' twice, at own\.csv:2 and own\.csv:3"):
        ApplicationTable(path=path, id="who").load(tmp_path)
    with pytest.raises(DataError, match="'gender'"):
        ApplicationTable(path=path, protected=("gender",)).load(tmp_path)
    with pytest.raises(DataError, match="may_change names 'who', which is no feature"):
        ApplicationTable(path=path, ignore=("who",), may_change={"who": "any"}).load(tmp_path)
    with pytest.raises(DataError, match="no column is left to learn from"):
        ApplicationTable(path=path, ignore=("who", "amount")).load(tmp_path)


def test_columns_that_say_nothing_are_left_out(tmp_path: Path) -> None:
    rows = [f"name {k},5,,{7 * k},{'good' if k % 2 else 'bad'}" for k in range(40)]
    path = written(tmp_path, "\n".join(["person,same,empty,amount,label", *rows]))
    dataset = ApplicationTable(path=path).load(tmp_path)
    assert list(dataset.kinds) == ["amount"]
    (note,) = [one for one in dataset.card.notes if one.startswith("Columns left out")]
    assert note == (
        "Columns left out: person (all values differ), same (the same everywhere), "
        "empty (no value)."
    )


def table(n: int = 200, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "amount": np.exp(rng.normal(8, 1, n)).round(),
            "duration": rng.integers(4, 60, n).astype(float),
            "savings": rng.choice(["none", "some", "much"], n),
        }
    )
    return X, np.where(rng.random(n) < 0.3, "bad", "good")


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"only": "numbers", "logs": "none", "ratios": "none"},
        {"categories": "weight-of-evidence", "numbers": "weight-of-evidence", "bins": "tree"},
    ],
    ids=["plain", "numbers", "evidence"],
)
def test_the_encoder_conforms(settings: dict[str, Any]) -> None:
    check_encoder(LOAN, LoanSettings(**settings))


def test_logs_and_the_ratio_are_found_by_themselves() -> None:
    X, y = table()
    encoder = LoanEncoder().fit(X, y)
    names = encoder.get_feature_names_out().tolist()
    assert names[:2] == ["log amount", "duration"]
    assert "log amount / duration" in names
    rows = encoder.transform(X)
    logs = np.log(X["amount"])
    np.testing.assert_allclose(rows[:, 0], (logs - logs.mean()) / logs.std(ddof=0))
    one = LoanEncoder(ratios=(("amount", "duration"),), logs=("amount",)).fit(X)
    np.testing.assert_allclose(one.derive(X)["amount / duration"], X["amount"] / X["duration"])


def test_a_number_below_all_of_training_has_a_logarithm_and_a_ratio_by_0_is_missing() -> None:
    X, y = table()
    encoder = LoanEncoder().fit(X, y)
    odd = pd.DataFrame({"amount": [0.0, -5.0], "duration": [12.0, 0.0], "savings": ["none"] * 2})
    assert np.isfinite(encoder.transform(odd)).all()
    assert np.isnan(encoder.derive(odd)["log amount / duration"][1])


def test_columns_that_are_no_numbers_have_no_logarithm() -> None:
    X, y = table()
    with pytest.raises(DataError, match="logs names 'savings', which is no column of numbers"):
        LoanEncoder(logs=("savings",)).fit(X, y)
    with pytest.raises(DataError, match="there are no categories among amount, duration"):
        LoanEncoder(only="categories").fit(X[["amount", "duration"]], y)


def test_the_population_sums_to_1_and_stands_for_all_rows() -> None:
    X, y = table()
    population = LoanEncoder().fit(X, y).population()
    assert list(population) == ["amount", "duration", "savings"]
    for values, weights in population.values():
        assert len(values) <= 32
        assert sum(weights) == pytest.approx(1)
    values, weights = population["amount"]
    assert set(values) <= set(X["amount"])
    assert np.dot(values, weights) == pytest.approx(X["amount"].mean(), rel=0.1)
    assert find_population([1.0, float("nan")], numeric=True) == ((1.0, None), (0.5, 0.5))


def test_the_population_has_missing_values_beside_32_known_ones() -> None:
    column = [None] * 10 + [float(k) for k in range(90)]
    values, weights = find_population(column, numeric=True)
    assert len(values) == 33
    assert dict(zip(values, weights, strict=True))[None] == pytest.approx(0.1)
    assert max(v for v in values if v is not None) > 80
    words = [None, *(f"word {k}" for k in range(40)), "common", "common"]
    values, weights = find_population(words, numeric=False)
    assert (len(values), values[0]) == (33, "common")
    assert weights[0] == pytest.approx(2 / 43)
    assert None in values


def test_what_is_derived_has_a_name_of_its_own() -> None:
    X, y = table()
    X = X.assign(**{"log amount": 1.0, "amount / duration": 2.0})
    encoder = LoanEncoder(logs=("amount",), ratios=(("amount", "duration"),)).fit(X, y)
    derived = encoder.derive(X)
    assert {"log amount", "log amount (derived)"} < set(derived)
    assert derived["log amount"].tolist() == [1.0] * len(X)
    np.testing.assert_allclose(derived["amount / duration (derived)"], X["amount"] / X["duration"])
    assert derived["amount / duration"].tolist() == [2.0] * len(X)


def test_truth_values_and_lists_with_gaps_are_what_the_core_takes_them_for() -> None:
    encoder = LoanEncoder().fit({"amount": [1.0, None, 3.0], "car": [True, False, True]})
    assert encoder.numbers_ == ("amount",)


def test_cells_that_count_otherwise_than_written_are_named() -> None:
    X, y = table()
    encoder = LoanEncoder().fit(X, y)
    odd = pd.DataFrame({"amount": ["much"], "duration": [""], "savings": ["gold"]})
    assert encoder.doubts(odd) == [
        {0: "amount: 'much' is no number, and counts as missing"},
        {},
        {0: "savings: 'gold' is new to the model or rare there, and counts as other"},
    ]
    assert not any(encoder.doubts(X))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"may_change": {"job": "lower"}}, r"says lower of 'job', which is no number"),
        ({"may_change": {"amount": ("500", "short")}}, r"become 'short', which is none"),
        ({"may_change": {"job": ("king",)}}, r"lets 'job' become 'king', which no application has"),
        ({"protected": ("ended",)}, r"names 'ended', which is the label"),
        ({"protected": ("job",), "protected_cuts": {"job": (1.0,)}}, r"names 'job', which is no"),
        ({"protected_cuts": {"amount": (1.0,)}}, r"names 'amount', which is no number that"),
    ],
)
def test_settings_that_could_mean_nothing_are_refused(
    tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    path = tmp_path / "loans.csv"
    rows = [f"{100 + 7 * n},{'baker' if n % 2 else 'smith'},{n % 3 == 0}" for n in range(30)]
    path.write_text("\n".join(["amount,job,ended", *rows]))
    with pytest.raises(DataError, match=said):
        ApplicationTable(path=path, label="ended", bad=("True",), **settings).load(tmp_path)


def test_values_that_are_no_numbers_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "loans.csv"
    rows = [f"{100 + 7 * n},{n % 3}" for n in range(60)]
    path.write_text("\n".join(["amount,ended", "much,0", *rows]))
    notes = ApplicationTable(path=path, label="ended", bad=("1",)).load(tmp_path).card.notes
    assert any("amount (1 taken for missing, 'much' at loans.csv:2)" in note for note in notes)


def loans(folder: Path, label: str = "ended", n: int = 40) -> Path:
    rows = [
        f"{1 + 7 * k % 400}.{100 + k};{k % 12},5;{'mw'[k % 2]};{('nein', 'Ja')[k % 4 == 0]}"
        for k in range(n)
    ]
    return written(folder, "\n".join([f"income;rate;Geschlecht;{label}", *rows, rows[0]]))


@pytest.mark.parametrize("bad", ["Ja", "ja", ["JA"], ("Ja",)])
def test_bad_ends_are_known_in_capitals_or_not(tmp_path: Path, bad: Any) -> None:
    dataset = ApplicationTable(path=loans(tmp_path), label="ended", bad=bad).load(tmp_path)
    assert (dataset.y == "bad").sum() == 11
    assert "Bad is Ja; good is nein." in dataset.card.notes


@pytest.mark.parametrize(("value", "given"), [("1", 1), ("1", [1]), ("1", 1.0), ("True", True)])
def test_bad_ends_may_be_numbers_and_truth_values(tmp_path: Path, value: str, given: Any) -> None:
    rows = [f"{100 + 7 * k},{value if k % 3 else 0}" for k in range(30)]
    path = written(tmp_path, "\n".join(["amount,ended", *rows]))
    dataset = ApplicationTable(path=path, label="ended", bad=given).load(tmp_path)
    assert (dataset.y == "bad").sum() == 20


def test_capitals_count_where_they_tell_two_ends_apart(tmp_path: Path) -> None:
    rows = [f"{100 + 7 * k},{('a', 'A', 'b')[k % 3]}" for k in range(30)]
    path = written(tmp_path, "\n".join(["amount,ended", *rows]))
    dataset = ApplicationTable(path=path, label="ended", bad=("A",)).load(tmp_path)
    assert (dataset.y == "bad").sum() == 10
    assert (
        "a counts as good, beside A; where all mean a bad end: --set 'data.bad=[A, a]'."
        in dataset.card.notes
    )
    both = ApplicationTable(path=path, label="ended", bad=("A", "a")).load(tmp_path)
    assert not [note for note in both.card.notes if "counts as good" in note]


def test_a_wrong_end_is_told_with_the_nearest_and_none_is_taken_for_bad(tmp_path: Path) -> None:
    path = loans(tmp_path)
    said = r"has no 'Jaa'\. Did you mean 'Ja'\? It has Ja, nein\. .* 'data\.bad=\[VALUE\]'"
    with pytest.raises(DataError, match=said):
        ApplicationTable(path=path, label="ended", bad=("Jaa",)).load(tmp_path)
    said = r"has no 'bad'\. It has Ja, nein\. .* 'data\.bad=\[VALUE\]'"
    with pytest.raises(DataError, match=said):
        ApplicationTable(path=path, label="ended").load(tmp_path)
    many = written(tmp_path, "\n".join(["amount,label", *[f"{k},{k:02}" for k in range(30)]]))
    with pytest.raises(DataError, match=r"It has 00, .*, 09, \.\.\.\. Say"):
        ApplicationTable(path=many).load(tmp_path)


def test_an_absent_label_says_how_to_name_it(tmp_path: Path) -> None:
    said = r"no column 'label'\. The columns are income, [^.]*\. Say which .* data\.label=COLUMN\."
    with pytest.raises(DataError, match=said):
        ApplicationTable(path=loans(tmp_path)).load(tmp_path)
    with pytest.raises(DataError, match="Did you mean 'ended'"):
        ApplicationTable(path=loans(tmp_path), label="endet").load(tmp_path)


def test_columns_named_like_protected_attributes_are_pointed_out(tmp_path: Path) -> None:
    path = loans(tmp_path)
    notes = ApplicationTable(path=path, label="ended", bad=("Ja",)).load(tmp_path).card.notes
    said = "By their names these may be protected attributes: Geschlecht."
    assert any(note.startswith(said) for note in notes)
    named = ApplicationTable(path=path, label="ended", bad=("Ja",), protected=("Geschlecht",))
    assert not any(note.startswith(said) for note in named.load(tmp_path).card.notes)


def test_decimal_commas_copies_and_predictions_of_loans(tmp_path: Path) -> None:
    path = loans(tmp_path)
    loader = ApplicationTable(
        path=path, label="ended", bad=("Ja",), decimal_commas=("income",), ignore=("Geschlecht",)
    )
    dataset = loader.load(tmp_path)
    assert dataset.X["income"].iloc[0] == 1100.0
    assert dataset.X["rate"].iloc[1] == 1.5
    assert dataset.groups is not None
    assert dataset.groups[40] == dataset.groups[0]
    assert any("1 of 41 applications is a copy of another one" in n for n in dataset.card.notes)
    (items,) = loader.read_items(path)
    encoder = LoanEncoder(ratios="none").fit(dataset.X)
    np.testing.assert_allclose(encoder.transform(items.X), encoder.transform(dataset.X))
    typed = loader.checked({"income": ["1.100", "1.234"], "rate": ["1,5", "2"]})
    assert list(typed["income"]) == [1100.0, 1234.0]


def test_people_who_differ_in_a_protected_attribute_are_no_copies(tmp_path: Path) -> None:
    rows = [f"{100 + 7 * k},{k % 11}.5,m,{('good', 'bad')[k % 3 == 0]}" for k in range(40)]
    twin = rows[5].replace(",m,", ",w,")
    path = written(tmp_path, "\n".join(["amount,rate,sex,label", *rows, twin]))
    assert ApplicationTable(path=path, protected=("sex",)).load(tmp_path).groups is None
    assert ApplicationTable(path=path, ignore=("sex",)).load(tmp_path).groups is not None


def test_applications_of_one_customer_stay_together(tmp_path: Path) -> None:
    rows = [
        f"{100 + 7 * k},{'' if k < 2 else k % 9},{('good', 'bad')[k % 3 == 0]}" for k in range(40)
    ]
    path = written(tmp_path, "\n".join(["amount,customer,label", *rows, rows[5]]))
    dataset = ApplicationTable(path=path, group="customer").load(tmp_path)
    assert list(dataset.kinds) == ["amount"]
    assert dataset.groups is not None
    assert len(set(dataset.groups.tolist())) == 11
    assert dataset.groups[3] == dataset.groups[12]
    assert dataset.groups[0] != dataset.groups[1]
    (items,) = ApplicationTable(path=path, group="customer").read_items(path)
    assert list(items.X) == ["amount"]
    with pytest.raises(DataError, match="no column 'costumer'"):
        ApplicationTable(path=path, group="costumer").load(tmp_path)


def test_a_repeated_id_says_what_copies_may_do(tmp_path: Path) -> None:
    path = written(tmp_path, "who,amount,label\na,1,good\na,1,good\nb,2,bad\n")
    with pytest.raises(DataError, match=r"Copies may stay where data\.id is left out"):
        ApplicationTable(path=path, id="who").load(tmp_path)
