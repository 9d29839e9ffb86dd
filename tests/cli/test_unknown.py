"""Commands that look into things: who is unknown and what is decided, why, the story, the doctor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from heliograph import config, errors
from heliograph.cli.main import app
from heliograph.config import Settings
from heliograph.store.database import Database
from tests.engine.conftest import make_world, number
from tests.engine.test_unknowns import PEOPLE, left_unknown

Command = Callable[..., Any]


@pytest.fixture
def left(settings: Settings) -> None:
    """A campaign called Left, under way, whose six people are unknown."""

    async def make() -> None:
        db = await Database.open(settings)
        try:
            await left_unknown(await make_world(db, settings, config.utc_now))
        finally:
            await db.close()

    asyncio.run(make())


@pytest.mark.usefixtures("left")
def test_the_unknown_are_listed_masked_and_by_the_short_way_too(heliograph: Command) -> None:
    found = heliograph("unknown", "list", "Left")
    assert heliograph("unknown", "Left") == heliograph("unknown", "list") == found
    assert len(found) == PEOPLE
    assert found[0]["number"] == "+1202****001"[:5] + "****" + number(0)[-3:]
    assert [one["number"] for one in heliograph("unknown", "Left", "--numbers")] == [number(n) for n in range(PEOPLE)]
    assert found[0]["decision"] is None


@pytest.mark.usefixtures("left")
def test_what_is_decided_is_done_and_told(heliograph: Command) -> None:
    names = [one["messageId"] for one in heliograph("unknown", "Left")]
    assert heliograph("unknown", "accept", "--message", names[0], "--note", "they wrote back")["messages"] == names[:1]
    assert heliograph("unknown", "wait", "--until", "12h", "--message", names[1]) == {"messages": [names[1]], "left": 0}
    (waiting,) = [one for one in heliograph("unknown", "Left") if one["decision"]]
    assert (waiting["decision"]["kind"], waiting["decision"]["overdue"]) == ("wait", False)
    assert waiting["decision"]["by"].startswith("cli:")
    assert heliograph("unknown", "ask", "Left")["findings"] == {"nothing": PEOPLE - 1}
    sent = heliograph("unknown", "resend", "Left", "--note", "by noon")
    assert list(sent["messages"]) == names[1:]
    assert (sent["secondTexts"], sent["left"]) == (PEOPLE - 1, 0)
    ledger = heliograph("status", "Left")[0]["ledger"]
    assert (ledger["total"], ledger["accepted"], ledger["ready"], ledger["unknown"]) == (PEOPLE, 1, PEOPLE - 1, 0)
    story = heliograph("explain", names[1])
    assert story["messageId"] == sent["messages"][names[1]]
    assert "came_of" in [event["what"] for event in story["events"]]
    with pytest.raises(errors.Invalid, match="No messages are chosen"):
        heliograph("unknown", "accept")


@pytest.mark.usefixtures("left")
def test_why_and_the_story_of_a_number_and_of_a_campaign(heliograph: Command) -> None:
    told = heliograph("why", "Left")
    assert [cause["kind"] for cause in told["causes"]] == ["unknown_only"]
    whole = heliograph("explain", "Left")
    assert whole["ledger"]["unknown"] == PEOPLE
    assert [(one["status"], one["people"]) for one in whole["reasons"]] == [("unknown", PEOPLE)]
    found = heliograph("explain", number(1))
    assert (found["wouldBeTexted"], [one["status"] for one in found["messages"]]) == (True, ["unknown"])
    assert number(1) not in str(found)
    assert heliograph("explain", number(1), "--numbers")["number"] == number(1)


@pytest.mark.usefixtures("left", "heliograph")
def test_the_doctor_says_how_each_thing_is_and_ends_with_a_fault() -> None:
    result = CliRunner().invoke(app, ["doctor"], prog_name="heliograph")
    assert result.exit_code == 1, "a server for tests has no fsync"
    assert "1 run recounted: what is kept equals the rows" in result.stdout
    assert "the fate of 6 messages is unknown" in result.stdout
    lines = {line.split()[1]: line.split()[0] for line in result.stdout.splitlines()[1:] if line.split()}
    assert (lines["tallies"], lines["unknown"], lines["durability"]) == ("OK", "WARN", "FAULT")


@pytest.mark.usefixtures("left")
def test_people_are_told_in_words(heliograph: Command) -> None:
    for command, words in (
        (["unknown", "Left"], "the worker was gone before the carrier answered"),
        (["why", "Left"], "Nobody is left but 6 people unknown"),
        (["explain", "Left"], "unknown     6"),
        (["explain", "Left"], "for these reasons:\n  unknown: "),
        (["explain", number(1)], "Would it be texted now? yes"),
        (["unknown", "resend", "Left"], "6 messages sent again. It may be a second text to 6 people."),
        (["unknown", "Left"], "None: the fate of every message is known."),
    ):
        result = CliRunner().invoke(app, command, prog_name="heliograph")
        assert result.exit_code == 0, result.output
        assert words in result.stdout
    assert heliograph("unknown", "list") == []
