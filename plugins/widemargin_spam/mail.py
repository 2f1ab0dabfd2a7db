"""Mail: raw messages into the text that a person would read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from pathlib import Path
from typing import Literal

from widemargin import DataError
from widemargin_spam.charsets import decode_part, decode_words
from widemargin_spam.markup import strip_html

__all__ = [
    "Headers",
    "MailReader",
    "is_maildir",
    "iter_mbox",
    "mail_text",
    "maildir_files",
    "unique_name",
]

Headers = Literal["all"] | Sequence[str]
"""Names of headers to read, in any case."""

# What UUCP and procmail leave above the header.
_QUOTED_ENVELOPE = re.compile(rb"\A(?:From [^\n]*\n)?(?:>From [^\n]*\n)+")
# What SpamAssassin looks at, at most; nobody reads further.
_LONGEST_PART = 500_000


def mail_text(raw: bytes, headers: Headers = ("subject",)) -> str:
    r"""Read some headers, the body and the names of the attachments of a raw message.

    The plain text is preferred; HTML is stripped where there is none. An attachment is a line that
    says its name and type; one that is a mail is read in its place, as the outer mail is. Of each
    part, the first 500,000 bytes are read.

    Parameters
    ----------
    raw : bytes
        The message with its headers, as in an ``.eml`` file.
    headers : "all" or sequence of str, default=("subject",)
        Headers to read. The subject stands there bare, others after their names.

    Returns
    -------
    str
        Headers, body and attachments, each beginning a line; empty where the message says nothing.

    Raises
    ------
    DataError
        Where the message's parts are nested too deeply.

    Examples
    --------
    >>> raw = b"From: a@b.org\nSubject: =?utf-8?q?Caf=C3=A9?=\n\nSee you at 8.\n"
    >>> mail_text(raw)
    'Café\nSee you at 8.'
    >>> mail_text(raw, headers=()), mail_text(raw, headers=["from"])
    ('See you at 8.', 'From: a@b.org\nSee you at 8.')
    """
    try:
        # compat32 reads broken headers as they stand, where the newer policies raise.
        message = message_from_bytes(_QUOTED_ENVELOPE.sub(b"", raw, count=1), policy=compat32)
        return _text(message, headers)
    except RecursionError:
        raise DataError("the message's parts are nested too deeply.") from None


def iter_mbox(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the name (``file:number``) and the bytes of each message of an mbox file.

    The file is read line by line, so its length does not matter.

    Raises
    ------
    DataError
        Where the file cannot be read, or does not begin like an mbox.
    """
    lines: list[bytes] = []
    number, after_blank = 0, True
    try:
        opened = path.open("rb")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}).") from None
    with opened as file:
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
    """List the messages of every Maildir in a folder and below, in order, each once."""
    found: list[Path] = []
    # os.walk skips what goes away meanwhile.
    below = (Path(parent, name) for parent, names, _ in os.walk(folder) for name in names)
    for home in (folder, *below):
        # In this order, a message that moves from new to cur meanwhile is in one of them at least.
        new = _mails_in(home / "new")
        found += (new | _mails_in(home / "cur")).values()
    return sorted(found)


def unique_name(name: str) -> str:
    """Return what of a message's name in a Maildir stays when it is read and moved.

    Examples
    --------
    >>> unique_name("1700000000.M1P2.host:2,RS")
    '1700000000.M1P2.host'
    """
    return name.split(":2,")[0]


class MailReader:
    """Reads files of one message each, also where another program moves them within a Maildir."""

    def __init__(self) -> None:
        self._moved: dict[Path, dict[str, Path]] = {}

    def read(self, file: Path) -> bytes:
        """Read a file; one that has gone from a Maildir's ``new`` or ``cur`` is looked for in cur.

        Raises
        ------
        OSError
            Where it cannot be read.
        """
        try:
            return file.read_bytes()
        except FileNotFoundError:
            if file.parent.name not in ("new", "cur"):
                raise
            if found := self._find(file):
                return found.read_bytes()
            raise

    def _find(self, file: Path) -> Path | None:
        cur, name = file.parent.parent / "cur", unique_name(file.name)
        # A client moves all that is new at once: one list of the folder serves for most of it.
        found = self._moved.get(cur, {}).get(name)
        if found is None or not found.exists():
            self._moved[cur] = _mails_in(cur)
            found = self._moved[cur].get(name)
        return found


def _mails_in(folder: Path) -> dict[str, Path]:
    """Return the messages in a folder of a Maildir by their unique names; none where it is gone."""
    try:
        with os.scandir(folder) as entries:
            names = [one.name for one in entries if one.is_file() and one.name[0] != "."]
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror or error}).") from None
    return {unique_name(name): folder / name for name in sorted(names)}


def _text(message: Message, headers: Headers) -> str:
    lines = [*_headers(message, headers), _body(message, headers).strip()]
    return "\n".join(line for line in lines if line)


def _headers(message: Message, wanted: Headers) -> list[str]:
    chosen = None if wanted == "all" else {name.lower() for name in wanted}
    lines = []
    for name, value in message.raw_items():
        if chosen is None or name.lower() in chosen:
            text = decode_words(str(value))
            # The subject is what people read; other headers are told apart by their names.
            lines.append(text if name.lower() == "subject" else f"{name}: {text}")
    return lines


def _body(part: Message, headers: Headers) -> str:
    children = _children(part)
    if not children:
        return _leaf(part)
    if part.get_content_maintype() == "message":
        return "\n".join(_text(child, headers) for child in children)
    texts = [(child.get_content_type(), _body(child, headers)) for child in children]
    if part.get_content_type() != "multipart/alternative":
        return "\n".join(text for _, text in texts if text.strip())
    plain_first = sorted(texts, key=lambda text: text[0] != "text/plain")
    return next((text for _, text in plain_first if text.strip()), "")


def _children(part: Message) -> list[Message]:
    """List the parts of a multipart, and the mail that is attached to one or forwarded in it."""
    # Of a leaf `get_payload` would decode by whatever the charset says.
    payload = part.get_payload() if part.is_multipart() else None
    children = [one for one in payload or () if isinstance(one, Message)]
    encoded = str(part.get("Content-Transfer-Encoding", "")).strip().lower() == "base64"
    if part.get_content_maintype() != "message" or not encoded:
        return children
    # No standard allows it, but people see such mails.
    return [_decoded(child) for child in children]


def _decoded(mail: Message) -> Message:
    """Undo base64 of a whole mail, which was parsed as the body of one without a header."""
    if mail.keys():
        return mail
    mail["Content-Transfer-Encoding"] = "base64"
    raw = mail.get_payload(decode=True)
    return message_from_bytes(raw if isinstance(raw, bytes) else b"", policy=compat32)


def _leaf(part: Message) -> str:
    kind = part.get_content_type()
    # A multipart without its boundary is parsed as one leaf.
    is_text = kind in ("text/plain", "text/html") or part.get_content_maintype() == "multipart"
    if part.get_content_disposition() == "attachment" or not is_text:
        return f"attachment: {_name(part)} {kind}"
    payload = part.get_payload(decode=True)
    raw = payload[:_LONGEST_PART] if isinstance(payload, bytes) else b""
    text = decode_part(raw, _charset(part))
    return strip_html(text) if kind == "text/html" else text


def _name(part: Message) -> str:
    try:
        return decode_words(part.get_filename() or "") or "unnamed"
    except (LookupError, ValueError):  # a charset that there is not
        return "unnamed"


def _charset(part: Message) -> str | None:
    try:
        return part.get_content_charset()
    except (LookupError, ValueError):
        return None
