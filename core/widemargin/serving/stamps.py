"""Stamps: header lines that a mail gets, all other bytes left as they are."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping

__all__ = ["stamp"]

# Stricter than some readers: what is in doubt counts as the body, which is never touched.
_HEADER = re.compile(rb"[!-9;-~]+[ \t]*:")


def stamp(raw: bytes, fields: Mapping[str, str], prefix: str) -> bytes:
    r"""Put fields at the top of a mail's header, in place of all that begin with a prefix.

    The bytes of a mail are never decoded. Its body, its other fields, their order and folding, the
    line of an mbox file before them and every odd byte stay as they are. What has no header gets
    one.

    Parameters
    ----------
    raw : bytes
        The mail, or anything else.
    fields : mapping of str to str
        Values by name, in ASCII and on one line each.
    prefix : str
        Fields whose names begin with it, in any case, are taken out first: somebody else wrote
        them.

    Returns
    -------
    bytes
        The mail with lines that end as its own first line does.

    Examples
    --------
    >>> stamp(b"x-mark: forged\nSubject: Hi\n\nbody\0", {"X-Mark": "ours"}, "X-Mark")
    b'X-Mark: ours\nSubject: Hi\n\nbody\x00'
    >>> stamp(b"no header", {"X-Mark": "ours"}, "X-Mark")
    b'X-Mark: ours\n\nno header'
    """
    first = raw.find(b"\n")
    end = b"\r\n" if first > 0 and raw[first - 1 : first] == b"\r" else b"\n"
    top = _envelope(raw)
    kept, body, found = _divide(raw, top, prefix.lower().encode())
    lines = b"".join(f"{name}: {value}".encode("ascii") + end for name, value in fields.items())
    # Without a header and the blank line after it, the body's first line would become one.
    needs_blank = not found and raw[body : body + 1] != b"\n" and raw[body : body + 2] != b"\r\n"
    return b"".join([raw[:top], lines, *kept, end if needs_blank else b"", raw[body:]])


def _envelope(raw: bytes) -> int:
    """Return where the header begins: after the line of an mbox file, quoted ones included."""
    start = 0
    while raw.startswith((b"From ", b">From "), start):
        feed = raw.find(b"\n", start)
        if feed < 0:
            break
        start = feed + 1
    return start


def _divide(raw: bytes, start: int, prefix: bytes) -> tuple[list[bytes], int, bool]:
    """Return the header's lines that stay, where the body begins, and whether there is a header."""
    kept: list[bytes] = []
    found = keeps = False
    while start < len(raw):
        feed = raw.find(b"\n", start)
        line = raw[start : len(raw) if feed < 0 else feed + 1]
        if name := _HEADER.match(line.removeprefix(codecs.BOM_UTF8)):
            keeps = not name[0].lower().startswith(prefix)
            found = True
        elif not (found and line[:1] in b" \t"):
            break
        if keeps:
            kept.append(line)
        start += len(line)
    return kept, start, found
