"""The API is what its description says, whatever it is sent.

schemathesis walks the whole OpenAPI document against the real application and a real database, and judges every
answer: is it a fault of ours, is its status documented, does its body have the documented shape, was a bad token
let in, is a deleted thing still there. The walk is the same each time; ``HELIOGRAPH_FUZZ=N`` makes it a random
one with N generated requests for each operation (thousands are fine, and take their time).
"""

from __future__ import annotations

import itertools
import os
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from schemathesis.engine import events, from_schema
from schemathesis.hooks import GLOBAL_HOOK_DISPATCHER
from schemathesis.python import asgi

from heliograph.actions import campaigns, contacts, lists
from heliograph.api import app as api_app
from heliograph.api.campaign_shapes import CampaignDraft
from heliograph.api.shapes import CAMPAIGN_ID, LIST_ID, ContactsDraft, ListChanges, ListDraft
from heliograph.store import lists as list_rows
from heliograph.store.database import Database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from datetime import datetime

    from schemathesis.engine.recorder import ScenarioRecorder
    from starlette.types import ASGIApp, Receive, Scope, Send

    from heliograph.actions.seal import Seal
    from heliograph.config import Settings
    from heliograph.store.apps import App
    from tests.api.conftest import Tenant
    from tests.conftest import FrozenClock

FUZZ = int(os.environ.get("HELIOGRAPH_FUZZ", "0"))
EXAMPLES = FUZZ or 6
SPARE = 60 + FUZZ // 4  # campaigns and lists that may be used up
VERSIONS = {"v1": r"^/(agentassist|campaign)/api/v1/|^/api/1\.1/", "v2": r"^/campaign/api/v2/"}
DNC = "Never"
EACH = ("examples", "coverage", "fuzzing")


class Served:
    """The API as an ASGI application that opens its database on the event loop it is called from."""

    def __init__(self, settings: Settings, seal: Seal, clock: FrozenClock) -> None:
        self._with = (seal, replace(settings, rate_limit_per_minute=0), clock)  # which stands still
        self._settings = settings
        self._api: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            db = await Database.open(self._settings)
            self._api = api_app.create_api(db, *self._with)
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await db.close()
            await send({"type": "lifespan.shutdown.complete"})
        else:
            assert self._api is not None
            await self._api(scope, receive, send)


@pytest.fixture
def served(settings: Settings, seal: Seal, clock: FrozenClock) -> Iterator[Served]:
    yield Served(settings, seal, clock)
    asgi.shutdown_lifespans()


@dataclass
class Samples:
    """Puts real things in the place of those that the description's examples name.

    A campaign or list that a request has used up is followed by the next one, and a name that an example would
    take a second time gets a number.
    """

    ids: dict[str, Iterator[str]]
    current: dict[str, str] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.current = {sample: next(spare) for sample, spare in self.ids.items()}

    def put_in(self, case: schemathesis.Case[Any]) -> None:
        for name, value in case.path_parameters.items():
            if value in self.current:
                case.path_parameters[name] = self.current[value]
        taken = [ListDraft.example["name"], ListChanges.example["name"], CampaignDraft.example["name"]]
        if isinstance(case.body, dict) and case.body.get("name") in taken:
            case.body = {**case.body, "name": f"{case.body['name']} {next(self.numbers)}"}

    def see(self, case: schemathesis.Case[Any], status: int) -> None:
        if status == 409 or (case.method == "DELETE" and status == 200):
            for sample, current in self.current.items():
                if current in case.path_parameters.values():
                    self.current[sample] = next(self.ids[sample], current)


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


def config(tenant: Tenant, phases: Sequence[str], version: str = "") -> schemathesis.Config:
    """How to walk: which phases, over which version's operations (both when none is named)."""
    steering = {
        "path.appId": tenant.app.public_id,
        # Checked when sent, so noise in them would stop most requests at the door. test_auth.py knocks there.
        "header.iid": {"dictionary": "app", "probability": 0.9},
        "header.accountId": {"dictionary": "account", "probability": 0.9},
        "query.accountId": {"dictionary": "account", "probability": 0.9},
        # Texts with a form that JSON Schema cannot tell, and names that have to exist.
        "path.campaignId": {"dictionary": "campaign", "probability": 0.8},
        "path.listId": {"dictionary": "list", "probability": 0.8},
        "body.contactLists[*]": {"dictionary": "name", "probability": 0.9},
        "body.contact_list_name": {"dictionary": "name", "probability": 0.9},
        "body.contactListId": {"dictionary": "name", "probability": 0.9},
        "body.dncLists.name": {"dictionary": "dnc", "probability": 0.9},
        "body.data[*].phoneNumber": {"dictionary": "number", "probability": 0.9},
        "body.dialingStrategy.callerId.phoneNumber": {"dictionary": "sender", "probability": 0.9},
        "body.dialingStrategy.callingHours.timezone": {"dictionary": "zone", "probability": 0.9},
        "body.dialingStrategy.callingHours.days[*].start": {"dictionary": "time", "probability": 0.9},
        "body.dialingStrategy.callingHours.days[*].end": {"dictionary": "time", "probability": 0.9},
        "body.startDate": {"dictionary": "instant", "probability": 0.9},
        "body.endDate": {"dictionary": "instant", "probability": 0.9},
    }
    words = {
        "app": [tenant.app.public_id],
        "account": [tenant.app.account_id],
        "campaign": [CAMPAIGN_ID],
        "list": [LIST_ID],
        "name": [ListDraft.example["name"]],
        "dnc": [DNC],
        "number": ["+14155550100", "447700900123", "+61 491 570 156"],
        "sender": ["+14155550199", "72720", "Heliograph"],
        "zone": ["Asia/Kolkata", "UTC", "America/New_York"],
        "time": ["9:00 AM", "6:00 PM", "12:00 AM", "23:59"],
        "instant": ["2026-03-02", "2026-03-02T06:00:00.000Z", "2026-03-02T06:00:00+14:00"],
    }
    return schemathesis.Config.from_dict(
        {
            **({} if FUZZ else {"seed": 1}),
            "cache": {"enabled": False},
            "headers": {"auth": tenant.token},
            "continue-on-failure": True,
            "generation": {"max-examples": EXAMPLES, "deterministic": not FUZZ, "database": "none"},
            "dictionaries": {name: {"values": values} for name, values in words.items()},
            "parameters": steering,
            "phases": {
                # Ids that were answered are not put into other requests at random: Samples gives them the right ones.
                **{name: {"enabled": name in phases, "extra-data-sources": {"responses": False}} for name in EACH},
                "stateful": {"enabled": "stateful" in phases},
            },
            "checks": {
                # What fits the schema may still be refused: ids and names have to exist, a campaign's status has
                # to allow the step. That every example is taken is tested below.
                "positive_data_acceptance": {"enabled": False},
            },
            "operations": [
                *(
                    {"include-path-regex": VERSIONS[other], "enabled": False}
                    for other in VERSIONS
                    if other != (version or other)
                ),
                {
                    # The vendor prints the start and stop of version 1 under another prefix than the rest of it, and
                    # so does the description; but each of the prefixes serves it all.
                    "include-path-regex": r"^/(agentassist|campaign)/api/v1/public/\{appId\}/campaign/\{campaignId\}$",
                    "checks": {
                        "allow_header_conformance": {"enabled": False},
                        "unsupported_method": {"enabled": False},
                    },
                },
            ],
        }
    )


async def furnish(db: Database, app: App, *, now: datetime) -> Samples:
    """What the examples name, and enough campaigns and lists for those that a walk uses up."""
    async with db.transaction() as conn:
        more: dict[str, Any] = {"description": "", "source": "passiveApi", "allow_duplicates": False, "now": now}
        await list_rows.create(conn, app.app_id, kind="dnc", name=DNC, **more)
    await lists.create(db, app, ListDraft.example, now=now)
    await contacts.add(db, app, ContactsDraft.example, now=now)
    made: dict[str, list[str]] = {CAMPAIGN_ID: [], LIST_ID: []}
    for n in range(SPARE):
        spare = await campaigns.create(db, app, {**CampaignDraft.example, "name": f"Spare {n}"}, now=now)
        made[CAMPAIGN_ID].append(spare.public_id)
        made[LIST_ID].append((await lists.create(db, app, {"name": f"Spare {n}"}, now=now)).public_id)
    return Samples({sample: iter(ids) for sample, ids in made.items()})


@pytest.fixture
async def samples(db: Database, tenant: Tenant, clock: FrozenClock) -> AsyncIterator[Samples]:
    """The world that the examples speak of, put into every request."""
    there = await furnish(db, tenant.app, now=clock())

    def before_call(_context: object, case: schemathesis.Case[Any], _kwargs: dict[str, Any]) -> None:
        there.put_in(case)

    def after_call(_context: object, case: schemathesis.Case[Any], response: schemathesis.Response) -> None:
        there.see(case, response.status_code)

    schemathesis.hook(before_call)
    schemathesis.hook(after_call)
    yield there
    GLOBAL_HOOK_DISPATCHER.unregister(before_call)
    GLOBAL_HOOK_DISPATCHER.unregister(after_call)


@pytest.mark.usefixtures("samples")
@pytest.mark.parametrize("version", VERSIONS)
def test_every_operation_answers_as_described(served: Served, tenant: Tenant, version: str) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", served, config=config(tenant, EACH, version))
    done = walk(schema)
    assert not done.faults, f"{len(done.faults)} faults\n\n" + "\n\n".join(done.faults[:20])
    for label, seen in done.statuses.items():
        assert seen[200], f"{label} was never done, so the shape of its answer was not looked at: {seen}"
        assert seen[401], f"{label} was never tried without a good token: {seen}"
