"""Contact sheets: small pictures side by side, each with a word below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Picture", "Pictures"]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture of a sheet.

    Parameters
    ----------
    image : bytes
        A small JPEG or PNG file.
    name : str
        Which item it is; shown on hover, and read aloud.
    caption : sequence of str
        Lines below it.
    beside : bytes
        A second picture of the same size right of it; none where empty.
    """

    image: bytes
    name: str = ""
    caption: Sequence[str] = ()
    beside: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """A sheet of small pictures.

    Parameters
    ----------
    pictures : sequence of Picture
        In reading order.
    title, note : str
        What stands above and below.
    """

    pictures: Sequence[Picture]
    title: str = ""
    note: str = ""
