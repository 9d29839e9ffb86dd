"""Adding people to a contact list: a few by a call, many by a file."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from heliograph.actions import csv_rows, file_intake
from heliograph.actions import lists as listing
from heliograph.actions.intake import Intake
from heliograph.errors import Invalid
from heliograph.rules import body as reading
from heliograph.rules import contact as law
from heliograph.rules import draft, ids, quota
from heliograph.rules.import_wish import Wish
from heliograph.store import contacts, lists
from heliograph.store.contacts import NewContact
from heliograph.store.imports import Counts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from heliograph.actions.csv_rows import Page, Problem
    from heliograph.rules.quota import Quota
    from heliograph.rules.verdict import Fate
    from heliograph.store.apps import App
    from heliograph.store.database import Conn, Database
    from heliograph.store.imports import Source
    from heliograph.store.lists import ContactList

PAGE = file_intake.PAGE
AS_IT_IS = Wish()
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
        intake = await Intake.open(conn, app, await hold(conn, app, ref), limits=limits, now=now)
        await intake.take([to_keep(person) for person in people])
        await intake.finish(name for person in people for name in person.fields)
    return intake.added


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
    intake = await Intake.open(conn, app, await hold(conn, app, ref), limits=limits, now=now)
    for at in range(0, len(people), PAGE):
        await intake.take(people[at : at + PAGE])
    if intake.added:
        await intake.finish(columns)
    if intake.added >= LARGE:
        await contacts.learn_sizes(conn)
    return intake.added


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
    """What became of the rows of a file: ``rows = imported + updated + duplicates + rejected``."""

    target: ContactList
    file_id: str
    file_name: str
    rows: int
    imported: int
    updated: int
    duplicates: int
    rejected: int
    noted: int
    mapping: Mapping[str, str]
    mapping_from: Source
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
    verdicts: Callable[[str], object] | None = None,
    wish: Wish = AS_IT_IS,
    limits: Quota = quota.DEFAULT,
) -> Imported:
    """Append the rows of a file of people to the list with this id or name, in one transaction.

    Bad rows are left out and reported; if no row is good, nothing changes. ``create`` makes the list when
    there is none of this name (``allow_duplicates`` is then its setting). ``progress`` is told the rows read
    so far, about every 5,000; ``verdicts`` gets the verdict file, below its header, in pieces. A dry run tells the
    same and changes nothing. Memory does not grow with the file, which is left open.

    Raises :class:`Invalid` for a file that is no table of contacts or has no good row,
    :class:`~heliograph.errors.NotFound`, :class:`~heliograph.errors.Conflict` while another import fills the list, or
    where there would be more than ``limits`` allow.
    """
    reader = await asyncio.to_thread(csv_rows.Reader, file, region=wish.region, settle=False)
    entry = {"fileId": ids.new_hex24(), "fileName": file_name[:LONGEST_FILE_NAME]}
    problems: list[Problem] = []
    counts = Counts()

    async def each(counts: Counts, page: Page, fates: Sequence[Fate]) -> None:
        problems.extend(page.problems[: PROBLEMS_KEPT - len(problems)])
        if verdicts is not None:
            verdicts(file_intake.lines(page, fates))
        if progress is not None:
            progress(counts.rows)

    try:
        async with db.connection() as conn, conn.transaction(force_rollback=wish.dry_run):
            source = await file_intake.settle(conn, app, reader, wish.mapping)
            if create and await lists.find(conn, app.app_id, ref) is None:
                await _create(conn, app, ref, limits, allow_duplicates=allow_duplicates, now=now)
            target = await lists.get(conn, app.app_id, ref, only=True) if wish.dry_run else await hold(conn, app, ref)
            intake = await Intake.open(
                conn, app, target, limits=limits, now=now, on_duplicate=wish.on_duplicate, dry=wish.dry_run
            )
            await file_intake.take_in(intake, reader, counts, each)
            if counts.rows == counts.rejected and (not wish.dry_run or not counts.rows):
                raise file_intake.nothing_good(counts.rows, problems)
            if not wish.dry_run:
                await file_intake.remember(conn, app, reader, wish.mapping, now=now)
                target = await intake.finish(reader.kept, file=entry)
                if counts.added >= LARGE:
                    await contacts.learn_sizes(conn)
    finally:
        reader.detach()
    return Imported(
        target=target,
        file_id=entry["fileId"],
        file_name=entry["fileName"],
        rows=counts.rows,
        imported=counts.added,
        updated=counts.updated,
        duplicates=counts.duplicates,
        rejected=counts.rejected,
        noted=counts.noted,
        mapping=reader.mapping,
        mapping_from=source,
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


async def hold(conn: Conn, app: App, ref: str) -> ContactList:
    """The contact list, whose people only this transaction changes from now on; as it is once that is so."""
    found = await lists.get(conn, app.app_id, ref, only=True)
    await contacts.hold_writer(conn, found.list_id, name=found.name)
    return await lists.get(conn, app.app_id, found.public_id)
