"""k-mers: the papers' spectrum and mismatch kernels, and a margin that splits into k-mers."""

from __future__ import annotations

import json
from collections import Counter
from itertools import product
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from widemargin.config import resolve
from widemargin.encoders import ENCODERS, Features, KmerEncoder, State
from widemargin.encoders.sequences import kmer
from widemargin.encoders.sequences.kmer import KmerSettings
from widemargin.errors import ConfigError, DataError
from widemargin.registry import discover

SEQUENCES = st.lists(st.text("ACGTNac \n", max_size=14), min_size=1, max_size=5)
LENGTHS = st.tuples(st.integers(1, 4), st.integers(0, 2)).filter(lambda pair: pair[1] < pair[0])

Alphabet = Literal["auto", "protein", "dna"]
Weighting = Literal["counts", "binary"]


def runs_of(text: str, k: int, alphabet: str) -> list[str]:
    """List the k-mers of a text by their definition."""
    runs = [text.upper()[start : start + k] for start in range(len(text) - k + 1)]
    return [run for run in runs if set(run) <= set(alphabet)]


def feature_map(text: str, k: int, m: int, alphabet: str, weighting: str) -> dict[str, float]:
    """Map a text to all k-mers by the definition of Leslie et al. 2004."""
    counts: Counter[str] = Counter()
    for run in runs_of(text, k, alphabet):
        for letters in product(alphabet, repeat=k):
            if sum(a != b for a, b in zip(run, letters, strict=True)) <= m:
                counts["".join(letters)] += 1
    return {key: 1.0 if weighting == "binary" else float(n) for key, n in counts.items()}


def direct_kernel(
    X: list[str], Y: list[str], k: int, m: int, alphabet: str, weighting: str, normalise: bool
) -> Any:
    """Return the kernel as the papers define it."""

    def inner(x: dict[str, float], y: dict[str, float]) -> float:
        return sum(value * y.get(key, 0.0) for key, value in x.items())

    maps = [[feature_map(text, k, m, alphabet, weighting) for text in texts] for texts in (X, Y)]
    gram = np.array([[inner(x, y) for y in maps[1]] for x in maps[0]])
    if normalise:
        lengths = [np.sqrt([inner(one, one) or 1.0 for one in own]) for own in maps]
        gram = gram / lengths[0][:, None] / lengths[1][None, :]
    return gram


@settings(max_examples=80)
@given(
    SEQUENCES,
    SEQUENCES,
    LENGTHS,
    st.sampled_from(["auto", "dna"]),
    st.sampled_from(["counts", "binary"]),
    st.booleans(),
    st.booleans(),
)
def test_products_are_the_spectrum_and_mismatch_kernels_of_the_papers(
    train: list[str],
    test: list[str],
    lengths: tuple[int, int],
    alphabet: Alphabet,
    weighting: Weighting,
    normalise: bool,
    learnt: bool,
) -> None:
    k, m = lengths
    encoder = KmerEncoder(k, m, alphabet, weighting, normalise)
    with pytest.MonkeyPatch.context() as patch:
        if learnt:
            patch.setattr(kmer, "_FIXED", 0)
        try:
            X = encoder.fit_transform(train)
        except DataError:
            letters = set("".join(train).upper()) - {" ", "\n"} if alphabet == "auto" else "ACGT"
            assert not any(runs_of(text, k, "".join(letters)) for text in train)
            assume(False)
    assert (encoder.vocabulary_ is not None) == learnt
    assert X.shape[1] == len(encoder.get_feature_names_out())
    arguments = (k, m, encoder.alphabet_, weighting, normalise)
    for texts in (train, test):
        found = (encoder.transform(texts) @ X.T).toarray()
        np.testing.assert_allclose(found, direct_kernel(texts, train, *arguments), atol=1e-12)


@settings(max_examples=80)
@given(
    SEQUENCES,
    SEQUENCES,
    LENGTHS,
    st.sampled_from(["counts", "binary"]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 99),
)
def test_shares_of_a_row_sum_to_its_product_with_the_weights(
    train: list[str],
    texts: list[str],
    lengths: tuple[int, int],
    weighting: Weighting,
    normalise: bool,
    learnt: bool,
    seed: int,
) -> None:
    encoder = KmerEncoder(*lengths, weighting=weighting, normalise=normalise)
    with pytest.MonkeyPatch.context() as patch:
        if learnt:
            patch.setattr(kmer, "_FIXED", 0)
        try:
            encoder.fit(train)
        except DataError:
            assume(False)
    coef = np.random.default_rng(seed).normal(size=len(encoder.get_feature_names_out()))
    shares = encoder.explain(texts, coef)
    totals = [sum(share.contribution for share in own) for own in shares]
    np.testing.assert_allclose(totals, encoder.transform(texts) @ coef, atol=1e-9)
    for text, own in zip(texts, shares, strict=True):
        runs = runs_of(text, lengths[0], encoder.alphabet_)
        assert [share.piece for share in own] == list(dict.fromkeys(runs))


def test_the_spectrum_counts_runs_and_names_them() -> None:
    encoder = KmerEncoder(k=2, normalise=False)
    X = encoder.fit_transform(["GATTAGA", "tta"]).toarray()
    names = encoder.get_feature_names_out()
    assert names.tolist() == ["AA", "AG", "AT", "GA", "GG", "GT", "TA", "TG", "TT"]
    found = [dict(zip(names[row > 0], row[row > 0].tolist(), strict=True)) for row in X]
    assert found == [{"AG": 1, "AT": 1, "GA": 2, "TA": 1, "TT": 1}, {"TA": 1, "TT": 1}]
    binary = KmerEncoder(k=2, weighting="binary", normalise=False).fit_transform(["GATTAGA"])
    assert binary.max() == 1


def test_one_mismatch_reaches_every_neighbour_once() -> None:
    encoder = KmerEncoder(k=5, mismatches=1, alphabet="protein", normalise=False)
    X = encoder.fit_transform(["WLKVR"])
    # Itself, and 19 other letters in each of 5 places; 20^5 columns would be 3.2 million.
    assert X.shape == (1, 96)
    assert X.data.tolist() == [1.0] * 96
    names = encoder.get_feature_names_out()
    assert all(sum(a != b for a, b in zip(name, "WLKVR", strict=True)) <= 1 for name in names)
    assert len(set(names)) == 96


def test_rows_have_unit_length_and_a_row_without_runs_is_zero() -> None:
    X = KmerEncoder(k=2).fit(["GATTAGA"]).transform(["GATTA", "", "A", "NNNN", "G A T"])
    lengths = np.asarray(X.multiply(X).sum(axis=1)).ravel()
    np.testing.assert_allclose(lengths, [1, 0, 0, 0, 0])


def test_what_is_no_letter_ends_a_run_and_case_does_not_matter() -> None:
    encoder = KmerEncoder(k=2, alphabet="dna", normalise=False)
    X = encoder.fit_transform(["acNgt", "AC GT", "AC\nGT", "ac-gt"])
    assert X.shape == (4, 16)
    for row in X.toarray():
        names = encoder.get_feature_names_out()[row > 0]
        assert names.tolist() == ["AC", "GT"]


def test_no_run_crosses_from_one_column_to_the_next() -> None:
    encoder = KmerEncoder(k=2, normalise=False)
    X = encoder.fit_transform({"heavy": ["AC"], "light": ["GT"]})
    assert encoder.get_feature_names_out()[X.toarray()[0] > 0].tolist() == ["AC", "GT"]


def test_letters_are_those_of_training_whatever_their_script() -> None:
    encoder = KmerEncoder(k=1).fit(["héß\t", "漢\x00\ud83d"])
    assert encoder.alphabet_ == "HSÉ漢"
    assert encoder.transform(["漢字😀"]).nnz == 1


def test_every_kmer_has_a_column_up_to_a_limit_and_those_seen_beyond() -> None:
    assert KmerEncoder(k=8, alphabet="dna").fit(["ACGTACGT"]).vocabulary_ is None
    assert KmerEncoder(k=4, alphabet="protein").fit_transform(["WLKVR"]).shape == (1, 160_000)
    learnt = KmerEncoder(k=5, alphabet="protein").fit(["WLKVRA"])
    assert learnt.get_feature_names_out().tolist() == ["LKVRA", "WLKVR"]
    X = learnt.transform(["LKVRACD"])
    # "KVRAC" and "VRACD" have no column, and yet belong to the row's length.
    np.testing.assert_allclose(X.toarray(), [[1 / np.sqrt(3), 0]])


@pytest.mark.parametrize("k", [3, 5])
@pytest.mark.parametrize("mismatches", [0, 1])
def test_its_state_brings_back_the_same_vectors(k: int, mismatches: int) -> None:
    texts = ["WLKVRACDEF", "ACDEFWLKVR"]
    options: dict[str, Any] = {"k": k, "mismatches": mismatches, "alphabet": "protein"}
    encoder = KmerEncoder(**options).fit(texts)
    state = encoder.get_state()
    assert bool(state.arrays) == (k == 5)
    back = KmerEncoder(**options)
    back.set_state(State(state.arrays, json.loads(json.dumps(state.meta))))
    assert abs(back.transform(texts) - encoder.transform(texts)).max() == 0
    assert back.get_feature_names_out().tolist() == encoder.get_feature_names_out().tolist()


def test_a_state_of_other_runs_is_refused() -> None:
    state = KmerEncoder(k=6, alphabet="protein").fit(["WLKVRACDEF"]).get_state()
    with pytest.raises(DataError, match="kmer: the saved k-mers are none of 2 letters"):
        KmerEncoder(k=2, alphabet="protein").set_state(state)


@pytest.mark.parametrize(
    ("options", "rows", "message"),
    [
        (
            {"k": 4},
            ["ACG", "T"],
            "kmer: none of the 2 rows has 4 letters of the alphabet auto in a stretch; lower k or "
            "choose another alphabet.",
        ),
        (
            {"k": 2, "alphabet": "dna"},
            ["WLKVR"],
            "kmer: none of the 1 rows has 2 letters of the alphabet dna in a stretch; lower k or "
            "choose another alphabet.",
        ),
        (
            {"k": 1},
            [" ", ""],
            "kmer: none of the 2 rows has 1 letters of the alphabet auto in a stretch; lower k or "
            "choose another alphabet.",
        ),
        (
            {"k": 8},
            ["".join(map(chr, range(0x4E00, 0x4F00)))],
            "kmer: there are 256 different letters, too many for k-mers of 8; lower k.",
        ),
        (
            {"k": 8, "mismatches": 2, "alphabet": "protein"},
            ["ACDEFGHIKLMNPQRSTVWY" * 10] * 300,
            "kmer: with k = 8 and 2 of 20 letters free each k-mer counts for 10,261, 61,566,000 "
            "entries in all; at most 50,000,000 fit. Lower mismatches or k, or use fewer rows.",
        ),
    ],
)
def test_what_cannot_be_encoded_is_refused_with_the_remedy(
    options: dict[str, Any], rows: list[str], message: str
) -> None:
    with pytest.raises(DataError) as caught:
        KmerEncoder(**options).fit(rows)
    assert str(caught.value) == message


def test_a_row_that_is_no_text_is_refused_by_its_number() -> None:
    with pytest.raises(DataError, match=r"^row 2: expected text, got float\.$"):
        KmerEncoder().fit(["ACGT", 3.5])  # type: ignore[list-item]  # the point of the test


def test_settings_refuse_what_makes_no_sense() -> None:
    message = "mismatches, 2, must be below k, 2; otherwise all k-mers are alike"
    with pytest.raises(ValueError, match=message):
        KmerSettings(k=2, mismatches=2)
    for wrong in ({"k": 0}, {"k": 9}, {"mismatches": 3}, {"alphabet": "rna"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            KmerSettings.model_validate(wrong)


def test_what_is_not_fitted_says_so_as_scikit_learn_does() -> None:
    encoder = KmerEncoder()
    for ask in (
        lambda: encoder.transform(["ACG"]),
        lambda: encoder.explain(["ACG"], np.ones(1)),
        encoder.get_feature_names_out,
        encoder.get_state,
    ):
        with pytest.raises(NotFittedError, match="This KmerEncoder instance is not fitted yet"):
            ask()


def test_clones_and_works_in_a_pipeline() -> None:
    rng = np.random.default_rng(0)
    rows = ["".join(rng.choice(list("ACGT"), 30)) for _ in range(60)]
    # Class 1 holds a motif, each time with one letter changed.
    for row in range(0, 60, 2):
        motif = list("GATTACAG")
        motif[rng.integers(8)] = "C"
        rows[row] = rows[row][:10] + "".join(motif) + rows[row][18:]
    y = np.arange(60) % 2 == 0
    encoder = clone(KmerEncoder(k=5, mismatches=1, alphabet="dna"))
    assert encoder.get_params()["mismatches"] == 1
    fitted = make_pipeline(encoder, SVC(kernel="linear", C=10)).fit(rows[:40], y[:40])
    assert fitted.score(rows[40:], y[40:]) >= 0.8


# In the suite


def chosen(encoder: Any, **more: Any) -> Features:
    registry = discover([])
    case = discover().use_case("texts")
    layers: list[Any] = [{"data": dict(case.fixture), "features": {"encoder": encoder}}]
    config = resolve(case, layers, encoders=registry.encoders, kernels=registry.kernels)
    assert isinstance(config.features, Features)
    return config.features


def test_a_config_chooses_it_for_sequences_and_texts() -> None:
    assert "kmer" in [spec.name for spec in ENCODERS]
    features = chosen({"name": "kmer", "k": 2, "mismatches": 1, "normalise": False})
    assert features.learns == "X"
    joined = features.build({"chain": "sequence", "age": "table", "note": "text"})
    ((name, columns, encoder),) = joined.blocks
    assert (name, columns) == ("kmer", ("chain", "note"))
    assert isinstance(encoder, KmerEncoder)
    assert (encoder.k, encoder.mismatches, encoder.normalise) == (2, 1, False)
    X = {"chain": ["ACGT", "GGTT"], "age": [1, 2], "note": ["see", "you"]}
    assert joined.fit_transform(X).shape[0] == 2
    again = features.build({"chain": "sequence", "note": "text"}).set_state(joined.get_state())
    assert abs(again.transform(X) - joined.transform(X)).max() == 0


def test_a_contradiction_in_a_config_is_told_with_its_path() -> None:
    with pytest.raises(ConfigError) as caught:
        chosen({"name": "kmer", "k": 1, "mismatches": 1})
    assert str(caught.value) == (
        "features.encoder: mismatches, 1, must be below k, 1; otherwise all k-mers are alike; got "
        "{name: kmer, k: 1, mismatches: 1}"
    )


@given(
    st.lists(st.text("ACGTNacß \n", max_size=14), min_size=1, max_size=5),
    LENGTHS,
    st.sampled_from(["counts", "binary"]),
    st.booleans(),
)
def test_letters_add_up_to_the_product(
    texts: list[str], lengths: tuple[int, int], weighting: Weighting, normalise: bool
) -> None:
    k, m = lengths
    encoder = KmerEncoder(k, m, "dna", weighting, normalise).fit(["ACGTACGT"])
    coef = np.random.default_rng(0).normal(size=4**k)
    rows = encoder.explain_letters(texts, coef)
    products = encoder.transform(texts) @ coef
    for text, shares, product_of in zip(texts, rows, products, strict=True):
        assert sum(share.contribution for share in shares) == pytest.approx(product_of, abs=1e-9)
        assert len(shares) == sum(not letter.isspace() for letter in text.upper())
