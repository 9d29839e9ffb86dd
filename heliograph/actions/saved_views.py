"""Keeping a list of campaigns under a name, for oneself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.actions import audit
from heliograph.errors import Conflict, Invalid
from heliograph.store import apps, saved_views
from heliograph.store.saved_views import SavedView

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.apps import App
    from heliograph.store.database import Database

MOST = 20  # of one user in one app
LONGEST = 40  # characters of a name
LONGEST_QUERY = 500


async def keep(db: Database, app: App, user_id: int, name: str, query: str, *, now: datetime) -> SavedView:
    """Keep what an address asks for under a name; one of the same name is replaced.

    Raises Invalid for a name that is none, Conflict when there are as many as there may be.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST:
        raise Invalid(f"A view takes a name of 1 to {LONGEST} characters; this one has {len(name)}", field="name")
    view = SavedView(name, query[:LONGEST_QUERY])
    async with db.transaction() as conn:
        await apps.hold(conn, app.app_id)
        there = await saved_views.list_of(conn, app.app_id, user_id)
        if len(there) >= MOST and name not in {one.name for one in there}:
            raise Conflict(f"There are {len(there)} views of yours, and {MOST} are kept; forget one first")
        await saved_views.put(conn, app.app_id, user_id, view, now=now)
        audit.tell(f"Kept a view of the campaigns as {name}")
    return view


async def forget(db: Database, app: App, user_id: int, name: str) -> None:
    """Forget one, if it is there."""
    async with db.transaction() as conn:
        await saved_views.delete(conn, app.app_id, user_id, name)
        audit.tell(f"Forgot the view {name[:LONGEST]}")
