"""What an app decides for all its campaigns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class AppSettings:
    """The settings of one app.

    ``global_dnc_applies_to_sms``: whether its global do-not-contact lists count for every campaign. With the
    vendor they are for voice only, and a text is checked against the campaign's own list alone.
    ``frequency_cap``, ``prices``: JSON as :mod:`heliograph.rules.caps` and :mod:`heliograph.rules.prices` make it;
    None: there are none.
    ``quiet_hours``: JSON as :func:`heliograph.rules.quiet.setting` makes it; None: the rules as they are shipped.
    ``opt_out``: JSON as :func:`heliograph.rules.optout_settings.setting` makes it; None: as it is shipped.
    ``plain_substitutes``: a word of :class:`heliograph.rules.plain.Plain`.
    ``conversations``: JSON as :func:`heliograph.rules.conversation.setting` makes it; None: as it is shipped.
    ``retention``: JSON as :func:`heliograph.rules.retention.setting` makes it; None: everything is kept for ever.
    ``unknown_ask``: whether carriers are asked by ourselves about messages whose fate is unknown.
    """

    global_dnc_applies_to_sms: bool = True
    unknown_ask: bool = True
    quiet_hours: str | None = None
    opt_out: str | None = None
    frequency_cap: str | None = None
    prices: str | None = None
    plain_substitutes: str = "warn"
    conversations: str | None = None
    retention: str | None = None


GET = """
SELECT global_dnc_applies_to_sms, unknown_ask, quiet_hours::text, opt_out::text, frequency_cap::text,
       prices::text, plain_substitutes, conversations::text, retention::text
FROM app_setting WHERE app_id = %(app_id)s
"""


async def get(conn: Conn, app_id: int) -> AppSettings:
    """The settings of an app: the defaults where it has decided nothing."""
    async with conn.cursor(row_factory=class_row(AppSettings)) as cursor:
        found = await (await cursor.execute(GET, {"app_id": app_id})).fetchone()
    return found or AppSettings()


PUT = """
INSERT INTO app_setting (app_id, global_dnc_applies_to_sms, unknown_ask, quiet_hours, opt_out, frequency_cap,
                         prices, plain_substitutes, conversations, retention, updated_at)
VALUES (%(app_id)s, %(global_dnc_applies_to_sms)s, %(unknown_ask)s, %(quiet_hours)s::json, %(opt_out)s::json,
        %(frequency_cap)s::json, %(prices)s::json, %(plain_substitutes)s, %(conversations)s::json,
        %(retention)s::json, %(now)s)
ON CONFLICT (app_id) DO UPDATE SET
    global_dnc_applies_to_sms = excluded.global_dnc_applies_to_sms, unknown_ask = excluded.unknown_ask,
    quiet_hours = excluded.quiet_hours, opt_out = excluded.opt_out, frequency_cap = excluded.frequency_cap,
    prices = excluded.prices, plain_substitutes = excluded.plain_substitutes,
    conversations = excluded.conversations, retention = excluded.retention, updated_at = excluded.updated_at
"""


async def put(conn: Conn, app_id: int, settings: AppSettings, *, now: datetime) -> None:
    """Keep these settings in place of those there were."""
    values = {
        "app_id": app_id,
        "global_dnc_applies_to_sms": settings.global_dnc_applies_to_sms,
        "unknown_ask": settings.unknown_ask,
        "quiet_hours": settings.quiet_hours,
        "opt_out": settings.opt_out,
        "frequency_cap": settings.frequency_cap,
        "prices": settings.prices,
        "plain_substitutes": settings.plain_substitutes,
        "conversations": settings.conversations,
        "retention": settings.retention,
        "now": now,
    }
    await conn.execute(PUT, values)
