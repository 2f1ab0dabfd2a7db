"""The guide beside the encoders names each of them, as it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from widemargin.contracts import EncoderSpec
from widemargin.encoders import ENCODERS, TunedEncoder, TuneSettings

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
    import widemargin.encoders
    import widemargin.testing

    for line in re.findall(r"^from widemargin\.encoders import (.+)$", GUIDE.read_text(), re.M):
        assert set(line.split(", ")) <= set(widemargin.encoders.__all__)
    for line in re.findall(r"^from widemargin\.testing import (\w+)$", GUIDE.read_text(), re.M):
        assert line in widemargin.testing.__all__


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    """Return what the guide's blocks on training define."""
    pytest.importorskip("torch", reason='needs pip install "widemargin[vision]"')
    _, _, training = GUIDE.read_text(encoding="utf-8").partition("### One that trains a network")
    made: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", training, re.S):
        exec(block, made)  # noqa: S102  # our own guide
    return made


X = {"text": ["win cash now", "see you at noon", "free prize", "are you home yet"] * 3}
Y = ["spam", "ham"] * 6


def test_the_encoder_that_it_writes_trains_and_comes_back(written: dict[str, Any]) -> None:
    spec = written["LETTERS"]
    encoder = spec.build(spec.settings(epochs=2, device="cpu")).fit(X, Y)
    assert encoder.transform(X).shape == (12, 8)
    assert len(encoder.history_.epochs) == 2
    back = spec.build(spec.settings(epochs=2, device="cpu")).set_state(encoder.get_state())
    assert np.array_equal(back.transform(X), encoder.transform(X))


@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_encoder_that_it_writes_can_be_fine_tuned(written: dict[str, Any], method: Any) -> None:
    settings = TuneSettings(method=method, epochs=1, steps=4, learning_rate=0.1, device="cpu")
    frozen = written["PublishedLetters"]()
    own = TunedEncoder(frozen, settings).fit(X, Y)
    assert np.abs(own.transform(X) - frozen.transform(X)).max() > 0.01
    back = TunedEncoder(written["PublishedLetters"](), settings).set_state(own.get_state())
    assert np.array_equal(back.transform(X), own.transform(X))
