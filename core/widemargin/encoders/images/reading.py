"""Images as people have them, opened into the one form that encoders read.

An image item is a path, the bytes of an image file, or an array of shape (height, width) or
(height, width, channels): uint8, uint16, bool, or floats from 0 to 1.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from widemargin.contracts import Columns
from widemargin.encoders.items import column_of
from widemargin.encoders.libraries import require_library
from widemargin.encoders.shared_context import SharedContext
from widemargin.encoders.unreadable import Unreadable
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image as Picture

__all__ = ["MAX_PIXELS", "Colour", "images_of", "read_image", "thumbnail"]

Colour = Literal["grey", "rgb"]

MAX_PIXELS = 100_000_000
"""Images of more pixels are refused: a small file may unpack to more than memory holds."""

_MODES = {"grey": "L", "rgb": "RGB"}


@contextmanager
def _quiet() -> Iterator[None]:
    # Odd EXIF or TIFF tags and large sizes: nothing that a user of the vectors could mend.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL(\.|$)")
        yield


_pillow_is_quiet = SharedContext(_quiet)


def images_of(X: Columns | Sequence[Any]) -> list[Any]:
    """Return one image item a row: a `Path`, bytes, or an array.

    Raises
    ------
    DataError
        Where there are several columns.
    ItemsError
        Where a row holds something else; it names all such rows.

    Examples
    --------
    >>> [path.name for path in images_of({"photo": ["cats/a.png", "cats/b.png"]})]
    ['a.png', 'b.png']
    """
    items = [Path(item) if isinstance(item, str) else item for item in column_of(X, "image")]
    found = Unreadable(len(items))
    for row, item in enumerate(items):
        if not isinstance(item, Path | bytes | np.ndarray):
            found.problems[row] = (
                "expected an image (a path, the bytes of an image file, or an array), got "
                f"{type(item).__name__}."
            )
    found.check()
    return items


def read_image(item: Any, colour: Colour = "rgb", *, shortest: int = 0) -> Picture:
    """Open an image item: upright, its first frame, on white where it is transparent.

    Parameters
    ----------
    item : str, Path, bytes or ndarray
        The image.
    colour : {"rgb", "grey"}
        Three channels or one, of 8 bits.
    shortest : int
        A JPEG file may be opened at a half, a quarter or an eighth of its size as long as both
        sides keep so many pixels, which is much faster; 0 opens it as it is.

    Returns
    -------
    PIL.Image.Image
        Of mode RGB or L.

    Raises
    ------
    DataError
        Where it cannot be opened, is damaged, or has more than `MAX_PIXELS` pixels.

    Examples
    --------
    >>> read_image(np.zeros((2, 3), np.uint8)).size
    (3, 2)
    """
    require_library("PIL", "reading images", "vision")
    from PIL import Image, UnidentifiedImageError

    if not isinstance(item, str | Path | bytes | np.ndarray):
        raise DataError(
            "an image is a path, the bytes of an image file, or an array; got "
            f"{type(item).__name__}."
        )
    name = _named(item)
    if isinstance(item, str | Path) and Path(item).is_dir():
        raise DataError(f"{name}: is a folder; give the path of one image file.")
    try:
        if isinstance(item, np.ndarray):
            return _flat(Image.fromarray(_bytes_of(item)), colour)
        with _pillow_is_quiet:
            return _opened(io.BytesIO(item) if isinstance(item, bytes) else item, colour, shortest)
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
    except Image.DecompressionBombError:
        raise DataError(f"{name}: {_too_large()}") from None
    except UnidentifiedImageError:
        raise DataError(
            f"{name}: is no image file of a kind that Pillow reads, or its beginning is damaged. "
            "Save it again as PNG or JPEG, or leave it out."
        ) from None
    except FileNotFoundError:
        raise DataError(f"{name}: there is no such file.") from None
    # A damaged file makes Pillow's many readers raise nearly any exception.
    except Exception as error:  # noqa: BLE001
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise DataError(
            f"{name}: cannot be read as an image ({reason}); the file is damaged or was cut short. "
            "Get it again, or leave it out."
        ) from None


def thumbnail(item: Any, size: int = 96) -> bytes:
    r"""Return a small JPEG of an image item, at most `size` pixels wide and high.

    Raises
    ------
    DataError
        As `read_image` does.

    Examples
    --------
    >>> thumbnail(np.zeros((200, 300), np.uint8), size=32)[:3]
    b'\xff\xd8\xff'
    """
    image = read_image(item, shortest=2 * size)
    image.thumbnail((size, size))
    out = io.BytesIO()
    image.save(out, format="JPEG", quality=80, optimize=True)
    return out.getvalue()


def _opened(file: Any, colour: Colour, shortest: int) -> Picture:
    from PIL import Image, ImageOps

    with Image.open(file) as image:
        if image.width * image.height > MAX_PIXELS:
            raise DataError(_too_large(image.size))
        if shortest:
            image.draft(None, (shortest, shortest))  # only JPEG files heed it
        image.load()
        upright = ImageOps.exif_transpose(image)
        return _flat(upright, colour)


def _too_large(size: tuple[int, int] | None = None) -> str:
    has = f"has {size[0]:,} x {size[1]:,} pixels" if size else "has too many pixels"
    return f"{has}, and at most {MAX_PIXELS:,} are read. Make it smaller, or leave it out."


def _flat(image: Picture, colour: Colour) -> Picture:
    """Convert any mode to 8 bits a channel, without transparency."""
    from PIL import Image

    if image.mode == "F" or image.mode.startswith("I"):
        # Pillow's own conversion cuts off all that is above 255.
        numbers = np.asarray(image)
        if numbers.dtype.kind == "f":
            image = Image.fromarray(_from_floats(numbers))
        elif numbers.min() < 0 or numbers.max() > 0xFFFF:
            raise DataError(
                "has numbers below 0 or above 65,535; images of 8 or 16 bits are read. "
                "Rescale it first."
            )
        else:
            image = Image.fromarray((numbers // 257).astype(np.uint8))
    elif image.has_transparency_data:
        over = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
        image = image.convert("RGB")
    return image if image.mode == _MODES[colour] else image.convert(_MODES[colour])


def _bytes_of(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Bring an array to uint8 of shape (height, width) or (height, width, 2, 3 or 4)."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if (
        array.ndim not in (2, 3)
        or 0 in array.shape
        or array.shape[2:] not in ((), (2,), (3,), (4,))
    ):
        raise DataError(
            "an image has the shape (height, width) or (height, width, channels), with 1 "
            "(grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB, alpha) channels."
        )
    if array.shape[0] * array.shape[1] > MAX_PIXELS:
        raise DataError(_too_large((array.shape[1], array.shape[0])))
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype == np.uint16:
        return (array // 257).astype(np.uint8)
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind == "f":
        return _from_floats(array)
    raise DataError(
        "numbers of an image are uint8, uint16, bool, or floats from 0 to 1; convert it."
    )


def _from_floats(array: NDArray[Any]) -> NDArray[np.uint8]:
    # Not-a-number fails both comparisons.
    if not ((array >= 0) & (array <= 1)).all():
        raise DataError(
            "floats of an image lie from 0 to 1, and some do not; rescale them, "
            "or give uint8 from 0 to 255."
        )
    rounded: NDArray[np.uint8] = np.rint(array * 255).astype(np.uint8)
    return rounded


def _named(item: Any) -> str:
    if isinstance(item, bytes):
        return f"an image given as {len(item):,} bytes"
    if isinstance(item, np.ndarray):
        return f"an image given as an array of shape {item.shape} and type {item.dtype}"
    return str(item)
