"""A comparison's files: words, the page, CSV and Markdown."""

from __future__ import annotations

import csv
import json
import math
import re
from dataclasses import replace
from typing import Any

from widemargin.comparison import Comparison, Pair
from widemargin.evaluation import METRICS, PairedTest
from widemargin.registry import discover
from widemargin.report.comparison import comparison_files, cost_words, words
from widemargin.report.comparison.columns import columns
from widemargin.report.figures.costs import CostPoint, draw_costs
from widemargin.report.wordings import MINUS

KNOWN = {metric.name: metric for metric in METRICS}
HOSTILE = "<script>alert('won')</script> & \"FREE\" <b>entry</b>"
SPAM = discover().use_case("spam")


def files(comparison: Comparison) -> dict[str, str]:
    return {
        name: content.decode()
        for name, content in comparison_files(comparison, {"spam": SPAM}).items()
    }


def test_differences_are_told_in_words(comparison: Comparison) -> None:
    assert words.verdicts(comparison) == [
        f"minilm is better than tfidf by 0.0040 (95% {MINUS}0.0010 to 0.0090, p 0.1): "
        "no clear difference.",
        "minilm is better than glove by 0.1600 (95% 0.1550 to 0.1650, p < 0.001): "
        "a clear difference.",
    ]
    near = replace(comparison.pairs[0], test=replace(comparison.pairs[0].test, p=0.04))
    counted = replace(comparison, pairs=(near, *comparison.pairs[1:]))
    assert words.verdicts(counted)[0].endswith(
        ": no clear difference once all 3 pairs are counted."
    )
    assert words.summary(comparison) == (
        "minilm has the best F1, 0.9610. It is clearly better than glove. "
        "There is no clear difference to tfidf."
    )
    assert "Holm's correction for 3 pairs" in words.method(comparison)


def test_percentages_differ_by_points_and_errors_are_better_where_lower(
    comparison: Comparison,
) -> None:
    one = comparison.pairs[0]
    shares = words.told(KNOWN["accuracy"], one, confidence=0.95)
    assert f"by 0.40 points (95% {MINUS}0.10 to 0.90" in shares
    low = replace(one, test=replace(one.test, difference=-12.5, low=-12.505, high=-12.495))
    said = words.told(KNOWN["mae"], low, confidence=0.95, units="EUR")
    assert said.startswith("minilm is better than tfidf by 12.5 EUR (95% 12.5 to 12.5, p 0.1)")


def test_what_folds_cannot_tell_is_said(comparison: Comparison) -> None:
    unsure = Pair(
        better="minilm",
        worse="tfidf",
        test=PairedTest(0.1, math.nan, math.nan, math.nan, 3),
        p=math.nan,
        is_clear=False,
    )

    def told(pair: Pair) -> str:
        return words.verdict(replace(comparison, pairs=(pair,)), pair)

    assert "the folds cannot tell whether that is more than chance" in told(unsure)
    same = replace(unsure, test=PairedTest(0.0, 0.0, 0.0, 1.0, 3))
    assert told(same) == "minilm and tfidf score the same on every fold."
    drawn = replace(unsure, test=replace(unsure.test, of="items", n_paired=1000))
    assert "the items cannot tell whether" in told(drawn)
    assert words.method(replace(comparison, pairs=(drawn,))).startswith(
        "Differences are those of the same 1,000 held-out items or groups, which cannot tell how "
        "much they differ (no interval, no p): all differ alike, or the metric is undefined "
        "without some of them. No model"
    )
    by_chance = replace(unsure, test=PairedTest(0.0, -0.1, 0.1, 1.0, 3), p=1.0)
    assert told(by_chance).endswith(": no clear difference.")


def test_why_some_pairs_of_items_have_no_p_is_said_beside_how_others_were_tested(
    comparison: Comparison,
) -> None:
    _, *others = comparison.pairs
    none = PairedTest(0.1, math.nan, math.nan, math.nan, 1000, "items", quantile=True)
    alike = PairedTest(0.0, 0.0, 0.0, 1.0, 1000, "items", quantile=True)

    def told(*tests: PairedTest) -> str:
        pairs = [
            replace(pair, test=test, p=test.p, is_clear=False)
            for pair, test in zip(comparison.pairs, tests, strict=True)
        ]
        return words.method(replace(comparison, pairs=tuple(pairs)))

    assert others
    why = "too few lie beyond the quantile that the metric rests on, or all differ alike."
    untold = told(*[none for _ in comparison.pairs])
    assert f"(no interval, no p): {why} No model" in untold
    assert "drawn anew" not in untold
    assert "Holm" not in untold
    # Whichever of them is first.
    for test, other in ((none, alike), (alike, none)):
        mixed = told(test, *[other for _ in others])
        assert "drawn anew with replacement (bootstrap). p after Holm's" in mixed
        assert f" Where there is no p, {why} No model" in mixed
    assert "Where there is no p" not in told(*[alike for _ in comparison.pairs])


def test_how_the_rows_intervals_were_made_is_said(comparison: Comparison) -> None:
    resampled = "95% intervals, which come from resampling the held-out predictions"
    assert words.intervals(comparison) == f"{resampled}."
    assert f"Small figures are {resampled}." in files(comparison)["comparison.html"]

    def made(*ways: str) -> str:
        rows = []
        for row, by in zip(comparison.rows, ways, strict=False):
            assert row.run is not None
            metrics = {**row.run.metrics, "intervals": {"by": by, "of": 5}}
            rows.append(replace(row, run=replace(row.run, metrics=metrics)))
        return words.intervals(replace(comparison, rows=tuple(rows)))

    few = "leaving out each of fewer than 100 held-out items or groups once (the jackknife)"
    none = "of fewer than 3 held-out items or groups are there only where nothing is wrong."
    assert made("bootstrap", "jackknife") == f"{resampled} or {few}."
    assert made("jackknife", "") == f"95% intervals, which come from {few} and {none}"
    assert made("bootstrap", "") == f"{resampled} and {none}"
    assert made("", "") == f"95% intervals, which {none}"


def test_why_nothing_or_not_all_was_tested_is_said(comparison: Comparison) -> None:
    alone = replace(comparison, pairs=(), unpaired="fewer than two cells have finished")
    assert words.summary(alone).endswith(
        "No paired test was made: fewer than two cells have finished."
    )
    assert words.method(alone) == "No paired test: fewer than two cells have finished."
    some = replace(
        comparison, pairs=comparison.pairs[:1], unpaired="minilm and glove held out other rows"
    )
    assert words.summary(some).endswith(
        "Some pairs were not tested: minilm and glove held out other rows."
    )
    assert words.against_best(some, some.rows[2]) == ("\u2013", "\u2013")


def test_the_table_the_csv_and_the_page_set_each_against_the_same_best(
    comparison: Comparison,
) -> None:
    # The best held out other rows, and the other two are a pair of their own.
    apart = replace(comparison, pairs=comparison.pairs[2:])
    best, *others = apart.done
    assert [apart.best_for(row) for row in apart.done] == [best] * 3
    assert [apart.against_best(row) for row in apart.done] == [None] * 3
    assert [words.against_best(apart, row) for row in others] == [(words.NONE, words.NONE)] * 2
    rows = list(csv.DictReader(files(apart)["comparison.csv"].splitlines()))
    assert [(one["against_best"], one["p_holm"]) for one in rows] == [("", "")] * 4
    shown = {column.head: column.entry for column in columns(apart)}
    assert [shown["against best"](row).sort for row in apart.done] == [0.0, "", ""]
    assert [shown["p"](row).sort for row in apart.done] == ["", "", ""]
    # Without a best of all, each is set against the best that it was tested against.
    side_by_side = replace(apart, is_ranked=False)
    rows = list(csv.DictReader(files(side_by_side)["comparison.csv"].splitlines()))
    assert [one["against_best"] for one in rows] == ["", "", "-0.156", ""]
    assert words.against_best(side_by_side, others[1])[0] == f"{MINUS}0.1560"
    shown = {column.head: column.entry for column in columns(side_by_side)}
    assert shown["p"](others[1]).sort == float(rows[2]["p_holm"]) == 0.0001


def test_of_an_error_the_csv_too_is_below_nothing_where_a_cell_is_worse(
    comparison: Comparison,
) -> None:
    rows = [
        replace(row, primary=KNOWN["mae"], metrics={"mae": (value, math.nan, math.nan)})
        for row, value in zip(comparison.done, (3.0, 5.0, 8.0), strict=True)
    ]
    pair = comparison.pairs[0]
    lower = replace(pair, test=replace(pair.test, difference=-2.0, low=-3.0, high=-1.0))
    errors = replace(comparison, rows=tuple(rows), metrics=(KNOWN["mae"],), pairs=(lower,))
    told = list(csv.DictReader(files(errors)["comparison.csv"].splitlines()))
    assert float(told[1]["against_best"]) == -2.0
    assert words.against_best(errors, rows[1])[0] == f"{MINUS}2"


def test_the_page_leads_to_every_run_and_to_the_same_numbers(comparison: Comparison) -> None:
    page = files(comparison)["comparison.html"]
    links = set(re.findall(r'href="([^#"][^"]*)"', page))
    reports = {f"../../spam/20261123-{name}/report.html" for name in ("minilm", "tfidf", "glove")}
    assert links == {
        *reports,
        "comparison.csv",
        "comparison.md",
        "comparison.json",
        "data:,",
    }
    assert "http" not in page.replace("http-equiv", "")


def test_a_report_that_is_gone_is_no_link(comparison: Comparison) -> None:
    first, *others = comparison.rows
    found = replace(comparison, rows=(replace(first, has_report=False), *others))
    page = files(found)["comparison.html"]
    assert "20261123-minilm" not in page
    assert "../../spam/20261123-tfidf/report.html" in page
    assert '<th scope="col" class="n">minilm</th>' in page


def test_the_page_names_what_failed_and_runs_nothing_of_it(comparison: Comparison) -> None:
    page = files(comparison)["comparison.html"]
    assert HOSTILE not in page
    assert "&lt;script&gt;alert" in page
    assert "3 of 4" in page


def test_the_figures_read_without_a_script(comparison: Comparison) -> None:
    page = files(comparison)["comparison.html"]
    figures = re.findall(r"<svg viewBox.*?</svg>", page, re.DOTALL)
    assert len(figures) == 2 * 2  # metrics by costs
    for name in ("minilm", "tfidf", "glove"):
        assert f">{name}</text>" in figures[0]
    assert figures[0].count("whisker") == 3
    assert figures[0].count("hollow") == 1
    assert "minilm: 0.9610 (0.9410 to 0.9810), 15.8 s" in figures[0]
    # What has no interval is a point without a line.
    assert "whisker" not in figures[2]


def test_a_star_says_where_vectors_were_kept(comparison: Comparison) -> None:
    page = files(comparison)["comparison.html"]
    assert "12.0*" in page
    assert "--fresh encodes all again" in page
    fresh = replace(comparison, rows=comparison.rows[1:])
    assert "--fresh" not in "".join(files(fresh).values())


def test_what_the_seconds_leave_out_is_said_and_what_the_runs_took(
    comparison: Comparison,
) -> None:
    told = cost_words.costs(comparison)
    assert told == (
        "Seconds are of encoding, fitting and predicting, in all models of a run; whole runs, with "
        "reading, judging and writing, took 2 min 0 s added up."
    )
    made = files(comparison)
    assert told in made["comparison.html"]
    assert told in made["comparison.md"]
    rows = list(csv.DictReader(made["comparison.csv"].splitlines()))
    assert [row["run_seconds"] for row in rows] == ["40.0", "40.0", "40.0", ""]
    # A run that went on after a stop timed only what was left of it.
    first, *others = comparison.rows
    assert first.run is not None
    manifest = {**first.run.manifest}
    manifest["costs"] = {**manifest["costs"], "folds_kept": 1}
    resumed = replace(first, run=replace(first.run, manifest=manifest))
    found = replace(comparison, rows=(resumed, *others))
    assert (resumed.total, resumed.whole, cost_words.whole(found)) == (15.75, None, None)
    assert cost_words.costs(found).endswith("and not of reading, judging and writing.")
    assert "added up" not in files(found)["comparison.html"]


def test_a_title_names_what_is_compared_where_that_is_short(comparison: Comparison) -> None:
    assert words.title(comparison) == "encoders on spam: minilm, tfidf, glove and hog"
    long = replace(comparison.rows[0], values={"encoder": "tfidf + glove (vectors: corpus)" * 2})
    assert words.title(replace(comparison, rows=(long, *comparison.rows))) == "encoders on spam"
    runs = [
        replace(row, values={"run": f"{row.use_case}/20261123-095144-93e6"})
        for row in comparison.done[:2]
    ]
    named = replace(comparison, axes=("run",), rows=tuple(runs), use_cases=("spam", "credit"))
    assert words.title(replace(named, is_ranked=False)).endswith(": spam and credit")


def test_few_rows_stand_upright_a_column_each(comparison: Comparison) -> None:
    page = files(comparison)["comparison.html"]
    heads, *own = re.findall(r"<tr>(.*?)</tr>", page.partition("</table>")[0], re.DOTALL)
    links = re.findall(r'<th scope="col" class="n"><a href="[^"]+">([^<]+)</a></th>', heads)
    assert links == ["minilm", "tfidf", "glove"]
    names = [re.findall(r'<th scope="row">([^<]+)<', row) for row in own]
    # The axis heads the columns, so that no row says it again.
    assert names[0] == ["F1"]
    assert ["encoder"] not in names
    assert ["memory, MB"] in names
    assert [row.count("<td") for row in own] == [3] * len(own)
    fourth = replace(comparison.rows[2], name="lsa", values={"encoder": "lsa"})
    many = files(replace(comparison, rows=(*comparison.rows, fourth)))["comparison.html"]
    assert 'class="cells upright"' not in many
    assert '<th scope="row"><a href=' in many


def test_two_cells_need_no_table_of_pairs(comparison: Comparison) -> None:
    both = replace(comparison, rows=comparison.rows[:2], pairs=comparison.pairs[:1], n_cells=2)
    page = files(both)["comparison.html"]
    assert "minilm is better than tfidf by 0.0040" in page
    assert "How much better the row is" not in page
    assert "How much better the row is" in files(comparison)["comparison.html"]


def test_the_csv_holds_all_numbers_in_full(comparison: Comparison) -> None:
    rows = list(csv.DictReader(files(comparison)["comparison.csv"].splitlines()))
    assert [one["encoder"] for one in rows] == ["minilm", "tfidf", "glove", "hog"]
    tfidf, hog = rows[1], rows[3]
    assert float(tfidf["f1"]) == 0.957
    assert tfidf["brier_low"] == ""
    assert float(tfidf["against_best"]) == -0.004
    assert float(tfidf["p_holm"]) == 0.1
    assert (tfidf["encoding_seconds"], tfidf["peak_memory_bytes"]) == ("12.0", "412000000")
    assert (hog["f1"], hog["folder"], hog["problem"]) == ("", "", HOSTILE)
    assert (rows[0]["vectors_reused"], tfidf["vectors_reused"]) == ("1", "0")


def test_the_markdown_is_one_table_with_words_below(comparison: Comparison) -> None:
    text = files(comparison)["comparison.md"]
    assert text.startswith("# Encoders on spam: minilm, tfidf, glove and hog\n")
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 2 + 3
    assert len({line.count("|") for line in table}) == 1
    assert "| minilm | 0.9610 | 0.9410 to 0.9810 |" in table[2]
    assert "- hog failed: " in text


def test_the_json_has_no_number_that_json_has_not(comparison: Comparison) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    data = json.loads(files(comparison)["comparison.json"], parse_constant=refuse)
    assert data["cells"][0]["metrics"]["brier"]["low"] is None
    assert data["pairs"][0]["clear"] is False
    assert data["cells"][3]["problem"] == HOSTILE


def test_nothing_finished_still_makes_a_page(comparison: Comparison) -> None:
    none = replace(
        comparison, rows=comparison.failed, metrics=(), pairs=(), unpaired="no cell has finished"
    )
    page = files(none)["comparison.html"]
    assert "No cell has finished." in page
    assert "What failed" in page
    assert "Side by side" not in page


def points(*places: tuple[str, float, float]) -> list[CostPoint]:
    return [
        CostPoint(
            name=name, cost=cost, value=value, low=value - 0.01, high=value + 0.01,
            text=name, link="", index=k,
        )
        for k, (name, cost, value) in enumerate(places)
    ]  # fmt: skip


def boxes(svg: Any) -> list[tuple[float, float, float]]:
    found = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" class="name( end)?">([^<]+)<', str(svg))
    return [
        (float(x) - (7 * len(name) if end else 0), float(y), 7.0 * len(name))
        for x, y, end, name in found
    ]


def test_names_of_near_points_do_not_cover_each_other() -> None:
    near = [(f"encoder-{k}", 10.0 + 0.01 * k, 0.95 + 0.0001 * k) for k in range(5)]
    placed = boxes(draw_costs("F1", "seconds", "F1", points(*near)).svg)
    assert len(placed) == 5
    for k, (x, y, width) in enumerate(placed):
        assert x >= 0
        assert x + width <= 440
        for other_x, other_y, other_width in placed[k + 1 :]:
            apart = x + width <= other_x or other_x + other_width <= x or abs(y - other_y) >= 12
            assert apart, placed


def test_costs_of_very_different_sizes_are_on_a_logarithmic_axis() -> None:
    wide = str(draw_costs("F1", "s", "F1", points(("a", 1.0, 0.9), ("b", 1000.0, 0.9))).svg)
    assert all(f">{tick}</text>" in wide for tick in ("1", "10", "100", "1,000"))
    near = str(draw_costs("F1", "s", "F1", points(("a", 4.0, 0.9), ("b", 5.0, 0.9))).svg)
    assert ">0</text>" in near
    unknown = points(("a", math.nan, 0.9))
    assert "circle" not in str(draw_costs("F1", "s", "F1", unknown).svg)
