"""Recording by hand, or from elsewhere, who said no and who said yes; deciding about those who may have said no."""

from __future__ import annotations

import asyncio
import csv
import io
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from heliograph.actions import audit, webhooks
from heliograph.actions.csv_rows import SHOWN, Problem
from heliograph.errors import Conflict, Invalid, NotFound
from heliograph.rules import body as reading
from heliograph.rules import consent as law
from heliograph.rules import counts, phone, template
from heliograph.store import consents, opt_outs
from heliograph.store.consents import NewConsent
from heliograph.store.opt_outs import OptOut

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from heliograph.rules.consent import Event
    from heliograph.store.apps import App
    from heliograph.store.database import Conn, Database

PAGE = 5_000
PROBLEMS_KEPT = 100
REASON = 256  # characters of somebody's words that are shown beside their entry
_KINDS: tuple[opt_outs.Kind, ...] = ("no", "review")


@dataclass(slots=True)
class Recorded:
    """What events changed. ``older``: recorded too, but something newer was known of that person."""

    opted_out: int = 0
    opted_in: int = 0
    older: int = 0


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file: the good rows as :class:`Recorded`, and what is wrong with the others (the first 100)."""

    rows: int
    done: Recorded
    rejected: int
    problems: tuple[Problem, ...]


async def record(
    db: Database, app: App, body: Mapping[str, object], *, source: str, by: str, now: datetime
) -> Recorded:
    """Record the events of a body, all of them or, if one is bad, none; the newest word of each person counts.

    A yes takes a no away only when it is newer than it, whoever said that. Raises :class:`Invalid`, TooLarge.
    """
    events = law.read_many(body, now=now)
    done = Recorded()
    async with db.transaction() as conn:
        await _record(conn, app.app_id, events, done, source=source, by=by, now=now)
        audit.tell(f"Recorded what {counts.of(len(events), 'person', 'people')} said of being texted")
    return done


async def import_csv(db: Database, app: App, file: BinaryIO, *, by: str, now: datetime) -> Imported:
    """Record the rows of a CSV file (``phoneNumber``, and if wanted ``what``, ``at``, ``text``) in one transaction.

    Bad rows are left out and reported; if no row is good, nothing changes. Raises :class:`Invalid`.
    """
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    done, problems, rows, rejected = Recorded(), list[Problem](), 0, 0
    try:
        lines = _rows(text)
        async with db.transaction() as conn:
            while page := await asyncio.to_thread(lambda: list(islice(lines, PAGE))):
                events: list[Event] = []
                for row, cells in page:
                    rows += 1
                    try:
                        events.append(law.event(cells, now=now))
                        reading.storable(events[-1].text, "text")
                    except Invalid as error:
                        rejected += 1
                        column = error.field or ""
                        shown = str(cells.get(column, ""))[:SHOWN]
                        problems += [Problem(row, column, shown, error.message)][: PROBLEMS_KEPT - len(problems)]
                await _record(conn, app.app_id, events, done, source="import", by=by, now=now)
            if rows == rejected:
                first = f" Row {problems[0].row}: {problems[0].problem}" if problems else ""
                raise Invalid(f"None of the {rows} rows holds a number.{first}", field="file")
    except (UnicodeDecodeError, csv.Error) as error:
        raise Invalid(f"The file cannot be read as CSV in UTF-8: {error}", field="file") from error
    finally:
        text.detach()
    return Imported(rows, done, rejected, tuple(problems))


async def remove(db: Database, app: App, number: str, *, note: str, by: str, now: datetime) -> list[OptOut]:
    """Let somebody be texted again, as they asked a person for it; answers what kept them from it.

    Raises :class:`NotFound` when nothing of theirs did.
    """
    async with db.transaction() as conn:
        gone = await opt_outs.remove(conn, app.app_id, [number], kinds=_KINDS)
        if not gone:
            raise NotFound(f"{number} has not opted out", field="phoneNumber")
        said = NewConsent(number, "opt_in", "person", now, text=note, by=by)
        audit.tell(f"Let {phone.mask(number)} be texted again{f': {note}' if note else ''}")
        await consents.add(conn, app.app_id, [said], now=now)
    return gone


async def decide(
    db: Database, app: App, number: str, decision: law.Decision, *, note: str, by: str, now: datetime
) -> None:
    """Settle what somebody meant. Raises :class:`Conflict` for ``keep`` when nothing they wrote is to be reviewed."""
    async with db.transaction() as conn:
        found = await opt_outs.remove(conn, app.app_id, [number], kinds=["review"])
        if not found and decision == "keep":
            raise Conflict(f"Nothing that {number} wrote is to be reviewed", field="phoneNumber")
        if decision == "optOut":
            no = [OptOut(number, "", "no", "person", note[:REASON], now)]
            await opt_outs.put(conn, app.app_id, no)
            await webhooks.opted_out(conn, app.app_id, no, now=now)
        said = NewConsent(number, "decided", "person", now, word=decision, text=note, by=by)
        meant = "meant no" if decision == "optOut" else "did not mean no"
        audit.tell(f"Decided that {phone.mask(number)} {meant}{f': {note}' if note else ''}")
        await consents.add(conn, app.app_id, [said], now=now)


async def _record(  # what, by whom, when
    conn: Conn, app_id: int, events: Sequence[Event], done: Recorded, *, source: str, by: str, now: datetime
) -> None:
    if not events:
        return
    known = await consents.latest(conn, app_id, sorted({event.number for event in events}))
    said = [NewConsent(each.number, each.what, source, each.at, text=each.text, by=by) for each in events]
    await consents.add(conn, app_id, said, now=now)
    newest: dict[str, Event] = {}
    for each in sorted(events, key=lambda event: (event.at, event.what == "opt_out")):  # at one time a no wins
        newest[each.number] = each
    counting = [each for each in newest.values() if each.number not in known or _counts(each, *known[each.number])]
    done.older += len(newest) - len(counting)
    outs = [each for each in counting if each.what == "opt_out"]
    ins = sorted(each.number for each in counting if each.what == "opt_in")
    if ins:
        await opt_outs.remove(conn, app_id, ins, kinds=_KINDS)
    if outs:
        rows = [OptOut(each.number, "", "no", source, each.text[:REASON], each.at) for each in outs]
        await opt_outs.put(conn, app_id, rows)
        if source != "import":  # a file's may be millions, and whoever sent it knows them
            await webhooks.opted_out(conn, app_id, rows, now=now)
    done.opted_in += len(ins)
    done.opted_out += len(outs)


def _counts(event: Event, what: str, at: datetime) -> bool:
    """Whether an event outweighs the newest word that was known: a yes has to be newer, a no may be as old."""
    return event.at > at or (event.at == at and event.what == "opt_out") or what == event.what


def _rows(text: Iterable[str]) -> Iterator[tuple[int, dict[str, object]]]:
    """The rows of a file by its header, numbered as a spreadsheet does."""
    cells = csv.reader(text)
    names = {"phonenumber": "phoneNumber", "what": "what", "at": "at", "text": "text"}
    header = [names.get(template.key(name), "") for name in next(cells, list[str]())]
    if "phoneNumber" not in header:
        raise Invalid("The file has no column phoneNumber. Its first row names the columns", field="file")
    for row, line in enumerate(cells, 2):
        if any(line):
            yield row, {name: _plain(value) for name, value in zip(header, line, strict=False) if name}


def _plain(cell: str) -> str:
    """A cell without the apostrophe by which an export guards it from spreadsheets."""
    return cell[1:] if cell.startswith(("'+", "'=", "'-", "'@")) else cell
