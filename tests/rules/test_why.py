"""Each reason for standing still has one cause that a machine can read, and one sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from heliograph.rules import why, why_words
from heliograph.rules.campaign import CampaignStatus
from heliograph.rules.why import ALARMING, Facts, Kind, Numbers, Through, Wait

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
BEGUN = NOW - timedelta(minutes=5)
TOMORROW = NOW + timedelta(hours=21, minutes=30)
ALWAYS = {"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "12:00 AM", "end": "12:00 AM"}]}
AT_NIGHT = {"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "1:00 AM", "end": "2:00 AM"}]}
WORKING = Through("+12025550100", "Main", lane_held=True)
DOWN = replace(WORKING, down_since=BEGUN, next_try_at=NOW + timedelta(seconds=90), words="connection refused")
PAUSED = replace(WORKING, lane_held=False, paused_at=BEGUN, paused_reason="wrong password")


def facts(status: str = "Active", numbers: Numbers | None = None, **more: Any) -> Facts:
    """A campaign of 100 people under way, all of whom are ready, unless it is said otherwise."""
    usual: dict[str, Any] = {
        "contacts": 100,
        "lists": 1,
        "audience": 100,
        "started_at": BEGUN,
        "calling_hours": ALWAYS,
        "through": (WORKING,),
    }
    return Facts(CampaignStatus(status), "+12025550100", numbers or Numbers(total=100, ready=100), **(usual | more))


HELD = Numbers(total=100, held=100)
KOLKATA = Wait("Asia/Kolkata", TOMORROW, 100)
PANHANDLE = ("US,US-FL America/Chicago,America/New_York",)
AT_DAWN = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)

CASES: list[tuple[Facts, list[str], str]] = [
    (facts("Preparing"), ["preparing"], "Being made ready; it cannot be started yet."),
    (facts("Ready"), ["ready_to_start"], "Ready to start: 100 contacts on 1 list."),
    (facts("Ready", contacts=0), ["empty_lists"], "Its lists are empty."),
    (
        facts("Ready", served=False),
        ["no_sender", "ready_to_start"],
        "Sender +12025550100 has no carrier. Ready to start: 100 contacts on 1 list.",
    ),
    (facts("Scheduled", next_at=TOMORROW), ["scheduled"], "Starts by itself Tue 03:30 UTC."),
    (facts("Rescheduled"), ["no_start_to_come"], "Scheduled, with no start to come."),
    (
        facts("Paused"),
        ["paused_by_person"],
        "Held by a person, with 100 people waiting until it is resumed.",
    ),
    (facts(gate_closing=True), ["being_stopped"], "Being stopped."),
    (
        facts("Stopped", Numbers(total=100, expired=97, submitting=3), ended_at=NOW),
        ["stopped", "being_stopped"],
        (
            "Stopped Mon 06:00 UTC; 97 people were not texted. "
            "Being stopped: 3 people had left already; their answers are awaited."
        ),
    ),
    (facts("Stopped", Numbers(), through=()), ["stopped"], "Stopped before it was ever started."),
    (
        facts("Completed", Numbers(total=100, sent=97, unknown=3), ended_at=NOW),
        ["finished", "unknown_only"],
        (
            "Finished Mon 06:00 UTC; 97 people texted. "
            "Nobody is left but 3 people unknown: a text may have reached them; none is sent again by itself."
        ),
    ),
    (facts("Completed", Numbers(), ended_at=NOW), ["finished"], "Finished Mon 06:00 UTC; its lists were empty."),
    (facts(), ["sending"], "Sending as fast as the carrier takes."),
    (
        facts(rate=2.5),
        ["waiting_tokens"],
        "Sending, at most 2.5 parts a second: 100 people to come, until about Mon 06:00 UTC.",
    ),
    (
        facts(numbers=Numbers(), planned=False),
        ["planning"],
        "Reading its lists: 0 of up to 100 people so far.",
    ),
    (
        facts(numbers=HELD, calling_hours=AT_NIGHT, waits=(KOLKATA,)),
        ["closed_hours"],
        "Closed until Tue 09:00 Asia/Kolkata for 100 people.",
    ),
    (
        facts(numbers=HELD, calling_hours=AT_NIGHT, waits=(replace(KOLKATA, people=60), Wait("UTC", TOMORROW, 30))),
        ["closed_hours", "closed_hours", "held_later"],
        "Closed until Tue 09:00 Asia/Kolkata for 60 people; until Tue 03:30 UTC for 30 people; later for 10 more.",
    ),
    (
        facts(numbers=HELD, waits=(replace(KOLKATA, day_used=True),)),
        ["day_used"],
        "The sender's day is used up until Tue 09:00 Asia/Kolkata for 100 people.",
    ),
    (
        facts(numbers=HELD, waits=(Wait("Asia/Kolkata", AT_DAWN, 100, laws=PANHANDLE),)),
        ["quiet_hours"],
        "Quiet hours in Florida until Mon 08:00 America/Chicago and 1 more for 100 people.",
    ),
    (
        facts(numbers=HELD, waits=(KOLKATA,)),
        ["retrying_from"],
        "To be tried again from Tue 09:00 Asia/Kolkata for 100 people.",
    ),
    (
        facts(through=(DOWN,)),
        ["carrier_down"],
        "The line of Main: connection refused has been down since Mon 2 Mar 05:55 UTC, next try Mon 06:01 UTC.",
    ),
    (
        facts(through=(PAUSED,)),
        ["carrier_paused"],
        (
            "Carrier account Main: wrong password has been paused since Mon 2 Mar 05:55 UTC; "
            "resume it once that is put right."
        ),
    ),
    (
        facts(through=(replace(WORKING, panic_at=BEGUN, panic_words="by Ada (wrong text)"),)),
        ["panic"],
        "The panic button was pressed by Ada (wrong text) Mon 2 Mar 05:55 UTC: nothing leaves until it is released.",
    ),
    (facts(through=(replace(WORKING, gone=True),)), ["no_sender"], "Sender +12025550100 has no carrier."),
    (
        facts(through=(replace(WORKING, lane_held=False),)),
        ["no_worker"],
        "No worker is sending it. Start one: heliograph work",
    ),
    (facts(through=(WORKING, DOWN)), ["sending", "carrier_down"], ""),  # one of a pool
    (
        facts(numbers=HELD, calling_hours=AT_NIGHT, waits=(KOLKATA,), through=(replace(WORKING, lane_held=False),)),
        ["closed_hours", "no_worker"],  # it waits for the morning, and then for a worker
        "",
    ),
    (facts(numbers=Numbers(total=100, sent=100)), ["finishing"], "Everybody is settled; finishing."),
    (
        facts(numbers=Numbers(total=100, sent=100), talks=1),
        ["talking"],
        "Everybody is settled; 1 person is still in a conversation, until they answer or their time is over.",
    ),
    (facts(numbers=Numbers(total=100, sent=97, unknown=3)), ["unknown_only"], ""),
    (facts(numbers=Numbers(total=100, ready=97, unknown=3)), ["sending", "unknown"], ""),
]


@pytest.mark.parametrize(("standing", "kinds", "words"), CASES)
def test_every_cause_has_its_kind_and_its_sentence(standing: Facts, kinds: list[str], words: str) -> None:
    found = why.causes(standing, NOW)
    assert [cause.kind.value for cause in found] == kinds
    if words:
        assert why_words.plain(why_words.tell(found), NOW) == words


def test_every_kind_is_among_the_cases() -> None:
    assert {kind for _, kinds, _ in CASES for kind in kinds} == {kind.value for kind in Kind}


def test_a_worker_has_a_moment_to_begin() -> None:
    standing = facts(through=(replace(WORKING, lane_held=False),), started_at=NOW)
    assert why.causes(standing, NOW)[0].kind is Kind.SENDING
    assert why.causes(standing, NOW + why.NOTICE)[0].kind is Kind.NO_WORKER


def test_the_time_it_clears_is_told() -> None:
    assert why.causes(facts(rate=2.5), NOW)[0].until == NOW + timedelta(seconds=40)
    assert why.causes(facts(through=(DOWN,)), NOW)[0].until == DOWN.next_try_at
    assert why.causes(facts(numbers=HELD, waits=(KOLKATA,)), NOW)[0].until == TOMORROW


counts = some.integers(0, 3)


@given(
    some.sampled_from(list(CampaignStatus)),
    some.builds(Numbers, total=some.just(20), held=counts, ready=counts, submitting=counts, unknown=counts),
    some.booleans(),
    some.lists(some.sampled_from([WORKING, DOWN, PAUSED, replace(WORKING, gone=True)]), max_size=2),
    some.sampled_from([None, 0.01, 100.0]),
)
def test_there_is_always_a_cause_and_it_is_told_once(
    status: CampaignStatus, numbers: Numbers, planned: bool, through: list[Through], rate: float | None
) -> None:
    standing = facts(status.value, numbers, planned=planned, through=tuple(through), rate=rate)
    found = why.causes(standing, NOW)
    assert found
    assert len({(cause.kind, cause.zone, cause.until, cause.detail) for cause in found}) == len(found)
    for cause in found:
        assert why_words.sentence(cause, NOW).strip()
    both = [*why_words.tell(found, alarms=False), *why_words.tell(found, alarms=True)]
    assert sum(map(str.__len__, (str(piece) for piece in both))) > 0
    assert any(cause.kind in ALARMING for cause in found) == bool(why_words.tell(found, alarms=True))
