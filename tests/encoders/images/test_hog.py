"""`hog` against its definition, written out pixel by pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from widemargin.encoders.images.hog import HOG, HogEncoder, HogSettings

pytest.importorskip("PIL", reason='needs pip install "widemargin[vision]"')


def slow_hog(image: NDArray[np.float64], bins: int, cell: int, block: int) -> NDArray[np.float64]:
    size = len(image)
    n = size // cell
    votes = np.zeros((n, n, bins))
    for row in range(size):
        for column in range(size):
            right, left = image[row, min(column + 1, size - 1)], image[row, max(column - 1, 0)]
            below, above = image[min(row + 1, size - 1), column], image[max(row - 1, 0), column]
            across, down = right - left, below - above
            degrees = math.degrees(math.atan2(down, across)) % 180
            for k in range(bins):
                middle = (k + 0.5) * 180 / bins
                apart = min(abs(degrees - middle), 180 - abs(degrees - middle)) / (180 / bins)
                for i in range(n):
                    for j in range(n):
                        share = max(0, 1 - apart)
                        share *= max(0, 1 - abs(row + 0.5 - (i + 0.5) * cell) / cell)
                        share *= max(0, 1 - abs(column + 0.5 - (j + 0.5) * cell) / cell)
                        votes[i, j, k] += math.hypot(across, down) * share
    found = []
    for i in range(n - block + 1):
        for j in range(n - block + 1):
            v = votes[i : i + block, j : j + block].reshape(-1)
            v = v / math.sqrt(v @ v + 1e-6)
            v = np.minimum(v, 0.2)
            found.append(v / math.sqrt(v @ v + 1e-6))
    return np.concatenate(found)


@pytest.mark.parametrize(
    ("size", "bins", "cell", "block"), [(16, 9, 4, 2), (12, 4, 3, 3), (8, 2, 8, 1)]
)
def test_it_is_the_definition(size: int, bins: int, cell: int, block: int) -> None:
    image = np.random.default_rng(size).integers(0, 256, (size, size), dtype=np.uint8)
    encoder = HogEncoder(size, bins, cell, block)
    expected = slow_hog(image / 255, bins, cell, block)
    made = encoder.transform([image])[0]
    assert made.shape == expected.shape == (encoder.dimension,)
    assert np.abs(made - expected).max() < 1e-5


def test_a_flat_image_has_no_edges() -> None:
    assert not HogEncoder().transform([np.full((30, 30), 90, np.uint8)]).any()


def test_brightness_and_contrast_hardly_matter() -> None:
    image = np.random.default_rng(0).integers(0, 100, (64, 64), dtype=np.uint8)
    one, other = HogEncoder().transform([image, (2 * image + 30).astype(np.uint8)])
    assert one @ other / np.linalg.norm(one) / np.linalg.norm(other) > 0.9999


def test_turning_an_image_turns_its_edges() -> None:
    image = np.random.default_rng(0).integers(0, 256, (16, 16), dtype=np.uint8)
    encoder = HogEncoder(16, 4, 8, 1)
    straight, turned = encoder.transform([image, np.rot90(image).copy()]).reshape(2, 2, 2, 4)
    # A quarter turn takes cells along, and a bin of 45 degrees to the one two further on.
    assert np.allclose(np.roll(np.rot90(straight), 2, axis=2), turned, atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"size": 60}, "size, 60, is no multiple of pixels_per_cell, 8"),
        ({"size": 16, "cells_per_block": 3}, "cells_per_block, 3, exceeds the 2 cells of a side"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings: dict[str, int], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        HogSettings.model_validate(settings)


def test_the_spec_says_what_the_usual_settings_give() -> None:
    assert len(HOG.build(HogSettings()).get_feature_names_out()) == HOG.dimension
