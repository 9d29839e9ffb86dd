"""What carriers call us with: believed or not when it comes in, worked on after it was stored."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

from heliograph.actions import carrier_lines, secrets
from heliograph.actions import receipts as receipt_actions
from heliograph.actions import replies as reply_actions
from heliograph.carriers import registry
from heliograph.carriers.base import Answering, Call, ReceiptState
from heliograph.errors import Invalid
from heliograph.store import carrier_accounts, carrier_counts, locks, receipts, webhook_calls

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from heliograph.actions.seal import Seal
    from heliograph.carriers.base import Reply, Webhook
    from heliograph.store.carrier_accounts import CarrierAccount
    from heliograph.store.database import Database

log = logging.getLogger(__name__)

AT_ONCE = 500
KEEP_ASIDE = 1_000  # of an account's calls that cannot be read
UNSTORED = frozenset({"authorization", "proxy-authorization", "cookie", "host", "connection", "content-length"})
"""Headers that are needed by nobody who reads a call, or are secrets."""


@dataclass(frozen=True, slots=True)
class Door:
    """What is needed to let calls of one account in."""

    account: CarrierAccount
    webhook: Webhook
    settings: Mapping[str, object]

    def stored(self, call: Call) -> webhook_calls.NewCall | None:
        """The call as it is to be stored; None when it is not the carrier's, whatever the reason."""
        try:
            if not self.webhook.verify(self.settings, call):
                return None
        except Exception as error:  # noqa: BLE001  # a fault in telling who calls is no reason to believe it
            log.error("webhook_fault account=%s type=%s", self.account.public_id, type(error).__name__)  # noqa: TRY400  # a traceback could hold numbers, texts, secrets
            return None
        told = {name: _storable(value) for name, value in call.headers.items() if name not in UNSTORED}
        return webhook_calls.NewCall(
            self.account.app_id,
            self.account.account_id,
            _storable(call.method),
            _storable(self._without_secrets(call.url)),
            told,
            call.body,
            call.at,
        )

    @property
    def words(self) -> str:
        """What a call that was stored is answered with: nothing, but for the carriers that insist."""
        return self.webhook.answer(self.settings) if isinstance(self.webhook, Answering) else ""

    def _without_secrets(self, url: str) -> str:
        for name in self.account.secret_names:
            value = self.settings.get(name)
            if isinstance(value, str) and value:
                for shown in {value, quote(value), quote(value, safe=""), quote_plus(value)}:
                    url = url.replace(shown, "…")
        return url


async def door(db: Database, seal: Seal, ref: str) -> Door | None:
    """The door for calls about the account with this public id; None when there is no such account or door."""
    async with db.connection() as conn:
        account = await carrier_accounts.find_public(conn, ref)
    webhook = None if account is None else registry.webhook(account.kind)
    if account is None or webhook is None:
        return None
    return Door(account, webhook, secrets.all_settings(seal, account))


@dataclass(slots=True)
class _Said:
    """What some calls said, together."""

    receipts: list[receipts.NewReceipt] = field(default_factory=list[receipts.NewReceipt])
    replies: list[Reply] = field(default_factory=list["Reply"])
    unread: dict[int, str] = field(default_factory=dict[int, str])  # call → why


async def work(db: Database, seal: Seal, app_id: int, account_id: int, *, now: datetime) -> int:
    """Work on the calls of an account that came first; answers how many, 0 when another worker is at it.

    What they say is kept and they are gone in one transaction, so that each is worked on once, and in order.
    """
    async with db.transaction() as conn:
        if not await locks.try_hold(conn, locks.Kind.CALLS, account_id):
            return 0
        stored = await webhook_calls.read_next(conn, app_id, account_id, limit=AT_ONCE)
        if not stored:
            return await reply_actions.join(conn, app_id, account_id, now=now)
        said = _read(await carrier_accounts.get(conn, app_id, account_id), seal, stored)
        here = db.inside(conn)
        if said.receipts:
            await receipt_actions.record(here, app_id, account_id, said.receipts, now=now)
        if said.replies:
            await reply_actions.keep(conn, app_id, account_id, said.replies, now=now)
        await reply_actions.join(conn, app_id, account_id, now=now)
        counted = Counter(carrier_lines.class_of(ReceiptState(r.status), r.code) for r in said.receipts)
        if counted:
            counts = [carrier_counts.Count(app_id, account_id, what, n) for what, n in sorted(counted.items())]
            await carrier_counts.add(conn, counts, now=now)
        if said.unread:
            await webhook_calls.set_aside(conn, app_id, account_id, said.unread)
            await webhook_calls.forget_aside(conn, app_id, account_id, keep=KEEP_ASIDE)
        await webhook_calls.remove(conn, app_id, account_id, [call.call_id for call in stored])
    return len(stored)


def _read(account: CarrierAccount, seal: Seal, stored: list[webhook_calls.StoredCall]) -> _Said:
    said, webhook = _Said(), registry.webhook(account.kind)
    if webhook is None:
        said.unread = {call.call_id: f"carriers of kind {account.kind} do not call" for call in stored}
        return said
    settings = secrets.all_settings(seal, account)
    for row in stored:
        query = parse_qsl(urlsplit(row.url).query, keep_blank_values=True)
        call = Call(row.method, row.url, query, row.headers, row.body, row.received_at)
        try:
            heard = webhook.read(settings, call)
        except Invalid as error:
            said.unread[row.call_id] = error.message[:500]
        except Exception as error:  # noqa: BLE001  # one call that breaks its reader must not keep the others waiting
            log.error("webhook_fault account=%s type=%s", account.public_id, type(error).__name__)  # noqa: TRY400  # a traceback could hold numbers and texts
            said.unread[row.call_id] = f"reading it failed: {type(error).__name__}"
        else:
            said.receipts += [receipts.NewReceipt(r.ref, r.state.value, r.code, r.at) for r in heard.receipts]
            said.replies += heard.replies
    return said


def _storable(text: str) -> str:
    """The text without what PostgreSQL cannot hold."""
    return text.replace("\0", "").encode(errors="replace").decode()
