"""Who must not be texted: do-not-contact lists, and the numbers and prefixes on them.

Whatever changes here counts for the next batch of every run that heeds the list. Which lists a run heeds was decided
when it started: making a list global, or no longer, does not reach runs under way.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from heliograph.actions import audit, csv_rows, dnc_rows
from heliograph.actions import lists as listing
from heliograph.errors import Invalid, NotFound
from heliograph.rules import body as reading
from heliograph.rules import counts, draft, ids, phone, quota
from heliograph.rules import do_not_contact as law
from heliograph.store import contacts, dnc, lists

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from heliograph.rules.quota import Quota
    from heliograph.store.apps import App
    from heliograph.store.database import Conn, Database
    from heliograph.store.dnc import Entry
    from heliograph.store.lists import ContactList

PAGE = 5000  # rows of a file read, checked and written at once
PROBLEMS_KEPT = 100
LONGEST_FILE_NAME = 255


# ---------------------------------------------------------------- lists


async def create(
    db: Database,
    app: App,
    *,
    name: str,
    now: datetime,
    description: str = "",
    is_global: bool = False,
    limits: Quota = quota.DEFAULT,
) -> ContactList:
    """A new do-not-contact list; a global one counts for every campaign of the app.

    Raises :class:`Invalid`, :class:`~heliograph.errors.DuplicateName`, and :class:`~heliograph.errors.Conflict` when
    the account has as many as ``limits`` allow.
    """
    body = {"name": name, "description": description, "isGlobalDNC": is_global}
    return await create_from(db, app, body, now=now, limits=limits)


async def create_from(
    db: Database, app: App, body: Mapping[str, object], *, now: datetime, limits: Quota = quota.DEFAULT
) -> ContactList:
    """As :func:`create`, from a body: ``name``, ``description``, ``isGlobalDNC``."""
    wanted = draft.list_draft({"name": body.get("name"), "description": body.get("description")})
    is_global = body.get("isGlobalDNC")
    async with db.transaction() as conn:
        await listing.check_quota(conn, app, "dnc", limits)
        return await dnc.create(
            conn,
            app.app_id,
            name=wanted.name,
            description=wanted.description,
            is_global=is_global is not None and reading.flag(is_global, "isGlobalDNC"),
            now=now,
        )


async def update(db: Database, app: App, ref: str, body: Mapping[str, object], *, now: datetime) -> ContactList:
    """Change a list's ``name``, ``description`` or ``isGlobalDNC``; what is not sent stays.

    Raises :class:`Invalid`, :class:`~heliograph.errors.NotFound`, :class:`~heliograph.errors.DuplicateName`.
    """
    sent = {key: body[key] for key in ("name", "description") if body.get(key) is not None}
    everywhere = body.get("isGlobalDNC")
    if not sent and everywhere is None:
        raise Invalid("There is nothing to change. The body takes any of: name, description, isGlobalDNC")
    changes = draft.list_changes(sent) if sent else None
    is_global = None if everywhere is None else reading.flag(everywhere, "isGlobalDNC")
    async with db.transaction() as conn:
        found = await _target(conn, app, ref)
        return await lists.update(
            conn,
            app.app_id,
            found.list_id,
            name=changes.name if changes else None,
            description=changes.description if changes else None,
            is_global_dnc=is_global,
            now=now,
        )


# ---------------------------------------------------------------- entries


@dataclass(frozen=True, slots=True)
class Put:
    """What became of entries sent: ``added`` were not on the list, ``known`` were, or came twice."""

    target: ContactList
    added: int
    known: int


async def add(
    db: Database, app: App, ref: str | None, numbers: Sequence[str], *, source: str, now: datetime, reason: str = ""
) -> ContactList:
    """Put numbers and prefixes (``+1900*``) on a list, all of them or, if one is bad, none.

    The list is named by id or name; None is the app's default one. Raises as :func:`put`.
    """
    body = {"entries": list(numbers), "reason": reason}
    return (await put(db, app, ref, body, source=source, now=now)).target


async def put(
    db: Database,
    app: App,
    ref: str | None,
    body: Mapping[str, object],
    *,
    source: str,
    now: datetime,
    limits: Quota = quota.DEFAULT,
) -> Put:
    """Put the entries of a body on a list, all of them or, if one is bad, none. One that is there keeps the later end.

    Raises :class:`Invalid`, :class:`~heliograph.errors.TooLarge`, :class:`~heliograph.errors.NotFound`, and
    :class:`~heliograph.errors.Conflict` while a file is being imported into the list, or over ``limits``.
    """
    entries = law.read_many(body, now=now)
    async with db.transaction() as conn:
        writer = await _Writer.open(conn, app, ref, limits, source=source, now=now)
        await writer.write(entries)
        audit.tell(f"Put {counts.of(len(entries), 'entry', 'entries')} on the DNC list {writer.target.name}")
    return Put(writer.target, writer.added, len(entries) - writer.added)


async def change(
    db: Database, app: App, ref: str, entry_id: str, body: Mapping[str, object], *, now: datetime
) -> tuple[ContactList, Entry]:
    """Change an entry's ``reason`` or ``expiresAt`` (null: for good); what is not sent stays.

    Raises :class:`Invalid`, :class:`~heliograph.errors.NotFound`.
    """
    changes = law.changes(body, now=now)
    async with db.transaction() as conn:
        target = await _target(conn, app, ref)
        changed = await dnc.change(
            conn,
            app.app_id,
            target.list_id,
            entry_id,
            reason=changes.reason,
            expires_at=changes.expires_at,
            expiry_sent=changes.expiry_sent,
        )
        if changed is None:
            raise missing(target, entry_id)
    return target, changed


async def remove(db: Database, app: App, ref: str, entry_id: str) -> tuple[ContactList, Entry]:
    """Take an entry off a list; answers both, the entry as it was.

    Raises :class:`~heliograph.errors.NotFound`, :class:`~heliograph.errors.Conflict` as :func:`put` does.
    """
    async with db.transaction() as conn:
        target = await _hold(conn, app, ref)
        found = await dnc.read(conn, app.app_id, target.list_id, [entry_id])
        if not found:
            raise missing(target, entry_id)
        await dnc.remove_entries(conn, app.app_id, target.list_id, [entry_id])
        audit.tell(f"Took {phone.mask(entry_id)} off the DNC list {target.name}", object=target.public_id)
    return target, found[0]


async def remove_many(
    db: Database, app: App, ref: str, body: Mapping[str, object]
) -> tuple[ContactList, set[str], list[str]]:
    """Take the entries named in ``phoneNumbers`` off a list; answers it, those that were on it, and those not.

    Raises :class:`Invalid`, and as :func:`remove` does for the list.
    """
    named = law.read_ids(body)
    async with db.transaction() as conn:
        target = await _hold(conn, app, ref)
        gone = await dnc.remove_entries(conn, app.app_id, target.list_id, named)
        told = f"Took {counts.of(len(gone), 'entry', 'entries')} off the DNC list {target.name}"
        audit.tell(told, object=target.public_id)
    return target, gone, [entry_id for entry_id in named if entry_id not in gone]


def missing(target: ContactList, entry_id: str) -> NotFound:
    """The error that says which entry there is not."""
    return NotFound(f"{entry_id} is not on DNC list {target.name}", field="phoneNumber")


# ---------------------------------------------------------------- files


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the rows of a file: ``rows = added + known + rejected``."""

    target: ContactList
    file_id: str
    file_name: str
    rows: int
    added: int
    known: int  # on the list already, or twice in the file
    rejected: int
    problems: tuple[csv_rows.Problem, ...]  # the first 100


async def import_csv(
    db: Database,
    app: App,
    ref: str | None,
    file: BinaryIO,
    *,
    file_name: str,
    source: str,
    now: datetime,
    reason: str = "",
    limits: Quota = quota.DEFAULT,
) -> Imported:
    """Put the entries of a CSV file (or of a plain file, a number a line) on a list, in one transaction.

    Bad rows are left out and reported; if no row is good, nothing changes. Raises :class:`Invalid`, and as
    :func:`put` does for the list.
    """
    reader = await asyncio.to_thread(dnc_rows.Reader, file, now=now, reason=reason)
    entry = {"fileId": ids.new_hex24(), "fileName": file_name[:LONGEST_FILE_NAME]}
    rows = rejected = 0
    problems: list[csv_rows.Problem] = []
    try:
        async with db.transaction() as conn:
            writer = await _Writer.open(conn, app, ref, limits, source=source, now=now)
            while (page := await asyncio.to_thread(reader.page, PAGE)) is not None:
                rows += page.rows
                rejected += len(page.problems)
                problems += page.problems[: PROBLEMS_KEPT - len(problems)]
                await writer.write(page.entries)
            if rows == rejected:
                first = f" Row {problems[0].row}: {problems[0].problem}" if problems else ""
                raise Invalid(f"None of the {rows} rows holds a number.{first}", field="file")
            target = await lists.grow(
                conn, app.app_id, writer.target.list_id, added=0, columns=writer.target.columns, file=entry, now=now
            )
    finally:
        reader.detach()
    return Imported(
        target=target,
        file_id=entry["fileId"],
        file_name=entry["fileName"],
        rows=rows,
        added=writer.added,
        known=rows - rejected - writer.added,
        rejected=rejected,
        problems=tuple(problems),
    )


# ---------------------------------------------------------------- writing


async def _target(conn: Conn, app: App, ref: str | None) -> ContactList:
    if ref is not None:
        return await lists.get(conn, app.app_id, ref, kind="dnc", only=True)
    for known in await lists.list_all(conn, app.app_id, kind="dnc"):
        if known.is_default:
            return known
    raise NotFound(f"App {app.name} has no default do-not-contact list; name one")


async def _hold(conn: Conn, app: App, ref: str | None) -> ContactList:
    """The list, whose entries only this transaction puts and removes from now on."""
    found = await _target(conn, app, ref)
    await contacts.hold_writer(conn, found.list_id, name=found.name)
    return await lists.get(conn, app.app_id, found.public_id)


class _Writer:
    """Puts entries on a list that this transaction holds."""

    def __init__(
        self, conn: Conn, target: ContactList, have: int, limits: Quota, *, source: str, now: datetime
    ) -> None:
        self._conn = conn
        self._have = have  # entries that the account had on all its lists
        self._limits = limits
        self._source = source
        self._now = now
        self.target = target
        self.added = 0

    @classmethod
    async def open(cls, conn: Conn, app: App, ref: str | None, limits: Quota, *, source: str, now: datetime) -> _Writer:
        target = await _hold(conn, app, ref)
        _, have = await lists.count(conn, app.account_id, "dnc")
        return cls(conn, target, have, limits, source=source, now=now)

    async def write(self, entries: Sequence[law.Entry]) -> None:
        """Put each on the list once. Counted when it is done: those that are there already are no more than before."""
        fresh = law.once_each(entries)
        self.added += await dnc.put_entries(
            self._conn, self.target.app_id, self.target.list_id, fresh, source=self._source, now=self._now
        )
        quota.check(self._have, self.added, self._limits.dnc_entries, "DNC entries in this account")
