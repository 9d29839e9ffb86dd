"""Who must not be texted: making do-not-contact lists and adding numbers to them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from heliograph.actions.csv_rows import Problem
from heliograph.errors import Invalid, NotFound
from heliograph.rules import columns, draft, phone
from heliograph.store import dnc, lists

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from heliograph.store.apps import App
    from heliograph.store.database import Conn, Database
    from heliograph.store.lists import ContactList

PAGE = 5000
PROBLEMS_KEPT = 100
DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Added:
    """What became of the numbers sent: ``rows = added + rejected``; one that was on the list counts as added."""

    target: ContactList
    rows: int
    added: int
    rejected: int
    problems: tuple[Problem, ...]  # the first 100


async def create(
    db: Database, app: App, *, name: str, now: datetime, description: str = "", is_global: bool = False
) -> ContactList:
    """A new do-not-contact list; a global one counts for every campaign of the app.

    Raises :class:`Invalid`, :class:`~heliograph.errors.DuplicateName`.
    """
    wanted = draft.list_draft({"name": name, "description": description})
    async with db.transaction() as conn:
        return await dnc.create(
            conn, app.app_id, name=wanted.name, description=wanted.description, is_global=is_global, now=now
        )


async def add(
    db: Database, app: App, ref: str | None, numbers: Sequence[str], *, source: str, now: datetime, reason: str = ""
) -> ContactList:
    """Put numbers on a list (id or name; None: the app's default one), all of them or, if one is bad, none.

    A run under way heeds them from its next batch on. Raises :class:`Invalid`, :class:`~heliograph.errors.NotFound`.
    """
    clean = [phone.normalise(number, field="number") for number in numbers]
    async with db.transaction() as conn:
        target = await _target(conn, app, ref)
        await dnc.add_entries(conn, app.app_id, target.list_id, clean, source=source, reason=reason, now=now)
    return target


async def import_csv(
    db: Database, app: App, ref: str | None, file: BinaryIO, *, source: str, now: datetime, reason: str = ""
) -> Added:
    """Put the numbers of a CSV file (or of a plain file, a number a line) on a list, in one transaction.

    Bad rows are left out and reported; if no row is good, nothing changes. Raises :class:`Invalid`,
    :class:`~heliograph.errors.NotFound`.
    """
    rows = added = 0
    problems: list[Problem] = []
    page: list[str] = []
    async with db.transaction() as conn:
        target = await _target(conn, app, ref)

        async def write() -> None:
            await dnc.add_entries(conn, app.app_id, target.list_id, page, source=source, reason=reason, now=now)
            page.clear()

        for found in _numbers(file):
            rows += 1
            if isinstance(found, Problem):
                problems += [found] if len(problems) < PROBLEMS_KEPT else []
                continue
            added += 1
            page.append(found)
            if len(page) == PAGE:
                await write()
        await write()
        if not added:
            first = f" Row {problems[0].row}: {problems[0].problem}" if problems else ""
            raise Invalid(f"None of the {rows} rows holds a number.{first}", field="file")
    return Added(target, rows, added, rows - added, tuple(problems))


async def _target(conn: Conn, app: App, ref: str | None) -> ContactList:
    if ref is not None:
        found = await lists.get(conn, app.app_id, ref, kind="dnc")
        if found.kind != "dnc":
            raise Invalid(f"{found.name} is a list of people to text, and a do-not-contact list is expected")
        return found
    for known in await lists.list_all(conn, app.app_id, kind="dnc"):
        if known.is_default:
            return known
    raise NotFound(f"App {app.name} has no default do-not-contact list; name one")


def _numbers(file: BinaryIO) -> Iterator[str | Problem]:
    """The number of each row, or what is wrong with it. The header is row 1, if there is one."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        yield from _read(text)
    except UnicodeDecodeError as error:
        raise Invalid("The file is not UTF-8 text. Save it as CSV UTF-8", field="file") from error
    except csv.Error as error:
        raise Invalid(f"The file cannot be read as CSV: {error}", field="file") from error
    finally:
        text.detach()


def _read(text: io.TextIOWrapper) -> Iterator[str | Problem]:
    first = text.readline()
    delimiter = max(DELIMITERS, key=first.count)
    cells = csv.reader(_chain(first, text), delimiter=delimiter)
    header = next(cells, list[str]())
    place = _place(header)
    column = header[place] if place is not None else ""
    if place is None:  # no header: the first row is a number already
        yield _number(header, 0, 1, column)
    for row, line in enumerate(cells, 2):
        if any(line):
            yield _number(line, place or 0, row, column)


def _place(header: Sequence[str]) -> int | None:
    """Which column holds the numbers; None when the first row is no header. Raises Invalid when it is neither."""
    try:
        return header.index(columns.guess(header)["phoneNumber"])
    except Invalid:
        try:
            phone.normalise(header[0] if header else "")
        except Invalid as error:
            text = "The file has no column phoneNumber, and its first row is no number"
            raise Invalid(text, field="file") from error
        return None


def _number(line: Sequence[str], place: int, row: int, column: str) -> str | Problem:
    value = line[place] if place < len(line) else ""
    try:
        return phone.normalise(value)
    except Invalid as error:
        return Problem(row, column, value[:60], error.message)


def _chain(first: str, rest: Iterable[str]) -> Iterator[str]:
    yield first
    yield from rest
