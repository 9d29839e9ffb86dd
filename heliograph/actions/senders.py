"""What someone can do to a sender."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.actions import audit
from heliograph.errors import InUse, Invalid
from heliograph.rules import counts, sender_body
from heliograph.rules.sender_body import Limits
from heliograph.store import bell, carrier_accounts, pools, sender_users, senders

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.apps import App
    from heliograph.store.database import Conn, Database
    from heliograph.store.senders import Sender

NAMED = 5  # campaigns named in an error before it says how many more there are


async def create(db: Database, app: App, body: object, *, now: datetime) -> Sender:
    """A new sender on one of the app's carrier accounts. Raises Invalid, NotFound, DuplicateName."""
    wanted = sender_body.sender(body)
    async with db.transaction() as conn:
        account = await carrier_accounts.keep(conn, app.app_id, wanted.account)
        audit.tell(f"Made the sender {wanted.address} on {account.name}")
        return await senders.add(
            conn,
            app.app_id,
            address=wanted.address,
            account_id=account.account_id,
            parts_per_second=wanted.limits.parts_per_second,
            parts_per_day=wanted.limits.parts_per_day,
            day_zone=wanted.limits.day_zone,
            now=now,
        )


async def update(db: Database, app: App, ref: str, body: object, *, now: datetime) -> Sender:
    """Change a sender's limits or carrier account; what is left out stays. Workers go by it within a second.

    Raises Invalid, NotFound.
    """
    wanted = sender_body.sender_changes(body)
    async with db.transaction() as conn:
        found = await senders.lock(conn, app.app_id, ref)
        if wanted.address not in (None, found.address):
            text = f"address is {wanted.address!r}. A sender keeps its address, {found.address}; create another one"
            raise Invalid(text, field="address")
        account_id = found.account_id
        if wanted.account is not None:
            account_id = (await carrier_accounts.keep(conn, app.app_id, wanted.account)).account_id
        said, limits = wanted.changed, wanted.limits
        changed = await senders.update(
            conn,
            app.app_id,
            found.sender_id,
            account_id=account_id,
            limits=Limits(
                limits.parts_per_second if "partsPerSecond" in said else found.parts_per_second,
                limits.parts_per_day if "partsPerDay" in said else found.parts_per_day,
                limits.day_zone if sender_body.TIMEZONE in said else found.day_zone,
            ),
            now=now,
        )
        await bell.ring(conn, "sender")
        audit.tell(_limited(changed), object=changed.public_id)
    return changed


async def delete(db: Database, app: App, ref: str, *, now: datetime) -> Sender:
    """Delete a sender and answer it as it was.

    Raises NotFound, and InUse while it is in a pool, while a campaign under way sends through it, or when one that
    is under way or scheduled would have nobody to be sent by.
    """
    async with db.transaction() as conn:
        found = await senders.lock(conn, app.app_id, ref)
        await _check_free(conn, app, found)
        await sender_users.end_singles(conn, app.app_id, found.sender_id, now=now)
        await senders.mark_deleted(conn, app.app_id, found.sender_id, now=now)
        audit.tell(f"Deleted the sender {found.address}", object=found.public_id)
        await bell.ring(conn, "sender")
    return found


def _limited(sender: Sender) -> str:
    """A sender's limits, for the audit."""
    second = "any number of" if sender.parts_per_second is None else f"{sender.parts_per_second:g}"
    day = "any number" if sender.parts_per_day is None else f"{sender.parts_per_day:,}"
    return f"Changed the sender {sender.address}: {second} parts a second, {day} a day"


async def _check_free(conn: Conn, app: App, found: Sender) -> None:
    names = await sender_users.campaigns_of_sender(conn, app.app_id, found.sender_id, found.address)
    if names:
        text = f"Sender {found.address} is used by {campaigns_named(names)}"
        raise InUse(f"{text}; stop or delete {counts.them(len(names))} first")
    in_pools = await pools.list_of_sender(conn, app.app_id, found.sender_id)
    if in_pools:
        shown = ", ".join(f"pool {pool.name}" for pool in in_pools[:NAMED])
        raise InUse(f"Sender {found.address} is in {shown}; take it out first")
    waiting = await sender_users.count_singles(conn, app.app_id, found.sender_id)
    if waiting:
        texts = counts.of(waiting, "text to a single person", "texts to single people")
        raise InUse(f"Sender {found.address} has {texts} waiting; try again when they have left")


def campaigns_named(names: Sequence[str]) -> str:
    """Campaigns for a sentence, the first few by name."""
    shown = ", ".join(f"campaign {name}" for name in names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"
