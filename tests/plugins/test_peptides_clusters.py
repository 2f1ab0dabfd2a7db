"""Identity clusters: by the definition, whatever the order, at any size of chunk."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from widemargin_proteins import clusters
from widemargin_proteins.clusters import identity_clusters

# Few letters, so that sequences are alike by chance.
SEQUENCES = st.lists(st.text("ACDX", max_size=12), max_size=14)


def by_hand(sequences: list[str], k: int, threshold: float) -> list[int]:
    """Join sequences pair by pair, by the definition."""

    def runs(text: str) -> set[str]:
        own = (text[at : at + k] for at in range(len(text) - k + 1))
        return {run for run in own if "X" not in run}

    cluster = list(range(len(sequences)))
    for one, other in itertools.combinations(range(len(sequences)), 2):
        a, b = runs(sequences[one]), runs(sequences[other])
        alike = len(a & b) / len(a | b) >= threshold - 1e-12 if a | b else False
        if alike or sequences[one] == sequences[other]:
            old, new = cluster[other], cluster[one]
            cluster = [new if own == old else own for own in cluster]
    numbers: dict[int, int] = {}
    return [numbers.setdefault(own, len(numbers)) for own in cluster]


@given(SEQUENCES, st.integers(1, 3), st.sampled_from([0.2, 0.4, 0.5, 1.0]))
def test_clusters_are_those_of_the_definition(
    sequences: list[str], k: int, threshold: float
) -> None:
    found = identity_clusters(sequences, k=k, threshold=threshold)
    assert found.tolist() == by_hand(sequences, k, threshold)


@pytest.mark.parametrize("share", [0.0, 1.0], ids=["dense", "sparse"])
@pytest.mark.parametrize("chunk", [1, 3, 1024])
def test_neither_chunks_nor_the_way_of_counting_matter(
    chunk: int, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    sequences = ["".join(rng.choice(list("ACD"), size)) for size in rng.integers(0, 25, 60)]
    monkeypatch.setattr(clusters, "_CHUNK", chunk)
    monkeypatch.setattr(clusters, "_DENSE", share)
    assert identity_clusters(sequences).tolist() == by_hand(sequences, 3, 0.4)


@given(st.permutations(range(10)))
@settings(max_examples=20)
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    rng = np.random.default_rng(1)
    sequences = ["".join(rng.choice(list("ACD"), 9)) for _ in range(10)]
    found = identity_clusters(sequences)
    turned = identity_clusters([sequences[at] for at in order])
    together = found[order][:, None] == found[order][None, :]
    assert (together == (turned[:, None] == turned[None, :])).all()


def test_short_and_unknown_sequences_are_alike_only_where_they_are_equal() -> None:
    assert identity_clusters(["GA", "GA", "AG", "", "", "XXXX", "XXXX"]).tolist() == [
        *[0, 0, 1],
        *[2, 2, 3, 3],
    ]


def test_no_sequence_makes_no_cluster() -> None:
    assert identity_clusters([]).tolist() == []


@pytest.mark.parametrize("wrong", [{"k": 0}, {"k": 6}, {"threshold": 0.0}, {"threshold": 1.1}])
def test_what_is_out_of_range_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="k is 1 to 5 and threshold above 0"):
        identity_clusters(["MKT"], **wrong)
