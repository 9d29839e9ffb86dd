"""How a campaign's text arrives: plain, in Base64, percent-encoded on top, and with a rich-text editor's HTML in it.

Nothing says which, so each step is taken only when it cannot be a mistake; else the text is used as sent.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from urllib.parse import unquote_to_bytes

# Tags that stand on lines of their own, and tags within a line.
_BLOCKS = frozenset(
    "address article aside blockquote body br center dd details div dl dt fieldset figure footer form h1 h2 h3 h4 h5 "
    "h6 head header hr html legend li main menu nav ol option p pre section select summary table tbody tfoot thead "
    "title tr ul".split(),
)
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big button caption cite code col colgroup data del dfn em font i img input ins kbd "
    "label link map mark meta nobr object output q rp rt ruby s samp script small source span strike strong style sub "
    "sup svg td th time tt u var wbr".split(),
)
# Tags whose names are also what somebody may call a column: tags only with attributes or a closing partner.
_WORDS = frozenset(
    "address article body button caption center cite code data details figure footer form head header input label "
    "legend link main map mark menu meta nav object option output section select source style summary table time "
    "title".split(),
)

_TAG = re.compile(r"<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9]*)(?P<rest>(?:\s[^<>]*|/)?)>")
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_LAYOUT = re.compile(r"[ \t\r\n]+")
_KEPT_CONTROLS = "\n\r\t"


def decode(raw: str) -> str:
    """The text that ``raw`` stands for.

    Percent-encoding is undone (a plus stays a plus) if what it hides is strict Base64 of printable UTF-8;
    so is Base64 alone; anything else is the text itself. Then HTML tags go (a line break for ``<br>`` and the
    end of a paragraph) and, if there were any, entities are resolved; ``<First Name>`` is no tag and stays.
    """
    found = _from_base64(raw)
    return _without_tags(raw if found is None else found)


def encode(text: str) -> str | None:
    """``text`` in Base64 or, if need be, in another form out of which :func:`decode` reads these very words.

    None for the rare text for which there is none. Two things make Base64 alone fail: words that look like HTML
    tags, which would be dropped, and characters that hardly anybody can type, for which it would not be taken
    for Base64.
    """
    escaped = f"<span>{html.escape(text, quote=False)}</span>"
    forms = (_to_base64(text), _to_base64(escaped), text)
    return next((form for form in forms if decode(form) == text), None)


def is_tag(name: str) -> bool:
    """Whether ``<name>`` can only be HTML, never a placeholder."""
    short = name.lower()
    return (short in _BLOCKS or short in _INLINE) and short not in _WORDS


def _from_base64(raw: str) -> str | None:
    packed = raw.strip().encode("utf-8", "surrogatepass")
    if _PERCENT.search(raw):
        packed = unquote_to_bytes(packed)
    try:
        octets = binascii.a2b_base64(packed, strict_mode=True)
        text = octets.decode()
    except ValueError:
        return None
    # The last character before the padding may carry bits that decoding drops: then it was not encoded so.
    if not text or base64.b64encode(octets) != packed:
        return None
    return text if all(map(_is_printable, text)) else None


def _to_base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()


def _is_printable(character: str) -> bool:
    """Whether a person may have typed it. Emoji newer than Python's tables are unassigned to it, and fine."""
    if character.isprintable() or character in _KEPT_CONTROLS:
        return True
    kind = unicodedata.category(character)
    return kind not in {"Cc", "Co", "Cn"} or (kind == "Cn" and character > "\uffff")


def _without_tags(text: str) -> str:
    closed = {found["name"].lower() for found in _TAG.finditer(text) if found["close"]}
    tags = [found for found in _TAG.finditer(text) if _is_markup(found, closed)]
    if not tags:
        return text
    # Where there are blocks, the source's own line ends are only layout.
    blocks = any(found["name"].lower() in _BLOCKS for found in tags)
    said: list[str] = []
    start = 0
    for found in tags:
        _say(said, text[start : found.start()], blocks=blocks)
        name = found["name"].lower()
        if name == "br" or (name in _BLOCKS and said and said[-1] != "\n"):
            said.append("\n")
        start = found.end()
    _say(said, text[start:], blocks=blocks)
    plain = html.unescape("".join(said)).replace("\xa0", " ")
    return "\n".join(line.strip(" ") for line in plain.split("\n")).strip() if blocks else plain


def _is_markup(found: re.Match[str], closed: set[str]) -> bool:
    name = found["name"].lower()
    attributes = "=" in found["rest"]
    if name in _WORDS:
        return bool(found["close"]) or attributes or name in closed
    return (name in _BLOCKS or name in _INLINE) and (attributes or not found["rest"].strip("/ \t\r\n"))


def _say(said: list[str], text: str, *, blocks: bool) -> None:
    if blocks:
        text = _LAYOUT.sub(" ", text)
        if not said or said[-1] == "\n":
            text = text.lstrip(" ")
    if text:
        said.append(text)
