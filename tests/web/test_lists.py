"""Lists of people in the console: made, found, renamed, deleted; their people; files; pulls."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import pytest

from heliograph.actions import contacts as adding
from heliograph.actions import import_runs
from heliograph.rules import quota
from heliograph.store import imports, list_sources, lists
from heliograph.web import list_people

if TYPE_CHECKING:
    import httpx

    from heliograph.store.apps import App
    from heliograph.store.database import Database
    from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio
ORIGIN = {"Origin": "http://127.0.0.1:8080"}
PEOPLE = [
    {"phoneNumber": "+12025550100", "firstName": "Ada", "city": "Boston"},
    {"phoneNumber": "+12025550101", "firstName": "Grace", "city": "Arlington"},
]
FILE = b"""Name,Mobile,tz
Ada,+12025550100,America/New_York
Grace,+12025550101,Mars/Olympus
Nobody,12-34,
"""


@pytest.fixture
async def app(stage: Any) -> App:
    return await stage.app()


@pytest.fixture
def at(app: App) -> str:
    return f"/console/{app.public_id}/lists"


async def post(
    browser: httpx.AsyncClient, form: str, to: str = "", files: Any = None, **fields: object
) -> httpx.Response:
    """Post the fields with the token that the page ``form`` carries."""
    page = await browser.get(form)
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found, page.text
    return await browser.post(to or form, data={"token": found.group(1)} | fields, files=files, headers=ORIGIN)


async def made(browser: httpx.AsyncClient, at: str, name: str = "Readers", **fields: str) -> str:
    """A new list, by the form; its address."""
    answer = await post(browser, f"{at}/new", at, name=name, **fields)
    assert answer.status_code == 303, answer.text
    return re.sub(r"/(imports/new|pull)$", "", answer.headers["location"])


async def plain(browser: httpx.AsyncClient, address: str) -> str:
    answer = await browser.get(address)
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.text)


async def test_without_a_list_the_page_says_what_one_is_for(browser: httpx.AsyncClient, at: str) -> None:
    assert "No lists yet" in await plain(browser, at)


async def test_a_list_is_made_found_renamed_and_deleted(browser: httpx.AsyncClient, at: str) -> None:
    one = await made(browser, at, description="Of the shop")
    assert "Nobody is on this list yet" in await plain(browser, one)
    again = await post(browser, f"{at}/new", at, name="readers")
    assert again.status_code == 409
    assert "There is a list named readers already" in again.text
    assert 'value="readers"' in again.text
    answer = await post(browser, f"{one}/settings", name="Subscribers", description="", allowDuplicates="yes")
    assert answer.status_code == 303, answer.text
    assert "Subscribers" in await plain(browser, f"{at}?search=subs")
    assert "No list has" in await plain(browser, f"{at}?search=readers")
    assert "go for good" in await plain(browser, f"{one}/delete")
    answer = await post(browser, f"{one}/delete")
    assert answer.headers["location"] == at
    assert (await browser.get(one)).status_code == 404


async def test_a_list_in_use_is_not_deleted_and_says_by_whom(browser: httpx.AsyncClient, stage: Any, app: App) -> None:
    await stage.campaign(app, "Spring")
    at = f"/console/{app.public_id}/lists"
    found = re.search(rf'href="({at}/cl-[^"]+)"', await plain(browser, at))
    assert found
    assert "It is used by Spring" in await plain(browser, f"{found.group(1)}/delete")
    answer = await post(browser, f"{at}/new", f"{found.group(1)}/delete")
    assert answer.status_code == 409


async def test_people_are_shown_found_added_changed_and_removed(
    browser: httpx.AsyncClient, at: str, app: App, db: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await made(browser, at)
    await adding.add(db, app, {"contactListName": "Readers", "data": PEOPLE}, now=clock.now)
    whole = await plain(browser, one)
    assert whole.index("+12025550100") < whole.index("+12025550101")
    assert "Grace" not in await plain(browser, f"{one}?search=%2B12025550100")
    assert "Grace" in await plain(browser, f"{one}?search=arling&column=city")
    assert "Nobody here has" in await plain(browser, f"{one}?search=arling&column=firstName")
    monkeypatch.setattr(list_people, "READ_THROUGH", 1)  # a list too long to be looked through at once
    first = await plain(browser, f"{one}?search=race")
    assert "People 1 to 1 of 2 have been looked through" in first
    assert "Grace" not in first
    further = re.search(r'href="([^"]+)">Look further', first)
    assert further
    assert "Grace" in await plain(browser, further.group(1))
    assert "Grace" in await plain(browser, f"{one}?search=%2B12025550101")
    monkeypatch.undo()
    bad = await post(browser, f"{one}/people/new", f"{one}/people", column=["phoneNumber"], value=["12-34"])
    assert bad.status_code == 400
    assert "is not a telephone number" in bad.text
    assert 'value="12-34"' in bad.text
    twice = await post(browser, f"{one}/people/new", f"{one}/people", column=["phoneNumber"], value=["+12025550100"])
    assert twice.status_code == 400
    assert "is on this list already" in twice.text
    names, values = ["phoneNumber", "firstName", "plan"], ["+12025550102", "Mary", "Gold"]
    answer = await post(browser, f"{one}/people/new", f"{one}/people", column=names, value=values)
    assert answer.status_code == 303, answer.text
    found = re.search(rf'href="({one}/people/cc-[^"]+)"', await plain(browser, answer.headers["location"]))
    assert found
    whom = found.group(1)
    assert 'value="Gold"' in await plain(browser, whom)
    answer = await post(browser, whom, column=names, value=["+12025550103", "Mary", ""])
    assert answer.status_code == 303, answer.text
    assert "+12025550103" in await plain(browser, one)
    assert "Take +12025550103 off Readers?" in await plain(browser, f"{whom}/delete")
    assert (await post(browser, f"{whom}/delete")).status_code == 303
    assert "+12025550103" not in (await plain(browser, one)).partition('id="said"')[0]


async def test_people_are_paged_both_ways(
    browser: httpx.AsyncClient, at: str, app: App, db: Database, clock: FrozenClock
) -> None:
    one = await made(browser, at)
    for start in (0, 60):
        some = [{"phoneNumber": f"+1202555{1000 + start + each}"} for each in range(60)]
        await adding.add(db, app, {"contactListName": "Readers", "data": some}, now=clock.now)
    first = await plain(browser, one)
    second = await plain(browser, f"{one}?after=50")
    assert "+12025551049" in first
    assert "+12025551050" not in first
    assert "+12025551050" in second
    assert "+12025551000" in await plain(browser, f"{one}?before=51")


async def imported(db: Database, clock: FrozenClock) -> None:
    assert await import_runs.take_next(db, clock, quota.DEFAULT)


async def test_a_file_is_looked_through_mapped_and_brought_in(
    browser: httpx.AsyncClient, at: str, app: App, db: Database, clock: FrozenClock
) -> None:
    one = await made(browser, at)
    sent = await post(browser, f"{one}/imports/new", f"{one}/imports", {"file": ("people.csv", FILE)})
    assert sent.status_code == 303, sent.text
    job = sent.headers["location"]
    assert "Waits for its turn" in await plain(browser, job)
    assert "It begins in a moment" in await plain(browser, f"{job}/live")
    await imported(db, clock)
    page = await plain(browser, job)
    assert "Bring 2 people onto Readers" in page
    assert '<td class="wrong-cell">12-34</td>' in page
    assert "'12-34' is not a telephone number" in page
    assert '<td class="wrong-cell">Mars/Olympus</td>' in page
    assert 'data-go="' in await plain(browser, f"{job}/live")
    verdicts = await browser.get(f"{job}/verdicts.csv")
    assert verdicts.headers["content-type"].startswith("text/csv")
    assert '"rejected"' in verdicts.text
    mapping: dict[str, Any] = {"column": ["Name", "Mobile", "tz"], "use": ["firstName", "phoneNumber", "timeZone"]}
    again = await post(browser, job, f"{job}/check", region="US", onDuplicate="", **mapping)
    assert again.status_code == 303, again.text
    fresh = again.headers["location"]
    await imported(db, clock)
    assert "As you said." in await plain(browser, fresh)
    assert (await post(browser, fresh, f"{fresh}/run")).status_code == 303
    await imported(db, clock)
    assert "Brought in" in await plain(browser, fresh)
    assert "+12025550101" in await plain(browser, one)
    files = await plain(browser, f"{one}/imports")
    assert "Brought in" in files
    assert "Cancelled" in files
    async with db.connection() as conn:
        assert (await lists.get(conn, app.app_id, "Readers")).columns == ["firstName", "Mobile", "tz"]


async def test_a_number_without_its_country_is_from_where_the_others_are(
    browser: httpx.AsyncClient, at: str, db: Database, clock: FrozenClock
) -> None:
    one = await made(browser, at)
    file = {"file": ("people.csv", b"Name,Mobile\nAda,+1 202 555 0100\nGrace,(202) 555-0101\nEve,\n")}
    job = (await post(browser, f"{one}/imports/new", f"{one}/imports", file)).headers["location"]
    await imported(db, clock)
    page = await plain(browser, job)
    assert "+12025550101, US" in page  # and not +2025550101, which is an Egyptian's
    assert "There is no telephone number" in page
    assert (await post(browser, job, f"{job}/run")).status_code == 303
    await imported(db, clock)
    onwards = re.search(r'class="button primary" href="([^"]+)">Text these people', await plain(browser, job))
    assert onwards
    assert 'value="Readers" checked' in await plain(browser, onwards[1])


async def test_a_file_without_a_column_of_numbers_asks_which_it_is(
    browser: httpx.AsyncClient, at: str, db: Database, clock: FrozenClock
) -> None:
    one = await made(browser, at)
    file = {"file": ("people.csv", b"Name,Rufnr\nAda,none yet\nGrace,+12025550101\n")}
    job = (await post(browser, f"{one}/imports/new", f"{one}/imports", file)).headers["location"]
    await imported(db, clock)
    assert "Say below which column holds the phone number" in await plain(browser, job)
    mapping: dict[str, Any] = {"column": ["Name", "Rufnr"], "use": ["", "phoneNumber"]}
    fresh = (await post(browser, job, f"{job}/check", **mapping)).headers["location"]
    await imported(db, clock)
    assert "Bring 1 person onto Readers" in await plain(browser, fresh)
    assert (await post(browser, fresh, f"{fresh}/cancel")).status_code == 303
    assert "Nothing of it came onto the list" in await plain(browser, fresh)


async def test_what_is_no_file_of_people_is_told_beside_the_field(browser: httpx.AsyncClient, at: str) -> None:
    one = await made(browser, at)
    none = await post(browser, f"{one}/imports/new", f"{one}/imports", {"file": ("", b"")})
    assert none.status_code == 400
    assert "No file was chosen" in none.text
    odd = await post(browser, f"{one}/imports/new", f"{one}/imports", {"file": ("a.csv", FILE)}, region="XYZ")
    assert odd.status_code == 400
    assert "is not a region" in html.unescape(odd.text)


async def test_a_pull_is_set_up_tried_and_asked_for(
    browser: httpx.AsyncClient, at: str, app: App, db: Database
) -> None:
    one = await made(browser, at, source="apiIntegration")
    assert "Where the people are" in await plain(browser, f"{one}/pull")
    fields: dict[str, str] = {
        "url": "https://127.0.0.1/people",
        "method": "GET",
        "mapping": "phoneNumber = phone\nfirstName = name.first",
        "minutes": "30",
        "auth": "none",
    }
    bad = await post(browser, f"{one}/pull", **(fields | {"mapping": "phoneNumber"}))
    assert bad.status_code == 400
    assert "mapping has the line" in html.unescape(bad.text)
    tried = await post(browser, f"{one}/pull", f"{one}/pull/try", **fields)
    assert tried.status_code in {200, 400}
    assert "127.0.0.1" in html.unescape(tried.text).partition("wrong-text")[2]
    assert (await post(browser, f"{one}/pull", **fields)).status_code == 303
    async with db.connection() as conn:
        found = await lists.get(conn, app.app_id, "Readers")
        source = await list_sources.find(conn, app.app_id, found.list_id)
        assert await imports.count(conn, app.app_id, found.list_id) == 0
    assert source is not None
    assert source.config["mapping"] == {"phoneNumber": "phone", "firstName": "name.first"}
    page = await plain(browser, f"{one}/pull")
    assert "firstName = name.first" in page
    assert (await post(browser, f"{one}/pull", f"{one}/pull/sync")).status_code == 303
    assert "Next one now" in await plain(browser, f"{one}/pull/live")


async def test_the_lists_of_another_app_are_not_found(browser: httpx.AsyncClient, at: str, stage: Any) -> None:
    one = await made(browser, at)
    other = await stage.app("Another")
    assert (await browser.get(one.replace(at, f"/console/{other.public_id}/lists"))).status_code == 404
