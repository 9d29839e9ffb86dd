"""Asking carriers what became of messages whose fate is unknown, and going by what they say."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from heliograph.actions import receipts as hearing
from heliograph.actions import replies as writing
from heliograph.actions import resends, secrets, text_news
from heliograph.actions import unknowns as deciding
from heliograph.carriers import registry
from heliograph.carriers.base import Asks, NotThere, Receipt, Sought
from heliograph.errors import HeliographError
from heliograph.rules import ids
from heliograph.rules import unknown as law
from heliograph.store import bell, carrier_accounts, decisions, outcomes, receipts, unknowns
from heliograph.store.decisions import NewDecision
from heliograph.store.unknowns import Settlement

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from heliograph.actions.seal import Seal
    from heliograph.actions.unknowns import By, Choice
    from heliograph.carriers.base import Finding, LineState, Reply
    from heliograph.rules.address import Network
    from heliograph.store.apps import App
    from heliograph.store.database import Conn, Database
    from heliograph.store.unknowns import Unknown

log = logging.getLogger(__name__)

AT_ONCE = 500  # messages in one call of a carrier
NEVER_ARRIVED = "never_arrived"
NOTHING = "nothing"
FINDINGS = ("accepted", "delivered", "failed", deciding.NOT_THERE, NOTHING)


@dataclass(slots=True)
class Asked:
    """What came of asking: how many messages each finding was told of, and the accounts that could not be asked.

    ``silent``: account's name → why. ``left``: messages that were chosen and not asked about, as a call takes so many.
    """

    findings: Counter[str] = field(default_factory=Counter[str])
    silent: dict[str, str] = field(default_factory=dict[str, str])
    left: int = 0


class _Ear:
    """Keeps what a line says on its own while it is open for a question."""

    def __init__(self) -> None:
        self.heard: list[Receipt] = []
        self.written: list[Reply] = []

    def receipts(self, said: Sequence[Receipt], /) -> None:
        """See :class:`heliograph.carriers.base.Listener`."""
        self.heard += said

    def replies(self, said: Sequence[Reply], /) -> None:
        """See :class:`heliograph.carriers.base.Listener`."""
        self.written += said

    def line(self, _state: LineState, _words: str, /) -> None:
        """See :class:`heliograph.carriers.base.Listener`. The question fails when the line does."""


async def ask(
    db: Database, seal: Seal, app: App, chosen: Choice, by: By, *, transcript: Path, networks: Sequence[Network]
) -> Asked:
    """Ask the carriers of chosen messages what became of them, each through a line of its own for this question alone.

    Raises as :func:`heliograph.actions.unknowns.chosen_messages` does. A carrier that cannot be asked is told of in
    the answer.
    """
    async with db.connection() as conn:
        found = await deciding.chosen_messages(conn, app, chosen)
    done = Asked(left=found.left)
    by_account = sorted(found.messages, key=lambda one: one.account_id)
    for _, group in groupby(by_account, key=lambda one: one.account_id):
        people = list(group)
        try:
            said = await _through_own_line(db, seal, people, transcript=transcript, networks=networks, now=by.now)
        except HeliographError as error:
            done.silent[people[0].account_name] = error.message
            continue
        if said is None:
            done.silent[people[0].account_name] = "this kind of carrier cannot be asked"
            continue
        done.findings += await heed(db, app.app_id, list(zip(people, said, strict=True)), by, silent_too=True)
    return done


async def _through_own_line(
    db: Database, seal: Seal, people: Sequence[Unknown], *, transcript: Path, networks: Sequence[Network], now: datetime
) -> list[Finding] | None:
    """What the carrier of one account's people says; None when its kind cannot be asked."""
    app_id, account_id = people[0].app_id, people[0].account_id
    async with db.connection() as conn:
        account = await carrier_accounts.get(conn, app_id, account_id)
    ear = _Ear()
    carrier = await registry.open_carrier(
        account.kind,
        secrets.all_settings(seal, account),
        listener=ear,
        name=account.public_id,
        transcript=transcript,
        networks=networks,
    )
    try:
        return await put_to(carrier, people) if isinstance(carrier, Asks) else None
    finally:
        await carrier.close()
        if ear.heard:
            said = [receipts.NewReceipt(r.ref, r.state.value, r.code, r.at) for r in ear.heard]
            await hearing.record(db, app_id, account_id, said, now=now)
        if ear.written:
            async with db.transaction() as conn:
                await writing.keep(conn, app_id, account_id, ear.written, now=now)


async def put_to(carrier: Asks, people: Sequence[Unknown]) -> list[Finding]:
    """What a carrier says of each. Raises CarrierDown when it cannot be asked now."""
    said: list[Finding] = []
    for start in range(0, len(people), AT_ONCE):
        part = people[start : start + AT_ONCE]
        said += await carrier.ask([_sought(one) for one in part])
    return said


def _sought(one: Unknown) -> Sought:
    return Sought(
        message_id=ids.message_id(one.run_public_id, one.seq),
        ref=None,
        sender=one.address,
        to=one.number,
        # Of whom a crash left, only that it was before they were found.
        submitted_at=one.submitted_at or one.since,
    )


async def heed(
    db: Database, app_id: int, said: Sequence[tuple[Unknown, Finding]], by: By, *, silent_too: bool = False
) -> Counter[str]:
    """Settle messages by what their carrier said of them; answers how many of each finding.

    Whoever it certainly never got waits for their turn again. When their run is over they stay listed, with that
    finding, until a person sends to them in a new one: settled in silence, they would be skipped. ``silent_too``: set
    down also of whom the carrier knew nothing.

    What a carrier says of a text that is another message's tells nothing: one that is asked by number and time may
    come upon a text of another campaign's.
    """
    found: Counter[str] = Counter()
    async with db.transaction() as conn:
        said = await _own(conn, app_id, said)
        for run_id, group in groupby(sorted(said, key=lambda pair: pair[0].run_id), key=lambda pair: pair[0].run_id):
            pairs = list(group)
            known = [(one, finding) for one, finding in pairs if isinstance(finding, Receipt)]
            absent = [one for one, finding in pairs if _is_absent(one, finding, by)]
            rows = await _turn_again(conn, app_id, run_id, absent, by) if absent else []
            rows += await _take_receipts(conn, app_id, known, by)
            told = {one.seq for one in absent}
            silent = [one for one, finding in pairs if not isinstance(finding, Receipt) and one.seq not in told]
            left = [NewDecision(run_id, one.seq, finding=NOTHING) for one in silent]
            found.update(row.finding or NOTHING for row in rows + left)
            rows += left if silent_too else []
            if rows:
                await decisions.add(conn, app_id, law.Kind.ASK, rows, decided_by=by.who, note=by.note, now=by.now)
        await bell.ring(conn, "asked")
    if +found:
        log.info("asked app=%s %s", app_id, " ".join(f"{word}={found[word]}" for word in FINDINGS if found[word]))
    return found


async def _own(conn: Conn, app_id: int, said: Sequence[tuple[Unknown, Finding]]) -> list[tuple[Unknown, Finding]]:
    """``said`` without findings on texts that are another message's, or may be any of two."""
    refs: defaultdict[int, list[str]] = defaultdict(list)
    for one, finding in said:
        if isinstance(finding, Receipt) and finding.ref:
            refs[one.account_id].append(finding.ref)
    others: dict[tuple[int, str], set[tuple[int, int]]] = defaultdict(set)
    for account_id, told in refs.items():
        for ref, run_id, seq in await outcomes.list_named(conn, app_id, account_id, told):
            others[account_id, ref].add((run_id, seq))
    for one, finding in said:
        if isinstance(finding, Receipt):
            others[one.account_id, finding.ref].add((one.run_id, one.seq))
    return [
        (
            one,
            None
            if isinstance(finding, Receipt) and finding.ref and len(others[one.account_id, finding.ref]) > 1
            else finding,
        )
        for one, finding in said
    ]


def _is_absent(one: Unknown, finding: Finding, by: By) -> bool:
    return isinstance(finding, NotThere) and law.believed_absent(one.since, by.now)


async def _take_receipts(
    conn: Conn, app_id: int, known: Sequence[tuple[Unknown, Receipt]], by: By
) -> list[NewDecision]:
    """Settle those of whom the carrier has a state."""
    rows = [
        Settlement(one.run_id, one.seq, said.state.value, said.code or None, one.account_id, said.ref or None)
        for one, said in known
    ]
    settled = await unknowns.settle(conn, app_id, rows, now=by.now)
    await text_news.settled(conn, app_id, sorted(settled), now=by.now)
    return [
        NewDecision(row.run_id, row.seq, finding=row.status, account_id=row.account_id)
        for row in rows
        if (row.run_id, row.seq) in settled
    ]


async def _turn_again(conn: Conn, app_id: int, run_id: int, absent: Sequence[Unknown], by: By) -> list[NewDecision]:
    """Let people whose texts never came to the carrier wait again, unless their run is over."""
    owner = await unknowns.lock_campaign(conn, app_id, run_id)
    if owner.under_way:
        run, people = await resends.in_run(conn, app_id, run_id, absent, NEVER_ARRIVED, now=by.now)
        return [
            NewDecision(run_id, one.seq, finding=deciding.NOT_THERE, new_run_id=run.run_id, new_seq=seq)
            for one, seq in people
        ]
    return [
        NewDecision(run_id, one.seq, finding=deciding.NOT_THERE) for one in absent if one.finding != deciding.NOT_THERE
    ]
