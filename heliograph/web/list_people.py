"""The people on one list: looking for them, adding, changing and removing one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.actions import contact_edits
from heliograph.actions import contacts as adding
from heliograph.errors import HeliographError, Invalid
from heliograph.rules import columns, contact, ids, phone, template
from heliograph.store import contact_search, contacts
from heliograph.store.contact_search import Sought
from heliograph.web import door
from heliograph.web.kit import Sure, link
from heliograph.web.list_frame import ListFrame, path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.store.apps import App
    from heliograph.store.contacts import Contact
    from heliograph.store.lists import ContactList
    from heliograph.web.kit import Kit

ON_A_PAGE = 50
SHOWN_COLUMNS = 8
READ_THROUGH = 50_000  # people who are looked through for words at a time; a number is found in any list
LONGEST_SEARCH = 100
MOST_BYTES = 1 << 20
FIRST = ("phoneNumber", "firstName", "lastName")  # asked for on a list that has no columns yet


def routes(kit: Kit) -> list[Route]:
    """The addresses of a list's people."""
    page = Pages(kit)
    one = "/console/{app}/lists/{list}"
    whom = f"{one}/people/{{contact}}"
    return [
        kit.route(one, page.all, right="lists"),
        kit.route(f"{one}/people/new", page.new, right="lists"),
        kit.route(f"{one}/people", page.add, right="lists", methods=["POST"]),
        kit.route(whom, page.edit, right="lists"),
        kit.route(whom, page.update, right="lists", methods=["POST"]),
        kit.route(f"{whom}/delete", page.ask, right="lists"),
        kit.route(f"{whom}/delete", page.remove, right="lists", methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class Row:
    """Somebody as the table shows them. ``cells`` go with the columns shown."""

    contact_id: str
    number: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class View:
    """Who is looked at: those with ``search`` in ``column`` (any, when empty), behind or before a place."""

    search: str
    column: str
    after: int
    before: int


class Pages:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.frame = ListFrame(kit)

    async def all(self, request: Request) -> Response:
        """A page of the people, or of those who were looked for."""
        app, found = await self.frame.of(request)
        view = _view(request)
        rows = await self._rows(found, view)
        shown = _shown(found.columns)
        more = rows[ON_A_PAGE:] if not view.before else []
        rows = rows[:ON_A_PAGE] if not view.before else rows[-ON_A_PAGE:]
        here = path(app, found)
        first = not (view.after or view.before)
        looked = 0 if more else _looked(found, view)  # so far; 0: all of them, or as far as was shown
        further = looked or (rows[-1].seq if rows and (more or view.before) else 0)
        values: dict[str, object] = {
            "rows": [_row(found, one, shown) for one in rows],
            "columns": shown,
            "hidden": max(0, len(found.columns) - 1 - len(shown)),
            "view": view,
            "choices": [("", "Any column"), *((name, name) for name in found.columns)],
            "looked": looked,
            "earlier": link(here, search=view.search, column=view.column, before=rows[0].seq)
            if rows and not first and not view.search
            else (link(here, search=view.search, column=view.column) if view.after and view.search else None),
            "next": link(here, search=view.search, column=view.column, after=further) if further else None,
            "told": f"from {rows[0].seq:,} on, in order of arrival" if rows else "",
        }
        return await self.frame.page(request, "list.html", values, app, found, tab="")

    async def _rows(self, found: ContactList, view: View) -> list[Contact]:
        """Those of a page and one more."""
        app_id, list_id, most = found.app_id, found.list_id, ON_A_PAGE + 1
        async with self.kit.db.connection() as conn:
            if not view.search:
                if view.before:
                    return await contacts.read_before(conn, app_id, list_id, view.before, limit=ON_A_PAGE)
                return await contacts.read_after(conn, app_id, list_id, view.after, limit=most)
            number = _sought(view)
            if number is not None:
                sought = Sought(number, None, {})
                _, seqs = await contact_search.find(conn, app_id, list_id, sought, skip=0, limit=most)
                return await contact_search.read(conn, app_id, list_id, seqs)
            column, upto = view.column or None, view.after + READ_THROUGH
            return await contact_search.having(
                conn, app_id, list_id, view.search, column=column, after=view.after, upto=upto, limit=most
            )

    async def new(self, request: Request) -> Response:
        """The form for one more."""
        app, found = await self.frame.of(request)
        names = found.columns or list(FIRST)
        return await self._form(request, app, found, None, [(name, "") for name in names])

    async def add(self, request: Request) -> Response:
        """Put one more on the list."""
        app, found, pairs = await self._sent(request)
        body = {"contactListId": found.public_id, "data": [_fields(pairs)]}
        try:
            added = await adding.add(self.kit.db, app, body, now=self.kit.now, limits=self.kit.settings.quota)
        except HeliographError as error:
            return await self._form(request, app, found, None, pairs, error)
        number = phone.normalise(columns.number(_fields(pairs)))
        if not added:
            error = Invalid(f"{number} is on this list already, and it keeps no number twice", field="phoneNumber")
            return await self._form(request, app, found, None, pairs, error)
        return self.kit.done(request, link(path(app, found), search=number), f"Added {number} to {found.name}.")

    async def edit(self, request: Request) -> Response:
        """The form of somebody who is there."""
        app, found = await self.frame.of(request)
        async with self.kit.db.connection() as conn:
            whom = await contacts.get(conn, found, request.path_params["contact"])
        known = {name: template.plain(value) for name, value in whom.fields.items()}
        others = [(name, "") for name in found.columns if name not in known]
        return await self._form(request, app, found, whom, [*known.items(), *others])

    async def update(self, request: Request) -> Response:
        """Keep what was changed of them."""
        app, found, pairs = await self._sent(request)
        ref = request.path_params["contact"]
        async with self.kit.db.connection() as conn:
            whom = await contacts.get(conn, found, ref)
        kept = {name: value for name, value in pairs if name and (value or name in whom.fields)}
        try:
            _, changed = await contact_edits.update(self.kit.db, app, found.public_id, ref, kept, now=self.kit.now)
        except HeliographError as error:
            return await self._form(request, app, found, whom, pairs, error)
        told = f"Changed {changed.number} on {found.name}. A run under way keeps what it has planned."
        return self.kit.done(request, path(app, found), told)

    async def ask(self, request: Request) -> Response:
        """What removing somebody does."""
        app, found = await self.frame.of(request)
        async with self.kit.db.connection() as conn:
            whom = await contacts.get(conn, found, request.path_params["contact"])
        say_no = "They may still be on other lists. If they asked for no more texts, record that under Opt-outs."
        asked = Sure(
            f"Take {whom.number} off {found.name}?",
            ("What is known of them on this list goes for good.", say_no),
            "Take off the list",
            f"{path(app, found)}/people/{_id(found, whom)}/delete",
            path(app, found),
            keep="Keep",
        )
        return await self.kit.sure(request, asked, section="lists", app=app)

    async def remove(self, request: Request) -> Response:
        """Take somebody off."""
        await door.check_form(request)
        app, found = await self.frame.of(request)
        ref = request.path_params["contact"]
        _, gone = await contact_edits.remove(self.kit.db, app, found.public_id, ref, now=self.kit.now)
        return self.kit.done(request, path(app, found), f"Took {gone.number} off {found.name}.")

    async def _sent(self, request: Request) -> tuple[App, ContactList, list[tuple[str, str]]]:
        form = await door.check_form(request, most=MOST_BYTES)
        app, found = await self.frame.of(request)
        pairs = zip(form.all("column"), form.all("value"), strict=False)
        return app, found, [(name.strip(), value.strip()) for name, value in pairs]

    async def _form(
        self,
        request: Request,
        app: App,
        found: ContactList,
        whom: Contact | None,
        pairs: Sequence[tuple[str, str]],
        wrong: HeliographError | None = None,
    ) -> Response:
        field = (wrong.field or "").rpartition(".")[2] if wrong else ""
        names = [name for name, _ in pairs]
        at = field if field in names else next(iter(columns.holding(names, "phoneNumber")), "")
        values: dict[str, object] = {
            "whom": whom,
            "contact_id": _id(found, whom) if whom else "",
            "pairs": [*((name, value) for name, value in pairs if name)],
            "most": contact.LONGEST_CELL,
            "required": columns.holding(names, "phoneNumber")[:1],
            "errors": {at: wrong.message} if wrong else {},
            "title": whom.number if whom else "Somebody new",
        }
        status = 200 if wrong is None else 400 if isinstance(wrong, Invalid) else 409
        return await self.frame.page(request, "list_person.html", values, app, found, tab="", status=status)


def _view(request: Request) -> View:
    asked = request.query_params

    def place(name: str) -> int:
        text = asked.get(name, "")
        return min(int(text[:10]), 2**31 - 1) if text.isascii() and text.isdigit() else 0

    search, column = asked.get("search", "").strip()[:LONGEST_SEARCH], asked.get("column", "")
    return View(search.replace("\0", ""), column.replace("\0", "")[:300], place("after"), place("before"))


def _looked(found: ContactList, view: View) -> int:
    """How far a list was looked through for words; 0 when to its end, or when it was not."""
    looked = view.after + READ_THROUGH
    return looked if view.search and _sought(view) is None and looked < found.last_seq else 0


def _sought(view: View) -> str | None:
    """The number that is looked for, if it is one."""
    return _number(view.search) if not view.column else None


def _number(text: str) -> str | None:
    try:
        return phone.normalise(text if text.startswith("+") else f"+{text}")
    except Invalid:
        return None


def _shown(names: Sequence[str]) -> list[str]:
    """The columns that have room: names first, then as they came; the number has a place of its own."""
    people = [name for system in ("firstName", "lastName") for name in columns.holding(names, system)[:1]]
    numbers = set(columns.holding(names, "phoneNumber")[:1])
    rest = [name for name in names if name not in people and name not in numbers]
    return [*people, *rest][:SHOWN_COLUMNS]


def _row(found: ContactList, one: Contact, shown: Sequence[str]) -> Row:
    cells = tuple(template.plain(one.fields.get(name))[:80] for name in shown)
    return Row(_id(found, one), one.number, cells)


def _id(found: ContactList, one: Contact) -> str:
    return ids.contact_id(found.public_id, one.seq)


def _fields(pairs: Sequence[tuple[str, str]]) -> dict[str, object]:
    return {name: value for name, value in pairs if name and value}
