"""A comparison across domains: nothing is ranked, and every row is judged by its own metric."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from typing import Any

from widemargin.comparison import Comparison
from widemargin.registry import discover
from widemargin.report.comparison import columns, comparison_files, words
from widemargin.report.wordings import MINUS


def files(comparison: Comparison) -> dict[str, str]:
    made = comparison_files(comparison, discover().use_cases)
    return {name: content.decode() for name, content in made.items()}


def tables(page: str) -> dict[str, str]:
    """Return each choice's table, by its metric."""
    parts = re.split(r'<div class="choice" data-name="', page)[1:]
    return {part.partition('"')[0]: part.partition("</table>")[0] for part in parts}


def names(table: str) -> list[str]:
    return re.findall(r'<th scope="row">(?:<a[^>]*>)?([^<]*)<', table)


def test_rows_keep_the_order_given_and_nothing_is_called_the_best(domains: Comparison) -> None:
    page = files(domains)["comparison.html"]
    assert names(tables(page)["Each by its own metric"]) == ["spam", "spam", "homes", "leaves"]
    assert "across different items no row is better than another" in page
    assert "The best first" not in page
    assert words.title(domains) == (
        "4 use cases and 2 kernels: spam, homes, leaves and sea by linear and rbf"
    )


def test_the_summary_says_what_gains_and_what_was_not_tested(domains: Comparison) -> None:
    said = words.summary(domains)
    assert said.startswith(
        "A clear gain over the linear baseline on the same features and folds: spam: rbf and "
        "leaves: rbf. No clear difference to it: spam: linear. Clearly worse than it: homes: rbf."
    )
    assert said.endswith(
        "What was measured on different items is set side by side, and never tested or ranked."
    )


def test_cells_of_one_use_case_are_tested_within_it(domains: Comparison) -> None:
    [family] = domains.families()
    assert [row.name for row in family] == ["spam: rbf", "spam: linear"]
    assert "Of spam" not in words.summary(domains)
    assert "spam: rbf has the best F1 of spam: rbf and spam: linear, 0.9700." in words.summary(
        domains
    )
    [verdict] = words.verdicts(domains)
    assert verdict.startswith("spam: rbf is better than spam: linear by 0.0200")
    assert verdict.endswith("a clear difference.")
    page = files(domains)["comparison.html"]
    assert "How much better the row is than the column" not in page  # of two, the sentence does
    third = replace(domains.rows[0], name="spam: poly")
    pairs = [replace(domains.pairs[0], worse=third.name)]
    pairs += [replace(pairs[0], better="spam: linear")]
    more = replace(domains, rows=(*domains.rows, third), pairs=(*domains.pairs, *pairs))
    assert "spam: How much better the row is than the column" in files(more)["comparison.html"]


def test_the_reader_may_choose_a_metric_that_several_rows_have(domains: Comparison) -> None:
    found = tables(files(domains)["comparison.html"])
    assert list(found) == ["Each by its own metric", "Accuracy", "F1"]
    assert names(found["Accuracy"]) == ["spam", "spam", "leaves"]
    assert "98.50%" in found["Accuracy"]
    assert "0.9700" not in found["Accuracy"]


def test_a_gain_is_positive_where_it_is_better_also_for_errors(domains: Comparison) -> None:
    homes = domains.rows[2]
    assert homes.primary is not None
    assert homes.gain("dummy", homes.primary) == (25.0, 23.0, 27.0)
    assert homes.gain("linear", homes.primary) == (-3.0, -5.0, -1.0)
    page = tables(files(domains)["comparison.html"])["Each by its own metric"]
    assert f'"n down" data-v="-3.0">{MINUS}3<' in page
    assert f"{MINUS}5 to\u00a0{MINUS}1" in page


def test_every_column_that_tells_domains_apart_is_there(domains: Comparison) -> None:
    heads = [column.head for column in columns(domains)]
    for head in ("use case", "items", "classes", "judged by", "value", "over dummy", "over linear"):
        assert head in heads
    for head in ("numbers", "encoder", "C", "gamma", "support", "memory, MB"):
        assert head in heads
    assert {"encoding, s", "fitting, s", "predicting, s"} <= set(heads)
    texts = [[column.entry(row).text for column in columns(domains)] for row in domains.done]
    assert texts[2][heads.index("classes")] == "\u2013"  # a number is predicted
    assert [one[heads.index("judged by")] for one in texts] == [
        "F1", "F1", "mean absolute error", "accuracy",
    ]  # fmt: skip


def test_the_csv_holds_each_rows_own_metric_and_its_gains(domains: Comparison) -> None:
    rows = list(csv.DictReader(files(domains)["comparison.csv"].splitlines()))
    assert [row["use case"] for row in rows] == ["spam", "spam", "homes", "leaves", "sea"]
    assert [row["primary"] for row in rows] == ["f1", "f1", "mae", "accuracy", ""]
    homes, sea = rows[2], rows[4]
    assert float(homes["primary_value"]) == 40.0
    assert float(homes["gain_over_linear_low"]) == -5.0
    assert (homes["f1"], homes["classes"], homes["items"]) == ("", "", "442")
    assert (sea["problem"], sea["primary_value"]) == ("no file sea.csv", "")
    assert rows[0]["support_vectors"] == "0.2"


def test_the_json_says_that_nothing_is_ranked(domains: Comparison) -> None:
    data = json.loads(files(domains)["comparison.json"])
    assert data["ranked"] is False
    assert [cell["primary"] for cell in data["cells"]] == ["f1", "f1", "mae", "accuracy", ""]
    assert data["cells"][2]["gains"]["linear"] == {"value": -3.0, "low": -5.0, "high": -1.0}


def test_the_markdown_is_one_table(domains: Comparison) -> None:
    text = files(domains)["comparison.md"]
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 2 + 4
    assert len({line.count("|") for line in table}) == 1
    assert "+0.0210 (0.0100 to 0.0300)" in table[3]
    assert "- sea: rbf failed: no file sea.csv" in text


def test_a_title_of_its_own_heads_the_page(domains: Comparison) -> None:
    named = replace(domains, title="<b>All</b> that we have")
    page = files(named)["comparison.html"]
    assert "<h1>&lt;b&gt;All&lt;/b&gt; that we have</h1>" in page


def test_runs_that_lie_elsewhere_are_led_to_by_their_whole_path(domains: Comparison) -> None:
    first: Any = replace(domains.rows[0], path="/data/my runs/spam/20261123-a")
    page = files(replace(domains, rows=(first, *domains.rows[1:])))["comparison.html"]
    assert 'href="file:///data/my%20runs/spam/20261123-a/report.html"' in page
    assert 'href="../../homes/20261123-homes: rbf/report.html"' in page


def test_a_run_of_before_there_were_gains_has_them_without_an_interval(
    domains: Comparison,
) -> None:
    row = domains.rows[0]
    assert row.run is not None
    old = {**row.run.metrics, "baselines": {"dummy": {"title": "", "metrics": {"f1": 0.5}}}}
    aged = replace(row, run=replace(row.run, metrics=old))
    assert row.primary is not None
    gain, low, _ = aged.gain("dummy", row.primary)
    assert round(gain, 2) == 0.45
    assert low != low
    assert "spam: linear" not in words.summary(replace(domains, rows=(aged,), pairs=()))


def test_each_way_of_testing_is_told_once(domains: Comparison) -> None:
    assert words.method(domains).startswith("Differences are means over the same 5 held-out parts")
    row = replace(domains.rows[3], name="leaves: linear")
    pair = replace(domains.pairs[0], better="leaves: rbf", worse="leaves: linear")
    same = replace(domains, rows=(*domains.rows, row), pairs=(*domains.pairs, pair))
    assert len(same.families()) == 2
    assert same.n_tested(row) == 1
    assert words.method(same).count("Differences are") == 1
    # Those of a use case are corrected together, also where other metrics judge them.
    other = replace(row, primary=None)
    assert replace(same, rows=(*domains.rows, other)).n_tested(other) == 1
    drawn = replace(pair, test=replace(pair.test, of="items", n_paired=60))
    both = words.method(replace(same, pairs=(*domains.pairs, drawn)))
    assert both.startswith("Of spam: Differences are means over the same 5 held-out parts.")
    assert " Of leaves: Differences are those of the same 60 held-out items" in both
    assert both.endswith("never tested or ranked.")
