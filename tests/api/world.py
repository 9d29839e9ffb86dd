"""Every operation of the API, found by walking the application's own routes, and a tenant's things to use it on.

What is needed for a request that works comes from the API's description: its examples, and its links, which say
where an answered id may stand. So a route added tomorrow is walked by the tests that use this page as it is.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import jsonschema_rs
from fastapi.routing import APIRoute

from heliograph.api import app as api_app
from heliograph.api.campaign_shapes import CampaignDraft
from heliograph.api.pull_shapes import PullTest
from heliograph.api.shapes import ContactsDraft, ListDraft
from heliograph.rules import ids

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from fastapi import FastAPI

    from heliograph.actions.seal import Seal
    from heliograph.config import Settings
    from heliograph.store.apps import App
    from heliograph.store.database import Database
    from tests.api.conftest import Tenant
    from tests.conftest import FrozenClock

MULTIPART = "multipart/form-data"

# Lists that pull, when they are told to, from nowhere: so that they can be told to.
PULLING = {
    "source": "apiIntegration",
    "apiConfigurations": {**PullTest.example["apiConfigurations"], "dataSyncInterval": None},
}

# How a request that is right may end when what it needs is not made here: a thing of another kind, or another status.
STATE = (404, 409)


class Answered(Protocol):
    """As much of an answer as is looked at here; httpx and requests both have it."""

    @property
    def status_code(self) -> int: ...
    def json(self) -> Any: ...


Sent = tuple[str, str, dict[str, Any]]  # verb, path, and the rest by the names that httpx and requests share
Talk = Generator[Sent, Answered, None]  # requests, each of which wants its answer: whoever drives it speaks HTTP


@dataclass(frozen=True)
class Operation:
    """A verb on a path, as it is routed. ``told`` is what the description says of it, in either version."""

    verb: str
    path: str
    told: dict[str, Any] = field(hash=False, compare=False)

    def __str__(self) -> str:
        return f"{self.verb} {self.path}"

    @property
    def handler(self) -> str:
        """What answers it, in both versions."""
        return str(self.told["operationId"])[:-1]

    @property
    def places(self) -> list[str]:
        """What its path takes, besides the app."""
        return [name for name in re.findall(r"{(\w+)}", self.path) if name != "appId"]

    @property
    def media(self) -> str | None:
        """The Content-Type of its body, None when it has none."""
        return next(iter(self.told.get("requestBody", {}).get("content", ())), None)

    @property
    def example(self) -> Any:
        """The description's example of its body; empty when nothing is read."""
        return {} if self.media is None else self.told["requestBody"]["content"][self.media]["example"]

    @property
    def reads(self) -> bool:
        """Whether it reads a JSON body."""
        return self.media == "application/json" and bool(self.example)

    @property
    def makes(self) -> str | None:
        """Where in other paths the id of what it makes may stand."""
        links = self.told["responses"].get("200", {}).get("links", {})
        given = {name for link in links.values() for name in link["parameters"]} - {"appId"}
        return next(iter(given), None)

    @property
    def keeps(self) -> bool:
        """Whether it makes what its path names when there is no such thing, as storing under a name does."""
        return self.handler == "app_secrets_put_put_v"

    def parameters(self, where: str) -> Iterator[dict[str, Any]]:
        """Its described parameters in the ``path``, ``query`` or ``header``."""
        return (one for one in self.told["parameters"] if one["in"] == where)

    @property
    def needed(self) -> list[str]:
        """The query values that it cannot do without."""
        return [one["name"] for one in self.parameters("query") if one["required"]]

    @property
    def query(self) -> dict[str, str]:
        """The query values that it needs, and those of which an example is given: with them it does the most."""
        told = [one for one in self.parameters("query") if one["required"] or "examples" in one["schema"]]
        return {one["name"]: sample(one["schema"]) for one in told}


def sample(schema: Mapping[str, Any]) -> str:
    """A value that a described parameter takes."""
    return str([*schema.get("examples", ()), *schema.get("enum", ())][0])


def operations(api: FastAPI) -> list[Operation]:
    """Every operation below an app's path, under both versions, whether it is described there or not."""
    told = {one["operationId"][:-1]: one for verbs in api.openapi()["paths"].values() for one in verbs.values()}
    found = [
        Operation(verb, route.path.replace(":ref}", "}"), told[str(route.operation_id)[:-1]])
        for route in api.routes
        if isinstance(route, APIRoute) and "{appId}" in route.path
        for verb in sorted(route.methods or ())
    ]
    assert len(found) > 30
    return found


@dataclass
class Things:
    """A tenant's own: one of everything that paths ask for. It says what to send, and sends nothing itself."""

    document: dict[str, Any]
    operations: list[Operation]
    tenant: Tenant
    ids: dict[str, str] = field(default_factory=dict)
    made: int = 0

    @property
    def app(self) -> App:
        return self.tenant.app

    @property
    def handled(self) -> list[Operation]:
        """Of the operations one for each handler, the later version's."""
        return list({one.handler: one for one in self.operations}.values())

    @property
    def makers(self) -> dict[str, Operation]:
        """By what they make, the operations that make something out of nothing."""
        found: dict[str, Operation] = {}
        for one in self.handled:
            if one.makes is not None and not one.places:
                found.setdefault(one.makes, one)
        return found

    def named(self, example: Any) -> Any:
        """An example with a name that is not taken, if it has one."""
        self.made += 1
        if isinstance(example, dict) and "name" in example:
            return {**example, "name": f"{example['name']} {self.made}"}
        return example

    def path(self, operation: Operation, *, path: str | None = None, **other: str) -> str:
        """Its path, or another one with the same places in it, for these things or the ``other`` ones."""
        known = {one["name"]: sample(one["schema"]) for one in operation.parameters("path") if one["name"] != "appId"}
        return (path or operation.path).format(**known | self.ids | {"appId": self.app.public_id} | other)

    def query(self, operation: Operation) -> dict[str, str]:
        """Its query, for these things."""
        return {name: self.ids.get(name, value) for name, value in operation.query.items()}

    def body(self, operation: Operation) -> dict[str, Any]:
        """Its example body."""
        example = self.named(operation.example)
        if operation.media == MULTIPART:
            return {"files": {name: ("leads.csv", text) for name, text in example.items()}}
        return {} if operation.media is None else {"json": example}

    def allowed(self, operation: Operation) -> Callable[[Any], bool]:
        """Whether the description allows a body for it."""
        schema = operation.told["requestBody"]["content"][operation.media]["schema"]
        return jsonschema_rs.validator_for({**schema, "components": self.document["components"]}).is_valid

    def request(self, operation: Operation, **changed: Any) -> Sent:
        """A request that works, but for what is ``changed`` (``path``, or what httpx and requests take)."""
        sent: dict[str, Any] = {"headers": self.tenant.headers, "params": self.query(operation)}
        if not {"content", "json", "files", "data"} & changed.keys():
            sent |= self.body(operation)
        path = changed.pop("path", None) or self.path(operation)
        return operation.verb, path, sent | changed

    def furnish(self) -> Talk:
        """Make what the examples name, and one of everything."""
        by_handler = {one.handler: one for one in self.operations}
        yield self.request(self.makers["listId"], json=ListDraft.example)
        yield self.request(by_handler["contacts_add_post_v"], json=ContactsDraft.example)
        yield from self.renew(*self.makers, "campaignInstanceId", "secretName")

    def renew(self, *places: str) -> Talk:
        """Let these ids be those of things that nobody has touched."""
        for place in places:
            if place == "campaignInstanceId":
                yield from self._run()
            elif place == "secretName":
                yield self.request(next(one for one in self.handled if one.keeps))
            elif place == "importId":
                yield from self._import()
            elif place in self.makers:
                more = PULLING if place == "listId" else {}
                yield from self._make(place, self.named(self.makers[place].example) | more)

    def _make(self, place: str, body: dict[str, Any]) -> Talk:
        answer = yield self.request(self.makers[place], json=body)
        if answer.status_code != 200:  # there is one already, and there cannot be two
            return
        made = answer.json()["data"]
        self.ids[place] = made["_id"]
        if place == "campaignId":
            self.ids["campaignName"] = made["name"]
        if place == "listId":
            fields = {"contactListId": made["_id"], "data": ContactsDraft.example["data"]}
            yield self.request(next(one for one in self.handled if one.handler == "contacts_add_post_v"), json=fields)
            self.ids["contactId"] = ids.contact_id(made["_id"], 1)
            yield from self._import()
        if place == "webhookId":
            answer = yield self.request(next(one for one in self.handled if one.handler == "webhooks_test_post_v"))
            self.ids["eventId"] = answer.json()["data"]["eventId"]
        for inner in self.handled:  # what stands below it in paths by its own name, such as the numbers of a list
            if inner.verb == "POST" and inner.places == [place] and inner.path.endswith("/entries"):
                yield self.request(inner)

    def _import(self) -> Talk:
        answer = yield self.request(next(one for one in self.handled if one.handler == "imports_begin_post_v"))
        if answer.status_code == 202:
            self.ids["importId"] = answer.json()["data"]["_id"]

    def play(self) -> Talk:
        """Let ``campaignId`` be that of a new campaign, which runs."""
        yield from self._make("campaignId", self.named(CampaignDraft.example))
        play = next(one for one in self.handled if one.verb == "POST" and one.path.endswith("/campaign/{campaignId}"))
        yield self.request(play)

    def _run(self) -> Talk:
        kept = {name: self.ids[name] for name in ("campaignId", "campaignName") if name in self.ids}
        yield from self.play()
        answer = yield self.request(next(one for one in self.handled if one.handler == "campaigns_get_get_v"))
        self.ids |= kept | {"campaignInstanceId": answer.json()["data"]["campaignInstanceId"]}


@dataclass
class World(Things):
    """Things, and a client to use them with."""

    client: httpx.AsyncClient = field(kw_only=True)
    db: Database = field(kw_only=True)
    gone: set[str] = field(default_factory=set[str], kw_only=True)  # places of what has been deleted

    async def send(self, operation: Operation, **changed: Any) -> httpx.Response:
        """Send a request that works, but for what is ``changed``."""
        verb, path, rest = self.request(operation, **changed)
        answer = await self.client.request(verb, path, **rest)
        if verb == "DELETE" and answer.status_code == 200:
            self.gone |= {*operation.places[-1:]}
        return answer

    async def fresh(self, operation: Operation) -> None:
        """Let what it needs be there, and in the status that it was made in."""
        moved = {*operation.places} if operation.needed or operation.verb == "PUT" else set[str]()
        wanted = sorted(moved | (self.gone & {*operation.places}))
        await self.hold(self.renew(*wanted))
        self.gone -= {*wanted}

    async def hold(self, talk: Talk) -> None:
        """Send what is to be sent."""
        answer: Any = None
        try:
            while True:
                verb, path, rest = talk.send(answer)
                answer = await self.client.request(verb, path, **rest)
        except StopIteration:
            return


_described: dict[str, Any] = {}


def describe(api: FastAPI) -> None:
    """Let it know its description, which is that of every app of this process: making it takes most of a second."""
    if _described:
        api.openapi_schema = _described
    else:
        _described.update(api.openapi())


@asynccontextmanager
async def opened(
    db: Database, seal: Seal, settings: Settings, clock: FrozenClock, *tenants: Tenant
) -> AsyncIterator[list[World]]:
    """A world for each tenant, furnished alike, at one API that takes any number of requests."""
    api = api_app.create_api(db, seal, replace(settings, rate_limit_per_minute=0), clock)
    describe(api)
    walked = operations(api)
    transport = httpx.ASGITransport(api, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://heliograph.test") as client:
        worlds = [World(api.openapi(), walked, tenant, client=client, db=db) for tenant in tenants]
        for world in worlds:
            await world.hold(world.furnish())
        yield worlds


def complaint(answer: httpx.Response, *statuses: int) -> str | None:
    """What is wrong with an answer that should be an error of one of these statuses, in the house's shape."""
    if answer.status_code not in statuses:
        return f"{answer.status_code} in place of {' or '.join(map(str, statuses))}: {answer.text[:200]}"
    if answer.request.method == "HEAD":
        return f"a HEAD was answered {answer.text!r}" if answer.text else None
    if answer.headers["content-type"] != "application/json":
        return f"Content-Type {answer.headers['content-type']}"
    body = answer.json()
    items = body.get("errors", [])
    right = (
        list(body) == ["status", "message", "errors"]
        and body["status"] == "error"
        and [item["msg"] for item in items] == [body["message"]]
        and all({"msg", "code"} <= item.keys() <= {"msg", "code", "field"} for item in items)
    )
    for_people = body["message"].strip() and len(answer.text) < 4000  # and nothing of our inside
    if not right or not for_people or re.search('Traceback|psycopg|File "', answer.text):
        return f"not in the shape of an error: {answer.text[:200]}"
    return None
