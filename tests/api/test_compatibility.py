"""``docs/compatibility.md`` says what is so: operations are routes, readings have transcripts, limits hold."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from heliograph.api import campaign_query, paths
from heliograph.api.routes import ROUTES
from heliograph.config import Settings
from heliograph.rules import contact, draft

PAGE = Path(__file__).resolve().parents[2] / "docs" / "compatibility.md"
TEXT = PAGE.read_text()
TRANSCRIPTS = {path.name: path for path in (Path(__file__).parent / "transcripts").glob("*.json")}

# The vendor's operations on SMS campaigns and lists, as its pages head them.
VENDOR = """
create SMS campaign, get SMS campaign, update SMS campaign, delete SMS campaign, start, stop, status, list campaigns,
enable schedule, disable schedule, create list, update list, get list, all lists, add contacts, contacts of a list,
delete list, send one SMS, re-time contacts of a run, agents' address book
"""
OPERATIONS = re.findall(r"^\| ([^|]+) \| `([A-Z]+) (/\S+)` \| ([^|]+) \|$", TEXT, re.MULTILINE)
READINGS = re.findall(r"^\| \[(\d+)\]\(\.\./tests/api/transcripts/([^)]+)\) \|", TEXT, re.MULTILINE)


def test_every_operation_of_the_vendor_is_on_the_page() -> None:
    known = {name.strip() for name in VENDOR.replace("\n", " ").split(",")}
    assert known <= {name for name, *_ in OPERATIONS}


@pytest.mark.parametrize(("name", "verb", "path", "state"), OPERATIONS, ids=lambda value: value)
def test_an_operation_is_a_route_exactly_if_it_is_served(name: str, verb: str, path: str, state: str) -> None:
    routes = {(route.verb, route.path.replace(":ref}", "}")) for route in ROUTES}
    assert ((verb, path) in routes) is state.startswith("as printed"), name
    assert state.startswith(("as printed", "not served")), name


def asked(word: str, verb: str, path: str, version: int) -> list[int]:
    """The statuses of the transcripts' requests for an operation; ``word`` is what their query has to have in it."""
    found: list[int] = []
    pattern = re.compile(re.sub(r"\{\w+\}", "[^/]+", path))
    reserved = {other for _, _, other, _ in OPERATIONS if "{" not in other}
    for script in TRANSCRIPTS.values():
        for step in json.loads(script.read_text())["steps"]:
            sent, _, url = step.get("do", "").partition(" ")
            at, _, query = url.partition("?")
            at = paths.routed(at.removeprefix("http://heliograph.test"))
            here = at.partition("<st-1>")[2]
            exact = here == path or here not in reserved
            right = sent == verb and word in query and exact and pattern.fullmatch(here) is not None
            found += [step["status"]] if right and paths.version(at) == version else []
    return found


@pytest.mark.parametrize(("name", "verb", "path", "state"), OPERATIONS, ids=lambda value: value)
def test_an_operation_has_two_cases_in_each_version_it_is_printed_in(
    name: str, verb: str, path: str, state: str
) -> None:
    words = {"start": "trigger=play", "stop": "trigger=stop", "enable": "Schedule=true", "disable": "Schedule=false"}
    word = words.get(name.replace(",", " ").split()[0], "")
    shown = {
        at for route in ROUTES if (route.verb, route.path.replace(":ref}", "}")) == (verb, path) for at in route.shown
    }
    for prefix in shown:
        statuses = asked(word, verb, path, paths.version(prefix + "/"))
        assert len(statuses) >= 2, (name, prefix)
        assert 200 in statuses, f"{name}: nothing but refusals under {prefix}"


def test_each_of_the_32_readings_has_its_transcript() -> None:
    assert [int(number) for number, _ in READINGS] == list(range(1, 33))
    for number, name in READINGS:
        assert name.startswith(f"inconsistency_{int(number):02}_"), name
        about = json.loads(TRANSCRIPTS[name].read_text())["about"]
        assert about.startswith(f"Inconsistency {int(number):02}: "), name
    assert {name for name in TRANSCRIPTS if name.startswith("inconsistency_")} == {name for _, name in READINGS}


def test_the_limits_are_those_in_force() -> None:
    rows = dict(re.findall(r"^\| ([^|]+) \| [^|]+ \| ([^|]+) \|$", TEXT[TEXT.index("## Limits") :], re.MULTILINE))
    vendor = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \| [^|]+ \|$", TEXT[TEXT.index("## Limits") :], re.MULTILINE))
    in_force = {
        "characters of a name, of a description": (draft.LONGEST_NAME, draft.LONGEST_DESCRIPTION),
        "lists of a campaign, do-not-contact lists of one": (draft.MOST_LISTS, 1),
        "contact lists, do-not-contact lists of an account": (Settings().most_lists, Settings().most_dnc_lists),
        "contacts in one `addContacts`": (contact.MOST_AT_ONCE,),
        "columns of a file, characters of a cell": (contact.MOST_COLUMNS, contact.LONGEST_CELL),
        "people on a page of `view=contacts`": (1, campaign_query.MAX_STATUS_LIMIT),
    }
    for what, numbers in in_force.items():
        assert rows[what].startswith("the same"), what
        assert tuple(map(int, re.findall(r"\d+", vendor[what]))) == numbers, what
    millions = [number * 1_000_000 for number in (20, 100)]
    assert rows["contacts of a list, of an account"].startswith("20 million in files of 200 MB, 100 million")
    assert [Settings().most_list_contacts, Settings().most_contacts] == millions
    assert rows["do-not-contact entries of an account"] == "100 million, a setting"
    assert Settings().most_dnc_entries == millions[1]
    assert rows["requests a minute"] == f"{Settings().rate_limit_per_minute}, a setting"
