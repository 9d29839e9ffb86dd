"""Do-not-contact lists: all of them, a new one, the numbers and prefixes on one, files into it, what it counts for."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from heliograph.actions import dnc as editing
from heliograph.actions import lists as listing
from heliograph.errors import HeliographError, Invalid
from heliograph.rules import do_not_contact, phone
from heliograph.rules.wording import counted
from heliograph.store import app_settings, campaign_links, dnc, lists
from heliograph.web import door
from heliograph.web.kit import Sure, link
from heliograph.web.no_frame import NoFrame, path, written
from heliograph.web.saying import Undo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.store.apps import App
    from heliograph.store.database import Conn
    from heliograph.store.dnc import Entry
    from heliograph.store.lists import ContactList
    from heliograph.web.kit import Kit

ON_A_PAGE = 100
MOST_BYTES = 1 << 18
LARGEST_FILE = 200 * 1024 * 1024
ACCEPTED = f"{phone.ACCEPTED}, or the beginning of numbers with a star behind it, such as +1900*"
FIELDS = ("name", "description", "global", "numbers", "reason", "expiresAt", "file")


def routes(kit: Kit) -> list[Route]:
    """The addresses of do-not-contact lists."""
    page = Pages(kit)
    here = "/console/{app}/opt-outs/lists"
    one = f"{here}/{{list}}"
    return [
        kit.route(here, page.all, right="lists"),
        kit.route(here, page.create, right="lists", methods=["POST"]),
        kit.route(one, page.show, right="lists"),
        kit.route(one, page.change, right="lists", methods=["POST"]),
        kit.route(f"{one}/entries", page.add, right="lists", methods=["POST"]),
        kit.route(f"{one}/file", page.upload, right="lists", methods=["POST"]),
        kit.route(f"{one}/remove", page.remove, right="lists", methods=["POST"]),
        kit.route(f"{one}/delete", page.ask, right="lists"),
        kit.route(f"{one}/delete", page.delete, right="lists", methods=["POST"]),
    ]


class Pages:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.frame = NoFrame(kit)

    async def all(self, request: Request) -> Response:
        """The app's lists, and the form of a new one."""
        return await self._all(request, await self.kit.app(request), dict.fromkeys(FIELDS, ""))

    async def create(self, request: Request) -> Response:
        """Make one."""
        form, app = await door.check_form(request), await self.kit.app(request)
        values = {name: form.text(name) for name in FIELDS}
        try:
            made = await editing.create(
                self.kit.db,
                app,
                name=values["name"],
                description=values["description"],
                is_global=values["global"] == "yes",
                now=self.kit.now,
                limits=self.kit.settings.quota,
            )
        except HeliographError as error:
            return await self._all(request, app, values, error)
        return self.kit.done(request, _at(app, made), f"Made the do-not-contact list {made.name}.")

    async def show(self, request: Request) -> Response:
        """Who is on one."""
        app, found = await self._of(request)
        values = {"name": found.name, "description": found.description, "global": "yes" if found.is_global_dnc else ""}
        return await self._one(request, app, found, values)

    async def change(self, request: Request) -> Response:
        """What it is called, and whether it counts for every campaign."""
        form = await door.check_form(request)
        app, found = await self._of(request)
        values = {name: form.text(name) for name in FIELDS}
        body = {key: values[key] for key in ("name", "description")} | {"isGlobalDNC": values["global"] == "yes"}
        try:
            made = await editing.update(self.kit.db, app, found.public_id, body, now=self.kit.now)
        except HeliographError as error:
            return await self._one(request, app, found, values, error)
        counts = "Runs that begin from now on heed it" if made.is_global_dnc else "It counts for the campaigns linked"
        return self.kit.done(request, _at(app, made), f"Changed {made.name}. {counts}.")

    async def add(self, request: Request) -> Response:
        """Put numbers and prefixes on it."""
        form = await door.check_form(request, most=MOST_BYTES)
        app, found = await self._of(request)
        values = {name: form.text(name) for name in FIELDS}
        ends = values["expiresAt"]
        named: list[str] = []
        try:
            named = written(values["numbers"], ACCEPTED)
            if not named:
                raise Invalid("No number was written", field="numbers")
            body = {"entries": named, "reason": values["reason"], "expiresAt": f"{ends}T00:00:00Z" if ends else None}
            put = await editing.put(
                self.kit.db,
                app,
                found.public_id,
                body,
                source="person",
                now=self.kit.now,
                limits=self.kit.settings.quota,
            )
        except HeliographError as error:
            return await self._one(request, app, found, self._kept(found) | values, _of_line(error, named))
        known = f" {put.known:,} had been there already." if put.known else ""
        text = f"Put {counted(put.added, 'number')} on {found.name}: it counts for the next text.{known}"
        return self.kit.done(request, _at(app, found), text)

    async def upload(self, request: Request) -> Response:
        """Put the rows of a file on it."""
        form = await door.check_form(request, most=LARGEST_FILE)
        app, found = await self._of(request)
        sent = form.file("file")
        try:
            if sent is None or not sent.size:
                raise Invalid("No file was chosen, or it is empty", field="file")
            done = await editing.import_csv(
                self.kit.db,
                app,
                found.public_id,
                sent.file,
                file_name=sent.filename or "numbers.csv",
                source="import",
                now=self.kit.now,
                limits=self.kit.settings.quota,
            )
        except HeliographError as error:
            wrong = Invalid(error.message, field="file")
            return await self._one(request, app, found, self._kept(found), wrong)
        finally:
            await form.sent.close()
        text = f"{counted(done.rows, 'row')}: {done.added:,} put on {found.name}, {done.known:,} there already"
        if done.problems:
            text += f", {done.rejected:,} left out. Row {done.problems[0].row}: {done.problems[0].problem}"
        return self.kit.done(request, _at(app, found), f"{text}.")

    async def remove(self, request: Request) -> Response:
        """Take one off."""
        form = await door.check_form(request)
        app, found = await self._of(request)
        _, gone = await editing.remove(self.kit.db, app, found.public_id, form.text("entry"))
        at = _at(app, found)
        undo = Undo(f"{at}/entries", {"numbers": gone.number, "reason": gone.reason, "expiresAt": _last_day(gone)})
        return self.kit.done(request, at, f"Took {gone.number} off {found.name}.", undo=undo)

    async def ask(self, request: Request) -> Response:
        """What deleting a list means."""
        app, found = await self._of(request)
        async with self.kit.db.connection() as conn:
            linked = await campaign_links.using(conn, app.app_id, [found.list_id])
            used_by = dict([*linked.get(found.list_id, []), *await lists.under_way(conn, app.app_id, found.list_id)])
        refused = f"It is used by {', '.join(list(used_by.values())[:5])}" if used_by else ""
        if found.is_default:
            refused = "It is the list that every app has, and stays"
        free = f"The {counted(found.contact_count, 'number')} on it may be texted again, unless they said no."
        asked = Sure(
            f"Delete the list {found.name}?",
            () if refused else (free,),
            "Delete list",
            f"{_at(app, found)}/delete",
            _at(app, found),
            keep="Keep it",
            refused=refused,
        )
        return await self.kit.sure(request, asked, section="opt-outs", app=app)

    async def delete(self, request: Request) -> Response:
        """Delete a list."""
        await door.check_form(request)
        app, found = await self._of(request)
        gone = await listing.delete(self.kit.db, app, found.public_id, now=self.kit.now, kind="dnc")
        return self.kit.done(request, f"{path(app)}/lists", f"Deleted the do-not-contact list {gone.name}.")

    # ------------------------------------------------------------ the pages

    async def _of(self, request: Request) -> tuple[App, ContactList]:
        app = await self.kit.app(request)
        async with self.kit.db.connection() as conn:
            return app, await lists.get(conn, app.app_id, request.path_params["list"], kind="dnc", only=True)

    async def _all(
        self, request: Request, app: App, values: Mapping[str, str], wrong: HeliographError | None = None
    ) -> Response:
        async with self.kit.db.connection() as conn:
            known = await lists.list_all(conn, app.app_id, kind="dnc")
            users = await campaign_links.using(conn, app.app_id, [one.list_id for one in known])
            settings = await app_settings.get(conn, app.app_id)
        shown: dict[str, object] = {
            "rows": [(one, [name for _, name in users.get(one.list_id, [])]) for one in known],
            "values": values,
            "errors": _errors(wrong),
            "heeded": settings.global_dnc_applies_to_sms,
        }
        return await self.frame.page(request, "dnc_lists.html", shown, app, tab="lists", status=_status(wrong))

    async def _one(
        self,
        request: Request,
        app: App,
        found: ContactList,
        values: Mapping[str, str],
        wrong: HeliographError | None = None,
    ) -> Response:
        asked = request.query_params
        search, after = (asked.get(name, "").strip()[:40].replace("\0", "") for name in ("search", "after"))
        if search[:1].isdigit() and not search.startswith("00"):  # the page says then what was looked for
            search = f"+{search}"
        async with self.kit.db.connection() as conn:
            rows = await self._entries(conn, found, search, after)
            users = (await campaign_links.using(conn, app.app_id, [found.list_id])).get(found.list_id, [])
        more = link(_at(app, found), after=rows[ON_A_PAGE - 1].number) if len(rows) > ON_A_PAGE else None
        shown: dict[str, object] = {
            "list": found,
            "rows": rows[:ON_A_PAGE],
            "next": more,
            "first": not after,
            "search": search,
            "users": [name for _, name in users],
            "values": dict.fromkeys(FIELDS, "") | dict(values),
            "errors": _errors(wrong),
        }
        return await self.frame.page(request, "dnc_list.html", shown, app, tab="lists", status=_status(wrong))

    async def _entries(self, conn: Conn, found: ContactList, search: str, after: str) -> Sequence[Entry]:
        """A page of entries and one more; of a number, its own entry and the prefixes it falls under."""
        if not search:
            return await dnc.read_after(conn, found.app_id, found.list_id, after, limit=ON_A_PAGE + 1)
        try:
            ids = do_not_contact.covering(do_not_contact.read_id(search))
        except Invalid:
            return []
        return await dnc.read(conn, found.app_id, found.list_id, ids)

    def _kept(self, found: ContactList) -> dict[str, str]:
        return {
            "name": found.name,
            "description": found.description,
            "global": "yes" if found.is_global_dnc else "",
        }


def _last_day(entry: Entry) -> str:
    """The first midnight that an entry does not outlive, as its form takes it."""
    ends = entry.expires_at
    if ends is None:
        return ""
    return (ends.astimezone(UTC) + timedelta(days=1, microseconds=-1)).date().isoformat()


def _at(app: App, found: ContactList) -> str:
    return f"{path(app)}/lists/{found.public_id}"


def _of_line(error: HeliographError, lines: Sequence[str]) -> HeliographError:
    """The error beside the field of the form, with the line at fault in front of it."""
    field = error.field or ""
    number = field.removeprefix("entries[").partition("]")[0]
    if field.startswith("entries[") and number.isdigit() and int(number) < len(lines):
        return Invalid(f"{lines[int(number)][:40]}: {error.message.removeprefix(field).lstrip(': ')}", field="numbers")
    return error if field in FIELDS else Invalid(error.message, field="numbers")


def _errors(wrong: HeliographError | None) -> dict[str, str]:
    return {name: wrong.message if wrong and (wrong.field or "name") == name else "" for name in FIELDS}


def _status(wrong: HeliographError | None) -> int:
    return 200 if wrong is None else 400 if isinstance(wrong, Invalid) else 409
