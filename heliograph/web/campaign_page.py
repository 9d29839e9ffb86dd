"""One campaign's page: where everybody stands, why, how it went, when it will be through, what it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.actions import campaigns as making
from heliograph.rules import draft, hours
from heliograph.store import campaigns, overview, progress, session_numbers, unknowns
from heliograph.store.unknowns import Wanted
from heliograph.web import asking, door, flow_drawing, hours_words, run_progress, schedule_form, why
from heliograph.web.campaign_list import Row
from heliograph.web.kit import EVERY

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.store.apps import App
    from heliograph.web.kit import Kit

SLOWLY = 10.0  # seconds between two looks at what is drawn and reckoned of many people
MANY = 10_000  # people; of fewer it is reckoned every second, so that no number lags behind those above it


@dataclass(frozen=True, slots=True)
class Address:
    """Where a campaign's pages are."""

    app: App
    public_id: str

    @property
    def own(self) -> str:
        """Its page."""
        return f"/console/{self.app.public_id}/campaigns/{self.public_id}"


def routes(kit: Kit) -> list[Route]:
    """The addresses of one campaign."""
    page = Page(kit)
    own = "/console/{app}/campaigns/{campaign}"
    return [
        kit.route(own, page.show, right="campaigns"),
        kit.route(f"{own}/live", page.live, right="campaigns"),
        kit.route(f"{own}/progress", page.progress, right="campaigns"),
        kit.route(f"{own}/copy", page.copy, right="campaigns", methods=["POST"]),
    ]


class Page:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def show(self, request: Request) -> Response:
        """The page."""
        app = await self.kit.app(request)
        wanted = request.path_params["campaign"]
        async with self.kit.db.connection() as conn:
            campaign = await campaigns.get(conn, app.app_id, wanted)
            stored = await schedule_form.stored(conn, campaign)
        values = {
            "campaign": campaign,
            "at": Address(app, campaign.public_id).own,
            "text": draft.message_text(campaign.message),
            "hours": hours_words.told(hours.parse(campaign.dialing["callingHours"])),
            "schedule": stored,
            **await self._standing(app, wanted),
            **await self._progress(app, wanted),
        }
        return await self.kit.page(request, "campaign_page.html", values, section="campaigns", app=app)

    async def live(self, request: Request) -> Response:
        """Where it stands: every second."""
        app = await self.kit.app(request)

        async def piece() -> str:
            return self.kit.text("campaign_live.html", await self._standing(app, request.path_params["campaign"]))

        return await self.kit.live(request, piece)

    async def progress(self, request: Request) -> Response:
        """How it went: what is drawn and reckoned, every ten seconds where many people are texted."""
        app = await self.kit.app(request)
        async with self.kit.db.connection() as conn:
            standing = await overview.get(conn, app.app_id, request.path_params["campaign"], now=self.kit.now)
        every = SLOWLY if standing.ledger.total + standing.unread > MANY else EVERY

        async def piece() -> str:
            return self.kit.text("campaign_progress.html", await self._progress(app, request.path_params["campaign"]))

        return await self.kit.live(request, piece, every=every)

    async def copy(self, request: Request) -> Response:
        """A copy of it, Ready and never started, opened to be edited."""
        await door.check_form(request)
        app = await self.kit.app(request)
        made = await making.clone(self.kit.db, app, request.path_params["campaign"], {}, now=self.kit.now)
        to = f"{Address(app, made.public_id).own}/edit"
        return self.kit.done(request, to, f"{made.name} is a copy, ready to be changed. It has not been started.")

    async def _standing(self, app: App, public_id: str) -> dict[str, object]:
        now = self.kit.now
        async with self.kit.db.connection() as conn:
            standing = await overview.get(conn, app.app_id, public_id, now=now)
            open_unknown = 0
            if standing.ledger.unknown:
                campaign = await campaigns.get(conn, app.app_id, public_id)
                open_unknown = await unknowns.count(conn, app.app_id, Wanted(campaign_id=campaign.campaign_id))
        row = Row(standing, why.explain(standing, now), asking.allowed(standing.status))
        own = Address(app, public_id).own
        return {"row": row, "c": standing, "n": standing.ledger, "unknown": open_unknown, "now": now, "at": own}

    async def _progress(self, app: App, public_id: str) -> dict[str, object]:
        now = self.kit.now
        async with self.kit.db.connection() as conn:
            standing = await overview.get(conn, app.app_id, public_id, now=now)
            found = await run_progress.read(conn, app.app_id, standing, now)
            run = standing.run_id
            talking = await session_numbers.look(conn, app.app_id, run_id=run) if run else session_numbers.NOBODY
            campaign = await campaigns.get(conn, app.app_id, public_id)
            runs = await progress.list_runs(conn, app.app_id, campaign.campaign_id)
        own = Address(app, public_id).own
        groups = talking.groups
        results, here, _ = flow_drawing.numbers(groups)
        talks = {
            "started": sum(group.sessions for group in groups),
            "answered": sum(group.answered for group in groups),
            "under_way": here.total(),
            "results": results.most_common(6),
            "median": talking.median_seconds,
            "every": talking.every,
        }
        return {"runs": runs, "p": found, "talks": talks, "c": standing, "n": standing.ledger, "now": now, "at": own}
