"""The page, the words and the table of two runs' difference."""

from __future__ import annotations

import csv
import json
import math
import re
from dataclasses import replace

from widemargin.comparison.difference import DataDifference, Difference, PairedTests
from widemargin.evaluation import PairedTest
from widemargin.report.comparison import difference_words as words
from widemargin.report.comparison.difference_files import difference_files
from widemargin.report.wordings import MINUS

HOSTILE = "<script>alert('won')</script> & \"FREE\" <b>entry</b>"


def files(found: Difference) -> dict[str, str]:
    folder = found.first.path.parent.parent / "comparisons" / found.name
    return {name: content.decode() for name, content in difference_files(found, folder).items()}


def test_the_verdict_and_how_it_was_tested_are_told_in_words(found: Difference) -> None:
    assert words.title(found) == "two runs of spam"
    assert words.verdict(found) == (
        f"F1: B is better than A by 0.0066 (95% {MINUS}0.0049 to 0.0181, p 0.19): "
        "no clear difference."
    )
    assert words.method(found).startswith("Tested on the same 5 held-out parts, by the corrected")
    assert "the values of A and B are of all items." in words.method(found)
    test = replace(found.measured[0].test or PairedTest(0, 0, 0, 1, 1), of="items", n_paired=123)
    drawn = replace(
        found,
        tested=PairedTests(
            on="common items", tests={"f1": test}, why="the two held out other rows"
        ),
    )
    assert words.method(drawn).startswith(
        "Tested on the 123 groups of items that both predicted, drawn anew with replacement "
        "(bootstrap) (not by folds: the two held out other rows)."
    )
    for n_paired, how in (
        (13, "Tested on the 13 groups of items that both predicted, each left out once"),
        (2, "Not tested: the 2 groups of items that both predicted, of which fewer than 3 cannot"),
    ):
        few = PairedTests(on="common items", tests={"f1": replace(test, n_paired=n_paired)})
        assert words.method(replace(found, tested=few, n_times=(1, 3))).startswith(how)
        assert words.method(replace(found, tested=few, n_times=(1, 3))).endswith(
            "An item that a run held out several times counts with all its predictions."
        )
    without = replace(test, p=math.nan, low=math.nan, high=math.nan, quantile=True)
    some = PairedTests(on="common items", tests={"median_ae": without, "f1": test})
    assert words.method(replace(found, tested=some)).startswith(
        "Tested on the 123 groups of items that both predicted, drawn anew with replacement "
        "(bootstrap). Where there is no p, too few lie beyond the quantile that the metric rests "
        "on, or all differ alike. No model"
    )
    none = replace(
        found, verdict=None, tested=PairedTests(tests={}, why="no item was predicted by both")
    )
    assert words.verdict(none) == "No paired test was made: no item was predicted by both."
    assert words.method(none) == ""


def test_runs_of_two_problems_are_named_so(found: Difference) -> None:
    other = replace(found, second=replace(found.second, use_case="credit"))
    assert words.title(other) == "a run of spam and one of credit"


def test_what_is_equal_is_said(found: Difference) -> None:
    same = replace(
        found,
        settings=(),
        versions=(),
        data=DataDifference(
            fingerprints=("a" * 64, "a" * 64), n_items=(60, 60), card=(), columns=()
        ),
    )
    assert words.about_model(found) == "Chosen: C 1 in A and 10 in B."
    assert words.about_model(replace(found, model=())) == ""
    assert words.about_settings(same) == "All settings are the same."
    assert "are the same" in words.about_versions(same)
    assert words.about_data(same) == ["The same data, 60 items (fingerprint aaaaaaaaaaaa)."]
    page = files(same)["difference.html"]
    assert "All settings are the same." in page
    assert "svm.kernel" not in page


def test_each_difference_of_the_data_is_a_sentence(found: Difference) -> None:
    assert words.about_data(found) == [
        "The data differ: 5,104 items in A, 5,100 in B (fingerprints aaaaaaaaaaaa and "
        "bbbbbbbbbbbb).",
        "7 items predicted in A only: sms:0, sms:1, sms:2, sms:3, sms:4 and 2 more.",
        "1 item with another label or weight: sms:9 (ham, spam).",
        "1 item with other contents, of 20 that both runs show: sms:8.",
        "1 column in A only: subject.",
        "Column age is table in A and text in B.",
    ]
    bare = DataDifference(
        fingerprints=("a" * 64, "b" * 64), n_items=(9, 9), card=(), columns=(), is_known=True
    )
    assert words.about_data(replace(found, data=bare))[1].startswith(
        "Items, labels and columns are the same: what differs are cells"
    )
    unknown = replace(bare, fingerprints=("", "b" * 64))
    assert words.about_data(replace(found, data=unknown))[0] == (
        "Whether the data are the same is not known: A has no fingerprint."
    )


def test_agreement_is_told_for_classes_groups_repeats_and_numbers(found: Difference) -> None:
    assert words.about_items(found) == [
        "Of 5,093 items that both predicted, both are right on 5,042, only A on 5, only B on 13, "
        "neither on 33 (McNemar's exact p 0.096)."
    ]
    assert found.agreement is not None
    grouped = replace(
        found, agreement=replace(found.agreement, n_units=13, is_weighted=True), n_times=(1, 3)
    )
    first, second, third = words.about_items(grouped)
    assert third == "Items count as one each here, whatever their weights."
    assert "counting 13 groups of items as one each" in first
    assert second.startswith("An item that was held out several times counts once")
    numbers = replace(
        found,
        first=replace(found.first, metrics={**found.first.metrics, "classes": [], "units": "EUR"}),
        agreement=replace(found.agreement, mean_apart=12.34, both=0, neither=0),
    )
    [told] = words.about_items(numbers)
    assert "A is nearer on 5, B on 13, and they are as near on 0 (sign test, exact p 0.096)" in told
    assert told.endswith("Their predictions are 12.3 EUR apart on average.")
    alone = replace(found, agreement=None, unmatched="A is a classification and B a regression")
    assert words.about_items(alone) == [
        "Items are not compared: A is a classification and B a regression."
    ]


def test_the_page_leads_to_the_reports_that_are_there_and_to_the_other_files(
    found: Difference,
) -> None:
    page = files(found)["difference.html"]
    links = set(re.findall(r'href="([^#"][^"]*)"', page))
    assert links == {
        "../../spam/two/report.html",
        "difference.json",
        "disagreements.csv",
        "data:,",
    }
    assert "http" not in page.replace("http-equiv", "")
    assert "spam/one" in page
    assert HOSTILE not in page
    assert page.count("&lt;script&gt;alert") == 2


def test_the_page_shows_every_kind_of_difference(found: Difference) -> None:
    page = files(found)["difference.html"]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.split("<main")[1]))
    for told in (
        "F1 0.9613 0.9500 to 0.9700 0.9680 0.9580 to 0.9780 +0.0067 +0.0066",
        "A right 5,042 5 A wrong 13 33",
        "sms:3983 spam ham 0.790 spam 0.900 only B right",
        "svm.kernel linear * rbf",
        "svm.costs \u2013 none",
        "C 1 10",
        "licence CC BY 4.0",
        "numpy 1 2",
        "encoding, s 2.00 5.00 2.5",
        "memory, MB 1,000 \u2013 \u2013",
    ):
        assert told in text, told
    # What is sorted by number is so in full, and what is undefined comes last.
    assert 'data-v="0.9613"' in page
    assert 'data-v=""' in page
    assert "nan" not in page


def test_a_clear_difference_stands_out(found: Difference) -> None:
    assert found.verdict is not None
    assert 'class="n value"' not in files(found)["difference.html"]
    clear = replace(found, verdict=replace(found.verdict, is_clear=True, p=0.01))
    assert files(clear)["difference.html"].count('class="n value"') == 1


def test_a_long_list_is_cut_on_the_page_and_whole_in_the_table(found: Difference) -> None:
    assert found.agreement is not None
    one = found.agreement.items[0]
    items = tuple(replace(one, id=f"sms:{k}") for k in range(300))
    many = files(replace(found, agreement=replace(found.agreement, items=items)))
    assert "200 of 300, all of which disagreements.csv has" in many["difference.html"]
    assert ">sms:199<" in many["difference.html"]
    assert ">sms:200<" not in many["difference.html"]
    assert len(many["disagreements.csv"].splitlines()) == 301
    [*_, last] = csv.DictReader(many["disagreements.csv"].splitlines())
    assert last == {
        "id": "sms:299",
        "truth": "spam",
        "predicted_a": "ham",
        "predicted_b": "spam",
        "probability_a": "0.79",
        "probability_b": "0.9",
        "decision_a": "-0.45",
        "decision_b": "0.02",
        "who": "only B right",
        "text": HOSTILE,
    }


def test_pictures_that_a_run_kept_are_shown(found: Difference) -> None:
    kept = {"id": ["sms:0", "sms:3983", "sms:1"], "pictures": {"1": "iVBORw0KGgo=", "2": "torn!"}}
    (found.second.path / "embedding_map.json").write_text(json.dumps(kept), encoding="utf-8")
    page = files(found)["difference.html"]
    assert page.count('<img src="data:image') == 1
    assert 'alt="sms:3983"' in page
    assert "1 of 2, with their labels first." in page


def test_without_items_there_is_no_table(found: Difference) -> None:
    bare = files(replace(found, agreement=None, unmatched="no item was predicted by both"))
    assert sorted(bare) == ["difference.html", "difference.json"]
    assert "disagreements.csv" not in bare["difference.html"]
    assert "Items are not compared: no item was predicted by both." in bare["difference.html"]


def test_the_json_has_no_number_that_json_has_not(found: Difference) -> None:
    told = json.loads(files(found)["difference.json"])
    assert told["metrics"][2]["second"] == {"value": None, "low": None, "high": None}
    assert told["metrics"][1]["test"]["p"] is None
    assert told["items"]["mean_apart"] is None
    assert told["settings"][1]["first"] is None
    assert told["tested_on"] == "folds"
    assert told["clear"] is False
