"""Campaigns as the console shows them: many at once, of all apps, each with its numbers and what holds it up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, LiteralString

from psycopg.rows import dict_row

from heliograph.errors import NotFound
from heliograph.rules.campaign import CampaignStatus
from heliograph.rules.timing import Counted
from heliograph.rules.why import Facts, Numbers, Through, Wait
from heliograph.store import locks, tallies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heliograph.store.database import Conn


FRESH = timedelta(seconds=15)  # what a worker last said of a line: it says so again every few seconds


@dataclass(frozen=True, slots=True)
class Standing:
    """A campaign, its present or last run, and where everybody of that run stands.

    ``contacts`` are the lines of its lists now, ``audience`` those there were when the run began.
    ``planned``: the lists of the run have been read to the end. ``waits`` are the first two times that
    people are held until, soonest first. ``next_at``: when it starts by itself, if it does.
    ``carrier``, ``parts_per_second``: the carriers of the run's senders, and what these may send together.
    ``through``: its senders, and how their carriers' lines stand. ``served``: somebody serves its caller id now.
    ``gate_closing``: somebody who stops it waits for the last batch to be written.
    ``zones``: by whose zones its people are texted.
    What concerns the run is empty when there never was one.
    """

    app_public_id: str
    app_name: str
    public_id: str
    name: str
    status: CampaignStatus
    priority: int
    caller_id: str
    message: dict[str, Any] | None
    list_names: tuple[str, ...]
    contacts: int
    run_id: int | None
    next_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    audience: int
    planned: bool
    calling_hours: dict[str, Any] | None
    quiet_hours: str | None  # the app's setting, in JSON
    carrier: str | None
    parts_per_second: float | None
    served: bool
    gate_closing: bool
    through: tuple[Through, ...]
    waits: tuple[Wait, ...]
    zones: Counted
    talks: int  # conversations of its run that are not over; counted up to 10,000
    ledger: tallies.Ledger

    @property
    def unread(self) -> int:
        """Contacts of the run's lists that have not been read yet; at most so many people are still to come."""
        return 0 if self.planned or self.run_id is None else max(0, self.audience - self.ledger.total)

    @property
    def facts(self) -> Facts:
        """What tells why it stands where it stands."""
        ledger = self.ledger
        return Facts(
            status=self.status,
            caller_id=self.caller_id,
            numbers=Numbers(
                total=ledger.total,
                held=ledger.held,
                ready=ledger.ready,
                submitting=ledger.submitting,
                unknown=ledger.unknown,
                expired=ledger.expired,
                sent=ledger.sent,
            ),
            contacts=self.contacts,
            lists=len(self.list_names),
            next_at=self.next_at,
            started_at=self.started_at,
            ended_at=self.ended_at,
            audience=self.audience,
            planned=self.planned,
            calling_hours=self.calling_hours,
            quiet_hours=self.quiet_hours,
            rate=self.parts_per_second,
            served=self.served,
            gate_closing=self.gate_closing,
            through=self.through,
            waits=self.waits,
            talks=self.talks,
        )


# One snapshot for all, so that every row adds up. Per campaign with a run: a handful of tally rows by primary
# key and, while the run goes on, its open chunks with a due time ahead by the partial index chunk_open (500
# people each; ten million held are an index range of 20,000). No message and no outcome is touched.
# pg_locks is read once, for all lanes and gates.
_SELECT = """
WITH held AS MATERIALIZED (
    SELECT classid::int AS kind, objid::bigint AS id, granted FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 2
      AND (granted AND classid = %(lane)s OR NOT granted AND classid = %(gate)s AND mode = 'ExclusiveLock')
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
), shown AS (
    SELECT c.app_id, c.campaign_id, c.public_id, c.name, c.status, c.priority, c.caller_id, c.message,
           r.run_id, coalesce(r.sender_ids, ARRAY[r.sender_id]) AS sender_ids, r.started_at, r.ended_at,
           coalesce(r.audience, 0) AS audience, r.planned_at IS NOT NULL AS planned, r.calling_hours,
           ARRAY[r.zones_by_contact, r.zones_by_number, r.zones_by_campaign] AS by_zones, r.transactional,
           greatest(c.created_at, r.started_at) AS begun_at, c.lname,
           r.flow IS NOT NULL AND r.ended_at IS NULL AS talking
    FROM campaign c LEFT JOIN run r ON r.app_id = c.app_id AND r.run_id = c.run_id
    WHERE c.deleted_at IS NULL AND c.kind = 'campaign'
"""

_NUMBERS = """
)
SELECT a.public_id AS app_public_id, a.name AS app_name, s.public_id, s.name, s.status, s.priority, s.caller_id,
       s.message, linked.list_names, linked.contacts, s.run_id, s.started_at, s.ended_at, s.audience, s.planned,
       s.by_zones, s.transactional, s.calling_hours, z.next_at,
       through.carrier, through.parts_per_second, through.senders,
       EXISTS (SELECT FROM held WHERE held.kind = %(gate)s AND held.id = s.campaign_id) AS gate_closing,
       CASE WHEN s.caller_id ILIKE 'pool:%%'
           THEN EXISTS (
               SELECT FROM sender_pool p WHERE p.app_id = s.app_id AND 'pool:' || lower(p.name) = lower(s.caller_id)
           ) ELSE EXISTS (
               SELECT FROM sender e
               WHERE e.app_id = s.app_id AND e.address IN (s.caller_id, '*') AND e.deleted_at IS NULL
           ) END AS served,
       (SELECT x.quiet_hours::text FROM app_setting x WHERE x.app_id = s.app_id) AS quiet_hours, sums.*,
       CASE WHEN s.talking THEN (
           SELECT count(*) FROM (
               SELECT FROM session v
               WHERE v.app_id = s.app_id AND v.run_id = s.run_id AND v.ended_at IS NULL LIMIT 10000
           ) AS talk
       ) ELSE 0 END AS talks,
       coalesce(later.held, 0)::bigint AS later_held, later.zones, later.laws, later.dues, later.people, later.used
FROM shown s
JOIN app a ON a.app_id = s.app_id
LEFT JOIN schedule z ON z.app_id = s.app_id AND z.campaign_id = s.campaign_id AND z.enabled
CROSS JOIN LATERAL (
    SELECT string_agg(DISTINCT k.kind, ', ') AS carrier,
           CASE WHEN bool_and(coalesce(n.parts_per_second, q.learned) IS NOT NULL)
               THEN sum(least(n.parts_per_second, q.learned)) END AS parts_per_second,
           json_agg(json_build_object(
               'address', n.address, 'account', k.name, 'gone', n.deleted_at IS NOT NULL OR k.deleted_at IS NOT NULL,
               'lane_held', EXISTS (SELECT FROM held WHERE held.kind = %(lane)s AND held.id = n.sender_id),
               'panic_at', p.pressed_at, 'panic_words', coalesce(p.words, ''),
               'paused_at', k.paused_at, 'paused_reason', coalesce(k.paused_reason, ''),
               'down_since', l.since, 'next_try_at', l.next_try_at, 'words', coalesce(l.words, '')
           ) ORDER BY n.sender_id) AS senders
    FROM sender n JOIN carrier_account k ON k.app_id = n.app_id AND k.account_id = n.account_id
    LEFT JOIN LATERAL (
        SELECT min(i.since) AS since, min(i.next_try_at) AS next_try_at,
               (array_agg(i.words ORDER BY i.seen_at DESC))[1] AS words
        FROM line i WHERE i.app_id = n.app_id AND i.account_id = n.account_id AND i.seen_at > %(fresh)s
        HAVING bool_and(i.state <> 'up')
    ) l ON true
    LEFT JOIN sender_pace q ON q.app_id = n.app_id AND q.sender_id = n.sender_id
    LEFT JOIN LATERAL (
        SELECT b.pressed_at, concat('by ', b.pressed_by, ' (' || nullif(b.reason, '') || ')') AS words
        FROM panic b
        WHERE b.app_id = n.app_id AND b.released_at IS NULL AND (b.sender_id IS NULL OR b.sender_id = n.sender_id)
        ORDER BY b.pressed_at LIMIT 1
    ) p ON true
    WHERE n.app_id = s.app_id AND n.sender_id = ANY(s.sender_ids)
) through
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(l.name ORDER BY x.position), '{}') AS list_names,
           coalesce(sum(l.contact_count), 0)::bigint AS contacts
    FROM campaign_list x JOIN contact_list l ON l.app_id = x.app_id AND l.list_id = x.list_id
    WHERE x.app_id = s.app_id AND x.campaign_id = s.campaign_id
) linked
CROSS JOIN LATERAL (
    SELECT coalesce(sum(total), 0)::bigint AS total, coalesce(sum(waiting), 0)::bigint AS waiting,
           coalesce(sum(submitting), 0)::bigint AS submitting, coalesce(sum(unknown), 0)::bigint AS unknown,
           coalesce(sum(accepted), 0)::bigint AS accepted, coalesce(sum(failed), 0)::bigint AS failed,
           coalesce(sum(delivered), 0)::bigint AS delivered, coalesce(sum(suppressed), 0)::bigint AS suppressed,
           coalesce(sum(expired), 0)::bigint AS expired
    FROM tally t WHERE t.app_id = s.app_id AND t.run_id = s.run_id
) sums
CROSS JOIN LATERAL (
    SELECT sum(g.people) AS held, (array_agg(g.zone ORDER BY g.due_at, g.zone))[1:2] AS zones,
           (array_agg(g.laws ORDER BY g.due_at, g.zone))[1:2] AS laws,
           (array_agg(g.due_at ORDER BY g.due_at, g.zone))[1:2] AS dues,
           (array_agg(g.people ORDER BY g.due_at, g.zone))[1:2] AS people,
           (array_agg(g.used ORDER BY g.due_at, g.zone))[1:2] AS used
    FROM (
        SELECT h.zone, string_agg(DISTINCT h.law, ';') AS laws, h.due_at, h.used, sum(h.people) AS people
        FROM unnest(s.sender_ids) AS t (sender_id)
        LEFT JOIN sender n ON n.app_id = s.app_id AND n.sender_id = t.sender_id AND n.held_until > %(now)s
        CROSS JOIN LATERAL (
            SELECT c.zone, c.law, greatest(c.due_at, n.held_until) AS due_at,
                   coalesce(c.due_at < n.held_until, false) AS used, c.last_seq - c.next_seq + 1 - c.gaps AS people
            FROM chunk c
            WHERE c.app_id = s.app_id AND c.sender_id = t.sender_id AND c.run_id = s.run_id AND s.ended_at IS NULL
              AND NOT c.done AND c.next_seq <= c.last_seq
              AND c.due_at > CASE WHEN n.held_until IS NULL THEN %(now)s::timestamptz ELSE '-infinity' END
              AND (SELECT max(o.due_at) FROM chunk o
                    WHERE o.app_id = s.app_id AND o.sender_id = t.sender_id AND o.run_id = s.run_id AND NOT o.done)
                  > CASE WHEN n.held_until IS NULL THEN %(now)s::timestamptz ELSE '-infinity' END
            OFFSET 0
        ) h
        GROUP BY h.zone, h.due_at, h.used
    ) g
) later
"""

_NARROWED = """
      AND (%(app_id)s::int IS NULL OR c.app_id = %(app_id)s)
      AND (%(status)s::campaign_status IS NULL OR c.status = %(status)s)
"""
_NAMED = " AND position(%(name)s IN c.lname) > 0 "

Sort = Literal["newest", "name", "priority", "status"]

# By when it was made or last started: a campaign that ends by itself keeps its place on the screen.
PAGE: LiteralString = f"""{_SELECT}{_NARROWED}
    ORDER BY begun_at DESC, c.campaign_id DESC LIMIT %(limit)s OFFSET %(offset)s
{_NUMBERS}ORDER BY s.begun_at DESC, s.campaign_id DESC"""

# The same for whoever looks for a name, or wants another order. An app has thousands of campaigns, not millions.
PAGES: dict[Sort, LiteralString] = {
    "newest": f"""{_SELECT}{_NARROWED}{_NAMED}
    ORDER BY begun_at DESC, c.campaign_id DESC LIMIT %(limit)s OFFSET %(offset)s
{_NUMBERS}ORDER BY s.begun_at DESC, s.campaign_id DESC""",
    "name": f"""{_SELECT}{_NARROWED}{_NAMED}
    ORDER BY c.lname, c.campaign_id LIMIT %(limit)s OFFSET %(offset)s
{_NUMBERS}ORDER BY s.lname, s.campaign_id""",
    "priority": f"""{_SELECT}{_NARROWED}{_NAMED}
    ORDER BY c.priority DESC, c.lname, c.campaign_id LIMIT %(limit)s OFFSET %(offset)s
{_NUMBERS}ORDER BY s.priority DESC, s.lname, s.campaign_id""",
    "status": f"""{_SELECT}{_NARROWED}{_NAMED}
    ORDER BY c.status, c.lname, c.campaign_id LIMIT %(limit)s OFFSET %(offset)s
{_NUMBERS}ORDER BY s.status, s.lname, s.campaign_id""",
}


async def page(  # what is looked for, in what order, how much of it
    conn: Conn,
    *,
    app_id: int | None,
    status: CampaignStatus | None,
    offset: int,
    limit: int,
    now: datetime,
    name: str = "",
    sort: Sort = "newest",
) -> list[Standing]:
    """Campaigns ``offset`` .. ``offset + limit``, the last made or started first unless ``sort`` says otherwise.

    None for ``app_id`` or ``status`` does not narrow it; ``name`` is a piece of the names wanted, in any case.
    """
    values = {
        "app_id": app_id,
        "status": None if status is None else status.value,
        "name": name.lower(),
        "offset": offset,
        "limit": limit,
        **moment(now),
    }
    plain = not name and sort == "newest"
    async with conn.cursor(row_factory=dict_row) as cursor:
        rows = await (await cursor.execute(PAGE if plain else PAGES[sort], values)).fetchall()
    return [_standing(row) for row in rows]


GET: LiteralString = f"{_SELECT} AND c.app_id = %(app_id)s AND c.public_id = %(public_id)s{_NUMBERS}"


async def get(conn: Conn, app_id: int, public_id: str, *, now: datetime) -> Standing:
    """One campaign of an app. Raises NotFound."""
    values = {"app_id": app_id, "public_id": public_id, **moment(now)}
    async with conn.cursor(row_factory=dict_row) as cursor:
        row = await (await cursor.execute(GET, values)).fetchone()
    if row is None:
        raise NotFound(f"There is no campaign {public_id} in this app; it may have been deleted", field="campaignId")
    return _standing(row)


def moment(now: datetime) -> dict[str, object]:
    """What the statements above take of the time and of locks."""
    return {"now": now, "fresh": now - FRESH, "lane": int(locks.Kind.LANE), "gate": int(locks.Kind.GATE)}


COUNT = """
SELECT status, count(*) FROM campaign
WHERE deleted_at IS NULL AND kind = 'campaign' AND (%(app_id)s::int IS NULL OR app_id = %(app_id)s)
  AND (%(name)s::text IS NULL OR position(%(name)s IN lname) > 0)
GROUP BY status
"""


async def count(conn: Conn, *, app_id: int | None, name: str = "") -> dict[CampaignStatus, int]:
    """How many campaigns there are in each status that has any; with ``name``, of those whose name has it in it."""
    values = {"app_id": app_id, "name": name.lower() or None}
    rows = await (await conn.execute(COUNT, values)).fetchall()
    return {CampaignStatus(status): int(people) for status, people in rows}


# What tally and Ledger call the same; held and ready are told apart here.
_LEDGER = ("total", "submitting", "unknown", "accepted", "failed", "delivered", "suppressed", "expired")


def _through(told: Mapping[str, Any]) -> Through:
    """A sender as the statement's JSON tells of it: there, times are text."""
    panic, paused, down, again = (
        None if told[name] is None else datetime.fromisoformat(told[name])
        for name in ("panic_at", "paused_at", "down_since", "next_try_at")
    )
    return Through(
        address=told["address"],
        account=told["account"],
        gone=told["gone"],
        panic_at=panic,
        panic_words=told["panic_words"],
        lane_held=told["lane_held"],
        paused_at=paused,
        paused_reason=told["paused_reason"],
        down_since=down,
        next_try_at=again,
        words=told["words"],
    )


def _standing(row: Mapping[str, Any]) -> Standing:
    values = dict(row)
    waiting, held = values.pop("waiting"), values.pop("later_held")
    held = min(held, waiting)
    numbers = {name: values.pop(name) for name in _LEDGER}
    waits = [values.pop(name) or () for name in ("zones", "dues", "people", "used", "laws")]
    values["status"] = CampaignStatus(values["status"])
    values["list_names"] = tuple(values["list_names"])
    values["through"] = tuple(_through(sender) for sender in values.pop("senders") or ())
    exempt, by_zones = values.pop("transactional"), values.pop("by_zones")
    return Standing(
        **values,
        zones=Counted() if values["run_id"] is None else Counted(*by_zones, exempt=exempt),
        waits=tuple(
            Wait(zone, due_at, int(people), used, tuple(filter(None, laws.split(";"))))
            for zone, due_at, people, used, laws in zip(*waits, strict=True)
        ),
        ledger=tallies.Ledger(held=held, ready=waiting - held, **numbers),
    )
