"""The API is what its description says, whatever it is sent.

schemathesis walks the whole OpenAPI document against the real application and a real database, and judges every
answer: is it a fault of ours, is its status documented, does its body have the documented shape, was a bad token
let in, is a deleted thing still there. The walk is the same each time; ``HELIOGRAPH_FUZZ=N`` makes it a random
one with N generated requests for each operation (thousands are fine, and take their time).
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import pytest
import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.engine import events, from_schema
from schemathesis.hooks import GLOBAL_HOOK_DISPATCHER
from schemathesis.python import asgi

from heliograph.api import app as api_app
from heliograph.api import repeats
from heliograph.api.routes import ROUTES
from heliograph.api.shapes import PULL_URL, ListDraft
from heliograph.store.database import Database
from tests.api.world import Things, operations

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import httpx
    from fastapi import FastAPI
    from schemathesis.engine.recorder import ScenarioRecorder
    from starlette.types import Receive, Scope, Send

    from heliograph.actions.seal import Seal
    from heliograph.config import Settings
    from tests.api.conftest import Tenant
    from tests.api.world import Talk
    from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

FUZZ = int(os.environ.get("HELIOGRAPH_FUZZ", "0"))
EXAMPLES = FUZZ or 4
VERSIONS = {"v1": r"^/(agentassist|campaign)/api/v1/|^/api/1\.1/|^/api/public/bot/", "v2": r"^/campaign/api/v2/"}
OF_RUNS = ("/campaign/{campaignId}/retry", "/campaign/{campaignId}/conversations")
UNMIXED = {"extra-data-sources": {"responses": False}}
EACH = ("examples", "coverage", "fuzzing")
# Both versions are served by the same handlers, so covering every schema's every corner once is enough.
PHASES = {"v1": EACH if FUZZ else ("examples", "fuzzing"), "v2": EACH}


class Served:
    """The API as an ASGI application that opens its database on the event loop it is called from."""

    api: FastAPI

    def __init__(self, settings: Settings, seal: Seal, clock: FrozenClock) -> None:
        self._with = (seal, replace(settings, rate_limit_per_minute=0), clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            db = await Database.open(self._with[1])
            self.api = api_app.create_api(db, *self._with)
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await db.close()
            await send({"type": "lifespan.shutdown.complete"})
        else:
            await self.api(scope, receive, send)


class Haunted(Served):
    """An API in which what was deleted can still be got."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "DELETE":
            scope = {**scope, "method": "GET"}
        await super().__call__(scope, receive, send)


class Samples:
    """Puts real things in the place of those that the description's examples name.

    What a request has used up is made anew, and a name that an example would take a second time gets a number.
    """

    def __init__(self, things: Things, client: asgi.ASGIClient) -> None:
        self._things = things
        self._client = client
        self._hold(things.furnish())

    def put_in(self, case: schemathesis.Case[Any]) -> None:
        if case.method == "PUT" or case.query.get("trigger") == "play":  # whoever was here before may have started it
            self._hold(self._things.renew("campaignId"))
        if case.path.endswith(OF_RUNS):  # there is one, whoever was here before
            self._hold(self._things.play())
        raw = case.operation.definition.raw
        for parameter in raw["parameters"]:
            values = {"path": case.path_parameters, "query": case.query}.get(parameter["in"], {})
            name, examples = parameter["name"], parameter["schema"].get("examples", [])
            if name in self._things.ids and values.get(name) in examples:
                values[name] = self._things.ids[name]
        bodies = [content.get("example") for content in raw.get("requestBody", {}).get("content", {}).values()]
        taken = [example.get("name") for example in bodies if isinstance(example, dict)]
        if isinstance(case.body, dict) and isinstance(case.body.get("name"), str) and case.body["name"] in taken:
            case.body = self._things.named(case.body)
        # A key that came before would only be told that it did.
        if re.fullmatch(repeats.PATTERN, str(case.headers.get(repeats.HEADER, ""))):
            case.headers[repeats.HEADER] = str(uuid4())

    def see(self, case: schemathesis.Case[Any], status: int) -> None:
        if status == 409 or (case.method == "DELETE" and status == 200):
            sent = {**case.path_parameters, **case.query}
            self._hold(
                self._things.renew(*(name for name, value in sent.items() if self._things.ids.get(name) == value))
            )

    def _hold(self, talk: Talk) -> None:
        answer: Any = None
        try:
            while True:
                verb, path, rest = talk.send(answer)
                answer = self._client.request(verb, path, **rest)
        except StopIteration:
            return


@dataclass
class Walk:
    """What came of a walk: every status of every operation, and what was wrong with an answer."""

    statuses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    faults: list[str] = field(default_factory=list)

    def add(self, recorder: ScenarioRecorder) -> None:
        for case_id, seen in recorder.interactions.items():
            if seen.response is not None:
                self.statuses[recorder.cases[case_id].value.operation.label][seen.response.status_code] += 1
        for case_id, checks in recorder.checks.items():
            for check in checks:
                if check.failure_info is not None:
                    label = recorder.cases[case_id].value.operation.label
                    fault = check.failure_info
                    text = f"{check.name}: {fault.failure.title}\n{fault.failure.message}\n{fault.code_sample}"
                    self.faults.append(f"{label}: {text}")


def walk(schema: schemathesis.BaseSchema) -> Walk:
    """Let schemathesis do all its phases that are switched on."""
    done = Walk()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            done.add(event.recorder)
        elif isinstance(event, events.NonFatalError):
            done.faults.append(f"{event.label}: {event.info.format()}")
        elif isinstance(event, events.FatalError):
            raise event.exception
    return done


def told(done: Walk) -> str:
    return f"{len(done.faults)} faults\n\n" + "\n\n".join(done.faults[:20])


def config(api: FastAPI, tenant: Tenant, phases: Sequence[str], only: str = "") -> schemathesis.Config:
    """How to walk: which phases, over the operations on which paths."""
    words: dict[str, list[str]] = {
        # Checked when sent, so noise in them would stop most requests at the door. test_auth.py knocks there.
        "header.iid": [tenant.app.public_id],
        "header.accountId": [tenant.app.account_id],
        "query.accountId": [tenant.app.account_id],
        # Texts with a form that JSON Schema cannot tell, and names that have to exist.
        "body.contactLists[*]": [ListDraft.example["name"]],
        "body.contact_list_name": [ListDraft.example["name"]],
        "body.contactListId": [ListDraft.example["name"]],
        "body.data[*].phoneNumber": ["+14155550100", "447700900123", "+61 491 570 156"],
        "body.dialingStrategy.callerId.phoneNumber": ["+14155550199", "72720", "Heliograph"],
        "body.dialingStrategy.callingHours.timezone": ["Asia/Kolkata", "UTC", "America/New_York"],
        "body.dialingStrategy.callingHours.days[*].start": ["9:00 AM", "12:00 AM"],
        "body.dialingStrategy.callingHours.days[*].end": ["6:00 PM", "23:59"],
        "body.startDate": ["2026-03-02", "2026-03-02T06:00:00+14:00"],
        "body.endDate": ["2026-03-02T06:00:00.000Z"],
        "body.apiConfigurations.url": [PULL_URL],
    }
    if "stateful" not in phases:  # where ids come from answers
        for operation in operations(api):
            for one in operation.parameters("path"):
                if one["name"] != "appId":
                    words[f"path.{one['name']}"] = one["schema"]["examples"][:1]
    return schemathesis.Config.from_dict(
        {
            **({} if FUZZ else {"seed": 1}),
            "cache": {"enabled": False},
            "headers": {"auth": tenant.token},
            "continue-on-failure": True,
            "generation": {"max-examples": EXAMPLES, "deterministic": not FUZZ, "database": "none"},
            "dictionaries": {name: {"values": values} for name, values in words.items()},
            "parameters": {
                "path.appId": tenant.app.public_id,
                **{name: {"dictionary": name, "probability": 0.9} for name in words},
            },
            "phases": {
                # Ids that were answered are not put into other requests at random: Samples gives them the right ones.
                **{name: {"enabled": name in phases, **UNMIXED} for name in EACH},
                "coverage": {
                    "enabled": "coverage" in phases,
                    **UNMIXED,
                    "unexpected-methods": [],  # each is tried on every path by test_wrong_everything.py
                    "generation": {"mode": "all" if FUZZ else "negative"},
                },
                "stateful": {
                    "enabled": "stateful" in phases,
                    "max-steps": 10,
                    "generation": {"mode": "positive", "max-examples": FUZZ or 12},
                    "inference": {"algorithms": []},  # the description has its own links
                },
            },
            "checks": {
                # What fits the schema may still be refused: ids and names have to exist, a campaign's status has
                # to allow the step. That every example is taken is tested below.
                "positive_data_acceptance": {"enabled": False},
                "negative_data_rejection": {"expected-statuses": [400, 401, 403, 404, 405, 409, 413]},
            },
            "operations": [
                # A change takes what a creation takes, so each corner of it is seen there.
                *({"include-method": "PUT", "phases": {"coverage": {"enabled": False}}} for _ in [0] if not FUZZ),
                *({"exclude-path-regex": only, "enabled": False} for _ in [0] if only),
                {
                    # The vendor prints the start and stop of version 1 under another prefix than the rest of it, and
                    # so does the description; but each of the prefixes serves it all.
                    "include-path-regex": r"^/(agentassist|campaign)/api/v1/public/\{appId\}/campaign/\{campaignId\}$",
                    "checks": {
                        "allow_header_conformance": {"enabled": False},
                        "unsupported_method": {"enabled": False},
                    },
                },
                {
                    # The body of the one counts for one of its views only; the others take anything, and say so.
                    # What is wrong with a person in the other's is answered beside that person.
                    "include-path-regex": r"/campaign/\{campaignId\}/status$|/callContactAt$",
                    "checks": {"negative_data_rejection": {"enabled": False}},
                },
            ],
        }
    )


@pytest.fixture
def served(settings: Settings, seal: Seal, clock: FrozenClock, tenant: Tenant) -> Iterator[Served]:
    """The API, with the world that the description's examples speak of."""
    app = Served(settings, seal, clock)
    with asgi.get_client(cast("Any", app)) as client:
        there = Samples(Things(app.api.openapi(), operations(app.api), tenant), client)

        def before_call(_context: object, case: schemathesis.Case[Any], _kwargs: dict[str, Any]) -> None:
            there.put_in(case)

        def after_call(_context: object, case: schemathesis.Case[Any], response: schemathesis.Response) -> None:
            there.see(case, response.status_code)

        def filter_failure(
            _context: object, failure: object, _case: object, response: schemathesis.Response
        ) -> bool:  # a body of blanks is no body, which some calls do without
            blank = isinstance(response.request.body, bytes) and not response.request.body.strip()
            return not (blank and isinstance(failure, AcceptedNegativeData))

        hooks = (before_call, after_call, filter_failure)
        for hook in hooks:
            schemathesis.hook(hook)
        yield app
        for hook in hooks:
            GLOBAL_HOOK_DISPATCHER.unregister(hook)
    asgi.shutdown_lifespans()


OF_WORKERS = "/campaign/{campaignId}/conversations"
"""What workers plan, and none works here: the API's page and the tests of conversations look at it."""


@pytest.mark.parametrize("version", VERSIONS)
def test_every_operation_answers_as_described(served: Served, tenant: Tenant, version: str) -> None:
    walking = config(served.api, tenant, PHASES[version], VERSIONS[version])
    done = walk(schemathesis.openapi.from_asgi("/openapi.json", served, config=walking))
    assert not done.faults, told(done)
    open_doors = [label for label, seen in done.statuses.items() if (seen[200] or seen[202]) and not seen[401]]
    assert not open_doors, "never tried without a good token"
    undone = {
        label: dict(seen)
        for label, seen in done.statuses.items()
        if not seen.keys() & {200, 202, 409} and OF_WORKERS not in label
    }
    assert not undone, "never done, so that the shape of its answer was not looked at"


MADE = r"^/campaign/.*/(campaign|contactList|templates|dncLists|senders|experienceFlows|webhooks)(/[^/]*)?$"
"""What is made, got, changed and deleted: with every route there is, the walk would see little of each."""


def test_what_is_made_is_there_until_it_is_deleted(served: Served, tenant: Tenant) -> None:
    """Make things, and follow the description's links from what was answered: get, change, start, delete, get."""
    walking = config(served.api, tenant, ["stateful"], MADE)
    done = walk(schemathesis.openapi.from_asgi("/openapi.json", served, config=walking))
    assert not done.faults, told(done)
    verbs = {label.split()[0] for label, seen in done.statuses.items() if seen[200]}
    assert verbs >= {"POST", "GET", "DELETE"}, done.statuses


def test_a_fault_would_be_noticed(served: Served, tenant: Tenant) -> None:
    """The test above fails where what was deleted can still be got."""
    served.__class__ = Haunted
    walking = config(served.api, tenant, ["stateful"], r"^/campaign/.*/contactList/(createContactList|\{listId\})$")
    done = walk(schemathesis.openapi.from_asgi("/openapi.json", served, config=walking))
    assert any("use_after_free" in fault for fault in done.faults), done


# ---------------------------------------------------------------- the description itself


async def test_every_route_is_described_and_nothing_else(api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).json()
    described = {(verb.upper(), path) for path, verbs in document["paths"].items() for verb in verbs}
    routed = {
        (route.verb, f"{at}/{{appId}}{route.path.replace(':ref}', '}')}") for route in ROUTES for at in route.shown
    }
    assert described == routed
    for verb, path in described:
        operation = document["paths"][path][verb.lower()]
        placed = {one["name"]: one["schema"] for one in operation["parameters"] if one["in"] == "path"}
        assert placed.keys() == set(re.findall(r"{(\w+)}", path)), path
        assert all("examples" in schema for name, schema in placed.items() if name != "appId"), path
        for status, response in operation["responses"].items():
            (kind,) = response["content"]
            assert kind == "application/json" or status == "200", (path, status, kind)
        if "requestBody" in operation:
            ((_, content),) = operation["requestBody"]["content"].items()
            assert "schema" in content, path
            assert "example" in content, path
    scheme = document["components"]["securitySchemes"]["auth"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "auth")
