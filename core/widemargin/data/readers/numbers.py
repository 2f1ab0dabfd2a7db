"""Numbers as people write them in tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["MISSING", "parse_numbers"]

MISSING = frozenset({"", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "?"})
"""How a missing value is spelt in tables."""

# Groups of three behind commas: 1,234 and 1,234,567.8, but not 3,5 or 1,23.
_GROUPED = r"^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?$"


def parse_numbers(values: Any) -> NDArray[np.float64]:
    """Return numbers of shape (n_values,); NaN for what is missing, infinite or no number.

    Thousands may be grouped by commas.

    Parameters
    ----------
    values : sequence
        Numbers or texts.

    Examples
    --------
    >>> parse_numbers(["3.5", "1,234", "1e3", "big", None]).tolist()
    [3.5, 1234.0, 1000.0, nan, nan]
    """
    import numpy as np
    import pandas as pd

    column = pd.Series(values)
    if column.dtype.kind not in "iufb":
        texts = column.astype(object)
        grouped = texts.map(lambda value: isinstance(value, str)) & texts.astype(str).str.match(
            _GROUPED
        )
        column = texts.where(~grouped, texts.astype(str).str.replace(",", ""))
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    parsed: NDArray[np.float64] = np.where(np.isfinite(numbers), numbers, np.nan)
    return parsed
