"""configs/README.md tells the truth, and reading a config stays light."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from widemargin.config import Document, describe, parse_overrides, resolve
from widemargin.registry import discover

# Fixtures come from conftest.py; these are their types.
Fixture = Any


@pytest.fixture(scope="module")
def guide() -> str:
    path = Path(__file__).parents[2] / "configs" / "README.md"
    return path.read_text(encoding="utf-8")


def test_the_table_lists_the_settings_that_all_use_cases_have(
    guide: str, make_use_case: Fixture, encoders: Fixture, kernels: Fixture
) -> None:
    rows = [
        [cell.strip().strip("`") for cell in line.split("|")[1:-1]]
        for line in guide.splitlines()
        if line.startswith("| `")
    ]
    bare = make_use_case(defaults={})
    assert rows == [
        [one.path, "" if one.path == "use_case" else one.default, one.type]
        for one in describe(bare, encoders, kernels)
        if not one.path.startswith(("data.", "features."))
    ]


def test_the_configs_of_the_guide_resolve(guide: str) -> None:
    found = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    # That of a comparison is tested with comparisons.
    examples = [example for example in found if "runs:" not in example]
    assert len(examples) == 5
    registry = discover()
    for example in examples:
        assert resolve(
            registry.use_case("spam"),
            [Document.parse(example)],
            encoders=registry.encoders,
            kernels=registry.kernels,
        )


def test_the_messages_of_the_guide_are_those_that_are_shown(guide: str, refused: Fixture) -> None:
    text = "use_case: spam\n\nsvm:\n  kernal: rbf\n  C: -1\n"
    told = refused(text, parse_overrides(["evaluation.outer=1"]))
    for line in told:
        assert "    " + line.replace("my.yaml", "mine.yaml") + "\n" in guide
    assert len(told) == 3


def test_importing_the_config_imports_nothing_heavy() -> None:
    code = (
        "import sys, widemargin.config; "
        "print([m for m in ('numpy', 'pandas', 'sklearn', 'rich', 'typer') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
