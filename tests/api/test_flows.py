"""Experience flows over HTTP: drafts, versions, who uses them, and campaigns that name one."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import jsonschema_rs
import pytest
from httpx import AsyncClient

from heliograph.actions import carrier_accounts, flow_book, lists, senders
from heliograph.actions.seal import Seal
from heliograph.api.flow_shapes import TOUR
from heliograph.config import Settings
from heliograph.rules import ids
from heliograph.store import flow_users
from heliograph.store.database import Database
from tests.api.conftest import Tenant
from tests.api.test_templates import CAMPAIGN, Desk
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

FLOWS = "/experienceFlows"
ADVANCED = CAMPAIGN | {"format": "advanced", "message": None}
SUPPORT = "SMS Support Flow"
NUMBER = "+12025550143"
MENU = "Reply 1 for an order, 2 for a ticket, 3 for help, 4 for an agent. STOP to end."


@pytest.fixture
async def desk(api: AsyncClient, tenant: Tenant, db: Database, clock: FrozenClock) -> Desk:
    await lists.create(db, tenant.app, {"name": "Leads"}, now=clock())
    return Desk(api, tenant)


@pytest.fixture
async def sender(db: Database, tenant: Tenant, seal: Seal, settings: Settings, clock: FrozenClock) -> str:
    """The id of a sender of the tenant's."""
    account = {"name": "Sandbox 2", "kind": "sandbox"}
    made = await carrier_accounts.create(db, seal, tenant.app, account, now=clock())
    body = {"address": NUMBER, "carrierAccountId": made.public_id}
    return (await senders.create(db, tenant.app, body, now=clock())).public_id


async def refused(desk: Desk, status: int, verb: str, path: str, body: Any = None) -> tuple[str, str | None]:
    """What an answer with ``status`` says, and of which field."""
    answer = await desk.ask(verb, path, body)
    assert answer.status_code == status, answer.text
    problem = answer.json()["errors"][0]
    return problem["msg"], problem.get("field")


async def test_a_draft_is_published_and_changed_and_its_versions_stay(desk: Desk, clock: FrozenClock) -> None:
    made = await desk.data("POST", FLOWS, {"document": TOUR, "description": "Who wants one"})
    assert ids.looks_like("cf", made["_id"])
    assert (made["name"], made["description"], made["publishedVersion"]) == ("Tour", "Who wants one", None)
    assert (made["hasUnpublishedChanges"], made["document"], made["findings"]) == (True, TOUR, [])
    clock.advance(60)
    first = await desk.data("POST", FLOWS + "/tour/publish")
    assert (first["publishedVersion"], first["hasUnpublishedChanges"]) == (1, False)
    assert (await desk.data("POST", FLOWS + "/tour/publish"))["publishedVersion"] == 1
    clock.advance(60)
    changed = TOUR | {"expires": "5d"}
    draft = await desk.data("PUT", f"{FLOWS}/{made['_id']}", {"document": changed, "name": "Grand Tour"})
    assert (draft["name"], draft["publishedVersion"], draft["hasUnpublishedChanges"]) == ("Grand Tour", 1, True)
    second = await desk.data("PUT", FLOWS + "/GRAND TOUR", {"description": "", "publish": True})
    assert (second["publishedVersion"], second["description"]) == (2, "")
    told = await desk.data("GET", f"{FLOWS}/{made['_id']}/versions")
    assert [(each["version"], each["publishedBy"]) for each in told] == [
        (2, desk.tenant.client_id),
        (1, desk.tenant.client_id),
    ]
    one = await desk.data("GET", f"{FLOWS}/{made['_id']}/versions/1")
    assert (one["document"], one["publishedAt"]) == (TOUR, first["publishedAt"])
    text, _ = await refused(desk, 404, "GET", f"{FLOWS}/{made['_id']}/versions/3")
    assert text == "Experience flow Grand Tour has no version 3; the newest is 2"
    await refused(desk, 400, "GET", f"{FLOWS}/{made['_id']}/versions/newest")
    # A document alone is as good.
    alone = await desk.data("POST", FLOWS, TOUR | {"publish": True})
    assert (alone["name"], alone["publishedVersion"], "publish" in alone["document"]) == ("Tour", 1, False)


async def test_what_cannot_be_read_or_published_is_told(desk: Desk) -> None:
    nodes = TOUR["nodes"]
    broken = TOUR | {"nodes": {**nodes, "bye": {"type": "send", "text": "", "next": "done"}}}
    text, field = await refused(desk, 400, "POST", FLOWS, {"document": broken})
    assert (text.startswith("In the document: nodes.bye.text is blank"), field) == (True, "document.nodes.bye.text")
    assert (await refused(desk, 400, "POST", FLOWS, {"name": "Tour"}))[1] == "document"
    assert (await refused(desk, 400, "PUT", FLOWS + "/Tour", {}))[0].startswith("There is nothing to change")
    loop = {**nodes, "which": nodes["which"] | {"otherwise": "again"}, "again": {**nodes["bye"], "next": "which"}}
    await desk.data("POST", FLOWS, {"document": TOUR | {"nodes": loop}})
    text, field = await refused(desk, 400, "POST", FLOWS + "/Tour/publish")
    assert text.startswith("Experience flow Tour cannot be published: ")
    assert str(field).startswith("document.nodes.")
    told = await desk.data("POST", FLOWS + "/Tour/lint")
    assert (told["publishable"], {each["level"] for each in told["findings"]} >= {"error"}) == (False, True)
    told = await desk.data("POST", FLOWS + "/Tour/lint", {"document": TOUR, "contactLists": ["Leads"]})
    assert told["publishable"]
    assert any("first" in each["message"].lower() for each in told["findings"]), "no list has First Name"
    assert (await refused(desk, 404, "POST", FLOWS + "/Tour/lint", {"contactLists": ["None"]}))[1] == "contactLists[0]"
    await refused(desk, 400, "POST", FLOWS + "/Tour/lint", {"contactLists": "Leads"})


async def test_names_are_one_each_whatever_the_case(desk: Desk) -> None:
    await desk.data("POST", FLOWS, {"document": TOUR})
    for body in ({"document": TOUR, "name": "TOUR"}, {"document": TOUR, "name": SUPPORT.upper()}):
        text, field = await refused(desk, 409, "POST", FLOWS, body)
        assert (f"named {body['name']} exists already" in text, field) == (True, "name")
    await desk.data("POST", FLOWS, {"document": TOUR, "name": "Other"})
    await refused(desk, 409, "PUT", FLOWS + "/Other", {"name": "tour"})
    await refused(desk, 409, "PUT", FLOWS + "/Other", {"name": SUPPORT})
    await desk.data("DELETE", FLOWS + "/Tour")
    assert (await desk.data("PUT", FLOWS + "/Other", {"name": "tour"}))["name"] == "tour"


async def test_the_support_flow_is_there_can_be_copied_and_nothing_else(desk: Desk) -> None:
    (found,) = await desk.data("GET", FLOWS)
    assert (found["name"], found["isSystem"], found["publishedVersion"]) == (SUPPORT, True, 1)
    one = await desk.data("GET", FLOWS + "/sms support flow")
    assert (one["_id"], len(one["document"]["nodes"]) > 20) == (found["_id"], True)
    for verb, path in (("PUT", ""), ("DELETE", ""), ("POST", "/publish")):
        text, _ = await refused(desk, 409, verb, f"{FLOWS}/{SUPPORT}{path}", {"description": "Mine"})
        assert text.endswith("clone it, and use the copy")
    copy = await desk.data("POST", f"{FLOWS}/{SUPPORT}/clone")
    assert (copy["name"], copy["isSystem"], copy["publishedVersion"]) == (f"Copy of {SUPPORT}", False, None)
    assert copy["document"]["nodes"] == one["document"]["nodes"]
    assert (await desk.data("POST", f"{FLOWS}/{copy['_id']}/publish"))["publishedVersion"] == 1
    assert (await desk.data("GET", f"{FLOWS}/{SUPPORT}/versions/1"))["document"] == one["document"]


async def test_a_version_keeps_its_templates_words_and_knows_flows_by_id(desk: Desk) -> None:
    await desk.data("POST", "/templates", {"name": "Hi", "body": "Hello <First Name>, I am a template."})
    tour = await desk.data("POST", FLOWS, {"document": TOUR, "publish": True})
    nodes = {"hi": {"type": "send", "template": "hi", "next": "go"}, "go": {"type": "flow", "flow": "TOUR"}}
    made = await desk.data("POST", FLOWS, {"document": {"name": "Welcome", "nodes": nodes}, "publish": True})
    assert made["document"]["nodes"] == nodes
    kept = (await desk.data("GET", FLOWS + "/Welcome/versions/1"))["document"]["nodes"]
    assert kept["hi"]["text"] == "Hello <First Name>, I am a template."
    assert "template" not in kept["hi"]
    assert kept["go"]["flow"] == tour["_id"]
    # Renamed, the flow is still found; and it is in use.
    await desk.data("PUT", FLOWS + "/Tour", {"name": "Grand Tour"})
    text, _ = await refused(desk, 409, "DELETE", f"{FLOWS}/{tour['_id']}")
    assert text == "Experience flow Grand Tour is used by the flow Welcome; give it another flow first"
    for node, field in (
        ({"type": "send", "template": "None"}, "template"),
        ({"type": "flow", "flow": "None"}, "flow"),
    ):
        body = {"document": {"name": "Lost", "nodes": {"a": node}}, "publish": True}
        assert (await refused(desk, 400, "POST", FLOWS, body))[1] in (f"document.nodes.a.{field}", "document.nodes.a")


async def test_a_campaign_names_a_published_flow_by_name_or_id(desk: Desk) -> None:
    support = (await desk.data("GET", f"{FLOWS}/{SUPPORT}"))["_id"]
    for name, wanted in (("One", SUPPORT), ("Two", SUPPORT.upper()), ("Three", support)):
        made = await desk.data("POST", "/campaign", ADVANCED | {"name": name, "experienceFlowName": wanted})
        assert made["experienceFlow"] == support
    text, field = await refused(desk, 400, "POST", "/campaign", ADVANCED | {"experienceFlowName": "Tour"})
    assert field == "experienceFlowName"
    assert text == f"There is no experience flow named Tour in this app. There are: {SUPPORT}"
    await desk.data("POST", FLOWS, {"document": TOUR})
    text, _ = await refused(desk, 400, "POST", "/campaign", ADVANCED | {"experienceFlowName": "tour"})
    assert text.startswith("The experience flow Tour was never published. Publish it, or ")
    tour = await desk.data("POST", FLOWS + "/Tour/publish")
    made = await desk.data(
        "PUT", f"/campaign/{made['_id']}", ADVANCED | {"name": "Three", "experienceFlowName": "Tour"}
    )
    assert made["experienceFlow"] == tour["_id"]
    used = await desk.data("GET", FLOWS + "/Tour")
    assert used["campaignInUse"] == [{"id": made["_id"], "name": "Three"}]
    text, _ = await refused(desk, 409, "DELETE", FLOWS + "/Tour")
    assert text == "Experience flow Tour is used by campaign Three; give it another flow first"
    await desk.ask("DELETE", f"/campaign/{made['_id']}")
    assert (await desk.data("DELETE", FLOWS + "/Tour"))["name"] == "Tour"
    await refused(desk, 404, "GET", f"{FLOWS}/{tour['_id']}")


async def test_of_a_delete_and_a_use_at_once_only_one_succeeds(desk: Desk) -> None:
    for number in range(4):
        name = f"F{number}"
        await desk.data("POST", FLOWS, {"document": TOUR, "name": name, "publish": True})
        body = ADVANCED | {"name": f"C{number}", "experienceFlowName": name}
        use, gone = await asyncio.gather(desk.ask("POST", "/campaign", body), desk.ask("DELETE", f"{FLOWS}/{name}"))
        assert sorted((use.status_code, gone.status_code)) in ([200, 400], [200, 409]), (use.text, gone.text)


async def test_a_flow_answers_for_a_sender_or_for_everybody(desk: Desk, db: Database, sender: str) -> None:
    support = (await desk.data("GET", f"{FLOWS}/{SUPPORT}"))["_id"]
    tour = await desk.data("POST", FLOWS, {"document": TOUR})
    text, _ = await refused(desk, 409, "POST", FLOWS + "/Tour/attach", {"default": True})
    assert text == "Experience flow Tour was never published; publish it, then attach it"
    await desk.data("POST", FLOWS + "/Tour/publish")
    there = await desk.data("POST", FLOWS + "/Tour/attach", {"senderId": NUMBER})
    assert there["senders"] == [{"id": sender, "address": NUMBER}]
    assert (await desk.data("GET", f"/senders/{sender}"))["experienceFlow"] == tour["_id"]
    assert (await desk.data("POST", f"{FLOWS}/{SUPPORT}/attach", {"default": True}))["isDefault"]
    async with db.connection() as conn:
        assert await flow_users.of_addresses(conn, desk.tenant.app.app_id) == {NUMBER: tour["_id"]}
        assert await flow_users.default(conn, desk.tenant.app.app_id) == support
    text, _ = await refused(desk, 409, "DELETE", FLOWS + "/Tour")
    assert text == f"Experience flow Tour is used by sender {NUMBER}; give it another flow first"
    await refused(desk, 409, "POST", f"{FLOWS}/{SUPPORT}/detach", {"senderId": sender})
    assert (await desk.data("POST", FLOWS + "/Tour/detach", {"senderId": sender}))["senders"] == []
    assert not (await desk.data("POST", f"{FLOWS}/{SUPPORT}/detach", {"default": True}))["isDefault"]
    await desk.data("DELETE", FLOWS + "/Tour")
    for body, field in (
        ({}, "senderId"),
        ({"senderId": sender, "default": True}, "senderId"),
        ({"default": False}, "default"),
        ({"default": "yes"}, "default"),
    ):
        assert (await refused(desk, 400, "POST", f"{FLOWS}/{SUPPORT}/attach", body))[1] == field
    await refused(desk, 404, "POST", f"{FLOWS}/{SUPPORT}/attach", {"senderId": "+12025550199"})


async def test_another_app_sees_none_of_it(desk: Desk, db: Database, second_tenant: Tenant) -> None:
    made = await desk.data("POST", FLOWS, {"document": TOUR, "publish": True})
    stranger = Desk(desk.api, second_tenant)
    (theirs,) = await stranger.data("GET", FLOWS)
    ours = await desk.data("GET", f"{FLOWS}/{SUPPORT}")
    assert theirs["_id"] != ours["_id"]
    for ref in (made["_id"], "Tour", ours["_id"]):
        for verb, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/publish"), ("GET", "/versions")):
            await refused(
                stranger, 404, verb, f"{FLOWS}/{ref}{path}", {"description": "Mine"} if verb == "PUT" else None
            )
    await lists.create(db, second_tenant.app, {"name": "Leads"}, now=FrozenClock()())
    await refused(stranger, 400, "POST", "/campaign", ADVANCED | {"experienceFlowName": made["_id"]})
    async with db.connection() as conn:
        assert (await flow_book.load(conn, second_tenant.app.app_id)).names == [SUPPORT]


def texts(told: Any) -> list[str]:
    return [entry["text"] for entry in told["entries"] if entry["kind"] == "text"]


async def test_a_conversation_is_tried_out(desk: Desk) -> None:
    path = f"{FLOWS}/{SUPPORT}/simulate"
    script = {"fields": {"First Name": "Ada"}, "steps": ["1", "1002 please", "what?", "ticket T-9", "4"]}
    told = await desk.data("POST", path, script)
    assert texts(told)[:3] == [
        f"Hello Ada, this is our support line. {MENU}",
        "What is your order number? It has four digits, such as 1002.",
        "Order 1002 is on its way and arrives tomorrow. Anything else? 1 order, 2 ticket, 3 help, 4 agent, or NO.",
    ]
    assert (told["state"], told["parts"], told["texts"]) == ("handed", 6, 6)
    # A call of another's is left to the script, and one that fails leads elsewhere.
    document = {
        "name": "Ask",
        "nodes": {
            "ask": {"type": "webhook", "url": "https://desk.example.com", "save": "it", "next": "yes", "failed": "no"},
            "yes": {"type": "send", "text": "It is {{it.state}}"},
            "no": {"type": "send", "text": "Nobody is there"},
        },
    }
    await desk.data("POST", FLOWS, {"document": document})
    path = FLOWS + "/Ask/simulate"
    assert (await desk.data("POST", path))["state"] == "call"
    assert texts(await desk.data("POST", path, {"calls": {"ask": {"state": "open"}}})) == ["It is open"]
    assert texts(await desk.data("POST", path, {"steps": [{"answer": None}]})) == ["Nobody is there"]
    other = document | {"nodes": {"yes": document["nodes"]["yes"] | {"text": "Hi"}}}  # type: ignore[index]
    assert texts(await desk.data("POST", path, {"document": other})) == ["Hi"]
    await desk.data("POST", FLOWS + "/Ask/publish")
    await desk.data("PUT", FLOWS + "/Ask", {"document": other})
    told = await desk.data("POST", path, {"version": 1, "steps": [{"answer": None}]})
    assert (texts(told), told["version"]) == (["Nobody is there"], 1)
    await refused(desk, 404, "POST", path, {"version": 2})
    for body, field in (
        ({"version": "1"}, "version"),
        ({"version": 1, "document": other}, "version"),
        ({"steps": [{"say": "a", "wait": "1h"}]}, "steps[0]"),
        ({"document": {"nodes": {}}}, "document.nodes"),
    ):
        assert (await refused(desk, 400, "POST", path, body))[1] == field


async def test_the_demo_desk_answers_whoever_asks(api: AsyncClient) -> None:
    for asked, found in (
        ({"ask": "order", "text": "where is 1002?"}, {"found": "yes", "number": "1002"}),
        ({"ask": "order", "text": "my shoes"}, {"found": "no", "number": ""}),
        ({"ask": "ticket", "text": "t-1004"}, {"found": "yes", "number": "T-1004", "state": "is solved"}),
        ({"ask": "ticket", "text": "T-9999"}, {"found": "yes", "number": "T-9999"}),
        ({"ask": "ticket", "text": "T-1999"}, {"found": "no", "number": "T-1999"}),
        ({"ask": "tips", "text": "6"}, {"found": "yes"}),
        ({"ask": "tips", "text": "love"}, {"found": "no"}),
    ):
        answer = await api.post("/demo/support", json=asked)
        assert (answer.status_code, answer.json() | found) == (200, answer.json()), answer.text
    opened = [(await api.post("/demo/support", json={"ask": "open", "text": "It broke"})).json() for _ in range(2)]
    assert opened[0] == opened[1]
    known = await api.post("/demo/support", json={"ask": "ticket", "text": opened[0]["number"]})
    assert known.json() == opened[0]
    for content, status in ((b"[]", 400), (b"{", 400), (b'{"ask": "order"}', 400), (b'{"ask": "x"}', 400)):
        assert (await api.post("/demo/support", content=content)).status_code == status
    assert (await api.post("/demo/support", content=b" " * (2**20 + 1))).status_code == 413
    assert (await api.get("/demo/support")).status_code in (404, 405)


async def test_flows_come_and_go_as_files(desk: Desk) -> None:
    await desk.data("POST", FLOWS, {"document": TOUR})
    for form in ("yaml", "json"):
        told = await desk.data("GET", f"{FLOWS}/Tour/export?format={form}")
        assert (told["format"], told["lost"]) == (form, [])
        path = f"{desk.tenant.v2}/experienceFlowFile"
        headers = {"auth": desk.tenant.token}
        assert (await desk.api.post(path, content=told["text"], headers=headers)).status_code == 409
        renamed = told["text"].replace("Tour", f"Tour as {form}", 1).encode()
        dry = await desk.api.post(path + "?dryRun=true", content=renamed, headers=headers)
        assert dry.json()["data"] == [{"name": f"Tour as {form}", "unsupported": [], "notes": [], "flow": None}]
        made = await desk.api.post(path, files={"file": ("a.yaml", renamed)}, headers=headers)
        assert made.json()["message"] == "1 experience flow imported successfully"
        assert made.json()["data"][0]["flow"]["publishedVersion"] is None
        draft = (await desk.data("GET", f"{FLOWS}/Tour as {form}"))["document"]
        assert draft["nodes"] == TOUR["nodes"]
    assert (await refused(desk, 400, "GET", FLOWS + "/Tour/export?format=word"))[1] == "format"
    # By way of other makers it comes back; what cannot be done here is named, and keeps a draft from people.
    for form in ("floip", "rapidpro"):
        there = json.loads((await desk.data("GET", f"{FLOWS}/Tour/export?format={form}"))["text"])
        there["flows"][0]["name"] = f"Tour from {form}"
        made = await desk.api.post(path, json=there, headers=headers)
        assert made.status_code == 200, made.text
        back = (await desk.data("GET", f"{FLOWS}/Tour from {form}"))["document"]
        assert {key: node["type"] for key, node in back["nodes"].items()} == {
            key: node["type"] for key, node in TOUR["nodes"].items()
        }
    there["flows"][0]["name"] = "Airtime"
    there["flows"][0]["nodes"][0]["actions"].append(
        {"uuid": "0f6f7c1e-0000-4000-8000-000000000000", "type": "transfer_airtime"}
    )
    made = await desk.api.post(path, json=there, headers=headers)
    (unsupported,) = made.json()["data"][0]["unsupported"]
    assert (unsupported["kind"], bool(unsupported["node"])) == ("transfer_airtime", True)
    text, _ = await refused(desk, 400, "POST", FLOWS + "/Airtime/publish")
    assert "see x_unsupported" in text
    for content in (b"\xff", b"nodes: [", b"[]", b"{}"):
        answer = await desk.api.post(path, content=content, headers=headers)
        assert answer.status_code == 400, answer.text
    assert (await desk.api.post(path + "?dryRun=maybe", content=b"{}", headers=headers)).status_code == 400


async def test_the_form_of_a_flow_is_told(desk: Desk) -> None:
    answer = await desk.ask("GET", "/experienceFlowSchema")
    told = answer.json()
    assert (answer.headers["content-type"], told["$schema"]) == (
        "application/json",
        "https://json-schema.org/draft/2020-12/schema",
    )
    assert jsonschema_rs.is_valid(told, TOUR)
    assert not jsonschema_rs.is_valid(told, {"nodes": {}})
