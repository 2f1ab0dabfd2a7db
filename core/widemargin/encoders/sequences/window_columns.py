"""What the encoder ``windows`` reads off its windows, family by family."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from widemargin.encoders.sequences.residues import Residues
from widemargin.encoders.sequences.scales import membership, scale_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Column", "window_columns"]

Column = tuple[str, "NDArray[np.float64]"]

_SPANNING = 19
"""Residues that a helix needs to cross a membrane (Kyte & Doolittle 1982)."""
_FAR = 1000
_DENSEST = (
    *("KR", "DE", "ST", "RS", "FG"),
    *("A", "C", "E", "G", "H", "K", "L", "N", "P", "Q", "R", "S", "T"),
)


def window_columns(residues: Residues) -> Iterator[Column]:
    """Yield each column's name and its values of shape (n_sequences,)."""
    yield "ln(1 + length)", np.log1p(residues.lengths)
    for width in (7, 11, _SPANNING):
        yield from _hydropathy(residues, width)
    for least in (1.2, 1.6, 2.0):
        yield from _segments(residues, least)
    for degrees, width in ((100, 11), (100, 18), (160, 11)):
        yield from _moments(residues, degrees, width)
    for width in (5, 10, 20):
        yield from _charge(residues, width)
    for letters in _DENSEST:
        counts = residues.windows(membership(letters)[residues.codes], 20)
        yield f"most of {letters} in 20", residues.max(counts, residues.inside) / 20
    yield from _disorder(residues)
    yield from _coils(residues)
    yield from _monotony(residues)


def _hydropathy(residues: Residues, width: int) -> Iterator[Column]:
    mean = residues.windows(scale_of("hydropathy")[residues.codes], width) / width
    whole = residues.whole(width)
    name = f"hydropathy in {width}"
    yield f"{name}: most", residues.max(mean, whole, -4.5)
    yield f"{name}: least", -residues.max(-mean, whole, 4.5)
    yield f"{name}: deviation", _deviation(residues, mean)
    places = residues.place
    for first, last in ((0, 12), (0, 25), (0, 45), (45, None)):
        own = whole & (places >= first)
        where = f"from {first}" if last is None else f"in the first {last}"
        if last is not None:
            own &= places < last
        yield f"{name}: most {where}", residues.max(mean, own, -4.5)
    for end in (30, 60):
        own = whole & (residues.left < end)
        yield f"{name}: most in the last {end}", residues.max(mean, own, -4.5)


def _segments(residues: Residues, least: float) -> Iterator[Column]:
    """Count runs of windows that could cross a membrane, and say where they are."""
    mean = residues.windows(scale_of("hydropathy")[residues.codes], _SPANNING) / _SPANNING
    inside = residues.whole(_SPANNING) & (mean > least)
    begins = inside & ~np.concatenate([[False], inside[:-1]]) if len(inside) else inside
    count, number = residues.sum(inside), residues.sum(begins)
    place, n = residues.place.astype(np.float64), np.maximum(1, residues.lengths)
    first = -residues.max(-place, inside, -_FAR)
    last = residues.max(place, inside, -1.0)
    none = last < 0
    name = f"segments over {least}"
    yield f"{name}: ln(1 + number)", np.log1p(number)
    yield f"{name}: ln(1 + windows)", np.log1p(count)
    yield f"{name}: root of share", np.sqrt(count / n)
    yield f"{name}: per 100 residues", 100 * number / n
    yield (
        f"{name}: ln(1 + number) from 36",
        np.log1p(residues.sum(begins & (residues.place > 35))),
    )
    yield f"{name}: ln(1 + first)", np.log1p(np.minimum(first, _FAR))
    behind = np.where(none, _FAR, np.minimum(residues.lengths - last, _FAR))
    yield f"{name}: ln(1 + left behind the last)", np.log1p(behind)
    yield f"{name}: span", np.where(none, 0.0, (last - np.minimum(first, last)) / n)


def _moments(residues: Residues, degrees: int, width: int) -> Iterator[Column]:
    """Measure how much one side of a helix (100 degrees) or strand (160) is hydrophobic.

    Eisenberg, Weiss & Terwilliger 1984, doi:10.1073/pnas.81.1.140.
    """
    values = scale_of("consensus")[residues.codes]
    angle = np.deg2rad(degrees) * residues.place
    moment = (
        np.hypot(
            residues.windows(values * np.cos(angle), width),
            residues.windows(values * np.sin(angle), width),
        )
        / width
    )
    whole = residues.whole(width)
    name = f"moment at {degrees} degrees in {width}"
    yield f"{name}: most", residues.max(moment, whole)
    yield f"{name}: mean", residues.mean(np.where(whole, moment, 0.0))
    for end in (20, 40):
        own = whole & (residues.place < end)
        yield f"{name}: most in the first {end}", residues.max(moment, own)
    # What leads into a mitochondrion is amphipathic and positive.
    charge = np.maximum(residues.windows(scale_of("charge")[residues.codes], width), 0)
    own = whole & (residues.place < 40)
    yield f"{name}: most times charge in the first 40", residues.max(moment * charge, own)


def _charge(residues: Residues, width: int) -> Iterator[Column]:
    sums = residues.windows(scale_of("charge")[residues.codes], width)
    name = f"charge in {width}"
    yield f"{name}: most", residues.max(sums, residues.inside)
    yield f"{name}: least", -residues.max(-sums, residues.inside)
    square = residues.mean(np.where(residues.inside, sums**2, 0.0))
    yield f"{name}: root mean square", np.sqrt(square) / width


def _disorder(residues: Residues) -> Iterator[Column]:
    mean = residues.windows(scale_of("disorder")[residues.codes], 21) / 21
    loose = residues.inside & (mean > 0.25)
    yield "disorder in 21: most", residues.max(mean, residues.inside)
    yield "disorder in 21: deviation", _deviation(residues, mean)
    yield "disorder in 21: share over 0.25", residues.mean(loose)
    yield "disorder in 21: share below 0", residues.mean(residues.inside & (mean < 0))
    yield "disorder in 21: ln(1 + windows over 0.25)", np.log1p(residues.sum(loose))


def _coils(residues: Residues) -> Iterator[Column]:
    """Measure how much hydrophobic residues recur every 3.5 among charged ones, as in coils."""
    codes, inside = residues.codes, residues.inside
    values = membership("LIVMAFY")[codes] - 0.3 * inside
    angle = 2 * np.pi * 2 / 7 * residues.place
    recurring = (
        np.hypot(
            residues.windows(values * np.cos(angle), 28),
            residues.windows(values * np.sin(angle), 28),
        )
        / 28
    )
    unbroken = inside & (residues.windows(membership("PG")[codes], 28) < 1)
    charged = residues.windows(membership("DEKRQ")[codes], 28) / 28
    coil = np.where(unbroken, recurring * charged, 0.0)
    yield "coil in 28: most", residues.max(coil, inside)
    yield "coil in 28: share over 0.06", residues.mean(coil > 0.06)
    yield "coil in 28: ln(1 + windows over 0.06)", np.log1p(residues.sum(coil > 0.06))
    helix = residues.windows((scale_of("helix")[codes] - 1) * inside, 28) / 28
    long = unbroken & (helix > 0.1) & (charged > 0.4)
    yield "charged helix in 28: share", residues.mean(long)
    yield "charged helix in 28: ln(1 + windows)", np.log1p(residues.sum(long))


def _monotony(residues: Residues) -> Iterator[Column]:
    """Measure the chance that two residues of a window are alike."""
    alike = np.zeros(len(residues.codes))
    for code in range(20):
        alike += (residues.windows((residues.codes == code) * 1.0, 30) / 30) ** 2
    own = residues.inside & ((residues.left >= 15) | (residues.place == 0))
    yield "alike in 30: most", residues.max(alike, own)
    yield "alike in 30: mean", residues.mean(np.where(residues.inside, alike, 0.0))


def _deviation(residues: Residues, values: NDArray[np.float64]) -> NDArray[np.float64]:
    own = np.where(residues.inside, values, 0.0)
    square: NDArray[np.float64] = residues.mean(own**2) - residues.mean(own) ** 2
    return np.sqrt(np.maximum(0.0, square))
