"""What the pages about saying no have in common: their tabs, and who is written down as having recorded something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.store import lists, opt_outs
from heliograph.web import door

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from heliograph.store.apps import App
    from heliograph.web.kit import Kit

COUNTED = 100_000  # no further than this are those who said no counted: it would take longer than a page may


def path(app: App) -> str:
    """The address of the section."""
    return f"/console/{app.public_id}/opt-outs"


def by(request: Request) -> str:
    """Who records something, for the evidence."""
    found = door.user(request)
    return found.email if found is not None else ""


class NoFrame:
    """Puts the pages about saying no in their frame."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def page(  # whose page, what is on it, and which tab it is
        self,
        request: Request,
        template: str,
        values: Mapping[str, object],
        app: App,
        *,
        tab: str,
        status: int = 200,
    ) -> Response:
        """A page of this section, with ``tab`` as the current one."""
        async with self.kit.db.connection() as conn:
            said, reviews = await opt_outs.count_some(conn, app.app_id, most=COUNTED)
            kept = len(await lists.list_all(conn, app.app_id, kind="dnc"))
        here = path(app)
        known = [
            ("", "Who said no", said if said < COUNTED else None),
            ("reviews", "To decide", reviews),
            ("lists", "Do-not-contact lists", kept),
            ("words", "Words and answers", None),
        ]
        frame: dict[str, object] = {
            "here": here,
            "tabs": [(f"{here}/{key}" if key else here, word, count, key == tab) for key, word, count in known],
        }
        return await self.kit.page(request, template, {**frame, **values}, section="opt-outs", app=app, status=status)
