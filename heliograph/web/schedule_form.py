"""When a campaign starts: what a form says of it as the body of a schedule, and a schedule as a form and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from heliograph.rules.schedule import WEEKDAYS
from heliograph.store import schedules

if TYPE_CHECKING:
    from heliograph.store.campaigns import Campaign
    from heliograph.store.database import Conn
    from heliograph.web.door import Form

STARTS = (
    ("hand", "By hand, when somebody presses Start"),
    ("once", "Once, at a time"),
    ("daily", "Again and again, by the day"),
    ("weekly", "Again and again, by the week"),
    ("monthly", "Again and again, by the month"),
)
_PERIODS = {"daily": "day", "weekly": "week", "monthly": "month"}
_EVERY = {"daily": "onceEveryNdays", "weekly": "onceEveryNweeks", "monthly": "onceEveryNmonths"}

# The field of the form beside which an error of actions/schedules.py belongs.
FIELDS = {
    "startDateTime": "start_date",
    "endDateTime": "end_date",
    "timezone": "zone",
    "recurrenceObject.dailyDetails.onceEveryNdays": "every",
    "recurrenceObject.weeklyDetails.onceEveryNweeks": "every",
    "recurrenceObject.monthlyDetails.onceEveryNmonths": "every",
    "recurrenceObject.weeklyDetails.whichDays": "weekdays",
    "recurrenceObject.monthlyDetails.dayOfMonth": "month_day",
}

EMPTY: dict[str, Any] = {
    "starts": "hand",
    "start_date": "",
    "start_time": "09:00",
    "every": "1",
    "weekdays": [],
    "month_day": "1",
    "end_date": "",
}


def read(form: Form) -> dict[str, Any]:
    """What was typed, to be shown again."""
    return {name: form.text(name, usual) for name, usual in EMPTY.items() if isinstance(usual, str)} | {
        "weekdays": [day for day in form.all("weekdays") if day in WEEKDAYS]
    }


def body(typed: dict[str, Any], zone: str) -> dict[str, object] | None:
    """The body of a schedule; None: it is started by hand. What is wrong with it, reading it tells."""
    kind = typed["starts"]
    if kind not in {key for key, _ in STARTS} - {"hand"}:
        return None
    time = typed["start_time"] or "00:00"
    found: dict[str, object] = {"startDateTime": f"{typed['start_date']} {time}:00".strip(), "timezone": zone}
    if kind == "once":
        return found
    if typed["end_date"]:
        found["endDateTime"] = f"{typed['end_date']} 23:59:59"
    details: dict[str, object] = {_EVERY[kind]: typed["every"] or "1"}
    if kind == "weekly":
        details["whichDays"] = typed["weekdays"]
    if kind == "monthly":
        details["dayOfMonth"] = typed["month_day"] or "1"
    found["recurrenceObject"] = {"recurType": kind.capitalize(), f"{kind}Details": details}
    return found


def typed_of(body: dict[str, Any] | None) -> dict[str, Any]:
    """A kept schedule as the fields of the form; of one that the form cannot show, when it starts."""
    if body is None:
        return dict(EMPTY)
    date, _, time = str(body.get("startDateTime", "")).replace("T", " ").partition(" ")
    rule = cast("dict[str, Any]", body.get("recurrenceObject") or {})
    kind = str(rule.get("recurType") or "once").lower()
    if kind not in {key for key, _ in STARTS}:
        kind = "once"
    details = cast("dict[str, Any]", rule.get(f"{kind}Details") or rule.get("dailyDetails") or {})
    return EMPTY | {
        "starts": kind,
        "start_date": date,
        "start_time": time[:5],
        "every": str(details.get(_EVERY.get(kind, ""), "1")),
        "weekdays": list(details.get("whichDays") or []),
        "month_day": str(details.get("dayOfMonth", "1")),
        "end_date": str(body.get("endDateTime") or "").replace("T", " ").partition(" ")[0],
    }


def words(body: dict[str, Any]) -> str:
    """A schedule in words."""
    typed = typed_of(body)
    kind = typed["starts"]
    zone = str(body.get("timezone") or "")
    if kind == "once":
        rule = "A rule of its own, set over the API" if body.get("recurrenceObject") else "Once"
        return f"{rule}, at {typed['start_time']} {zone}".strip()
    period, every = _PERIODS[kind], typed["every"]
    often = f"Every {period}" if every == "1" else f"Every {every} {period}s"
    on = ""
    if kind == "weekly":
        on = f" on {', '.join(typed['weekdays'])}"
    if kind == "monthly" and typed["month_day"]:
        on = f", on day {typed['month_day']}" if typed["month_day"] != "last" else ", on the last day"
    until = f", until {typed['end_date']}" if typed["end_date"] else ""
    return f"{often}{on} at {typed['start_time']} {zone}".strip() + until


async def kept(conn: Conn, campaign: Campaign) -> dict[str, Any] | None:
    """The body of a campaign's schedule, while that is switched on."""
    found = await schedules.find(conn, campaign.app_id, campaign.campaign_id)
    return found.body if found is not None and found.enabled else None


async def stored(conn: Conn, campaign: Campaign) -> str:
    """A campaign's schedule in words; empty without one."""
    found = await kept(conn, campaign)
    return "" if found is None else words(found)
