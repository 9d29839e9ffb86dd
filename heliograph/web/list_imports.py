"""Files of people in the console: sending one, seeing what it holds before anybody comes onto the list, and after."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from heliograph.actions import csv_rows, file_intake
from heliograph.actions import imports as importing
from heliograph.errors import HeliographError, Invalid
from heliograph.rules import import_wish, phone, prices
from heliograph.rules.import_wish import Wish
from heliograph.rules.wording import counted, people
from heliograph.store import imports
from heliograph.web import door, import_sample
from heliograph.web.downloads import csv_answer
from heliograph.web.kit import number_of
from heliograph.web.list_frame import ListFrame, path

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.store.apps import App
    from heliograph.store.imports import Job
    from heliograph.store.lists import ContactList
    from heliograph.web.kit import Kit

LARGEST = 2 * 1024 * 1024 * 1024 + 65536  # bytes of a file, and of the form around it
ON_A_PAGE = 50
UNDER_WAY = frozenset({"receiving", "waiting", "running"})
USES = (  # what a column may be, besides one of the list's own
    ("phoneNumber", "Phone number"),
    ("firstName", "First name"),
    ("lastName", "Last name"),
    ("timeZone", "Time zone"),
    ("uniqueId", "Your own id"),
    ("contactPriority", "Priority"),
)
DUPLICATES = (
    ("", "As the list is set: usually left out"),
    ("skip", "Leave the row out"),
    ("update", "Update who is there with the filled cells"),
    ("add", "Add them once more"),
)


def routes(kit: Kit) -> list[Route]:
    """The addresses of a list's files."""
    page = Pages(kit)
    here = "/console/{app}/lists/{list}/imports"
    one = f"{here}/{{import}}"
    return [
        kit.route(here, page.all, right="lists"),
        kit.route(here, page.send, right="lists", methods=["POST"]),
        kit.route(f"{here}/new", page.new, right="lists"),
        kit.route(one, page.show, right="lists"),
        kit.route(f"{one}/live", page.live, right="lists"),
        kit.route(f"{one}/verdicts.csv", page.verdicts, right="lists"),
        kit.route(f"{one}/check", page.again, right="lists", methods=["POST"]),
        kit.route(f"{one}/run", page.run, right="lists", methods=["POST"]),
        kit.route(f"{one}/cancel", page.cancel, right="lists", methods=["POST"]),
    ]


class Pages:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.frame = ListFrame(kit)

    async def all(self, request: Request) -> Response:
        """The files that came for a list, the newest first."""
        app, found = await self.frame.of(request)
        number = number_of(request)
        async with self.kit.db.connection() as conn:
            total = await imports.count(conn, app.app_id, found.list_id)
            skip = (number - 1) * ON_A_PAGE
            jobs = await imports.page(conn, app.app_id, found.list_id, skip=skip, limit=ON_A_PAGE)
        at = f"{path(app, found)}/imports"
        values: dict[str, object] = {
            "jobs": [(job, *told(job)) for job in jobs],
            "earlier": f"{at}?page={number - 1}" if number > 1 else None,
            "next": f"{at}?page={number + 1}" if skip + len(jobs) < total else None,
            "told": counted(total, "file"),
        }
        return await self.frame.page(request, "imports.html", values, app, found, tab="imports")

    async def new(self, request: Request) -> Response:
        """The form that takes a file."""
        app, found = await self.frame.of(request)
        return await self._form(request, app, found, {"region": "", "onDuplicate": ""})

    async def send(self, request: Request) -> Response:
        """Keep the file, and have it looked through: nobody comes onto the list by that."""
        form = await door.check_form(request, most=LARGEST)
        app, found = await self.frame.of(request)
        values = {"region": form.text("region"), "onDuplicate": form.text("onDuplicate")}
        sent = form.file("file")
        try:
            if sent is None or not sent.size:
                raise Invalid("No file was chosen, or it is empty", field="file")
            wish = import_wish.read({**values, "dryRun": "true", "mapping": None})
            wish = await self._first(app, sent.file, wish)
            name = _base_name(sent.filename or "")
            job = await importing.begin(
                self.kit.db,
                app,
                found.public_id,
                _pieces(sent.file),
                file_name=name,
                wish=wish,
                clock=self.kit.clock,
            )
        except HeliographError as error:
            return await self._form(request, app, found, values, error)
        finally:
            await form.sent.close()
        text = f"{job.file_name} is being looked through. Nobody comes onto the list before you say so."
        return self.kit.done(request, _at(app, found, job), text)

    async def _first(self, app: App, file: BinaryIO, wish: Wish) -> Wish:
        """The wish, with some column as the telephone number where none can be told to be: it is asked for next.

        Numbers without a country code are from where most of the others are, unless somebody says where from: read as
        they stand, the ten digits of an American number can be an Egyptian's.
        """
        reader = await asyncio.to_thread(csv_rows.Reader, file, region=wish.region, settle=False)
        try:
            async with self.kit.db.connection() as conn:
                await file_intake.settle(conn, app, reader, None)
        except Invalid:
            return Wish(wish.dry_run, wish.on_duplicate, wish.region, {"phoneNumber": reader.columns[0]})
        finally:
            reader.detach()
            file.seek(0)
        return wish if wish.region else replace(wish, region=reader.usual_country())

    async def show(self, request: Request) -> Response:
        """How far a file is, what it holds, or what became of it."""
        app, found, job = await self._job(request)
        values = await self._values(app, found, job)
        return await self.frame.page(request, "import.html", values, app, found, tab="imports")

    async def live(self, request: Request) -> Response:
        """The piece of the page that changes while the file is read."""
        app, found, _ = await self._job(request)

        async def piece() -> str:
            async with self.kit.db.connection() as conn:
                job = await imports.get(conn, app.app_id, found.list_id, request.path_params["import"])
            return self.kit.text("import_live.html", await self._values(app, found, job, token=""))

        return await self.kit.live(request, piece)

    async def verdicts(self, request: Request) -> Response:
        """What became of each row, as a file."""
        _, _, job = await self._job(request)
        return await csv_answer(f"verdicts of {job.file_name}", importing.verdicts(self.kit.db, job))

    async def again(self, request: Request) -> Response:
        """Look the same file through once more, with other columns or another choice."""
        form = await door.check_form(request, most=1 << 18)
        app, found, job = await self._job(request)
        wanted = {use: name for name, use in zip(form.all("column"), form.all("use"), strict=False) if use}
        if len(wanted) < sum(bool(use) for use in form.all("use")):
            raise Invalid("Two columns are to be the same thing. Choose one of them", field="mapping")
        wish = import_wish.read(
            {"region": form.text("region"), "onDuplicate": form.text("onDuplicate"), "dryRun": "true"}
        )
        wish = Wish(True, wish.on_duplicate, wish.region, import_wish.checked(dict(wanted)))  # dry
        pieces = import_sample.pieces(self.kit.db, job)
        fresh = await importing.begin(
            self.kit.db, app, found.public_id, pieces, file_name=job.file_name, wish=wish, clock=self.kit.clock
        )
        await importing.cancel(self.kit.db, app, found.public_id, job.public_id, now=self.kit.now)
        return self.kit.done(request, _at(app, found, fresh), f"{job.file_name} is looked through once more.")

    async def run(self, request: Request) -> Response:
        """Bring the people of a file onto the list that was looked through."""
        await door.check_form(request)
        app, found, job = await self._job(request)
        await importing.do_for_real(self.kit.db, app, found.public_id, job.public_id, now=self.kit.now)
        return self.kit.done(request, _at(app, found, job), f"{job.file_name} is being brought in.")

    async def cancel(self, request: Request) -> Response:
        """Let it be: the list stays as it was."""
        await door.check_form(request)
        app, found, job = await self._job(request)
        gone = await importing.cancel(self.kit.db, app, found.public_id, job.public_id, now=self.kit.now)
        return self.kit.done(request, f"{path(app, found)}/imports", f"Nothing of {gone.file_name} came onto the list.")

    async def _job(self, request: Request) -> tuple[App, ContactList, Job]:
        app, found = await self.frame.of(request)
        async with self.kit.db.connection() as conn:
            return app, found, await imports.get(conn, app.app_id, found.list_id, request.path_params["import"])

    async def _values(self, app: App, found: ContactList, job: Job, **more: object) -> dict[str, object]:
        ended = job.state not in UNDER_WAY
        word, kind = told(job)
        return {
            "job": job,
            "word": word,
            "kind": kind,
            "ended": ended,
            "ready": job.dry_run and job.state == "done",
            "at": _at(app, found, job),
            "percent_done": 100 * job.bytes_read // job.size if job.size else 0,
            "sample": await import_sample.read(self.kit.db, job) if ended and job.state != "cancelled" else None,
            "uses": {column: system for system, column in (job.used or {}).items()},
            "use_choices": (("", "A column of its own"), *USES),
            "duplicate_choices": DUPLICATES,
            "list": found,
            "read_as": _read_as,
            "bringing": True,
            "would": people(job.added + job.updated),
            **more,
        }

    async def _form(
        self,
        request: Request,
        app: App,
        found: ContactList,
        values: Mapping[str, str],
        wrong: HeliographError | None = None,
    ) -> Response:
        known = ("file", "region", "onDuplicate")
        field = "" if wrong is None else wrong.field if wrong.field in known else "file"
        shown: dict[str, object] = {
            "values": values,
            "duplicate_choices": DUPLICATES,
            "errors": {name: wrong.message if wrong and name == field else "" for name in known},
            "bringing": True,
        }
        status = 200 if wrong is None else 400 if isinstance(wrong, Invalid) else 409
        return await self.frame.page(request, "import_new.html", shown, app, found, tab="imports", status=status)


def _read_as(cell: str, region: str | None) -> str:
    """The number that a cell without a plus is read as, and of which country; empty where it says so itself."""
    if cell.lstrip().startswith("+"):
        return ""
    try:
        number = phone.normalise(cell, region)
    except Invalid:
        return ""
    country = prices.country(number)
    return f"{number}, {country}" if country else number


def told(job: Job) -> tuple[str, str]:
    """What state an import is in, in words, and the kind of badge that goes with it."""
    if job.state == "done":
        return ("Looked through", "info") if job.dry_run else ("Brought in", "good")
    return {
        "receiving": ("Coming in", "wait"),
        "waiting": ("Waits for its turn", "wait"),
        "running": ("Being looked through" if job.dry_run else "Being brought in", "wait"),
        "failed": ("Failed", "bad"),
        "cancelled": ("Cancelled", ""),
    }[job.state]


def _at(app: App, found: ContactList, job: Job) -> str:
    return f"{path(app, found)}/imports/{job.public_id}"


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(file.read, importing.PIECE):
        yield piece


def _base_name(name: str) -> str:
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(each for each in last if each.isprintable()) or "people.csv"
