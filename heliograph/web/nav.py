"""Where one can go: the sections of the console, and what their addresses are made of.

A section belongs to an app (``/console/<app>/<key>``) or to the whole account (``/console/<key>``). ``right`` is what
:mod:`heliograph.rules.roles` calls being allowed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

    from heliograph.store.apps import App


@dataclass(frozen=True, slots=True)
class Section:
    """One line of the navigation. ``icon``: the symbol of that id in static/icons.svg."""

    key: str
    word: str
    right: str
    icon: str
    of_app: bool = True

    def path(self, app: App | None) -> str:
        """Its address, for an app where it has one."""
        return f"/console/{app.public_id}/{self.key}" if self.of_app and app is not None else f"/console/{self.key}"


SECTIONS = (
    Section("campaigns", "Campaigns", "campaigns", "send"),
    Section("inbox", "Inbox", "inbox", "inbox"),
    Section("lists", "Lists", "lists", "people"),
    Section("opt-outs", "Opt-outs", "lists", "no"),
    Section("templates", "Templates", "templates", "text"),
    Section("flows", "Flows", "flows", "flow"),
    Section("senders", "Senders", "senders", "tower"),
    Section("reports", "Reports", "reports", "chart"),
    Section("settings", "Settings", "settings", "gear"),
    Section("api", "API", "settings", "code"),
    Section("users", "Users", "users", "key", of_app=False),
    Section("audit", "Audit", "audit", "book", of_app=False),
)


def sections(app: App | None, there: Container[str]) -> list[Section]:
    """The sections that are in ``there`` (keys), without those of an app when there is no app."""
    return [one for one in SECTIONS if one.key in there and (app is not None or not one.of_app)]
