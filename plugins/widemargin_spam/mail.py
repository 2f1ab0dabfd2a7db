"""Mail: raw messages into the text that a person would read."""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from collections.abc import Iterator
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.policy import compat32
from html.parser import HTMLParser
from pathlib import Path

from widemargin import DataError
from widemargin.data import decode

__all__ = ["is_maildir", "iter_mbox", "mail_text", "maildir_files"]

# What these names usually mean in mail, and what must not read a stranger's bytes: the two codecs
# for host names take quadratic time.
_CHARSETS = {"iso-8859-1": "cp1252", "gb2312": "gb18030", "idna": "", "punycode": ""}
_UNSEEN = {"script", "style", "template", "head"}
_INLINE = {"a", "b", "big", "code", "em", "font", "i", "s", "small", "span", "strong", "u"}


def mail_text(raw: bytes) -> str:
    r"""Read the subject and the body of a raw message.

    The plain text is preferred; HTML is stripped where there is none. Attachments and all other
    headers are ignored: who sent a message gives its label away.

    Parameters
    ----------
    raw : bytes
        The message with its headers, as in an ``.eml`` file.

    Returns
    -------
    str
        Subject and body, each beginning a line; empty where the message says nothing.

    Raises
    ------
    DataError
        Where the message cannot be decoded.

    Examples
    --------
    >>> mail_text(b"Subject: =?utf-8?q?Caf=C3=A9?=\n\nSee you at 8.\n")
    'Café\nSee you at 8.'
    """
    try:
        # compat32 reads broken headers as they stand, where the newer policies raise.
        message = message_from_bytes(raw, policy=compat32)
        subject, body = _subject(message), _body(message)
    except RecursionError:
        raise DataError("the message's parts are nested too deeply.") from None
    return "\n".join(part for part in (" ".join(subject.split()), body.strip()) if part)


def iter_mbox(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the name (``file:number``) and the bytes of each message of an mbox file.

    The file is read line by line, so its length does not matter.

    Raises
    ------
    DataError
        Where the file does not begin like an mbox.
    """
    lines: list[bytes] = []
    number, after_blank = 0, True
    with path.open("rb") as file:
        for line in file:
            if after_blank and line.startswith(b"From "):
                if number:
                    yield f"{path.name}:{number}", b"".join(lines)
                number, lines = number + 1, []
            elif number:
                # "From " inside a message is quoted with ">", and a quoted one once more.
                lines.append(line[1:] if re.match(rb">+From ", line) else line)
            elif line.strip():
                raise DataError(f'{path}: is no mbox file; the first line must begin with "From ".')
            after_blank = not line.strip()
    if number:
        yield f"{path.name}:{number}", b"".join(lines)


def is_maildir(folder: Path) -> bool:
    """Whether a folder is a Maildir: messages lie in its ``cur`` and ``new``."""
    return (folder / "cur").is_dir() or (folder / "new").is_dir()


def maildir_files(folder: Path) -> list[Path]:
    """List the messages of every Maildir in a folder and below, in order."""
    homes = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    return sorted(
        file
        for home in homes
        for part in ("cur", "new")
        if (home / part).is_dir()
        for file in (home / part).iterdir()
        if file.is_file() and not file.name.startswith(".")
    )


def _subject(message: Message) -> str:
    raw = next((value for name, value in message.raw_items() if name.lower() == "subject"), "")
    text = decode(str(raw).encode("utf-8", "surrogateescape"))
    try:
        parts = decode_header(text)
    except (MessageError, Base64Error, ValueError):
        return text
    return "".join(
        part
        if isinstance(part, str)
        # decode_header turns what stands between encoded words into this encoding
        else _in_charset(part, charset or "raw-unicode-escape")
        for part, charset in parts
    )


def _body(part: Message) -> str:
    if part.get_content_disposition() == "attachment":
        return ""
    children = part.get_payload()
    if isinstance(children, list):
        texts = [
            (child.get_content_type(), _body(child))
            for child in children
            if isinstance(child, Message)
        ]
        if part.get_content_type() != "multipart/alternative":
            return "\n".join(text for _, text in texts if text.strip())
        plain_first = sorted(texts, key=lambda text: text[0] != "text/plain")
        return next((text for _, text in plain_first if text.strip()), "")
    # A multipart without its boundary is parsed as one leaf.
    kind = part.get_content_type()
    if kind not in ("text/plain", "text/html") and part.get_content_maintype() != "multipart":
        return ""
    payload = part.get_payload(decode=True)
    text = _in_charset(payload if isinstance(payload, bytes) else b"", _charset(part))
    return _strip_html(text) if kind == "text/html" else text


def _charset(part: Message) -> str | None:
    try:
        return part.get_content_charset()
    except (LookupError, ValueError):
        return None


def _in_charset(raw: bytes, charset: str | None) -> str:
    """Decode by what the message says of itself, and by guessing where that fails."""
    charset = _CHARSETS.get((charset or "").lower(), charset)
    if charset:
        try:
            return raw.decode(charset).replace("\0", "")
        except (LookupError, ValueError):
            pass  # an unknown charset, or one that does not fit
    return decode(raw)


def _strip_html(html: str) -> str:
    reader = _Reader()
    try:
        reader.feed(html)
        reader.close()
    except AssertionError:  # html.parser on a malformed declaration such as <![x
        return re.sub(r"<[^>]*>?", " ", html)
    lines = ("".join(reader.pieces)).splitlines()
    return "\n".join(line for line in (" ".join(line.split()) for line in lines) if line)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.hidden = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN and not self.hidden:
            self.hidden = tag
        elif tag == "body":  # a head that was never closed ends here
            self.hidden = ""
        if tag not in _INLINE:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == self.hidden:
            self.hidden = ""
        if tag not in _INLINE:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            # A line break in the source is a space on the page.
            self.pieces.append(" ".join(data.split("\n")))
