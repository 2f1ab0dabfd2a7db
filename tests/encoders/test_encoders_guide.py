"""The guide beside the encoders names each of them, as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from widemargin.contracts import EncoderSpec
from widemargin.encoders import ENCODERS

GUIDE = Path(__file__).parents[2] / "core" / "widemargin" / "encoders" / "README.md"
ROWS = {
    cells[0].strip("` "): [cell.strip() for cell in cells]
    for cells in (
        line.strip().strip("|").split("|")
        for line in GUIDE.read_text(encoding="utf-8")
        .partition("## What an item is")[0]
        .splitlines()
        if line.startswith("| `")
    )
}


def test_it_lists_all_encoders_and_no_other() -> None:
    assert sorted(ROWS) == sorted(spec.name for spec in ENCODERS)


@pytest.mark.parametrize("spec", ENCODERS, ids=lambda spec: spec.name)
def test_its_table_says_what_the_spec_says(spec: EncoderSpec) -> None:
    _, kinds, numbers, learns, _ = ROWS[spec.name]
    assert kinds == ", ".join(spec.kinds)
    assert learns == spec.learns
    if spec.dimension is not None:
        assert int(re.sub(r"\D", "", numbers)) == spec.dimension


def test_what_it_imports_is_public() -> None:
    import widemargin.testing

    for line in re.findall(r"^from widemargin\.testing import (\w+)$", GUIDE.read_text(), re.M):
        assert line in widemargin.testing.__all__
