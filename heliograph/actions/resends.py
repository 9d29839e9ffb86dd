"""Giving people of a run their turn again, each as a message of a new number, inside the caller's transaction."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from heliograph.actions import routes
from heliograph.actions import runs as ordinary
from heliograph.errors import Conflict, IllegalMove
from heliograph.rules import campaign as campaign_law
from heliograph.rules import hours, quiet, timing
from heliograph.rules.campaign import CampaignStatus, Verb
from heliograph.store import audience, campaigns, chunks, runs, tallies, unknowns
from heliograph.store.runs import Cursor, Route, Run
from heliograph.store.unknowns import Settlement, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from heliograph.store.database import Conn

Again = tuple[Run, list[tuple[Unknown, int]]]
"""The run that people wait in now, and who of them got which number in it."""


async def in_run(
    conn: Conn, app_id: int, run_id: int, people: Sequence[Unknown], reason: str, *, now: datetime
) -> Again:
    """Let unknown people wait again in their own run, whose campaign the caller has locked and which is under way.

    What they were stays behind as suppressed, with this reason, and is counted no more.
    """
    run = await runs.get(conn, app_id, run_id)
    # Before the tally, as everyone who locks both. What is reserved for those whom evidence has just settled is unused.
    last = await runs.reserve(conn, app_id, run_id, places=len(people), chunks=len(people))
    if last is None:
        return run, []
    still = await _settled(conn, app_id, people, reason, now)
    queue = _Queue(run, now, last[0] - len(people) + 1, last[1] - len(people) + 1)
    queue.place(still, {one.number: one.sender_id for one in still})
    if queue.new_seqs and not await unknowns.move_on(conn, app_id, run_id, [(u.seq, seq) for u, seq in queue.new_seqs]):
        raise Conflict(f"Somebody of campaign {people[0].campaign_name} was removed at this moment; ask again")
    await unknowns.shift_pages(conn, app_id, run_id, [one.seq for one in still])
    await queue.write(conn)
    return run, queue.new_seqs


async def in_new_run(
    conn: Conn, app_id: int, campaign_id: str, people: Sequence[Unknown], reason: str, *, now: datetime
) -> Again:
    """Let unknown people of a run that is over wait in a new run of its campaign, which is Active then.

    They get the words they were to get, in the campaign's hours. In the old run they are suppressed, with this reason.
    """
    campaign = await campaigns.lock(conn, app_id, campaign_id)
    if campaign.status in (CampaignStatus.ACTIVE, CampaignStatus.PAUSED):
        text = f"Campaign {campaign.name} is on another run now; send again once that has ended"
        raise IllegalMove(text, field="status")
    if campaign.status in campaign_law.WAITING:
        text = f"Campaign {campaign.name} is {campaign.status.value}; disable its schedule to send again by hand"
        raise IllegalMove(text, field="status")
    status = campaign_law.after(campaign.status, Verb.PLAY, name=campaign.name)
    earlier = people[0].run_id
    kind = ordinary.Kind(retry_of=earlier, retry_classes=("unknown",))
    began = await ordinary.begin(conn, campaign, status, now=now, kind=kind)
    run = await runs.get(conn, app_id, began.run_id or 0)
    last = await runs.reserve(conn, app_id, run.run_id, places=len(people), chunks=len(people))
    cursor = Cursor(audience.WITHOUT, len(run.list_ids) + 1, 0)
    if last is None or not await runs.planned(conn, app_id, run.run_id, cursor, planned_at=now):
        raise Conflict(f"The new run of {campaign.name} ended before it had begun; ask again")
    still = await _settled(conn, app_id, people, reason, now)
    queue = _Queue(run, now, last[0] - len(people) + 1, last[1] - len(people) + 1)
    queue.place(still, await _senders(conn, run, still))
    await unknowns.copy_on(conn, app_id, earlier, run.run_id, [(one.seq, seq) for one, seq in queue.new_seqs])
    await queue.write(conn)
    await tallies.plan(conn, app_id, run.run_id, waiting=len(still), suppressed=0)
    return run, queue.new_seqs


async def _settled(conn: Conn, app_id: int, people: Sequence[Unknown], reason: str, now: datetime) -> list[Unknown]:
    """Those who were still unknown; what they were is suppressed from now on."""
    rows = [Settlement(one.run_id, one.seq, "suppressed", reason) for one in people]
    settled = await unknowns.settle(conn, app_id, rows, now=now)
    return [one for one in people if (one.run_id, one.seq) in settled]


async def _senders(conn: Conn, run: Run, people: Sequence[Unknown]) -> dict[str, int]:
    """Who is texted from where, by number: from the sender they had, while the run has it."""
    route = Route(tuple(run.sender_ids), tuple(run.weights or (1.0,)), run.pool_id)
    found: dict[str, int] = {}
    for one in people:
        if one.sender_id in run.sender_ids:
            found[one.number] = one.sender_id
        else:
            found[one.number] = (await routes.narrow(conn, run.app_id, route, one.number)).sender_ids[0]
    return found


class _Queue:
    """Places in the queue of a run for people who come back to it."""

    def __init__(self, run: Run, now: datetime, first_seq: int, first_chunk: int) -> None:
        self._run = run
        self._now = now
        self._hours = hours.parse(run.calling_hours)
        self._seq = first_seq
        self._chunk_no = first_chunk
        self._rows: dict[int, list[chunks.NewChunk]] = defaultdict(list)
        self.new_seqs: list[tuple[Unknown, int]] = []

    def place(self, people: Sequence[Unknown], sender_of: Mapping[str, int]) -> None:
        """Give each of ``people`` a number, and each group of one sender, zone and law its chunks."""
        groups: dict[tuple[int, str, str], list[Unknown]] = defaultdict(list)
        for one in people:
            groups[sender_of[one.number], one.zone, self._law_of(one)].append(one)
        for (sender_id, zone, law), group in groups.items():
            due_at = self._due(zone, law)
            for start in range(0, len(group), chunks.SIZE):
                part = group[start : start + chunks.SIZE]
                last = self._seq + len(part) - 1
                self._rows[sender_id].append(
                    chunks.NewChunk(self._chunk_no, zone, law, due_at, self._seq, last, again=True)
                )
                self.new_seqs += list(zip(part, range(self._seq, last + 1), strict=True))
                self._seq, self._chunk_no = last + 1, self._chunk_no + 1

    def _law_of(self, one: Unknown) -> str:
        """The place whose law counts: the one they had, unless they were exempt then and are not now."""
        return "" if self._run.transactional else one.law or timing.law_of(one.number)

    def _due(self, zone: str, law: str) -> datetime:
        """Now, if the run is open to them, else when it opens."""
        rules = quiet.in_force(self._run.quiet_hours)
        return timing.next_open(self._hours, zone, rules, law, self._now) or self._now.replace(year=9999)

    async def write(self, conn: Conn) -> None:
        """Add the chunks."""
        for sender_id, rows in self._rows.items():
            await chunks.insert(conn, self._run.app_id, self._run.run_id, sender_id, rows)
