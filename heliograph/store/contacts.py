"""The people on a contact list, numbered in order of arrival. One transaction at a time numbers them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg.errors import LockNotAvailable
from psycopg.rows import class_row

from heliograph.errors import Conflict, NotFound
from heliograph.rules import ids
from heliograph.store import locks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from heliograph.store.database import Conn
    from heliograph.store.lists import ContactList

_LARGEST = 2**31 - 1  # contacts are numbered with an int


class NewContact(NamedTuple):
    """A contact to add. ``fields`` is JSON text on one line: every column as it was sent, in order."""

    number: str
    time_zone: str | None
    priority: int | None
    fields: str


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact as it is kept. ``seq`` numbers it in its list."""

    seq: int
    number: str
    time_zone: str | None
    priority: int | None
    fields: dict[str, Any]
    created_at: datetime
    updated_at: datetime


LOCK_TIMEOUT = "SELECT set_config('lock_timeout', %(timeout)s, true)"


async def hold_writer(conn: Conn, list_id: int, *, name: str) -> None:
    """Be the one transaction that changes who is on the list, until it ends.

    Waits a little for whoever does now, and then raises Conflict: a caller that waited out a long import
    would keep a connection from everybody else.
    """
    await conn.execute(LOCK_TIMEOUT, {"timeout": "3s"})
    try:
        await locks.hold(conn, locks.Kind.LIST_WRITER, list_id)
    except LockNotAvailable as error:
        text = f"A file is being imported into list {name}; change it when that is done"
        raise Conflict(text, field="contactListId") from error
    await conn.execute(LOCK_TIMEOUT, {"timeout": "0"})


# Hot in imports: once a page of 5,000. LIMIT 1 keeps the planner from turning the probes into a join that
# reads the whole list, which it prefers (`= ANY`, EXISTS) as soon as the array is long. `+ 0` keeps it from
# the primary key, which it takes to be as good for a list that the statistics do not know yet, and which
# reads the list once for every number (60,000 rows: 25 s; 1 s so). Every number is one probe of
# contact_number, index only, whatever the size of the list and the age of the statistics.
FIND_NUMBERS = """
SELECT sought.number
FROM unnest(%(numbers)s::text[]) AS sought (number)
CROSS JOIN LATERAL (
    SELECT 1 FROM contact c
    WHERE c.app_id = %(app_id)s AND c.number = sought.number AND c.list_id + 0 = %(list_id)s
    LIMIT 1
) AS present
"""


async def find_numbers(conn: Conn, app_id: int, list_id: int, numbers: Sequence[str]) -> set[str]:
    """Those of ``numbers`` that are on the list, this transaction's own additions included."""
    # An array as PostgreSQL writes it: the driver's, cell by cell, took as long as reading the rows.
    values = {"app_id": app_id, "list_id": list_id, "numbers": "{" + ",".join(numbers) + "}"}
    cursor = await conn.execute(FIND_NUMBERS, values)
    return {str(row[0]) for row in await cursor.fetchall()}


_NULL = "\\N"  # as COPY writes it
COPY_IN = """
COPY contact (app_id, list_id, seq, number, time_zone, priority, fields, created_at, updated_at) FROM STDIN
"""


async def add(
    conn: Conn, app_id: int, list_id: int, contacts: Iterable[NewContact], *, first_seq: int, now: datetime
) -> None:
    """Append contacts, numbered from ``first_seq`` on. Only for whoever holds the list's writer lock."""
    # COPY's text format by hand: the driver's row by row took half the time of an import. JSON text has no raw tab or
    # line end in it, so backslashes are all there is to escape.
    of, at = f"{app_id}\t{list_id}\t", f"\t{now.isoformat()}\t{now.isoformat()}\n"
    lines = [
        f"{of}{seq}\t{number}\t{zone or _NULL}\t{_NULL if priority is None else priority}\t"
        + fields.replace("\\", "\\\\")
        + at
        for seq, (number, zone, priority, fields) in enumerate(contacts, first_seq)
    ]
    async with conn.cursor() as cursor, cursor.copy(COPY_IN) as copy:
        await copy.write("".join(lines))


ANALYZE = "ANALYZE contact"


async def learn_sizes(conn: Conn) -> None:
    """Tell PostgreSQL how large the lists are now, so that it does not plan for them as they were.

    After a large import, and before it is committed: until the server's own clock comes round to it, every
    page of a new list of 200,000 would be found by sorting the whole list (112 ms; 0.2 ms with it).
    """
    await conn.execute(ANALYZE)


# The inner query walks only the primary key, so that a deep page does not read the rows it skips.
LIST_PAGE = """
SELECT seq, number, time_zone, priority, fields, created_at, updated_at
FROM contact
WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND seq = ANY(ARRAY(
    SELECT seq FROM contact WHERE app_id = %(app_id)s AND list_id = %(list_id)s
    ORDER BY seq OFFSET %(skip)s LIMIT %(limit)s))
ORDER BY seq
"""


async def list_page(conn: Conn, app_id: int, list_id: int, *, skip: int, limit: int) -> list[Contact]:
    """Some contacts of a list, in order of arrival."""
    values = {"app_id": app_id, "list_id": list_id, "skip": skip, "limit": limit}
    async with conn.cursor(row_factory=class_row(Contact)) as cursor:
        return await (await cursor.execute(LIST_PAGE, values)).fetchall()


GET = """
SELECT seq, number, time_zone, priority, fields, created_at, updated_at
FROM contact WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND seq = %(seq)s
"""


async def get(conn: Conn, target: ContactList, contact_id: str) -> Contact:
    """The contact of a list with this id (``cc-…``). Raises NotFound, for a contact of another list, too."""
    named = ids.parse_contact_id(contact_id)
    if named is None or named[0] != target.public_id or named[1] > _LARGEST:
        raise missing(target, contact_id)
    values = {"app_id": target.app_id, "list_id": target.list_id, "seq": named[1]}
    async with conn.cursor(row_factory=class_row(Contact)) as cursor:
        found = await (await cursor.execute(GET, values)).fetchone()
    if found is None:
        raise missing(target, contact_id)
    return found


def missing(target: ContactList, contact_id: str) -> NotFound:
    """The error that says which contact there is not."""
    return NotFound(f"Contact {contact_id} not found in contact list {target.name}", field="contactId")


OTHER = """
SELECT seq FROM contact
WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND number = %(number)s AND seq <> %(seq)s
LIMIT 1
"""


async def find_other(conn: Conn, app_id: int, list_id: int, number: str, *, seq: int) -> int | None:
    """The seq of a contact of the list with this telephone number that is not ``seq``."""
    values = {"app_id": app_id, "list_id": list_id, "number": number, "seq": seq}
    row = await (await conn.execute(OTHER, values)).fetchone()
    return None if row is None else int(row[0])


REPLACE = """
UPDATE contact SET number = %(number)s, time_zone = %(time_zone)s, priority = %(priority)s,
                   fields = %(fields)s::json, updated_at = %(now)s
WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND seq = %(seq)s
RETURNING seq, number, time_zone, priority, fields, created_at, updated_at
"""


async def replace(
    conn: Conn, app_id: int, list_id: int, seq: int, contact: NewContact, *, now: datetime
) -> Contact | None:
    """Make a contact what is given; None when it is gone. Only for whoever holds the list's writer lock."""
    values = {"app_id": app_id, "list_id": list_id, "seq": seq, "now": now, **contact._asdict()}
    async with conn.cursor(row_factory=class_row(Contact)) as cursor:
        return await (await cursor.execute(REPLACE, values)).fetchone()


REMOVE = "DELETE FROM contact WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND seq = %(seq)s"


async def remove(conn: Conn, app_id: int, list_id: int, seq: int) -> None:
    """Take a contact off its list. Only for whoever holds the list's writer lock."""
    await conn.execute(REMOVE, {"app_id": app_id, "list_id": list_id, "seq": seq})


AFTER = """
SELECT seq, number, time_zone, priority, fields, created_at, updated_at
FROM contact WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND seq > %(after)s
ORDER BY seq LIMIT %(limit)s
"""


async def read_after(conn: Conn, app_id: int, list_id: int, after: int, *, limit: int) -> list[Contact]:
    """The next contacts of a list after number ``after`` in it. The millionth page costs what the first did."""
    values = {"app_id": app_id, "list_id": list_id, "after": after, "limit": limit}
    async with conn.cursor(row_factory=class_row(Contact)) as cursor:
        return await (await cursor.execute(AFTER, values)).fetchall()


BEFORE = """
SELECT seq, number, time_zone, priority, fields, created_at, updated_at
FROM contact WHERE app_id = %(app_id)s AND list_id = %(list_id)s AND seq < %(before)s
ORDER BY seq DESC LIMIT %(limit)s
"""


async def read_before(conn: Conn, app_id: int, list_id: int, before: int, *, limit: int) -> list[Contact]:
    """The contacts of a list right before number ``before`` in it, in order of arrival, as quickly."""
    values = {"app_id": app_id, "list_id": list_id, "before": before, "limit": limit}
    async with conn.cursor(row_factory=class_row(Contact)) as cursor:
        return (await (await cursor.execute(BEFORE, values)).fetchall())[::-1]


DELETE_ALL = "DELETE FROM contact WHERE app_id = %(app_id)s AND list_id = %(list_id)s"


async def delete_all(conn: Conn, app_id: int, list_id: int) -> int:
    """Remove every contact of a list; how many there were."""
    return (await conn.execute(DELETE_ALL, {"app_id": app_id, "list_id": list_id})).rowcount
