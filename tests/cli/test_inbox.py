"""Commands of the inbox and of webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from heliograph import config, errors
from heliograph.actions import access, inbox
from heliograph.actions import seal as seals
from heliograph.actions.inbox import Heard
from heliograph.cli.main import app
from heliograph.config import Settings
from heliograph.store.database import Database

Command = Callable[..., Any]

ADA = "+14155550100"


@pytest.fixture
def heard(settings: Settings) -> None:
    """Somebody has written, and nobody has answered."""

    async def make() -> None:
        db = await Database.open(settings)
        try:
            now = config.utc_now()
            made = await access.create_app(db, seals.from_settings(settings), name="A", now=now)
            async with db.transaction() as conn:
                said = [Heard(1, ADA, "+12025550123", "Where is my parcel?", now, by_flow=False)]
                await inbox.heard(conn, made.app.app_id, said, now=now)
        finally:
            await db.close()

    asyncio.run(make())


@pytest.mark.usefixtures("heard")
def test_a_conversation_is_found_answered_assigned_and_closed(heliograph: Command) -> None:
    (found,) = heliograph("inbox", "list", "--unread", "--unassigned")
    assert (found["unread"], ADA in str(found), "parcel" in str(found)) == (1, False, False)
    assert heliograph("inbox", "list", "--search", "+1 415 555 0100", "--numbers")[0]["phoneNumber"] == ADA
    sent = heliograph("inbox", "reply", ADA, "With your neighbour.", "--key", "a")
    assert sent["messageId"].startswith("msg-")
    assert heliograph("inbox", "reply", found["_id"], "With your neighbour.", "--key", "a") == sent
    assert heliograph("inbox", "assign", ADA, "ana", "--team", "billing")["assignee"] == "ana"
    assert heliograph("inbox", "assign", ADA)["assignee"] is None
    assert CliRunner().invoke(app, ["inbox", "note", ADA, "Call on Monday"]).exit_code == 0
    shown = heliograph("inbox", "show", ADA)
    assert [one["who"] for one in shown["messages"]] == ["opened", "agent", "assigned", "unassigned", "note"]
    assert heliograph("inbox", "close", ADA)["status"] == "closed"
    assert heliograph("inbox", "list") == []
    assert len(heliograph("inbox", "list", "--closed")) == 1
    with pytest.raises(errors.NotFound, match="no conversation with"):
        heliograph("inbox", "show", "+14155550199")


@pytest.mark.usefixtures("heard")
def test_who_is_told_of_what(heliograph: Command) -> None:
    made = heliograph("webhook", "add", "https://192.0.2.10/hooks", "--event", "reply.received")
    assert made["secret"].startswith("whsec_")
    runner = CliRunner()
    assert runner.invoke(app, ["webhook", "test", made["_id"]]).stdout.startswith("ev-")
    (told,) = heliograph("webhook", "log", made["_id"])
    assert (told["event"], told["state"], told["tries"]) == ("webhook.test", "waiting", [])
    assert runner.invoke(app, ["webhook", "redeliver", made["_id"], told["eventId"]]).exit_code == 0
    assert runner.invoke(app, ["webhook", "disable", made["_id"]]).exit_code == 0
    assert [one["enabled"] for one in heliograph("webhook", "ls")] == [False]
    assert runner.invoke(app, ["webhook", "enable", made["_id"]]).exit_code == 0
    assert "reply.received" in runner.invoke(app, ["webhook", "ls"]).stdout
    assert runner.invoke(app, ["webhook", "rm", made["_id"]]).exit_code == 0
    assert heliograph("webhook", "ls") == []
