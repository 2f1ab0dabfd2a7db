"""Charsets: bytes of mail into text, whatever the mail says of itself."""

from __future__ import annotations

import codecs
from binascii import Error as Base64Error
from email.errors import MessageError
from email.header import decode_header

from widemargin import DataError
from widemargin.data import decode

__all__ = ["decode_part", "decode_words"]

# What these names usually mean in mail, and what must not read a stranger's bytes: the two codecs
# for host names take quadratic time.
_CHARSETS = {
    "iso-8859-1": "cp1252",
    "us-ascii": "",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "chinesebig5": "big5hkscs",
    "big5": "big5hkscs",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "windows-874": "cp874",
    "iso-8859-8-i": "iso-8859-8",
    "idna": "",
    "punycode": "",
}
# A text of which more is broken is in another charset than it says.
_BROKEN_SHARE = 0.02
_LONGEST_HEADER = 10_000


def decode_part(raw: bytes, charset: str | None) -> str:
    r"""Decode the bytes of a part by its charset, and by guessing where that does not fit.

    No bytes are refused: what fits nothing is read as Windows-1252, with U+FFFD for the rest.

    Parameters
    ----------
    raw : bytes
        The part, transfer encoding undone.
    charset : str or None
        What the part says, which may be wrong or unknown.

    Examples
    --------
    >>> decode_part(b"\xb0\xae", "gb2312"), decode_part(b"h\xc3\xa9", "klingon")
    ('爱', 'hé')
    """
    named = _decode_as(raw, charset)
    if named is not None and named.count("\ufffd") <= _BROKEN_SHARE * len(named):
        return named.replace("\0", "")
    if not raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raw = raw.replace(b"\0", b"")
    try:
        # A text that was cut may end within a character.
        return codecs.getincrementaldecoder("utf-8-sig")().decode(raw)
    except UnicodeDecodeError:
        pass
    try:
        return decode(raw)
    except DataError:
        return raw.decode("cp1252", errors="replace") if named is None else named.replace("\0", "")


def decode_words(value: str) -> str:
    r"""Decode a header's value: encoded words, and raw bytes that stand there all the same.

    Parameters
    ----------
    value : str
        As the parser of ``email`` gives it, with surrogates for raw bytes; folded or not.

    Returns
    -------
    str
        On one line.

    Examples
    --------
    >>> decode_words("=?iso-8859-1?Q?Gr=FC=DFe?= aus\n K")
    'Grüße aus K'
    """
    raw = value[:_LONGEST_HEADER].encode("utf-8", "surrogateescape")
    text = decode_part(raw, None)
    try:
        parts = decode_header(text)
    except (MessageError, Base64Error, ValueError):
        parts = [(text, None)]
    decoded = "".join(
        part
        if isinstance(part, str)
        # decode_header turns what stands between encoded words into this encoding
        else (
            part.decode("raw-unicode-escape", "replace")
            if charset is None
            else decode_part(part, charset)
        )
        for part, charset in parts
    )
    return " ".join(decoded.split())


def _decode_as(raw: bytes, charset: str | None) -> str | None:
    name = _CHARSETS.get((charset or "").lower(), charset)
    try:
        return raw.decode(name, errors="replace") if name else None
    except (LookupError, ValueError):  # an unknown charset, or one that is none for text
        return None
