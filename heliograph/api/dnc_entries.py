"""The numbers and prefixes on a do-not-contact list, over HTTP. Their paths stand in routes.py.

Whatever changes counts at once: a run under way looks again before each batch that it sends.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

from fastapi import Path, Query
from starlette.responses import Response

from heliograph.actions import dnc as editing
from heliograph.api import auth, campaign_query, contacts, envelope, files
from heliograph.api.contacts import Guard, Limit, Skip
from heliograph.api.dnc_lists import DncListId
from heliograph.api.dnc_shapes import NUMBER
from heliograph.rules import counts, spreadsheet
from heliograph.rules import do_not_contact as law
from heliograph.store import dnc, lists
from heliograph.store.database import Database
from heliograph.store.dnc import Entry
from heliograph.store.lists import ContactList

SOURCE = "api"
UPLOADED = "do-not-contact.csv"  # what a file is called that brings no name
COLUMNS = ("phoneNumber", "kind", "reason", "source", "createdAt", "expiresAt")

EntryId = Annotated[
    str,
    Path(
        alias="phoneNumber",
        description="The entry's number, or its prefix with a star: `+1900*`.",
        examples=[NUMBER],
        json_schema_extra={"pattern": "[0-9]"},
    ),
]
Number = Annotated[
    str | None,
    Query(
        alias="phoneNumber",
        description="Only what keeps this number from being texted: its own entry, and prefixes of it. With a star at "
        "its end: only this prefix. (An unescaped `+` may be left out.)",
    ),
]


async def add(call: auth.Campaigns, list_id: DncListId) -> Response:
    """Put numbers and prefixes on a do-not-contact list: all of them or, if one is bad, none.

    One that is there keeps its reason and the later end of the two. Runs under way heed them from their next batch on.
    """
    limits = auth.house(call.request).settings.quota
    body = await call.body()
    done = await editing.put(call.db, call.app, list_id, body, source=SOURCE, now=call.now, limits=limits)
    data = {"dncListId": done.target.public_id, "added": done.added, "known": done.known}
    return envelope.success(f"{_entries(done.added)} added to DNC list {done.target.name}", data)


async def list_page(
    call: auth.Campaigns, list_id: DncListId, skip: Skip = None, limit: Limit = None, number: Number = None
) -> Response:
    """The entries of a do-not-contact list, a page at a time, in the order of their numbers."""
    whole_number = campaign_query.whole_number
    passed = whole_number(skip, "skip", default=0, least=0, most=contacts.MAX_SKIP)
    most = whole_number(limit, "limit", default=contacts.DEFAULT_LIMIT, least=1, most=contacts.MAX_LIMIT)
    async with call.db.connection() as conn:
        found = await lists.get(conn, call.app.app_id, list_id, kind="dnc", only=True)
        of_list = (call.app.app_id, found.list_id)
        if number:
            ids = law.covering(law.read_id(number, field="phoneNumber"))
            known = await dnc.read(conn, *of_list, ids)
            page, total = known[passed : passed + most], len(known)
        else:
            page, total = await dnc.page(conn, *of_list, skip=passed, limit=most), found.contact_count
    rows = [_record(one, call.now) for one in page]
    return envelope.success("Entries retrieved successfully", campaign_query.page(rows, passed, most, total))


async def get(call: auth.Campaigns, list_id: DncListId, entry_id: EntryId) -> Response:
    """One entry of a do-not-contact list."""
    wanted = law.read_id(entry_id, field="phoneNumber")
    async with call.db.connection() as conn:
        found = await lists.get(conn, call.app.app_id, list_id, kind="dnc", only=True)
        known = await dnc.read(conn, call.app.app_id, found.list_id, [wanted])
    if not known:
        raise editing.missing(found, wanted)
    return envelope.success("Entry retrieved successfully", _record(known[0], call.now))


async def update(call: auth.Campaigns, list_id: DncListId, entry_id: EntryId) -> Response:
    """Change an entry's reason, or when it ends."""
    wanted = law.read_id(entry_id, field="phoneNumber")
    target, changed = await editing.change(call.db, call.app, list_id, wanted, await call.body(), now=call.now)
    message = f"Entry {wanted} of DNC list {target.name} updated successfully"
    return envelope.success(message, _record(changed, call.now))


async def remove(call: auth.Campaigns, list_id: DncListId, entry_id: EntryId) -> Response:
    """Take one entry off a do-not-contact list."""
    wanted = law.read_id(entry_id, field="phoneNumber")
    target, gone = await editing.remove(call.db, call.app, list_id, wanted)
    message = f"Entry {wanted} removed from DNC list {target.name} successfully"
    return envelope.success(message, _record(gone, call.now))


async def remove_many(call: auth.Campaigns, list_id: DncListId) -> Response:
    """Take several entries off a do-not-contact list. Those that are not on it are named in the answer."""
    target, gone, others = await editing.remove_many(call.db, call.app, list_id, await call.body())
    data = {"dncListId": target.public_id, "removed": len(gone), "notFound": others}
    return envelope.success(f"{_entries(len(gone))} removed from DNC list {target.name}", data)


async def upload(call: auth.Campaigns, list_id: DncListId, file_name: files.FileName = None) -> Response:
    """Put the numbers of a CSV file on a do-not-contact list.

    Send it as `multipart/form-data` in the field `file`, or as it is with `Content-Type: text/csv`. A header names the
    columns `phoneNumber`, and, if wanted, `kind`, `reason` and `expiresAt`; a file without one has a number a line. Bad
    rows are left out and reported; if no row is good, nothing changes.
    """
    limits = auth.house(call.request).settings.quota
    async with files.sent(call.request, file_name or UPLOADED) as (file, name):
        done = await editing.import_csv(
            call.db, call.app, list_id, file, file_name=name, source="import", now=call.now, limits=limits
        )
    data = files.report(
        fileId=done.file_id,
        fileName=done.file_name,
        rows=done.rows,
        imported=done.added,
        duplicates=done.known,
        rejected=done.rejected,
        problems=done.problems,
    )
    return envelope.success(f"{_entries(done.added)} added to DNC list {done.target.name}", data)


async def export(call: auth.Campaigns, list_id: DncListId, guard: Guard = None) -> Response:
    """The entries of a do-not-contact list as a CSV file, which can be uploaded again."""
    guarded = files.guard(guard)
    async with call.db.connection() as conn:
        found = await lists.get(conn, call.app.app_id, list_id, kind="dnc", only=True)
    return await files.answer(found.name, _lines(call.db, found, guarded=guarded))


async def _lines(db: Database, target: ContactList, *, guarded: bool) -> AsyncIterator[str]:
    shown = spreadsheet.guarded if guarded else str
    lines = [spreadsheet.line(COLUMNS)]
    after = ""
    while True:
        async with db.connection() as conn:
            page = await dnc.read_after(conn, target.app_id, target.list_id, after, limit=files.PAGE)
            if len(page) < files.PAGE:  # a list that is gone has no entries, and half a file must not look whole
                await lists.get(conn, target.app_id, target.public_id, kind="dnc", only=True)
        for one in page:
            ends = "" if one.expires_at is None else envelope.instant(one.expires_at)
            told = (law.number_of(one.number), law.kind_of(one.number), shown(one.reason), one.source)
            lines.append(spreadsheet.line((*told, envelope.instant(one.created_at), ends)))
        yield "".join(lines)
        if len(page) < files.PAGE:
            return
        lines, after = [], page[-1].number


def _entries(number: int) -> str:
    return counts.of(number, "entry", "entries")


def _record(one: Entry, now: datetime) -> dict[str, object]:
    return {
        "_id": one.number,
        "phoneNumber": law.number_of(one.number),
        "kind": law.kind_of(one.number),
        "reason": one.reason,
        "source": one.source,
        "isActive": one.expires_at is None or one.expires_at > now,
        "createdAt": envelope.instant(one.created_at),
        "expiresAt": None if one.expires_at is None else envelope.instant(one.expires_at),
    }
