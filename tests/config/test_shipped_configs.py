"""The configs that ship: each resolves, and the default one says what `run spam` does."""

from __future__ import annotations

from pathlib import Path

import pytest

from widemargin.config import read, resolve
from widemargin.contracts.use_case import COMPARISONS
from widemargin.registry import discover

CONFIGS = Path(__file__).parent.parent.parent / "configs"
# Those of comparisons list runs, and are tested with these.
RUNS = [path for path in sorted(CONFIGS.rglob("*.yaml")) if path.parent.name != COMPARISONS]


@pytest.mark.parametrize("path", RUNS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_shipped_config_resolves(path: Path) -> None:
    registry = discover()
    document = read(path)
    assert path.parent.name == document.use_case()
    case = registry.use_case(document.use_case())
    resolve(case, [document], encoders=registry.encoders, kernels=registry.kernels)


@pytest.mark.parametrize("spelt_out", ["spam/tfidf", "images/hog", "proteins/location"])
def test_the_spelt_out_config_is_the_default_one(spelt_out: str) -> None:
    registry = discover()
    case = registry.use_case(spelt_out.split("/")[0])
    spelt = read(CONFIGS / f"{spelt_out}.yaml")
    usual, given = (
        resolve(case, documents, encoders=registry.encoders, kernels=registry.kernels)
        for documents in ([], [spelt])
    )
    assert given == usual
