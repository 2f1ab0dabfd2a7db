"""Character encodings: bytes into text, whoever wrote them."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from widemargin.errors import DataError, nearest

__all__ = ["check_file", "decode", "detect_encoding", "open_text"]

_CHUNK = 1 << 16

# What a guess may be, the commoner first, which settles ties: a short text often fits several.
_CHARSETS = (
    "cp1252",
    "shift_jis",
    "euc_jp",
    "gb18030",
    "big5",
    "euc_kr",
    "cp1250",
    "cp1251",
    "koi8_r",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
)

# Text of which at most this share of the special characters is broken is UTF-8 all the same.
_BROKEN_SHARE = 0.02


def decode(raw: bytes) -> str:
    """Turn bytes of unknown encoding into text.

    UTF-8 and UTF-16 are recognised for certain, the latter by its byte order mark; anything
    else is a guess.

    Parameters
    ----------
    raw : bytes
        What was read.

    Returns
    -------
    str
        The text, without a byte order mark.

    Raises
    ------
    DataError
        Where the bytes are no text in any encoding that is known here.

    Examples
    --------
    >>> decode("Grüße".encode()), decode("Schöne Grüße aus München".encode("latin-1"))
    ('Grüße', 'Schöne Grüße aus München')
    """
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", errors="replace")
    if b"\0" in raw:
        raise DataError("the bytes are binary data (they hold zeros), not text.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # Where there is a byte order mark, the error counts from behind it.
        at = error.start + len(raw) - len(error.object)
        return raw.decode(_guess(raw, at), errors="replace")


def detect_encoding(path: Path) -> str:
    """Find the encoding of a text file of any length, in constant memory.

    Raises
    ------
    DataError
        Where the file is absent or holds no text.
    """
    with _open_binary(path) as file:
        chunk = file.read(_CHUNK)
        if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if b"\0" in chunk:
            raise DataError(f"{path}: holds binary data, not text.")
        utf8 = codecs.getincrementaldecoder("utf-8")()
        kept = b""  # bytes of a character that the last chunk cut in two
        lines = size = 0  # what comes before them
        while chunk:
            try:
                utf8.decode(chunk)
            except UnicodeDecodeError as strange:
                try:
                    return _guess(kept + chunk, strange.start, lines, size)
                except DataError as error:
                    raise DataError(f"{path}: {error}") from None
            lines, size = lines + chunk.count(b"\n"), size + len(kept) + len(chunk)
            kept = utf8.getstate()[0]
            size -= len(kept)
            chunk = file.read(_CHUNK)
    return "utf-8-sig"


@contextmanager
def open_text(path: Path, newline: str | None = None) -> Iterator[TextIO]:
    """Open a text file, gzipped or not, in the encoding that it is in.

    A byte that does not fit becomes U+FFFD: one broken message is no reason to lose the rest.

    Parameters
    ----------
    path : Path
        The file; one that ends in ``.gz`` is unpacked.
    newline : str, optional
        As of `open`: None reads every kind of line end as a line feed, an empty one leaves them.

    Raises
    ------
    DataError
        Where the file is absent, a folder, damaged, or holds no text.
    """
    encoding = detect_encoding(path)
    with (
        _open_binary(path) as file,
        io.TextIOWrapper(file, encoding, errors="replace", newline=newline) as text,
    ):
        yield text


def check_file(path: Path) -> Path:
    """Return the path of a file that exists, with ``~`` spelt out.

    Raises
    ------
    DataError
        Where there is no such file, or it is a folder, a pipe or a device.
    """
    path = path.expanduser()
    if path.is_dir():
        raise DataError(f"{path}: is a folder; a file is needed here.")
    if not path.exists():
        beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DataError(f"{path}: there is no such file.{nearest(path.name, beside)}")
    if not path.is_file():
        # Encodings are found in a first pass, and a pipe can be read only once.
        raise DataError(
            f"{path}: is a pipe or device; save it as a file, or pipe it into standard input."
        )
    return path


@contextmanager
def _open_binary(path: Path) -> Iterator[BinaryIO]:
    path = check_file(path)
    try:
        with path.open("rb") as plain:
            if path.suffix.lower() == ".gz":
                with gzip.open(plain) as unpacked:
                    yield cast(BinaryIO, unpacked)
            else:
                yield plain
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: the gzip file is damaged ({error}); make it anew.") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}.") from None


def _guess(raw: bytes, at: int, lines: int = 0, size: int = 0) -> str:
    """Name the likeliest encoding of bytes that are not clean UTF-8.

    `at` is the place of the first byte that is not; `lines` and `size` say what came before `raw`.
    """
    if _is_nearly_utf8(raw):
        return "utf-8-sig"
    from charset_normalizer import from_bytes

    candidates = [
        (match.chaos, -match.coherence, _CHARSETS.index(name), name)
        for match in from_bytes(raw, cp_isolation=list(_CHARSETS))
        for name in match.could_be_from_charset
        if name in _CHARSETS
    ]
    if not candidates:
        line = lines + raw.count(b"\n", 0, at) + 1
        raise DataError(
            "the bytes fit no known encoding; save the text as UTF-8. The first byte that is not "
            f"is 0x{raw[at]:02x} in line {line:,}, byte {size + at + 1:,} of the text."
        )
    return min(candidates)[-1]


def _is_nearly_utf8(raw: bytes) -> bool:
    text = raw.decode("utf-8", errors="replace")
    special = len(text) - len(text.encode("ascii", errors="ignore"))
    return text.count("\ufffd") <= _BROKEN_SHARE * special
