"""Reports that are mailed: making, changing and trying them; and sending those whose time has come."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, cast

from heliograph.actions import audit, mail, report_files, report_tables, users
from heliograph.actions.mail import File, Letter, Outcome
from heliograph.actions.report_tables import Asked
from heliograph.errors import Conflict, Invalid
from heliograph.rules import ids, report, zones
from heliograph.rules.report import Times
from heliograph.store import apps
from heliograph.store import report_mails as rows
from heliograph.store.report_mails import Wish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heliograph.config import Clock, Settings
    from heliograph.rules.report import Often, Table
    from heliograph.store.apps import App
    from heliograph.store.database import Database
    from heliograph.store.report_mails import Mail, Sending
    from heliograph.store.reports import By

MOST = 50  # of an app
LONGEST_NAME = 100
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180))  # then it is given up
TOO_LATE = timedelta(days=1)  # a report that is still not sent by then is none any more
STEPS = 500  # times that passed while no worker was there; only the last of them counts
_BETWEEN = re.compile(r"[\s,;]+")


# ---------------------------------------------------------------- what is wished


async def add(db: Database, settings: Settings, app: App, wish: Wish, *, made_by: str, now: datetime) -> str:
    """Have a report mailed from now on; its id. Raises Invalid, and Conflict where no mail can be sent."""
    if not mail.can_send(settings):
        raise Conflict(mail.NO_SERVER)
    public_id, due_at = ids.new("rm"), report.next_time(times(wish), now)
    async with db.transaction() as conn:
        if await rows.count(conn, app.app_id) >= MOST:
            raise Conflict(f"The app has {MOST} mailed reports, and more are not kept; delete one first")
        await rows.add(conn, app.app_id, public_id, wish, made_by=made_by, due_at=due_at, now=now)
        audit.tell(f"Has {_told(wish)}", object=public_id)
    return public_id


async def change(db: Database, app: App, public_id: str, wish: Wish, *, now: datetime) -> None:
    """Mail this in place of what was mailed under this id. Raises Invalid, NotFound."""
    due_at = report.next_time(times(wish), now)
    async with db.transaction() as conn:
        await rows.get(conn, app.app_id, public_id)
        await rows.change(conn, app.app_id, public_id, wish, due_at=due_at)
        audit.tell(f"Has {_told(wish)} now", object=public_id)


async def pause(db: Database, app: App, public_id: str, *, paused: bool, now: datetime) -> None:
    """Mail it no more, or again from its next time on. Raises NotFound."""
    async with db.transaction() as conn:
        found = await rows.get(conn, app.app_id, public_id)
        due_at = report.next_time(times(found), now)
        await rows.pause(conn, app.app_id, public_id, paused=paused, due_at=due_at)
        audit.tell(f"{'Paused' if paused else 'Resumed'} mailing {found.name}", object=public_id)


async def delete(db: Database, app: App, public_id: str) -> None:
    """Mail it never again. Raises NotFound."""
    async with db.transaction() as conn:
        found = await rows.get(conn, app.app_id, public_id)
        await rows.delete(conn, app.app_id, public_id)
        audit.tell(f"Deleted the mailed report {found.name}", object=public_id)


async def test(db: Database, settings: Settings, app: App, public_id: str, *, to: str, now: datetime) -> None:
    """Send it now, to this address only. Raises Conflict where no mail can be sent, Invalid, NotFound."""
    if not mail.can_send(settings):
        raise Conflict(mail.NO_SERVER)
    async with db.transaction() as conn:
        found = await rows.get(conn, app.app_id, public_id)
        await rows.add_test(conn, found, [users.check_email(to)], now=now)
        audit.tell(f"Tried {found.name} by a letter to {to}", object=public_id)


def read(given: dict[str, str]) -> Wish:
    """What a form asks for, checked. Raises Invalid with the field."""
    name = given.get("name", "").strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise Invalid(f"name is {name[:60]!r}; it takes 1 to {LONGEST_NAME} characters", field="name")
    report_tables.by(given.get("what", ""))
    zone = zones.zone(given.get("zone", ""))
    if zone is None:
        raise Invalid(f"zone is {given.get('zone', '')[:60]!r}; it takes one such as Europe/London", field="zone")
    month_day = _number(given, "month_day", (*range(1, report.LATEST_MONTH_DAY + 1), report.LAST_DAY))
    return Wish(
        name=name,
        what=given["what"],
        span=_one_of(given, "span", report.SPANS),
        format=_one_of(given, "format", report.FORMATS),
        recipients=_recipients(given.get("recipients", "")),
        often=_one_of(given, "often", report.OFTEN),
        weekday=_number(given, "weekday", range(7)),
        month_day=month_day,
        at=_time(given.get("at", "")),
        zone=zone,
    )


def times(wish: Wish) -> Times:
    """When it is mailed."""
    return Times(cast("Often", wish.often), wish.weekday, wish.month_day, wish.at, wish.zone)


def _recipients(text: str) -> list[str]:
    found = list(dict.fromkeys(word for word in _BETWEEN.split(text.strip()) if word))
    if not 0 < len(found) <= report.MOST_RECIPIENTS:
        raise Invalid(f"{len(found)} recipients; 1 to {report.MOST_RECIPIENTS} are taken", field="recipients")
    for each in found:
        try:
            users.check_email(each)
        except Invalid as error:
            raise Invalid(error.message, field="recipients") from error
        if not each.isascii():
            raise Invalid(f"{each[:60]!r} has letters that many mail servers do not take", field="recipients")
    return found


def _one_of(given: dict[str, str], name: str, known: dict[str, str]) -> str:
    text = given.get(name, "")
    if text not in known:
        raise Invalid(f"{name} is {text[:40]!r}; it takes one of: {', '.join(known)}", field=name)
    return text


def _number(given: dict[str, str], name: str, known: Sequence[int]) -> int:
    text = given.get(name, "") or str(known[0])
    if text not in map(str, known):
        raise Invalid(f"{name} is {text[:40]!r}; it takes a number from {known[0]} to {known[-1]}", field=name)
    return int(text)


def _time(text: str) -> time:
    try:
        return datetime.strptime(text, "%H:%M").replace(tzinfo=UTC).time()
    except ValueError:
        raise Invalid(f"at is {text[:40]!r}; it takes a time such as 08:30", field="at") from None


def _told(wish: Wish) -> str:
    return f"{wish.name} mailed to {', '.join(wish.recipients)} {times(wish).words}"


# ---------------------------------------------------------------- sending


async def take_due(db: Database, *, now: datetime) -> None:
    """Turn every time that has come into one sending. Of times that passed unseen only the last counts."""
    async with db.connection() as conn:
        for each in await rows.list_due(conn, now):
            due_at, next_at = each.due_at, report.next_time(times(each), each.due_at)
            for _ in range(STEPS):
                if next_at > now:
                    break
                due_at, next_at = next_at, report.next_time(times(each), next_at)
            await rows.take_due(conn, each, due_at=due_at, next_at=max(next_at, now))


async def send_one(db: Database, settings: Settings, clock: Clock) -> bool:
    """Try the sending that has waited longest; False where none waits.

    What fails for now is tried again by and by; what may have been taken, never.
    """
    async with db.connection() as conn:
        sending = await rows.take(conn, clock())
        if sending is None:
            return False
        found = await rows.get(conn, sending.app_id, sending.report_id)
        app = next(one for one in await apps.list_all(conn) if one.app_id == sending.app_id)
    try:
        outcome = await mail.send(settings, await _letter(db, settings, app, found, sending, clock()), now=clock())
    except Invalid as error:
        outcome = Outcome(sent=False, error=error.message)
    except Exception:
        async with db.connection() as conn:
            await rows.settle(conn, sending, sent_at=None, next_at=None, error="A fault of ours; the log has it")
        raise
    now = clock()
    async with db.connection() as conn:
        sent_at = now if outcome.sent else None
        await rows.settle(conn, sending, sent_at=sent_at, next_at=_again(sending, outcome, now), error=outcome.error)
    return True


def _again(sending: Sending, outcome: Outcome, now: datetime) -> datetime | None:
    if outcome.sent or not outcome.again or sending.only_to is not None or sending.attempts > len(BACKOFF):
        return None
    at = now + BACKOFF[sending.attempts - 1]
    return at if at - sending.due_at < TOO_LATE else None


async def _letter(db: Database, settings: Settings, app: App, found: Mail, sending: Sending, now: datetime) -> Letter:
    clock = zones.clock(found.zone) or UTC
    first, last = report.days(found.span, sending.due_at.astimezone(clock).date())
    asked = Asked(cast("By", found.what), first, last, found.zone)
    async with db.connection() as conn:
        table = await report_tables.table(conn, app, asked, now=now)
    content = await report_files.write(table, found.format)
    name = f"{report_tables.file_name(app, asked)}.{found.format}"
    days = str(first) if first == last else f"{first} to {last}"
    return Letter(
        to=sending.only_to or found.recipients,
        subject=f"{'Test: ' if sending.only_to else ''}{found.name}, {days}",
        text=_text(settings, app, found, table),
        files=(File(_safe(name), report_files.MEDIA[found.format], content),),
    )


def _text(settings: Settings, app: App, found: Mail, table: Table) -> str:
    names = [column.word for column in table.columns]
    sums = [f"{name}: {cell:,}" for name, cell in zip(names, table.total, strict=True) if isinstance(cell, int)]
    lines = [table.title, table.about, "", *sums, "", table.note, ""]
    lines.append(f"This letter is sent {times(found).words}, as {found.made_by} asked for.")
    if settings.console_url:
        lines.append(f"To change that: {settings.console_url}/console/{app.public_id}/reports/mails/{found.public_id}")
    return "\n".join(lines) + "\n"


def _safe(name: str) -> str:
    return "".join(each if each.isalnum() or each in " -_." else "_" for each in name)
