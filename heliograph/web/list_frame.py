"""What every page of one list has: its name, its tabs, and who uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.rules import pull
from heliograph.store import campaign_links, lists

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from heliograph.store.apps import App
    from heliograph.store.lists import ContactList
    from heliograph.web.kit import Kit


def path(app: App, found: ContactList) -> str:
    """The address of a list."""
    return f"/console/{app.public_id}/lists/{found.public_id}"


class ListFrame:
    """Finds the list an address names, and puts its pages in their frame."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def of(self, request: Request) -> tuple[App, ContactList]:
        """The app and the list of ``{list}``. Raises NotFound."""
        app = await self.kit.app(request)
        async with self.kit.db.connection() as conn:
            return app, await lists.get(conn, app.app_id, request.path_params["list"], only=True)

    async def page(  # noqa: PLR0913  # whose page, what is on it, and which tab it is
        self,
        request: Request,
        template: str,
        values: Mapping[str, object],
        app: App,
        found: ContactList,
        *,
        tab: str,
        status: int = 200,
    ) -> Response:
        """A page of this list, with ``tab`` as the current one."""
        here = path(app, found)
        async with self.kit.db.connection() as conn:
            users = (await campaign_links.using(conn, app.app_id, [found.list_id])).get(found.list_id, [])
        known = [("", "People", found.contact_count), ("imports", "Files", None)]
        if found.source == pull.SOURCE:
            known.append(("pull", "Pull", None))
        known.append(("settings", "Settings", None))
        frame: dict[str, object] = {
            "list": found,
            "here": here,
            "users": users,
            "tabs": [(f"{here}/{key}" if key else here, word, count, key == tab) for key, word, count in known],
        }
        return await self.kit.page(request, template, {**frame, **values}, section="lists", app=app, status=status)
