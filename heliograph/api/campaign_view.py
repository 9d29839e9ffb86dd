"""What the API answers about a campaign: the vendor's fields, in the vendor's order, for each of its versions.

The two versions differ in little, and in these places only:

=====================  ====================================  =========================================
answer                 v1                                    v2
=====================  ====================================  =========================================
create, get, update    ``enableMachineDetect: false``        ``isImported``, ``isFiltersEnabled``,
                                                             ``dncLists`` when one is linked
delete                 an order of its own, neither of       as get
                       the extras
row of a list          -                                     ``dncLists`` when one is linked
=====================  ====================================  =========================================

Create lacks ``schedule.isRecurrenceEnabled``; everything later has it. ``campaignInstanceId`` is there from
the first start on. The flow's id stands where the message would, in advanced campaigns. ``filters``,
``zoneRule``, ``transactional``, ``exclude`` and ``holdOut``, our additions, are in all but the rows of a list, when
they are not as by default.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from heliograph.api.envelope import instant
from heliograph.api.paths import Version
from heliograph.rules import message as message_rules
from heliograph.rules.message import MessageStatus
from heliograph.rules.timing import Counted
from heliograph.store.campaigns import Campaign, Listed
from heliograph.store.messages import Person
from heliograph.store.outcomes import Reason
from heliograph.store.tallies import Ledger

Answer = dict[str, Any]


def created(campaign: Campaign, version: Version) -> Answer:
    """``data`` of a create."""
    return _whole(campaign, version) | {"schedule": _scheduling(campaign)}


def whole(campaign: Campaign, version: Version) -> Answer:
    """``data`` of a get or an update."""
    return _whole(campaign, version)


def deleted(campaign: Campaign, version: Version) -> Answer:
    """``data`` of a delete: the campaign as it was."""
    if version == 2:  # noqa: PLR2004  # versions are called by their numbers
        return _whole(campaign, version)
    return {
        "_id": campaign.public_id,
        "name": campaign.name,
        "lname": campaign.lname,
        "description": campaign.description or "",
        "priority": str(campaign.priority),
        "format": campaign.format,
        "dialingStrategy": campaign.dialing,
        **_content(campaign),
        **_ours(campaign),
        "status": campaign.status.value,
        "createdAt": instant(campaign.created_at),
        "updatedAt": instant(campaign.updated_at),
        "schedule": _schedule(campaign),
        **_instance(campaign),
        "contactLists": list(campaign.list_names),
    }


def row(listed: Listed, version: Version) -> Answer:
    """One of ``data.results`` of a list."""
    campaign = listed.campaign
    return {
        "name": campaign.name,
        "description": campaign.description or "",
        "status": campaign.status.value,
        **_dnc(campaign, version),
        "priority": str(campaign.priority),
        **_content(campaign),
        "createdAt": instant(campaign.created_at),
        "updatedAt": instant(campaign.updated_at),
        "schedule": _schedule(campaign),
        **_instance(campaign),
        "id": campaign.public_id,
        "totalMessagesSent": listed.sent,
        "campaignInstanceUpdatedAt": instant(campaign.run_updated_at or campaign.updated_at),
        "campaignExecutionType": "EMERGENCY" if campaign.emergency else "NORMAL",
        "contactLists": list(campaign.list_names),
        "format": campaign.format,
    }


def started(campaign: Campaign) -> Answer:
    """The whole answer to a play, which has no ``data``."""
    return {
        "status": campaign.status.value,
        "message": "Campaign Started",
        "updatedAt": instant(campaign.updated_at),
    }


def stopped(campaign: Campaign) -> Answer:
    """The whole answer to a stop, which has no ``data``."""
    return {
        "status": campaign.status.value,
        "message": "Campaign Stopped",
        "updatedAt": instant(campaign.updated_at),
        "campaignExecutionType": "EMERGENCY" if campaign.emergency else "NORMAL",
    }


def paused(campaign: Campaign) -> Answer:
    """The whole answer to a pause; ours, in the shape of the vendor's other triggers."""
    return started(campaign) | {"message": "Campaign Paused"}


def resumed(campaign: Campaign) -> Answer:
    """The whole answer to a resume; ours too."""
    return started(campaign) | {"message": "Campaign Resumed"}


def status(campaign: Campaign) -> Answer:
    """``data`` of ``view=status``."""
    return {"id": campaign.public_id, "status": campaign.status.value, "name": campaign.name}


def person(someone: Person, now: datetime) -> Answer:
    """One of ``data.results`` of ``view=contacts``. The status words are ours: the vendor names none for SMS."""
    due = someone.due_at is not None and someone.due_at <= now
    where, why = message_rules.standing(outcome=someone.status, taken=someone.taken, due=due, ended=someone.ended)
    # Stored are the tries that ended in a temporary refusal; whoever has left, or is leaving, is at one more.
    tries = someone.attempts + (MessageStatus.SUBMITTING <= where <= MessageStatus.DELIVERED)
    return {
        "phoneNumber": someone.number,
        "uniqueId": someone.unique_id or "",
        "dialerOutcome": "" if where in message_rules.UNSETTLED else "completed",
        "numberOfAttemptsSoFar": tries,
        "botSessionId": "",
        "agentDispositionCodes": [],
        "botOutboundStatus": where.word,
        "botOutboundStatusDetail": someone.reason or why,
    }


def ledger(campaign: Campaign, numbers: Ledger) -> Answer:
    """``data`` of ``view=ledger``, our addition: where everyone of the present run stands.

    ``total`` is always the sum of the nine after it.
    """
    words = [member.word for member in MessageStatus]
    return {
        "id": campaign.public_id,
        "status": campaign.status.value,
        "name": campaign.name,
        **_instance(campaign),
        "total": numbers.total,
        **{word: getattr(numbers, word) for word in words},
    }


def zones(campaign: Campaign, counted: Counted) -> Answer:
    """``data`` of ``view=zones``, our addition: by whose zones how many people of the present run are texted."""
    return {
        "id": campaign.public_id,
        "status": campaign.status.value,
        "name": campaign.name,
        **_instance(campaign),
        "byContact": counted.by_contact,
        "byNumber": counted.by_number,
        "byCampaign": counted.by_campaign,
        "transactional": counted.exempt,
    }


def reasons(campaign: Campaign, counted: Sequence[Reason]) -> Answer:
    """``data`` of ``view=reasons``, our addition: for which reasons how many people of the present run got no text."""
    return {
        "id": campaign.public_id,
        "status": campaign.status.value,
        "name": campaign.name,
        **_instance(campaign),
        "reasons": [one._asdict() for one in counted],
    }


def _whole(campaign: Campaign, version: Version) -> Answer:
    v1 = version == 1
    return {
        "_id": campaign.public_id,
        "name": campaign.name,
        "lname": campaign.lname,
        "description": campaign.description or "",
        "status": campaign.status.value,
        **_dnc(campaign, version),
        "priority": str(campaign.priority),
        "dialingStrategy": campaign.dialing,
        **_content(campaign),
        **({} if v1 else {"isImported": False, "isFiltersEnabled": campaign.filters is not None}),
        **_ours(campaign),
        "createdAt": instant(campaign.created_at),
        "updatedAt": instant(campaign.updated_at),
        "schedule": _schedule(campaign),
        **_instance(campaign),
        "contactLists": list(campaign.list_names),
        **({"enableMachineDetect": False} if v1 else {}),
        "format": campaign.format,
    }


def _content(campaign: Campaign) -> Answer:
    if campaign.format == "advanced":
        return {"experienceFlow": campaign.flow_id}
    message = campaign.message or {}
    unset = {key for key in ("template_name", "templateId") if not message.get(key)}
    return {"message": {key: value for key, value in message.items() if key not in unset}}


def _ours(campaign: Campaign) -> Answer:
    """Our own, when there are any: filters, the rule of zones, and whether quiet hours do not count."""
    return {
        **({} if campaign.filters is None else {"filters": campaign.filters}),
        **({} if campaign.zone_rule == "vendor" else {"zoneRule": campaign.zone_rule}),
        **({"transactional": True} if campaign.transactional else {}),
        **({"exclude": {"campaigns": list(campaign.exclude_names)}} if campaign.exclude_names else {}),
        **({"holdOut": campaign.hold_out} if campaign.hold_out else {}),
    }


def _dnc(campaign: Campaign, version: Version) -> Answer:
    if version == 1 or campaign.dnc_list_name is None:
        return {}
    return {"dncLists": {"name": campaign.dnc_list_name}}


def _instance(campaign: Campaign) -> Answer:
    return {} if campaign.run_public_id is None else {"campaignInstanceId": campaign.run_public_id}


def _scheduling(campaign: Campaign) -> Answer:
    return {"isSchedulingEnabled": campaign.scheduled}


def _schedule(campaign: Campaign) -> Answer:
    return _scheduling(campaign) | {"isRecurrenceEnabled": campaign.recurring}
