"""Reading the contacts of a run's lists, page by page, to plan them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg.rows import class_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg.rows import TupleRow

    from heliograph.store.database import Conn


class Member(NamedTuple):
    """A contact, with its columns only when asked for."""

    list_id: int
    seq: int
    number: str
    time_zone: str | None
    fields: dict[str, Any]


FIRST, WITHOUT = 32767, -32768  # levels above and below every priority

NEXT_LEVEL = """
SELECT max(top.priority) FROM unnest(%(list_ids)s::int[]) AS list (list_id)
CROSS JOIN LATERAL (
    SELECT priority FROM contact
    WHERE app_id = %(app_id)s AND list_id = list.list_id AND priority IS NOT NULL AND priority < %(below)s
    ORDER BY priority DESC LIMIT 1
) AS top
"""


async def find_next_level(conn: Conn, app_id: int, list_ids: Sequence[int], below: int) -> int:
    """The highest priority under ``below`` that any contact of the lists has; WITHOUT when there is none."""
    cursor = await conn.execute(NEXT_LEVEL, {"app_id": app_id, "list_ids": list(list_ids), "below": below})
    row = await cursor.fetchone()
    return WITHOUT if row is None or row[0] is None else int(row[0])


# Keyset, by contact_priority or the primary key: the millionth page costs what the first did.
READ_LEVEL = """
SELECT list_id, seq, number, time_zone,
       CASE WHEN %(with_fields)s THEN fields::text ELSE '{}' END AS fields
FROM contact
WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND seq > %(after)s AND priority = %(level)s
ORDER BY seq LIMIT %(limit)s
"""
READ_WITHOUT = """
SELECT list_id, seq, number, time_zone,
       CASE WHEN %(with_fields)s THEN fields::text ELSE '{}' END AS fields
FROM contact
WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND seq > %(after)s AND priority IS NULL
ORDER BY seq LIMIT %(limit)s
"""


async def read_page(
    conn: Conn, app_id: int, list_id: int, *, level: int, after: int, limit: int, with_fields: bool
) -> list[Member]:
    """The next ``limit`` contacts of a list with priority ``level`` (WITHOUT: none), after number ``after`` in it."""
    values = {
        "app_id": app_id,
        "list_id": list_id,
        "level": level,
        "after": after,
        "limit": limit,
        "with_fields": with_fields,
    }
    rows = await (await conn.execute(READ_WITHOUT if level == WITHOUT else READ_LEVEL, values)).fetchall()
    columns = _columns(rows) if with_fields else [_NO_COLUMNS] * len(rows)
    return [Member(lst, seq, number, zone, own) for (lst, seq, number, zone, _), own in zip(rows, columns, strict=True)]


_NO_COLUMNS: dict[str, Any] = {}


def _columns(rows: Sequence[TupleRow]) -> list[dict[str, Any]]:
    """The columns of a page of people, which are the fifth thing in each row: as one text, it takes half the time."""
    return json.loads("[" + ",".join([row[4] for row in rows]) + "]")


REPEATS = """
SELECT EXISTS (SELECT FROM contact_list
               WHERE app_id = %(app_id)s AND list_id = ANY(%(list_ids)s::int[]) AND allow_duplicates)
"""


async def may_repeat(conn: Conn, app_id: int, list_ids: Sequence[int]) -> bool:
    """Whether somebody may be met twice on the way through the lists: there are several, or one keeps duplicates."""
    if len(list_ids) > 1:
        return True
    row = await (await conn.execute(REPEATS, {"app_id": app_id, "list_ids": list(list_ids)})).fetchone()
    return row is not None and bool(row[0])


# The people of several lists, each number once with how many contacts have it, in the order of the numbers: so
# that telling who is there twice takes no memory. The bound is the smallest of the lists' page ends, each found in
# contact_number alone; up to it every list is read, whatever is on it. Of the contacts of a number the one counts
# that planning would come to first. LATERAL with OFFSET 0 keeps list by list: left to itself, the planner reads
# that index for all lists of the app and throws away what it did not want.
READ_NUMBERS = """
WITH list AS (
    SELECT list_id, position FROM unnest(%(list_ids)s::int[]) WITH ORDINALITY AS l (list_id, position)
), bound AS (
    SELECT coalesce(min(page_end.number), %(until)s) AS number FROM list CROSS JOIN LATERAL (
        SELECT number FROM contact
        WHERE app_id = %(app_id)s AND list_id = list.list_id AND number > %(after)s AND number <= %(until)s
          AND (%(every)s = 1 OR (hashtext(number) & 2147483647) %% %(every)s = 0)
        ORDER BY number OFFSET %(each)s - 1 LIMIT 1
    ) AS page_end
)
SELECT DISTINCT ON (c.number) c.list_id, c.seq, c.number, c.time_zone, c.fields,
       count(*) OVER (PARTITION BY c.number) AS copies
FROM list CROSS JOIN LATERAL (
    SELECT list_id, seq, number, time_zone, priority,
           CASE WHEN %(with_fields)s THEN fields::text ELSE '{}' END AS fields
    FROM contact
    WHERE app_id = %(app_id)s AND list_id = list.list_id
      AND number > %(after)s AND number <= (SELECT number FROM bound)
      AND (%(every)s = 1 OR (hashtext(number) & 2147483647) %% %(every)s = 0)
    OFFSET 0
) AS c
ORDER BY c.number, c.priority DESC NULLS LAST, list.position, c.seq
"""
LAST = "+99999999999999999999"  # after every number there can be, in whatever way texts are ordered


class Counted(NamedTuple):
    """A person of several lists; ``copies`` of its contacts have the number."""

    list_id: int
    seq: int
    number: str
    time_zone: str | None
    fields: dict[str, Any]
    copies: int


async def read_numbers(
    conn: Conn,
    app_id: int,
    list_ids: Sequence[int],
    *,
    after: str,
    until: str = LAST,
    limit: int,
    with_fields: bool,
    every: int = 1,
) -> list[Counted]:
    """The next people of all the lists, at most ``limit``, after the number ``after`` (``""``: from the start).

    Empty when there are no more, up to the number ``until``. ``every``: one number in so many, always the same ones.
    """
    values = {
        "app_id": app_id,
        "list_ids": list(list_ids),
        "after": after,
        "until": until,
        "each": max(1, limit // max(1, len(list_ids))),
        "with_fields": with_fields,
        "every": every,
    }
    return _counted(await (await conn.execute(READ_NUMBERS, values)).fetchall(), with_fields=with_fields)


def _counted(rows: Sequence[TupleRow], *, with_fields: bool) -> list[Counted]:
    columns = _columns(rows) if with_fields else [_NO_COLUMNS] * len(rows)
    return [
        Counted(list_id, seq, number, zone, own, copies)
        for (list_id, seq, number, zone, _, copies), own in zip(rows, columns, strict=True)
    ]


LAST_SEQ = 2**31 - 1

# A list without duplicates, from end to end in the order of its primary key: half the cost of READ_NUMBERS.
READ_LIST = """
SELECT list_id, seq, number, time_zone,
       CASE WHEN %(with_fields)s THEN fields::text ELSE '{}' END AS fields, 1::bigint
FROM contact
WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND seq > %(after)s AND seq <= %(until)s
  AND (%(every)s = 1 OR (hashtext(number) & 2147483647) %% %(every)s = 0)
ORDER BY seq LIMIT %(limit)s
"""


async def read_list(
    conn: Conn,
    app_id: int,
    list_id: int,
    *,
    after: int,
    until: int = LAST_SEQ,
    limit: int,
    with_fields: bool,
    every: int = 1,
) -> list[Counted]:
    """The next people of one list that has no number twice, after its contact number ``after``, up to ``until``."""
    values = {
        "app_id": app_id,
        "list_id": list_id,
        "after": after,
        "until": until,
        "limit": limit,
        "with_fields": with_fields,
        "every": every,
    }
    return _counted(await (await conn.execute(READ_LIST, values)).fetchall(), with_fields=with_fields)


LIST_CUTS = """
SELECT ceil(max(last_seq) * share::float / %(shares)s)::int
FROM contact_list CROSS JOIN generate_series(1, %(shares)s - 1) AS share
WHERE app_id = %(app_id)s AND list_id = %(list_id)s GROUP BY share ORDER BY share
"""


async def list_cuts(conn: Conn, app_id: int, list_id: int, shares: int) -> list[int]:
    """Where to cut a list into ``shares`` of about the same size: after these contacts of it."""
    values = {"app_id": app_id, "list_id": list_id, "shares": shares}
    return [int(row[0]) for row in await (await conn.execute(LIST_CUTS, values)).fetchall()]


# By the largest of the lists, in contact_number alone: 60 ms for half a million numbers.
NUMBER_CUTS = """
WITH largest AS (
    SELECT list_id, contact_count FROM contact_list
    WHERE app_id = %(app_id)s AND list_id = ANY(%(list_ids)s::int[]) ORDER BY contact_count DESC LIMIT 1
)
SELECT cut.number FROM largest CROSS JOIN generate_series(1, %(shares)s - 1) AS share CROSS JOIN LATERAL (
    SELECT number FROM contact WHERE app_id = %(app_id)s AND list_id = largest.list_id
    ORDER BY number OFFSET largest.contact_count * share / %(shares)s LIMIT 1
) AS cut ORDER BY share
"""


async def number_cuts(conn: Conn, app_id: int, list_ids: Sequence[int], shares: int) -> list[str]:
    """Where to cut the people of several lists into ``shares`` of about the same size: after these numbers."""
    values = {"app_id": app_id, "list_ids": list(list_ids), "shares": shares}
    return [str(row[0]) for row in await (await conn.execute(NUMBER_CUTS, values)).fetchall()]


SIZE = """
SELECT coalesce(sum(contact_count), 0) FROM contact_list
WHERE app_id = %(app_id)s AND list_id = ANY(%(list_ids)s::int[])
"""


async def size(conn: Conn, app_id: int, list_ids: Sequence[int]) -> int:
    """How many contacts the lists have."""
    row = await (await conn.execute(SIZE, {"app_id": app_id, "list_ids": list(list_ids)})).fetchone()
    return 0 if row is None else int(row[0])


# A run over the failures of an earlier one. Somebody without an outcome never left: the run was stopped
# before their turn, which reads as `expired`. Whoever was accepted, delivered or left unknown is out of
# reach whatever is asked for.
READ_FAILED = """
SELECT m.list_id, m.seq, m.number, c.time_zone, coalesce(c.fields, '{}'::json) AS fields, m.contact_seq, c.priority
FROM message m
JOIN run r ON r.app_id = m.app_id AND r.run_id = m.run_id AND r.ended_at IS NOT NULL
LEFT JOIN outcome o ON o.app_id = m.app_id AND o.run_id = m.run_id AND o.seq = m.seq
LEFT JOIN contact c ON c.app_id = m.app_id AND c.list_id = m.list_id AND c.seq = m.contact_seq
WHERE m.app_id = %(app_id)s AND m.run_id = %(run_id)s AND m.seq > %(after)s AND m.number <> ''
  AND coalesce(o.status, 'expired') IN ('failed', 'expired')
  AND coalesce(o.status, 'expired')::text = ANY(%(classes)s)
  AND (o.seq IS NOT NULL OR NOT EXISTS (
      SELECT FROM chunk k WHERE k.app_id = m.app_id AND k.run_id = m.run_id
        AND coalesce(m.place, m.seq) BETWEEN k.first_seq AND k.next_seq - 1
  ))
ORDER BY m.seq LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Failed:
    """A person of an earlier run; ``seq`` counts in that run, ``contact_seq`` in the list."""

    list_id: int
    seq: int
    number: str
    time_zone: str | None
    fields: dict[str, Any]
    contact_seq: int
    priority: int | None


async def read_failed(
    conn: Conn, app_id: int, run_id: int, classes: Sequence[str], *, after: int, limit: int
) -> list[Failed]:
    """The next people of an ended run, after its seq ``after``, with whom it ended as in ``classes``."""
    values = {"app_id": app_id, "run_id": run_id, "classes": list(classes), "after": after, "limit": limit}
    async with conn.cursor(row_factory=class_row(Failed)) as cursor:
        return await (await cursor.execute(READ_FAILED, values)).fetchall()


FIND_NUMBER = """
SELECT c.number FROM contact_list l JOIN contact c ON c.app_id = l.app_id AND c.list_id = l.list_id
WHERE l.app_id = %(app_id)s AND l.public_id = %(list_id)s AND l.deleted_at IS NULL AND c.seq = %(seq)s
"""


async def find_number(conn: Conn, app_id: int, list_public_id: str, seq: int) -> str | None:
    """The number of a list's ``seq``-th contact, or None."""
    values = {"app_id": app_id, "list_id": list_public_id, "seq": seq}
    row = await (await conn.execute(FIND_NUMBER, values)).fetchone()
    return None if row is None else str(row[0])
