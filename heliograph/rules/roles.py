"""Who may do what in the console: roles, rights, and the one table that joins them.

The vendor has two switches for its campaign product: whether a role has the *campaign module* at all (on for Owner,
Developer and Supervisor; off for Tester and Agent unless somebody switches it on for them), and how far "SMS Campaigns"
goes inside it (Full for Owner, Developer, Tester and Supervisor; None for Agent). Both count: what belongs to campaigns
is as the table says where the module is on, and nothing where it is off.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from heliograph.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping


class Role(StrEnum):
    """What somebody is, for every app or for one. From the one who may most down."""

    OWNER = "Owner"
    DEVELOPER = "Developer"
    SUPERVISOR = "Supervisor"
    TESTER = "Tester"
    AGENT = "Agent"


class Right(StrEnum):
    """A part of the console that one is let into, or not."""

    CAMPAIGNS = "campaigns"
    LISTS = "lists"
    TEMPLATES = "templates"
    FLOWS = "flows"
    REPORTS = "reports"
    INBOX = "inbox"
    SENDERS = "senders"
    SETTINGS = "settings"
    USERS = "users"
    AUDIT = "audit"


class Level(IntEnum):
    """How far a right goes."""

    NONE = 0
    VIEW = 1
    FULL = 2


@dataclass(frozen=True, slots=True)
class Meaning:
    """A right in words: what looking is, and what more one may do who has it in full."""

    view: str
    full: str


MEANING = {
    Right.CAMPAIGNS: Meaning(
        "Campaigns, their numbers and their people",
        "make, change, start, pause, resume, stop and delete them; press the panic button",
    ),
    Right.LISTS: Meaning(
        "Contact lists, do-not-contact lists, opt-outs", "bring people in, change and delete; record a no or a yes"
    ),
    Right.TEMPLATES: Meaning("Texts kept under a name", "make, change and delete them"),
    Right.FLOWS: Meaning("Flows and their numbers", "draw, change, publish and delete them"),
    Right.REPORTS: Meaning("Reports, and files of them", "have them sent by a schedule"),
    Right.INBOX: Meaning("Conversations", "answer, hand over and close them"),
    Right.SENDERS: Meaning(
        "Senders and carriers, and how they do", "add and change them, their rates, and send a text for a test"
    ),
    Right.SETTINGS: Meaning("An app's settings and its clients", "change them, make clients and apps"),
    Right.USERS: Meaning("Who may sign in", "invite, change and disable users"),
    Right.AUDIT: Meaning("Who did what, when and from where", "nothing more: nobody changes the audit"),
}

MODULE_ON = frozenset({Role.OWNER, Role.DEVELOPER, Role.SUPERVISOR})
"""Who has the vendor's campaign module unless it is switched for them."""

MODULE = frozenset({Right.CAMPAIGNS, Right.LISTS, Right.TEMPLATES, Right.FLOWS, Right.REPORTS})
"""What belongs to the campaign module."""

_N, _V, _F = Level.NONE, Level.VIEW, Level.FULL
_ORDER = (Role.OWNER, Role.DEVELOPER, Role.SUPERVISOR, Role.TESTER, Role.AGENT)

# With the module on. The row of campaigns is the vendor's "SMS Campaigns"; what a campaign is made of follows it.
TABLE: dict[Right, dict[Role, Level]] = {
    right: dict(zip(_ORDER, levels, strict=True))
    for right, levels in {
        Right.CAMPAIGNS: (_F, _F, _F, _F, _N),
        Right.LISTS: (_F, _F, _F, _F, _N),
        Right.TEMPLATES: (_F, _F, _F, _F, _N),
        Right.FLOWS: (_F, _F, _F, _F, _N),
        Right.REPORTS: (_F, _F, _F, _V, _N),
        Right.INBOX: (_F, _F, _F, _V, _F),
        Right.SENDERS: (_F, _F, _V, _V, _N),
        Right.SETTINGS: (_F, _F, _V, _N, _N),
        Right.USERS: (_F, _N, _N, _N, _N),
        Right.AUDIT: (_V, _V, _V, _N, _N),
    }.items()
}


@dataclass(frozen=True, slots=True)
class Grant:
    """A role, with the campaign module switched on or off for whoever has it; None: as the role has it."""

    role: Role
    module: bool | None = None

    def level(self, right: Right) -> Level:
        """How far ``right`` goes."""
        module = self.role in MODULE_ON if self.module is None else self.module
        return Level.NONE if right in MODULE and not module else TABLE[right][self.role]

    def may(self, right: Right, *, act: bool = False) -> bool:
        """Whether one may look, or with ``act`` do something."""
        return self.level(right) >= (Level.FULL if act else Level.VIEW)


@dataclass(frozen=True, slots=True)
class Grants:
    """All that one user was given: a grant for every app, and grants for single ones (by ``st-`` id).

    An app's own grant counts instead of the one for every app: it may be more, and it may be less.
    """

    every: Grant | None = None
    of_app: Mapping[str, Grant] = field(default_factory=dict[str, Grant])

    def grant(self, app: str | None) -> Grant | None:
        """What counts in an app; without one: for the whole installation."""
        return self.every if app is None else self.of_app.get(app, self.every)

    def may(self, right: Right, app: str | None, *, act: bool = False) -> bool:
        """Whether one may look, or with ``act`` do something, in an app; without one: in the whole installation."""
        found = self.grant(app)
        return found is not None and found.may(right, act=act)

    def may_anywhere(self, right: Right, *, act: bool = False) -> bool:
        """Whether there is an app where one may."""
        return any(one.may(right, act=act) for one in (self.every, *self.of_app.values()) if one is not None)

    def may_everywhere(self, right: Right, *, act: bool = False) -> bool:
        """Whether one may in every app that there is, and will be."""
        return self.every is not None and all(one.may(right, act=act) for one in (self.every, *self.of_app.values()))


def may(role: Role, right: Right, *, act: bool = False) -> bool:
    """Whether a role may look, or with ``act`` do something, while the module is as the role has it."""
    return Grant(role).may(right, act=act)


def read(word: str, field: str = "role") -> Role:
    """The role called so, however it is capitalised. Raises :class:`Invalid`."""
    found = next((role for role in Role if role.lower() == word.strip().lower()), None)
    if found is None:
        raise Invalid(f"{field} is {word[:60]!r}, and one of these is expected: {', '.join(Role)}", field=field)
    return found


def read_mapping(text: str, field: str = "roles") -> list[tuple[str, Role]]:
    """What words elsewhere mean here, in their order: ``sms-admins=Owner, marketing=Supervisor``.

    Raises :class:`Invalid`.
    """
    found: list[tuple[str, Role]] = []
    for pair in text.split(",") if text.strip() else ():
        word, is_, role = pair.rpartition("=")
        if not is_ or not word.strip():
            raise Invalid(f"{field} has {pair.strip()[:60]!r}, and WORD=ROLE is expected", field=field)
        found.append((word.strip(), read(role, field)))
    return found


def with_right(right: Right, *, act: bool = False) -> list[Role]:
    """The roles that have it by themselves, for the sentence that turns somebody else away."""
    return [role for role in Role if may(role, right, act=act)]
