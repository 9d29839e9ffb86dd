"""What the pages about saying no have in common: their tabs, and who is written down as having recorded something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.errors import Invalid
from heliograph.rules import phone
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


def written(text: str, accepted: str = phone.ACCEPTED) -> list[str]:
    """The numbers of a field, one a line or with commas between. Raises Invalid for one without its country code.

    Digits alone may be read as another country's, and whoever said no would be texted on.
    """
    lines = [each.strip() for each in text.replace(",", "\n").splitlines() if each.strip()]
    for each in lines:
        says_country(each, accepted, field="numbers")
    return lines


def says_country(number: str, accepted: str = phone.ACCEPTED, *, field: str) -> None:
    """Raise Invalid for digits that say no country: a guess would answer for somebody else's number."""
    if any(sign.isdigit() for sign in number) and not number.lstrip("(").startswith(("+", "\uff0b", "00")):
        raise Invalid(f"{number[:40]!r} does not say its country. It takes {accepted}", field=field)


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
