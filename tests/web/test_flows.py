"""Flows in the console: made, drawn, changed node by node and as text, tried, published, given to a sender."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from starlette.datastructures import FormData

from heliograph.rules.flow import document, system
from heliograph.store import flow_users, flows, senders
from heliograph.web import flow_drawing, flow_forms
from heliograph.web.door import Form

if TYPE_CHECKING:
    import httpx

    from heliograph.store.apps import App
    from heliograph.store.database import Database
    from heliograph.store.flows import StoredFlow

pytestmark = pytest.mark.anyio
ORIGIN = {"Origin": "http://127.0.0.1:8080"}


@pytest.fixture
async def app(stage: Any) -> App:
    return await stage.app()


async def post(browser: httpx.AsyncClient, form: str, to: str, fields: dict[str, Any]) -> httpx.Response:
    found = re.search(r'name="token" value="([^"]+)"', (await browser.get(form)).text)
    assert found
    return await browser.post(to, data={"token": found.group(1)} | fields, headers=ORIGIN)


async def made(browser: httpx.AsyncClient, app: App, name: str = "Call back") -> str:
    """A new flow's page."""
    at = f"/console/{app.public_id}/flows/new"
    answer = await post(browser, at, at, {"name": name})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def kept(db: Database, app: App, ref: str) -> StoredFlow:
    async with db.connection() as conn:
        return await flows.get(conn, app.app_id, ref)


async def test_the_flow_that_every_app_has_is_drawn_and_cannot_be_changed(browser: httpx.AsyncClient, app: App) -> None:
    front = (await browser.get(f"/console/{app.public_id}/flows")).text
    assert "SMS Support Flow" in front
    found = re.search(r"/flows/(cf-[^\"?]+)", front)
    assert found
    page = (await browser.get(f"/console/{app.public_id}/flows/{found.group(1)}")).text
    assert page.count('class="box ') == len(document.read(system.SUPPORT).nodes)
    assert "Hello Ada" in page
    assert ">Publish<" not in page


async def test_a_flow_is_made_changed_tried_and_published(browser: httpx.AsyncClient, app: App, db: Database) -> None:
    here = await made(browser, app)
    node = {"key": "bye", "kind": "end", "name": "goodbye", "f-result": "not now"}
    assert (await post(browser, f"{here}?node=bye", f"{here}/node", node)).status_code == 303
    assert (await post(browser, here, f"{here}/add", {"kind": "send", "after": "thanks"})).status_code == 303
    found = await kept(db, app, "Call back")
    assert found.draft["nodes"]["goodbye"] == {"type": "end", "result": "not now"}
    assert found.draft["nodes"]["which"]["otherwise"] == "goodbye"
    assert found.draft["nodes"]["thanks"]["next"] == "send_1"
    assert (await post(browser, here, f"{here}/remove", {"key": "send_1"})).status_code == 303

    talk = await post(browser, here, f"{here}/try", {"script": "[]", "say": "yes please"})
    assert "Thank you, we will call you." in talk.text
    assert "Over: yes" in talk.text
    answer = await post(browser, here, f"{here}/publish", {})
    assert answer.status_code == 303, answer.text
    assert (await kept(db, app, "Call back")).published_version == 1


async def test_what_is_wrong_with_a_node_or_the_text_is_told_and_nothing_changes(
    browser: httpx.AsyncClient, app: App, db: Database
) -> None:
    here = await made(browser, app)
    before = (await kept(db, app, "Call back")).draft
    wrong = {"key": "hello", "kind": "send", "name": "hello", "f-text": ""}
    answer = await post(browser, f"{here}?node=hello", f"{here}/node", wrong)
    assert answer.status_code == 400
    assert "text" in answer.text
    answer = await post(browser, here, f"{here}/text", {"text": "nodes: ["})
    assert answer.status_code == 400
    assert "nodes: [" in answer.text
    assert (await kept(db, app, "Call back")).draft == before


async def test_it_goes_out_as_a_file_and_comes_in_again(browser: httpx.AsyncClient, app: App, db: Database) -> None:
    here = await made(browser, app)
    text = (await browser.get(f"{here}/export?format=yaml")).text
    at = f"/console/{app.public_id}/flows/new"
    answer = await post(browser, at, at, {"pasted": text.replace("Call back", "Second")})
    assert answer.status_code == 303, answer.text
    assert (await kept(db, app, "Second")).draft["nodes"] == (await kept(db, app, "Call back")).draft["nodes"]
    assert (await browser.get(f"{here}/export?format=word")).status_code == 400
    assert (await post(browser, at, at, {"pasted": "{"})).status_code == 400


async def test_it_answers_whoever_writes_to_a_sender(browser: httpx.AsyncClient, app: App, db: Database) -> None:
    here = await made(browser, app)
    async with db.connection() as conn:
        (sender,) = await senders.list_all(conn, app.app_id)
    refused = await post(browser, here, f"{here}/attach", {"where": sender.public_id})
    assert refused.status_code == 409  # it was never published
    await post(browser, here, f"{here}/publish", {})
    for where in (sender.public_id, "default"):
        assert (await post(browser, here, f"{here}/attach", {"where": where})).status_code == 303
    found = await kept(db, app, "Call back")
    async with db.connection() as conn:
        assert await flow_users.of_sender(conn, app.app_id, sender.sender_id) == found.public_id
        assert await flow_users.default(conn, app.app_id) == found.public_id
    in_use = await post(browser, here, f"{here}/delete", {})
    assert in_use.status_code == 409
    for where in (sender.public_id, "default"):
        await post(browser, here, f"{here}/attach", {"where": where, "undo": "yes"})
    assert (await post(browser, here, f"{here}/delete", {})).status_code == 303


NODES: list[dict[str, Any]] = [
    *system.SUPPORT["nodes"].values(),  # type: ignore[union-attr]
    *flow_forms.STARTER["nodes"].values(),  # type: ignore[union-attr]
    {"type": "branch", "cases": [{"field": "plan", "is": ["gold", "silver"], "next": "a"}, {"number": [1, None]}]},
    {"type": "webhook", "url": "https://example.com", "headers": {"A": "b"}, "body": {"c": "{{d}}"}, "retries": 1},
    {"type": "split", "ways": [{"weight": 2, "next": "a"}, {"weight": 1}]},
    {"type": "delay", "for": "2h", "next": "a", "label": "a while"},
]


@pytest.mark.parametrize("node", NODES, ids=lambda node: node["type"])
def test_the_form_of_a_node_that_is_not_touched_makes_the_same_node(node: dict[str, Any]) -> None:
    fields: list[tuple[str, Any]] = [(f"f-{name}", value) for name, value in flow_forms.shown(node).items()]
    for case in flow_forms.cases(node) if node["type"] == "branch" else []:
        fields += [("test", case.test), ("value", case.value), ("label", case.label), ("to", case.next)]
    assert flow_forms.read(node["type"], Form(FormData(fields)), node) == node


def test_a_drawing_has_every_node_and_every_way() -> None:
    read = document.read(system.SUPPORT)
    drawn = flow_drawing.paint(read, {"welcome": 3}, {"welcome": 1})
    assert {box.key for box in drawn.boxes} == set(read.nodes)
    assert len(drawn.lines) == sum(len(document.ways(node)) for node in read.nodes.values())
    assert next(box for box in drawn.boxes if box.key == "welcome").here == 3
