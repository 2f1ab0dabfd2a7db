"""Fingerprints of data sets."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from widemargin import DataError, Dataset, DatasetCard
from widemargin.data import fingerprint, hash_file


def dataset(**changes: Any) -> Dataset:
    """Return a small data set of a text, a category and a number."""
    base = Dataset(
        X=pd.DataFrame({"text": ["a", "b"], "town": ["x", None], "n": [1.0, np.nan]}),
        kinds={"text": "text", "town": "table", "n": "table"},
        y=np.array(["ham", "spam"]),
        ids=np.array(["1", "2"]),
        card=DatasetCard(title="Two"),
    )
    return replace(base, **changes)


def changed(column: str, values: list[Any]) -> pd.DataFrame:
    return dataset().X.assign(**{column: values})


@pytest.mark.parametrize(
    "changes",
    [
        {"y": np.array(["spam", "ham"])},
        {"ids": np.array(["1", "3"])},
        {"groups": np.array([0, 0])},
        {"sample_weight": np.array([1.0, 2.0])},
        {"parts": np.array(["train", "test"])},
        {"aside": pd.DataFrame({"sex": ["f", "m"]})},
        {"kinds": {"text": "text"}},
        {"X": changed("text", ["a", "c"])},
        {"X": changed("town", ["x", "None"])},
        {"X": changed("n", [1.0, 2.0])},
        {"X": changed("n", ["1.0", "nan"])},
        {"X": dataset().X[["n", "town", "text"]]},
        {"X": dataset().X.rename(columns={"n": "m"}), "kinds": {"text": "text", "town": "table"}},
    ],
)
def test_any_change_changes_it(changes: dict[str, Any]) -> None:
    assert fingerprint(dataset(**changes)) != fingerprint(dataset())


def test_text_and_number_of_one_spelling_differ() -> None:
    texts = dataset(X=changed("n", pd.Series(["1", "2"], dtype=object).tolist()))
    assert fingerprint(texts) != fingerprint(dataset(X=changed("n", [1, 2])))


def test_cells_do_not_run_into_each_other() -> None:
    first = dataset(X=changed("text", ["ab", "c"]))
    assert fingerprint(first) != fingerprint(dataset(X=changed("text", ["a", "bc"])))


def rebuilt(X: pd.DataFrame) -> pd.DataFrame:
    return X[::-1].copy()[::-1]


@pytest.mark.parametrize(
    "same",
    [
        rebuilt,
        lambda X: X.set_index(pd.Index(["p", "q"])),
        lambda X: X.astype({"text": object}),
        lambda X: X.astype({"town": "category"}),
        lambda X: X.astype({"n": "float32"}),
    ],
)
def test_layout_and_index_do_not_matter(same: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    assert fingerprint(dataset(X=same(dataset().X))) == fingerprint(dataset())


def test_minus_zero_is_zero() -> None:
    zero, minus = (dataset(X=changed("n", [0.0 * sign, 1.0])) for sign in (1, -1))
    assert fingerprint(zero) == fingerprint(minus)


def test_arrays_in_cells_are_hashed_by_value() -> None:
    def pictures(last: int) -> Dataset:
        return dataset(X=changed("n", [np.zeros((2, 2)), np.array([[1, last]])]))

    assert fingerprint(pictures(2)) == fingerprint(pictures(2))
    assert fingerprint(pictures(2)) != fingerprint(pictures(3))


def test_it_does_not_change_from_one_version_to_the_next() -> None:
    assert fingerprint(dataset()) == (
        "0892db39c441b6c857b1366a543f76ff0c2e2a1d62bc33611ed0f0f437778b24"
    )


def test_files_are_hashed_and_absent_ones_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert hash_file(tmp_path / "a").startswith("ba7816bf8f01cfea")
    with pytest.raises(DataError, match="there is no such file"):
        hash_file(tmp_path / "b")
