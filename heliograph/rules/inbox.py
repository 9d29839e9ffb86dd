"""What people do with conversations, read from what they send; and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from heliograph.errors import Invalid
from heliograph.rules import body, parts
from heliograph.rules import phone as phones

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

AT_ONCE = timedelta(hours=24)
"""For so long after a message of theirs an answer by hand is an answer: it leaves whatever the hour. A person asked, a
person answers; that is no solicitation in any of the laws of rules/quiet.py. Later ones keep quiet hours."""

LONGEST_NAME = 100
LONGEST_NOTE = 4_000
LONGEST_TEXT = 2_000
LONGEST_KEY = 255
LONGEST_WORDS = 200
FEWEST_DIGITS = 3

STATUSES = {"open": True, "closed": False}
_FIELDS = ("status", "assignee", "team", "unread")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a conversation stands with people: whether it is open, whose it is, how many messages nobody has read."""

    open: bool
    unread: int
    assignee: str | None
    team: str | None


@dataclass(frozen=True, slots=True)
class Did:
    """A change in words, to be written down. ``text``: whose it is now."""

    kind: Literal["opened", "assigned", "unassigned", "closed", "reopened"]
    text: str = ""


def changed(before: Standing, sent: object) -> tuple[Standing, list[Did]]:
    """The standing after what a body asks for (``status``, ``assignee``, ``team``, ``unread``), and what was done.

    What is left out stays; null takes an assignee or a team away. Closing reads everything. Raises Invalid, also
    for marking a closed one unread.
    """
    asked = body.mapping(sent, "")
    if not any(name in asked for name in _FIELDS):
        raise Invalid(f"There is nothing to change. The body takes any of: {', '.join(_FIELDS)}")
    after, did = before, list[Did]()
    if "status" in asked:
        after = replace(after, open=status(asked["status"]))
        if after.open != before.open:
            did.append(Did("reopened" if after.open else "closed"))
    for name in ("assignee", "team"):
        if name in asked:
            value = None if asked[name] is None else body.name(asked[name], name, longest=LONGEST_NAME)
            if value != getattr(after, name) and name == "assignee":
                did.append(Did("unassigned") if value is None else Did("assigned", value))
            after = replace(after, **{name: value})
    if "unread" in asked:
        unread = body.flag(asked["unread"], "unread")
        if unread and not after.open:
            text = "unread is true, and the conversation is closed. Send status open with it"
            raise Invalid(text, field="unread")
        after = replace(after, unread=max(after.unread, 1) if unread else 0)
    return (after if after.open else replace(after, unread=0)), did


def status(value: object) -> bool:
    """Whether ``open`` or ``closed``: true when open. Raises Invalid."""
    if not isinstance(value, str) or value not in STATUSES:
        raise Invalid(f"status is {body.shown(value)}. It takes open or closed", field="status")
    return STATUSES[value]


@dataclass(frozen=True, slots=True)
class Answer:
    """What to write: words, or the name or id of an SMS template. ``key``: the same one again is the same answer."""

    text: str | None
    template: str | None
    key: str | None


def answer(sent: object) -> Answer:
    """An answer from a body: ``text`` or ``template``, and perhaps ``key``. Raises Invalid."""
    asked = body.mapping(sent, "")
    text, template, key = (asked.get(name) for name in ("text", "template", "key"))
    if (text is None) == (template is None):
        raise Invalid("An answer takes text, its words, or template, the name of an SMS template", field="text")
    return Answer(
        text=None if text is None else words(text, "text"),
        template=None if template is None else body.name(template, "template", longest=LONGEST_KEY),
        key=None if key is None else body.name(key, "key", longest=LONGEST_KEY),
    )


def words(value: object, field: str, *, longest: int = LONGEST_TEXT) -> str:
    """Words to send or to keep, normalised and not blank. Raises Invalid."""
    text = parts.normalise(body.text(value, field, longest=longest)).strip()
    if not text:
        raise Invalid(f"{field} is blank. It takes 1 to {longest} characters", field=field)
    return text


def missing(names: Sequence[str], number: str) -> Invalid:
    """That a canned answer cannot be filled in for somebody."""
    text = f"The contact {number} has no value for {', '.join(names)}; write the answer yourself, or add the column"
    return Invalid(text, field="template")


def exempt(last_in_at: datetime | None, now: datetime) -> bool:
    """Whether a text now is an answer to what they wrote, for which no quiet hours are kept."""
    return last_in_at is not None and now - last_in_at <= AT_ONCE


def sought(value: str) -> Mapping[str, str]:
    """What somebody who types ``value`` looks for: ``number``, whole; ``digits`` of one; or ``words``."""
    text = body.text(value, "search", longest=LONGEST_WORDS).strip()
    bare = text.translate(str.maketrans("", "", " ()-./"))
    digits = bare.removeprefix("+")
    if not (digits.isascii() and digits.isdecimal() and len(digits) >= FEWEST_DIGITS):
        return {"words": text} if text else {}
    if bare.startswith("+"):
        try:
            return {"number": phones.normalise(bare, field="search")}
        except Invalid:
            pass
    return {"digits": digits}
