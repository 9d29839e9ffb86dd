"""The book of an app's flows: names, ids and versions, also of flows that are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from heliograph.actions import access, flow_book
from heliograph.actions.seal import Seal
from heliograph.rules import ids
from heliograph.rules.flow import system
from heliograph.store import flow_versions, flows

if TYPE_CHECKING:
    from heliograph.store.apps import App
    from heliograph.store.database import Database
    from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio


def saying(name: str, text: str) -> dict[str, Any]:
    return {"name": name, "nodes": {"a": {"type": "send", "text": text}}}


@pytest.fixture
async def app(db: Database, clock: FrozenClock) -> App:
    return (await access.create_app(db, Seal(bytes(32)), name="First", now=clock())).app


async def test_a_new_app_has_the_support_flow(db: Database, app: App) -> None:
    async with db.connection() as conn:
        book = await flow_book.load(conn, app.app_id)
    public_id = ids.named("cf", app.public_id, "sms support flow")
    assert book.names == ["SMS Support Flow"]
    assert book.public_id("sms SUPPORT flow") == public_id
    assert (book.name(public_id), book.public_id(public_id)) == ("SMS Support Flow", public_id)
    for wanted in ("SMS Support Flow", public_id):
        for version in (None, 1):
            assert book(wanted, version) == (1, system.ALL[0].flow())
    assert book(public_id, 2) is None


async def test_versions_stay_whatever_becomes_of_the_flow(db: Database, app: App, clock: FrozenClock) -> None:
    async with db.transaction() as conn:
        made = await flows.insert(
            conn, app.app_id, ids.new("cf"), name="Tour", description="", draft=saying("Tour", "1"), now=clock()
        )
        assert (await flow_book.load(conn, app.app_id))("Tour", None) is None
        for version in (1, 2):
            text = saying("Tour", f"Version {version}")
            await flow_versions.add(conn, made, version, text, by="", now=clock())
            await flows.publish(conn, made, version, now=clock())
        book = await flow_book.load(conn, app.app_id)
        newest = book("TOUR", None)
        assert newest is not None
        assert newest[0] == 2
        assert book(made.public_id, 1) is None, "nobody wanted it"
        await flows.mark_deleted(conn, made, now=clock())
        book = await flow_book.load(conn, app.app_id, [(made.public_id, 1), (made.public_id, 2), ("cf-none", 1)])
        assert (book("Tour", None), book.public_id("Tour")) == (None, None)
        assert [str(found[1].document["nodes"]) for v in (1, 2) if (found := book(made.public_id, v))] == [
            str(saying("Tour", f"Version {v}")["nodes"]) for v in (1, 2)
        ]
        assert book("cf-none", 1) is None


async def test_another_app_sees_none_of_ours(db: Database, app: App, clock: FrozenClock) -> None:
    other = (await access.create_app(db, Seal(bytes(32)), name="Second", now=clock())).app
    async with db.transaction() as conn:
        made = await flows.insert(
            conn, app.app_id, ids.new("cf"), name="Tour", description="", draft=saying("Tour", "1"), now=clock()
        )
        await flow_versions.add(conn, made, 1, saying("Tour", "1"), by="", now=clock())
        await flows.publish(conn, made, 1, now=clock())
        assert (await flow_book.load(conn, app.app_id))("Tour", None) is not None
        book = await flow_book.load(conn, other.app_id, [(made.public_id, 1)])
        assert (book("Tour", None), book(made.public_id, 1)) == (None, None)
        assert book.names == ["SMS Support Flow"]
