"""A campaign as the fields of a form, and what was typed there as the body that the API takes for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from heliograph.errors import HeliographError
from heliograph.rules import draft, hours, markup
from heliograph.rules.hours import DAYS, CallingHours, Frequency
from heliograph.web import schedule_form
from heliograph.web.hours_words import clock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heliograph.store.campaigns import Campaign
    from heliograph.web.door import Form

Typed = dict[str, Any]

KINDS = ("text", "template", "flow")
OPENINGS = ("daily", "weekly", "always", "kept")
TWO = 2  # windows of a day that the form has room for
_WORKDAYS = DAYS[:5]

EMPTY: Typed = {
    "name": "",
    "description": "",
    "list": [],
    "dnc": "",
    "exclude": [],
    "hold_out": "0",
    "kind": "text",
    "text": "",
    "template": "",
    "flow": "",
    "missing": "empty",
    "missingDefault": "",
    "caller": "",
    "zone": "",
    "hours": "daily",
    "from": "09:00",
    "to": "18:00",
    "days": list(_WORKDAYS),
    "windows": dict.fromkeys(DAYS, ("09:00", "18:00", "", "")),
    "recipient": False,
    "transactional": False,
    "priority": "5",
    "schedule": dict(schedule_form.EMPTY),
}

# The field of the form beside which an error of the API's body belongs; the longest beginning counts.
_FIELDS = {
    "name": "name",
    "description": "description",
    "contactLists": "list",
    "dncLists": "dnc",
    "exclude": "exclude",
    "holdOut": "hold_out",
    "message.template": "template",
    "message.onMissing": "missing",
    "message": "text",
    "experienceFlowName": "flow",
    "dialingStrategy.callerId": "caller",
    "dialingStrategy.callingHours.timezone": "zone",
    "dialingStrategy.callingHours": "hours",
    "zoneRule": "recipient",
    "transactional": "transactional",
    "priority": "priority",
    **schedule_form.FIELDS,
}


def place_of(error: HeliographError) -> str:
    """The field of the form that an error is about; ``form`` when it is about the whole."""
    path = error.field or ""
    found = [prefix for prefix in _FIELDS if path == prefix or path.startswith((f"{prefix}.", f"{prefix}[", prefix))]
    return _FIELDS[max(found, key=len)] if found else "form"


def read(form: Form) -> Typed:
    """What was typed, to be shown again and to be made a body of."""
    typed: Typed = {name: form.text(name, usual) for name, usual in EMPTY.items() if isinstance(usual, str)}
    typed["text"] = (form.all("text") or [""])[-1]
    typed |= {name: [one for one in form.all(name) if one] for name in ("list", "exclude")}
    typed |= {name: bool(form.text(name)) for name in ("recipient", "transactional")}
    typed["days"] = [day for day in form.all("days") if day in DAYS]
    typed["windows"] = {day: tuple(form.text(f"{day}-{place}") for place in range(2 * TWO)) for day in DAYS}
    typed["schedule"] = schedule_form.read(form)
    typed["kind"] = typed["kind"] if typed["kind"] in KINDS else "text"
    typed["hours"] = typed["hours"] if typed["hours"] in OPENINGS else "daily"
    return typed


def missing(typed: Typed) -> dict[str, str]:
    """What has to be there and is not, in words for whoever fills in the form."""
    found: dict[str, str] = {}
    if not typed["name"]:
        found["name"] = "Give it a name, by which it is found again."
    if not typed["list"]:
        found["list"] = "Choose at least one list: its people are texted."
    if typed["kind"] == "text" and not typed["text"].strip():
        found["text"] = "Write what people are to read."
    if typed["kind"] == "template" and not typed["template"]:
        found["template"] = "Choose the template whose words are sent."
    if typed["kind"] == "flow" and not typed["flow"]:
        found["flow"] = "Choose the flow that holds the conversation."
    if not typed["caller"]:
        found["caller"] = "Choose whom the texts come from."
    if typed["hours"] == "weekly" and not typed["days"]:
        found["hours"] = "Tick at least one day: texts leave on these only."
    if typed["schedule"]["starts"] != "hand" and not typed["schedule"]["start_date"]:
        found["start_date"] = "Choose the day of the first start."
    if typed["schedule"]["starts"] == "weekly" and not typed["schedule"]["weekdays"]:
        found["weekdays"] = "Tick at least one day of the week."
    return found


def body(typed: Typed, before: Campaign | None = None) -> dict[str, object]:
    """The body that the API takes. What the form has no field for stays as it was ``before``."""
    dialing: dict[str, object] = {} if before is None else dict(before.dialing)
    caller = dict(cast("Mapping[str, object]", dialing.get("callerId") or {})) | {"phoneNumber": typed["caller"]}
    kept = cast("dict[str, Any]", dialing.get("callingHours") or {})
    dialing |= {"callerId": caller, "callingHours": _hours(typed, kept)}
    found: dict[str, object] = {
        "name": typed["name"],
        "description": typed["description"],
        "campaignType": "sms",
        "format": "advanced" if typed["kind"] == "flow" else "simple",
        "contactLists": typed["list"],
        "dialingStrategy": dialing,
        "priority": typed["priority"],
        "schedule": {"isSchedulingEnabled": before is not None and before.scheduled},
        "zoneRule": "recipient" if typed["recipient"] else "vendor",
        "transactional": typed["transactional"],
        "holdOut": int(typed["hold_out"]) if typed["hold_out"].isdecimal() else typed["hold_out"],
    }
    if typed["dnc"]:
        found["dncLists"] = {"name": typed["dnc"]}
    if typed["exclude"]:
        found["exclude"] = {"campaigns": typed["exclude"]}
    if before is not None and before.filters is not None:
        found |= {"filters": before.filters, "isFiltersEnabled": True}
    if typed["kind"] == "flow":
        found["experienceFlowName"] = typed["flow"]
    else:
        words = {"templateId": typed["template"]} if typed["kind"] == "template" else {}
        text = "" if typed["kind"] == "template" else markup.encode(typed["text"])
        rule = {"onMissing": {"rule": typed["missing"], "default": typed["missingDefault"]}}
        found["message"] = {"message": text, **words, **(rule if typed["missing"] != "empty" else {})}
    return found


def _hours(typed: Typed, kept: dict[str, Any]) -> dict[str, Any]:
    zone = typed["zone"] or "UTC"
    match typed["hours"]:
        case "kept":
            return kept | {"timezone": zone}
        case "always":
            return {"frequency": "DAILY", "timezone": zone, "days": [{"start": "00:00", "end": "24:00"}]}
        case "weekly":
            days: list[dict[str, str]] = []
            for day in typed["days"]:
                start, end, second, second_end = typed["windows"][day]
                days.append({"day": day, "start": start, "end": end})
                if second or second_end:
                    days.append({"day": day, "start": second, "end": second_end})
            return {"frequency": "WEEKLY", "timezone": zone, "days": days}
        case _:
            return {"frequency": "DAILY", "timezone": zone, "days": [{"start": typed["from"], "end": typed["to"]}]}


def typed_of(campaign: Campaign, schedule: dict[str, Any] | None) -> Typed:
    """A campaign as the fields of the form."""
    message = campaign.message or {}
    rule = cast("dict[str, Any]", message.get("onMissing") or {})
    kind = "flow" if campaign.format == "advanced" else "template" if message.get("templateId") else "text"
    found: Typed = EMPTY | {
        "name": campaign.name,
        "description": campaign.description or "",
        "list": list(campaign.list_names),
        "dnc": campaign.dnc_list_name or "",
        "exclude": list(campaign.exclude_names),
        "hold_out": str(campaign.hold_out),
        "kind": kind,
        "text": draft.message_text(campaign.message) or "",
        "template": str(message.get("templateId") or ""),
        "flow": campaign.flow_id or "",
        "missing": str(rule.get("rule") or "empty"),
        "missingDefault": str(rule.get("default") or ""),
        "caller": campaign.caller_id,
        "recipient": campaign.zone_rule == "recipient",
        "transactional": campaign.transactional,
        "priority": str(campaign.priority),
        "schedule": schedule_form.typed_of(schedule),
    }
    return found | _typed_hours(hours.parse(campaign.dialing["callingHours"]))


def _typed_hours(calling: CallingHours) -> Typed:
    of_day = {number: [one for one in calling.windows if one.day == number] for number in range(len(DAYS))}
    every = {tuple((one.start, one.end) for one in windows) for windows in of_day.values()}
    found: Typed = {"zone": calling.zone}
    if len(every) == 1 and len(windows := next(iter(every))) == 1 and calling.frequency is not Frequency.CUSTOM:
        ((start, end),) = windows
        if start == end == 0:
            return found | {"hours": "always"}
        return found | {"hours": "daily", "from": clock(start), "to": clock(end)}
    if max(len(windows) for windows in of_day.values()) > TWO:
        return found | {"hours": "kept"}
    shown = dict(cast("dict[str, tuple[str, ...]]", EMPTY["windows"]))
    for number, windows in of_day.items():
        if windows:
            times = [clock(minute) for one in windows for minute in (one.start, one.end)]
            shown[DAYS[number]] = (*times, *[""] * (2 * TWO - len(times)))
    return found | {
        "hours": "weekly",
        "days": [DAYS[number] for number, windows in of_day.items() if windows],
        "windows": shown,
    }
