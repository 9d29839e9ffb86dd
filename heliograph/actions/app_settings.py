"""What an app decides for all its campaigns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.errors import Invalid
from heliograph.rules import body as reading
from heliograph.store import app_settings
from heliograph.store.app_settings import AppSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from heliograph.store.apps import App
    from heliograph.store.database import Database

_GLOBAL_DNC = "globalDncAppliesToSms"


async def update(db: Database, app: App, body: Mapping[str, object], *, now: datetime) -> AppSettings:
    """Change settings; they count for runs that start from now on. Raises :class:`Invalid`."""
    if body.get(_GLOBAL_DNC) is None:
        raise Invalid(f"There is nothing to change. The body takes {_GLOBAL_DNC}", field=_GLOBAL_DNC)
    wanted = AppSettings(reading.flag(body[_GLOBAL_DNC], _GLOBAL_DNC))
    async with db.transaction() as conn:
        await app_settings.put(conn, app.app_id, wanted, now=now)
    return wanted
