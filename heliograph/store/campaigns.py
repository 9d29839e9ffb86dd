"""Campaigns: what a person wrote, where each stands. A deleted campaign is invisible to every read here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, LiteralString

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Json

from heliograph.errors import DuplicateName, NotFound
from heliograph.rules.campaign import CampaignStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from psycopg import AsyncCursor
    from psycopg.rows import RowMaker

    from heliograph.store.database import Conn


@dataclass(frozen=True, slots=True)
class Campaign:
    """A row of table ``campaign`` with the names of what it is linked to.

    ``dialing``, ``message``, ``schedule`` and ``filters`` are as they were sent. ``run_id`` is the run under
    way or the last one; ``run_updated_at`` is when that run began or, if it is over, ended. ``scheduled``: its schedule
    is switched on, ``recurring``: and has more than one start; ``next_start`` is None when none is to come.
    """

    app_id: int
    campaign_id: int
    public_id: str
    name: str
    lname: str
    description: str | None
    status: CampaignStatus
    priority: int
    format: str
    caller_id: str
    dialing: dict[str, Any]
    message: dict[str, Any] | None
    flow_id: str | None
    schedule: dict[str, Any]
    dnc_list_id: int | None
    dnc_list_name: str | None
    filters: dict[str, Any] | None
    zone_rule: str
    transactional: bool
    exclude_ids: tuple[int, ...]  # campaigns whose readers are left out
    exclude_names: tuple[str, ...]
    hold_out: int  # percent
    run_id: int | None
    run_public_id: str | None
    run_updated_at: datetime | None
    emergency: bool  # the run under way, or the last one, is an emergency
    list_ids: tuple[int, ...]
    list_names: tuple[str, ...]
    scheduled: bool
    recurring: bool
    next_start: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Content:
    """What a person decides about a campaign: everything that creating sets and editing replaces."""

    name: str
    lname: str
    description: str | None
    priority: int
    format: str
    caller_id: str
    dialing: dict[str, Any]
    message: dict[str, Any] | None
    flow_id: str | None
    schedule: dict[str, Any]
    dnc_list_id: int | None
    filters: dict[str, Any] | None = None
    zone_rule: str = "vendor"
    transactional: bool = False
    exclude_ids: tuple[int, ...] = ()
    hold_out: int = 0


_SELECT = """
SELECT c.app_id, c.campaign_id, c.public_id, c.name, c.lname, c.description, c.status, c.priority, c.format,
       c.caller_id, c.dialing, c.message, c.flow_id, c.schedule, c.dnc_list_id, d.name AS dnc_list_name,
       c.filters, c.zone_rule, c.transactional, c.exclude_ids,
       ARRAY(SELECT x.name FROM unnest(c.exclude_ids) WITH ORDINALITY AS e (campaign_id, place)
             JOIN campaign x ON x.app_id = c.app_id AND x.campaign_id = e.campaign_id
             ORDER BY e.place) AS exclude_names, c.hold_out, c.run_id, r.public_id AS run_public_id,
       greatest(r.started_at, r.ended_at) AS run_updated_at, coalesce(r.emergency, false) AS emergency,
       linked.list_ids, linked.list_names, s.app_id IS NOT NULL AS scheduled,
       coalesce(s.recurs, false) AS recurring, s.next_at AS next_start, c.created_at, c.updated_at"""

_FROM = """
FROM campaign c
LEFT JOIN contact_list d ON d.app_id = c.app_id AND d.list_id = c.dnc_list_id
LEFT JOIN run r ON r.app_id = c.app_id AND r.run_id = c.run_id
LEFT JOIN schedule s ON s.app_id = c.app_id AND s.campaign_id = c.campaign_id AND s.enabled
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(l.list_id ORDER BY x.position), '{}') AS list_ids,
           coalesce(array_agg(l.name ORDER BY x.position), '{}') AS list_names
    FROM campaign_list x JOIN contact_list l ON l.app_id = x.app_id AND l.list_id = x.list_id
    WHERE x.app_id = c.app_id AND x.campaign_id = c.campaign_id
) linked
WHERE c.app_id = %(app_id)s AND c.deleted_at IS NULL AND c.kind = 'campaign'"""

FIND = f"{_SELECT}{_FROM} AND c.public_id = %(public_id)s"


async def find(conn: Conn, app_id: int, public_id: str) -> Campaign | None:
    """The app's campaign with this ``cd-`` id, or None."""
    async with conn.cursor(row_factory=_campaign_row) as cursor:
        return await (await cursor.execute(FIND, {"app_id": app_id, "public_id": public_id})).fetchone()


async def get(conn: Conn, app_id: int, public_id: str) -> Campaign:
    """The app's campaign with this ``cd-`` id. Raises :class:`NotFound`."""
    found = await find(conn, app_id, public_id)
    if found is None:
        raise NotFound(f"There is no campaign {public_id} in this app", field="campaignId")
    return found


FIND_NAME = f"{_SELECT}{_FROM} AND c.lname = %(lname)s"


async def find_name(conn: Conn, app_id: int, name: str) -> Campaign | None:
    """The app's campaign of this name, without regard to case, or None."""
    async with conn.cursor(row_factory=_campaign_row) as cursor:
        return await (await cursor.execute(FIND_NAME, {"app_id": app_id, "lname": name.lower()})).fetchone()


# Every row that the index campaign_name holds, whatever its kind.
TAKEN = "SELECT lname FROM campaign WHERE app_id = %(app_id)s AND lname = ANY(%(lnames)s) AND deleted_at IS NULL"


async def find_taken(conn: Conn, app_id: int, names: Sequence[str]) -> set[str]:
    """Those of ``names`` that are taken, in lower case."""
    values = {"app_id": app_id, "lnames": [name.lower() for name in names]}
    rows = await (await conn.execute(TAKEN, values)).fetchall()
    return {str(row[0]) for row in rows}


LOCK = """
SELECT campaign_id FROM campaign
WHERE app_id = %(app_id)s AND public_id = %(public_id)s AND deleted_at IS NULL
FOR UPDATE
"""


async def lock(conn: Conn, app_id: int, public_id: str) -> Campaign:
    """As :func:`get`, and nobody else can change the campaign before this transaction ends.

    Two statements on purpose: one that waited for the lock would see the campaign as it is now, but its
    lists and its run as they were when it began to wait.
    """
    await conn.execute(LOCK, {"app_id": app_id, "public_id": public_id})
    return await get(conn, app_id, public_id)


LOCK_FREE = """
SELECT campaign_id FROM campaign
WHERE app_id = %(app_id)s AND public_id = %(public_id)s AND deleted_at IS NULL
FOR UPDATE SKIP LOCKED
"""


async def lock_free(conn: Conn, app_id: int, public_id: str) -> Campaign | None:
    """As :func:`lock`, without waiting: None when somebody else is changing the campaign, or it is gone."""
    row = await (await conn.execute(LOCK_FREE, {"app_id": app_id, "public_id": public_id})).fetchone()
    return None if row is None else await get(conn, app_id, public_id)


INSERT = """
INSERT INTO campaign (app_id, public_id, name, lname, description, status, priority, format, caller_id, dialing,
                      message, flow_id, schedule, dnc_list_id, filters, zone_rule, transactional, exclude_ids,
                      hold_out, created_at,
                      updated_at)
VALUES (%(app_id)s, %(public_id)s, %(name)s, %(lname)s, %(description)s, %(status)s, %(priority)s, %(format)s,
        %(caller_id)s, %(dialing)s, %(message)s, %(flow_id)s, %(schedule)s, %(dnc_list_id)s, %(filters)s,
        %(zone_rule)s, %(transactional)s, %(exclude_ids)s, %(hold_out)s, %(now)s, %(now)s)
RETURNING campaign_id
"""


async def insert(
    conn: Conn, app_id: int, public_id: str, content: Content, status: CampaignStatus, *, now: datetime
) -> int:
    """Write a new campaign; answers its internal id. Raises :class:`DuplicateName`."""
    values = _values(content) | {"app_id": app_id, "public_id": public_id, "status": status.value, "now": now}
    try:
        row = await (await conn.execute(INSERT, values)).fetchone()
    except psycopg.errors.UniqueViolation as error:
        raise _duplicate(content.name) from error
    if row is None:
        raise NotFound(f"Campaign {public_id} was not written")
    return int(row[0])


UPDATE = """
UPDATE campaign
SET name = %(name)s, lname = %(lname)s, description = %(description)s, status = %(status)s, priority = %(priority)s,
    format = %(format)s, caller_id = %(caller_id)s, dialing = %(dialing)s, message = %(message)s,
    flow_id = %(flow_id)s, schedule = %(schedule)s, dnc_list_id = %(dnc_list_id)s, filters = %(filters)s,
    zone_rule = %(zone_rule)s, transactional = %(transactional)s, exclude_ids = %(exclude_ids)s,
    hold_out = %(hold_out)s, updated_at = %(now)s
WHERE app_id = %(app_id)s AND campaign_id = %(campaign_id)s AND deleted_at IS NULL
"""


async def update(
    conn: Conn, app_id: int, campaign_id: int, content: Content, status: CampaignStatus, *, now: datetime
) -> None:
    """Replace a campaign's content; its run is not touched. Raises :class:`DuplicateName`."""
    values = _values(content) | {"app_id": app_id, "campaign_id": campaign_id, "status": status.value, "now": now}
    try:
        await conn.execute(UPDATE, values)
    except psycopg.errors.UniqueViolation as error:
        raise _duplicate(content.name) from error


SET_STATUS = """
UPDATE campaign SET status = %(status)s, run_id = coalesce(%(run_id)s::int, run_id), updated_at = %(now)s
WHERE app_id = %(app_id)s AND campaign_id = %(campaign_id)s
"""


async def set_status(
    conn: Conn, app_id: int, campaign_id: int, status: CampaignStatus, *, now: datetime, run_id: int | None = None
) -> None:
    """Move a campaign to a status; ``run_id`` makes that its present run (None keeps the one it has)."""
    values = {"app_id": app_id, "campaign_id": campaign_id, "status": status.value, "run_id": run_id, "now": now}
    await conn.execute(SET_STATUS, values)


MARK_DELETED = """
UPDATE campaign SET status = %(status)s, deleted_at = %(now)s, updated_at = %(now)s
WHERE app_id = %(app_id)s AND campaign_id = %(campaign_id)s AND deleted_at IS NULL
"""


async def mark_deleted(conn: Conn, app_id: int, campaign_id: int, status: CampaignStatus, *, now: datetime) -> None:
    """Make a campaign invisible; its row stays for the ledger and for what still has to be cleared up."""
    values = {"app_id": app_id, "campaign_id": campaign_id, "status": status.value, "now": now}
    await conn.execute(MARK_DELETED, values)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which campaigns a list shall hold; None does not narrow it. Both ends of the time are included."""

    statuses: tuple[CampaignStatus, ...] | None = None
    priorities: tuple[int, ...] | None = None
    created_from: datetime | None = None
    created_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A campaign in a list, with how many texts of its present run a carrier took."""

    campaign: Campaign
    sent: int


_WANTED = """
  AND (%(statuses)s::campaign_status[] IS NULL OR c.status = ANY(%(statuses)s::campaign_status[]))
  AND (%(priorities)s::smallint[] IS NULL OR c.priority = ANY(%(priorities)s::smallint[]))
  AND (%(created_from)s::timestamptz IS NULL OR c.created_at >= %(created_from)s::timestamptz)
  AND (%(created_until)s::timestamptz IS NULL OR c.created_at <= %(created_until)s::timestamptz)"""

COUNT = f"""
SELECT count(*) FROM campaign c
WHERE c.app_id = %(app_id)s AND c.deleted_at IS NULL AND c.kind = 'campaign'{_WANTED}"""


async def count(conn: Conn, app_id: int, wanted: Wanted) -> int:
    """How many of the app's campaigns are wanted."""
    row = await (await conn.execute(COUNT, {"app_id": app_id} | _wanted(wanted))).fetchone()
    return int(row[0]) if row else 0


Sort = Literal["name", "-name", "createdAt", "-createdAt", "updatedAt", "-updatedAt"]

_PAGE = f"""{_SELECT},
       (SELECT coalesce(sum(t.accepted + t.delivered), 0)::bigint FROM tally t
         WHERE t.app_id = c.app_id AND t.run_id = c.run_id) AS sent{_FROM}{_WANTED}"""

# The campaign's id makes the order total, so that pages neither overlap nor skip.
PAGES: dict[Sort, LiteralString] = {
    "name": f"{_PAGE} ORDER BY c.lname, c.campaign_id LIMIT %(limit)s OFFSET %(offset)s",
    "-name": f"{_PAGE} ORDER BY c.lname DESC, c.campaign_id DESC LIMIT %(limit)s OFFSET %(offset)s",
    "createdAt": f"{_PAGE} ORDER BY c.created_at, c.campaign_id LIMIT %(limit)s OFFSET %(offset)s",
    "-createdAt": f"{_PAGE} ORDER BY c.created_at DESC, c.campaign_id DESC LIMIT %(limit)s OFFSET %(offset)s",
    "updatedAt": f"{_PAGE} ORDER BY c.updated_at, c.campaign_id LIMIT %(limit)s OFFSET %(offset)s",
    "-updatedAt": f"{_PAGE} ORDER BY c.updated_at DESC, c.campaign_id DESC LIMIT %(limit)s OFFSET %(offset)s",
}


async def page(conn: Conn, app_id: int, wanted: Wanted, *, sort: Sort, offset: int, limit: int) -> list[Listed]:
    """Wanted campaigns ``offset`` .. ``offset + limit``; ``sort`` is a key, with a minus to turn it round."""
    values = {"app_id": app_id, "offset": offset, "limit": limit} | _wanted(wanted)
    async with conn.cursor(row_factory=_listed_row) as cursor:
        return await (await cursor.execute(PAGES[sort], values)).fetchall()


def _campaign(row: dict[str, Any]) -> Campaign:
    row["status"] = CampaignStatus(row["status"])
    row["list_ids"] = tuple(row["list_ids"])
    row["list_names"] = tuple(row["list_names"])
    row["exclude_ids"] = tuple(row["exclude_ids"])
    row["exclude_names"] = tuple(row["exclude_names"])
    return Campaign(**row)


def _campaign_row(cursor: AsyncCursor[Any]) -> RowMaker[Campaign]:
    as_dict = dict_row(cursor)
    return lambda values: _campaign(as_dict(values))


def _listed_row(cursor: AsyncCursor[Any]) -> RowMaker[Listed]:
    as_dict = dict_row(cursor)

    def listed(values: Sequence[Any]) -> Listed:
        row = as_dict(values)
        sent = row.pop("sent")
        return Listed(campaign=_campaign(row), sent=int(sent))

    return listed


def _wanted(wanted: Wanted) -> dict[str, Any]:
    return {
        "statuses": None if wanted.statuses is None else [status.value for status in wanted.statuses],
        "priorities": None if wanted.priorities is None else list(wanted.priorities),
        "created_from": wanted.created_from,
        "created_until": wanted.created_until,
    }


def _values(content: Content) -> dict[str, Any]:
    return {
        "name": content.name,
        "lname": content.lname,
        "description": content.description,
        "priority": content.priority,
        "format": content.format,
        "caller_id": content.caller_id,
        "dialing": Json(content.dialing),
        "message": None if content.message is None else Json(content.message),
        "flow_id": content.flow_id,
        "schedule": Json(content.schedule),
        "dnc_list_id": content.dnc_list_id,
        "filters": None if content.filters is None else Json(content.filters),
        "zone_rule": content.zone_rule,
        "transactional": content.transactional,
        "exclude_ids": list(content.exclude_ids),
        "hold_out": content.hold_out,
    }


def _duplicate(name: str) -> DuplicateName:
    text = f"A campaign named {name} exists already in this app; names are compared without regard to case"
    return DuplicateName(text, field="name")
