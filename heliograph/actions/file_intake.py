"""A file of people, from its first page to its last: what each face that takes files does the same way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from heliograph.errors import Invalid
from heliograph.rules import columns, verdict
from heliograph.store import column_mappings
from heliograph.store.imports import Counts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from heliograph.actions.csv_rows import Page, Problem, Reader
    from heliograph.actions.intake import Intake
    from heliograph.rules.verdict import Fate
    from heliograph.store.apps import App
    from heliograph.store.database import Conn
    from heliograph.store.imports import Source

PAGE = 5000  # rows of a file read, checked and written at once

Each = Callable[[Counts, "Page", Sequence["Fate"]], Awaitable[None]]


async def settle(conn: Conn, app: App, reader: Reader, mapping: Mapping[str, str] | None) -> Source:
    """Decide which column holds what: as ``mapping`` says, else as somebody said of a file with this header before.

    An empty mapping has all of it guessed anew. Answers where the mapping comes from. Raises :class:`Invalid`.
    """
    if mapping is not None:
        reader.settle(mapping)
        return "given" if mapping else "guessed"
    saved = await column_mappings.find(conn, app.app_id, columns.header_key(reader.columns)) if reader.headed else None
    reader.settle(saved)
    return "guessed" if saved is None else "saved"


async def remember(conn: Conn, app: App, reader: Reader, mapping: Mapping[str, str] | None, *, now: datetime) -> None:
    """Keep a mapping made by hand for the next file with this header; an empty one forgets what was kept."""
    if mapping is None or not reader.headed:
        return
    key = columns.header_key(reader.columns)
    if mapping:
        await column_mappings.put(conn, app.app_id, key, reader.columns, mapping, now=now)
    else:
        await column_mappings.drop(conn, app.app_id, key)


async def take_in(intake: Intake, reader: Reader, counts: Counts, each: Each | None = None) -> None:
    """Take everybody in a file in, counting in ``counts``. ``each`` is awaited after each page, with what became of it.

    The next page is read in a thread while one is written; both have ended when an error is raised.
    """
    intake.zone_column = reader.kept_as("timeZone")
    page = await asyncio.to_thread(reader.page, PAGE)
    while page is not None:
        written, coming = await asyncio.gather(
            _take(intake, page, counts, each), asyncio.to_thread(reader.page, PAGE), return_exceptions=True
        )
        if isinstance(written, BaseException):
            raise written
        if isinstance(coming, BaseException):
            raise coming
        page = coming


async def _take(intake: Intake, page: Page, counts: Counts, each: Each | None) -> None:
    fates = await intake.take(page.contacts)
    words = [fate.value[0] for fate in fates]
    counts.rows += page.rows
    counts.added += words.count("imported")
    counts.updated += words.count("updated")
    counts.duplicates += words.count("duplicate")
    counts.rejected += len(page.problems)
    counts.noted += len({note.row for note in page.notes} & set(page.numbered)) if page.notes else 0
    if each is not None:
        await each(counts, page, fates)


def lines(page: Page, fates: Sequence[Fate]) -> str:
    """The lines of the verdict file for a page."""
    numbers = [one.number for one in page.contacts]
    taken = zip(page.numbered, numbers, fates, strict=True)
    return verdict.lines(taken, _remarks(page.problems), _remarks(page.notes))


def _remarks(problems: Sequence[Problem]) -> list[verdict.Remark]:
    return [verdict.Remark(one.row, one.column, one.value, one.problem) for one in problems]


def nothing_good(rows: int, problems: Sequence[Problem]) -> Invalid:
    """The error for a file in which nobody can be texted."""
    if not problems:
        return Invalid("The file has a header and no row below it", field="file")
    first = problems[0]
    text = f"None of the {rows} rows can be used. Row {first.row}, {first.column or 'its end'}: {first.problem}"
    return Invalid(text, field="file")
