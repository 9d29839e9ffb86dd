"""One-off texts: an app has one run per address and sender for them, hidden from its campaigns, that never ends.

And another for those that are transactional, as quiet hours do not count for these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.database import Conn

FIND_RUN = """
SELECT k.run_id FROM campaign k
WHERE k.app_id = %(app_id)s AND k.lname = %(lname)s AND k.kind = 'single' AND k.deleted_at IS NULL
"""


async def find_run(conn: Conn, app_id: int, address: str, sender_id: int, *, transactional: bool) -> int | None:
    """The run that carries one-off texts from ``address`` through a sender, if there is one already."""
    lname = _lname(address, sender_id, transactional=transactional)
    row = await (await conn.execute(FIND_RUN, {"app_id": app_id, "lname": lname})).fetchone()
    return None if row is None else int(row[0])


# A control character begins the name: no person's campaign can be called so.
INSERT_CAMPAIGN = """
INSERT INTO campaign (app_id, public_id, name, lname, kind, status, priority, format, caller_id, dialing, schedule,
                      transactional, created_at, updated_at)
VALUES (%(app_id)s, %(public_id)s, %(name)s, %(lname)s, 'single', 'Active', 5, 'simple', %(address)s, '{}', '{}',
        %(transactional)s, %(now)s, %(now)s)
ON CONFLICT (app_id, lname) WHERE deleted_at IS NULL DO NOTHING
RETURNING campaign_id
"""


async def insert_campaign(
    conn: Conn, app_id: int, public_id: str, address: str, sender_id: int, *, transactional: bool, now: datetime
) -> int | None:
    """Begin the hidden campaign of an address on a sender; None when somebody else just has."""
    values = {
        "app_id": app_id,
        "public_id": public_id,
        "name": f"One-off texts from {address}",
        "lname": _lname(address, sender_id, transactional=transactional),
        "address": address,
        "transactional": transactional,
        "now": now,
    }
    row = await (await conn.execute(INSERT_CAMPAIGN, values)).fetchone()
    return None if row is None else int(row[0])


SET_RUN = """
UPDATE campaign SET run_id = %(run_id)s WHERE app_id = %(app_id)s AND campaign_id = %(campaign_id)s
"""


async def set_run(conn: Conn, app_id: int, campaign_id: int, run_id: int) -> None:
    """Give the hidden campaign its one run."""
    await conn.execute(SET_RUN, {"app_id": app_id, "campaign_id": campaign_id, "run_id": run_id})


INSERT_MESSAGE = """
INSERT INTO message (app_id, run_id, seq, list_id, contact_seq, number, text, parts, nth)
VALUES (%(app_id)s, %(run_id)s, %(seq)s, 0, 0, %(number)s, %(text)s, %(parts)s, %(seq)s)
"""


async def insert_message(
    conn: Conn, app_id: int, run_id: int, *, seq: int, number: str, text: str | None, parts: int
) -> None:
    """Add one text, at a place that was reserved; None: it is said later, if at all."""
    values = {"app_id": app_id, "run_id": run_id, "seq": seq, "number": number, "text": text, "parts": parts}
    await conn.execute(INSERT_MESSAGE, values)


def _lname(address: str, sender_id: int, *, transactional: bool) -> str:
    return f"\x01one-off {address.lower()} {sender_id}{' transactional' if transactional else ''}"
