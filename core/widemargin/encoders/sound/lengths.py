"""What a sound file's header promises, and how much of it is there.

libsndfile takes the end of a WAV, AIFF or AU file for the end of its samples, whatever the header
says. FLAC, Ogg and MP3 files that end early are noticed while they are decoded, and Core Audio
files by libsndfile. Writers that stream cannot go back to fill in the length, and leave a number
that nothing could fill: such files hold what they hold.
"""

from __future__ import annotations

from typing import BinaryIO, Literal

__all__ = ["share_present"]

_UNSET = 0x7F000000  # bytes; streaming writers leave numbers from here to 0xFFFFFFFF
_CHUNKS = 1000  # a file with more before its samples is no file that anybody wrote

_Order = Literal["little", "big"]


def share_present(stream: BinaryIO) -> float:
    r"""Return how much of the samples that the header promises is there, from 0 to 1.

    Parameters
    ----------
    stream : binary stream
        A sound file, from its beginning; left anywhere.

    Returns
    -------
    float
        1 for a whole file, for one that was streamed, and for formats that say nothing. Less than
        a frame that is missing does not count.

    Examples
    --------
    >>> import io
    >>> share_present(io.BytesIO(b".snd" + bytes(3) + b"\x18" + bytes(3) + b"\x64" + bytes(62)))
    0.5
    """
    end = stream.seek(0, 2)
    stream.seek(0)
    head = stream.read(12)
    if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:12] == b"WAVE":
        found = _chunk(stream, b"data", "big" if head[:4] == b"RIFX" else "little")
    elif head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        found = _chunk(stream, b"SSND", "big")
    elif head[:4] == b".snd" and len(head) == 12:
        size = int.from_bytes(head[8:12], "big")
        found = int.from_bytes(head[4:8], "big"), size if size < _UNSET else 0, 1
    else:
        return 1.0
    if found is None:
        return 1.0
    start, promised, frame = found
    there = max(0, end - start)
    return 1.0 if promised - there < frame else there / promised


def _chunk(stream: BinaryIO, name: bytes, order: _Order) -> tuple[int, int, int] | None:
    """Return where a chunk's content begins, how long it is, and how many bytes a frame has."""
    frame, long = 1, 0
    for _ in range(_CHUNKS):
        head = stream.read(8)
        if len(head) < 8:
            return None
        size = int.from_bytes(head[4:], order)
        if head[:4] == name:
            # `long` is the length in a file that may have more than 4 GB, and 0 in others.
            return stream.tell(), size if size < _UNSET else long, frame
        here = stream.tell()
        if head[:4] == b"fmt ":
            frame = max(1, int.from_bytes(stream.read(14)[12:14], order))
        elif head[:4] == b"ds64":
            long = int.from_bytes(stream.read(16)[8:16], order)
        elif head[:4] == b"COMM":
            fields = stream.read(8)
            bits = int.from_bytes(fields[6:8], "big")
            frame = max(1, int.from_bytes(fields[:2], "big") * -(-bits // 8))
        # A chunk of odd length is followed by a byte that does not count.
        stream.seek(here + size + size % 2)
    return None
