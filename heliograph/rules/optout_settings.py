"""What an app decides about people who say no, yes and help: how far a no reaches, and what they are answered.

Kept as JSON in ``app_setting.opt_out``: what is not in it is as it is shipped.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from heliograph.errors import Invalid
from heliograph.rules import body, optout, parts

if TYPE_CHECKING:
    from collections.abc import Mapping

SCOPES = ("global", "sender")
SOURCES = ("reply", "carrier", "person", "api", "import")
KINDS = ("stop", "start", "help")
MOST_ANSWERS = 20
LONGEST = 306  # characters of an answer: two parts of GSM 03.38

TEXTS: Mapping[str, str] = {
    "stop": "You are unsubscribed and will receive no more messages from us. Reply START to receive them again.",
    "start": "You will receive our messages again. Reply STOP to end them, HELP for help.",
    "help": "You receive messages from us because you asked for them. Reply STOP to end them.",
}
_NAMES = ("scope", "confirm", "texts", "stop", "start", "patterns", "startLifts", "answersPerHour")


@dataclass(frozen=True, slots=True)
class Settings:
    """An app's decisions. ``confirm``: whether anybody is answered; ``texts``: with what, "" with nothing.

    ``lifts``: whose entries a person's own yes takes away. ``per_hour``: answers to one person in an hour at most.
    """

    scope: str
    confirm: bool
    texts: Mapping[str, str]
    words: optout.Words
    lifts: tuple[str, ...]
    per_hour: int

    @property
    def per_sender(self) -> bool:
        """Whether a no counts for the address it was written to alone."""
        return self.scope == "sender"


def setting(sent: object, before: str | None) -> str:
    """What is to be kept once ``sent`` has changed ``before``; what is left out stays. Raises :class:`Invalid`."""
    given = body.mapping(sent, "optOut")
    for name in given:
        if name not in _NAMES:
            text = f"There is no setting optOut.{name}; there is: {', '.join(_NAMES)}"
            raise Invalid(text, field=f"optOut.{name}")
    kept: dict[str, object] = json.loads(before) if before else {}
    for name, value in given.items():
        if name == "texts":
            kept["texts"] = _texts(value, cast("Mapping[str, str]", kept.get("texts") or {}))
        elif value is None:
            kept.pop(name, None)
        else:
            kept[name] = value
    _check(kept)
    text = json.dumps(kept, ensure_ascii=False)
    read(text)
    return text


@lru_cache(maxsize=64)
def read(kept: str | None) -> Settings:
    """The settings from what is kept; None: as they are shipped."""
    found: dict[str, object] = json.loads(kept) if kept else {}
    return Settings(
        scope=cast("str", found.get("scope", "global")),
        confirm=bool(found.get("confirm", True)),
        texts={**TEXTS, **cast("Mapping[str, str]", found.get("texts", {}))},
        words=optout.with_own(found.get("stop"), found.get("start"), found.get("patterns")),
        lifts=tuple(cast("list[str]", found.get("startLifts", ["reply"]))),
        per_hour=cast("int", found.get("answersPerHour", 3)),
    )


def told(kept: str | None) -> dict[str, object]:
    """The settings as they are told and sent: all of them."""
    found: dict[str, object] = json.loads(kept) if kept else {}
    now = read(kept)
    return {
        "scope": now.scope,
        "confirm": now.confirm,
        "texts": dict(now.texts),
        "stop": found.get("stop", []),
        "start": found.get("start", []),
        "patterns": found.get("patterns", []),
        "startLifts": list(now.lifts),
        "answersPerHour": now.per_hour,
    }


def _check(kept: Mapping[str, object]) -> None:
    if kept.get("scope", "global") not in SCOPES:
        _refuse("scope", kept["scope"], "global, or sender: a no counts for the address it was written to alone")
    if not isinstance(kept.get("confirm", True), bool):
        _refuse("confirm", kept["confirm"], "true or false")
    lifts = cast("list[object]", kept.get("startLifts", ["reply"]))
    if not isinstance(kept.get("startLifts", []), list) or any(each not in SOURCES for each in lifts):
        _refuse("startLifts", kept["startLifts"], f"a list of: {', '.join(SOURCES)}")
    most = kept.get("answersPerHour", 3)
    if not isinstance(most, int) or isinstance(most, bool) or not 0 <= most <= MOST_ANSWERS:
        _refuse("answersPerHour", most, f"a whole number from 0 to {MOST_ANSWERS}")


def _texts(sent: object, before: Mapping[str, str]) -> dict[str, str]:
    given = body.mapping(sent, "optOut.texts")
    found = dict(before)
    for kind, value in given.items():
        if kind not in KINDS:
            _refuse("texts", kind, f"texts for: {', '.join(KINDS)}")
        if value is None:
            found.pop(kind, None)
        else:
            found[kind] = parts.normalise(body.text(value, f"optOut.texts.{kind}", longest=LONGEST)).strip()
    return found


def _refuse(name: str, value: object, accepted: str) -> None:
    raise Invalid(f"optOut.{name} is {body.shown(value)}. It takes {accepted}", field=f"optOut.{name}")
