"""RapidPro's expressions (``@contact.name``, ``@(default(fields.x, "y"))``) as placeholders, and back.

Only what names a value is a placeholder here. What computes one is named as unsupported, and stands in the text
between question marks so that nobody overlooks it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# What an expression may begin with: after any other word an @ is only an @.
TOPS = frozenset(
    "child contact fields globals input legacy_extra locals node parent results resume run ticket trigger urns "
    "webhook".split()
)
_EXPRESSION = re.compile(r"@@|@\(|@([a-zA-Z]\w*(?:\.\w+)*)")
_PATH = re.compile(r"[a-zA-Z]\w*(?:\.\w+)*").fullmatch
_DEFAULT = re.compile(r'default\(\s*([a-zA-Z][\w.]*)\s*,\s*"([^"{}]*)"\s*\)').fullmatch
_PLACEHOLDER = re.compile(
    r"""\{\{\s*([^{}|<>]+?)\s*(?:\|\s*default\s*:\s*(?:"([^"{}]*)"|'([^'{}]*)'|[“”]([^“”{}]*)[“”])?\s*)?\}\}"""
    r"|<(?!\ *\d+[\ >])([\w\ -]{1,64})>"
)
_CONTACT = {"name": "name", "first_name": "first_name", "language": "language", "timezone": "timezone"}
_GAPS = re.compile(r"[^a-z0-9]+")


def slug(name: str) -> str:
    """A name as RapidPro's keys are written: ``Order No`` is ``order_no``."""
    return _GAPS.sub("_", name.casefold()).strip("_") or "x"


@dataclass(slots=True)
class Names:
    """What a flow gives values to. ``saved``: answers, ``services``: what webhooks answered; by slug."""

    saved: set[str] = field(default_factory=set[str])
    services: dict[str, str] = field(default_factory=dict[str, str])


def to_placeholders(
    text: str,
    names: Names,
    refuse: Callable[[str], None],
    *,
    tops: frozenset[str] = TOPS,
    find: Callable[[str, Names], str | None] | None = None,
) -> str:
    """``text`` with placeholders for expressions. ``refuse`` is told each expression that has none.

    ``tops`` and ``find`` are another maker's: what its expressions begin with, and the placeholder's name for a path.
    """
    find = find or named
    said: list[str] = []
    at = 0
    for found in _EXPRESSION.finditer(text):
        if found.start() < at:
            continue
        said.append(text[at : found.start()])
        at = found.end()
        if found[0] == "@@":
            said.append("@")
        elif found[0] == "@(":
            at = _closing(text, at)
            said.append(_shown(text[found.end() : at - 1].strip(), names, refuse, find))
        elif found[1].split(".")[0].casefold() in tops:
            said.append(_shown(found[1], names, refuse, find))
        else:
            said.append(found[0])
    return "".join([*said, text[at:]])


def _closing(text: str, start: int) -> int:
    """Where the parenthesis that opened before ``start`` closes; past its end."""
    depth, quoted = 1, False
    for place in range(start, len(text)):
        each = text[place]
        if each == '"':
            quoted = not quoted
        elif not quoted:
            depth += (each == "(") - (each == ")")
            if not depth:
                return place + 1
    return len(text) + 1


def _shown(
    expression: str, names: Names, refuse: Callable[[str], None], find: Callable[[str, Names], str | None]
) -> str:
    with_default = _DEFAULT(expression)
    path = with_default[1] if with_default else expression
    name = find(path, names) if _PATH(path) else None
    if name is None:
        refuse(f"@({expression})" if with_default or not _PATH(expression) else f"@{expression}")
        return f"?{expression.replace('{', '(').replace('}', ')').replace('<', '(')}?"
    return f'{{{{{name}|default:"{with_default[2]}"}}}}' if with_default else f"{{{{{name}}}}}"


def named(path: str, names: Names) -> str | None:
    """The placeholder's name for what ``path`` names, None when it has none."""
    top, *rest = path.casefold().split(".")
    if top == "contact" and rest[:1] == ["fields"]:
        top, rest = "fields", rest[1:]
    if top == "fields" and len(rest) == 1:
        return rest[0]
    if top == "contact" and len(rest) == 1:
        return _CONTACT.get(rest[0])
    if top == "input" and rest in ([], ["text"], ["value"]):
        return "answer"
    if top == "results" and rest:
        return _result(rest, names)
    if top == "webhook" and len(set(names.services.values())) == 1:
        inner = rest[1:] if rest[:1] == ["json"] else rest
        return ".".join([next(iter(names.services.values())), *inner]) if inner and inner != ["status"] else None
    return None


def _result(rest: list[str], names: Names) -> str | None:
    key, *more = rest
    if more[:1] == ["extra"] and len(more) > 1:
        return ".".join([names.services.get(key, key), *more[1:]])
    if more in (["category"], ["category_localized"]):
        return None if key in names.services else f"{key}.category"
    return key if more in ([], ["value"], ["input"], ["text"]) and key not in names.services else None


# ---------------------------------------------------------------- back


def from_placeholders(text: str, names: Names, path: Callable[[str, Names], str] | None = None) -> str:
    """``text`` with RapidPro's expressions for placeholders, or another maker's by its ``path`` for a name."""
    path = path or _path
    said: list[str] = []
    at = 0
    for found in _PLACEHOLDER.finditer(text):
        said.append(text[at : found.start()].replace("@", "@@"))
        to = path((found[1] or found[5]).strip(), names)
        default = next((each for each in (found[2], found[3], found[4]) if each is not None), None)
        said.append(f"@({to})" if default is None else f'@(default({to}, "{default}"))')
        at = found.end()
    return "".join([*said, text[at:].replace("@", "@@")])


def _path(name: str, names: Names) -> str:
    first, *rest = [slug(each) for each in name.split(".")]
    if [first, *rest][:2] in (["context", "userinfo"], ["context", "user_info"]) and len(rest) > 1:
        first, *rest = ["fields", *rest[1:]]
        return ".".join([first, "_".join(rest)])
    if rest and (first in names.services or rest != ["category"]):
        return ".".join(["results", first, "extra", *rest])
    if rest or first in names.saved:
        return ".".join(["results", first, *rest])
    if first == "answer":
        return "input.text"
    return f"contact.{first}" if first in _CONTACT else f"fields.{first}"
