"""What a transformer may return, and how anything else is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_matrix, csr_matrix

from widemargin.errors import PluginError
from widemargin.runs.rows import as_rows

WHOLE = np.arange(6).reshape(3, 2)


class Rain:
    """Stands for a transformer."""


@pytest.mark.parametrize("form", [np.asarray, pd.DataFrame, list, lambda rows: rows * 1.0])
def test_dense_rows_of_any_form_become_an_array_of_float64(form: Any) -> None:
    rows = as_rows(Rain(), form(WHOLE), 3)
    assert rows.dtype == np.float64
    assert np.array_equal(rows, WHOLE)


@pytest.mark.parametrize("form", [csr_matrix, coo_matrix])
def test_sparse_rows_stay_sparse(form: Any) -> None:
    rows = as_rows(Rain(), form(WHOLE * 1.0), 3)
    assert rows.format == "csr"
    assert np.array_equal(rows.toarray(), WHOLE)


@pytest.mark.parametrize(
    ("made", "found"),
    [
        (None, "None"),
        (object(), "a object"),
        (np.array([["sun"], ["rain"], ["sun"]]), "values of type <U4"),
        ([["sun"], ["rain"], ["sun"]], "a list"),
        (np.zeros(3), "an array of shape (3,)"),
        (np.zeros((2, 2)), "2 rows for 3 items"),
        (csr_matrix(np.eye(4)), "4 rows for 3 items"),
        (np.array([[0.0], [np.nan], [np.inf]]), "2 values of nan or infinity"),
        (csr_matrix([[0.0], [np.nan], [1.0]]), "1 value of nan or infinity"),
    ],
)
def test_what_is_no_matrix_of_finite_numbers_is_refused(made: Any, found: str) -> None:
    with pytest.raises(PluginError) as refused:
        as_rows(Rain(), made, 3)
    assert str(refused.value) == (
        f"the features Rain returned {found}; `transform` must return a matrix of finite numbers, "
        "dense or sparse, with a row for each item."
    )
