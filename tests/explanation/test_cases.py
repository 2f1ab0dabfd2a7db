"""Items in words."""

from __future__ import annotations

from typing import Any

from widemargin.explanation import show_item


class Counting(dict[str, Any]):
    """Columns that count how often one is asked for."""

    asked = 0

    def __getitem__(self, name: str) -> Any:
        self.asked += 1
        return super().__getitem__(name)


def test_of_thousands_of_columns_only_those_that_are_shown_are_read() -> None:
    columns = Counting({f"gene {k}": [1.5] for k in range(5000)})
    shown = show_item(columns, dict.fromkeys(columns, "expression"), 0, limit=40)
    assert shown == "gene 0 1.5, gene 1 1.5, gene 2 1.5, gene …"
    assert columns.asked < 10


def test_what_fits_is_shown_whole() -> None:
    assert show_item({"a": ["x" * 40]}, {"a": "text"}, 0, limit=40) == "x" * 40
