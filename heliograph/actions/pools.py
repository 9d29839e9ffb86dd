"""What someone can do to a pool of senders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.actions import audit
from heliograph.actions.senders import campaigns_named
from heliograph.errors import InUse, Invalid
from heliograph.rules import counts, ids, sender_body
from heliograph.store import pools, sender_users, senders

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.rules.sender_body import PoolDraft
    from heliograph.store.apps import App
    from heliograph.store.database import Conn, Database
    from heliograph.store.pools import Pool


async def create(db: Database, app: App, body: object, *, now: datetime) -> Pool:
    """A new pool of senders of the app. Raises Invalid, NotFound, DuplicateName."""
    wanted = sender_body.pool(body)
    async with db.transaction() as conn:
        public_id = ids.new("sp")
        audit.tell(f"Made the sender pool {wanted.name}", object=public_id)
        pool_id = await pools.add(conn, app.app_id, public_id=public_id, name=wanted.name, now=now)
        await pools.set_members(conn, app.app_id, pool_id, await _members(conn, app, wanted), now=now)
        return await pools.get(conn, app.app_id, public_id)


async def update(db: Database, app: App, ref: str, body: object, *, now: datetime) -> Pool:
    """Put other senders or weights into a pool. Runs under way go on as they began; people keep a sender that stays.

    Raises Invalid, NotFound.
    """
    async with db.transaction() as conn:
        found = await pools.lock(conn, app.app_id, ref)
        wanted = sender_body.pool(body, name=found.name)
        audit.tell(f"Changed the sender pool {found.name}", object=found.public_id)
        await pools.set_members(conn, app.app_id, found.pool_id, await _members(conn, app, wanted), now=now)
        return await pools.get(conn, app.app_id, found.public_id)


async def delete(db: Database, app: App, ref: str) -> Pool:
    """Delete a pool and who was texted from whom; answers it as it was. Its senders stay.

    Raises NotFound, and InUse naming the campaigns under way or scheduled that are sent from it.
    """
    async with db.transaction() as conn:
        found = await pools.lock(conn, app.app_id, ref)
        names = await sender_users.campaigns_of_pool(conn, app.app_id, sender_body.POOL + found.name)
        if names:
            text = f"Sender pool {found.name} is used by {campaigns_named(names)}"
            raise InUse(f"{text}; stop or delete {counts.them(len(names))} first")
        await pools.delete(conn, app.app_id, found.pool_id)
        audit.tell(f"Deleted the sender pool {found.name}", object=found.public_id)
    return found


async def _members(conn: Conn, app: App, wanted: PoolDraft) -> dict[int, float]:
    members: dict[int, float] = {}
    for place, (ref, weight) in enumerate(wanted.members):
        field = f"senders[{place}].sender"
        sender = await senders.keep(conn, app.app_id, ref, field=field)
        if sender.address == sender_body.ANY:
            raise Invalid(f"{field} is {ref}, which has no address of its own to text from", field=field)
        if sender.sender_id in members:
            raise Invalid(f"{field} is {ref}, which is in the list already", field=field)
        members[sender.sender_id] = weight
    return members
