"""Imports: what a worker does with them, from the claim to the end; all of a file or nothing of it.

Everything a file does to its list happens in one transaction, on the very session that holds the import's lock: so an
import that fails, is cancelled or is cut off by a crash leaves the list as it was, and whoever finds it next does it
again from its start. How far it is stands in its row, written apart from that transaction.
"""

from __future__ import annotations

import asyncio
import io
import logging
import zlib
from dataclasses import asdict
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, BinaryIO, cast

from heliograph.actions import csv_rows, file_intake
from heliograph.actions.intake import Intake
from heliograph.errors import Conflict, HeliographError, StoreUnavailable
from heliograph.rules import ids
from heliograph.store import apps, contacts, import_files, imports, lists, locks
from heliograph.store.imports import Counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heliograph.actions.csv_rows import Page, Problem, Reader
    from heliograph.config import Clock
    from heliograph.rules.quota import Quota
    from heliograph.rules.verdict import Fate
    from heliograph.store.apps import App
    from heliograph.store.database import Conn, Database
    from heliograph.store.imports import Due, Job, Source
    from heliograph.store.lists import ContactList

log = logging.getLogger(__name__)

IN_MEMORY = 4 << 20  # bytes of a file before it goes to the disk
MOST_TRIES = 5  # beginnings without an end before a file is taken for one that cannot be taken in
NICE = 10  # behind whatever sends
PATIENCE = 0.5  # seconds between looks at whether a list is free, or whether the import is still wanted
TOLD = 0.25  # seconds between two words on how far it is, each of which is a commit
LARGE = (
    20_000  # contacts of an import that change how their list is best read; for fewer, looking costs more than it saves
)
OURS = "A fault of ours, written to the log of the worker; nothing was changed"
TRIED = f"It was begun {MOST_TRIES} times and never came to its end: whoever took it in was gone. Nothing was changed"


class _Unwanted(Exception):  # it is no fault
    """The import was cancelled while it was under way."""


async def take_next(db: Database, clock: Clock, limits: Quota) -> bool:
    """Take in the next file that is due and that nobody takes in, to its end. False when there is none.

    Cancelled, it leaves the import to the next worker. Raises StoreUnavailable.
    """
    async with db.apart(nice=NICE) as conn:
        due = await imports.find_due(conn)
        if due is None:
            return False
        if await locks.take(conn, locks.Kind.IMPORT, due.import_id):
            job = await imports.claim(conn, due.app_id, due.import_id, now=clock())
            if job is not None:
                await _Import(db, conn, due, job, clock, limits).run()
    return True


class _Import:
    """One import, under way."""

    def __init__(self, db: Database, conn: Conn, due: Due, job: Job, clock: Clock, limits: Quota) -> None:
        self._db = db
        self._conn = conn
        self._due = due
        self._job = job
        self._clock = clock
        self._limits = limits
        self._counts = Counts()
        self._problems: list[Problem] = []
        self._pages = 0
        self._told = 0.0  # by the loop's clock
        self._file: BinaryIO = io.BytesIO()

    async def run(self) -> None:
        """Do it to its end, whatever that is."""
        job = self._job
        log.info("import_began import=%s try=%d bytes=%d", job.public_id, job.tries, job.size)
        try:
            if job.tries > MOST_TRIES:
                raise Conflict(TRIED)
            with SpooledTemporaryFile(IN_MEMORY) as file:
                self._file = cast("BinaryIO", file)
                await self._fetch()
                await self._take_in()
        except _Unwanted:
            log.info("import_cancelled import=%s", job.public_id)
        except StoreUnavailable:
            raise
        except HeliographError as error:
            await self._fail(error.message)
        except asyncio.CancelledError:
            await asyncio.shield(self._give_back())
            raise
        except Exception:
            log.exception("import_fault import=%s", job.public_id)
            await self._fail(OURS)

    async def _fetch(self) -> None:
        """The file, from its pieces."""
        piece_no = 0
        while True:
            async with self._db.connection() as conn:
                piece = await import_files.get_piece(conn, self._job.app_id, self._job.import_id, piece_no)
            if piece is None:
                break
            await asyncio.to_thread(self._file.write, piece)
            piece_no += 1
        self._file.seek(0)

    async def _take_in(self) -> None:
        job, conn = self._job, self._conn
        app = await apps.get(conn, self._due.app_public_id)
        reader = await asyncio.to_thread(csv_rows.Reader, self._file, region=job.region, settle=False)
        try:
            async with conn.transaction():
                source = await file_intake.settle(conn, app, reader, job.mapping)
                await self._tell_form(reader, source)
                target = await self._held()
                await import_files.drop_verdicts(conn, job.app_id, job.import_id)
                intake = await Intake.open(
                    conn,
                    app,
                    target,
                    limits=self._limits,
                    now=self._clock(),
                    on_duplicate=job.on_duplicate,
                    dry=job.dry_run,
                )
                await file_intake.take_in(intake, reader, self._counts, self._each)
                await self._finish(app, reader, intake)
        finally:
            reader.detach()

    async def _held(self) -> ContactList:
        """The list, which only we change from now on; a dry run changes nothing. Raises NotFound."""
        job, conn = self._job, self._conn
        while not job.dry_run and not await locks.try_hold(conn, locks.Kind.LIST_WRITER, job.list_id):
            await asyncio.sleep(PATIENCE)
            await self._tell()
        return await lists.get(conn, job.app_id, self._due.list_public_id, only=True)

    async def _finish(self, app: App, reader: Reader, intake: Intake) -> None:
        """The end of the transaction: the list has grown, and the import is done; or nobody in it was of use."""
        job, conn, counts = self._job, self._conn, self._counts
        nothing = None
        if counts.rows == counts.rejected and (not job.dry_run or not counts.rows):
            nothing = file_intake.nothing_good(counts.rows, self._problems).message
        elif not job.dry_run:
            entry = {"fileId": ids.new_hex24(), "fileName": job.file_name}
            await intake.finish(reader.kept, file=entry)
            if counts.added >= LARGE:
                await contacts.learn_sizes(conn)
        await file_intake.remember(conn, app, reader, job.mapping, now=self._clock())
        if nothing is not None or not job.dry_run:
            await import_files.drop_pieces(conn, job.app_id, job.import_id)
        state = "done" if nothing is None else "failed"
        ended = await imports.end(
            conn, job.app_id, job.import_id, state, counts, whole=True, error=nothing, now=self._clock()
        )
        if not ended:
            raise _Unwanted
        log.info("import_ended import=%s state=%s rows=%d added=%d", job.public_id, state, counts.rows, counts.added)

    async def _each(self, _counts: Counts, page: Page, fates: Sequence[Fate]) -> None:
        """After each page: its verdicts are kept, and everybody may see how far it is."""
        self._problems += page.problems[: 1 - len(self._problems)]
        told = zlib.compress(file_intake.lines(page, fates).encode(), 1)
        await import_files.add_verdicts(self._conn, self._job.app_id, self._job.import_id, self._pages, told)
        self._pages += 1
        if asyncio.get_running_loop().time() - self._told >= TOLD:
            await self._tell()

    async def _tell(self) -> None:
        """Tell how far it is, on a connection of its own. Raises _Unwanted when it is not to go on."""
        job = self._job
        at = self._file.tell() if self._pages else 0
        async with self._db.connection() as conn:
            wanted = await imports.progress(
                conn, job.app_id, job.import_id, self._counts, bytes_read=at, now=self._clock()
            )
        self._told = asyncio.get_running_loop().time()
        if not wanted:
            raise _Unwanted

    async def _tell_form(self, reader: Reader, source: Source) -> None:
        async with self._db.connection() as conn:
            wanted = await imports.tell_form(
                conn,
                self._job.app_id,
                self._job.import_id,
                form=asdict(reader.form),
                used=reader.mapping,
                used_from=source,
                columns=reader.columns,
            )
        if not wanted:
            raise _Unwanted

    async def _fail(self, reason: str) -> None:
        job = self._job
        log.warning("import_failed import=%s reason=%s", job.public_id, reason)
        async with self._db.transaction() as conn:
            await imports.end(
                conn, job.app_id, job.import_id, "failed", Counts(), whole=False, error=reason, now=self._clock()
            )
            await import_files.drop_pieces(conn, job.app_id, job.import_id)

    async def _give_back(self) -> None:
        async with self._db.connection() as conn:
            await imports.give_back(conn, self._job.app_id, self._job.import_id, spared=1, now=self._clock())
        log.info("import_given_back import=%s", self._job.public_id)
