"""Taking people into a list, a page at a time: who is new, who is there already, and what becomes of those."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from heliograph.rules import quota, template
from heliograph.rules.verdict import Fate
from heliograph.store import contact_matches, contacts, lists
from heliograph.store.contacts import NewContact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from heliograph.rules.import_wish import OnDuplicate
    from heliograph.rules.quota import Quota
    from heliograph.store.apps import App
    from heliograph.store.database import Conn
    from heliograph.store.lists import ContactList


class _Person(NamedTuple):
    """Whoever has a number that a row has too: on the list (``seq``), or in this very page (``seq`` None)."""

    seq: int | None
    time_zone: str | None
    priority: int | None
    fields: dict[str, Any]


class Intake:
    """Takes people into a list that this transaction holds. Build it with :meth:`open`.

    ``dry``: looks and tells, and writes nothing; then nobody needs to hold the list. ``zone_column``: the column, as
    it is kept, of the contact's own time zone.
    """

    def __init__(
        self,
        conn: Conn,
        target: ContactList,
        account: int,
        *,
        limits: Quota,
        now: datetime,
        on_duplicate: OnDuplicate | None = None,
        dry: bool = False,
    ) -> None:
        self.target = target
        self.zone_column: str | None = None
        self.added = 0
        self._conn = conn
        self._account = account  # contacts that the account has in all its lists
        self._limits = limits
        self._now = now
        self._dry = dry
        self._on_duplicate = on_duplicate or ("add" if target.allow_duplicates else "skip")

    @classmethod
    async def open(
        cls,
        conn: Conn,
        app: App,
        target: ContactList,
        *,
        limits: Quota,
        now: datetime,
        on_duplicate: OnDuplicate | None = None,
        dry: bool = False,
    ) -> Intake:
        """Begin, inside the transaction that holds the list."""
        _, account = await lists.count(conn, app.account_id, "call")
        made = cls(conn, target, account, limits=limits, now=now, on_duplicate=on_duplicate, dry=dry)
        if dry:
            await contact_matches.make_seen(conn)
        elif made._on_duplicate == "update":
            await contact_matches.probe(conn)
        return made

    async def take(self, people: Sequence[NewContact]) -> list[Fate]:
        """Take people in, in order; what became of each. Raises Conflict where there would be more than may be."""
        if not people:
            return []
        if self._on_duplicate == "add":
            await self._add(people)
            return [Fate.ADDED] * len(people)
        known, earlier = await self._known(people)
        fates = self._fates(people, known, earlier)
        if self._on_duplicate == "update" and not self._dry and (known or Fate.AGAIN in fates):
            await self._update(people, fates, known)
        else:
            await self._add([one for one, fate in zip(people, fates, strict=True) if fate is Fate.ADDED])
        return fates

    async def finish(self, columns: Iterable[str], *, file: Mapping[str, str] | None = None) -> ContactList:
        """Count what was added in. ``columns`` join those of the list that are new."""
        return await lists.grow(
            self._conn,
            self.target.app_id,
            self.target.list_id,
            added=self.added,
            columns=list(dict.fromkeys([*self.target.columns, *columns])),
            file=file,
            now=self._now,
        )

    # ---------------------------------------------------------------- who is there

    async def _known(self, people: Sequence[NewContact]) -> tuple[set[str], set[str]]:
        """The numbers that are on the list or stood in the file before; and of these, those that only the file had."""
        app_id, list_id = self.target.app_id, self.target.list_id
        numbers = list(dict.fromkeys(one.number for one in people))
        known = await contacts.find_numbers(self._conn, app_id, list_id, numbers)
        if self._dry:
            earlier = set(numbers) - await contact_matches.see(self._conn, numbers) - known
        elif known and self.added:
            after = self.target.last_seq
            earlier = await contact_matches.find_since(self._conn, app_id, list_id, list(known), after=after)
        else:
            earlier = set[str]()
        return known | earlier, earlier

    def _fates(self, people: Sequence[NewContact], known: set[str], earlier: set[str]) -> list[Fate]:
        there, again = (Fate.UPDATED, Fate.AGAIN) if self._on_duplicate == "update" else (Fate.ON_LIST, Fate.IN_FILE)
        here: set[str] = set()
        fates: list[Fate] = []
        for one in people:
            number = one.number
            if number in here or number in earlier:
                fates.append(again)
            elif number in known:
                fates.append(there)
            else:
                fates.append(Fate.ADDED)
                here.add(number)
        return fates

    # ---------------------------------------------------------------- writing

    async def _add(self, people: Sequence[NewContact]) -> None:
        if not people:
            return
        target, more = self.target, len(people)
        have = target.contact_count + self.added
        quota.check(have, more, self._limits.list_contacts, f"contacts in list {target.name}")
        quota.check(self._account + self.added, more, self._limits.contacts, "contacts in this account")
        if not self._dry:
            first = target.last_seq + self.added + 1
            await contacts.add(self._conn, target.app_id, target.list_id, people, first_seq=first, now=self._now)
        self.added += more

    async def _update(self, people: Sequence[NewContact], fates: Sequence[Fate], known: set[str]) -> None:
        """Add who is new, as the page's last row has them; change who is there, row after row."""
        of_list = (self.target.app_id, self.target.list_id)
        now_are: dict[str, list[_Person]] = {}
        for found in await contact_matches.find_people(self._conn, *of_list, list(known)):
            person = _Person(found.seq, found.time_zone, found.priority, found.fields)
            now_are.setdefault(found.number, []).append(person)
        fresh: dict[str, NewContact] = {}
        changed: set[str] = set()
        for one, fate in zip(people, fates, strict=True):
            if fate is Fate.ADDED:
                fresh[one.number] = one
                continue
            if one.number in fresh and one.number not in now_are:
                first = fresh[one.number]
                now_are[one.number] = [_Person(None, first.time_zone, first.priority, json.loads(first.fields))]
            now_are[one.number] = [self._merged(before, one) for before in now_are[one.number]]
            changed.add(one.number)
        for number in changed & fresh.keys():
            fresh[number] = _to_keep(number, now_are.pop(number)[0])
            changed.remove(number)
        await self._add(list(fresh.values()))
        rows = [(number, person) for number in changed for person in now_are[number]]
        seqs = [person.seq for _, person in rows if person.seq is not None]
        kept = [_to_keep(number, person) for number, person in rows]
        if rows:
            await contact_matches.change(self._conn, *of_list, seqs, kept, now=self._now)

    def _merged(self, before: _Person, row: NewContact) -> _Person:
        """A person with the filled cells of a row in place of their own; whatever the row leaves empty stays."""
        sent: dict[str, str] = json.loads(row.fields)
        fields = dict(before.fields)
        for held, cell in zip(_held(tuple(fields), tuple(sent)), sent.values(), strict=True):
            if cell.strip() or held not in fields:
                fields[held] = cell
        names_zone = self.zone_column is not None and bool(sent.get(self.zone_column, "").strip())
        zone = row.time_zone if names_zone else before.time_zone
        return _Person(before.seq, zone, before.priority if row.priority is None else row.priority, fields)


@lru_cache(maxsize=256)
def _held(has: tuple[str, ...], sent: tuple[str, ...]) -> tuple[str, ...]:
    """What somebody with the columns ``has`` calls each of the columns that were sent."""
    by_key = {template.key(name): name for name in reversed(has)}
    return tuple(name if name in has else by_key.get(template.key(name), name) for name in sent)


def _to_keep(number: str, person: _Person) -> NewContact:
    return NewContact(number, person.time_zone, person.priority, json.dumps(person.fields, ensure_ascii=False))
