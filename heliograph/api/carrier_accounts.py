"""Carrier accounts over HTTP; ours, as the vendor has one provider and keeps it on its screens. See routes.py."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from starlette.responses import Response

from heliograph.actions import carrier_accounts as editing
from heliograph.actions import carrier_health, trials
from heliograph.api import auth, envelope
from heliograph.api.sender_shapes import CARRIER_ACCOUNT_ID
from heliograph.store import carrier_accounts, senders
from heliograph.store.carrier_accounts import CarrierAccount
from heliograph.store.senders import Sender

CarrierAccountId = Annotated[
    str,
    Path(
        alias="carrierAccountId",
        description="The carrier account's id, `ca-…`, or its name.",
        examples=[CARRIER_ACCOUNT_ID],
    ),
]


async def create(call: auth.Campaigns) -> Response:
    """Create a carrier account.

    Its settings are checked as if it were to be used at once; nothing is sent.
    """
    seal = auth.house(call.request).seal
    made = await editing.create(call.db, seal, call.app, await call.body(), now=call.now)
    return envelope.success(f"Carrier account {made.name} created successfully", _record(made, []))


async def list_all(call: auth.Campaigns) -> Response:
    """Every carrier account of the app, oldest first."""
    async with call.db.connection() as conn:
        found = await carrier_accounts.list_all(conn, call.app.app_id)
        there = await senders.list_all(conn, call.app.app_id)
    data = [_record(one, there) for one in found]
    return envelope.success("Carrier accounts retrieved successfully", data)


async def get(call: auth.Campaigns, account: CarrierAccountId) -> Response:
    """One carrier account, by id or by name."""
    async with call.db.connection() as conn:
        found = await carrier_accounts.get_named(conn, call.app.app_id, account)
        there = await senders.list_of_account(conn, call.app.app_id, found.account_id)
    return envelope.success("Carrier account retrieved successfully", _record(found, there))


async def update(call: auth.Campaigns, account: CarrierAccountId) -> Response:
    """Change a carrier account's name or settings.

    Within a second workers open its line anew, with answers on their way still heard.
    """
    seal = auth.house(call.request).seal
    changed = await editing.update(call.db, seal, call.app, account, await call.body(), now=call.now)
    async with call.db.connection() as conn:
        there = await senders.list_of_account(conn, call.app.app_id, changed.account_id)
    return envelope.success(f"Carrier account {changed.name} updated successfully", _record(changed, there))


async def delete(call: auth.Campaigns, account: CarrierAccountId) -> Response:
    """Delete a carrier account and its secrets, unless a sender uses it."""
    gone = await editing.delete(call.db, call.app, account, now=call.now)
    return envelope.success(f"Carrier account {gone.name} deleted successfully", _record(gone, []))


async def resume(call: auth.Campaigns, account: CarrierAccountId) -> Response:
    """Let texts go through a paused carrier account again.

    An account is paused when its carrier refuses its credentials. Workers open its line anew within a second; if the
    carrier still refuses, it is paused again. Changing its settings resumes it too.
    """
    resumed = await editing.resume(call.db, call.app, account)
    async with call.db.connection() as conn:
        there = await senders.list_of_account(conn, call.app.app_id, resumed.account_id)
    return envelope.success(f"Carrier account {resumed.name} resumed successfully", _record(resumed, there))


async def health(call: auth.Campaigns, account: CarrierAccountId) -> Response:
    """How a carrier account does.

    Its lines, its rate, what its carrier refused in the last hour, how late receipts are, what it said last.
    """
    async with call.db.connection() as conn:
        found = await carrier_accounts.get_named(conn, call.app.app_id, account)
        (seen,) = await carrier_health.read(conn, call.app.app_id, [found], now=call.now)
    return envelope.success("Carrier account health retrieved successfully", told(seen))


def told(seen: carrier_health.Health) -> dict[str, object]:
    """Health as it is answered."""
    return {
        "state": seen.state,
        "since": None if seen.since is None else envelope.instant(seen.since),
        "lastWords": seen.words,
        "lines": [
            {
                "worker": line.worker,
                "state": line.state,
                "since": envelope.instant(line.since),
                "lastWords": line.words,
                "nextTryAt": None if line.next_try_at is None else envelope.instant(line.next_try_at),
            }
            for line in seen.lines
        ],
        "textsPerSecond": round(seen.rate, 2),
        "partsPerSecondLimit": seen.limit,
        "lastHour": dict(sorted(seen.last_hour.items())),
        "receiptSeconds": None if seen.lag is None else {"p50": round(seen.lag[0], 3), "p95": round(seen.lag[1], 3)},
        "unreadCalls": seen.unread,
    }


async def test(call: auth.Campaigns, account: CarrierAccountId) -> Response:
    """Send one text through a carrier account and tell what became of it.

    It leaves at once, whatever the rates, and belongs to no campaign. Without `from` it is sent from the account's
    first sender. A number on a global do-not-contact list is refused.
    """
    here = auth.house(call.request)
    body = await call.body()
    transcript, networks = here.settings.transcript, here.settings.carrier_private_networks
    tried = await trials.of_account(
        call.db, here.seal, call.app, account, body, transcript=transcript, networks=networks, now=call.now
    )
    return tried_answer(tried)


def tried_answer(tried: trials.Trial) -> Response:
    """The answer that tells of a test."""
    data = {
        "outcome": tried.outcome,
        "from": tried.sender,
        "to": tried.to,
        "reference": tried.reference,
        "code": tried.code,
        "detail": tried.detail,
    }
    how = "could not be sent: the line is down" if tried.outcome == "down" else f"was {tried.outcome}"
    return envelope.success(f"The test text {how}", data)


def _record(account: CarrierAccount, there: list[Sender]) -> dict[str, object]:
    on_it = [sender for sender in there if sender.account_id == account.account_id]
    return {
        "_id": account.public_id,
        "name": account.name,
        "kind": account.kind,
        "settings": account.settings,
        "secrets": account.secret_names,
        "senders": [{"id": sender.public_id, "address": sender.address} for sender in on_it],
        "createdAt": envelope.instant(account.created_at),
        "updatedAt": envelope.instant(account.updated_at),
    }
