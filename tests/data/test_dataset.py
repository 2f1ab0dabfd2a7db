"""What a data set refuses: values of other types, and a target that is no number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from widemargin.contracts import Dataset, DatasetCard
from widemargin.errors import DataError


def dataset(**changed: Any) -> Dataset:
    values: dict[str, Any] = {
        "X": pd.DataFrame({"a": [1.0, 2.0, 3.0]}),
        "kinds": {"a": "table"},
        "y": np.array([5.0, 6.0, 7.0]),
        "ids": np.array(["t.csv:2", "t.csv:3", "t.csv:4"]),
        "card": DatasetCard(title="t.csv", target="price"),
    }
    return Dataset(**{**values, **changed})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"X": {"a": [1.0, 2.0, 3.0]}}, "X is of type dict; it must be a pandas.DataFrame."),
        ({"y": ["no", "yes", "no"]}, "y is of type list; it must be a NumPy array, as in "),
        ({"ids": ["1", "2", "3"]}, "ids is of type list; it must be a NumPy array, as in np.array"),
        ({"groups": [1, 2, 3]}, "groups is of type list; it must be a NumPy array, as in np.array"),
        (
            {"y": pd.Series([5.0, 6.0, 7.0])},
            "y is of type Series; it must be a NumPy array, as in ",
        ),
        ({"ids": pd.Series(["1", "2", "3"])}, "ids is of type Series; it must be a NumPy array"),
        (
            {"groups": pd.Series([1, 2, 3], index=[2, 0, 1])},
            "groups is of type Series; it must be a NumPy array, as in groups.to_numpy().",
        ),
        ({"times": pd.array([1, 2, 3])}, "times is of type IntegerArray; it must be a NumPy array"),
        ({"y": np.array([0, 1, 0])}, "y holds values of type int64; name the classes, as in "),
        ({"y": np.array([True, False, True])}, "y holds values of type bool; name the classes"),
    ],
)
def test_values_of_another_type_are_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(TypeError) as refused:
        dataset(**changed)
    assert str(refused.value).startswith(f"Dataset: {said}")


@pytest.mark.parametrize(
    ("target", "title", "said"),
    [
        ([5.0, np.nan, 7.0], "t.csv", "t.csv:3: price is empty, or no number. Correct"),
        ([5.0, 6.0, np.inf], "t.csv", "t.csv:4: price is inf, which is not finite. Correct"),
        (
            [np.nan, 6.0, np.nan],
            "Prices",
            "Prices: t.csv:2: price is empty, or no number (and so in 1 other row). Correct",
        ),
        (
            [np.nan, np.nan, np.nan],
            "t.csv",
            "t.csv:2: price is empty, or no number (and so in 2 other rows). Correct",
        ),
    ],
)
def test_a_numeric_target_that_is_no_number_is_named_by_row_and_column(
    target: list[float], title: str, said: str
) -> None:
    made = dataset(y=np.array(target), card=DatasetCard(title=title, target="price"))
    with pytest.raises(DataError) as refused:
        made.check_learnable()
    assert str(refused.value) == f"{said} it, or leave the row out."
