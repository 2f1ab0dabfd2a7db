"""`pixels`: an image made small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from widemargin.encoders.images.pixels import PIXELS, PixelsEncoder, PixelsSettings
from widemargin.errors import DataError

pytest.importorskip("PIL", reason='needs pip install "widemargin[vision]"')


def test_an_image_of_the_right_size_is_its_own_numbers() -> None:
    image = np.arange(16, dtype=np.uint8).reshape(4, 4) * 17
    assert np.array_equal(
        PixelsEncoder(size=4).transform([image])[0], image.ravel() / np.float32(255)
    )


def test_colours_stand_side_by_side() -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    image[..., 0] = 255
    encoder = PixelsEncoder(size=2, colour="rgb")
    assert encoder.transform([image]).tolist() == [[1.0, 0.0, 0.0] * 4]
    assert encoder.dimension == len(encoder.get_feature_names_out()) == 12


def test_a_larger_image_is_averaged_and_stretched_to_a_square() -> None:
    image = np.zeros((40, 80), np.uint8)
    image[:, 40:] = 200
    left, right = PixelsEncoder(size=2).transform([image])[0].reshape(2, 2).T
    assert left.max() < 0.15
    assert right.min() > 0.6


def test_files_are_read_and_the_wrong_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"bad\.png: is no image file"):
        PixelsEncoder().transform({"photo": [str(tmp_path / "bad.png")]})


def test_the_spec_says_what_the_usual_settings_give() -> None:
    assert len(PIXELS.build(PixelsSettings()).get_feature_names_out()) == PIXELS.dimension
