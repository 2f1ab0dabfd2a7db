"""Downloads over HTTP that go on where they stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse, InvalidURL
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from widemargin.data.assets.staging import CHUNK, RoadError

__all__ = ["download"]

TIMEOUT = 30.0  # seconds without a byte
WAITS = (0.5, 2.0, 5.0)  # seconds before the second, third and fourth try
WORTH_ANOTHER_TRY = {408, 425, 429, 500, 502, 503, 504}


class _BrokenOffError(Exception):
    """The connection broke or the server is busy: the same request may succeed soon."""


def download(url: str, part: Path, size: int, advance: Callable[[float], None]) -> None:
    """Download a file of known size into `part`, from where `part` ends.

    Parameters
    ----------
    url : str
        An http or https address.
    part : Path
        The file that grows; it is kept when the download breaks off.
    size : int
        How many bytes the whole file has; never more are written.
    advance : callable
        Told how many bytes more are there.

    Raises
    ------
    RoadError
        Where the server refuses, has a file of another size, or keeps breaking off.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise RoadError("only http and https addresses are fetched")
    advance(min(_length(part), size))
    for wait in (*WAITS, None):
        try:
            _go_on(url, part, size, advance)
        except _BrokenOffError as interruption:
            if wait is None:
                tries = len(WAITS) + 1
                raise RoadError(f"{interruption}, {tries} times in a row") from None
            time.sleep(wait)
        else:
            return


def _go_on(url: str, part: Path, size: int, advance: Callable[[float], None]) -> None:
    start = _length(part)
    if start > size:
        part.unlink()
        start = 0
    if start == size:
        return
    with _open(url, start) as response:
        if response.status != 206 and start:
            # The server does not resume: it sends the whole file again.
            advance(-start)
            start = 0
        announced = _announced(response, start)
        if announced is not None and announced != size:
            raise RoadError(f"the server has a file of {announced:,} bytes, not of {size:,}")
        # Unbuffered, so that a process that is killed leaves every byte that it received.
        with part.open("ab" if start else "wb", buffering=0) as handle:
            while start < size and (chunk := _read(response, size - start)):
                handle.write(chunk)
                start += len(chunk)
                advance(len(chunk))
    if start < size:
        raise _BrokenOffError(f"the connection closed after {start:,} of {size:,} bytes")


def _open(url: str, start: int) -> HTTPResponse:
    headers = {"User-Agent": "widemargin", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    # The scheme was checked: this opens no local file.
    request = Request(url, headers=headers)  # noqa: S310
    try:
        response = urlopen(request, timeout=TIMEOUT)  # noqa: S310 (see above)
    except HTTPError as error:
        reason = f"HTTP {error.code} {error.reason}"
        error.close()
        if error.code in WORTH_ANOTHER_TRY:
            raise _BrokenOffError(reason) from None
        raise RoadError(reason) from None
    except TimeoutError:
        raise _BrokenOffError(f"no answer within {TIMEOUT:g} seconds") from None
    except URLError as error:
        raise RoadError(_words(error.reason)) from None
    except (InvalidURL, ValueError) as error:
        raise RoadError(f"not a usable address ({error})") from None
    except (OSError, HTTPException) as error:
        raise _BrokenOffError(_words(error)) from None
    if not isinstance(response, HTTPResponse):
        raise RoadError("not an HTTP server")
    return response


def _read(response: HTTPResponse, most: int) -> bytes:
    try:
        return response.read1(min(CHUNK, most))
    except TimeoutError:
        raise _BrokenOffError(f"no byte within {TIMEOUT:g} seconds") from None
    except (OSError, HTTPException) as error:
        raise _BrokenOffError(_words(error)) from None


def _announced(response: HTTPResponse, start: int) -> int | None:
    """Return the size of the whole file as the server tells it, None where it does not."""
    length = response.headers.get("Content-Length", "")
    if response.status == 206:
        span, _, total = response.headers.get("Content-Range", "").partition("/")
        if not span.strip().startswith(f"bytes {start}-"):
            raise RoadError("the server resumed at another place than it was asked to")
        return int(total) if total.isdecimal() else None
    return int(length) if length.isdecimal() else None


def _length(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _words(reason: object) -> str:
    words = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return str(words)
