"""Adding people to a contact list: a few by a call, many by a file."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from heliograph.actions import csv_rows
from heliograph.actions import lists as listing
from heliograph.errors import Invalid
from heliograph.rules import body as reading
from heliograph.rules import contact as law
from heliograph.rules import draft, ids, quota
from heliograph.store import contacts, lists
from heliograph.store.contacts import NewContact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from heliograph.actions.csv_rows import Page, Problem, Reader
    from heliograph.rules.quota import Quota
    from heliograph.store.apps import App
    from heliograph.store.database import Conn, Database
    from heliograph.store.lists import ContactList

PAGE = 5000  # rows of a file read, checked and written at once
LARGE = 5000  # contacts of an import that change how their list is best read
PROBLEMS_KEPT = 100
LONGEST_FILE_NAME = 255

_NAMES = ("contact_list_name", "contactListName", "contactListId", "contact_list_id", "contactListID", "ContactListID")


async def add(
    db: Database, app: App, body: Mapping[str, object], *, now: datetime, limits: Quota = quota.DEFAULT
) -> int:
    """Add up to 100 contacts to a list named in the body, all of them or, if one is bad, none.

    Unless the list keeps duplicates, a number that is on it already, or comes twice, is added once.
    Answers how many were added. Raises :class:`Invalid` naming the first bad contact and its value,
    :class:`~heliograph.errors.TooLarge`, :class:`~heliograph.errors.NotFound`, and
    :class:`~heliograph.errors.Conflict` where there would be more than ``limits`` allow.
    """
    ref = _list_named(body)
    people = law.read_many(body.get("data"))
    async with db.transaction() as conn:
        writer = await _Writer.open(conn, app, ref, limits, now=now)
        await writer.write([to_keep(person) for person in people])
        await writer.finish(name for person in people for name in person.fields)
    return writer.added


async def append(
    conn: Conn,
    app: App,
    ref: str,
    people: Sequence[NewContact],
    columns: Iterable[str],
    *,
    now: datetime,
    limits: Quota = quota.DEFAULT,
) -> int:
    """Add any number of people in the caller's own transaction, as a file's rows are; answers how many were added.

    A list to which nobody was added stays as it was. Raises NotFound, and Conflict as :func:`import_csv` does.
    """
    writer = await _Writer.open(conn, app, ref, limits, now=now)
    for at in range(0, len(people), PAGE):
        await writer.write(people[at : at + PAGE])
    if writer.added:
        await writer.finish(columns)
    if writer.added >= LARGE:
        await contacts.learn_sizes(conn)
    return writer.added


def _list_named(body: Mapping[str, object]) -> str:
    for name in _NAMES:
        value = body.get(name)
        if value is not None and value != "":
            return reading.text(value, name, longest=law.LONGEST_CELL)
    raise Invalid("No contact list is named. Send contact_list_name or contactListId", field="contact_list_name")


def to_keep(person: law.Contact) -> NewContact:
    """A contact that was checked, as it is kept."""
    return NewContact(person.number, person.time_zone, person.priority, json.dumps(person.fields, ensure_ascii=False))


# ---------------------------------------------------------------- files


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the rows of a file: ``rows = imported + duplicates + rejected``."""

    target: ContactList
    file_id: str
    file_name: str
    rows: int
    imported: int
    duplicates: int
    rejected: int
    problems: tuple[Problem, ...]  # the first 100


async def import_csv(
    db: Database,
    app: App,
    ref: str,
    file: BinaryIO,
    *,
    file_name: str,
    now: datetime,
    create: bool = False,
    allow_duplicates: bool = False,
    progress: Callable[[int], None] | None = None,
    limits: Quota = quota.DEFAULT,
) -> Imported:
    """Append the rows of a CSV file to the list with this id or name, in one transaction.

    Bad rows are left out and reported; if no row is good, nothing changes. ``create`` makes the list when
    there is none of this name (``allow_duplicates`` is then its setting). ``progress`` is told the rows read
    so far, about every 5,000. Memory does not grow with the file, which is left open.

    Raises :class:`Invalid` for a file that is no table of contacts or has no good row,
    :class:`~heliograph.errors.NotFound`, :class:`~heliograph.errors.Conflict` while another import fills the list, or
    where there would be more than ``limits`` allow.
    """
    reader = await asyncio.to_thread(csv_rows.Reader, file)
    entry = {"fileId": ids.new_hex24(), "fileName": file_name[:LONGEST_FILE_NAME]}
    problems: list[Problem] = []
    rows = rejected = 0
    try:
        async with db.transaction() as conn:
            if create and await lists.find(conn, app.app_id, ref) is None:
                await _create(conn, app, ref, limits, allow_duplicates=allow_duplicates, now=now)
            writer = await _Writer.open(conn, app, ref, limits, now=now)
            page = await asyncio.to_thread(reader.page, PAGE)
            while page is not None:
                rows += page.rows
                rejected += len(page.problems)
                problems += page.problems[: PROBLEMS_KEPT - len(problems)]
                page = await _write_and_read(writer, page, reader)
                if progress is not None:
                    progress(rows)
            if rows == rejected:
                raise _nothing_good(rows, problems)
            target = await writer.finish(reader.columns, file=entry)
            if writer.added >= LARGE:
                await contacts.learn_sizes(conn)
    finally:
        reader.detach()
    return Imported(
        target=target,
        file_id=entry["fileId"],
        file_name=entry["fileName"],
        rows=rows,
        imported=writer.added,
        duplicates=rows - rejected - writer.added,
        rejected=rejected,
        problems=tuple(problems),
    )


async def _create(conn: Conn, app: App, name: str, limits: Quota, *, allow_duplicates: bool, now: datetime) -> None:
    await listing.check_quota(conn, app, "call", limits)
    wanted = draft.list_draft({"name": name, "source": "localDrive", "allowDuplicates": allow_duplicates})
    await lists.create(
        conn,
        app.app_id,
        kind="call",
        name=wanted.name,
        description=wanted.description,
        source=wanted.source,
        allow_duplicates=wanted.allow_duplicates,
        now=now,
    )


async def _write_and_read(writer: _Writer, page: Page, reader: Reader) -> Page | None:
    """Write a page while the next is read in a thread. Both have ended when an error is raised."""
    written, coming = await asyncio.gather(
        writer.write(page.contacts), asyncio.to_thread(reader.page, PAGE), return_exceptions=True
    )
    if isinstance(written, BaseException):
        raise written
    if isinstance(coming, BaseException):
        raise coming
    return coming


def _nothing_good(rows: int, problems: Sequence[Problem]) -> Invalid:
    if not problems:
        return Invalid("The file has a header and no row below it", field="file")
    first = problems[0]
    text = f"None of the {rows} rows can be used. Row {first.row}, {first.column or 'its end'}: {first.problem}"
    return Invalid(text, field="file")


# ---------------------------------------------------------------- writing


async def hold(conn: Conn, app: App, ref: str) -> ContactList:
    """The contact list, whose people only this transaction changes from now on; as it is once that is so."""
    found = await lists.get(conn, app.app_id, ref, only=True)
    await contacts.hold_writer(conn, found.list_id, name=found.name)
    return await lists.get(conn, app.app_id, found.public_id)


class _Writer:
    """Appends contacts to a list that this transaction holds."""

    def __init__(self, conn: Conn, target: ContactList, limits: Quota, account: int, now: datetime) -> None:
        self._conn = conn
        self._target = target
        self._limits = limits
        self._account = account  # contacts that the account has in all its lists
        self._now = now
        self.added = 0

    @classmethod
    async def open(cls, conn: Conn, app: App, ref: str, limits: Quota, *, now: datetime) -> _Writer:
        """The writer of the list with this id or name."""
        target = await hold(conn, app, ref)
        _, account = await lists.count(conn, app.account_id, "call")
        return cls(conn, target, limits, account, now)

    async def write(self, people: Sequence[NewContact]) -> None:
        app_id, list_id = self._target.app_id, self._target.list_id
        if not self._target.allow_duplicates:
            fresh = {person.number: person for person in reversed(people)}  # of two, the first counts
            known = await contacts.find_numbers(self._conn, app_id, list_id, list(fresh))
            people = [person for person in people if fresh.get(person.number) is person and person.number not in known]
        if people:
            have, more = self._target.contact_count + self.added, len(people)
            quota.check(have, more, self._limits.list_contacts, f"contacts in list {self._target.name}")
            quota.check(self._account + self.added, more, self._limits.contacts, "contacts in this account")
            first = self._target.last_seq + self.added + 1
            await contacts.add(self._conn, app_id, list_id, people, first_seq=first, now=self._now)
            self.added += len(people)

    async def finish(self, columns: Iterable[str], *, file: Mapping[str, str] | None = None) -> ContactList:
        """Count what was added in. ``columns`` join those of the list that are new."""
        return await lists.grow(
            self._conn,
            self._target.app_id,
            self._target.list_id,
            added=self.added,
            columns=list(dict.fromkeys([*self._target.columns, *columns])),
            file=file,
            now=self._now,
        )
