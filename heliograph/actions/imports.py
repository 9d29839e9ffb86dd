"""Imports: what people do with them. A file is sent, kept in pieces, and taken in by whichever worker is free."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from heliograph.actions import audit
from heliograph.errors import Conflict, Invalid
from heliograph.rules import verdict
from heliograph.store import bell, import_files, imports, lists

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator
    from datetime import datetime

    from heliograph.config import Clock
    from heliograph.rules.import_wish import Wish
    from heliograph.store.apps import App
    from heliograph.store.database import Conn, Database
    from heliograph.store.imports import Job

PIECE = 1 << 20  # bytes of a file in one row
LONGEST_FILE_NAME = 255


async def begin(
    db: Database, app: App, ref: str, body: AsyncIterable[bytes], *, file_name: str, wish: Wish, clock: Clock
) -> Job:
    """Take a file in for the list with this id or name, as it comes; a worker does the rest.

    Raises NotFound, :class:`Invalid` for an empty file, and whatever reading ``body`` raises: then nothing is kept.
    """
    async with db.connection() as conn:
        target = await lists.get(conn, app.app_id, ref, only=True)
        job = await imports.create(
            conn,
            app.app_id,
            target.list_id,
            file_name=file_name[:LONGEST_FILE_NAME],
            dry_run=wish.dry_run,
            on_duplicate=wish.on_duplicate,
            region=wish.region,
            mapping=wish.mapping,
            now=clock(),
        )
    try:
        if not await _keep(db, job, body, clock):
            raise Invalid("The file is empty. Its first row names the columns", field="file")
        async with db.transaction() as conn:
            whole = await imports.received(conn, app.app_id, job.import_id, now=clock())
            await bell.ring(conn, "import")
    except BaseException:
        async with db.transaction() as conn:
            await imports.cancel(conn, app.app_id, job.import_id, now=clock())
            await import_files.drop_pieces(conn, app.app_id, job.import_id)
        raise
    if whole is None:
        raise _over(job, "cancelled")
    return whole


async def _keep(db: Database, job: Job, body: AsyncIterable[bytes], clock: Clock) -> int:
    """Keep a file in pieces, each on a connection of the moment: a slow sender keeps none from others."""
    held = bytearray()
    pieces = 0

    async def keep(data: bytes) -> None:
        nonlocal pieces
        async with db.connection() as conn:
            if not await import_files.add_piece(conn, job.app_id, job.import_id, pieces, data):
                raise _over(job, "cancelled")
            await import_files.touch(conn, job.app_id, job.import_id, now=clock())
        pieces += 1

    async for chunk in body:
        held += chunk
        while len(held) >= PIECE:
            await keep(bytes(held[:PIECE]))
            del held[:PIECE]
    if held:
        await keep(bytes(held))
    return pieces


async def cancel(db: Database, app: App, ref: str, import_id: str, *, now: datetime) -> Job:
    """Let an import not come to its end: once this has answered it changes nothing any more.

    A dry run that is done lets its file go. Raises NotFound, and Conflict for an import that has ended.
    """
    async with db.transaction() as conn:
        job = await find(conn, app, ref, import_id)
        cancelled = await imports.cancel(conn, app.app_id, job.import_id, now=now)
        if cancelled is None:
            raise _over(job, job.state)
        await import_files.drop_pieces(conn, app.app_id, job.import_id)
        audit.tell(f"Cancelled the import of {job.file_name}", object=job.public_id)
    return cancelled


async def do_for_real(db: Database, app: App, ref: str, import_id: str, *, now: datetime) -> Job:
    """Take the file of a dry run in. Raises NotFound, and Conflict where there is no dry run that is done."""
    async with db.transaction() as conn:
        job = await find(conn, app, ref, import_id)
        if await import_files.get_piece(conn, app.app_id, job.import_id, 0) is None and job.dry_run:
            raise Conflict(f"The file of import {job.public_id} is not kept any more. Send it again", field="importId")
        wanted = await imports.for_real(conn, app.app_id, job.import_id, now=now)
        if wanted is None:
            what = f"{'a dry run that' if job.dry_run else 'no dry run, and'} is {job.state}"
            text = f"Import {job.public_id} is {what}. Only a dry run that is done can be done for real"
            raise Conflict(text, field="importId")
        await import_files.drop_verdicts(conn, app.app_id, job.import_id)
        audit.tell(f"Had the file {job.file_name} brought onto its list", object=job.public_id)
        await bell.ring(conn, "import")
    return wanted


async def find(conn: Conn, app: App, ref: str, import_id: str) -> Job:
    """The import with this id, of the list with this id or name. Raises NotFound."""
    target = await lists.get(conn, app.app_id, ref, only=True)
    return await imports.get(conn, app.app_id, target.list_id, import_id)


async def verdicts(db: Database, job: Job) -> AsyncIterator[str]:
    """The verdict file of an import, a page at a time, each read on a connection of its own."""
    yield verdict.header()
    page_no = 0
    while True:
        async with db.connection() as conn:
            page = await import_files.get_verdicts(conn, job.app_id, job.import_id, page_no)
        if page is None:
            return
        yield zlib.decompress(page).decode()
        page_no += 1


def _over(job: Job, state: str) -> Conflict:
    return Conflict(f"Import {job.public_id} is {state} already, and cannot be cancelled", field="importId")
