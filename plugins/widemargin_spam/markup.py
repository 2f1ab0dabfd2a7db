"""Markup: the text that a person sees of an HTML page."""

from __future__ import annotations

import re
from html import unescape

__all__ = ["strip_html"]

_UNSEEN = {"script", "style", "template", "head"}
_RAW = {"script", "style"}  # nothing in them is a tag but their end
_INLINE = {"a", "b", "big", "code", "em", "font", "i", "s", "small", "span", "strong", "u"}

# A declaration, or a tag with its quoted values; each ends with the page if nothing else ends it.
# Nothing is matched twice, so that the time grows with the length alone, whatever a stranger
# writes: html.parser takes quadratic time for broken markup.
_TAG = re.compile(
    r"""<(?:[!?]|/(?![a-z]))[^>]*+>? | </?+(?P<name>[a-z][^\s/>]*+)
        (?>[^=>]++ | =\s*+(?:"[^"]*+"|'[^']*+') | =)*+ >?""",
    re.IGNORECASE | re.VERBOSE,
)


def strip_html(html: str) -> str:
    r"""Return the text of a page, one line a block, without scripts, styles and comments.

    Parameters
    ----------
    html : str
        A page or a piece of one, however broken.

    Examples
    --------
    >>> strip_html("<p>Win&nbsp;<b>ca</b>sh</p><style>p {}</style>now")
    'Win cash\nnow'
    """
    pieces: list[str] = []
    hidden, at = "", 0
    last_end = html.rfind("-->")  # a comment that begins later never ends, and is none
    while tag := _TAG.search(html, at):
        if not hidden:
            pieces.append(_seen(html[at : tag.start()]))
        at = tag.end()
        if tag[0].startswith("<!--") and tag.start() + 4 <= last_end:
            at = html.find("-->", tag.start() + 4) + 3
        name = (tag["name"] or "").lower()
        if not name:
            continue
        if name not in _INLINE:
            pieces.append("\n")
        if tag[0].startswith("</"):
            hidden = "" if name == hidden else hidden
        elif name == "body":  # a head that was never closed ends here
            hidden = ""
        elif name in _UNSEEN and not hidden:
            hidden = name
            if name in _RAW:
                end = re.compile(rf"</{name}\b|\Z", re.IGNORECASE).search(html, at)
                at = end.start() if end else len(html)
    if not hidden:
        pieces.append(_seen(html[at:]))
    lines = ("".join(pieces)).splitlines()
    return "\n".join(line for line in (" ".join(line.split()) for line in lines) if line)


def _seen(text: str) -> str:
    # A line break in the source is a space on the page.
    return " ".join(unescape(text).split("\n"))
