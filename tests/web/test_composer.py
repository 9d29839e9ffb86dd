from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from heliograph.actions import contacts as people
from heliograph.rules import plain
from heliograph.web import composer
from heliograph.web.composer import Person, Stretch

if TYPE_CHECKING:
    import httpx

    from heliograph.store.database import Database
    from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

CURLY = "\N{RIGHT SINGLE QUOTATION MARK}"
BASE = "http://127.0.0.1:8080"


def said(found: composer.Composed) -> str:
    return "".join(stretch.text for stretch in found.said)


def test_a_plain_text_is_one_part_with_room_left() -> None:
    found = composer.compose("See you at 9")
    assert (found.size.parts, found.sizes, found.left, found.odd) == (1, (12,), 148, ())


def test_one_curly_quote_is_shown_named_and_exchanged() -> None:
    text = f"It{CURLY}s time " + "x" * 100
    found = composer.compose(text)
    assert (found.size.parts, found.plain_parts, found.most) == (2, 1, 67)
    assert [(one.character, one.name, one.instead) for one in found.odd] == [
        (CURLY, "right single quotation mark", "'")
    ]
    assert found.plain == text.replace(CURLY, "'")
    assert found.said[1] == Stretch(CURLY, "odd")


def test_an_app_that_exchanges_them_by_itself_has_nothing_to_say() -> None:
    found = composer.compose(f"It{CURLY}s time", setting=plain.Plain.ON)
    assert (said(found), found.odd, found.exchanged) == ("It's time", (), True)


def test_without_a_person_placeholders_show_their_columns() -> None:
    found = composer.compose("Hi {{first_name}}!", Person(columns=("First Name",), lists=1))
    assert (said(found), found.varies, found.unknown) == ("Hi First Name!", True, ())
    assert Stretch("First Name", "own") in found.said


def test_a_persons_own_words_are_counted_and_what_is_missing_is_told() -> None:
    person = Person(columns=("First Name",), fields={"First Name": "Zoë 🌻"}, number="+12025550100", of=1, lists=1)
    found = composer.compose("Hi <First Name>, {{shop}}", person)
    assert said(found) == "Hi Zoë 🌻,"
    assert (found.size.encoding, found.missing, found.unknown) == ("UCS-2", ("shop",), ("shop",))


def test_half_a_placeholder_is_refused_in_words() -> None:
    assert "placeholder that cannot be read" in composer.compose("Hi {{first name").refused


def test_nothing_is_nothing() -> None:
    found = composer.compose("  \n")
    assert (found.said, found.sizes, found.refused) == ((), (), "")


async def post(browser: httpx.AsyncClient, app: Any, **values: object) -> httpx.Response:
    page = (await browser.get(f"/console/{app.public_id}/templates/new")).text
    found = re.search(r'name="token" value="([^"]+)"', page)
    data = {"token": found.group(1) if found else ""} | values
    at = f"/console/{app.public_id}/compose"
    return await browser.post(at, data=data, headers={"Origin": BASE, "HX-Request": "true"})


async def test_the_editor_asks_for_people_of_the_lists_chosen(
    browser: httpx.AsyncClient, stage: Any, db: Database, clock: FrozenClock
) -> None:
    app = await stage.app()
    await stage.list_of(app, "Readers", 0)
    two = [
        {"phoneNumber": "+12025550100", "firstName": "Ada"},
        {"phoneNumber": "+12025550101", "firstName": "Grace"},
    ]
    await people.add(db, app, {"contactListName": "Readers", "data": two}, now=clock.now)
    first = await post(
        browser, app, field="words", words="Hi {{firstName}}", lists="contactLists", contactLists="Readers"
    )
    assert 'Hi <mark class="own">Ada</mark>' in first.text
    assert "1 of 2" in first.text
    assert 'data-put="{{firstName}}"' in first.text
    second = await post(browser, app, field="words", words="Hi {{firstName}}", lists="list", list="Readers", person="2")
    assert 'Hi <mark class="own">Grace</mark>' in second.text


async def test_a_post_without_the_token_is_turned_away(browser: httpx.AsyncClient, stage: Any) -> None:
    app = await stage.app()
    at = f"/console/{app.public_id}/compose"
    assert (await browser.post(at, data={"text": "Hi"}, headers={"Origin": BASE})).status_code == 403
