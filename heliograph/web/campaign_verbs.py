"""Asking before something is done to a campaign, and doing it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from heliograph.actions import reruns, runs
from heliograph.errors import NotFound
from heliograph.store import overview, tallies
from heliograph.web import asking, door, panic
from heliograph.web.kit import is_partial
from heliograph.web.saying import Undo

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.web.kit import Kit

ACTS = {
    "start": runs.play,
    "resume": runs.resume,
    "pause": runs.pause,
    "stop": runs.stop,
    "delete": runs.delete,
    "retry": partial(reruns.retry, run_id=None, classes=reruns.RETRY_CLASSES),
    "emergency": reruns.emergency,
}
BEGINNING = (
    "start",
    "retry",
    "emergency",
)  # what is refused while the panic button holds everybody it would go through
UNDONE_BY = {"pause": "resume", "resume": "pause"}


def routes(kit: Kit) -> list[Route]:
    """The addresses of verbs."""
    page = Verbs(kit)
    verb = "/console/{app}/campaigns/{campaign}/{word}"
    return [
        kit.route(verb, page.ask, right="campaigns"),
        kit.route(verb, page.act, right="campaigns", methods=["POST"]),
    ]


class Verbs:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def ask(self, request: Request) -> Response:
        """What a verb would do to a campaign now, and the button that does it."""
        word, app = _word(request), await self.kit.app(request)
        async with self.kit.db.connection() as conn:
            standing = await overview.get(conn, app.app_id, request.path_params["campaign"], now=self.kit.now)
            held = await panic.told(conn, standing, app.app_id) if word in BEGINNING else None
        asked = asking.sure(word, standing)
        if held is not None and not asked.refused:
            told = f"{held.what}. {held.means}"
            refused = told.removesuffix(".") if held.every else ""
            asked = replace(asked, sentences=() if refused else (told, *asked.sentences), refused=refused)
        return await self.kit.sure(request, asked, section="campaigns", app=app)

    async def act(self, request: Request) -> Response:
        """Do it, and say what was done."""
        word = _word(request)
        await door.check_form(request)
        app = await self.kit.app(request)
        async with self.kit.db.connection() as conn:
            before = await overview.get(conn, app.app_id, request.path_params["campaign"], now=self.kit.now)
        campaign = await ACTS[word](self.kit.db, app, before.public_id, now=self.kit.now)
        async with self.kit.db.connection() as conn:
            ledger = await tallies.read(conn, app.app_id, campaign.run_id or 0, self.kit.now)
        text = asking.done(word, before, ledger)
        every = f"/console/{app.public_id}/campaigns"
        own = f"{every}/{before.public_id}"
        undo = Undo(f"{own}/{UNDONE_BY[word]}") if word in UNDONE_BY else None
        if is_partial(request):
            looked_at = urlsplit(request.headers.get("hx-current-url", "")).path
            gone = word == "delete" and looked_at.startswith(own)
            moved = looked_at.startswith(f"{own}/")  # a page beside the campaign's own, which does not change by itself
            if not gone and not moved:
                return self.kit.said(text, undo=undo, request=request)
        return self.kit.done(request, every if word == "delete" else own, text, undo=undo)


def _word(request: Request) -> str:
    word = request.path_params["word"]
    if word not in asking.VERBS:
        raise NotFound(f"There is nothing called {word[:80]} to do to a campaign")
    return word
