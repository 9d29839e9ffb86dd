"""Sending one text to see whether a carrier account or a sender works.

The line is opened for this text alone, by whoever asks, and closed again: that proves the settings as they are now,
and needs no worker. It is outside every run and rate; a sender's day counts it, and do-not-contact lists hold.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from heliograph.actions import panics, replies, secrets
from heliograph.actions import receipts as hearing
from heliograph.carriers import registry
from heliograph.carriers.base import Accepted, Deferred, LineState, Lost, ReceiptState, Refused, Text
from heliograph.errors import CarrierDown, Conflict, HeliographError, Invalid
from heliograph.rules import daily, ids, parts, phone, sender_body
from heliograph.store import carrier_accounts, dnc, locks, receipts, senders
from heliograph.store.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from heliograph.actions.seal import Seal
    from heliograph.carriers.base import Carrier, Outcome, Receipt, Reply
    from heliograph.rules.address import Network
    from heliograph.rules.sender_body import TrialDraft
    from heliograph.store.apps import App
    from heliograph.store.carrier_accounts import CarrierAccount
    from heliograph.store.database import Conn, Database
    from heliograph.store.senders import Sender

log = logging.getLogger(__name__)

WORDS = "This is a test message. Your sender works."
PATIENCE = 10.0  # seconds for the carrier's answer
LOOK = 0.2  # seconds between looks for a receipt


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of the text.

    ``outcome``: accepted, refused (for good), deferred (ask again later), lost (no answer came: it may have left) or
    down (the line could not be opened, or broke before anything left). ``reference``: the carrier's id, when accepted.
    ``receipt``: delivered or failed, when it was waited for and has come; ``code`` is its reason then.
    """

    sender: str
    to: str
    outcome: str
    reference: str | None = None
    code: str | None = None
    detail: str = ""
    receipt: str | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """How a line is opened for a trial, besides its settings; see :class:`heliograph.carriers.kind.Opening`.

    ``sender``: the one whose address it is, if there is one.
    """

    name: str
    transcript: Path
    networks: Sequence[Network]
    webhook_url: str | None = None
    sender: Sender | None = None


class _Ear:
    """Keeps what the line says on its own while it is open."""

    def __init__(self) -> None:
        self.heard: list[Receipt] = []
        self.written: list[Reply] = []
        self.words = ""

    def receipts(self, said: Sequence[Receipt], /) -> None:
        """See :class:`heliograph.carriers.base.Listener`."""
        self.heard += said

    def replies(self, said: Sequence[Reply], /) -> None:
        """See :class:`heliograph.carriers.base.Listener`."""
        self.written += said

    def line(self, state: LineState, words: str, /) -> None:
        """See :class:`heliograph.carriers.base.Listener`."""
        if state is not LineState.UP:
            self.words = words


async def of_account(
    db: Database,
    seal: Seal,
    app: App,
    ref: str,
    body: object,
    *,
    transcript: Path,
    networks: Sequence[Network],
    now: datetime,
    webhook_url: str | None = None,
    follow: float = 0.0,
) -> Trial:
    """Send one text through a carrier account, from one of its senders unless the body names another address.

    ``follow``: seconds to wait at most for its receipt, whoever hears it: our own line, a worker's, or the webhook,
    whose ``webhook_url`` the carrier is told. Raises Invalid, NotFound, and Conflict when the number may not be texted
    or the sender's day is used up.
    """
    wanted = sender_body.trial(body)
    async with db.connection() as conn:
        account = await carrier_accounts.get_named(conn, app.app_id, ref)
        on_it = [s for s in await senders.list_of_account(conn, app.app_id, account.account_id) if s.address != "*"]
        address = wanted.sender or (on_it[0].address if on_it else None)
        if address is None:
            raise Invalid("from is missing. It takes the address to send from, as the account has none", field="from")
        await _check(conn, app, wanted, now)
    sender = next((s for s in on_it if s.address == address), None)
    await _count(db, app, sender, now)
    way = Way(account.public_id, transcript, networks, webhook_url, sender)
    return await _send(db, seal, account, address, wanted.to, way=way, now=now, follow=follow)


async def of_sender(
    db: Database,
    seal: Seal,
    app: App,
    ref: str,
    body: object,
    *,
    transcript: Path,
    networks: Sequence[Network],
    now: datetime,
    words: str = WORDS,
) -> Trial:
    """Send one text from a sender, ``words``. One that serves any caller id needs ``from``.

    Raises as :func:`of_account`.
    """
    wanted = sender_body.trial(body)
    async with db.connection() as conn:
        sender = await senders.get_named(conn, app.app_id, ref)
        account = await carrier_accounts.get(conn, app.app_id, sender.account_id)
        address = sender.address
        if address == sender_body.ANY:
            if wanted.sender is None:
                raise Invalid("from is missing. It takes the address to send from, as this sender is *", field="from")
            address = wanted.sender
        elif wanted.sender not in (None, address):
            raise Invalid(f"from is {wanted.sender}. This sender sends from {address} only", field="from")
        await _check(conn, app, wanted, now)
    await _count(db, app, sender, now, words)
    way = Way(account.public_id, transcript, networks, sender=sender)
    return await _send(db, seal, account, address, wanted.to, way=way, now=now, words=words)


async def _check(conn: Conn, app: App, wanted: TrialDraft, now: datetime) -> None:
    """Refuse a number that said no, whatever the app's settings say of texts."""
    everywhere = await dnc.list_global(conn, app.app_id)
    if await dnc.find_blocked(conn, app.app_id, everywhere, [wanted.to], now, address=wanted.sender or ""):
        raise Conflict(f"{wanted.to} is on a do-not-contact list, so nothing was sent", field="to")


async def _count(db: Database, app: App, sender: Sender | None, now: datetime, words: str = WORDS) -> None:
    """Count the text for the day of its sender before it leaves.

    Raises Conflict when the day has no room for it, and when the panic button holds the sender or the app.

    On a connection of its own, so that it is committed at once even inside a longer transaction: a lane waits for
    this row, and a stop for the lane.
    """
    async with db.connection() as conn:
        await panics.check(conn, app.app_id, _ids(sender))
    if sender is None:
        return
    today = daily.day_of(now, sender.day_zone)
    conn = await db.connect()
    async with conn:
        if not await senders.count_parts(conn, sender, today, parts.measure(words).parts):
            raise Conflict(f"Sender {sender.address} has used up its {sender.parts_per_day} parts of {today}")


def _ids(sender: Sender | None) -> list[int]:
    return [] if sender is None else [sender.sender_id]


async def _send(
    db: Database,
    seal: Seal,
    account: CarrierAccount,
    address: str,
    to: str,
    *,
    way: Way,
    now: datetime,
    follow: float = 0.0,
    words: str = WORDS,
) -> Trial:
    ear = _Ear()
    text = Text(message_id=ids.new("msg"), sender=address, to=to, text=words, parts=parts.measure(words).parts)
    try:
        carrier = await registry.open_carrier(
            account.kind,
            secrets.all_settings(seal, account),
            listener=ear,
            name=way.name,
            transcript=way.transcript,
            webhook_url=way.webhook_url,
            networks=way.networks,
        )
    except HeliographError as error:
        return Trial(address, to, "down", detail=error.message)
    try:
        trial = await _submit(db, account.app_id, way.sender, carrier, text)
        if follow and trial.reference is not None:
            trial = await _followed(db, account, ear, trial, trial.reference, follow)
    finally:
        await carrier.close()
    await _keep_the_rest(db, account, ear, trial, now)
    if trial.outcome != "accepted" and not trial.detail:
        trial = replace(trial, detail=ear.words)
    log.info("trial account=%s to=%s outcome=%s", account.public_id, phone.mask(to), trial.outcome)
    return trial


async def _followed(
    db: Database, account: CarrierAccount, ear: _Ear, trial: Trial, reference: str, seconds: float
) -> Trial:
    """The trial with its receipt, once that is final; as it was after ``seconds``.

    What others hear of it belongs to no campaign, so it stands among the receipts that came early.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while loop.time() < until:
        for receipt in ear.heard:
            if receipt.ref == reference and receipt.state is not ReceiptState.ACCEPTED:
                return replace(trial, receipt=receipt.state.value, code=receipt.code or None)
        async with db.connection() as conn:
            parked = await receipts.find_parked(conn, account.app_id, account.account_id, reference)
        if parked is not None and parked.status != ReceiptState.ACCEPTED.value:
            return replace(trial, receipt=parked.status, code=parked.code or None)
        await asyncio.sleep(LOOK)
    return trial


async def _keep_the_rest(db: Database, account: CarrierAccount, ear: _Ear, trial: Trial, now: datetime) -> None:
    """Keep what a line brought that was owed to the account's other texts, and what people wrote."""
    others = [receipt for receipt in ear.heard if receipt.ref != trial.reference]
    if others:
        said = [receipts.NewReceipt(r.ref, r.state.value, r.code, r.at) for r in others]
        await hearing.record(db, account.app_id, account.account_id, said, now=now)
    if ear.written:
        async with db.transaction() as conn:
            await replies.keep(conn, account.app_id, account.account_id, ear.written, now=now)


async def _submit(db: Database, app_id: int, sender: Sender | None, carrier: Carrier, text: Text) -> Trial:
    try:
        async with Session.open(db) as session:
            async with session.use() as conn:
                if not await locks.enter_gate(conn, app_id, kind=locks.Kind.TRIAL):
                    raise Conflict("Somebody presses the panic button at this moment, so nothing was sent")
                await panics.check(conn, app_id, _ids(sender))
            (answer,) = await carrier.submit([replace(text, until=session.sure_until)])
    except CarrierDown as error:
        return Trial(text.sender, text.to, "down", detail=error.message)
    await asyncio.wait([answer], timeout=PATIENCE)
    outcome = answer.result() if answer.done() else Lost(f"no answer came within {PATIENCE:.0f} seconds")
    return _told(text, outcome)


def _told(text: Text, outcome: Outcome) -> Trial:
    match outcome:
        case Accepted(ref):
            return Trial(text.sender, text.to, "accepted", reference=ref)
        case Refused(code, permanent, detail):
            return Trial(text.sender, text.to, "refused" if permanent else "deferred", code=code, detail=detail)
        case Deferred(code, seconds):
            return Trial(text.sender, text.to, "deferred", code=code, detail=f"ask again in {seconds:g} seconds")
        case Lost(why):
            return Trial(text.sender, text.to, "lost", detail=why)
