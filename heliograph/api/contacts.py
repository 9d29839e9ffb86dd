"""The people on a contact list, over HTTP. Their paths stand in routes.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Annotated

from fastapi import Path, Query
from starlette.responses import Response

from heliograph.actions import contact_edits
from heliograph.actions import contacts as adding
from heliograph.api import auth, campaign_query, envelope, files
from heliograph.api.lists import ListId
from heliograph.api.shapes import CONTACT_ID
from heliograph.errors import Invalid
from heliograph.rules import columns, counts, ids, phone, spreadsheet
from heliograph.store import contact_search, contacts, lists
from heliograph.store.contact_search import Sought
from heliograph.store.contacts import Contact
from heliograph.store.database import Database
from heliograph.store.lists import ContactList

DEFAULT_LIMIT = 50
MAX_LIMIT = 1000
MAX_SKIP = 2**31 - 1
MAX_PRIORITY = 32767
UPLOADED = "contacts.csv"  # what a file is called that brings no name

ContactId = Annotated[
    str, Path(alias="contactId", description="The contact's id in this list, `cc-…`.", examples=[CONTACT_ID])
]
Skip = Annotated[
    str | None,
    Query(
        description="How many to pass over.",
        json_schema_extra={"type": "integer", "minimum": 0, "maximum": MAX_SKIP, "default": 0},
    ),
]
Limit = Annotated[
    str | None,
    Query(
        description="How many to answer.",
        json_schema_extra={"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    ),
]
Search = Annotated[
    str | None,
    Query(
        description="Only those whose number, first name, last name or unique id this is, the whole of it and whatever "
        "the case (of a unique id the case counts). Not together with the four."
    ),
]
PhoneNumber = Annotated[
    str | None,
    Query(alias="phoneNumber", description="Only this number (an unescaped `+` may be left out)."),
]
FirstName = Annotated[str | None, Query(alias="firstName", description="Only this first name, whatever the case.")]
LastName = Annotated[str | None, Query(alias="lastName", description="Only this last name, whatever the case.")]
UniqueId = Annotated[str | None, Query(alias="uniqueId", description="Only this unique id.")]
Priority = Annotated[
    str | None,
    Query(
        description="Only contacts of this priority.",
        json_schema_extra={"type": "integer", "minimum": 0, "maximum": MAX_PRIORITY},
    ),
]
Guard = Annotated[
    str | None,
    Query(
        description="`false`: cells as they are, for programs. Else those that a spreadsheet would take for a formula "
        "get an apostrophe in front.",
        json_schema_extra={"type": "boolean", "default": True},
    ),
]


async def add(call: auth.Campaigns) -> Response:
    """Add up to 100 contacts to a list: all of them or, if one is bad, none."""
    limits = auth.house(call.request).settings.quota
    await adding.add(call.db, call.app, await call.body(), now=call.now, limits=limits)
    return envelope.reply({"message": "Adding contacts to public list is in progress"})


async def list_page(  # noqa: PLR0913  # a parameter is a query value
    call: auth.Campaigns,
    list_id: ListId,
    *,
    skip: Skip = None,
    limit: Limit = None,
    search: Search = None,
    number: PhoneNumber = None,
    first_name: FirstName = None,
    last_name: LastName = None,
    unique_id: UniqueId = None,
    priority: Priority = None,
) -> Response:
    """The contacts of a list, a page at a time, in order of arrival.

    With `phoneNumber`, `firstName`, `lastName`, `uniqueId` or `priority` only those who are exactly that, with
    `search` whoever has one of the first four.
    """
    whole_number = campaign_query.whole_number
    passed = whole_number(skip, "skip", default=0, least=0, most=MAX_SKIP)
    most = whole_number(limit, "limit", default=DEFAULT_LIMIT, least=1, most=MAX_LIMIT)
    asked = {"phoneNumber": number, "firstName": first_name, "lastName": last_name, "uniqueId": unique_id}
    anything = (search or "").strip()
    if anything and any(asked.values()):
        text = "search looks into all four fields, and so goes without phoneNumber, firstName, lastName and uniqueId"
        raise Invalid(text, field="search")
    async with call.db.connection() as conn:
        found = await lists.get(conn, call.app.app_id, list_id, only=True)
        level = whole_number(priority, "priority", least=0, most=MAX_PRIORITY) if priority else None
        sought = _anywhere(found, anything, level) if anything else _sought(found, asked, level)
        if sought.is_anybody:
            total = found.contact_count
            page = await contacts.list_page(conn, call.app.app_id, found.list_id, skip=passed, limit=most)
        else:
            of_list = (call.app.app_id, found.list_id)
            total, seqs = await contact_search.find(conn, *of_list, sought, skip=passed, limit=most)
            page = await contact_search.read(conn, *of_list, seqs)
    rows = [row(found, one) for one in page]
    return envelope.success("Contacts retrieved successfully", campaign_query.page(rows, passed, most, total))


def _sought(target: ContactList, asked: Mapping[str, str | None], priority: int | None) -> Sought:
    """Whoever is exactly as asked, by system fields. Raises Invalid for a number that is none."""
    number, *words = ((field, (value or "").strip()) for field, value in asked.items())
    return Sought(
        phone.normalise(number[1], field=number[0]) if number[1] else None,
        priority,
        {field: (value, columns.holding(target.columns, field)) for field, value in words if value},
    )


def _anywhere(target: ContactList, text: str, priority: int | None) -> Sought:
    """Whoever has ``text`` as their number, first name, last name or unique id."""
    try:
        number = phone.normalise(text)
    except Invalid:  # not everything that is looked for is a number
        number = None
    fields = ("firstName", "lastName", "uniqueId")
    words = {field: (text, columns.holding(target.columns, field)) for field in fields}
    return Sought(number, priority, words, either=True)


async def get(call: auth.Campaigns, list_id: ListId, contact_id: ContactId) -> Response:
    """One contact of a list."""
    async with call.db.connection() as conn:
        found = await lists.get(conn, call.app.app_id, list_id, only=True)
        one = await contacts.get(conn, found, contact_id)
    return envelope.success("Contact retrieved successfully", row(found, one))


async def update(call: auth.Campaigns, list_id: ListId, contact_id: ContactId) -> Response:
    """Change a contact: the columns that are sent take the place of its own, the others stay.

    Runs under way keep what they have planned for it; whoever is not planned yet is texted as changed.
    """
    target, changed = await contact_edits.update(
        call.db, call.app, list_id, contact_id, await call.body(), now=call.now
    )
    return envelope.success(f"Contact of list {target.name} updated successfully", row(target, changed))


async def remove(call: auth.Campaigns, list_id: ListId, contact_id: ContactId) -> Response:
    """Take a contact off a list. A text that is planned for it already still leaves: that is what a DNC list is for."""
    target, gone = await contact_edits.remove(call.db, call.app, list_id, contact_id, now=call.now)
    return envelope.success(f"Contact removed from list {target.name} successfully", row(target, gone))


async def upload(call: auth.Campaigns, list_id: ListId, file_name: files.FileName = None) -> Response:
    """Append the rows of a CSV file to a list.

    Send it as `multipart/form-data` in the field `file`, or as it is with `Content-Type: text/csv`. The first
    row names the columns; one of them holds the telephone number. Bad rows are left out and reported; if no
    row is good, nothing changes.
    """
    limits = auth.house(call.request).settings.quota
    async with files.sent(call.request, file_name or UPLOADED) as (file, name):
        done = await adding.import_csv(call.db, call.app, list_id, file, file_name=name, now=call.now, limits=limits)
    added = counts.of(done.imported, "contact", "contacts")
    data = files.report(
        fileId=done.file_id,
        fileName=done.file_name,
        rows=done.rows,
        imported=done.imported,
        duplicates=done.duplicates,
        rejected=done.rejected,
        problems=done.problems,
    )
    return envelope.success(f"{added} added to contact list {done.target.name}", data)


async def export(call: auth.Campaigns, list_id: ListId, guard: Guard = None) -> Response:
    """The contacts of a list as a CSV file: every column, in the order of first appearance.

    The telephone number is in E.164. Cells that a spreadsheet would take for a formula (`=`, `+`, `-`, `@` in front,
    other than plain numbers) get an apostrophe in front, unless `guard=false`.
    """
    guarded = files.guard(guard)
    async with call.db.connection() as conn:
        found = await lists.get(conn, call.app.app_id, list_id, only=True)
    return await files.answer(found.name, _lines(call.db, found, guarded=guarded))


async def _lines(db: Database, target: ContactList, *, guarded: bool) -> AsyncIterator[str]:
    """The file, page by page, each read on a connection of its own: a slow reader keeps none from others."""
    names = target.columns or ["phoneNumber"]
    numbers = columns.holding(names, "phoneNumber")
    shown = spreadsheet.guarded if guarded else str
    lines = [spreadsheet.line(shown(name) for name in names)]
    after = 0
    while True:
        async with db.connection() as conn:
            page = await contacts.read_after(conn, target.app_id, target.list_id, after, limit=files.PAGE)
            if len(page) < files.PAGE:  # a list that is gone has no contacts, and half a file must not look whole
                await lists.get(conn, target.app_id, target.public_id, only=True)
        for one in page:
            cells = {name: spreadsheet.words(one.fields.get(name)) for name in names}
            holds = next((name for name in numbers if cells[name].strip()), None)
            lines.append(spreadsheet.line(one.number if name == holds else shown(cells[name]) for name in names))
        yield "".join(lines)
        if len(page) < files.PAGE:
            return
        lines, after = [], page[-1].seq


def row(target: ContactList, one: Contact) -> dict[str, object]:
    """A contact as it is answered: its id and times, and beside them its own columns as they were sent."""
    own: dict[str, object] = {
        "_id": ids.contact_id(target.public_id, one.seq),
        "createdAt": envelope.instant(one.created_at),
        "updatedAt": envelope.instant(one.updated_at),
    }
    return own | {name: value for name, value in one.fields.items() if name not in own}
