"""A run, from play to its last text: everybody once, with the right words, and the numbers add up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heliograph.actions import app_settings, contact_edits, lists, runs
from heliograph.actions import dnc as no_contact
from heliograph.errors import IllegalMove, InUse
from heliograph.rules import ids
from heliograph.store import lists as list_rows
from tests.engine.conftest import number

if TYPE_CHECKING:
    from tests.engine.conftest import World

pytestmark = pytest.mark.anyio


async def test_everybody_of_every_list_is_texted_once(world: World) -> None:
    await world.add_numbers("First", 0, 700)
    await world.add_numbers("Second", 500, 700)
    campaign = await world.campaign("Union", ["First", "Second"])
    async with world.working():
        playing = await world.play(campaign)
        ledger = await world.until(playing)
    taken = world.transcript(campaign)
    assert sorted(t["to"] for t in taken) == [number(n) for n in range(1200)]
    assert ledger.total == ledger.accepted + ledger.delivered == 1200
    assert {t["runId"] for t in taken} == {playing.run_public_id}
    assert {t["from"] for t in taken} == {"+12025550100"}


async def test_each_gets_their_own_words(world: World) -> None:
    people = [
        {"number": number(1), "First Name": "Ada", "city": "Pune"},
        {"number": number(2), "first_name": "Bo", "CITY": "Łódź"},
        {"number": number(3), "firstName": "Cy"},
    ]
    await world.add_list("People", people)
    campaign = await world.campaign("Words", ["People"], text='Hi <First Name>, from {{city|default:"home"}}!')
    async with world.working():
        await world.until(await world.play(campaign))
    said = {t["to"]: (t["text"], t["parts"]) for t in world.transcript(campaign)}
    assert said == {
        number(1): ("Hi Ada, from Pune!", 1),
        number(2): ("Hi Bo, from Łódź!", 1),
        number(3): ("Hi Cy, from home!", 1),
    }


async def test_whoever_is_left_out_has_a_row_and_a_reason(world: World) -> None:
    people = [{"number": number(n), "name": "X"} for n in range(4)] + [{"number": number(9), "name": ""}]
    await world.add_list("People", people)
    await world.block(number(2))
    message = {"message": "Dear {{name}}", "onMissing": {"rule": "skip"}}
    campaign = await world.campaign("Left out", ["People"], message=message)
    async with world.working():
        playing = await world.play(campaign)
        ledger = await world.until(playing)
    assert (ledger.total, ledger.suppressed, ledger.sent) == (5, 2, 3)
    reasons = await world.reasons(playing)
    assert reasons[number(2)] == "do_not_contact"
    assert reasons[number(9)] == "missing_value: name"
    assert {t["to"] for t in world.transcript(campaign)} == {number(0), number(1), number(3)}


async def test_a_number_blocked_after_planning_is_not_texted(world: World) -> None:
    await world.add_numbers("People", 0, 40)
    await world.rate(10)
    campaign = await world.campaign("Late no", ["People"])
    async with world.working():
        playing = await world.play(campaign)
        await world.taken(5, campaign)
        await world.block(*[number(n) for n in range(20, 40)])
        ledger = await world.until(playing)
    assert {t["to"] for t in world.transcript(campaign)} == {number(n) for n in range(20)}
    assert (ledger.suppressed, ledger.sent) == (20, 20)


async def test_a_prefix_keeps_all_that_begin_with_it_from_being_texted(world: World) -> None:
    await world.add_numbers("People", 0, 40)
    await world.block(number(3), f"{number(10)[:-1]}*")  # 10 to 19
    await world.rate(10)
    campaign = await world.campaign("Prefixes", ["People"])
    async with world.working():
        playing = await world.play(campaign)
        await world.taken(5, campaign)
        await world.block(f"{number(20)[:-1]}*", f"{number(30)[:-1]}*")
        ledger = await world.until(playing)
    assert {t["to"] for t in world.transcript(campaign)} == {number(n) for n in range(10) if n != 3}
    assert (ledger.suppressed, ledger.sent) == (31, 9)
    assert (await world.reasons(playing))[number(39)] == "do_not_contact"


async def test_a_run_keeps_the_do_not_contact_lists_it_started_with(world: World) -> None:
    await world.add_numbers("People", 0, 20)
    await world.rate(10)
    app, now = world.app, world.clock()
    await no_contact.create(world.db, app, name="Never", now=now)
    campaign = await world.campaign("Frozen", ["People"], dncLists={"name": "Never"})
    async with world.working():
        playing = await world.play(campaign)
        await world.taken(2, campaign)
        await no_contact.update(world.db, app, "Default Global DNC", {"isGlobalDNC": False}, now=now)
        await app_settings.update(world.db, app, {"globalDncAppliesToSms": False}, now=now)
        with pytest.raises(InUse, match="campaign Frozen"):
            await lists.delete(world.db, app, "Never", now=now, kind="dnc")
        await no_contact.add(world.db, app, None, [f"{number(10)[:-1]}*"], source="person", now=now)  # 10 to 19
        await no_contact.add(world.db, app, "Never", [f"{number(9)}*"], source="person", now=now)
        ledger = await world.until(playing)
    assert (ledger.suppressed, ledger.sent) == (11, 9)


async def test_a_contact_removed_while_its_campaign_runs_is_texted_if_it_was_planned(world: World) -> None:
    await world.add_numbers("People", 0, 20)
    await world.rate(10)
    campaign = await world.campaign("Removed", ["People"])
    async with world.working():
        playing = await world.play(campaign)
        await world.taken(2, campaign)
        async with world.db.connection() as conn:
            people = await list_rows.get(conn, world.app.app_id, "People")
        last = ids.contact_id(people.public_id, 20)
        await contact_edits.remove(world.db, world.app, "People", last, now=world.clock())
        ledger = await world.until(playing)
        assert (ledger.total, ledger.sent) == (20, 20)
        again = await world.until(await world.play(campaign))
    assert (again.total, again.sent) == (19, 19)


async def test_playing_again_is_a_new_run_over_everybody(world: World) -> None:
    await world.add_numbers("People", 0, 10)
    campaign = await world.campaign("Again", ["People"])
    async with world.working():
        first = await world.play(campaign)
        await world.until(first)
        second = await world.play(campaign)
        await world.until(second)
    assert first.run_public_id != second.run_public_id
    assert sorted(t["to"] for t in world.transcript(campaign)) == sorted([number(n) for n in range(10)] * 2)


async def test_an_audience_of_nobody_completes(world: World) -> None:
    await world.add_list("Nobody", [])
    async with world.working():
        ledger = await world.until(await world.play(await world.campaign("Empty", ["Nobody"])))
    assert ledger.total == 0


async def test_play_is_refused_while_active(world: World) -> None:
    await world.add_numbers("People", 0, 1)
    campaign = await world.campaign("Twice", ["People"])
    await world.play(campaign)
    with pytest.raises(IllegalMove, match="Twice is Active"):
        await world.play(campaign)


async def test_refused_for_now_is_tried_again_and_nobody_is_lost(world: World) -> None:
    await world.sandbox(throttle_per_second=200, receipt_ms=[1, 2], latency_ms=[1, 2])
    await world.add_numbers("People", 0, 600)
    campaign = await world.campaign("Throttled", ["People"])
    async with world.working():
        ledger = await world.until(await world.play(campaign), seconds=40)
    assert sorted(t["to"] for t in world.transcript(campaign)) == [number(n) for n in range(600)]
    assert ledger.sent == 600


async def test_refused_for_good_is_failed_with_the_code(world: World) -> None:
    await world.sandbox(patterns=[{"match": number(3), "refuse": 1.0}])
    await world.add_numbers("People", 0, 5)
    async with world.working():
        playing = await world.play(await world.campaign("Refused", ["People"]))
        ledger = await world.until(playing)
    assert ledger.failed == 1
    assert (await world.reasons(playing))[number(3)]


async def test_campaigns_share_a_sender_by_priority(world: World) -> None:
    await world.rate(200)
    await world.add_numbers("People", 0, 1000)
    high = await world.campaign("Five", ["People"], priority="5")
    low = await world.campaign("Three", ["People"], priority="3")
    async with world.working():
        low, high = await world.play(low), await world.play(high)
        await world.taken(800)
        await runs.stop(world.db, world.app, high.public_id, now=world.clock())
        await runs.stop(world.db, world.app, low.public_id, now=world.clock())
    sent = [t["campaignId"] for t in world.transcript()]
    both = max(sent.index(high.public_id), sent.index(low.public_id))  # from here on they share
    sent = sent[both : both + 600]
    assert sent.count(high.public_id) / len(sent) == pytest.approx(5 / 8, abs=0.04)
