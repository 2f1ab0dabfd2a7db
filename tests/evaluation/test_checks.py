"""Checks: each fires where it should and is silent where it should be."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import widemargin.evaluation
from widemargin.contracts import Metric, Predictions
from widemargin.encoders.text.known_words import KnownWords
from widemargin.evaluation import (
    CHECKS,
    METRICS,
    CheckContext,
    Finding,
    Interval,
    NearDuplicates,
    Searched,
    run_checks,
)
from widemargin.evaluation.checks import page

Make = Callable[..., Predictions]

NAN = float("nan")
METRIC: dict[str, Metric] = {metric.name: metric for metric in METRICS}


@pytest.fixture
def good(binary: Make) -> CheckContext:
    """Build a context in which nothing is to be found."""
    y = np.arange(400) % 2
    decision = np.where(np.arange(400) < 20, -2.9, 2.9) * (2 * y - 1)  # as sure as right
    return CheckContext(
        predictions=binary(y, decision),
        primary=METRIC["accuracy"],
        intervals={"accuracy": Interval(0.95, 0.93, 0.97)},
        baselines={
            "dummy": {"accuracy": 0.5},
            "logistic_regression": {"accuracy": 0.92},
        },
        gains={"logistic_regression": Interval(0.03, 0.01, 0.05)},
        class_counts={"ham": 200, "spam": 200},
        n_samples=400,
        outer=5,
        inner=5,
        searched=Searched(C=1.0, C_values=(0.1, 1.0, 10.0)),
        near_duplicates={"rows": 12, "apart": 0.94, "crossing": 0.95},
    )


@pytest.fixture
def numbers(numeric: Make) -> CheckContext:
    """Build a context of a regression, whose metric is an error, without a finding."""
    y = np.arange(100.0)
    return CheckContext(
        predictions=numeric(y, y + 10 * np.sin(y)),
        primary=METRIC["mae"],
        intervals={"mae": Interval(6.0, 5.0, 7.0)},
        baselines={"dummy": {"mae": 25.0}, "ridge": {"mae": 8.0}},
        gains={"ridge": Interval(-2.0, -3.0, -1.0)},
        n_samples=100,
        outer=5,
        inner=5,
        units="mm",
    )


def _find(code: str, context: CheckContext) -> Finding | None:
    (check,) = [check for check in CHECKS if code == check.CODE]
    return check.check(context)


def _message(code: str, context: CheckContext, severity: str = "warning") -> str:
    finding = _find(code, context)
    assert finding is not None
    assert (finding.code, finding.severity) == (code, severity)
    return finding.message


def test_a_sound_run_has_no_findings(good: CheckContext, numbers: CheckContext) -> None:
    assert run_checks(good) == []
    assert run_checks(numbers) == []


def test_warnings_come_before_notes_and_each_carries_its_title(good: CheckContext) -> None:
    context = replace(
        good,
        class_counts={"ham": 390, "spam": 10},
        searched=Searched(C=10.0, C_values=(0.1, 1.0, 10.0)),
        intervals={"accuracy": Interval(0.95, 0.4, 0.97)},
        gains={"logistic_regression": Interval(0.03, -0.5, 0.05)},
    )
    found = run_checks(context)
    assert [finding.code for finding in found] == ["WM001", "WM005", "WM002", "WM004"]
    titles = {check.CODE: check.TITLE for check in CHECKS}
    assert all(finding.title == titles[finding.code] for finding in found)


def test_wm001_fires_where_the_interval_reaches_the_dummy(good: CheckContext) -> None:
    context = replace(good, baselines={"dummy": {"accuracy": 0.93}})
    assert _message("WM001", context) == (
        "accuracy 95.00% (93.00% to 97.00%) is not clearly better than 93.00%, which always "
        "answering one class gives. Check that the labels are right and that the "
        "features hold what decides them, or add items."
    )
    assert _find("WM001", replace(good, baselines={"dummy": {"accuracy": 0.929}})) is None


def test_wm001_knows_that_a_smaller_error_is_better(numbers: CheckContext) -> None:
    context = replace(numbers, baselines={"dummy": {"mae": 6.5}})
    message = _message("WM001", context)
    assert "mean absolute error 6 mm (5 mm to 7 mm) is not clearly better than 6.5 mm" in message
    assert "always answering the mean gives" in message
    assert _find("WM001", replace(numbers, baselines={"dummy": {"mae": 7.1}})) is None


def test_without_an_interval_the_value_itself_is_compared(good: CheckContext) -> None:
    alone = {"accuracy": Interval(0.95, NAN, NAN)}
    level = {"dummy": {"accuracy": 0.95}, "logistic_regression": {"accuracy": 0.96}}
    worse = {"logistic_regression": Interval(-0.01, NAN, NAN)}
    context = replace(good, intervals=alone, baselines=level, gains=worse)
    assert _message("WM001", context).startswith("accuracy 95.00% is not clearly better than 95")
    # A warning would say that it is surely worse.
    assert _message("WM002", context, "note").startswith("accuracy 95.00% shows no clear gain")
    below = {"dummy": {"accuracy": 0.94}, "logistic_regression": {"accuracy": 0.94}}
    better = {"logistic_regression": Interval(0.01, NAN, NAN)}
    context = replace(good, intervals=alone, baselines=below, gains=better)
    for code in ("WM001", "WM002", "WM003"):
        assert _find(code, context) is None


def test_undefined_values_and_absent_baselines_are_not_compared(good: CheckContext) -> None:
    undefined = replace(
        good,
        baselines={"dummy": {"accuracy": NAN}, "logistic_regression": {"accuracy": NAN}},
        gains={"logistic_regression": Interval(NAN, NAN, NAN)},
    )
    absent = replace(good, baselines={}, gains={})
    for code in ("WM001", "WM002"):
        assert _find(code, undefined) is None
        assert _find(code, absent) is None
    unknown = replace(good, intervals={"accuracy": Interval(NAN, NAN, NAN)})
    assert _find("WM001", unknown) is None


def test_wm002_notes_no_clear_gain_and_warns_where_the_baseline_is_better(
    good: CheckContext,
) -> None:
    def against(value: float, gain: Interval) -> CheckContext:
        return replace(
            good,
            baselines={"logistic_regression": {"accuracy": value}},
            gains={"logistic_regression": gain},
        )

    message = _message("WM002", against(0.96, Interval(-0.01, -0.02, 0.01)), "note")
    assert "shows no clear gain over 96.00% of logistic regression" in message
    message = _message("WM002", against(0.98, Interval(-0.03, -0.04, -0.02)))
    assert "(93.00% to 97.00%) is worse than 98.00% of logistic regression" in message
    assert "svm.C" in message
    # What is clear on the same items need not be so for each model's interval by itself.
    assert _find("WM002", against(0.94, Interval(0.01, 0.005, 0.015))) is None


def test_wm002_promises_no_gain_over_what_is_perfect(good: CheckContext) -> None:
    level = {"logistic_regression": Interval(0.0, -0.01, 0.01)}
    perfect = replace(
        good,
        intervals={"accuracy": Interval(1.0, 0.97, 1.0)},
        baselines={"logistic_regression": {"accuracy": 1.0}},
        gains=level,
    )
    assert "and nothing is left to gain" in _message("WM002", perfect, "note")
    assert "may gain more" in _message("WM002", replace(good, gains=level), "note")


def test_wm002_does_not_say_that_nothing_needs_mending_where_one_answer_is_as_good(
    good: CheckContext,
) -> None:
    level = {"logistic_regression": Interval(0.0, -0.01, 0.01)}
    scores = {"logistic_regression": {"accuracy": 0.95}, "dummy": {"accuracy": 0.94}}
    message = _message("WM002", replace(good, gains=level, baselines=scores), "note")
    assert "These features may not hold the answer; try others." in message
    assert "mending" not in message


def test_wm002_compares_errors_with_ridge(numbers: CheckContext) -> None:
    def against(value: float, gain: Interval) -> CheckContext:
        return replace(numbers, baselines={"ridge": {"mae": value}}, gains={"ridge": gain})

    level, worse = Interval(-0.9, -2.0, 0.5), Interval(2.0, 1.0, 3.0)
    assert "6.9 mm of ridge regression" in _message("WM002", against(6.9, level), "note")
    assert "worse than 4 mm of ridge regression" in _message("WM002", against(4.0, worse))
    assert _find("WM002", against(7.5, Interval(-1.5, -2.0, -0.5))) is None


def test_wm003_fires_where_crossing_gains_over_half_the_interval(good: CheckContext) -> None:
    def with_crossing(value: float) -> CheckContext:
        found: NearDuplicates = {"rows": 373, "apart": 0.94, "crossing": value}
        return replace(good, near_duplicates=found)

    message = _message("WM003", with_crossing(0.97), "note")
    assert "With its 373 near-duplicates free to cross the splits" in message
    assert "accuracy 97.00% instead of 94.00%" in message
    assert _find("WM003", with_crossing(0.955)) is None
    assert _find("WM003", with_crossing(0.90)) is None
    assert _find("WM003", replace(good, near_duplicates=None)) is None


@pytest.mark.parametrize(
    ("chosen", "end", "further"),
    [(100.0, "largest", "[10,100,1000,10000]"), (0.1, "smallest", "[1,0.1,0.01,0.001]")],
)
def test_wm004_fires_where_the_penalty_is_the_last_value_tried(
    good: CheckContext, chosen: float, end: str, further: str
) -> None:
    searched = Searched(C=chosen, C_values=(0.1, 1.0, 10.0, 100.0))
    assert _message("WM004", replace(good, searched=searched), "note") == (
        f"C = {chosen:g} is the {end} of the values searched (0.1 to 100), and a better one may "
        f"lie beyond: --set svm.C={further}."
    )


def test_wm004_names_gamma_as_well(good: CheckContext) -> None:
    searched = Searched(C=1.0, C_values=(0.1, 1.0, 10.0), gamma=0.5, gamma_values=(0.5, 1.0))
    message = _message("WM004", replace(good, searched=searched), "note")
    assert message.startswith("gamma = 0.5 is the smallest of the values searched (0.5 to 1)")
    both = replace(searched, C=10.0)
    message = _message("WM004", replace(good, searched=both), "note")
    assert "C = 10 is the largest" in message
    assert "gamma = 0.5 is the smallest" in message


def test_wm004_is_silent_in_the_middle_and_where_nothing_was_searched(good: CheckContext) -> None:
    for searched in (
        None,
        Searched(C=5.0, C_values=(5.0,)),
        Searched(C=1.0, C_values=(0.1, 1.0, 10.0), gamma=2.0, gamma_values=(2.0,)),
        Searched(C=1.0, C_values=(0.1, 1.0, 10.0), gamma=2.0, gamma_values=(1.0, 2.0, 4.0)),
    ):
        assert _find("WM004", replace(good, searched=searched)) is None


def test_wm004_is_silent_where_the_score_does_not_rise_towards_the_edge(good: CheckContext) -> None:
    edge = Searched(C=10.0, C_values=(0.1, 1.0, 10.0), gamma=2.0, gamma_values=(1.0, 2.0))
    assert _find("WM004", replace(good, searched=replace(edge, rising=()))) is None
    message = _message("WM004", replace(good, searched=replace(edge, rising=("gamma",))), "note")
    assert message.startswith("gamma = 2 is the largest")


def test_wm005_fires_below_fifty_items_of_a_class(good: CheckContext) -> None:
    message = _message("WM005", replace(good, class_counts={"ham": 900, "spam": 49}))
    assert message.startswith("Of 2 classes 'spam' has 49; below 50 items the numbers are rough")
    assert _find("WM005", replace(good, class_counts={"ham": 50, "spam": 50})) is None
    many = {f"class {k}": k for k in range(1, 9)}
    message = _message("WM005", replace(good, class_counts=many))
    assert "'class 1' has 1, 'class 2' has 2" in message
    assert "and 3 more classes have few" in message


def test_wm005_is_silent_for_numbers(numbers: CheckContext) -> None:
    assert _find("WM005", numbers) is None


def test_wm006_fires_for_probabilities_that_promise_too_much(
    good: CheckContext, binary: Make
) -> None:
    def said(p: float, n: int = 2000) -> CheckContext:
        y = np.arange(n) % 2
        return replace(good, predictions=binary(y, np.zeros(n), probability=np.full(n, p)))

    message = _message("WM006", said(0.62))
    assert "off by 12.0 percentage points on average (expected calibration error 0.120" in message
    assert _find("WM006", said(0.53)) is None
    # Twice what chance gives 100 items whose probability is 0.62 is 0.077.
    assert _find("WM006", said(0.57, n=100)) is None
    assert _find("WM006", said(0.62, n=100)) is not None
    assert _find("WM006", said(0.62, n=20)) is None
    # 40 items in 50 repeats are 40 items.
    often = said(0.58)
    assert _find("WM006", often) is not None
    ids = np.tile(np.arange(40), 50).astype(str)
    few = replace(often, predictions=replace(often.predictions, ids=ids))
    assert _find("WM006", few) is None


def test_wm006_is_silent_for_numbers(numbers: CheckContext, numeric: Make) -> None:
    many = numeric(np.arange(2000.0), np.zeros(2000))
    assert _find("WM006", replace(numbers, predictions=many)) is None


def test_wm007_fires_where_a_part_cannot_hold_a_class(good: CheckContext) -> None:
    message = _message("WM007", replace(good, class_counts={"ham": 400, "spam": 4}))
    assert message.startswith(
        "Class 'spam' has 4 items, fewer than the 5 parts asked for of the outer cross-validation, "
        "so fewer were made. Lower evaluation.outer"
    )
    message = _message("WM007", replace(good, class_counts={"ham": 400, "spam": 5}))
    assert "'spam' has 4 items to train on, fewer than the 5 parts asked for of" in message
    assert _find("WM007", replace(good, class_counts={"ham": 400, "spam": 7})) is None


def test_wm007_counts_all_items_of_a_numeric_target(numbers: CheckContext) -> None:
    message = _message("WM007", replace(numbers, n_samples=3))
    assert message.startswith("The data set has 3 items, fewer than the 5 parts asked for of")


def test_wm008_fires_for_a_score_that_is_too_good(good: CheckContext) -> None:
    context = replace(good, intervals={"accuracy": Interval(0.9995, 0.998, 1.0)})
    message = _message("WM008", context)
    assert message.startswith("accuracy 99.95% is suspiciously good. Look for a feature")
    context = replace(good, intervals={"accuracy": Interval(0.9985, 0.998, 1.0)})
    assert _find("WM008", context) is None


def test_wm008_names_the_columns_that_tell_the_answer(good: CheckContext) -> None:
    perfect = replace(good, intervals={"accuracy": Interval(1.0, 0.998, 1.0)})
    assert _message("WM008", replace(perfect, telltales=lambda: ["paid off (AUC 1.000)"])) == (
        "accuracy 100.00% is suspiciously good. One column alone tells the answer: paid off (AUC "
        "1.000). Leave it out where it is written once the answer is known."
    )
    many = replace(perfect, telltales=lambda: [f"c{at}" for at in range(7)])
    assert "tells the answer: c0, c1, c2, c3, c4 and 2 more. Leave" in _message("WM008", many)


def test_wm008_looks_for_such_columns_only_beside_a_score_that_is_too_good(
    good: CheckContext,
) -> None:
    def telltales() -> list[str]:
        raise AssertionError

    assert _find("WM008", replace(good, telltales=telltales)) is None
    perfect = replace(good, intervals={"accuracy": Interval(1.0, 0.998, 1.0)})
    with pytest.raises(AssertionError):
        _find("WM008", replace(perfect, telltales=telltales))


def test_wm008_reads_accuracy_or_r2_where_the_metric_is_an_error(
    good: CheckContext, numbers: CheckContext, binary: Make, numeric: Make
) -> None:
    y = np.arange(100.0)
    perfect = replace(numbers, predictions=numeric(y, y + 0.01))
    assert _message("WM008", perfect).startswith("R2 1.0000 is suspiciously good")
    codes = np.arange(100) % 2
    sure = replace(
        good,
        primary=METRIC["log_loss"],
        intervals={"log_loss": Interval(0.01, 0.0, 0.02)},
        predictions=binary(codes, 4.0 * codes - 2),
    )
    assert _message("WM008", sure).startswith("accuracy 100.00% is suspiciously good")
    assert _find("WM008", replace(sure, predictions=good.predictions)) is None


def test_wm009_warns_where_the_numbers_rest_on_a_machine_that_was_stopped(
    good: CheckContext,
) -> None:
    grid = Searched(C=1.0, C_values=(0.1, 1.0, 10.0), n_cells=12)

    def message(severity: str, **more: Any) -> str:
        return _message("WM009", replace(good, searched=replace(grid, **more)), severity)

    assert message("note", n_stopped=3) == (
        "A solver stopped before it met the optimality conditions in 3 of 12 cells of the last "
        "search. No chosen model is among them; smaller values of svm.C leave them out."
    )
    assert message("warning", n_stopped=3, model_stopped=True, folds_stopped=2) == (
        "A solver stopped before it met the optimality conditions for the final model, for the "
        "models of 2 outer folds and in 3 of 12 cells of the last search. The numbers may be "
        "others at the optimum: choose a smaller svm.C, or bring the features to one scale."
    )
    assert "for the models of 1 outer fold. The" in message("warning", folds_stopped=1)
    assert _find("WM009", replace(good, searched=grid)) is None
    assert _find("WM009", replace(good, searched=None)) is None


def knowing(known: int, unknown: int, **more: Any) -> KnownWords:
    return KnownWords(
        block="glove", n_texts=200, n_unknown=unknown, n_words=1000, n_known=known, **more
    )


def test_wm010_notes_how_many_words_have_vectors_and_warns_where_few_have(
    good: CheckContext,
) -> None:
    def message(severity: str, *counts: KnownWords) -> str:
        return _message("WM010", replace(good, known_words=counts), severity)

    assert message("note", knowing(958, 5)) == (
        "glove has vectors for 95.8% of the words in the training texts; 5 of 200 texts (2.5%) "
        "have no word that it knows."
    )
    assert message("note", knowing(700, 10)).endswith("knows.")
    little = message("warning", knowing(699, 10))
    assert "That is too little to tell the texts apart: give vectors of the texts' lang" in little
    assert "5 of" not in message("warning", knowing(958, 11))
    assert "0% of the words" in message("warning", knowing(0, 200))
    # Nearly all is not all.
    assert "99.9% of the words" in message("note", knowing(999, 0))
    trained = message("warning", knowing(500, 0, trained=True))
    assert "apart: lower min_count, or choose" in trained
    composed = message("note", knowing(900, 0, n_composed=50))
    assert composed.endswith("Unknown words get vectors made of their letters.")
    both = message("warning", knowing(900, 0), knowing(1, 199))
    assert both.count("glove has vectors for") == 2


def test_wm010_is_silent_where_every_word_is_known(good: CheckContext) -> None:
    for counts in ((), (knowing(1000, 0),)):
        assert _find("WM010", replace(good, known_words=counts)) is None
    nothing = KnownWords(block="glove", n_texts=0, n_unknown=0, n_words=0, n_known=0)
    assert _find("WM010", replace(good, known_words=(nothing,))) is None


def costing(good: CheckContext, binary: Make, decision: Any, **changes: Any) -> CheckContext:
    """Say what a model costs that pays 5 for a missed spam, of which there is a tenth."""
    predictions = replace(binary(np.arange(100) % 10 == 0, decision), costs=(1.0, 5.0))
    value = float(METRIC["mean_cost"].compute(predictions))
    interval = Interval(value, changes.get("low", value), changes.get("high", value))
    return replace(
        good, predictions=predictions, intervals={**good.intervals, "mean_cost": interval}
    )


def test_wm011_says_that_one_answer_for_all_is_cheaper(good: CheckContext, binary: Make) -> None:
    # All of the spam is missed, at 0.5, and five hams are lost.
    decision = np.where(np.arange(100) % 20 == 5, 1.0, -1.0)
    assert _message("WM011", costing(good, binary, decision)) == (
        "the model's decisions cost 0.550 an item on average; answering ham whatever the item "
        "would cost less, 0.500. Do not decide by this model at these costs (svm.costs)."
    )
    same = costing(good, binary, np.full(100, -1.0))
    assert "would cost no more, 0.500" in _message("WM011", same)


def test_wm011_notes_where_one_answer_may_be_cheaper(good: CheckContext, binary: Make) -> None:
    decision = np.where(np.arange(100) % 10 == 0, 1.0, -1.0)
    decision[5] = 1.0
    assert _find("WM011", costing(good, binary, decision)) is None
    assert _message("WM011", costing(good, binary, decision, low=0.0, high=0.6), "note") == (
        "the model's decisions cost 0.010 an item on average (0.000 to 0.600), not clearly less "
        "than answering ham whatever the item, which costs 0.500."
    )


def test_wm011_is_silent_without_costs_and_where_the_dummy_is_compared(
    good: CheckContext, binary: Make
) -> None:
    dear = costing(good, binary, np.full(100, 1.0))
    assert _find("WM011", dear) is not None
    assert _find("WM011", replace(dear, predictions=replace(dear.predictions, costs=()))) is None
    assert _find("WM011", replace(dear, primary=METRIC["mean_cost"])) is None
    assert _find("WM011", replace(dear, intervals=good.intervals)) is None


def test_codes_are_unique_and_in_order() -> None:
    codes = [check.CODE for check in CHECKS]
    assert codes == [f"WM{number:03}" for number in range(1, len(CHECKS) + 1)]
    assert len({check.TITLE for check in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.CODE)
def test_a_code_has_a_page_that_says_what_it_means_and_what_to_do(
    check: widemargin.evaluation.checks.Check,
) -> None:
    text = page(check.CODE)
    assert text.splitlines()[0] == f"{check.CODE}: {check.TITLE}."
    meaning, remedy = re.split(r"\nWhat to do\n-+\n", text)
    assert len(meaning.split("What it means\n-------------\n")[1]) > 100
    assert len(remedy) > 50


def test_every_module_of_a_check_is_among_the_checks() -> None:
    folder = Path(str(widemargin.evaluation.checks.__file__)).parent
    modules = {path.stem for path in folder.glob("wm*.py")}
    assert {stem.split("_")[0].upper() for stem in modules} == {check.CODE for check in CHECKS}
    assert len(modules) == len(CHECKS)


def test_the_readme_lists_every_code_with_its_title() -> None:
    readme = Path(str(widemargin.evaluation.__file__)).with_name("README.md").read_text("utf-8")
    listed = re.findall(r"^\| (WM\d+) \| ([^|]+) \|", readme, flags=re.MULTILINE)
    assert listed == [(check.CODE, check.TITLE) for check in CHECKS]
