"""What an app decides for all its campaigns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.actions import audit
from heliograph.errors import Invalid
from heliograph.rules import body as reading
from heliograph.rules import caps, conversation, optout_settings, plain, prices, quiet, retention
from heliograph.store import app_settings, bell, texted
from heliograph.store.app_settings import AppSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from heliograph.store.apps import App
    from heliograph.store.database import Conn, Database

_GLOBAL_DNC = "globalDncAppliesToSms"
_UNKNOWN_ASK = "unknownAsk"
_QUIET_HOURS = "quietHours"
_OPT_OUT = "optOut"
_TEXTS = (_QUIET_HOURS, caps.FIELD, prices.FIELD, _OPT_OUT, plain.FIELD, conversation.FIELD, retention.FIELD)


async def update(db: Database, app: App, body: Mapping[str, object], *, now: datetime) -> AppSettings:
    """Change settings, those that are in ``body``; workers go by them at once. Raises :class:`Invalid`."""
    given = {name: reading.flag(body[name], name) for name in (_GLOBAL_DNC, _UNKNOWN_ASK) if body.get(name) is not None}
    if not given and all(body.get(name) is None for name in _TEXTS):
        text = f"There is nothing to change. The body takes {', '.join((_GLOBAL_DNC, _UNKNOWN_ASK, *_TEXTS))}"
        raise Invalid(text, field=_GLOBAL_DNC)
    async with db.transaction() as conn:
        before = await app_settings.get(conn, app.app_id)
        told, cap, price, said, substitutes, talks, terms = (body.get(name) for name in _TEXTS)
        wanted = AppSettings(
            global_dnc_applies_to_sms=given.get(_GLOBAL_DNC, before.global_dnc_applies_to_sms),
            unknown_ask=given.get(_UNKNOWN_ASK, before.unknown_ask),
            quiet_hours=before.quiet_hours if told is None else quiet.setting(told, before.quiet_hours),
            opt_out=before.opt_out if said is None else optout_settings.setting(said, before.opt_out),
            frequency_cap=before.frequency_cap if cap is None else caps.setting(cap),
            prices=before.prices if price is None else prices.setting(price),
            plain_substitutes=before.plain_substitutes if substitutes is None else plain.setting(substitutes).value,
            conversations=before.conversations if talks is None else conversation.setting(talks, before.conversations),
            retention=before.retention if terms is None else retention.setting(terms, before.retention),
        )
        await _recall(conn, app, before.frequency_cap, wanted.frequency_cap, now=now)
        await app_settings.put(conn, app.app_id, wanted, now=now)
        await bell.ring(conn, "settings")
        audit.tell(f"Changed the settings: {', '.join(name for name in body if body[name] is not None)}")
    return wanted


async def _recall(conn: Conn, app: App, before: str | None, after: str | None, *, now: datetime) -> None:
    """Let caps count what left before they were there; forget it when there are none any more."""
    old, new = caps.in_force(before), caps.in_force(after)
    if new and max(cap.days for cap in new) > max((cap.days for cap in old), default=0):
        await texted.recall(conn, app.app_id, new, now=now)
    elif old and not new:
        await texted.forget(conn, app.app_id)
