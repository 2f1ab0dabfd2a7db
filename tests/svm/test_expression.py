"""Sums and products of kernels over blocks: equal to their formulas, saved and split exactly."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from widemargin.contracts import BlockSettings, Kernel, KernelParameters, SVMSettings
from widemargin.errors import DataError, ModelError, ParameterError
from widemargin.svm.expression import Expression, Product, Sum, Term, expression
from widemargin.svm.fitted import FittedSum, FittedTerm, fitted_kernel
from widemargin.svm.grid import gamma_grid, middle_gamma
from widemargin.svm.kernels import CHI2, KERNELS, LAPLACIAN, LINEAR, POLY, RBF, SIGMOID
from widemargin.svm.memory import gram_bytes

KERNEL_OF = {kernel.name: kernel for kernel in KERNELS}
BLOCKS = {"words": slice(0, 40), "numbers": slice(40, 44), "shares": slice(44, 49)}
N = 60


def make_rows(seed: int = 0, *, sparse: bool = True, n: int = N, dtype: Any = np.float64) -> Any:
    """Words are counts that are mostly 0, numbers are dense, shares are at least 0."""
    rng = np.random.default_rng(seed)
    words = rng.poisson(0.08, size=(n, 40)).astype(dtype)
    numbers = 3 * rng.normal(size=(n, 4)).astype(dtype)
    shares = rng.dirichlet(np.ones(5), size=n).astype(dtype)
    whole = np.concatenate([words, numbers, shares], axis=1)
    return csr_matrix(whole) if sparse else whole


def dense(X: Any) -> NDArray[Any]:
    return np.asarray(X.toarray() if hasattr(X, "toarray") else X)


def unit(gram: NDArray[Any]) -> NDArray[Any]:
    lengths = np.sqrt(np.diag(gram))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(gram / lengths[:, None] / lengths[None, :])


WORDS, NUMBERS, SHARES = Term(LINEAR, "words"), Term(RBF, "numbers"), Term(CHI2, "shares")
EXPRESSIONS: dict[str, Expression] = {
    "term": Term(RBF, "numbers"),
    "whole": Term(POLY, gamma=0.1, coef0=1.0, degree=2),
    "sum": Sum((WORDS, NUMBERS, SHARES)),
    "weighted": Sum((WORDS, NUMBERS), weights=(3.0, 1.0)),
    "product": Product((WORDS, NUMBERS)),
    "nested": Sum((WORDS, Product((NUMBERS, Sum((SHARES, Term(LAPLACIAN, "numbers"))))))),
}
every = pytest.mark.parametrize("chosen", EXPRESSIONS.values(), ids=EXPRESSIONS)


def test_a_sum_is_the_weighted_sum_of_kernels_of_unit_diagonal() -> None:
    X = make_rows()
    whole = dense(X)
    prepared = Sum((WORDS, NUMBERS), weights=(3.0, 1.0)).prepare(X, blocks=BLOCKS)
    gamma = 4.0 * middle_gamma(RBF, whole[:, 40:44], 0)
    distances = ((whole[:, None, 40:44] - whole[None, :, 40:44]) ** 2).sum(axis=2)
    by_hand = 0.75 * unit(whole[:, :40] @ whole[:, :40].T) + 0.25 * np.exp(-gamma * distances)
    np.testing.assert_allclose(prepared.gram(prepared.fit(4.0)), by_hand, atol=1e-12)


def test_a_product_is_the_product_of_kernels_of_unit_diagonal() -> None:
    X = make_rows()
    whole = dense(X)
    product = Product((Term(LINEAR, "words"), Term(POLY, "numbers", gamma=0.5, coef0=1.0)))
    prepared = product.prepare(X, blocks=BLOCKS)
    first = unit(whole[:, :40] @ whole[:, :40].T)
    second = unit((0.5 * whole[:, 40:44] @ whole[:, 40:44].T + 1.0) ** 3)
    np.testing.assert_allclose(prepared.gram(prepared.fit(None)), first * second, atol=1e-12)


def test_a_term_on_its_own_is_the_plain_kernel() -> None:
    X = make_rows()
    prepared = Term(LINEAR, "numbers").prepare(X, blocks=BLOCKS)
    numbers = dense(X)[:, 40:44]
    np.testing.assert_allclose(prepared.gram(prepared.fit(None)), numbers @ numbers.T, rtol=1e-12)
    assert Term(RBF).prepare(numbers).gammas == gamma_grid("auto", RBF, numbers, 0)


@every
@pytest.mark.parametrize("sparse", [True, False], ids=["sparse", "dense"])
def test_new_rows_get_the_values_that_training_rows_had(chosen: Expression, sparse: bool) -> None:
    X = make_rows(sparse=sparse)
    prepared = chosen.prepare(X, blocks=BLOCKS)
    for gamma in prepared.gammas:
        fitted = prepared.fit(gamma)
        gram = prepared.gram(fitted)
        np.testing.assert_allclose(fitted.gram(X, X), gram, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(fitted.gram(X[:7], X[20:]), gram[:7, 20:], rtol=1e-9, atol=1e-12)


@every
def test_sparse_and_dense_rows_have_the_same_values(chosen: Expression) -> None:
    one = chosen.prepare(make_rows(sparse=True), blocks=BLOCKS)
    other = chosen.prepare(make_rows(sparse=False), blocks=BLOCKS)
    assert one.gammas == other.gammas
    for gamma in one.gammas:
        ours, theirs = one.gram(one.fit(gamma)), other.gram(other.fit(gamma))
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@every
def test_gram_matrices_are_symmetric_and_of_the_rows_precision(chosen: Expression) -> None:
    for dtype, close in ((np.float64, 1e-12), (np.float32, 2e-5)):
        X = make_rows(dtype=dtype, sparse=False)
        prepared = chosen.prepare(X, blocks=BLOCKS)
        gram = prepared.gram(prepared.fit(prepared.gammas[0]))
        assert gram.dtype == dtype
        assert gram.flags.c_contiguous
        np.testing.assert_array_equal(gram, gram.T)
        exact = chosen.prepare(make_rows(sparse=False), blocks=BLOCKS)
        wanted = exact.gram(exact.fit(exact.gammas[0]))
        np.testing.assert_allclose(gram, wanted, atol=close * np.abs(wanted).max())


@pytest.mark.parametrize("name", ["sum", "weighted", "product", "nested"])
def test_joined_kernels_have_a_unit_diagonal_but_for_empty_rows(name: str) -> None:
    X = make_rows(sparse=False)
    X[3, :40] = 0.0
    chosen = EXPRESSIONS[name]
    prepared = chosen.prepare(csr_matrix(X), blocks=BLOCKS)
    diagonal = np.diag(prepared.gram(prepared.fit(None)))
    others = np.arange(N) != 3
    filled = (X[:, :40] != 0).any(axis=1) & others
    np.testing.assert_allclose(diagonal[filled], 1.0, rtol=1e-12)
    assert diagonal[3] == pytest.approx(
        {"sum": 2 / 3, "weighted": 1 / 4, "product": 0.0, "nested": 1 / 2}[name]
    )


@budget(max_examples=20)
@given(st.floats(1e-3, 1e3))
def test_the_scale_of_a_block_does_not_matter(scale: float) -> None:
    X = make_rows(sparse=False)
    scaled = X.copy()
    scaled[:, :40] *= scale
    grams = []
    for rows in (X, scaled):
        prepared = Sum((WORDS, NUMBERS)).prepare(rows, blocks=BLOCKS)
        grams.append(prepared.gram(prepared.fit(1.0)))
    np.testing.assert_allclose(grams[1], grams[0], atol=1e-9)


def test_widths_vary_together_by_a_factor_and_given_ones_stay() -> None:
    X = make_rows()
    both = Sum((NUMBERS, Term(RBF, "shares", gamma=0.3), Term(SIGMOID, "numbers")))
    prepared = both.prepare(X, blocks=BLOCKS)
    assert prepared.gammas == (0.25, 1.0, 4.0)
    numbers = dense(X)[:, 40:44]
    for factor in (0.25, 1.0, 4.0):
        gammas = [term.parameters.gamma for term in prepared.fit(factor).terms()]
        middle, slope = middle_gamma(RBF, numbers, 0), middle_gamma(SIGMOID, numbers, 0)
        assert gammas == [factor * middle, 0.3, slope]
    assert Sum((WORDS, Term(RBF, "shares", gamma=0.3))).prepare(X, blocks=BLOCKS).gammas == (None,)


@every
def test_parts_add_up(chosen: Expression) -> None:
    X = make_rows()
    fitted = chosen.prepare(X, blocks=BLOCKS).fit(1.0)
    parts = fitted.parts(X[:9], X)
    total = sum(gram for _, gram in parts)
    np.testing.assert_allclose(total, fitted.gram(X[:9], X), rtol=1e-10, atol=1e-13)
    assert len({name for name, _ in parts}) == len(parts)


def test_parts_are_named_by_block_or_kernel_and_each_once() -> None:
    X = make_rows()
    every_term = Sum((WORDS, Term(RBF), Term(RBF, gamma=0.1), Product((NUMBERS, SHARES))))
    fitted = every_term.prepare(X, blocks=BLOCKS).fit(1.0)
    assert [name for name, _ in fitted.parts(X, X)] == [
        "words",
        "rbf",
        "rbf 2",
        "numbers x shares",
    ]
    assert Sum((WORDS, NUMBERS)).prepare(X, blocks=BLOCKS).fit(1.0).name == "(words + numbers)"


def test_quantities_are_computed_once() -> None:
    calls: list[int] = []

    def pairwise(X: Any, Y: Any) -> NDArray[Any]:
        calls.append(1)
        return np.asarray(RBF.pairwise(X, Y))

    counted = Kernel(
        name="rbf", summary="", pairwise=pairwise, value=RBF.value, parameters=("gamma",)
    )
    X = make_rows(sparse=False)
    prepared = Sum((Term(counted, "numbers"), WORDS)).prepare(X, blocks=BLOCKS)
    calls.clear()  # the median was looked up
    for gamma in (*prepared.gammas, *prepared.gammas):
        prepared.gram(prepared.fit(gamma))
    assert len(calls) == 1


def test_a_matrix_that_is_given_is_left_alone() -> None:
    gram = np.array([[4.0, 1.0], [1.0, 9.0]])
    given_kernel = Kernel(name="given", summary="", pairwise=lambda X, Y: X)
    for chosen in (Term(given_kernel), Sum((Term(given_kernel),))):
        prepared = chosen.prepare(gram)
        fitted = prepared.fit(None)
        prepared.gram(fitted)
        fitted.gram(gram, gram)
        np.testing.assert_array_equal(gram, [[4.0, 1.0], [1.0, 9.0]])


def test_rows_of_no_support_vector_have_values_all_the_same() -> None:
    X = make_rows()
    fitted = Sum((WORDS, NUMBERS)).prepare(X, blocks=BLOCKS).fit(1.0)
    assert fitted.gram(X, X[:0]).shape == (N, 0)


@every
def test_what_is_saved_comes_back(chosen: Expression) -> None:
    X = make_rows()
    fitted = chosen.prepare(X, blocks=BLOCKS).fit(1.0)
    back = fitted_kernel(json.loads(json.dumps(fitted.to_data())), KERNEL_OF)
    assert back == fitted
    np.testing.assert_array_equal(back.gram(X, X), fitted.gram(X, X))
    assert back.width == max((term.columns or (0, 0))[1] for term in fitted.terms())


TERM = FittedTerm(kernel=RBF, parameters=KernelParameters()).to_data()


@pytest.mark.parametrize(
    "data",
    [
        "rbf",
        None,
        [TERM],
        {},
        {**TERM, "more": 1},
        {**TERM, "gamma": "1"},
        {**TERM, "gamma": float("nan")},
        {**TERM, "gamma": True},
        {**TERM, "degree": 2.5},
        {**TERM, "coef0": float("inf")},
        {**TERM, "kernel": 3},
        {**TERM, "block": 3},
        {**TERM, "columns": [3, 1]},
        {**TERM, "columns": [-1, 1]},
        {**TERM, "columns": [0.0, 1.0]},
        {**TERM, "columns": [1]},
        {**TERM, "dense": 1},
        {**TERM, "normalised": None},
        {"sum": [], "weights": []},
        {"sum": [TERM]},
        {"sum": [TERM], "weights": [1.0], "product": [TERM]},
        {"sum": [TERM], "weights": [2.0]},
        {"sum": [TERM, TERM], "weights": [1.0]},
        {"sum": [TERM, TERM], "weights": [1.5, -0.5]},
        {"sum": [TERM, TERM], "weights": [float("nan"), 1.0]},
        {"sum": [TERM, TERM], "weights": "ab"},
        {"product": []},
        {"product": TERM},
        {"product": [TERM], "weights": [1.0]},
    ],
    ids=str,
)
def test_what_makes_no_kernel_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match=r"kernel|rbf"):
        fitted_kernel(data, KERNEL_OF)


def test_kernels_within_kernels_without_end_are_refused() -> None:
    data: Any = TERM
    for _ in range(100):
        data = {"product": [data]}
    with pytest.raises(ValueError, match="too deep"):
        fitted_kernel(data, KERNEL_OF)


def test_a_kernel_that_is_not_installed_is_refused() -> None:
    with pytest.raises(ModelError) as caught:
        fitted_kernel({"product": [TERM]}, {})
    assert str(caught.value) == (
        "the model uses the kernel 'rbf', which no installed plugin registers."
    )


def test_an_unknown_block_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(DataError) as caught:
        Sum((Term(LINEAR, "word"), NUMBERS)).prepare(make_rows(), blocks=BLOCKS)
    assert str(caught.value) == (
        "'word' is no block of the features; they are words, numbers, shares. Did you mean 'words'?"
    )
    with pytest.raises(DataError) as caught:
        Sum((WORDS,)).prepare(make_rows())
    assert str(caught.value) == (
        "'words' is no block of the features, which are one block without a name. Name blocks of "
        "the features, or take a kernel of all of them."
    )


def test_chi2_of_negative_values_is_refused_by_the_blocks_name() -> None:
    X = make_rows(sparse=False)
    with pytest.raises(DataError) as caught:
        Sum((WORDS, Term(CHI2, "numbers"))).prepare(X, blocks=BLOCKS)
    assert str(caught.value) == (
        "the chi2 kernel compares counts and shares, at least 0, and block 'numbers' has "
        f"{X[:, 40:44].min():.4g}. Choose another kernel, as rbf."
    )
    fitted = Sum((SHARES,)).prepare(X, blocks=BLOCKS).fit(1.0)
    with pytest.raises(DataError, match="block 'shares' has -2"):
        fitted.gram(np.full((1, 49), -2.0), X)
    with pytest.raises(DataError, match=r"the features have .* Choose another kernel, as rbf"):
        Term(CHI2).prepare(X)


def test_values_that_are_no_numbers_are_refused_by_the_blocks_name() -> None:
    X = make_rows(sparse=False)
    huge = Term(POLY, "numbers", gamma=1e300, coef0=1.0)
    prepared = Sum((WORDS, huge)).prepare(X, blocks=BLOCKS)
    with np.errstate(all="ignore"), pytest.raises(DataError) as caught:
        prepared.gram(prepared.fit(None))
    assert str(caught.value) == (
        "the poly kernel of block 'numbers' is too large for a number; choose a smaller gamma, "
        "degree or coef0."
    )
    assert isinstance(caught.value, ParameterError)
    assert (caught.value.parameter, caught.value.block) == ("gamma", "numbers")
    alone = Term(POLY, gamma=1e300).prepare(X)
    with np.errstate(all="ignore"), pytest.raises(DataError) as caught:
        alone.gram(alone.fit(1e300))
    assert str(caught.value) == (
        "the poly kernel of these rows is too large for a number; choose a smaller gamma, degree "
        "or coef0."
    )


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ((1.0,), "there are 2 summands and 1 weights"),
        ((1.0, -1.0), r"weights are at least 0, and not all 0; got \(1.0, -1.0\)"),
        ((0.0, 0.0), "weights are at least 0, and not all 0"),
        ((1.0, float("nan")), "weights are at least 0, and not all 0"),
        ("even", "weights are equal, aligned, learned, or one number a summand; got 'even'"),
    ],
)
def test_weights_that_make_no_sense_are_refused(weights: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Sum((WORDS, NUMBERS), weights=weights)


def test_an_empty_sum_and_several_gammas_within_one_are_refused() -> None:
    with pytest.raises(ValueError, match="a sum of kernels needs at least one"):
        Sum(())
    with pytest.raises(ValueError, match="a kernel in a product takes one gamma or auto"):
        Product((Term(RBF, gamma=(0.1, 1.0)),))


def test_memory_is_known_before_it_is_taken() -> None:
    square = 1000 * 1000 * 4
    assert gram_bytes(Term(LINEAR), 1000, 4) == square
    assert gram_bytes(Term(RBF), 1000, 4) == 2 * square
    assert gram_bytes(Term(RBF, gamma=0.1), 1000, 4) == square
    # One matrix a block, the sum, and the width's matrix on the way.
    assert gram_bytes(Sum((WORDS, WORDS, NUMBERS)), 1000, 4) == 5 * square
    assert gram_bytes(Product((WORDS, WORDS)), 1000, 4) == 3 * square
    # Where all is settled, only the sum is kept, however many blocks there are.
    settled = Term(RBF, gamma=0.1)
    assert gram_bytes(Sum((settled,) * 6, weights=(1.0,) * 6), 1000, 4) == 2 * square
    learned = gram_bytes(Sum((WORDS, NUMBERS), weights="learned"), 1000, 4)
    assert learned > gram_bytes(Sum((WORDS, NUMBERS)), 1000, 4)


def test_a_settled_sum_keeps_its_matrix_and_none_of_its_summands() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 4))
    blocks = {"a": slice(0, 2), "b": slice(2, 4)}
    terms = (Term(RBF, "a", gamma=0.5), Term(LINEAR, "b"))
    prepared = Sum(terms, weights=(3.0, 1.0)).prepare(X, blocks=blocks)
    fitted = prepared.fit(None)
    gram = prepared.gram(fitted)
    assert prepared.gram(fitted) is gram
    assert all(term._kept is None for term in prepared._terms)  # type: ignore[union-attr]  # terms
    squares = ((X[:, None, :2] - X[None, :, :2]) ** 2).sum(axis=-1)
    products = X[:, 2:] @ X[:, 2:].T
    lengths = np.sqrt(np.diag(products))
    expected = 0.75 * np.exp(-0.5 * squares) + 0.25 * products / np.outer(lengths, lengths)
    np.testing.assert_allclose(gram, expected, atol=1e-12)


def test_a_config_becomes_a_term_or_a_sum_or_a_product() -> None:
    plain = SVMSettings(kernel="rbf", gamma=(0.1, 1.0), degree=2, coef0=0.5)
    assert expression(plain, KERNEL_OF) == Term(RBF, gamma=(0.1, 1.0), degree=2, coef0=0.5)
    blocks = {
        "words": BlockSettings(kernel="linear"),
        "numbers": BlockSettings(gamma=0.5, degree=2, coef0=1.0),
        "shares": BlockSettings(),
    }
    settings = SVMSettings(kernel="poly", blocks=blocks)
    terms = (
        Term(LINEAR, "words"),
        Term(POLY, "numbers", gamma=0.5, degree=2, coef0=1.0),
        Term(POLY, "shares"),
    )
    assert expression(settings, KERNEL_OF) == Sum(terms)
    product = SVMSettings(kernel="poly", blocks=blocks, combine="product")
    assert expression(product, KERNEL_OF) == Product(terms)
    weights = {"shares": 3.0, "words": 1.0, "numbers": 2.0}
    given_weights = SVMSettings(kernel="poly", blocks=blocks, weights=weights)
    assert expression(given_weights, KERNEL_OF) == Sum(terms, weights=(1.0, 2.0, 3.0))
    aligned = SVMSettings(kernel="poly", blocks=blocks, weights="aligned")
    assert expression(aligned, KERNEL_OF) == Sum(terms, weights="aligned")


def test_given_weights_are_divided_by_their_sum() -> None:
    fitted = Sum((WORDS, NUMBERS), weights=(3.0, 1.0)).prepare(make_rows(), blocks=BLOCKS).fit(1.0)
    assert isinstance(fitted, FittedSum)
    assert fitted.weights == (0.75, 0.25)
