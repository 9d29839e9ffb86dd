"""Saying no in the console: opt-outs and their evidence, deciding, words, do-not-contact lists; and templates."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import pytest

from heliograph.store import app_settings, opt_outs, templates
from heliograph.store.opt_outs import OptOut

if TYPE_CHECKING:
    import httpx

    from heliograph.store.apps import App
    from heliograph.store.database import Database
    from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio
ORIGIN = {"Origin": "http://127.0.0.1:8080"}
ADA = "+12025550100"


@pytest.fixture
async def app(stage: Any) -> App:
    return await stage.app()


@pytest.fixture
def at(app: App) -> str:
    return f"/console/{app.public_id}/opt-outs"


async def post(
    browser: httpx.AsyncClient, form: str, to: str = "", files: Any = None, **fields: object
) -> httpx.Response:
    """Post the fields with the token that the page ``form`` carries."""
    page = await browser.get(form)
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found, page.text
    return await browser.post(to or form, data={"token": found.group(1)} | fields, files=files, headers=ORIGIN)


async def plain(browser: httpx.AsyncClient, address: str) -> str:
    answer = await browser.get(address)
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.text)


async def test_a_no_is_recorded_shown_with_its_evidence_and_taken_back(browser: httpx.AsyncClient, at: str) -> None:
    assert "Nobody has said no" in await plain(browser, at)
    assert "May be texted" in await plain(browser, f"{at}/number/{ADA}")
    bad = await post(browser, at, numbers=f"{ADA}\n+12-3", what="optOut")
    assert bad.status_code == 400
    assert "+12-3: '+12-3' is not a telephone number" in html.unescape(bad.text)
    bad = await post(browser, at, numbers=f"{ADA}\n2025550101", what="optOut")  # an Egyptian's, or an American's?
    assert bad.status_code == 400
    assert "'2025550101' does not say its country" in html.unescape(bad.text)
    assert ADA in bad.text
    done = await post(browser, at, numbers=f"{ADA}\n+12025550101", what="optOut", text="rang us")
    assert done.status_code == 303, done.text
    assert ADA in await plain(browser, at)
    asked = await browser.get(at, params={"number": ADA})
    assert asked.headers["location"] == f"{at}/number/{ADA}"
    page = await plain(browser, f"{at}/number/{ADA}")
    assert "Not to be texted" in page
    assert "rang us" in page
    assert "They said no: recorded by hand" in page
    silent = await post(browser, f"{at}/number/{ADA}", f"{at}/number/{ADA}/remove", note="")
    assert silent.status_code == 400
    assert (await post(browser, at, f"{at}/number/{ADA}/remove", note="Wrote to us")).status_code == 303
    page = await plain(browser, f"{at}/number/{ADA}")
    assert "May be texted" in page
    assert "Wrote to us" in page
    assert "rang us" in page


async def test_what_is_asked_about_and_is_no_number_is_told(browser: httpx.AsyncClient, at: str) -> None:
    answer = await browser.get(at, params={"number": "hello"})
    assert answer.status_code == 400
    assert "is not a telephone number" in answer.text
    answer = await browser.get(at, params={"number": "2025550101"})  # +20 25550101 is another's, in Egypt
    assert answer.status_code == 400
    told = html.unescape(answer.text)
    assert "'2025550101' does not say its country. It takes a number with its country code" in told
    assert 'value="2025550101"' in told
    assert (await browser.get(at, params={"number": "(+1) 202-555-0100"})).headers["location"].endswith(ADA)


async def test_a_doubtful_no_is_decided(
    browser: httpx.AsyncClient, at: str, app: App, db: Database, clock: FrozenClock
) -> None:
    async with db.connection() as conn:
        doubts = [OptOut(f"+1202555010{n}", "", "review", "reply", "review", clock.now) for n in (0, 1)]
        await opt_outs.put(conn, app.app_id, doubts)
    assert "To decide <b>2</b>" in await plain(browser, f"{at}/reviews")
    answer = await post(browser, f"{at}/reviews", f"{at}/number/{ADA}/decide", decision="optOut")
    assert answer.status_code == 303, answer.text
    await post(browser, f"{at}/reviews", f"{at}/number/+12025550101/decide", decision="keep")
    assert "Nothing to decide" in await plain(browser, f"{at}/reviews")
    async with db.connection() as conn:
        left = await opt_outs.read_after(conn, app.app_id, "", limit=10)
    assert [(one.number, one.kind) for one in left] == [(ADA, "no")]


async def test_evidence_goes_out_as_a_file_and_comes_in_again(browser: httpx.AsyncClient, at: str, stage: Any) -> None:
    await post(browser, at, numbers=ADA, what="optOut", text="=1+1")
    file = await browser.get(f"{at}/export.csv")
    assert file.headers["content-type"].startswith("text/csv")
    assert ADA in file.text
    other = f"/console/{(await stage.app('Another')).public_id}/opt-outs"
    answer = await post(browser, other, f"{other}/file", {"file": ("no.csv", file.content)})
    assert answer.status_code == 303, answer.text
    assert "=1+1" in await plain(browser, f"{other}/number/{ADA}")
    bad = await post(browser, other, f"{other}/file", {"file": ("no.csv", b"name\nAda\n")})
    assert bad.status_code == 400
    assert "The file has no column phoneNumber" in bad.text


async def test_words_and_answers_are_kept(browser: httpx.AsyncClient, at: str, app: App, db: Database) -> None:
    fields: dict[str, Any] = {"scope": "sender", "stop": "basta\nnada mas", "start": "", "patterns": ""}
    fields |= {"confirm": "yes", "text-stop": "Bye.", "text-start": "", "text-help": "", "answersPerHour": "2"}
    bad = await post(browser, f"{at}/words", **(fields | {"answersPerHour": "200"}))
    assert bad.status_code == 400
    assert "answersPerHour is 200" in html.unescape(bad.text)
    assert "nada mas" in bad.text
    assert (await post(browser, f"{at}/words", **fields)).status_code == 303
    async with db.connection() as conn:
        kept = (await app_settings.get(conn, app.app_id)).opt_out or ""
    assert "nada mas" in kept
    assert "Bye." in await plain(browser, f"{at}/words")


async def test_a_do_not_contact_list_is_made_filled_searched_and_deleted(browser: httpx.AsyncClient, at: str) -> None:
    answer = await post(browser, f"{at}/lists", name="Register", description="", **{"global": "yes"})
    assert answer.status_code == 303, answer.text
    one = answer.headers["location"]
    assert (await post(browser, f"{at}/lists", name="register")).status_code == 409
    assert "Nobody is on it yet" in await plain(browser, one)
    put = await post(browser, one, f"{one}/entries", numbers=f"{ADA}\n+1900*", reason="By law", expiresAt="2199-01-01")
    assert put.status_code == 303, put.text
    bad = await post(browser, one, f"{one}/entries", numbers="+12-3")
    assert bad.status_code == 400
    assert "12-3: " in html.unescape(bad.text)
    for bare in ("2025550101", "1900*"):
        bad = await post(browser, one, f"{one}/entries", numbers=f"{ADA}, {bare}", reason="By law")
        assert bad.status_code == 400
        assert f"'{bare}' does not say its country. It takes a number" in html.unescape(bad.text)
        assert 'value="By law"' in bad.text
    assert "+2025550101 is not on this list" in await plain(browser, f"{one}?search=2025550101")
    assert "By law" in await plain(browser, f"{one}?search={ADA.removeprefix('+')}")
    assert "+1900*" in await plain(browser, f"{one}?search=%2B19005550100")
    page = await plain(browser, f"{at}/number/{ADA}")
    assert "Not to be texted" in page
    assert "Register" in page
    file = await post(browser, one, f"{one}/file", {"file": ("n.txt", b"+12025550111\n+12025550112\n")})
    assert file.status_code == 303, file.text
    assert "+12025550112" in await plain(browser, one)
    assert (await post(browser, one, f"{one}/remove", entry="+12025550112")).status_code == 303
    assert "+12025550112" not in (await plain(browser, one)).partition('id="said"')[0]
    change = await post(browser, one, name="The register", description="")
    assert change.status_code == 303, change.text
    assert "may be texted again" in await plain(browser, f"{one}/delete")
    assert (await post(browser, f"{one}/delete")).status_code == 303
    assert (await browser.get(one)).status_code == 404


async def test_the_list_that_every_app_has_stays(browser: httpx.AsyncClient, at: str) -> None:
    found = re.search(rf'href="({at}/lists/cl-[^"]+)"', await plain(browser, f"{at}/lists"))
    assert found
    assert "every app has, and stays" in await plain(browser, f"{found.group(1)}/delete")


async def test_templates_are_written_found_copied_and_deleted(
    browser: httpx.AsyncClient, app: App, db: Database
) -> None:
    at = f"/console/{app.public_id}/templates"
    assert "comes with Heliograph" in await plain(browser, at)
    words = "SGVsbG8gV29ybGQ="  # what looks like Base64 is what was typed all the same
    bad = await post(browser, f"{at}/new", at, name="", body=words)
    assert bad.status_code == 400
    assert words in bad.text
    half = await post(browser, f"{at}/new", at, name="Half", body="Hi {{first name")
    assert half.status_code == 400
    assert "placeholder that cannot be read" in half.text
    look = await post(browser, f"{at}/new", at, name="Half", body="Hi <First Name>", look="yes")
    assert look.status_code == 200
    assert 'Hi <mark class="own">firstname</mark>' in look.text
    assert (await post(browser, f"{at}/new", at, name="Greeting", body=words)).status_code == 303
    async with db.connection() as conn:
        made = await templates.get(conn, app, "greeting")
    assert made.body == words
    assert "Greeting" in await plain(browser, f"{at}?search=GREET")
    assert "No template has" in await plain(browser, f"{at}?search=nothing+like+it")
    one = f"{at}/{made.public_id}"
    changed = await post(browser, one, name="Greeting", description="Of all", body="Hello {{first name}}")
    assert changed.status_code == 303, changed.text
    copied = await post(browser, at, f"{one}/copy")
    assert "Copy of Greeting" in await plain(browser, copied.headers["location"])
    assert "Delete the template Greeting?" in await plain(browser, f"{one}/delete")
    assert (await post(browser, f"{one}/delete")).status_code == 303
    assert (await browser.get(one)).status_code == 404
