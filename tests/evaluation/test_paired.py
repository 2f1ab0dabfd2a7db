"""Paired tests on folds, and Holm's correction."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from widemargin.contracts import Predictions
from widemargin.evaluation import METRICS, corrected_t_test, holm, paired_intervals
from widemargin.evaluation.paired import few_shot_overlap, paired_bootstrap, paired_bootstraps

FIRST = [0.91, 0.88, 0.93, 0.90, 0.95]
SECOND = [0.90, 0.85, 0.93, 0.86, 0.92]
P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=8)


def test_without_the_correction_it_is_the_paired_t_test() -> None:
    from scipy.stats import ttest_rel

    usual = ttest_rel(FIRST, SECOND)
    ends = usual.confidence_interval(0.9)
    test = corrected_t_test(FIRST, SECOND, overlap=0, confidence=0.9)
    assert test.p == pytest.approx(usual.pvalue)
    assert (test.low, test.high) == pytest.approx((ends.low, ends.high))
    assert test.difference == pytest.approx(0.022)


def test_the_corrected_statistic_is_that_of_nadeau_and_bengio() -> None:
    from scipy.stats import t

    d = np.subtract(FIRST, SECOND)
    statistic = d.mean() / math.sqrt((1 / 5 + 1 / 4) * d.var(ddof=1))
    test = corrected_t_test(FIRST, SECOND, overlap=1 / 4)
    assert test.p == pytest.approx(2 * t.sf(statistic, 4))
    assert test.n_paired == 5


def test_models_that_do_not_differ_are_rarely_told_apart_though_folds_resemble_each_other() -> None:
    rng = np.random.default_rng(0)
    shared = 0.2  # of the variance, as with training parts of four fifths
    n_tests = 2000
    found = {0.25: 0, 0.0: 0}
    for _ in range(n_tests):
        d = math.sqrt(shared) * rng.normal() + math.sqrt(1 - shared) * rng.normal(size=5)
        for ratio in found:
            found[ratio] += corrected_t_test(d.tolist(), [0.0] * 5, overlap=ratio).p < 0.05
    assert found[0.25] / n_tests < 0.065
    assert found[0.0] / n_tests > 0.1


def test_the_interval_leaves_out_0_where_p_is_small_enough() -> None:
    for confidence in (0.5, 0.8, 0.9, 0.95, 0.99):
        test = corrected_t_test(FIRST, SECOND, overlap=0.25, confidence=confidence)
        assert (test.low > 0) == (test.p < 1 - confidence)


def test_turning_the_two_round_turns_the_difference_round() -> None:
    one = corrected_t_test(FIRST, SECOND, overlap=0.25)
    other = corrected_t_test(SECOND, FIRST, overlap=0.25)
    assert (other.difference, other.low, other.high) == (-one.difference, -one.high, -one.low)
    assert other.p == one.p


def test_equal_scores_are_no_difference_at_all() -> None:
    test = corrected_t_test(FIRST, FIRST, overlap=0.25)
    assert (test.difference, test.low, test.high, test.p) == (0, 0, 0, 1)


@pytest.mark.parametrize(
    ("first", "second"),
    [([0.3], [0.1]), ([0.3, 0.5, 0.8], [0.2, 0.4, 0.7]), ([1.0, math.nan], [0.5, 0.5])],
    ids=["one fold", "equal differences", "one fold that is defined"],
)
def test_folds_that_cannot_tell_give_a_difference_and_no_p(
    first: list[float], second: list[float]
) -> None:
    test = corrected_t_test(first, second, overlap=0.5)
    assert test.difference > 0
    assert all(math.isnan(value) for value in (test.low, test.high, test.p))


def test_no_fold_gives_nothing() -> None:
    test = corrected_t_test([math.nan], [0.5], overlap=0.5)
    assert test.n_paired == 0
    assert math.isnan(test.difference)


def test_a_fold_that_is_undefined_for_one_is_left_out_for_both() -> None:
    with_it = corrected_t_test([*FIRST, math.nan], [*SECOND, 0.1], overlap=0.25)
    assert with_it == corrected_t_test(FIRST, SECOND, overlap=0.25)


def test_scores_of_different_folds_are_refused() -> None:
    with pytest.raises(ValueError, match="5 scores of the first and 4 others"):
        corrected_t_test(FIRST, SECOND[:4], overlap=0.25)
    with pytest.raises(ValueError, match="overlap must be 0 or above; got -1"):
        corrected_t_test(FIRST, SECOND, overlap=-1)


@given(P_VALUES)
def test_holm_rejects_what_its_steps_reject(p_values: list[float]) -> None:
    corrected = holm(p_values)
    for level in (0.01, 0.05, 0.3):
        rejected = set()
        # Holm's own words: the smallest p against level / m, the next against level / (m - 1) ...
        for rank, k in enumerate(np.argsort(p_values, kind="stable")):
            if p_values[k] * (len(p_values) - rank) > level:
                break
            rejected.add(int(k))
        assert {k for k, p in enumerate(corrected) if p <= level} == rejected
    assert all(p <= more <= 1 for p, more in zip(p_values, corrected, strict=True))


def test_holm_counts_no_test_that_was_not_made() -> None:
    first, absent, last = holm([0.01, math.nan, 0.04])
    assert (first, last) == (0.02, 0.04)
    assert math.isnan(absent)


def few_shot_folds(
    y: NDArray[np.intp], shots: int, n_splits: int, n_repeats: int, rng: np.random.Generator
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Divide rows into folds, each of which learns from a few rows of each class."""
    found = []
    for _ in range(n_repeats):
        fold = np.empty(len(y), dtype=np.intp)
        for code in (0, 1):
            rows = rng.permutation(np.flatnonzero(y == code))
            fold[rows] = np.arange(len(rows)) % n_splits
        for k in range(n_splits):
            drawn = [
                rng.permutation(np.flatnonzero((fold != k) & (y == code)))[:shots]
                for code in (0, 1)
            ]
            found.append((np.concatenate(drawn), np.flatnonzero(fold == k)))
    return found


@pytest.mark.parametrize(
    ("sizes", "shots", "n_splits", "n_repeats"),
    [((200, 200), 8, 5, 1), ((60, 300), 10, 5, 1), ((50, 90), 8, 3, 1), ((200, 300), 30, 4, 3)],
)
def test_the_share_is_what_draws_have_in_common(
    sizes: tuple[int, int], shots: int, n_splits: int, n_repeats: int
) -> None:
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], sizes)
    shares: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    for _ in range(400 if n_repeats == 1 else 60):
        folds = few_shot_folds(y, shots, n_splits, n_repeats, rng)
        for k, (train, test) in enumerate(folds):
            for m, (other, out) in enumerate(folds[:k]):
                common = len(np.intersect1d(train, other)) / len(train)
                held_out = len(np.intersect1d(test, out)) / len(test)
                shares[k // n_splits != m // n_splits].append((common, held_out))
    # The larger of what is learnt from and what is held out in common.
    means = [(len(own), max(np.mean(own, axis=0))) for own in shares.values() if own]
    share = sum(count * mean for count, mean in means) / sum(count for count, _ in means)
    found = few_shot_overlap(sizes, shots, n_splits=n_splits, n_repeats=n_repeats)
    assert found == pytest.approx(share / (1 - share), rel=0.1)


def test_draws_that_share_no_row_need_no_correction_and_many_rows_that_of_folds() -> None:
    assert few_shot_overlap([100, 100], 10, n_splits=2) == 0
    assert few_shot_overlap([100, 100], 80, n_splits=5) == 1 / 4
    assert few_shot_overlap([100, 100], 1000, n_splits=5, n_repeats=3) == 1 / 4
    each = [few_shot_overlap([1000, 1000], shots, n_splits=5) for shots in (3, 10, 30, 100)]
    assert each == sorted(each)
    assert each[-1] < 1 / 4


@pytest.mark.parametrize("n_repeats", [1, 4])
def test_intervals_of_few_shots_cover_and_are_no_wider_than_need_be(n_repeats: int) -> None:
    """Two classifiers by the nearer mean, one of which does not see all there is."""
    rng = np.random.default_rng(0)
    shift = np.array([1.0, 0.7])

    def differ(X: NDArray[np.float64], y: NDArray[np.intp], folds: Any) -> list[float]:
        found = []
        for train, test in folds:
            right = []
            for used in (slice(0, 2), slice(0, 1)):
                means = [X[train][y[train] == code][:, used].mean(axis=0) for code in (0, 1)]
                off = [((X[test][:, used] - mean) ** 2).sum(axis=1) for mean in means]
                right.append(((off[1] < off[0]) == y[test]).mean())
            found.append(float(right[0] - right[1]))
        return found

    def draw(n: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        y = np.repeat([0, 1], n // 2)
        return rng.normal(size=(n, 2)) + shift * y[:, np.newaxis], y

    shots, n_splits, n = 4, 5, 400
    X, y = draw(40_000)
    many = [
        (np.concatenate([rng.integers(0, 20_000, 4), rng.integers(20_000, 40_000, 4)]), test)
        for test in np.array_split(rng.permutation(40_000), 80)
        for _ in range(20)
    ]
    truth = float(np.mean(differ(X, y, many)))
    overlap = few_shot_overlap([n // 2, n // 2], shots, n_splits=n_splits, n_repeats=n_repeats)
    n_tests, covered, widths = 300, 0, []
    for _ in range(n_tests):
        X, y = draw(n)
        scores = differ(X, y, few_shot_folds(y, shots, n_splits, n_repeats, rng))
        test = corrected_t_test(scores, [0.0] * len(scores), overlap=overlap)
        covered += test.low <= truth <= test.high
        # What rows held out for each that a fold learns from would make of it.
        wide = corrected_t_test(scores, [0.0] * len(scores), overlap=(n / 5) / (2 * shots))
        widths.append((test.high - test.low) / (wide.high - wide.low))
    assert covered / n_tests > 0.92
    if n_repeats == 1:
        assert covered / n_tests < 0.98
    assert max(widths) < 0.2


def test_repeats_that_hold_out_the_same_rows_say_little_more() -> None:
    """Models that hardly depend on what they learn from: only the items differ."""
    rng = np.random.default_rng(0)
    n, n_splits, n_repeats, n_tests = 100, 5, 6, 300
    few = few_shot_overlap([n // 2, n // 2], 4, n_splits=n_splits, n_repeats=n_repeats)
    covered = {few: 0, 0.0: 0}
    for _ in range(n_tests):
        items = rng.normal(size=n)
        folds = few_shot_folds(np.repeat([0, 1], n // 2), 4, n_splits, n_repeats, rng)
        scores = [float(items[test].mean()) for _, test in folds]
        for overlap in covered:
            test = corrected_t_test(scores, [0.0] * len(scores), overlap=overlap)
            covered[overlap] += test.low <= 0 <= test.high
    assert covered[few] / n_tests > 0.92
    assert covered[0.0] / n_tests < 0.8


def predictions(wrong: list[int], n: int = 100) -> Predictions:
    y = np.tile([0, 1], n // 2)
    guess = y.copy()
    guess[wrong] = 1 - guess[wrong]
    return Predictions(
        y_true=y,
        y_pred=guess,
        decision=guess - 0.5,
        probability=None,
        classes=("ham", "spam"),
        positive=1,
        ids=np.arange(n).astype(str),
        weight=np.ones(n),
    )


ACCURACY = METRICS[0]


def test_drawing_items_tells_apart_what_differs_and_little_else() -> None:
    rng = np.random.default_rng(0)
    found = 0
    for k in range(200):
        one, other = (np.flatnonzero(rng.random(100) < 0.2).tolist() for _ in range(2))
        test = paired_bootstrap(
            predictions(one), predictions(other), ACCURACY, resamples=300, random_state=k
        )
        found += test.p < 0.05
    assert found / 200 < 0.1
    test = paired_bootstrap(predictions([]), predictions(list(range(20))), ACCURACY)
    assert test.p == pytest.approx(2 / 1001)
    assert test.low > 0
    turned = paired_bootstrap(predictions(list(range(20))), predictions([]), ACCURACY)
    assert (turned.difference, turned.low, turned.p) == pytest.approx(
        (-test.difference, -test.high, test.p)
    )


def _few_groups(
    n_groups: int, rng: np.random.Generator, *, apart: float = 0.0
) -> tuple[Predictions, Predictions, NDArray[Any]]:
    """Two models, of which each is better on some groups than on others."""
    groups = np.repeat(np.arange(n_groups), 40)
    wrong = []
    for more in (0.0, apart):
        share = 0.25 + more + rng.normal(0, 0.1, n_groups)
        wrong.append(np.flatnonzero(rng.random(len(groups)) < share[groups]))
    one, other = (predictions(own.tolist(), len(groups)) for own in wrong)
    return one, other, groups


@pytest.mark.parametrize("n_groups", [3, 5, 10])
def test_few_groups_rarely_tell_apart_models_that_do_not_differ(n_groups: int) -> None:
    rng = np.random.default_rng(0)
    found = outside = 0
    for _ in range(300):
        one, other, groups = _few_groups(n_groups, rng)
        test = paired_bootstrap(one, other, ACCURACY, groups=groups)
        gain = paired_intervals(one, other, [ACCURACY], groups=groups)["accuracy"]
        assert test.by == ("" if math.isnan(test.p) else "jackknife")
        assert (test.p < 0.05) == (test.low > 0 or test.high < 0)
        found += test.p < 0.05
        outside += gain.low > 0 or gain.high < 0
    assert found == outside
    assert found / 300 < 0.075


@pytest.mark.parametrize("n_groups", [1, 2])
def test_one_or_two_groups_tell_nothing(n_groups: int) -> None:
    one, other, groups = _few_groups(n_groups, np.random.default_rng(0), apart=0.3)
    test = paired_bootstrap(one, other, ACCURACY, groups=groups)
    assert test.difference > 0.1
    assert (test.by, test.n_paired) == ("", n_groups)
    gain = paired_intervals(one, other, [ACCURACY], groups=groups)["accuracy"]
    assert all(math.isnan(end) for end in (test.low, test.high, test.p, gain.low, gain.high))


def test_five_groups_of_one_size_are_the_paired_t_test_and_tell_what_differs() -> None:
    one, other, groups = _few_groups(5, np.random.default_rng(0), apart=0.4)
    test = paired_bootstrap(one, other, ACCURACY, groups=groups)
    shares = [
        [float((own.y_pred == own.y_true)[groups == k].mean()) for k in range(5)]
        for own in (one, other)
    ]
    usual = corrected_t_test(*shares, overlap=0)
    assert test.p < 0.05
    assert (test.difference, test.low, test.high, test.p) == pytest.approx(
        (usual.difference, usual.low, usual.high, usual.p)
    )


def test_rows_without_weight_make_no_group() -> None:
    one, other, groups = _few_groups(30, np.random.default_rng(0))
    weight = (groups < 2).astype(float)
    one, other = (replace(own, weight=weight) for own in (one, other))
    test = paired_bootstrap(one, other, ACCURACY, groups=groups)
    assert (test.n_paired, test.by) == (2, "")


def test_models_that_held_out_items_unlike_often_are_compared_by_their_own_statistics() -> None:
    rng = np.random.default_rng(0)
    one = predictions(rng.choice(100, 30, replace=False).tolist())
    thrice = predictions(rng.choice(300, 60, replace=False).tolist(), 300)
    item = np.arange(300) % 100
    [test] = paired_bootstraps(
        one, thrice, [ACCURACY], groups=np.arange(100), other_groups=item
    ).values()
    assert test.difference == pytest.approx(0.7 - 0.8)
    assert test.n_paired == 100
    assert test.low < test.difference < test.high
    with pytest.raises(ValueError, match="not of the same units"):
        paired_bootstraps(one, thrice, [ACCURACY], groups=np.arange(100), other_groups=item + 1)


def test_equal_predictions_are_no_difference_and_an_undefined_metric_gives_no_p() -> None:
    same = paired_bootstrap(predictions([3]), predictions([3]), ACCURACY)
    assert (same.difference, same.low, same.high, same.p) == (0, 0, 0, 1)
    undefined = replace(ACCURACY, compute=lambda _: math.nan)
    none = paired_bootstrap(predictions([3]), predictions([4]), undefined, resamples=10)
    assert all(math.isnan(value) for value in (none.difference, none.low, none.p))
    assert none.of == "items"
