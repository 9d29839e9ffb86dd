"""The people on a contact list, over HTTP. Their paths stand in routes.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from tempfile import SpooledTemporaryFile
from typing import Annotated, BinaryIO, cast

from fastapi import Query
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response

from heliograph.actions import contacts as adding
from heliograph.api import auth, campaign_query, envelope
from heliograph.api.lists import ListId
from heliograph.errors import Invalid
from heliograph.rules import ids
from heliograph.store import contacts, lists
from heliograph.store.contacts import Contact

FILE_LIMIT = 200 * 1024 * 1024  # bytes
IN_MEMORY = 1024 * 1024  # bytes of a file before it goes to the disk
DEFAULT_LIMIT = 50
MAX_LIMIT = 1000
MAX_SKIP = 2**31 - 1

Skip = Annotated[
    str | None,
    Query(
        description="How many contacts to pass over.",
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
FileName = Annotated[str | None, Query(alias="fileName", description="What to call a file sent as text/csv.")]


async def add(call: auth.Campaigns) -> Response:
    """Add up to 100 contacts to a list: all of them or, if one is bad, none."""
    await adding.add(call.db, call.app, await call.body(), now=call.now)
    return envelope.reply({"message": "Adding contacts to public list is in progress"})


async def list_page(call: auth.Campaigns, list_id: ListId, skip: Skip = None, limit: Limit = None) -> Response:
    """The contacts of a list, a page at a time, in order of arrival."""
    number = campaign_query.whole_number
    passed = number(skip, "skip", default=0, least=0, most=MAX_SKIP)
    most = number(limit, "limit", default=DEFAULT_LIMIT, least=1, most=MAX_LIMIT)
    async with call.db.connection() as conn:
        found = await lists.get(conn, call.app.app_id, list_id)
        page = await contacts.list_page(conn, call.app.app_id, found.list_id, skip=passed, limit=most)
    data = {
        "results": [_row(found.public_id, one) for one in page],
        "skip": passed,
        "limit": most,
        "hasMore": passed + len(page) < found.contact_count,
        "totalPages": campaign_query.pages(found.contact_count, most),
        "totalResults": found.contact_count,
    }
    return envelope.success("Contacts retrieved successfully", data)


def _row(list_id: str, one: Contact) -> dict[str, object]:
    own: dict[str, object] = {
        "_id": ids.contact_id(list_id, one.seq),
        "createdAt": envelope.instant(one.created_at),
        "updatedAt": envelope.instant(one.updated_at),
    }
    return own | {name: value for name, value in one.fields.items() if name not in own}


async def upload(call: auth.Campaigns, list_id: ListId, file_name: FileName = None) -> Response:
    """Append the rows of a CSV file to a list.

    Send it as `multipart/form-data` in the field `file`, or as it is with `Content-Type: text/csv`. The first
    row names the columns; one of them holds the telephone number. Bad rows are left out and reported; if no
    row is good, nothing changes.
    """
    async with _sent_file(call.request, file_name or "contacts.csv") as (file, name):
        done = await adding.import_csv(call.db, call.app, list_id, file, file_name=name, now=call.now)
    data = {
        "fileId": done.file_id,
        "fileName": done.file_name,
        "rows": done.rows,
        "imported": done.imported,
        "duplicates": done.duplicates,
        "rejected": done.rejected,
        "problems": [asdict(problem) for problem in done.problems],
        "problemsTotal": done.rejected,
    }
    return envelope.success(f"{done.imported} contacts added to contact list {done.target.name}", data)


@asynccontextmanager
async def _sent_file(request: Request, name: str) -> AsyncIterator[tuple[BinaryIO, str]]:
    """The file in the body, whole, on disk when it is large, and its name."""
    body = envelope.chunks(request, FILE_LIMIT)
    if not request.headers.get("content-type", "").lower().startswith("multipart/"):
        with SpooledTemporaryFile(IN_MEMORY) as file:
            async for chunk in body:
                file.write(chunk)
            file.seek(0)
            yield cast("BinaryIO", file), _base_name(name)
        return
    try:
        form = await MultiPartParser(request.headers, body, max_files=1, max_fields=20).parse()
    except (MultiPartException, KeyError) as error:
        raise Invalid(f"The body is not multipart/form-data with one file: {error}", field="file") from error
    try:
        sent = form.get("file")
        if not isinstance(sent, UploadFile):
            text = "There is no file in the body. It takes a field named file, with a CSV file in it"
            raise Invalid(text, field="file")
        yield sent.file, _base_name(sent.filename or name)
    finally:
        await form.close()


def _base_name(sent: str) -> str:
    """A file's name without folders and without what could not be kept."""
    last = sent.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable()) or "contacts.csv"
