"""Every config that ships runs, on the small sample that its use case brings along.

Those with pretrained encoders need the weights: `widemargin data fetch minilm efficientnet-lite0`.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml

import widemargin
from widemargin.config import read
from widemargin.errors import AssetError
from widemargin.registry import discover

CONFIGS = Path(__file__).parent.parent.parent / "configs"
PRETRAINED = ("minilm", "efficientnet")
SHIPPED = sorted(path for path in CONFIGS.rglob("*.yaml") if path.parent.name != "comparisons")


def _quick(setting: Any) -> Any:
    """Train networks for a moment only, wherever they stand."""
    if isinstance(setting, list):
        return [_quick(one) for one in setting]
    if isinstance(setting, dict):
        return {
            key: min(value, 2) if key == "epochs" else _quick(value)
            for key, value in setting.items()
        }
    return setting


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_shipped_config_runs_on_a_sample(path: Path, tmp_path: Path) -> None:
    said = read(path).values
    case = discover().use_case(said["use_case"])
    judged = {**said.get("evaluation", {}), "outer": 2, "inner": 2, "repeats": 1, "resamples": 100}
    if "shots" in judged:
        judged["shots"] = 4
    sample = tmp_path / path.name
    changed = {"data": dict(case.fixture), "evaluation": judged}
    changed["features"] = _quick(said.get("features", {}))
    if "train" in changed["features"]:
        changed["features"]["train"] = {**changed["features"]["train"], "epochs": 1, "steps": 1}
    sample.write_text(yaml.safe_dump(said | changed), encoding="utf-8")
    try:
        run = widemargin.run(sample, runs=tmp_path / "runs", offline=True)
    except AssetError as error:
        assert any(name in path.read_text(encoding="utf-8") for name in PRETRAINED)
        pytest.skip(str(error))
    primary = run.record.metrics["primary"]
    assert math.isfinite(run.metrics[primary])
    assert (run.path / "report.html").is_file()
