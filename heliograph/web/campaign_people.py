"""The people of a run: by status, by number, one after another; one person's whole story; and all of it as a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import StreamingResponse

from heliograph.actions import stories
from heliograph.errors import Invalid, NotFound
from heliograph.rules import ids, spreadsheet, template
from heliograph.rules.message import MessageStatus
from heliograph.store import campaigns, run_people, tallies
from heliograph.store import runs as all_runs
from heliograph.store.run_people import Found, Person
from heliograph.web import reasons
from heliograph.web.kit import link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.store.apps import App
    from heliograph.store.campaigns import Campaign
    from heliograph.store.database import Conn
    from heliograph.store.runs import Run
    from heliograph.web.kit import Kit

ON_A_PAGE = 50
IN_A_FILE = 1000  # people read at once for a file
MOST_LOOKS = 10  # pages looked through for one that has anybody on it
_FAR = 10**10
HEADS = (
    "messageId",
    "phoneNumber",
    "name",
    "status",
    "detail",
    "parts",
    "attempts",
    "submittedAt",
    "settledAt",
    "list",
)


@dataclass(frozen=True, slots=True)
class Which:
    """Whom of a run to show."""

    app: App
    campaign: Campaign
    run: Run
    status: MessageStatus | None
    number: str

    @property
    def at(self) -> str:
        """The campaign's page."""
        return f"/console/{self.app.public_id}/campaigns/{self.campaign.public_id}"

    def link(self, page: str = "people", **other: object) -> str:
        """The address of these people, with some of it changed."""
        values: dict[str, object] = {
            "run": self.run.public_id if self.run.run_id != self.campaign.run_id else None,
            "status": None if self.status is None else self.status.word,
            "number": self.number,
        }
        return link(f"{self.at}/{page}", **(values | other))


def routes(kit: Kit) -> list[Route]:
    """The addresses of people."""
    page = People(kit)
    own = "/console/{app}/campaigns/{campaign}"
    return [
        kit.route(f"{own}/people", page.show, right="campaigns"),
        kit.route(f"{own}/people.csv", page.file, right="campaigns"),
        kit.route(f"{own}/people/{{message}}", page.story, right="campaigns"),
    ]


class People:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def show(self, request: Request) -> Response:
        """A page of them."""
        app, now = await self.kit.app(request), self.kit.now
        after = _after(request)
        async with self.kit.db.connection() as conn:
            which = await self._which(conn, app, request)
            ledger = await tallies.read(conn, app.app_id, which.run.run_id, now)
            found = await self._find(conn, which, after, ON_A_PAGE)
            people = await run_people.of(conn, app.app_id, which.run.run_id, found.seqs)
        values = {
            "which": which,
            "title": f"People of {which.campaign.name}",
            "ledger": ledger,
            "words": [status.word for status in MessageStatus],
            "rows": [_row(one, which, now) for one in people],
            "first": after == 0,
            "next": None if found.after is None else which.link(after=found.after),
        }
        return await self.kit.page(request, "campaign_people.html", values, section="campaigns", app=app)

    async def story(self, request: Request) -> Response:
        """All that is known of one person's message."""
        app, now = await self.kit.app(request), self.kit.now
        async with self.kit.db.connection() as conn:
            campaign = await campaigns.get(conn, app.app_id, request.path_params["campaign"])
            found = await stories.of_message(conn, app, request.path_params["message"], now)
            whose = found.message.number  # empty: it is kept no longer
            number = await stories.of_number(conn, app, whose, now) if whose else None
        values = {
            "campaign": campaign,
            "at": f"/console/{app.public_id}/campaigns/{campaign.public_id}",
            "found": found,
            "why": reasons.words(found.why) if found.why else "",
            "number": number,
            "others": [one for one in number.messages if one.message_id != found.message_id][:20] if number else [],
        }
        return await self.kit.page(request, "campaign_person.html", values, section="campaigns", app=app)

    async def file(self, request: Request) -> Response:
        """The same people as CSV, sent while it is read."""
        app = await self.kit.app(request)
        async with self.kit.db.connection() as conn:
            which = await self._which(conn, app, request)
        status = "" if which.status is None else f" {which.status.word}"
        name = f"{which.campaign.name}{status}.csv"
        safe = "".join(c if c.isascii() and (c.isalnum() or c in " -_.") else "_" for c in name)
        told = f"attachment; filename=\"{safe}\"; filename*=UTF-8''{quote(name, safe='')}"
        return StreamingResponse(self._lines(which), media_type="text/csv", headers={"Content-Disposition": told})

    async def _lines(self, which: Which) -> AsyncIterator[str]:
        yield spreadsheet.MARK + spreadsheet.line(HEADS)
        after: int | None = 0
        while after is not None:
            async with self.kit.db.connection() as conn:
                found = await self._find(conn, which, after, IN_A_FILE)
                people = await run_people.of(conn, which.app.app_id, which.run.run_id, found.seqs)
            yield "".join(_line(one, which, self.kit) for one in people)
            after = found.after

    async def _which(self, conn: Conn, app: App, request: Request) -> Which:
        campaign = await campaigns.get(conn, app.app_id, request.path_params["campaign"])
        wanted = request.query_params.get("run") or campaign.run_public_id
        run = None if wanted is None else await all_runs.find_public(conn, app.app_id, wanted)
        if run is None or run.campaign_id != campaign.campaign_id:
            raise NotFound(
                f"Campaign {campaign.name} has no run {wanted[:80]}"
                if wanted
                else f"{campaign.name} was never started, so there is nobody to show"
            )
        word = request.query_params.get("status", "")
        known = {status.word: status for status in MessageStatus}
        if word and word not in known:
            raise Invalid(f"status is {word[:80]!r}; it takes one of: {', '.join(known)}")
        digits = "".join(c for c in request.query_params.get("number", "") if c.isascii() and c.isdigit())[:20]
        return Which(app, campaign, run, known.get(word), f"+{digits}" if digits else "")

    async def _find(self, conn: Conn, which: Which, after: int, limit: int) -> Found:
        app_id, run_id = which.app.app_id, which.run.run_id
        if which.number:
            seqs = await run_people.list_of_number(conn, app_id, run_id, which.number, limit=limit)
            if which.status is None:
                return Found(seqs, None)
            there = await run_people.of(conn, app_id, run_id, seqs)
            now = self.kit.now
            return Found([one.seq for one in there if one.standing(now)[0] is which.status], None)
        if which.status is None:
            return await run_people.list_all(conn, app_id, run_id, after=after, limit=limit)
        return await self._of_status(conn, which, which.status, after, limit)

    async def _of_status(self, conn: Conn, which: Which, status: MessageStatus, after: int, limit: int) -> Found:
        """Of one status; those of a stopped run who never got an outcome come behind, their places below nought."""
        app_id, run_id, now = which.app.app_id, which.run.run_id, self.kit.now
        if status is MessageStatus.SUBMITTING:
            return Found(await run_people.list_submitting(conn, app_id, run_id, limit=limit), None)
        if status in (MessageStatus.HELD, MessageStatus.READY):
            if which.run.ended_at is not None:
                return Found([], None)
            held = status is MessageStatus.HELD
            return await run_people.list_waiting(conn, app_id, run_id, held=held, after=after, limit=limit, now=now)
        found = Found([], None)
        if after >= 0:
            cursor: int | None = after
            for _ in range(MOST_LOOKS):
                if cursor is None or found.seqs:
                    break
                found = await run_people.list_settled(conn, app_id, run_id, status, after=cursor, limit=limit)
                cursor = found.after
            if found.seqs or cursor is not None:
                more = status is MessageStatus.EXPIRED and which.run.ended_at is not None
                return Found(found.seqs, -1 if found.after is None and more else found.after)
        if status is not MessageStatus.EXPIRED or which.run.ended_at is None:
            return found
        place = 0 if after >= 0 else -after - 1
        waited = await run_people.list_waiting(conn, app_id, run_id, held=None, after=place, limit=limit, now=now)
        return Found(waited.seqs, None if waited.after is None else -waited.after - 1)


def _after(request: Request) -> int:
    sent = request.query_params.get("after", "") or "0"
    if not sent.removeprefix("-").isascii() or not sent.removeprefix("-").isdigit() or abs(int(sent[:12])) > _FAR:
        raise Invalid(f"after is {sent[:80]!r}; it takes the place that a page before this one ended with")
    return int(sent)


def _row(one: Person, which: Which, now: datetime) -> dict[str, object]:
    status, why = one.standing(now)
    return {
        "id": ids.message_id(which.run.public_id, one.seq),
        "number": one.number,
        "name": _name(one),
        "list": one.list_name or "",
        "status": status.word,
        "why": reasons.words(why) if why else "",
        "parts": one.parts,
        "submitted_at": one.submitted_at,
        "settled_at": one.settled_at,
        "due_at": one.due_at if one.outcome is None else None,
    }


def _name(one: Person) -> str:
    """First and last name, where columns are called so; else a name of another kind."""
    fields = template.canonical(one.fields or {})
    both = " ".join(filter(None, (template.plain(fields.get(key)).strip() for key in ("firstname", "lastname"))))
    return both or template.plain(fields.get("name") or fields.get("fullname")).strip()


def _line(one: Person, which: Which, kit: Kit) -> str:
    status, why = one.standing(kit.now)
    cells = (
        ids.message_id(which.run.public_id, one.seq),
        one.number,
        _name(one),
        status.word,
        why,
        str(one.parts),
        str(one.attempts),
        "" if one.submitted_at is None else one.submitted_at.isoformat(),
        "" if one.settled_at is None else one.settled_at.isoformat(),
        one.list_name or "",
    )
    return spreadsheet.line(spreadsheet.guarded(cell) for cell in cells)
