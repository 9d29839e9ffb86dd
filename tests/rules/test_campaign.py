"""The lifecycle's table, where a slip would strand a campaign."""

from __future__ import annotations

import pytest

from heliograph.errors import IllegalMove
from heliograph.rules import campaign
from heliograph.rules.campaign import MOVES, UNDER_WAY, WAITING, CampaignStatus, Verb


@pytest.mark.parametrize("status", CampaignStatus)
def test_whatever_its_status_a_campaign_can_be_deleted_and_its_schedule_switched_off(status: CampaignStatus) -> None:
    assert campaign.after(status, Verb.DELETE, name="News") not in UNDER_WAY | WAITING
    assert campaign.after(status, Verb.UNSCHEDULE, name="News") not in WAITING


@pytest.mark.parametrize("status", sorted(UNDER_WAY | WAITING))
def test_whatever_may_send_can_be_stopped(status: CampaignStatus) -> None:
    assert campaign.after(status, Verb.STOP, name="News") is CampaignStatus.STOPPED


def test_a_start_is_for_what_waits_and_a_wait_for_what_runs() -> None:
    assert {before for before, verb in MOVES if verb is Verb.START} == WAITING
    assert {after for (_, verb), after in MOVES.items() if verb in (Verb.SCHEDULE, Verb.RECUR)} == WAITING
    assert not {before for before, verb in MOVES if verb is Verb.SCHEDULE} & UNDER_WAY
    assert not {before for before, verb in MOVES if verb is Verb.PLAY} & WAITING


def test_a_refusal_names_the_status_and_those_that_would_do() -> None:
    with pytest.raises(IllegalMove) as refused:
        campaign.after(CampaignStatus.PAUSED, Verb.SCHEDULE, name="News")
    assert refused.value.message == (
        "Campaign News is Paused, and enabling the schedule is possible only when it is: Ready, Stopped, Completed, "
        "Scheduled, Rescheduled"
    )
