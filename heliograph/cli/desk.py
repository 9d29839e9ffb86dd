"""What a command works with: settings, an open database, the seal and the clock."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
from collections.abc import AsyncGenerator, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from heliograph import config
from heliograph.actions import audit, seal
from heliograph.errors import Invalid, NotFound
from heliograph.rules import ids
from heliograph.store import apps, campaigns
from heliograph.store.apps import App
from heliograph.store.audit import NewEntry
from heliograph.store.campaigns import Campaign
from heliograph.store.database import Conn, Database

T = TypeVar("T")

NAMED = 10

COMMAND: ContextVar[str] = ContextVar("command", default="heliograph")
"""Which command runs, such as ``heliograph campaign play``."""


@dataclass(frozen=True, slots=True)
class Desk:
    """An installation, open for one command."""

    settings: config.Settings
    db: Database
    seal: seal.Seal
    clock: config.Clock


@contextlib.asynccontextmanager
async def opened(data: Path | None = None, *, settings: config.Settings | None = None) -> AsyncGenerator[Desk]:
    """The installation in a data folder (the configured one when None); an embedded database is started for it.

    What the command then changes is written down as its: a command that only looks has no transaction that commits.
    """
    found = settings or config.read(data=data)
    db = await Database.open(found, size=2)
    db.witness = audit.write
    audit.begin(_entry(), config.utc_now)
    try:
        yield Desk(found, db, seal.from_settings(found), config.utc_now)
    finally:
        await db.close()


def _entry() -> NewEntry:
    """Who runs which command. Its options are left out: there may be secrets among them."""
    try:
        who = getpass.getuser()
    except (KeyError, OSError):  # a container's user that no file of the system knows
        who = "somebody"
    return NewEntry("command", who, who, "", COMMAND.get())


def run(work: Coroutine[Any, Any, T]) -> T:
    """Do a command's asynchronous work to its end; Ctrl-C cancels it in order."""
    return asyncio.run(work)


async def find_app(conn: Conn, ref: str | None) -> App:
    """The app with this id or name; without one, the only one there is. Raises NotFound, Invalid."""
    found = await _find_app(conn, ref)
    audit.within(found.public_id)
    return found


async def _find_app(conn: Conn, ref: str | None) -> App:
    if ref is not None and ids.looks_like("st", ref):
        return await apps.get(conn, ref)
    known = await apps.list_all(conn)
    if ref is None and not known:
        raise NotFound("There is no app yet; make one with: heliograph app create --name NAME")
    matching = known if ref is None else [app for app in known if app.name.lower() == ref.lower()]
    if not matching:
        raise NotFound(f"There is no app {ref}; heliograph app list shows those there are", field="app")
    if len(matching) > 1:
        shown = ", ".join(f"{app.public_id} ({app.name})" for app in matching[:NAMED])
        raise Invalid(f"There are {len(matching)} apps; choose one with --app: {shown}", field="app")
    return matching[0]


async def find_campaign(conn: Conn, app: App, ref: str) -> Campaign:
    """The app's campaign with this id or name. Raises NotFound."""
    if ids.looks_like("cd", ref):
        found = await campaigns.get(conn, app.app_id, ref)
    else:
        found = await campaigns.find_name(conn, app.app_id, ref)
    if found is None:
        text = f"There is no campaign {ref} in app {app.name}; heliograph campaign ls shows those there are"
        raise NotFound(text, field="campaign")
    audit.tell(f"{found.name}", object=found.public_id)
    return found
