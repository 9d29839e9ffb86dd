"""Imports, over HTTP: files that a worker takes in. Ours; their paths stand in routes.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, BinaryIO

from fastapi import Path, Query
from starlette.responses import Response

from heliograph.actions import imports as importing
from heliograph.api import auth, campaign_query, envelope, files
from heliograph.api.contacts import UPLOADED, Limit, Skip
from heliograph.api.import_shapes import IMPORT_ID
from heliograph.api.lists import ListId
from heliograph.rules import import_wish
from heliograph.store import imports, lists
from heliograph.store.imports import Job
from heliograph.store.lists import ContactList

DEFAULT_LIMIT = 50
ACCEPTED = 202

ImportId = Annotated[str, Path(alias="importId", description="The import's id, `im-…`.", examples=[IMPORT_ID])]
DryRun = Annotated[
    str | None,
    Query(
        alias="dryRun",
        description="`true`: every row is told of, and nothing is changed.",
        json_schema_extra={"type": "boolean", "default": False},
    ),
]
OnDuplicate = Annotated[
    str | None,
    Query(
        alias="onDuplicate",
        description="What becomes of a row whose number is on the list already, or stood in the file before: `skip`; "
        "`update`, its filled cells take the place of what is there; `add`, one more contact. Without it, `add` for a "
        "list that keeps duplicates and `skip` for others.",
        json_schema_extra={"enum": list(import_wish.ON_DUPLICATE)},
    ),
]
Region = Annotated[
    str | None,
    Query(description="Of numbers without a country code, as ISO 3166 has it.", examples=["US"]),
]
Mapping = Annotated[
    str | None,
    Query(
        description="Which column holds which system field, as a JSON object; the rest is guessed. It is kept for the "
        "next file of this app with the same header; `{}` guesses all of it, and forgets what was kept.",
        examples=['{"phoneNumber": "Mobile"}'],
    ),
]


async def begin(  # noqa: PLR0913  # a parameter is a query value
    call: auth.Campaigns,
    list_id: ListId,
    *,
    file_name: files.FileName = None,
    dry_run: DryRun = None,
    on_duplicate: OnDuplicate = None,
    region: Region = None,
    mapping: Mapping = None,
) -> Response:
    """Send a file of people for a list; a worker takes it in.

    CSV in any common encoding and with any separator, gzipped or not, XLSX, XLS or ODS. Send it as
    `multipart/form-data` in the field `file`, or as it is. What became of each row is in its verdicts; an import that
    fails, or is cancelled, leaves the list as it was.
    """
    given = {"dryRun": dry_run, "onDuplicate": on_duplicate, "region": region, "mapping": mapping}
    wish = import_wish.read(given)
    clock = auth.house(call.request).clock
    async with call.db.connection() as conn:
        target = await lists.get(conn, call.app.app_id, list_id, only=True)
    async with files.sent(call.request, file_name or UPLOADED, limit=files.IMPORT_LIMIT) as (file, name):
        job = await importing.begin(
            call.db, call.app, target.public_id, _pieces(file), file_name=name, wish=wish, clock=clock
        )
    text = f"Import of {job.file_name} into contact list {target.name} is in progress"
    return _answer(text, target, job, status=ACCEPTED)


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    while piece := file.read(importing.PIECE):
        yield piece


async def list_page(call: auth.Campaigns, list_id: ListId, skip: Skip = None, limit: Limit = None) -> Response:
    """The imports of a list, the newest first. They are kept for 30 days."""
    number = campaign_query.whole_number
    passed = number(skip, "skip", default=0, least=0, most=campaign_query.MAX_SKIP)
    most = number(limit, "limit", default=DEFAULT_LIMIT, least=1, most=campaign_query.MAX_LIMIT)
    async with call.db.connection() as conn:
        found = await lists.get(conn, call.app.app_id, list_id, only=True)
        total = await imports.count(conn, call.app.app_id, found.list_id)
        page = await imports.page(conn, call.app.app_id, found.list_id, skip=passed, limit=most)
    results = [_record(found, one) for one in page]
    text = f"Imports of contact list {found.name} retrieved successfully"
    return envelope.success(text, campaign_query.page(results, passed, most, total))


async def get(call: auth.Campaigns, list_id: ListId, import_id: ImportId) -> Response:
    """How far an import is, or what became of it."""
    found, job = await _find(call, list_id, import_id)
    return _answer("Import retrieved successfully", found, job)


async def verdicts(call: auth.Campaigns, list_id: ListId, import_id: ImportId) -> Response:
    """What became of each row, as a CSV file: row, verdict, number, column, value, what.

    There is a line for each row of an import that is done, dry or not, and for each of one in which nobody could be
    used; of any other there is the header.
    """
    _, job = await _find(call, list_id, import_id)
    return await files.answer(f"verdicts of {job.file_name}", importing.verdicts(call.db, job), marked=True)


async def run(call: auth.Campaigns, list_id: ListId, import_id: ImportId) -> Response:
    """Take the file of a dry run in, without sending it again. It is kept for 7 days."""
    found, _ = await _find(call, list_id, import_id)
    job = await importing.do_for_real(call.db, call.app, found.public_id, import_id, now=call.now)
    text = f"Import of {job.file_name} into contact list {found.name} is in progress"
    return _answer(text, found, job, status=ACCEPTED)


async def cancel(call: auth.Campaigns, list_id: ListId, import_id: ImportId) -> Response:
    """Cancel an import: once this has answered, the list stays as it was. A dry run that is done lets its file go."""
    found, _ = await _find(call, list_id, import_id)
    job = await importing.cancel(call.db, call.app, found.public_id, import_id, now=call.now)
    return _answer(f"Import of {job.file_name} into contact list {found.name} cancelled", found, job)


async def _find(call: auth.Call, list_id: str, import_id: str) -> tuple[ContactList, Job]:
    async with call.db.connection() as conn:
        found = await lists.get(conn, call.app.app_id, list_id, only=True)
        return found, await imports.get(conn, call.app.app_id, found.list_id, import_id)


def _answer(text: str, target: ContactList, job: Job, *, status: int = 200) -> Response:
    content = {"status": "success", "message": text, "data": _record(target, job)}
    return envelope.reply(content, status=status)


def _record(target: ContactList, job: Job) -> dict[str, object]:
    return {
        "_id": job.public_id,
        "contactListId": target.public_id,
        "fileName": job.file_name,
        "size": job.size,
        "state": job.state,
        "dryRun": job.dry_run,
        "onDuplicate": job.on_duplicate,
        "region": job.region,
        "mapping": job.used or job.mapping,
        "mappingFrom": job.used_from,
        "columns": job.columns,
        "form": job.form,
        "rows": job.rows,
        "added": job.added,
        "updated": job.updated,
        "duplicates": job.duplicates,
        "rejected": job.rejected,
        "noted": job.noted,
        "bytesRead": job.bytes_read,
        "percent": 100 * job.bytes_read // job.size if job.size else 0,
        "error": job.error,
        "tries": job.tries,
        "createdAt": envelope.instant(job.created_at),
        "startedAt": None if job.started_at is None else envelope.instant(job.started_at),
        "endedAt": None if job.ended_at is None else envelope.instant(job.ended_at),
    }
