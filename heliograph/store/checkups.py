"""What ``heliograph doctor`` looks at: the kept numbers against the rows, and the state of the server.

Read while everything runs: each statement is one snapshot, in which what is kept and what is counted must agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

from psycopg.rows import class_row

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.database import Conn

COLUMNS = ("total", "waiting", "submitting", "unknown", "accepted", "failed", "delivered", "suppressed", "expired")


@dataclass(frozen=True, slots=True)
class Run:
    """A run to be looked at. ``live``: its campaign is on it, and it has not ended."""

    app_id: int
    run_id: int
    public_id: str
    campaign_name: str
    live: bool


LIST_RUNS = """
SELECT r.app_id, r.run_id, r.public_id, k.name AS campaign_name,
       r.ended_at IS NULL AND k.run_id = coalesce(r.companion_of, r.run_id) AND k.deleted_at IS NULL AS live
FROM run r JOIN campaign k ON k.app_id = r.app_id AND k.campaign_id = r.campaign_id
WHERE %(every)s
   OR (r.ended_at IS NULL AND k.run_id = coalesce(r.companion_of, r.run_id) AND k.deleted_at IS NULL)
   OR r.ended_at > %(since)s
ORDER BY r.run_id
"""


async def list_runs(conn: Conn, *, since: datetime, every: bool) -> list[Run]:
    """The runs under way and those that ended after ``since``, of all apps; or every run there ever was."""
    async with conn.cursor(row_factory=class_row(Run)) as cursor:
        return await (await cursor.execute(LIST_RUNS, {"since": since, "every": every})).fetchall()


# Counted person by person; one probe of chunk_place for each who has no outcome. As tallies.RECOUNT, which is the law
# that tests hold the numbers to, but in the columns of the table and at a price that a million people can pay.
_RECOUNT: LiteralString = """
WITH r AS (
    SELECT app_id, run_id, ended_at FROM run WHERE app_id = %(app_id)s AND run_id = %(run_id)s
), people AS (
    SELECT coalesce(m.place, m.seq) AS place, o.status
    FROM r JOIN message m ON m.app_id = r.app_id AND m.run_id = r.run_id
    LEFT JOIN outcome o ON o.app_id = m.app_id AND o.run_id = m.run_id AND o.seq = m.seq
), stands AS (
    SELECT p.status, c.chunk_no, c.next_seq > p.place AS taken, r.ended_at IS NOT NULL AS ended
    FROM people p CROSS JOIN r LEFT JOIN LATERAL (
        SELECT h.chunk_no, h.next_seq FROM chunk h
        WHERE p.status IS NULL AND h.app_id = r.app_id AND h.run_id = r.run_id
          AND h.first_seq <= p.place AND h.last_seq >= p.place
        ORDER BY h.first_seq DESC LIMIT 1
    ) c ON true
), counted AS (
    SELECT count(*) AS total,
           count(*) FILTER (WHERE status IS NULL AND NOT taken AND NOT ended) AS waiting,
           count(*) FILTER (WHERE status IS NULL AND taken) AS submitting,
           count(*) FILTER (WHERE status = 'unknown') AS unknown,
           count(*) FILTER (WHERE status = 'accepted') AS accepted,
           count(*) FILTER (WHERE status = 'failed') AS failed,
           count(*) FILTER (WHERE status = 'delivered') AS delivered,
           count(*) FILTER (WHERE status = 'suppressed') AS suppressed,
           count(*) FILTER (WHERE status = 'expired' OR (status IS NULL AND NOT taken AND ended)) AS expired,
           count(*) FILTER (WHERE status IS NULL AND chunk_no IS NULL) AS nowhere
    FROM stands
), kept AS (
    SELECT coalesce(sum(total), 0) AS total, coalesce(sum(waiting), 0) AS waiting,
           coalesce(sum(submitting), 0) AS submitting, coalesce(sum(unknown), 0) AS unknown,
           coalesce(sum(accepted), 0) AS accepted, coalesce(sum(failed), 0) AS failed,
           coalesce(sum(delivered), 0) AS delivered, coalesce(sum(suppressed), 0) AS suppressed,
           coalesce(sum(expired), 0) AS expired
    FROM tally WHERE app_id = %(app_id)s AND run_id = %(run_id)s
)
"""

RECOUNT: LiteralString = f"""{_RECOUNT}
SELECT k.total::bigint, k.waiting::bigint, k.submitting::bigint, k.unknown::bigint, k.accepted::bigint,
       k.failed::bigint, k.delivered::bigint, k.suppressed::bigint, k.expired::bigint,
       c.total, c.waiting, c.submitting, c.unknown, c.accepted, c.failed, c.delivered, c.suppressed, c.expired,
       c.nowhere
FROM kept k, counted c
"""


@dataclass(frozen=True, slots=True)
class Count:
    """A run's numbers as they are kept and as they are counted; ``nowhere``: people who wait in no chunk."""

    kept: dict[str, int]
    counted: dict[str, int]
    nowhere: int

    @property
    def wrong(self) -> dict[str, int]:
        """What has to be added to what is kept, by column."""
        return {name: self.counted[name] - self.kept[name] for name in COLUMNS if self.counted[name] != self.kept[name]}


async def recount(conn: Conn, app_id: int, run_id: int) -> Count:
    """The numbers of a run, kept and counted in one snapshot: exact while its campaign runs."""
    row = await (await conn.execute(RECOUNT, {"app_id": app_id, "run_id": run_id})).fetchone()
    numbers = [int(value) for value in row or [0] * 19]
    size = len(COLUMNS)
    kept: dict[str, int] = dict(zip(COLUMNS, numbers[:size], strict=True))
    counted: dict[str, int] = dict(zip(COLUMNS, numbers[size : 2 * size], strict=True))
    return Count(kept, counted, numbers[-1])


HOLD_RUN = "SELECT run_id FROM run WHERE app_id = %(app_id)s AND run_id = %(run_id)s FOR UPDATE"

# What is missing is added, not what was counted put in its place: both halves are of one snapshot, and whatever others
# change meanwhile changes rows and tally alike. So nobody who sends has to be held up.
REPAIR: LiteralString = f"""{_RECOUNT}
UPDATE tally t
SET {", ".join(f"{name} = t.{name} + c.{name} - k.{name}" for name in COLUMNS)}
FROM kept k, counted c
WHERE t.app_id = %(app_id)s AND t.run_id = %(run_id)s AND t.sender_id = 0
"""


async def repair(conn: Conn, app_id: int, run_id: int) -> None:
    """Make the kept numbers of a run those that are counted. Call it in a transaction.

    The run's row is held, so that two who repair it at once do not add the same twice.
    """
    await conn.execute(HOLD_RUN, {"app_id": app_id, "run_id": run_id})
    await conn.execute(REPAIR, {"app_id": app_id, "run_id": run_id})


# A chunk's count of those taken and not settled, against the rows. Everybody without an outcome in one pass, and one
# probe of chunk_place for each: asked chunk by chunk, it read all outcomes for every chunk.
WRONG_CHUNKS = """
WITH open AS (
    SELECT h.chunk_no, count(*) FILTER (WHERE h.next_seq > coalesce(m.place, m.seq)) AS people
    FROM message m CROSS JOIN LATERAL (
        SELECT c.chunk_no, c.next_seq, c.last_seq FROM chunk c
        WHERE c.app_id = m.app_id AND c.run_id = m.run_id AND c.first_seq <= coalesce(m.place, m.seq)
        ORDER BY c.first_seq DESC LIMIT 1
    ) h
    WHERE m.app_id = %(app_id)s AND m.run_id = %(run_id)s AND coalesce(m.place, m.seq) <= h.last_seq
      AND NOT EXISTS (SELECT FROM outcome o WHERE o.app_id = m.app_id AND o.run_id = m.run_id AND o.seq = m.seq)
    GROUP BY h.chunk_no
)
SELECT count(*) FROM chunk c LEFT JOIN open ON open.chunk_no = c.chunk_no
WHERE c.app_id = %(app_id)s AND c.run_id = %(run_id)s
  AND (c.unsettled <> coalesce(open.people, 0) OR c.done <> (c.next_seq > c.last_seq AND c.unsettled = 0))
"""


async def count_wrong_chunks(conn: Conn, app_id: int, run_id: int) -> int:
    """How many chunks of a run miscount who of them is unsettled, or whether they are done."""
    row = await (await conn.execute(WRONG_CHUNKS, {"app_id": app_id, "run_id": run_id})).fetchone()
    return 0 if row is None else int(row[0])


SERVER = """
SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
       current_setting('synchronous_commit') AS synchronous_commit, current_setting('fsync') AS fsync,
       current_setting('full_page_writes') AS full_page_writes, current_setting('autovacuum') AS autovacuum,
       current_setting('max_connections')::int AS most_connections,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::int AS connections,
       pg_database_size(current_database())::bigint AS bytes
"""


@dataclass(frozen=True, slots=True)
class Server:
    """The PostgreSQL server and its settings."""

    version: str
    number: int
    synchronous_commit: str
    fsync: str
    full_page_writes: str
    autovacuum: str
    most_connections: int
    connections: int
    bytes: int


async def server(conn: Conn) -> Server:
    """The server and its settings."""
    async with conn.cursor(row_factory=class_row(Server)) as cursor:
        row = await (await cursor.execute(SERVER)).fetchone()
    assert row is not None  # noqa: S101  # a SELECT without FROM
    return row


CLOCK = "SELECT clock_timestamp()"


async def clock(conn: Conn) -> datetime:
    """The server's time."""
    row = await (await conn.execute(CLOCK)).fetchone()
    assert row is not None  # noqa: S101  # as above
    return row[0]


STATE = """
WITH held AS MATERIALIZED (
    SELECT classid::int AS kind, objid::bigint AS id, pid FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND objsubid = 2
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT (SELECT count(DISTINCT pid) FROM held WHERE kind = %(lane)s)::int AS lane_holders,
       (SELECT count(*) FROM campaign
        WHERE status = 'Active' AND deleted_at IS NULL AND kind = 'campaign')::int AS active,
       (SELECT count(*) FROM sender s WHERE s.deleted_at IS NULL
          AND EXISTS (SELECT FROM chunk c WHERE c.app_id = s.app_id AND c.sender_id = s.sender_id AND c.unsettled > 0)
          AND NOT EXISTS (SELECT FROM held WHERE held.kind = %(lane)s AND held.id = s.sender_id))::int AS left_in_hand,
       (SELECT count(*) FROM held JOIN pg_stat_activity a ON a.pid = held.pid
        WHERE held.kind = %(gate)s AND a.state = 'idle'
          AND a.state_change < clock_timestamp() - interval '30 seconds')::int AS stuck_gates,
       (SELECT count(DISTINCT worker) FROM line WHERE seen_at > %(fresh)s)::int AS line_workers,
       (SELECT count(*) FROM sticky_sender t WHERE NOT EXISTS (
            SELECT FROM sender s WHERE s.app_id = t.app_id AND s.sender_id = t.sender_id AND s.deleted_at IS NULL
        ))::int AS sticky_to_nobody,
       (SELECT count(*) FROM early_receipt)::int AS parked,
       (SELECT min(received_at) FROM early_receipt) AS parked_since,
       coalesce((SELECT sum(unknown) FROM tally WHERE (app_id, run_id) IN (
            SELECT x.app_id, x.run_id FROM tally x WHERE x.unknown > 0
        )), 0)::int AS unknown,
       (SELECT count(*) FROM panic WHERE released_at IS NULL)::int AS panics
"""


@dataclass(frozen=True, slots=True)
class State:
    """The state of the installation. ``left_in_hand``: senders with people in flight and no worker.

    ``stuck_gates``: gates of campaigns held by sessions that have said nothing for half a minute. ``line_workers``:
    workers that lately spoke of a line. ``sticky_to_nobody``: people kept to a sender that is gone.
    """

    lane_holders: int
    active: int
    left_in_hand: int
    stuck_gates: int
    line_workers: int
    sticky_to_nobody: int
    parked: int
    parked_since: datetime | None
    unknown: int
    panics: int


async def state(conn: Conn, *, lane: int, gate: int, fresh: datetime) -> State:
    """The state of the installation; ``lane``, ``gate``: the first keys of those advisory locks."""
    async with conn.cursor(row_factory=class_row(State)) as cursor:
        row = await (await cursor.execute(STATE, {"lane": lane, "gate": gate, "fresh": fresh})).fetchone()
    assert row is not None  # noqa: S101  # as above
    return row


ACCOUNTS = """
SELECT a.name, a.public_id, a.paused_at, coalesce(a.paused_reason, '') AS paused_reason, l.down_since,
       coalesce(l.words, '') AS words
FROM carrier_account a LEFT JOIN LATERAL (
    SELECT min(i.since) AS down_since, (array_agg(i.words ORDER BY i.seen_at DESC))[1] AS words
    FROM line i WHERE i.app_id = a.app_id AND i.account_id = a.account_id AND i.seen_at > %(fresh)s
    HAVING bool_and(i.state <> 'up')
) l ON true
WHERE a.deleted_at IS NULL AND (a.paused_at IS NOT NULL OR l.down_since IS NOT NULL)
ORDER BY a.account_id
"""


@dataclass(frozen=True, slots=True)
class Account:
    """A carrier account through which nothing leaves."""

    name: str
    public_id: str
    paused_at: datetime | None
    paused_reason: str
    down_since: datetime | None
    words: str


async def list_troubled(conn: Conn, *, fresh: datetime) -> list[Account]:
    """The carrier accounts of all apps that are paused, or whose line no worker has up."""
    async with conn.cursor(row_factory=class_row(Account)) as cursor:
        return await (await cursor.execute(ACCOUNTS, {"fresh": fresh})).fetchall()


SECRETS = """
SELECT 'carrier account ' || name AS what, public_id AS owner, secrets_sealed AS sealed FROM carrier_account
WHERE secrets_sealed IS NOT NULL AND deleted_at IS NULL
UNION ALL
SELECT 'client ' || name, public_id, secret_sealed FROM client
UNION ALL
SELECT 'secret ' || s.name, a.public_id || ' ' || s.name, s.sealed
FROM app_secret s JOIN app a ON a.app_id = s.app_id
"""


async def list_sealed(conn: Conn) -> list[tuple[str, str, bytes]]:
    """``(what it is, whose it was sealed as, the sealed bytes)`` of everything that is sealed."""
    rows: list[Any] = await (await conn.execute(SECRETS)).fetchall()
    return [(str(what), str(owner), bytes(sealed)) for what, owner, sealed in rows]
