"""A few rows of a file of people, with what is wrong in them: read from the file while it is kept."""

from __future__ import annotations

import asyncio
import csv
import io
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.actions import tables
from heliograph.errors import HeliographError
from heliograph.rules import verdict
from heliograph.store import import_files

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from heliograph.store.database import Database
    from heliograph.store.imports import Job

WHOLE = 16 << 20  # bytes of a file that is read whole; of a larger one its first piece
ROWS = 3000  # of the file, read
SHOWN = 6  # rows shown whatever they are like
MOST_ODD = 25  # rows shown because something is wrong in them
MOST_PAGES = 20  # of verdicts looked through for those: a hundred thousand rows
MOST_CELLS = 30
LONGEST_CELL = 80


@dataclass(frozen=True, slots=True)
class Row:
    """A row as a spreadsheet counts; ``wrong`` are the columns at fault, ``what`` says why, ``cells`` may be unknown.

    ``values``: what stands in those columns. ``verdict`` is a word of the verdict file.
    """

    number: int
    cells: tuple[str, ...] | None
    verdict: str
    what: tuple[str, ...]
    wrong: frozenset[str]
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """What is shown of a file. ``examples``: of each column, cells of the first rows."""

    columns: tuple[str, ...]
    examples: Mapping[str, tuple[str, ...]]
    rows: tuple[Row, ...]
    odd: int  # of them, those with something wrong
    more: int  # rows with something wrong that are not shown


async def pieces(db: Database, job: Job) -> AsyncIterator[bytes]:
    """The file of an import again, as far as it is kept."""
    number = 0
    while True:
        async with db.connection() as conn:
            piece = await import_files.get_piece(conn, job.app_id, job.import_id, number)
        if piece is None:
            return
        yield piece
        number += 1


async def read(db: Database, job: Job) -> Sample:
    """The first rows of a file, and those with something wrong; without their cells when the file is gone."""
    names = tuple(job.columns or ())
    odd = await _odd(db, job) if job.rejected or job.noted else []
    table = await asyncio.to_thread(_rows, await _first(db, job), names)
    shown = sorted({*list(table)[:SHOWN], *(row for row, *_ in odd)})
    told = {row: rest for row, *rest in odd}
    rows = tuple(_row(number, table.get(number), told.get(number)) for number in shown)
    examples = {
        name: tuple(cells[place][:LONGEST_CELL] for cells in list(table.values())[:3] if place < len(cells))
        for place, name in enumerate(names)
    }
    return Sample(names, examples, rows, len(odd), max(0, job.rejected + job.noted - len(odd)))


def _row(number: int, cells: Sequence[str] | None, told: Sequence[str] | None) -> Row:
    verdict_, _, column, value, what = told or ("", "", "", "", "")
    wrong = column.split(verdict.BETWEEN) if column else []
    values = tuple(zip(wrong, value.split(verdict.BETWEEN), strict=False))
    shown = None if cells is None else tuple(cell[:LONGEST_CELL] for cell in cells[:MOST_CELLS])
    return Row(number, shown, verdict_, tuple(what.split(verdict.BETWEEN)) if what else (), frozenset(wrong), values)


async def _first(db: Database, job: Job) -> bytes:
    """The file, or when it is large its beginning up to the end of a line."""
    found = bytearray()
    async for piece in pieces(db, job):
        found += piece
        if job.size > WHOLE:
            return bytes(found[: found.rfind(b"\n") + 1])
    return bytes(found)


def _rows(data: bytes, names: Sequence[str]) -> dict[int, list[str]]:
    """The first rows below the header, by their number. Nothing where the piece alone is no table."""
    if not data or not names:
        return {}
    try:
        rows = tables.open_table(io.BytesIO(data)).take(ROWS)
    except (HeliographError, EOFError, OSError):  # a packed file of which there is only the beginning
        return {}
    called = [name for name in names if not name.startswith("column ")]
    head = next((place for place, cells in enumerate(rows) if called and set(called) <= {c.strip() for c in cells}), -1)
    return {place + 1: cells for place, cells in enumerate(rows) if place > head and any(cells)}


async def _odd(db: Database, job: Job) -> list[tuple[int, str, str, str, str, str]]:
    """The first rows with something wrong: number, verdict, telephone number, columns, values, what."""
    found: list[tuple[int, str, str, str, str, str]] = []
    for page_no in range(MOST_PAGES):
        async with db.connection() as conn:
            page = await import_files.get_verdicts(conn, job.app_id, job.import_id, page_no)
        if page is None:
            break
        found += await asyncio.to_thread(_odd_of, zlib.decompress(page).decode(), MOST_ODD - len(found))
        if len(found) >= MOST_ODD:
            break
    return found


def _odd_of(lines: str, most: int) -> list[tuple[int, str, str, str, str, str]]:
    found: list[tuple[int, str, str, str, str, str]] = []
    for row, what, number, column, value, text in csv.reader(io.StringIO(lines)):
        if len(found) >= most:
            break
        if column or what == verdict.REJECTED:
            found.append((int(row), what, number, column, value, text))
    return found
