"""Images of every kind that people have open, and the others are refused in words."""

from __future__ import annotations

import contextlib
import io
import struct
import threading
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from widemargin.encoders.images.reading import images_of, read_image, thumbnail
from widemargin.errors import DataError

Image = pytest.importorskip("PIL.Image", reason='needs pip install "widemargin[vision]"')

RED = (255, 0, 0)


def saved(image: Any, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format=kind, **options)
    return out.getvalue()


def pixel(item: Any, x: int = 0, y: int = 0) -> Any:
    return read_image(item).getpixel((x, y))


def noise(width: int, height: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_a_path_its_text_and_its_bytes_give_the_same_image(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(saved(Image.fromarray(noise(5, 4)), "PNG"))
    for item in (path, str(path), path.read_bytes(), noise(5, 4)):
        assert np.array_equal(np.asarray(read_image(item)), noise(5, 4))


def test_a_wrong_extension_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(saved(Image.new("RGB", (3, 2), RED), "PNG"))
    assert pixel(path) == RED


def test_grey_is_one_channel_and_rgb_three() -> None:
    grey = saved(Image.new("L", (3, 2), 90), "PNG")
    assert pixel(grey) == (90, 90, 90)
    assert read_image(grey, "grey").getpixel((0, 0)) == 90
    assert read_image(saved(Image.new("RGB", (1, 1), RED), "PNG"), "grey").mode == "L"


def test_a_palette_image_has_its_colours() -> None:
    assert pixel(saved(Image.new("RGB", (3, 2), RED).quantize(4), "PNG")) == RED


def test_black_and_white_is_0_and_255() -> None:
    assert pixel(saved(Image.new("1", (3, 2), 1), "PNG")) == (255, 255, 255)


@pytest.mark.parametrize(
    "image",
    [Image.new("RGBA", (2, 2), (0, 0, 0, 0)), Image.new("LA", (2, 2), (0, 0))],
    ids=["RGBA", "LA"],
)
def test_transparent_is_white(image: Any) -> None:
    assert pixel(saved(image, "PNG")) == (255, 255, 255)


def test_half_transparent_is_mixed_with_white() -> None:
    red, green, _ = pixel(saved(Image.new("RGBA", (2, 2), (255, 0, 0, 128)), "PNG"))
    assert (red, green) == (255, 127)


def test_a_palette_with_a_transparent_colour_is_white_there() -> None:
    image = Image.new("P", (2, 2), 0)
    image.putpalette([0, 0, 0, *RED])
    image.putpixel((1, 0), 1)
    item = saved(image, "PNG", transparency=0)
    assert pixel(item) == (255, 255, 255)
    assert pixel(item, 1, 0) == RED


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bits_are_scaled_and_not_cut_off(kind: str) -> None:
    item = saved(Image.fromarray(np.full((2, 2), 32896, np.uint16)), kind)
    assert pixel(item) == (128, 128, 128)


def test_a_tiff_of_floats_lies_from_0_to_1() -> None:
    assert pixel(saved(Image.fromarray(np.full((2, 2), 0.5, np.float32)), "TIFF"))[0] == 128
    with pytest.raises(DataError, match="floats of an image lie from 0 to 1"):
        read_image(saved(Image.fromarray(np.full((2, 2), 9.0, np.float32)), "TIFF"))


def test_a_tiff_of_32_bits_is_refused_where_it_has_more_than_16() -> None:
    item = saved(Image.fromarray(np.full((2, 2), 70_000, np.int32)), "TIFF")
    with pytest.raises(DataError, match="above 65,535"):
        read_image(item)


def test_cmyk_becomes_rgb() -> None:
    red, green, blue = pixel(saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"))
    assert red > 240
    assert max(green, blue) < 15


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_rotated_photograph_is_turned_upright(orientation: int) -> None:
    upright = Image.new("RGB", (24, 16), "white")
    upright.paste(RED, (0, 0, 8, 8))
    turns = Image.Transpose
    lying = {  # what a camera stores, for each of EXIF's orientations
        1: (),
        2: (turns.FLIP_LEFT_RIGHT,),
        3: (turns.ROTATE_180,),
        4: (turns.FLIP_TOP_BOTTOM,),
        5: (turns.TRANSPOSE,),
        6: (turns.ROTATE_90,),
        7: (turns.TRANSVERSE,),
        8: (turns.ROTATE_270,),
    }[orientation]
    stored = upright
    for turn in lying:
        stored = stored.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image: Any = read_image(saved(stored, "JPEG", exif=exif, quality=95))
    assert image.size == (24, 16)
    assert image.getpixel((2, 2))[1] < 60
    assert image.getpixel((20, 12))[1] > 200


def test_of_an_animation_the_first_frame_is_read() -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    item = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert pixel(item) == RED


def test_a_large_jpeg_is_opened_at_a_part_of_its_size_and_looks_the_same() -> None:
    smooth = Image.fromarray(noise(8, 6)).resize((1600, 1200))
    item = saved(smooth, "JPEG", quality=95)
    small = read_image(item, shortest=200)
    assert small.size == (400, 300)
    assert read_image(item).size == (1600, 1200)
    exact = np.asarray(smooth.resize((400, 300)), dtype=float)
    assert np.abs(np.asarray(small, dtype=float) - exact).mean() < 2


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_a_file_cut_short_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "photo"
    whole = saved(Image.fromarray(noise(64, 64)), kind)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="photo: ") as told:
        read_image(path)
    assert "leave it out" in str(told.value)


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"])
def test_what_is_no_image_is_refused(content: bytes) -> None:
    with pytest.raises(DataError, match=f"an image given as {len(content)} bytes: "):
        read_image(content)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "WEBP"])
def test_damaged_bytes_give_an_image_or_a_message(kind: str) -> None:
    whole = bytearray(saved(Image.fromarray(noise(40, 30)), kind))
    rng = np.random.default_rng(1)
    for _ in range(60):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 4):
            damaged[place] = rng.integers(0, 256)
        # Anything but a DataError would end the test.
        with contextlib.suppress(DataError):
            assert read_image(bytes(damaged)).mode == "RGB"


def bomb(width: int, height: int) -> bytes:
    """Write a PNG that claims a size and holds nearly nothing."""

    def chunk(name: bytes, content: bytes) -> bytes:
        check = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


@pytest.mark.parametrize("side", [10_001, 12_000, 30_000])
def test_a_decompression_bomb_is_refused_before_it_unpacks(side: int) -> None:
    with pytest.raises(DataError, match=r"at most 100,000,000 are read\. Make it smaller"):
        read_image(bomb(side, side))


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.png: there is no such file"):
        read_image(tmp_path / "gone.png")
    with pytest.raises(DataError, match=f"{tmp_path.name}: is a folder"):
        read_image(tmp_path)


def test_odd_metadata_raises_no_warning() -> None:
    # A TIFF directory that claims an entry beyond the end makes Pillow warn.
    exif = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x05\x00\x0f\x01\x02\x00\xff\x00\x00\x00\xff\xff"
    item = saved(Image.new("RGB", (8, 8), RED), "JPEG", exif=exif)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before = list(warnings.filters)
        assert read_image(item).size == (8, 8)
        assert warnings.filters == before


def test_reading_in_threads_leaves_the_warning_filters_as_they_were() -> None:
    before = list(warnings.filters)
    item = saved(Image.fromarray(noise(64, 64)), "JPEG")
    threads = [threading.Thread(target=read_image, args=(item,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == before


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.full((2, 2), 7, np.uint8), (7, 7, 7)),
        (np.full((2, 2, 1), 7, np.uint8), (7, 7, 7)),
        (np.full((2, 2, 3), 0.2, np.float32), (51, 51, 51)),
        (np.full((2, 2), 1.0), (255, 255, 255)),
        (np.full((2, 2), 32896, np.uint16), (128, 128, 128)),
        (np.ones((2, 2), bool), (255, 255, 255)),
        (np.zeros((2, 2, 4), np.uint8), (255, 255, 255)),
        (np.zeros((2, 2, 2), np.uint8), (255, 255, 255)),
        (np.zeros((4, 4, 3), np.uint8)[::2, ::2], (0, 0, 0)),
    ],
)
def test_arrays_are_images(array: NDArray[Any], expected: tuple[int, int, int]) -> None:
    assert read_image(array).size == (2, 2)
    assert pixel(array) == expected


@pytest.mark.parametrize(
    ("array", "told"),
    [
        (np.zeros(4, np.uint8), "has the shape"),
        (np.zeros((2, 2, 5), np.uint8), "has the shape"),
        (np.zeros((0, 2), np.uint8), "has the shape"),
        (np.zeros((2, 2), np.int64), "uint8, uint16, bool, or floats"),
        (np.full((2, 2), 128.0), "lie from 0 to 1"),
        (np.full((2, 2), np.nan), "lie from 0 to 1"),
        (
            np.lib.stride_tricks.as_strided(np.zeros(1, np.uint8), (10_001, 10_001), (0, 0)),
            "pixels",
        ),
    ],
)
def test_arrays_that_are_no_image_are_refused(array: NDArray[Any], told: str) -> None:
    with pytest.raises(DataError, match=r"an image given as an array of shape \(.*" + told):
        read_image(array)


def test_rows_that_are_no_image_are_counted_from_1() -> None:
    with pytest.raises(DataError, match=r"row 2: expected an image .* got int"):
        images_of(["a.png", 3])
    with pytest.raises(DataError, match="got int"):
        read_image(3)


def test_two_columns_of_images_are_refused() -> None:
    with pytest.raises(DataError, match=r"2 columns of kind image"):
        images_of({"front": ["a.png"], "back": ["b.png"]})


@pytest.mark.parametrize("size", [(300, 200), (10, 400), (1, 1)])
def test_a_thumbnail_is_a_small_jpeg_of_the_same_shape(size: tuple[int, int]) -> None:
    made = Image.open(io.BytesIO(thumbnail(noise(*size), size=50)))
    assert made.format == "JPEG"
    assert max(made.size) <= 50
    assert len(thumbnail(noise(*size), size=50)) < 8000
    if min(size) > 100:
        assert made.size[0] / made.size[1] == pytest.approx(size[0] / size[1], rel=0.05)
