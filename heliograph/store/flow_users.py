"""Who uses a flow: campaigns, the app itself, senders."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


class User(NamedTuple):
    """A campaign or a sender that uses a flow: its public id, and its name or address."""

    public_id: str
    name: str


# By the index campaign_flow.
CAMPAIGNS = """
SELECT flow_id, public_id, name FROM campaign
WHERE app_id = %(app_id)s AND flow_id = ANY(%(flow_ids)s) AND deleted_at IS NULL
ORDER BY campaign_id
"""


async def campaigns(conn: Conn, app_id: int, flow_ids: Sequence[str]) -> dict[str, list[User]]:
    """The campaigns that run each of these flows (by public id)."""
    rows = await (await conn.execute(CAMPAIGNS, {"app_id": app_id, "flow_ids": list(flow_ids)})).fetchall()
    return _by_flow(rows)


SENDERS = """
SELECT flow_id, public_id, address FROM sender
WHERE app_id = %(app_id)s AND flow_id IS NOT NULL AND deleted_at IS NULL
ORDER BY sender_id
"""


async def senders(conn: Conn, app_id: int) -> dict[str, list[User]]:
    """The senders that a flow is attached to, by the flow."""
    return _by_flow(await (await conn.execute(SENDERS, {"app_id": app_id})).fetchall())


OF_SENDER = "SELECT flow_id FROM sender WHERE app_id = %(app_id)s AND sender_id = %(sender_id)s"


async def of_sender(conn: Conn, app_id: int, sender_id: int) -> str | None:
    """The flow that is attached to a sender, or None."""
    row = await (await conn.execute(OF_SENDER, {"app_id": app_id, "sender_id": sender_id})).fetchone()
    return None if row is None or row[0] is None else str(row[0])


ADDRESSES = """
SELECT address, flow_id FROM sender
WHERE app_id = %(app_id)s AND flow_id IS NOT NULL AND deleted_at IS NULL
"""


async def of_addresses(conn: Conn, app_id: int) -> dict[str, str]:
    """The flow that is attached to each address of ours that has one, by the address as its sender writes it."""
    rows = await (await conn.execute(ADDRESSES, {"app_id": app_id})).fetchall()
    return {str(address): str(flow_id) for address, flow_id in rows}


DEFAULT = "SELECT default_flow_id FROM app_setting WHERE app_id = %(app_id)s"


async def default(conn: Conn, app_id: int) -> str | None:
    """The flow for whoever writes without a conversation, or None."""
    row = await (await conn.execute(DEFAULT, {"app_id": app_id})).fetchone()
    return None if row is None or row[0] is None else str(row[0])


SET_DEFAULT = """
INSERT INTO app_setting (app_id, default_flow_id, updated_at) VALUES (%(app_id)s, %(flow_id)s, %(now)s)
ON CONFLICT (app_id) DO UPDATE SET default_flow_id = excluded.default_flow_id, updated_at = excluded.updated_at
"""


async def set_default(conn: Conn, app_id: int, flow_id: str | None, *, now: datetime) -> None:
    """Give whoever writes without a conversation this flow; None: none."""
    await conn.execute(SET_DEFAULT, {"app_id": app_id, "flow_id": flow_id, "now": now})


ATTACH = """
UPDATE sender SET flow_id = %(flow_id)s, updated_at = %(now)s
WHERE app_id = %(app_id)s AND sender_id = %(sender_id)s AND deleted_at IS NULL
"""


async def attach(conn: Conn, app_id: int, sender_id: int, flow_id: str | None, *, now: datetime) -> None:
    """Give a sender this flow, in place of the one it has; None: none."""
    await conn.execute(ATTACH, {"app_id": app_id, "sender_id": sender_id, "flow_id": flow_id, "now": now})


def _by_flow(rows: Sequence[tuple[object, ...]]) -> dict[str, list[User]]:
    found: dict[str, list[User]] = {}
    for flow_id, public_id, name in rows:
        found.setdefault(str(flow_id), []).append(User(str(public_id), str(name)))
    return found
