"""Pools of senders over HTTP; ours. Their paths stand in routes.py."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from starlette.responses import Response

from heliograph.actions import pools as editing
from heliograph.api import auth, envelope
from heliograph.api.sender_shapes import POOL_ID
from heliograph.rules import sender_body
from heliograph.store import pools
from heliograph.store.pools import Pool

PoolId = Annotated[
    str, Path(alias="senderPoolId", description="The pool's id, `sp-…`, or its name.", examples=[POOL_ID])
]


async def create(call: auth.Campaigns) -> Response:
    """Create a pool of senders.

    A campaign is sent from it when its caller id is `pool:` and the pool's name. Each person gets all texts of the
    pool from one and the same of its senders.
    """
    made = await editing.create(call.db, call.app, await call.body(), now=call.now)
    return envelope.success(f"Sender pool {made.name} created successfully", _record(made))


async def list_all(call: auth.Campaigns) -> Response:
    """Every pool of the app, oldest first."""
    async with call.db.connection() as conn:
        found = await pools.list_all(conn, call.app.app_id)
    return envelope.success("Sender pools retrieved successfully", [_record(one) for one in found])


async def get(call: auth.Campaigns, pool: PoolId) -> Response:
    """One pool, by id or by name."""
    async with call.db.connection() as conn:
        found = await pools.get(conn, call.app.app_id, pool)
    return envelope.success("Sender pool retrieved successfully", _record(found))


async def update(call: auth.Campaigns, pool: PoolId) -> Response:
    """Put other senders or weights into a pool.

    Runs under way go on as they began. A person whose sender is no longer in it gets another with the next run.
    """
    changed = await editing.update(call.db, call.app, pool, await call.body(), now=call.now)
    return envelope.success(f"Sender pool {changed.name} updated successfully", _record(changed))


async def delete(call: auth.Campaigns, pool: PoolId) -> Response:
    """Delete a pool, unless a campaign under way or scheduled is sent from it. Its senders stay."""
    gone = await editing.delete(call.db, call.app, pool)
    return envelope.success(f"Sender pool {gone.name} deleted successfully", _record(gone))


def _record(pool: Pool) -> dict[str, object]:
    members = zip(pool.sender_public_ids, pool.addresses, pool.weights, strict=True)
    return {
        "_id": pool.public_id,
        "name": pool.name,
        "callerId": sender_body.POOL + pool.name,
        "senders": [{"_id": public_id, "address": address, "weight": weight} for public_id, address, weight in members],
        "createdAt": envelope.instant(pool.created_at),
        "updatedAt": envelope.instant(pool.updated_at),
    }
