"""Who said no: finding them, the evidence, recording a no or a yes, deciding, files in and out, words and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse

from heliograph.actions import app_settings as changing
from heliograph.actions import consents as recording
from heliograph.actions import stories
from heliograph.errors import HeliographError, Invalid
from heliograph.rules import consent as law
from heliograph.rules import optout_settings, phone, spreadsheet
from heliograph.rules.wording import people
from heliograph.store import app_settings, consents, opt_outs
from heliograph.web import dnc_pages, door
from heliograph.web.downloads import csv_answer
from heliograph.web.kit import link
from heliograph.web.no_frame import NoFrame, by, path, says_country, written

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.actions.consents import Recorded
    from heliograph.store.apps import App
    from heliograph.store.database import Database
    from heliograph.store.opt_outs import OptOut
    from heliograph.web.kit import Kit

ON_A_PAGE = 50
MOST_EVIDENCE = 200
EXPORTED = 1000  # rows of evidence read and sent at once
MOST_BYTES = 1 << 18
LARGEST_FILE = 200 * 1024 * 1024
COLUMNS = ("phoneNumber", "what", "at", "text", "source", "how", "word", "address", "by", "recordedAt")
SOURCES = {
    "reply": "by a reply",
    "carrier": "told by the carrier",
    "person": "recorded by hand",
    "api": "by the API",
    "import": "from a file",
}
WHAT = {"opt_out": "Said no", "opt_in": "Said yes", "review": "Perhaps a no", "decided": "Decided"}


def routes(kit: Kit) -> list[Route]:
    """The addresses of everything about saying no."""
    page = Pages(kit)
    here = "/console/{app}/opt-outs"
    one = f"{here}/number/{{number}}"
    return [
        kit.route(here, page.all, right="lists"),
        kit.route(here, page.record, right="lists", methods=["POST"]),
        kit.route(f"{here}/reviews", page.reviews, right="lists"),
        kit.route(f"{here}/file", page.upload, right="lists", methods=["POST"]),
        kit.route(f"{here}/export.csv", page.export, right="lists"),
        kit.route(f"{here}/words", page.words, right="lists"),
        kit.route(f"{here}/words", page.change_words, right="lists", methods=["POST"]),
        kit.route(one, page.number, right="lists"),
        kit.route(f"{one}/remove", page.remove, right="lists", methods=["POST"]),
        kit.route(f"{one}/decide", page.decide, right="lists", methods=["POST"]),
        *dnc_pages.routes(kit),
    ]


class Pages:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.frame = NoFrame(kit)

    async def all(self, request: Request) -> Response:
        """Those who said no; a number that is asked about leads to its own page."""
        app = await self.kit.app(request)
        asked = request.query_params.get("number", "").strip()[:40]
        if not asked:
            return await self._list(request, app, {}, None)
        try:
            says_country(asked, field="number")
            number = phone.normalise(asked, field="number")
        except Invalid as error:
            return await self._list(request, app, {"number": asked}, Invalid(error.message, field="number"))
        return RedirectResponse(f"{path(app)}/number/{number}", status_code=303)

    async def reviews(self, request: Request) -> Response:
        """Those who perhaps said no, with what they wrote."""
        app = await self.kit.app(request)
        after = request.query_params.get("after", "")[:40].replace("\0", "")
        async with self.kit.db.connection() as conn:
            rows = await opt_outs.read_after(conn, app.app_id, after, limit=ON_A_PAGE + 1, reviews=True)
            said = {
                row.number: await consents.list_of(conn, app.app_id, row.number, limit=MOST_EVIDENCE)
                for row in rows[:ON_A_PAGE]
            }
        last = {number: found[-1] for number, found in said.items() if found}
        more = link(f"{path(app)}/reviews", after=rows[ON_A_PAGE - 1].number) if len(rows) > ON_A_PAGE else None
        values: dict[str, object] = {"rows": rows[:ON_A_PAGE], "last": last, "next": more}
        return await self.frame.page(request, "opt_out_reviews.html", values, app, tab="reviews")

    async def number(self, request: Request) -> Response:
        """Whether a number may be texted, why, and all it ever said."""
        app = await self.kit.app(request)
        return await self._number(request, app, _number(request))

    async def record(self, request: Request) -> Response:
        """Record who said no, or yes, elsewhere."""
        form, app = await door.check_form(request, most=MOST_BYTES), await self.kit.app(request)
        values = {name: form.text(name) for name in ("numbers", "what", "text")}
        lines: list[str] = []
        try:
            lines = written(values["numbers"])
            events = [{"phoneNumber": each, "what": values["what"], "text": values["text"]} for each in lines]
            if not events:
                raise Invalid("No number was written", field="numbers")
            done = await recording.record(
                self.kit.db, app, {"events": events}, source="person", by=by(request), now=self.kit.now
            )
        except HeliographError as error:
            return await self._list(request, app, values, Invalid(_plain(error, lines), field="numbers"))
        return self.kit.done(request, path(app), _told(done))

    async def upload(self, request: Request) -> Response:
        """Record the rows of a file."""
        form, app = await door.check_form(request, most=LARGEST_FILE), await self.kit.app(request)
        sent = form.file("file")
        try:
            if sent is None or not sent.size:
                raise Invalid("No file was chosen, or it is empty", field="file")
            found = await recording.import_csv(self.kit.db, app, sent.file, by=by(request), now=self.kit.now)
        except HeliographError as error:
            return await self._list(request, app, {}, Invalid(error.message, field="file"))
        finally:
            await form.sent.close()
        wrong = f" {found.rejected:,} of {found.rows:,} rows were left out." if found.rejected else ""
        first = f" Row {found.problems[0].row}: {found.problems[0].problem}." if found.problems else ""
        return self.kit.done(request, path(app), _told(found.done) + wrong + first)

    async def export(self, request: Request) -> Response:
        """All evidence as a file that can be brought in again."""
        app = await self.kit.app(request)
        return await csv_answer(f"Opt-outs of {app.name}", _lines(self.kit.db, app.app_id))

    async def remove(self, request: Request) -> Response:
        """Let somebody be texted again, as they asked for it."""
        form, app = await door.check_form(request, most=MOST_BYTES), await self.kit.app(request)
        number, note = _number(request), form.text("note")
        try:
            if not note:
                raise Invalid("Say how they asked for it: that is kept as evidence", field="note")
            law.note({"note": note})
            await recording.remove(self.kit.db, app, number, note=note, by=by(request), now=self.kit.now)
        except HeliographError as error:
            return await self._number(request, app, number, error)
        return self.kit.done(request, f"{path(app)}/number/{number}", f"{number} may be texted again.")

    async def decide(self, request: Request) -> Response:
        """Settle what somebody meant."""
        form, app = await door.check_form(request, most=MOST_BYTES), await self.kit.app(request)
        number = _number(request)
        decision, note = law.decision({"decision": form.text("decision")}), law.note({"note": form.text("note")})
        await recording.decide(self.kit.db, app, number, decision, note=note, by=by(request), now=self.kit.now)
        told = "is not texted any more" if decision == "optOut" else "goes on being texted"
        return self.kit.done(request, f"{path(app)}/reviews", f"{number} {told}.")

    async def words(self, request: Request) -> Response:
        """By which words a no is known, and what is answered."""
        app = await self.kit.app(request)
        async with self.kit.db.connection() as conn:
            kept = (await app_settings.get(conn, app.app_id)).opt_out
        return await self._words(request, app, optout_settings.told(kept))

    async def change_words(self, request: Request) -> Response:
        """Keep them changed."""
        form, app = await door.check_form(request, most=MOST_BYTES), await self.kit.app(request)
        hourly = form.text("answersPerHour")
        wanted: dict[str, object] = {
            "scope": form.text("scope"),
            "confirm": form.text("confirm") == "yes",
            "texts": {kind: form.text(f"text-{kind}") for kind in optout_settings.KINDS},
            **{name: _line_by_line(form.text(name)) for name in ("stop", "start", "patterns")},
            "answersPerHour": int(hourly) if hourly.isascii() and hourly.isdigit() and len(hourly) < 5 else hourly,  # noqa: PLR2004
        }
        try:
            await changing.update(self.kit.db, app, {"optOut": wanted}, now=self.kit.now)
        except HeliographError as error:
            return await self._words(request, app, wanted, error)
        return self.kit.done(request, f"{path(app)}/words", "Kept. The next reply is read by it.")

    # ------------------------------------------------------------ the pages

    async def _list(
        self, request: Request, app: App, values: Mapping[str, str], wrong: HeliographError | None
    ) -> Response:
        after, address = (request.query_params.get(name, "")[:60].replace("\0", "") for name in ("after", "address"))
        async with self.kit.db.connection() as conn:
            rows = await opt_outs.read_after(conn, app.app_id, after, address, limit=ON_A_PAGE + 1)
        last = rows[ON_A_PAGE - 1] if len(rows) > ON_A_PAGE else None
        shown: dict[str, object] = {
            "rows": rows[:ON_A_PAGE],
            "sources": SOURCES,
            "first": not after,
            "next": link(path(app), after=last.number, address=last.address) if last else None,
            "values": {"numbers": "", "what": "optOut", "text": "", "number": ""} | dict(values),
            "errors": {name: wrong.message if wrong and wrong.field == name else "" for name in ("numbers", "file")},
            "asked_number": values.get("number", ""),
            "asked_wrong": wrong.message if wrong and wrong.field == "number" else "",
        }
        return await self.frame.page(request, "opt_outs.html", shown, app, tab="", status=400 if wrong else 200)

    async def _number(self, request: Request, app: App, number: str, wrong: HeliographError | None = None) -> Response:
        async with self.kit.db.connection() as conn:
            story = await stories.of_number(conn, app, number, self.kit.now)
            outs = await opt_outs.list_of(conn, app.app_id, story.number)
            said = await consents.list_of(conn, app.app_id, story.number, limit=MOST_EVIDENCE)
        shown: dict[str, object] = {
            "story": story,
            "because": _because(story.because, outs),
            "outs": outs,
            "evidence": said[::-1],
            "what_words": WHAT,
            "sources": SOURCES,
            "wrong": wrong.message if wrong else "",
        }
        return await self.frame.page(request, "opt_out_number.html", shown, app, tab="-", status=400 if wrong else 200)

    async def _words(
        self, request: Request, app: App, wanted: Mapping[str, object], wrong: HeliographError | None = None
    ) -> Response:
        shown: dict[str, object] = {
            "wanted": wanted,
            "shipped": optout_settings.TEXTS,
            "longest": optout_settings.LONGEST,
            "wrong": wrong.message if wrong else "",
            "at_fault": (wrong.field or "").removeprefix("optOut.").partition("[")[0] if wrong else "",
        }
        return await self.frame.page(
            request, "opt_out_words.html", shown, app, tab="words", status=400 if wrong else 200
        )


async def _lines(db: Database, app_id: int) -> AsyncIterator[str]:
    rows = [spreadsheet.MARK + spreadsheet.line(COLUMNS)]
    after = 0
    while True:
        async with db.connection() as conn:
            page = await consents.read_after(conn, app_id, after, limit=EXPORTED)
        for one in page:
            text, word = spreadsheet.guarded(one.text), spreadsheet.guarded(one.word)
            cells = (one.number, one.what, one.at.isoformat(), text, one.source, one.how, word, one.address, one.by)
            rows.append(spreadsheet.line((*cells, one.recorded_at.isoformat())))
        yield "".join(rows)
        if len(page) < EXPORTED:
            return
        rows, after = [], page[-1].consent_id


def _number(request: Request) -> str:
    told = request.path_params["number"]
    return phone.normalise(told if told.startswith("+") else f"+{told.strip()}", field="phoneNumber")


def _because(told: str, outs: list[OptOut]) -> str:
    """Why a number is not texted, in words for people."""
    for one in outs:
        whom = f" to what leaves from {one.address}" if one.address else ""
        if one.kind == "no" and not one.address:
            return f"They said no{whom}: {SOURCES.get(one.source, one.source)}"
        if one.kind == "review" and told.startswith("+"):
            return "What they wrote may have been a no, and nobody has decided yet; only transactional texts leave"
    return told[0].upper() + told[1:]


def _plain(error: HeliographError, lines: list[str]) -> str:
    """The error without the path into the list of numbers, with the line at fault."""
    place, _, rest = (error.field or "").partition("].")
    number = place.removeprefix("events[")
    if rest and number.isdigit() and int(number) < len(lines):
        text = error.message.removeprefix(f"{error.field} ").removeprefix(f"{error.field}: ")
        return f"{lines[int(number)][:40]}: {text}"
    return error.message


def _told(done: Recorded) -> str:
    older = f" Of {people(done.older)} something newer was known." if done.older else ""
    ins = f" {people(done.opted_in).capitalize()} may be texted again." if done.opted_in else ""
    return f"{people(done.opted_out).capitalize()} recorded as not to be texted.{ins}{older}"


def _line_by_line(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
