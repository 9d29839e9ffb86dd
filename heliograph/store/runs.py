"""Runs: one pass of a campaign over its audience, frozen when play is pressed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row
from psycopg.types.json import Json

from heliograph.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class Route:
    """Through whom a run goes: one sender, or all of a pool with a weight each."""

    sender_ids: tuple[int, ...]
    weights: tuple[float, ...] = (1.0,)
    pool_id: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A row of table ``run``, with the campaign's public id, priority and whether it may send now."""

    app_id: int
    run_id: int
    public_id: str
    campaign_id: int
    campaign_public_id: str
    kind: str  # campaign, or single: one-off texts
    priority: int
    sender_ids: list[int]  # one, unless it goes through a pool
    weights: list[float] | None  # of the senders of a pool, in their order
    pool_id: int | None
    caller_id: str
    template: str
    missing: dict[str, str]
    calling_hours: dict[str, Any]
    list_ids: list[int]
    dnc_list_ids: list[int]
    audience: int
    filters: dict[str, Any] | None
    zone_rule: str  # see rules/timing.py
    transactional: bool  # exempt from quiet hours
    quiet_hours: str | None  # the app's setting as it is now, in JSON; see rules/quiet.py
    frequency_cap: str | None  # so too; see rules/caps.py
    exclude_ids: list[int]  # campaigns whose readers are left out
    hold_out: int  # percent
    plain_substitutes: bool  # see rules/plain.py
    emergency: bool
    retry_of: int | None
    retry_classes: list[str] | None
    flow: str | None  # cf-…: what is said is the flow's; None: it has a text of its own
    flow_version: int | None
    companion_of: int | None  # the run whose conversations it carries on
    purpose: str | None  # of a companion: answers, or follow_ups
    conversations: str | None  # the app's setting as it is now, in JSON; see rules/conversation.py
    plan_level: int
    plan_list: int
    plan_seq: int
    planned_at: datetime | None
    started_at: datetime
    ended_at: datetime | None
    end_reason: str | None

    @property
    def urgent(self) -> bool:
        """Whether it goes before ordinary runs: an emergency, or texts that a person waits for."""
        return self.emergency or self.kind == "single" or self.purpose == "answers"

    @property
    def main_id(self) -> int:
        """The run that its campaign is on: itself, unless it is a companion."""
        return self.run_id if self.companion_of is None else self.companion_of


_COLUMNS = """r.app_id, r.run_id, r.public_id, r.campaign_id, k.public_id AS campaign_public_id, k.kind, k.priority,
       coalesce(r.sender_ids, ARRAY[r.sender_id]) AS sender_ids, r.weights, r.pool_id, r.caller_id, r.template,
       r.missing, r.calling_hours, r.list_ids, r.dnc_list_ids, r.audience, r.filters, r.zone_rule,
       r.transactional, (SELECT s.quiet_hours::text FROM app_setting s WHERE s.app_id = r.app_id) AS quiet_hours,
       (SELECT s.frequency_cap::text FROM app_setting s WHERE s.app_id = r.app_id) AS frequency_cap,
       r.exclude_ids, r.hold_out, r.plain_substitutes, r.emergency, r.retry_of, r.retry_classes,
       r.flow, r.flow_version, r.companion_of, r.purpose,
       (SELECT s.conversations::text FROM app_setting s WHERE s.app_id = r.app_id) AS conversations,
       r.plan_level, r.plan_list, r.plan_seq, r.planned_at, r.started_at, r.ended_at, r.end_reason"""

INSERT = """
INSERT INTO run (app_id, public_id, campaign_id, sender_id, sender_ids, weights, pool_id, caller_id, template,
                 missing, calling_hours, list_ids, dnc_list_ids, filters, zone_rule, transactional,
                 exclude_ids, hold_out, plain_substitutes, emergency, retry_of, retry_classes, flow, flow_version,
                 talks, audience, started_at)
VALUES (%(app_id)s, %(public_id)s, %(campaign_id)s, %(sender_id)s, %(sender_ids)s, %(weights)s, %(pool_id)s,
        %(caller_id)s, %(template)s, %(missing)s, %(calling_hours)s, %(list_ids)s, %(dnc_list_ids)s, %(filters)s,
        %(zone_rule)s, %(transactional)s, %(exclude_ids)s, %(hold_out)s, %(plain_substitutes)s, %(emergency)s,
        %(retry_of)s, %(retry_classes)s, %(flow)s, %(flow_version)s, %(flow)s::text IS NOT NULL,
        (SELECT coalesce(sum(contact_count), 0) FROM contact_list
          WHERE app_id = %(app_id)s AND list_id = ANY(%(list_ids)s)),
        %(now)s)
RETURNING run_id
"""


async def insert(  # a row has as many parts as it has
    conn: Conn,
    *,
    app_id: int,
    public_id: str,
    campaign_id: int,
    route: Route,
    caller_id: str,
    template: str,
    missing: dict[str, str],
    calling_hours: object,
    list_ids: list[int],
    dnc_list_ids: list[int],
    now: datetime,
    filters: object = None,
    zone_rule: str = "vendor",
    transactional: bool = False,
    exclude_ids: Sequence[int] = (),
    hold_out: int = 0,
    plain_substitutes: bool = False,
    emergency: bool = False,
    retry_of: int | None = None,
    retry_classes: list[str] | None = None,
    flow: tuple[str, int] | None = None,
) -> int:
    """Begin a run; answers its internal id."""
    values = {
        "app_id": app_id,
        "public_id": public_id,
        "campaign_id": campaign_id,
        "sender_id": route.sender_ids[0],
        "sender_ids": None if route.pool_id is None else list(route.sender_ids),
        "weights": None if route.pool_id is None else list(route.weights),
        "pool_id": route.pool_id,
        "caller_id": caller_id,
        "template": template,
        "missing": Json(missing),
        "calling_hours": Json(calling_hours),
        "list_ids": list_ids,
        "dnc_list_ids": dnc_list_ids,
        "filters": None if filters is None else Json(filters),
        "zone_rule": zone_rule,
        "transactional": transactional,
        "exclude_ids": list(exclude_ids),
        "hold_out": hold_out,
        "plain_substitutes": plain_substitutes,
        "emergency": emergency,
        "retry_of": retry_of,
        "retry_classes": retry_classes,
        "flow": None if flow is None else flow[0],
        "flow_version": None if flow is None else flow[1],
        "now": now,
    }
    row = await (await conn.execute(INSERT, values)).fetchone()
    if row is None:
        raise NotFound(f"Run {public_id} was not written")
    return int(row[0])


GET = f"""
SELECT {_COLUMNS} FROM run r JOIN campaign k ON k.app_id = r.app_id AND k.campaign_id = r.campaign_id
WHERE r.app_id = %(app_id)s AND r.run_id = %(run_id)s
"""


async def get(conn: Conn, app_id: int, run_id: int) -> Run:
    """One run. Raises :class:`NotFound`."""
    async with conn.cursor(row_factory=class_row(Run)) as cursor:
        row = await (await cursor.execute(GET, {"app_id": app_id, "run_id": run_id})).fetchone()
    if row is None:
        raise NotFound(f"There is no run {run_id}")
    return row


FIND_PUBLIC = f"""
SELECT {_COLUMNS} FROM run r JOIN campaign k ON k.app_id = r.app_id AND k.campaign_id = r.campaign_id
WHERE r.app_id = %(app_id)s AND r.public_id = %(public_id)s
"""


async def find_public(conn: Conn, app_id: int, public_id: str) -> Run | None:
    """The run with this ``cid-`` id, also of a deleted campaign, or None."""
    async with conn.cursor(row_factory=class_row(Run)) as cursor:
        return await (await cursor.execute(FIND_PUBLIC, {"app_id": app_id, "public_id": public_id})).fetchone()


# Few rows whatever the history: the partial index campaign_active holds only campaigns under way. A companion is found
# by run_companion, from the run that its campaign is on.
LIST_ACTIVE = f"""
SELECT {_COLUMNS} FROM campaign k JOIN run r ON r.app_id = k.app_id AND r.run_id = k.run_id
WHERE k.status = 'Active' AND k.deleted_at IS NULL
UNION ALL
SELECT {_COLUMNS} FROM campaign k JOIN run r ON r.app_id = k.app_id AND r.companion_of = k.run_id
WHERE k.status = 'Active' AND k.deleted_at IS NULL
ORDER BY run_id
"""


async def list_active(conn: Conn) -> list[Run]:
    """The runs of every campaign that is Active, of all apps: what workers work on."""
    async with conn.cursor(row_factory=class_row(Run)) as cursor:
        return await (await cursor.execute(LIST_ACTIVE)).fetchall()


RESERVE = """
UPDATE run SET last_seq = last_seq + %(places)s, last_chunk = last_chunk + %(chunks)s
WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND ended_at IS NULL
RETURNING last_seq, last_chunk
"""


async def reserve(conn: Conn, app_id: int, run_id: int, *, places: int, chunks: int) -> tuple[int, int] | None:
    """Reserve places in the queue and chunk numbers; the last of each, or None when the run has ended.

    A statement of its own, so that the row is not held locked while a page is being written; places
    reserved and never used are harmless, as nothing counts by them.
    """
    values = {"app_id": app_id, "run_id": run_id, "places": places, "chunks": chunks}
    row = await (await conn.execute(RESERVE, values)).fetchone()
    return None if row is None else (int(row[0]), int(row[1]))


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far planning has come: contacts of priority ``level``, in list number ``position``, up to ``seq``."""

    level: int
    position: int
    seq: int


PLANNED = """
UPDATE run SET plan_level = %(plan_level)s, plan_list = %(plan_list)s, plan_seq = %(plan_seq)s,
               planned_at = %(planned_at)s, zones_by_contact = zones_by_contact + %(by_contact)s,
               zones_by_number = zones_by_number + %(by_number)s,
               zones_by_campaign = zones_by_campaign + %(by_campaign)s
WHERE app_id = %(app_id)s AND run_id = %(run_id)s AND ended_at IS NULL
RETURNING run_id
"""


NO_ZONES: tuple[int, int, int] = (0, 0, 0)


async def planned(
    conn: Conn,
    app_id: int,
    run_id: int,
    cursor: Cursor,
    *,
    planned_at: datetime | None,
    zones: tuple[int, int, int] = NO_ZONES,
) -> bool:
    """Record how far planning has come; False when the run has ended and the page must not be kept.

    ``zones``: how many of the page are texted by their contact's, by their number's and by the campaign's zones.
    Near the end of a page's transaction: a stop waits for it only while it commits.
    """
    values = {
        "app_id": app_id,
        "run_id": run_id,
        "plan_level": cursor.level,
        "plan_list": cursor.position,
        "plan_seq": cursor.seq,
        "planned_at": planned_at,
        "by_contact": zones[0],
        "by_number": zones[1],
        "by_campaign": zones[2],
    }
    return await (await conn.execute(PLANNED, values)).fetchone() is not None


# In the order of their numbers, as everybody locks them who locks several.
END = """
WITH all_of_it AS (
    SELECT run_id FROM run
    WHERE app_id = %(app_id)s AND (run_id = %(run_id)s OR companion_of = %(run_id)s) AND ended_at IS NULL
    ORDER BY run_id FOR UPDATE
)
UPDATE run r SET ended_at = %(now)s, end_reason = %(reason)s FROM all_of_it a
WHERE r.app_id = %(app_id)s AND r.run_id = a.run_id
RETURNING r.run_id
"""


async def end(conn: Conn, app_id: int, run_id: int, *, reason: str, now: datetime) -> list[int]:
    """End a run and its companions for good; answers which. Ending twice keeps the first.

    ``reason``: completed, stopped or deleted.
    """
    values = {"app_id": app_id, "run_id": run_id, "reason": reason, "now": now}
    return [int(row[0]) for row in await (await conn.execute(END, values)).fetchall()]


HOLD_ACCOUNT = "SELECT account_id FROM account WHERE account_id = %(account_id)s FOR UPDATE"


async def hold_account(conn: Conn, account_id: str) -> None:
    """Let nobody else of the account begin an emergency until this transaction ends."""
    await conn.execute(HOLD_ACCOUNT, {"account_id": account_id})


FIND_EMERGENCY = """
SELECT k.name FROM app a JOIN campaign k ON k.app_id = a.app_id AND k.status = 'Active' AND k.deleted_at IS NULL
JOIN run r ON r.app_id = k.app_id AND r.run_id = k.run_id AND r.emergency
WHERE a.account_id = %(account_id)s LIMIT 1
"""


async def find_emergency(conn: Conn, account_id: str) -> str | None:
    """The name of the campaign that runs as the account's emergency, or None."""
    row = await (await conn.execute(FIND_EMERGENCY, {"account_id": account_id})).fetchone()
    return None if row is None else str(row[0])
