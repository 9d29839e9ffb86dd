"""The page on how long an app keeps what is about people: what would be removed is told before it is."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from heliograph.actions import app_settings as changing
from heliograph.actions import retention as keeping
from heliograph.errors import Invalid
from heliograph.rules import retention
from heliograph.store import app_settings
from heliograph.web import door
from heliograph.web.kit import Sure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.rules.retention import Terms
    from heliograph.store.apps import App
    from heliograph.store.retention import Counts
    from heliograph.web.kit import Kit

SECTION = "settings"


def routes(kit: Kit) -> list[Route]:
    """The addresses of retention."""
    page = Retention(kit)
    at = "/console/{app}/settings/retention"
    return [
        kit.route(at, page.front, right=SECTION),
        kit.route(at, page.change, right=SECTION, methods=["POST"]),
    ]


class Retention:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def front(self, request: Request) -> Response:
        """The terms."""
        return await self._front(request, await self.kit.app(request), {}, {})

    async def change(self, request: Request) -> Response:
        """Set the terms; where something would be removed at once, ask first."""
        form, app = await door.check_form(request), await self.kit.app(request)
        typed = {name: form.text(name) for name in retention.LEAST}
        try:
            days = {name: _days(text, name) for name, text in typed.items()}
            wanted = retention.read(retention.setting(days, None))
        except Invalid as error:
            field = (error.field or "").removeprefix(f"{retention.FIELD}.")
            least = retention.LEAST.get(field, 1)
            told = f"{typed.get(field, '')[:20]} will not do: {least} to {retention.LONGEST:,} days, or empty for ever."
            return await self._front(request, app, typed, {field: told}, status=400)
        here = f"/console/{app.public_id}/settings/retention"
        async with self.kit.db.connection() as conn:
            count = await keeping.count(conn, app.app_id, wanted, self.kit.now)
        sentences = going(count, wanted)
        if sentences and form.text("sure") != "yes":
            last = "It is gone for good. Totals, opt-outs and the evidence for them stay."
            asked = Sure(
                "Remove what is older?", (*sentences, last), "Keep to it", here, here, hidden=typed | {"sure": "yes"}
            )
            return await self.kit.sure(request, asked, section=SECTION, app=app)
        await changing.update(self.kit.db, app, {retention.FIELD: days}, now=self.kit.now)
        told = "What is older is removed from now on." if sentences else "Nothing is old enough to be removed yet."
        return self.kit.done(request, here, "Everything is kept for ever." if wanted.for_ever else f"Saved. {told}")

    async def _front(
        self, request: Request, app: App, typed: Mapping[str, str], errors: Mapping[str, str], *, status: int = 200
    ) -> Response:
        async with self.kit.db.connection() as conn:
            kept = (await app_settings.get(conn, app.app_id)).retention
            terms = retention.read(kept)
            waiting = going(await keeping.count(conn, app.app_id, terms, self.kit.now), terms)
        before = {name: "" if days is None else str(days) for name, days in retention.told(kept).items()}
        values = {
            "typed": before | dict(typed),
            "errors": defaultdict(str, errors),
            "waiting": waiting,
            "least": retention.LEAST,
            "tab": "retention",
        }
        return await self.kit.page(request, "retention.html", values, section=SECTION, app=app, status=status)


def going(count: Counts, terms: Terms) -> list[str]:
    """What would be removed now, a sentence each; nothing where nothing would."""
    people = (
        f"Whom {count.people:,} texts went to, and what they said: they, or their runs, ended {_ago(terms.people)}."
    )
    texts = f"What {count.texts:,} texts said: they, or their runs, ended {_ago(terms.texts)}."
    talks = f"{count.replies:,} texts that people wrote {_ago(terms.conversations)}, and {count.conversations:,} closed"
    entries = f"{count.audit:,} entries of the audit, written {_ago(terms.audit)}."
    found = [
        (count.people, people),
        (count.texts, texts),
        (count.conversations + count.replies, f"{talks} conversations."),
        (count.audit, entries),
    ]
    return [sentence for number, sentence in found if number]


def _ago(days: int | None) -> str:
    return "more than a day ago" if days == 1 else f"more than {days} days ago"


def _days(text: str, name: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 6:  # noqa: PLR2004  # longer than any that is taken
        raise Invalid(f"{text[:40]!r} is no number of days", field=name)
    return int(text)
