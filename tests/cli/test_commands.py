"""Commands that work on a database and end: apps, lists, do-not-contact, campaigns, status."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest

from heliograph import errors
from heliograph.config import Settings
from heliograph.store import audit
from heliograph.store.database import Database

Command = Callable[..., Any]

PEOPLE = "firstName,phoneNumber\nAda,+12125550100\nBen,+12125550101\nCarl,nonsense\nAda,+12125550100\n"


@pytest.fixture
def people(tmp_path: Path) -> Path:
    file = tmp_path / "people.csv"
    file.write_text(PEOPLE)
    return file


def test_an_app_has_everything_a_token_needs(heliograph: Command) -> None:
    made = heliograph("app", "create", "--name", "Acme")
    assert set(made) == {"accountId", "appId", "clientId", "clientSecret"}
    token = heliograph("token", "--expires", "60")["token"]
    claims = jwt.decode(token, made["clientSecret"], algorithms=["HS256"])
    assert claims["appId"] == made["clientId"]
    assert claims["exp"] - claims["iat"] == 60
    assert heliograph("app", "list") == [{"accountId": made["accountId"], "appId": made["appId"], "name": "Acme"}]


def test_a_client_has_the_scopes_named(heliograph: Command) -> None:
    heliograph("app", "create", "--name", "Acme")
    made = heliograph("client", "create", "--name", "Reports", "--scope", "Campaign Management")
    assert made["scopes"] == ["Campaign Management"]
    token = heliograph("token", "--scope", "Campaign Management")["token"]
    assert jwt.decode(token, made["clientSecret"], algorithms=["HS256"])["appId"] == made["clientId"]
    with pytest.raises(errors.Invalid, match=r"'Everything'.*Campaign Management"):
        heliograph("token", "--scope", "Everything")


def test_which_app_must_be_said_once_there_are_two(heliograph: Command) -> None:
    with pytest.raises(errors.NotFound, match="app create"):
        heliograph("token")
    first = heliograph("app", "create", "--name", "One")
    heliograph("app", "create", "--name", "Two")
    with pytest.raises(errors.Invalid, match=f"2 apps.*{first['appId']} \\(One\\)"):
        heliograph("list", "ls")
    assert heliograph("list", "ls", "--app", "one") == heliograph("list", "ls", "--app", first["appId"]) == []


def test_an_import_tells_what_became_of_every_row(heliograph: Command, people: Path) -> None:
    heliograph("app", "create", "--name", "Acme")
    done = heliograph("list", "import", people, "--name", "Leads")
    assert {key: done[key] for key in ("rows", "imported", "duplicates", "rejected")} == {
        "rows": 4,
        "imported": 2,
        "duplicates": 1,
        "rejected": 1,
    }
    assert done["problems"][0]["row"] == 4
    assert done["problems"][0]["value"] == "nonsense"
    assert [(one["name"], one["contacts"]) for one in heliograph("list", "ls")] == [("Leads", 2)]


def test_a_dry_run_changes_nothing_and_a_file_may_change_who_is_there(heliograph: Command, tmp_path: Path) -> None:
    heliograph("app", "create", "--name", "Acme")
    file, told = tmp_path / "de.csv", tmp_path / "told.csv"
    file.write_text("Rufnummer;Vorname;Zweitnummer\n(212) 555-0100;Ada;+12125550199\n12;Bo;+12125550198\n")
    how = ("--name", "Leads", "--region", "us", "--map", "phoneNumber=Rufnummer", "--map", "firstName=Vorname")
    done = heliograph("list", "import", file, *how, "--dry-run", "--verdicts", told)
    assert (done["imported"], done["rejected"], done["mappingFrom"]) == (1, 1, "given")
    assert heliograph("list", "ls") == []
    lines = told.read_text("utf-8-sig").splitlines()
    assert lines[0] == '"row","verdict","number","column","value","what"'
    assert [line.split(",")[1] for line in lines[1:]] == ['"imported"', '"rejected"']
    assert heliograph("list", "import", file, *how)["imported"] == 1
    file.write_text("Rufnummer;Vorname;Zweitnummer\n+12125550100;Ada L;\n")
    done = heliograph("list", "import", file, "--name", "Leads", "--update")
    assert (done["updated"], done["imported"], done["mappingFrom"]) == (1, 0, "saved")
    with pytest.raises(errors.Invalid, match="FIELD=COLUMN"):
        heliograph("list", "import", file, "--name", "Leads", "--map", "phoneNumber")


@pytest.mark.parametrize(
    ("text", "added", "rejected"),
    [
        ("phone,why\n+12125550100,a\nfoo,b\n+12125550101,c\n", 2, [3]),
        ("+12125550100\n+12125550101\n\nfoo\n", 2, [4]),
    ],
)
def test_do_not_contact_takes_a_table_or_a_plain_list(
    heliograph: Command, tmp_path: Path, text: str, added: int, rejected: list[int]
) -> None:
    heliograph("app", "create", "--name", "Acme")
    file = tmp_path / "no.csv"
    file.write_text(text)
    done = heliograph("dnc", "import", file)
    assert (done["added"], done["rejected"]) == (added, len(rejected))
    assert [problem["row"] for problem in done["problems"]] == rejected


def test_numbers_go_to_the_default_list_or_the_one_named_all_or_none(heliograph: Command) -> None:
    heliograph("app", "create", "--name", "Acme")
    assert heliograph("dnc", "add", "+12125550100", "+12125550101")["name"] == "Default Global DNC"
    heliograph("dnc", "create", "Winter")
    assert heliograph("dnc", "add", "+12125550100", "--list", "winter")["name"] == "Winter"
    with pytest.raises(errors.Invalid, match="'12'"):
        heliograph("dnc", "add", "+12125550102", "12")
    with pytest.raises(errors.NotFound, match="Summer"):
        heliograph("dnc", "add", "+12125550102", "--list", "Summer")
    assert [(one["name"], one["global"]) for one in heliograph("dnc", "ls")] == [
        ("Default Global DNC", True),
        ("Winter", False),
    ]


def test_a_campaign_from_making_it_to_deleting_it(heliograph: Command, people: Path, tmp_path: Path) -> None:
    heliograph("app", "create", "--name", "Acme")
    heliograph("list", "import", people, "--name", "Leads")
    text = ("--text", "Hi {{first name}}", "--from", "+12025550142")
    made = heliograph("campaign", "create", "--name", "Sale", "--list", "Leads", *text, "--priority", "3")
    assert (made["status"], made["priority"], made["contactLists"]) == ("Ready", 3, ["Leads"])
    assert heliograph("campaign", "show", made["id"]) == made
    playing = heliograph("campaign", "play", "sale")
    assert (playing["status"], playing["runId"][:4]) == ("Active", "cid-")
    with pytest.raises(errors.IllegalMove):
        heliograph("campaign", "play", "Sale")
    assert heliograph("unknown", "Sale") == []
    assert heliograph("campaign", "stop", "Sale")["status"] == "Stopped"
    [row] = heliograph("status")
    ledger = row["ledger"]
    assert ledger["total"] == sum(number for word, number in ledger.items() if word != "total")
    assert len(ledger) == 10
    assert heliograph("campaign", "delete", "Sale")["status"] == "Stopped"
    with pytest.raises(errors.NotFound):
        heliograph("campaign", "show", "Sale")
    assert heliograph("campaign", "ls") == heliograph("status") == []


def test_a_campaign_from_the_vendors_body(heliograph: Command, people: Path, tmp_path: Path) -> None:
    heliograph("app", "create", "--name", "Acme")
    heliograph("list", "import", people, "--name", "Leads")
    hours = {"frequency": "DAILY", "timezone": "Asia/Kolkata", "days": [{"start": "9:00 AM", "end": "6:00 PM"}]}
    body = {
        "name": "From a file",
        "campaignType": "sms",
        "format": "simple",
        "contactLists": ["leads"],
        "message": {"message": "Hello"},
        "dialingStrategy": {"callerId": {"phoneNumber": "+12025550142"}, "callingHours": hours},
    }
    file = tmp_path / "body.json"
    file.write_text(json.dumps(body))
    made = heliograph("campaign", "create", "--body", file, "--play")
    assert (made["name"], made["status"], made["callingHours"]) == ("From a file", "Active", hours)
    file.write_text("{")
    with pytest.raises(errors.Invalid, match="not JSON"):
        heliograph("campaign", "create", "--body", file)
    with pytest.raises(errors.Invalid, match="--text, --from"):
        heliograph("campaign", "create", "--name", "x", "--list", "Leads")


def test_quiet_hours_are_shown_and_switched(heliograph: Command, tmp_path: Path) -> None:
    heliograph("app", "create", "--name", "Acme")
    assert heliograph("settings")["quietHours"]["enabled"] is True
    own = [{"place": "FR", "monday_to_friday": "10:00-12:00", "saturday": "closed", "sunday": "closed"}]
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(own))
    assert heliograph("settings", "--places", file)["quietHours"]["places"] == own
    off = heliograph("settings", "--no-quiet-hours")["quietHours"]
    assert (off["enabled"], off["places"]) == (False, own)
    file.write_text("no JSON")
    with pytest.raises(errors.Invalid, match="is no JSON"):
        heliograph("settings", "--places", file)


def test_what_a_command_changes_is_in_the_audit_and_what_it_shows_is_not(
    heliograph: Command, settings: Settings
) -> None:
    app = heliograph("app", "create", "--name", "Audited")
    heliograph("app", "list")
    heliograph("status")
    heliograph("panic", "--reason", "a trial")

    async def look() -> list[tuple[str, str | None]]:
        db = await Database.open(settings, size=2)
        async with db.connection() as conn:
            found = await audit.page(conn, audit.Wanted(None), before=1 << 60, limit=50)
        await db.close()
        return [(one.verb, one.app_public_id) for one in reversed(found) if one.kind == "command"]

    assert asyncio.run(look()) == [("heliograph app create", None), ("heliograph panic", app["appId"])]
