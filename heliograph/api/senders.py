"""Senders over HTTP; ours, as the vendor keeps its numbers on its screens. Their paths stand in routes.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Path
from starlette.responses import Response

from heliograph.actions import senders as editing
from heliograph.actions import trials
from heliograph.api import auth, envelope
from heliograph.api.carrier_accounts import tried_answer
from heliograph.api.sender_shapes import SENDER_ID
from heliograph.rules import daily
from heliograph.store import carrier_accounts, flow_users, pools, sender_pace, senders
from heliograph.store.database import Conn
from heliograph.store.pools import Pool
from heliograph.store.senders import Sender

SenderId = Annotated[
    str,
    Path(alias="senderId", description="The sender's id, `sn-…`, or its address.", examples=[SENDER_ID]),
]


async def create(call: auth.Campaigns) -> Response:
    """Create a sender on a carrier account.

    From then on campaigns with this caller id are sent through it. Runs under way go on as they began.
    """
    made = await editing.create(call.db, call.app, await call.body(), now=call.now)
    return await _one(call, made, f"Sender {made.address} created successfully")


async def list_all(call: auth.Campaigns) -> Response:
    """Every sender of the app, oldest first."""
    async with call.db.connection() as conn:
        found = await senders.list_all(conn, call.app.app_id)
        data = await _records(conn, call, found)
    return envelope.success("Senders retrieved successfully", data)


async def get(call: auth.Campaigns, sender: SenderId) -> Response:
    """One sender, by id or by address."""
    async with call.db.connection() as conn:
        found = await senders.get_named(conn, call.app.app_id, sender)
    return await _one(call, found, "Sender retrieved successfully")


async def update(call: auth.Campaigns, sender: SenderId) -> Response:
    """Change a sender's limits or its carrier account.

    Within a second workers go by it, without a restart and in the middle of a run. Whoever its used-up day held
    waits no longer when the new limit has room for them.
    """
    changed = await editing.update(call.db, call.app, sender, await call.body(), now=call.now)
    return await _one(call, changed, f"Sender {changed.address} updated successfully")


async def delete(call: auth.Campaigns, sender: SenderId) -> Response:
    """Delete a sender.

    Refused while it is in a pool, while a run under way goes through it, and when a campaign that is under way or
    scheduled would have no sender left.
    """
    gone = await editing.delete(call.db, call.app, sender, now=call.now)
    return await _one(call, gone, f"Sender {gone.address} deleted successfully")


async def test(call: auth.Campaigns, sender: SenderId) -> Response:
    """Send one text from a sender and tell what became of it.

    It leaves at once, whatever the rate, belongs to no campaign, and counts for the sender's day. A sender for any
    caller id needs `from`. A number on a global do-not-contact list is refused.
    """
    here = auth.house(call.request)
    body = await call.body()
    transcript, networks = here.settings.transcript, here.settings.carrier_private_networks
    tried = await trials.of_sender(
        call.db, here.seal, call.app, sender, body, transcript=transcript, networks=networks, now=call.now
    )
    return tried_answer(tried)


async def _one(call: auth.Call, sender: Sender, message: str) -> Response:
    async with call.db.connection() as conn:
        (data,) = await _records(conn, call, [sender])
    return envelope.success(message, data)


async def _records(conn: Conn, call: auth.Call, found: Sequence[Sender]) -> list[dict[str, object]]:
    days = {sender.sender_id: daily.day_of(call.now, sender.day_zone) for sender in found}
    used = await senders.parts_of_days(conn, call.app.app_id, days)
    learned = await sender_pace.learned(conn, call.app.app_id, list(days))
    on: dict[int, str] = {}
    for account_id in {sender.account_id for sender in found}:
        on[account_id] = (await carrier_accounts.get(conn, call.app.app_id, account_id)).public_id
    there = await pools.list_all(conn, call.app.app_id)
    records = [_record(call, sender, on[sender.account_id], there) for sender in found]
    flows = await flow_users.of_addresses(conn, call.app.app_id)
    for sender, record in zip(found, records, strict=True):
        record["experienceFlow"] = flows.get(sender.address)
        record["learnedPartsPerSecond"] = learned.get(sender.sender_id)
        record["partsToday"] = used.get(sender.sender_id, 0)
    return records


def _record(call: auth.Call, sender: Sender, account: str, there: Sequence[Pool]) -> dict[str, object]:
    held = sender.held_until
    return {
        "_id": sender.public_id,
        "address": sender.address,
        "carrierAccountId": account,
        "partsPerSecond": sender.parts_per_second,
        "learnedPartsPerSecond": None,
        "partsPerDay": sender.parts_per_day,
        "dayTimezone": sender.day_zone,
        "partsToday": 0,
        "heldUntil": None if held is None or held <= call.now else envelope.instant(held),
        "experienceFlow": None,
        "senderPools": [
            {"id": pool.public_id, "name": pool.name} for pool in there if sender.sender_id in pool.sender_ids
        ],
        "createdAt": envelope.instant(sender.created_at),
        "updatedAt": envelope.instant(sender.updated_at),
    }
