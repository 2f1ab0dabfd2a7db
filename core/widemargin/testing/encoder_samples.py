"""Made-up items of every kind, for trying encoders: two classes, and items that are odd."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EncoderSample", "sample_of"]

_N = 24


@dataclass(frozen=True, kw_only=True)
class EncoderSample:
    """Items of one kind, as a data set holds them.

    Parameters
    ----------
    columns : mapping of str to list
        The columns, each with a value a row.
    y : ndarray of str of shape (n_samples,)
        The class of each row; the items differ by it.
    odd : mapping of str to mapping
        A row each that encoders meet in practice, by what is odd about it: the values of columns
        that differ from those of the first row.
    """

    columns: Mapping[str, list[Any]]
    y: NDArray[np.str_]
    odd: Mapping[str, Mapping[str, Any]]

    def __len__(self) -> int:
        return len(self.y)

    def rows(self, places: Any) -> dict[str, Any]:
        """Return some rows as columns, in the order given; equal rows may be asked for twice."""
        return {name: [values[place] for place in places] for name, values in self.columns.items()}

    def odd_rows(self) -> Mapping[str, dict[str, Any]]:
        """Return each odd row as columns of one row."""
        first = {name: values[0] for name, values in self.columns.items()}
        return {
            what: {name: [value] for name, value in {**first, **own}.items()}
            for what, own in self.odd.items()
        }


def sample_of(kind: Kind) -> EncoderSample:
    """Return made-up items of a kind.

    Parameters
    ----------
    kind : Kind
        What an item is.

    Examples
    --------
    >>> sample = sample_of("text")
    >>> len(sample), sorted(set(sample.y.tolist()))
    (24, ['even', 'odd'])
    """
    y = np.array(["even" if row % 2 == 0 else "odd" for row in range(_N)])
    columns, odd = _MADE[kind](np.random.default_rng(0))
    return EncoderSample(columns=columns, y=y, odd=odd)


_Made = tuple[dict[str, list[Any]], dict[str, dict[str, Any]]]


def _texts(random: np.random.Generator) -> _Made:
    words = (("river", "boat", "water", "swim"), ("money", "loan", "cash", "bank"))
    texts = [
        f"the {words[row % 2][row % 4]} and a {words[row % 2][row // 2 % 4]}, {row} {'so ' * row}"
        for row in range(_N)
    ]
    odd = {
        "an empty text": "",
        "blanks": " \t\n ",
        "punctuation": "?!...",
        "one letter": "a",
        "emoji": "👩‍👩‍👧 🎉",
        "Arabic and Chinese": "مرحبا 你好",
        "half a surrogate pair": "\ud83d alone",
        "a NUL character": "a\x00b",
        "a very long text": "very long " * 3000,
    }
    return {"text": texts}, {what: {"text": text} for what, text in odd.items()}


def _images(random: np.random.Generator) -> _Made:
    across = np.linspace(0, 255, 48)
    images = []
    for row in range(_N):
        image = np.tile(across, (40 + row, 1)) if row % 2 else np.tile(across, (48, 1)).T
        image = np.repeat(image[..., None], 3, axis=2) + random.normal(0, 10, (*image.shape, 3))
        images.append(image.clip(0, 255).astype(np.uint8))
    odd = {
        "one point": np.full((1, 1, 3), 200, np.uint8),
        "all black": np.zeros((32, 32, 3), np.uint8),
        "very wide": np.full((4, 600, 3), 90, np.uint8),
        "grey": np.tile(across.astype(np.uint8), (30, 1)),
        "with an alpha channel": np.full((20, 20, 4), 128, np.uint8),
        "no image": b"this is no image",
        "nothing": b"",
    }
    return {"image": images}, {what: {"image": image} for what, image in odd.items()}


def _sounds(random: np.random.Generator) -> _Made:
    sounds = []
    for row in range(_N):
        at = np.arange(8000 + 400 * row) / 16000
        pitch = 220.0 if row % 2 else 1760.0
        tone = np.sin(2 * np.pi * pitch * at) * np.exp(-3 * at)
        sounds.append((0.5 * tone + 0.01 * random.normal(size=len(at))).astype(np.float32))
    odd = {
        "silence": np.zeros(16000, np.float32),
        "three samples": np.array([0.1, -0.1, 0.2], np.float32),
        "nothing": np.empty(0, np.float32),
        "clipped": np.sign(sounds[0]).astype(np.float32),
        "no sound": b"this is no sound",
    }
    return {"sound": sounds}, {what: {"sound": sound} for what, sound in odd.items()}


def _sequences(random: np.random.Generator) -> _Made:
    letters = ("ACDEFGHIKLMNPQRSTVWY", "AILMFWVKRHAILMFWVKRH")
    sequences = [
        "M" + "".join(random.choice(list(letters[row % 2]), size=30 + row)) for row in range(_N)
    ]
    odd = {
        "an empty sequence": "",
        "one letter": "M",
        "unknown letters": "MXBZUOJ*-X",
        "small letters": sequences[0].lower(),
        "a line break": sequences[0][:10] + "\n" + sequences[0][10:],
        "digits": "12345",
        "a very long sequence": "MKV" * 5000,
    }
    return {"sequence": sequences}, {what: {"sequence": own} for what, own in odd.items()}


def _expression(random: np.random.Generator) -> _Made:
    columns = {}
    for gene in range(12):
        shift = 3.0 if gene < 4 else 0.0
        values = 2.0 ** (6 + random.normal(size=_N) + shift * (np.arange(_N) % 2))
        columns[f"gene{gene}"] = values.tolist()
    odd = {
        "no counts": dict.fromkeys(columns, 0.0),
        "a missing value": {"gene0": float("nan")},
        "a very large value": {"gene1": 1e9},
        "equal values": dict.fromkeys(columns, 7.0),
    }
    return columns, odd


def _table(random: np.random.Generator) -> _Made:
    columns: dict[str, list[Any]] = {
        "amount": (random.normal(size=_N) + (np.arange(_N) % 2)).tolist(),
        "years": [float(row % 7) for row in range(_N)],
        "colour": [("red", "green", "blue")[row * row % 3] for row in range(_N)],
    }
    odd: dict[str, dict[str, Any]] = {
        "a missing number": {"amount": float("nan")},
        "a missing category": {"colour": None},
        "a new category": {"colour": "violet"},
        "an empty category": {"colour": ""},
        "a very large number": {"amount": 1e12},
    }
    return columns, odd


def _series(random: np.random.Generator) -> _Made:
    def window(n: int, drift: float) -> NDArray[np.float64]:
        close = 100 * np.exp(np.cumsum(random.normal(drift, 0.01, n)))
        start = np.concatenate([[100.0], close[:-1]])
        high, low = np.maximum(start, close) * 1.004, np.minimum(start, close) * 0.996
        volume = random.uniform(1e5, 2e5, n)
        return np.column_stack([start, high, low, close, volume])

    windows = [window(300, 0.001 if row % 2 else -0.001) for row in range(_N)]
    flat = np.tile([50.0, 50.0, 50.0, 50.0, 0.0], (300, 1))
    odd = {
        "prices that never move": flat,
        "one day": windows[0][-1:],
        "no day": windows[0][:0],
        "a missing price": np.where(np.arange(300)[:, None] == 150, np.nan, windows[0]),
        "a price of nothing": np.where(np.arange(300)[:, None] == 150, 0.0, windows[0]),
    }
    return {"prices": windows}, {what: {"prices": own} for what, own in odd.items()}


_MADE: Mapping[Kind, Callable[[np.random.Generator], _Made]] = {
    "text": _texts,
    "image": _images,
    "audio": _sounds,
    "sequence": _sequences,
    "expression": _expression,
    "table": _table,
    "series": _series,
}
