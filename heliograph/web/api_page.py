"""The page that shows an app's developers how to call it: ready commands, with a token that holds for an hour."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from heliograph.actions import access
from heliograph.store import apps, lists, overview
from heliograph.web import door, teaching

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.store.apps import App
    from heliograph.web.kit import Kit

SECTION = "settings"
LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Call:
    """A command to copy: what it does, and the command."""

    id: str
    title: str
    text: str
    command: str


def routes(kit: Kit) -> list[Route]:
    """The addresses of the page."""
    page = Api(kit)
    return [
        kit.route("/console/{app}/api", page.front, right=SECTION),
        kit.route("/console/{app}/api", page.mint, right=SECTION, methods=["POST"]),
    ]


class Api:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def front(self, request: Request) -> Response:
        """The commands, with a place for the token."""
        return await self._page(request, await self.kit.app(request), None)

    async def mint(self, request: Request) -> Response:
        """The same, with a token of the client that was chosen; it is shown this once."""
        form, app = await door.check_form(request), await self.kit.app(request)
        token = await access.mint_token(
            self.kit.db,
            self.kit.sealing,
            app_public_id=app.public_id,
            client_id=form.text("client") or None,
            lifetime=LIFETIME,
            now=self.kit.now,
        )
        return await self._page(request, app, token)

    async def _page(self, request: Request, app: App, token: str | None) -> Response:
        async with self.kit.db.connection() as conn:
            clients = await apps.list_clients(conn, app.app_id)
            there = await overview.page(conn, app_id=app.app_id, status=None, offset=0, limit=1, now=self.kit.now)
            known = await lists.list_all(conn, app.app_id)
        base = f"{request.scope['scheme']}://{request.headers['host']}"
        campaign = there[0].public_id if there else "cd-…"
        values = {
            "clients": clients,
            "made": token,
            "base": base,
            "calls": calls(app, base, campaign, known[0].name if known else teaching.LIST),
        }
        return await self.kit.page(request, "api.html", values, section="api", app=app)


def calls(app: App, base: str, campaign: str, list_name: str) -> list[Call]:
    """Ready commands for an app. ``$TOKEN`` stands for its token."""
    at = f"{base}/campaign/api/v2/public/{app.public_id}"
    query = f"accountId={app.account_id}&campaignType=sms"
    head = 'curl -sS -H "auth: $TOKEN"'
    posting = head + ' -H "Content-Type: application/json"'
    body = json.dumps(teaching.CAMPAIGN | {"contactLists": [list_name]}, indent=1)
    one = f"{at}/campaign/{campaign}"
    people = [{"phoneNumber": "+14155550101", "firstName": "Ada"}]
    contacts = json.dumps({"contact_list_name": list_name, "data": people})
    new_list = json.dumps({"name": list_name, "description": "Made over the API", "source": "passiveApi"})
    return [
        Call(
            "list",
            "Campaigns",
            "Every campaign of this app.",
            f"{posting} -X POST '{at}/campaign/getAllCampaignDetails?{query}' -d '{{}}'",
        ),
        Call(
            "new-list",
            "Make a list",
            "A list that takes contacts over the API.",
            f"{posting} '{at}/campaign/contactList/createContactList?accountId={app.account_id}' \\\n  -d '{new_list}'",
        ),
        Call(
            "contacts",
            "Add contacts",
            "Any columns; phoneNumber is the one that counts.",
            f"{posting} '{base}/api/1.1/public/{app.public_id}/campaign/contactList/addContacts' \\\n  -d '{contacts}'",
        ),
        Call(
            "create", "Create a campaign", "Whom, what, when.", f"{posting} '{at}/campaign?{query}' \\\n  -d '{body}'"
        ),
        Call(
            "play",
            "Start it",
            "Texts leave within a second.",
            f"{posting} -X POST '{one}?{query}&trigger=play' -d '{{}}'",
        ),
        Call(
            "status",
            "See where it stands",
            "Numbers that add up.",
            f"{posting} -X POST '{one}/status?view=status&accountId={app.account_id}' -d '{{}}'",
        ),
        Call(
            "stop",
            "Stop it",
            "Once this has answered, not one more text leaves.",
            f"{posting} -X POST '{one}?{query}&trigger=stop' -d '{{}}'",
        ),
        Call("delete", "Delete it", "In any status: it is stopped first.", f"{head} -X DELETE '{one}?{query}'"),
    ]
