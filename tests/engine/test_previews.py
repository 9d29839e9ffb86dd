"""What a preview says is what the run then does."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from heliograph.actions import app_settings, onlookers, previews, runs
from heliograph.engine import plan
from heliograph.rules import parts
from heliograph.store import outcomes
from heliograph.store import runs as run_rows
from tests.engine.conftest import number

if TYPE_CHECKING:
    from heliograph.store.campaigns import Campaign
    from tests.conftest import FrozenClock
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio

PEOPLE = int(os.environ.get("HELIOGRAPH_PREVIEWED", "5000"))
TEXT = "Hi {{first name}}, your {{item}} is ready. It\u2019s at the counter until Friday; please bring this text along."
OUTCOMES = "SELECT split_part(reason, ':', 1), count(*) FROM outcome WHERE run_id = %(run)s AND reason <> '' GROUP BY 1"
PARTS = "SELECT parts, count(*) FROM message WHERE run_id = %(run)s AND parts > 0 GROUP BY 1"
DUES = """
SELECT c.due_at, sum(m.parts)
FROM chunk c JOIN message m ON m.run_id = c.run_id AND m.seq BETWEEN c.first_seq AND c.last_seq
WHERE c.run_id = %(run)s GROUP BY 1
"""
OPT_OUT = """
INSERT INTO opt_out (app_id, number, address, kind, source, created_at)
SELECT %(app_id)s, number, '', 'no', 'reply', %(now)s FROM unnest(%(numbers)s::text[]) AS n (number)
"""
TEXTS = "SELECT text FROM message WHERE run_id = %(run)s AND parts > 0"


def people(count: int) -> list[dict[str, Any]]:
    """A mixed audience: accents, emoji, curly quotes, long words, gaps, zones, other countries."""
    chance = random.Random(6)
    names = ["Ann", "José", "Zoë", "Łukasz", "Jo\u2019an", "王芳", "O'Neil", "", "Maximilian-Alexander"]
    items = ["parcel", "new pair of glasses", "café order", "order \u2014 express", "gift \U0001f381", "x" * 90, ""]
    zones = [None, None, "Europe/Paris", "Mars/Olympus", "Asia/Kolkata"]
    prefixes = ["+1202555", "+4420794", "+3319900", "+1415555"]
    return [
        {
            "number": f"{chance.choice(prefixes)}{n:05d}",
            "zone": chance.choice(zones),
            "first name": chance.choice(names),
            "Item": chance.choice(items),
            "vip": chance.random() < 0.9,
        }
        for n in range(count)
    ]


async def facts(world: World, campaign: Campaign, **how: Any) -> dict[str, Any]:
    now = how.pop("now", world.clock())
    found = await previews.show(world.db, world.app, campaign.public_id, now=now, **how)
    return previews.facts(found, lambda at: at.isoformat())


async def mixed(world: World, count: int) -> Campaign:
    """A campaign for which every reason holds for somebody."""
    crowd = people(count)
    await world.add_list("Crowd", crowd)
    await world.add_list("Again", crowd[: count // 10])
    await world.add_list("Readers", crowd[count // 4 : count // 4 + count // 20])
    await world.block(*(one["number"] for one in crowd[:: count // 50]))
    async with world.db.connection() as conn:
        said_no = [one["number"] for one in crowd[7 :: count // 40]]
        await conn.execute(OPT_OUT, {"app_id": world.app.app_id, "numbers": said_no, "now": world.clock()})
    async with world.working():
        readers = await world.campaign("Earlier", ["Readers"])
        await world.until(await world.play(readers))
        await world.add_list("Greeted", crowd[count // 2 : count // 2 + count // 20])
        await world.until(await world.play(await world.campaign("Greeting", ["Greeted"])))
    caps = {
        "frequencyCap": [{"texts": 1, "days": 2}],
        "prices": {"currency": "EUR", "perPart": {"US": 0.01, "GB": 0.04}},
    }
    await app_settings.update(world.db, world.app, caps, now=world.clock())
    return await world.campaign(
        "Launch",
        ["Crowd", "Again"],
        text=TEXT,
        message={"message": TEXT, "onMissing": {"rule": "skip"}},
        filters={"conditions": [{"column": "vip", "is": "equals", "value": "true"}]},
        exclude={"campaigns": ["Earlier"]},
        holdOut=10,
        zoneRule="recipient",
    )


async def outcome(world: World, played: Campaign) -> tuple[dict[str, int], dict[int, int], list[str]]:
    """Left out by reason, texts by parts, and the texts, as the run has them."""
    async with world.db.connection() as conn:
        run = {"run": played.run_id}
        reasons = dict(await (await conn.execute(OUTCOMES, run)).fetchall())
        sizes = dict(await (await conn.execute(PARTS, run)).fetchall())
        texts = [str(row[0]) for row in await (await conn.execute(TEXTS, run)).fetchall()]
    return reasons, sizes, texts


async def test_the_run_then_matches_it(world: World) -> None:
    campaign = await mixed(world, PEOPLE)
    told = await facts(world, campaign)
    async with world.working():
        played = await world.play(campaign)
        ledger = await world.until(played, seconds=60 + PEOPLE / 500)
    reasons, sizes, texts = await outcome(world, played)
    left_out = {why: people for why, people in told["leftOut"].items() if people and why != "duplicate"}
    assert told["exact"]
    assert told["contacts"] == PEOPLE * 11 // 10 == told["reached"] + sum(told["leftOut"].values())
    assert left_out == reasons
    assert {"do_not_contact", "filter_excluded", "missing_value", "got_campaign", "frequency_cap", "held_out"} == set(
        reasons
    )
    assert told["partsPerText"] == {str(size): many for size, many in sorted(sizes.items())}
    assert told["parts"] == sum(size * many for size, many in sizes.items())
    assert told["reached"] == ledger.accepted + ledger.delivered
    assert sum(told["zones"].values()) == told["reached"]
    wide = [text for text in texts if parts.measure(text).encoding != "GSM-7"]
    assert told["wideTexts"] == len(wide)
    seen = Counter(each for text in wide for each in set(text) if parts.measure(each).encoding != "GSM-7")
    assert {each["character"]: each["texts"] for each in told["characters"]} == dict(seen)
    async with world.db.connection() as conn:
        counted = await outcomes.count_reasons(conn, world.app.app_id, played.run_id or 0)
    assert {one.reason: one.people for one in counted if one.status == "suppressed"} == left_out


async def test_and_so_it_does_where_the_law_makes_people_wait(world: World, clock: FrozenClock) -> None:
    """Whoever waits, and until when, is as it was said; the run is only planned, by a clock that stands still."""
    campaign = await mixed(world, PEOPLE // 4)
    await app_settings.update(world.db, world.app, {"quietHours": {"enabled": True}}, now=world.clock())
    now = clock()
    shown = await previews.show(world.db, world.app, campaign.public_id, now=now)
    played = await runs.play(world.db, world.app, campaign.public_id, now=now)
    async with world.db.connection() as conn:
        (run,) = await run_rows.list_active(conn)
    while await plan.plan_page(world.db, run, now=now, limit=plan.PAGE):
        async with world.db.connection() as conn:
            (run,) = await run_rows.list_active(conn)
    reasons, sizes, _ = await outcome(world, played)
    async with world.db.connection() as conn:
        dues = dict(await (await conn.execute(DUES, {"run": played.run_id})).fetchall())
    foreseen = Counter[datetime]()
    for (due_at, _, _), needed in shown.preview.waiting().items():
        foreseen[due_at] += needed
    assert dues == foreseen
    assert len(dues) > 2, "there are those who may be texted now, and those who wait for different mornings"
    assert sizes == shown.preview.parts_per_text()
    assert reasons == {why: many for why, many in shown.preview.left_out.items() if why != "duplicate"}


@pytest.mark.parametrize("python", [sys.executable, "/bin/false"])
async def test_processes_share_a_large_audience(world: World, monkeypatch: pytest.MonkeyPatch, python: str) -> None:
    """And whoever they do not bring, because they could not start or were ended, is looked at all the same."""
    campaign = await mixed(world, 1_000)
    few = await world.campaign("Few lists", ["Crowd"], text=TEXT, holdOut=20)
    now = world.clock()
    alone = [await facts(world, each, now=now) for each in (campaign, few)]
    monkeypatch.setattr(onlookers, "MANY", 500)
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    monkeypatch.setattr(sys, "executable", python)
    heard: list[int] = []

    def hear(looked: int, _size: int) -> None:
        heard.append(looked)

    shared = await asyncio.gather(*(facts(world, each, now=now, told=hear) for each in (campaign, few)))
    assert shared == alone
    assert heard[-1] == alone[1]["contacts"]


async def test_plain_substitutes_cost_and_countries(world: World) -> None:
    await world.add_list("Three", [{"number": n} for n in ("+12025550101", "+442079460001", "+33199000001")])
    campaign = await world.campaign("Quote", ["Three"], text="It\u2019s here. " * 7)
    prices = {"currency": "eur", "perPart": {"US": 0.015, "*": 0.04}}
    await app_settings.update(world.db, world.app, {"prices": prices}, now=world.clock())
    told = await facts(world, campaign)
    assert told["parts"] == 6
    assert (told["cost"], told["currency"], told["unpriced"]) == ("0.19", "EUR", 0)
    plain = told["substitutes"]
    assert (plain["texts"], plain["parts"], plain["cost"], plain["template"]) == (3, 3, "0.095", "It's here. " * 7)
    assert told["characters"][0] | {"texts": 0} == {
        "character": "\u2019",
        "code": "U+2019",
        "name": "RIGHT SINGLE QUOTATION MARK",
        "texts": 0,
        "substitute": "'",
    }
    assert {row["country"]: row["parts"] for row in told["countries"]} == {"US": 2, "GB": 2, "FR": 2}


async def test_a_campaign_that_a_flow_speaks_for_is_reckoned_by_what_the_flow_says_first(world: World) -> None:
    names = (
        "Ada",
        "René",
        "Юлия",
        "A name that takes the welcome of the flow beyond what one part holds, by far and on",
    )
    crowd = [{"number": number(n), "First Name": names[n % len(names)]} for n in range(40)]
    await world.add_list("Crowd", crowd)
    campaign = await world.campaign("Talk", ["Crowd"], format="advanced", experienceFlowName="SMS Support Flow")
    told = await facts(world, campaign)
    assert told["reached"] == 40
    await world.play(campaign)
    async with world.working():
        await world.taken(40)
    sent = [text["parts"] for text in world.transcript()]
    assert told["parts"] == sum(sent)
    assert told["partsPerText"] == {str(each): sent.count(each) for each in sorted(set(sent))}
    assert told["wideTexts"] == 10


async def test_a_sample_says_that_it_is_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "SOON", 100)
    monkeypatch.setattr(previews, "SAMPLE", 500)
    await world.add_list("Crowd", people(2_000))
    campaign = await world.campaign("Launch", ["Crowd"], text=TEXT)
    told = await facts(world, campaign)
    assert not told["exact"]
    assert told["looked"] * 4 == told["contacts"]
    assert 1_600 < told["contacts"] < 2_400
    assert (await facts(world, campaign, exact=True))["contacts"] == 2_000


async def test_it_says_when_the_run_would_be_through(frozen_world: World) -> None:
    await frozen_world.add_numbers("Many", 0, 1_000)
    await frozen_world.rate(1)
    open_hour = {"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "09:00 AM", "end": "09:15 AM"}]}
    told = await facts(frozen_world, await frozen_world.campaign("Slow", ["Many"], hours=open_hour))
    # 900 on the first day, the rest on the second.
    assert told["begins"][11:16] == "09:00"
    assert told["ends"][11:19] == "09:01:40"
    assert int(told["ends"][8:10]) == int(told["begins"][8:10]) + 1
