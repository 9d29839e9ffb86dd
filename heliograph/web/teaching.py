"""The commands that an empty page teaches, ready to be copied."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from heliograph.config import Settings

if TYPE_CHECKING:
    from heliograph.store.apps import App

# Numbers from ranges reserved for fiction.
CSV = 'phoneNumber,firstName,timezone\n"+14155550101",Ada,America/Los_Angeles\n"+447700900101",Grace,Europe/London\n'
LIST = "First list"
CAMPAIGN: dict[str, object] = {
    "name": "First campaign",
    "description": "To see how it works",
    "campaignType": "sms",
    "format": "simple",
    "priority": "5",
    "contactLists": [LIST],
    "message": {"message": "Hello {{first name}}, this is our first campaign."},
    "dialingStrategy": {
        "callerId": {"phoneNumber": "+14155550199"},
        "callingHours": {
            "frequency": "DAILY",
            "timezone": "UTC",
            "days": [{"start": "12:00 AM", "end": "11:59 PM"}],
        },
    },
    "schedule": {"isSchedulingEnabled": False},
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: what for, and the command that does it."""

    title: str
    text: str
    command: str


def steps(app: App | None, settings: Settings, base: str) -> tuple[Step, ...]:
    """How to come from nothing to a first campaign. ``base``: the address of this server, for the API."""
    command = _command(settings)
    if app is None:
        text = "An app holds your lists and campaigns, apart from those of every other app. It starts with a sandbox."
        return (Step("Create an app", text, f'{command} app create --name "My first app"'),)
    lines = "\n".join(f"  '{line}'" + " \\" for line in CSV.splitlines())
    make = (
        f"printf '%s\\n' \\\n{lines}\n  > people.csv\n"
        f'{command} list import people.csv --name "{LIST}" \\\n  --app {app.public_id}'
    )
    create = (
        f"TOKEN=$({command} token --app {app.public_id})\n"
        f'curl -sS "{base}/campaign/api/v2/public/{app.public_id}/campaign?campaignType=sms" \\\n'
        f"""  -H "auth: $TOKEN" -H "Content-Type: application/json" -d '{_body()}'"""
    )
    people = "A CSV with a column of phone numbers; any further columns can stand in the text."
    campaign = "Whom, what, from which number, in which hours. It then appears here."
    return (Step("Bring in people", people, make), Step("Create a campaign", campaign, create))


def _body() -> str:
    """The campaign as JSON, a line for each of its fields."""
    return "{\n" + ",\n".join(f'  "{name}": {json.dumps(value)}' for name, value in CAMPAIGN.items()) + "\n}"


def _default_data() -> object:
    return next(item.default for item in fields(Settings) if item.name == "data")


def _command(settings: Settings) -> str:
    """How to call ``heliograph`` from any folder, on the data of this server."""
    beside = Path(sys.executable).with_name("heliograph")
    name = "heliograph" if shutil.which("heliograph") or not beside.exists() else shlex.quote(str(beside))
    if settings.database_url or settings.data == _default_data():
        return name
    return f"HELIOGRAPH_DATA={shlex.quote(str(settings.data))} {name}"
