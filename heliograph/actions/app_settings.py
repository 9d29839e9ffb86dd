"""What an app decides for all its campaigns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.errors import Invalid
from heliograph.rules import body as reading
from heliograph.rules import quiet
from heliograph.store import app_settings, bell
from heliograph.store.app_settings import AppSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from heliograph.store.apps import App
    from heliograph.store.database import Database

_GLOBAL_DNC = "globalDncAppliesToSms"
_UNKNOWN_ASK = "unknownAsk"
_QUIET_HOURS = "quietHours"


async def update(db: Database, app: App, body: Mapping[str, object], *, now: datetime) -> AppSettings:
    """Change settings, those that are in ``body``; workers go by them at once. Raises :class:`Invalid`."""
    given = {name: reading.flag(body[name], name) for name in (_GLOBAL_DNC, _UNKNOWN_ASK) if body.get(name) is not None}
    if not given and body.get(_QUIET_HOURS) is None:
        text = f"There is nothing to change. The body takes {_GLOBAL_DNC}, {_UNKNOWN_ASK}, {_QUIET_HOURS}"
        raise Invalid(text, field=_GLOBAL_DNC)
    async with db.transaction() as conn:
        before = await app_settings.get(conn, app.app_id)
        told = body.get(_QUIET_HOURS)
        wanted = AppSettings(
            global_dnc_applies_to_sms=given.get(_GLOBAL_DNC, before.global_dnc_applies_to_sms),
            unknown_ask=given.get(_UNKNOWN_ASK, before.unknown_ask),
            quiet_hours=before.quiet_hours if told is None else quiet.setting(told, before.quiet_hours),
        )
        await app_settings.put(conn, app.app_id, wanted, now=now)
        await bell.ring(conn, "settings")
    return wanted
