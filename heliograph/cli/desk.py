"""What a command works with: settings, an open database, the seal and the clock."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from heliograph import config
from heliograph.actions import seal
from heliograph.errors import Invalid, NotFound
from heliograph.rules import ids
from heliograph.store import apps, campaigns
from heliograph.store.apps import App
from heliograph.store.campaigns import Campaign
from heliograph.store.database import Conn, Database

T = TypeVar("T")

NAMED = 10


@dataclass(frozen=True, slots=True)
class Desk:
    """An installation, open for one command."""

    settings: config.Settings
    db: Database
    seal: seal.Seal
    clock: config.Clock


@contextlib.asynccontextmanager
async def opened(data: Path | None = None, *, settings: config.Settings | None = None) -> AsyncGenerator[Desk]:
    """The installation in a data folder (the configured one when None); an embedded database is started for it."""
    found = settings or config.read(data=data)
    db = await Database.open(found, size=2)
    try:
        yield Desk(found, db, seal.from_settings(found), config.utc_now)
    finally:
        await db.close()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Do a command's asynchronous work to its end; Ctrl-C cancels it in order."""
    return asyncio.run(work)


async def find_app(conn: Conn, ref: str | None) -> App:
    """The app with this id or name; without one, the only one there is. Raises NotFound, Invalid."""
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
        return await campaigns.get(conn, app.app_id, ref)
    found = await campaigns.find_name(conn, app.app_id, ref)
    if found is None:
        text = f"There is no campaign {ref} in app {app.name}; heliograph campaign ls shows those there are"
        raise NotFound(text, field="campaign")
    return found
