"""A campaign's text: how it was sent, what stands in it for each person's own words, and what is said to one person.

Two ways to name a column are understood, ``<First Name>`` and ``{{first name}}``, the second with an
optional ``|default:"friend"``. Names match columns without regard to case, spaces, underscores and dashes.
Values are put in as plain text: a placeholder inside a value stays what it is.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from heliograph.errors import Invalid
from heliograph.rules import body, markup, parts

if TYPE_CHECKING:
    from collections.abc import Mapping

Rule = Literal["empty", "default", "skip"]

RULES: dict[object, Rule] = {"empty": "empty", "default": "default", "skip": "skip"}
MOST_DEFAULT = 256

_LONGEST_NAME = 64
_PLACEHOLDER = re.compile(
    r"""\{\{ \s* (?P<braced> [^{}|<>\s][^{}|<>]{0,63}? ) \s*
        (?: \| \s* default \s* : \s*
            (?: "(?P<double>[^"{}]*)" | '(?P<single>[^'{}]*)' | [“”](?P<curly>[^“”{}]*)[“”] ) \s* )?
        \}\}
      | < (?! \ *\d+[\ >] ) (?P<angled> [\w\ -]{1,64} ) >""",
    re.VERBOSE,
)
_GAPS = re.compile(r"[\s_\-\ufeff]+")
_LINES = re.compile("[\t-\r\x1c-\x1f\x85\u2028\u2029]+")
_NOT_AFTER_SPACE = ("\n", *",.;:!?)]…")
_AFTER_NOTHING = " ,;:"


class Missing(NamedTuple):
    """What to do where a person has no value: say nothing, say ``default``, or do not text the person."""

    rule: Rule = "empty"
    default: str = ""


class Rendered(NamedTuple):
    """The text for one person, normalised, or None when the person is to be skipped; and the names without a value.

    The text may be blank, when there was nothing in it but gaps.
    """

    text: str | None
    missing: tuple[str, ...]


class Canonical(dict[str, object]):
    """A person's fields by canonical name. Made by :func:`canonical`; render takes it as it is."""


@dataclass(frozen=True, slots=True)
class Template:
    """A text taken apart once, to be put together for each person.

    ``pieces`` alternates words and gaps, beginning and ending with words (gaps are ``""``); ``names`` are
    the gaps' canonical names in order, ``defaults`` their own defaults (None: the campaign's rule).
    """

    pieces: tuple[str, ...]
    names: tuple[str, ...]
    defaults: tuple[str | None, ...]

    @property
    def is_plain(self) -> bool:
        """Whether everybody gets the same words."""
        return not self.names

    def render(self, fields: Mapping[str, object], missing: Missing) -> Rendered:
        """The text for a person with these ``fields`` (by column name, or :class:`Canonical`).

        Where a value was left empty, the doubled space or the space before punctuation goes with it.
        """
        if not self.names:
            return Rendered(self.pieces[0], ())
        known = fields if type(fields) is Canonical else canonical(fields)
        words = list(self.pieces)
        absent: list[str] = []
        gaps = False
        place = 1
        for name, default in zip(self.names, self.defaults, strict=True):
            value = known.get(name)
            # What nearly every value is, without a call: plain() costs more than all the rest of this loop.
            if isinstance(value, str) and value.isascii() and value.isprintable():
                text = value.strip(" ")
            else:
                text = "" if value is None else plain(value)
            if not text:
                if default is None:
                    absent.append(name)
                    text = missing.default if missing.rule == "default" else ""
                else:
                    text = default
                gaps = gaps or not text
            words[place] = text
            place += 2
        if absent and missing.rule == "skip":
            return Rendered(None, tuple(absent))
        return Rendered(_closed(words) if gaps else "".join(words), tuple(absent))


def decode(raw: str) -> str:
    """The text that ``message.message`` stands for; see :func:`heliograph.rules.markup.decode`."""
    return markup.decode(raw)


@lru_cache(maxsize=8192)
def key(name: str) -> str:
    """The canonical form of a column's name: ``First Name``, ``first_name`` and ``firstName`` are one."""
    return _GAPS.sub("", unicodedata.normalize("NFC", name)).casefold()


def canonical(fields: Mapping[str, object], wanted: frozenset[str] | None = None) -> Canonical:
    """``fields`` by canonical name; of them only those ``wanted``, if told.

    Of columns that are one by name, the first with a value counts.
    """
    if wanted is not None:
        columns = _columns(tuple(fields), wanted)
        if columns is not None:
            few = Canonical()
            for name, column in columns:
                few[name] = fields[column]
            return few
    keys = _keys(tuple(fields))
    if keys is not None:
        return Canonical(zip(keys, fields.values(), strict=True))
    found = Canonical()
    for name, value in fields.items():
        short = key(name)
        if short not in found or _is_empty(found[short]):
            found[short] = value
    return found


@lru_cache(maxsize=1024)
def _keys(names: tuple[str, ...]) -> tuple[str, ...] | None:
    """The keys of columns, None when two of them are one. People of a list have the same columns: 4 µs each saved."""
    keys = tuple(key(name) for name in names)
    return keys if len(set(keys)) == len(keys) else None


@lru_cache(maxsize=1024)
def _columns(names: tuple[str, ...], wanted: frozenset[str]) -> tuple[tuple[str, str], ...] | None:
    """The columns that are ``wanted``, each behind its key; None when two of them are one."""
    keys = _keys(names)
    return None if keys is None else tuple((key, name) for key, name in zip(keys, names, strict=True) if key in wanted)


def plain(value: object) -> str:
    """A field's value as words for a text: one line, no controls, no blanks around. Empty when it is none."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, int):
        text = str(value) if abs(value) < 10**18 else ""
    elif isinstance(value, float) and value - value == 0:  # neither infinite nor not a number
        text = str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)  # noqa: PLR2004
    else:
        return ""
    if not (text.isascii() and text.isprintable()):
        text = parts.normalise(_LINES.sub(" ", text))
    return text.strip()


def compile_text(text: str, *, field: str = "message.message") -> Template:
    """Take ``text`` (decoded) apart. Raises :class:`Invalid` for a ``{{`` that no placeholder follows from.

    Half a placeholder is refused because it would be sent, as it is, to everybody.
    """
    text = parts.normalise(text)
    pieces: list[str] = []
    names: list[str] = []
    defaults: list[str | None] = []
    start = 0
    for found in _PLACEHOLDER.finditer(text):
        name = found["braced"] or found["angled"]
        if not key(name) or (found["angled"] and markup.is_tag(name)):
            continue
        pieces += (text[start : found.start()], "")
        names.append(key(name))
        given = next((found[kind] for kind in ("double", "single", "curly") if found[kind] is not None), None)
        defaults.append(None if given is None else plain(given))
        start = found.end()
    pieces.append(text[start:])
    for words in pieces:
        if "{{" in words:
            _refuse(words, field)
    return Template(tuple(pieces), tuple(names), tuple(defaults))


def parse_missing(raw: object, *, field: str = "message.onMissing") -> Missing:
    """What a campaign does about missing values, from ``{"rule": ..., "default": ...}``; None is ``empty``."""
    if raw is None:
        return Missing()
    sent = body.mapping(raw, field)
    asked = sent.get("rule")
    rule = RULES.get(asked) if isinstance(asked, str) else None
    if rule is None:
        text = f"{field}.rule is {body.shown(asked)}. It takes one of: {', '.join(RULES.values())}"
        raise Invalid(text, field=f"{field}.rule")
    default = sent.get("default")
    if rule != "default":
        if default is not None:  # not used, but what is wrong with it is not passed over
            body.text(default, f"{field}.default", longest=MOST_DEFAULT)
        return Missing(rule)
    said = plain(default) if isinstance(default, str) else ""
    if not said or len(said) > MOST_DEFAULT:
        text = f"{field}.default is {body.shown(default)}. This rule needs 1 to {MOST_DEFAULT} characters"
        raise Invalid(text, field=f"{field}.default")
    return Missing(rule, said)


def _closed(words: list[str]) -> str:
    """``words`` joined, each empty gap closed: no doubled space, no space before a comma, no comma in front."""
    said = words[0]
    for place in range(1, len(words), 2):
        value, after = words[place], words[place + 1]
        if value:
            said += value + after
            continue
        if not said or said.endswith("\n"):
            after = after.lstrip(_AFTER_NOTHING)
        elif said.endswith(" "):
            if after.startswith(_NOT_AFTER_SPACE) or (not after and place == len(words) - 2):
                said = said.rstrip(" ")
            else:
                after = after.removeprefix(" ")
        said += after
    return said


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _refuse(words: str, field: str) -> None:
    near = words[words.index("{{") :][:_LONGEST_NAME]
    raise Invalid(
        f"The text has a placeholder that cannot be read: {near!r}. "
        'It takes {{first name}}, {{first name|default:"friend"}} or <First Name>',
        field=field,
    )
