"""What a list that pulls its contacts is told, what it then asks, and what it makes of the answer."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from heliograph.errors import Invalid
from heliograph.rules import pull, pull_answer, pull_body

URL = "https://api.example.com/v1/contacts"
MAPPING = {"phoneNumber": "contact.phone", "firstName": "name.first"}
LEAST: dict[str, Any] = {"url": URL, "mapping": MAPPING}
MOST: dict[str, Any] = {
    "method": "POST",
    "url": URL + "?active=true",
    "auth": {"authorizationType": "apiKey", "in": "query", "name": "key", "secret": "CRM_KEY"},
    "headers": [{"key": "X-Region", "value": "emea"}, {"key": "X-Auth-Token", "value": "v1 {{env:CRM_TOKEN}}"}],
    "payload": {"filter": {"tag": "{{env:TAG}}"}, "size": 100},
    "recordsPath": "data.items",
    "mapping": MAPPING | {"Customer No": "id"},
    "paging": {"nextLink": "links.next", "mostPages": 20},
    "dataSyncInterval": 60,
    "dataSyncMode": "allowDuplicates",
}
SECRETS = {"CRM_KEY": "k&y", "CRM_TOKEN": "t0ken", "TAG": "vip", "PASSWORD": "pässword"}


def test_least_and_most_are_read_and_shown_in_order() -> None:
    assert pull.shown(pull_body.parse(LEAST)) == {
        "method": "GET",
        "url": URL,
        "auth": {"authorizationType": "none"},
        "headers": [],
        "payload": None,
        "recordsPath": "",
        "mapping": MAPPING,
        "paging": None,
        "dataSyncInterval": None,
    }
    found = pull_body.parse(MOST)
    shown = pull.shown(found)
    assert shown == {key: value for key, value in MOST.items() if key != "dataSyncMode"}
    assert list(shown) == [key for key in MOST if key != "dataSyncMode"]
    assert pull_body.parse(shown) == found
    assert pull.secret_names(found) == {"CRM_KEY", "CRM_TOKEN", "TAG"}


@pytest.mark.parametrize(
    "auth",
    [
        {"authorizationType": "basic", "username": "crm", "secret": "PASSWORD"},
        {"authorizationType": "bearer", "secret": "CRM_TOKEN"},
        {"authorizationType": "apiKey", "in": "header", "name": "X-Api-Key", "secret": "CRM_KEY"},
    ],
)
def test_what_was_shown_is_taken_back(auth: dict[str, str]) -> None:
    found = pull_body.parse(LEAST | {"auth": auth, "paging": {"pageParameter": "p", "firstPage": 0}})
    assert pull.shown(found)["auth"] == auth
    assert pull_body.parse(pull.shown(found)) == found


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("method", {"method": "PUT"}),
    ("dataSyncMode", {"dataSyncMode": "sometimes"}),
    ("dataSyncMode", {"dataSyncMode": False}),
    ("auth.secret", {"auth": {"authorizationType": "none", "secret": "no spaces"}}),
    ("auth.username", {"auth": {"authorizationType": "none", "username": 5}}),
    ("auth.authorizationType", {"auth": {"authorizationType": False}}),
    ("method", {"method": False}),
    ("url", {"url": None}),
    ("url", {"url": "ftp://example.com"}),
    ("url", {"url": "https://example.com/{{env:KEY}}"}),
    ("auth", {"auth": "basic"}),
    ("auth.authorizationType", {"auth": {"authorizationType": "oauth"}}),
    ("auth.secret", {"auth": {"authorizationType": "bearer"}}),
    ("auth.secret", {"auth": {"authorizationType": "bearer", "secret": "no spaces"}}),
    ("auth.token", {"auth": {"authorizationType": "bearer", "token": "abc", "secret": "S"}}),
    ("auth.password", {"auth": {"authorizationType": "basic", "username": "u", "password": "p"}}),
    ("auth.username", {"auth": {"authorizationType": "basic", "secret": "S"}}),
    ("auth.username", {"auth": {"authorizationType": "basic", "username": "a:b", "secret": "S"}}),
    ("auth.in", {"auth": {"authorizationType": "apiKey", "in": "cookie", "name": "k", "secret": "S"}}),
    ("auth.name", {"auth": {"authorizationType": "apiKey", "secret": "S"}}),
    ("auth.name", {"auth": {"authorizationType": "apiKey", "name": "Host", "secret": "S"}}),
    ("headers", {"headers": "X: y"}),
    ("headers", {"headers": [{"key": "X", "value": "y"}] * 51}),
    ("headers[0]", {"headers": ["X: y"]}),
    ("headers[1].key", {"headers": [{"key": "X", "value": "y"}, {"value": "y"}]}),
    ("headers[0].key", {"headers": {"X Y": "z"}}),
    ("headers[0].key", {"headers": {"Content-Length": "0"}}),
    ("headers[0].value", {"headers": {"X": 5}}),
    ("headers[0].value", {"headers": {"X": "a\r\nY: b"}}),
    ("headers[0].value", {"headers": {"Authorization": "Bearer abc"}}),
    ("headers[0].value", {"headers": {"x-api-key": "abc"}}),
    ("payload", {"payload": {"a": 1}}),
    ("payload", {"method": "POST", "payload": "a=1"}),
    ("payload", {"method": "POST", "payload": {"a": "x" * 20_001}}),
    ("recordsPath", {"recordsPath": "data..items"}),
    ("recordsPath", {"recordsPath": 5}),
    ("mapping", {"mapping": None}),
    ("mapping", {"mapping": {}}),
    ("mapping", {"mapping": {"firstName": "name"}}),
    ("mapping", {"mapping": {"phoneNumber": "p", "Phone Number": "q"}}),
    ("mapping", {"mapping": {" ": "p"}}),
    ("mapping", {"mapping": {f"c{n}": "p" for n in range(151)}}),
    ("mapping.phoneNumber", {"mapping": {"phoneNumber": ["a"]}}),
    ("mapping.phoneNumber", {"mapping": {"phoneNumber": ".a"}}),
    ("paging", {"paging": "page"}),
    ("paging", {"paging": {}}),
    ("paging", {"paging": {"pageParameter": "p", "nextLink": "n"}}),
    ("paging.pageParameter", {"paging": {"pageParameter": 5}}),
    ("paging.mostPages", {"paging": {"pageParameter": "p", "mostPages": 1001}}),
    ("paging.firstPage", {"paging": {"pageParameter": "p", "firstPage": -1}}),
    ("paging.nextLink", {"paging": {"nextLink": "a."}}),
    *(("dataSyncInterval", {"dataSyncInterval": n}) for n in (0, 1441, -5, 1.5, True, "soon", "９", "1441", [])),  # noqa: RUF001  # a digit, but none of ours
]


@pytest.mark.parametrize(("field", "change"), WRONG)
def test_whatever_is_wrong_is_named(field: str, change: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        pull_body.parse(LEAST | change)
    assert caught.value.field == f"apiConfigurations.{field}"
    assert "abc" not in caught.value.message


@pytest.mark.parametrize("sent", ["x", [], 5, {"url": URL}, LEAST | {"headers": {"X": "\0"}}])
def test_anything_else_is_refused(sent: object) -> None:
    with pytest.raises(Invalid):
        pull_body.parse(sent)


@pytest.mark.parametrize(("sent", "minutes"), [(1440, 1440), ("15", 15), (1, 1), ("", None), (None, None)])
def test_the_interval_is_minutes_or_by_hand(sent: object, minutes: int | None) -> None:
    assert pull_body.parse(LEAST | {"dataSyncInterval": sent}).minutes == minutes


def test_a_mode_alone_says_nothing_of_whom_to_pull_from() -> None:
    for value in (None, {}, {"dataSyncMode": "allowDuplicates"}):
        assert not pull_body.is_set(value)
    assert pull_body.is_set({"url": URL})
    assert pull_body.allows_duplicates({"dataSyncMode": "allowDuplicates"}) is True
    assert pull_body.allows_duplicates({"dataSyncMode": "dontAllowDuplicates"}) is False
    assert pull_body.allows_duplicates({"url": URL}) is None
    assert [pull_body.mode(allow_duplicates=each) for each in (True, False)] == list(pull_body.MODES)
    with pytest.raises(Invalid):
        pull_body.allows_duplicates({"dataSyncMode": "sometimes"})


# ---------------------------------------------------------------- asking


def test_the_question_has_the_secrets_in_their_places() -> None:
    question = pull.first_question(pull_body.parse(MOST), SECRETS)
    assert question.method == "POST"
    assert question.url == URL + "?active=true&key=k%26y"
    assert dict(question.headers)["X-Auth-Token"] == "v1 t0ken"
    assert dict(question.headers)["Content-Type"] == "application/json"
    assert json.loads(question.body or b"") == {"filter": {"tag": "vip"}, "size": 100}


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"authorizationType": "bearer", "secret": "CRM_TOKEN"}, "Authorization", "Bearer t0ken"),
        (
            {"authorizationType": "BASIC", "username": "crm", "secret": "PASSWORD"},
            "Authorization",
            "Basic " + base64.b64encode("crm:pässword".encode()).decode(),
        ),
        ({"authorizationType": "apikey", "name": "X-Key", "secret": "CRM_KEY"}, "X-Key", "k&y"),
    ],
)
def test_each_way_to_say_who_we_are(auth: dict[str, str], header: str, value: str) -> None:
    question = pull.first_question(pull_body.parse(LEAST | {"auth": auth}), SECRETS)
    assert dict(question.headers)[header] == value
    assert (question.method, question.url, question.body) == ("GET", URL, None)


def test_a_secret_that_is_not_there_is_named() -> None:
    with pytest.raises(Invalid, match="no secret named TAG"):
        pull.first_question(pull_body.parse(MOST), {"CRM_KEY": "a", "CRM_TOKEN": "b"})


def test_a_secret_is_not_read_for_more_secrets() -> None:
    found = pull_body.parse(LEAST | {"headers": {"X": "{{ env:A }}"}})
    assert ("X", "{{env:B}}") in pull.first_question(found, {"A": "{{env:B}}", "B": "b"}).headers


def test_our_own_headers_give_way() -> None:
    headers = pull.first_question(pull_body.parse(LEAST | {"headers": {"accept": "text/json"}}), {}).headers
    assert [value for name, value in headers if name.lower() == "accept"] == ["text/json"]


def test_pages_are_counted_in_the_query() -> None:
    found = pull_body.parse(LEAST | {"url": URL + "?p=9&q=a%20b", "paging": {"pageParameter": "p", "firstPage": 0}})
    first = pull.first_question(found, {})
    assert first.url == URL + "?q=a%20b&p=0"
    assert pull.page_question(found, first, 1, {}, None).url == URL + "?q=a%20b&p=1"


def test_a_link_is_followed_on_the_same_server_only() -> None:
    found = pull_body.parse(MOST)
    for link, url in (("/next?p=2", "https://api.example.com/next?p=2"), ("?p=2", URL + "?p=2")):
        assert pull_answer.next_url({"links": {"next": link}}, found, URL) == url
    assert pull_answer.next_url({"links": {"next": "https://API.example.com:443/x"}}, found, URL) is not None
    for end in (None, "", False):
        assert pull_answer.next_url({"links": {"next": end}}, found, URL) is None
    assert pull_answer.next_url({"links": {}}, found, URL) is None
    for link in (
        "https://evil.example/",
        "//evil.example/",
        "http://api.example.com/",
        "https://api.example.com:8/",
        5,
    ):
        with pytest.raises(Invalid):
            pull_answer.next_url({"links": {"next": link}}, found, URL)
    question = pull.first_question(found, SECRETS)
    again = pull.page_question(found, question, 1, SECRETS, URL + "?p=2")
    assert again.url == URL + "?p=2&key=k%26y"
    assert (again.method, again.body, again.headers) == (question.method, question.body, question.headers)


def test_a_url_is_shown_without_its_query() -> None:
    assert pull.plain_url("https://api.example.com/a/b?key=secret#x") == "https://api.example.com/a/b"


# ---------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("path", "found"),
    [("", [1]), ("a", [1]), ("a.b", [1]), ("a.0.b", [1]), ("a.b c.d-e", [1])],
)
def test_records_are_found_at_their_path(path: str, found: list[int]) -> None:
    answers: dict[str, Any] = {
        "": [1],
        "a": {"a": [1]},
        "a.b": {"a": {"b": [1]}},
        "a.0.b": {"a": [{"b": [1]}]},
        "a.b c.d-e": {"a": {"b c": {"d-e": [1]}}},
    }
    assert pull_answer.records(answers[path], path) == found


def test_it_is_said_how_far_a_path_leads() -> None:
    answer = {"data": {"rows": [], "total": 0}}
    with pytest.raises(Invalid, match=r"nothing at data\.items: data leads no further; there is rows, total"):
        pull_answer.records(answer, "data.items")
    with pytest.raises(Invalid, match="an object at data"):
        pull_answer.records(answer, "data")
    with pytest.raises(Invalid, match="'no' at its top"):
        pull_answer.records("no", "")
    with pytest.raises(Invalid, match="its top leads no further"):
        pull_answer.records([], "data")


@pytest.mark.parametrize("raw", [b"", b"<html>", b"\xff", b"[" * 100_000, b"[" + b"9" * 5000 + b"]", b"{'a': 1}"])
def test_what_is_no_json_is_told(raw: bytes) -> None:
    with pytest.raises(Invalid):
        pull_answer.read(raw, "items")


def test_json_is_read_with_its_byte_order_mark() -> None:
    assert pull_answer.read(b"\xef\xbb\xbf[1]", "") == [1]


def test_a_record_becomes_a_contact() -> None:
    mapping = {"phoneNumber": "contact.phones.0", "firstName": "name", "Tier": "a.b", "Zone": "tz", "n": "count"}
    record = {"contact": {"phones": ["+1 415 555 0100"]}, "name": "Ada", "a.b": "gold", "tz": None, "count": 5}
    found = pull_answer.contact_of(record, 1, mapping)
    assert not isinstance(found, pull_answer.Problem)
    assert (found.number, found.fields) == (
        "+14155550100",
        {"phoneNumber": "+1 415 555 0100", "firstName": "Ada", "Tier": "gold", "n": 5},
    )


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ("x", ""),
        (None, ""),
        ({}, "p"),
        ({"p": "12"}, "p"),
        ({"p": {"a": 1}}, "p"),
        ({"p": "+14155550100", "n": ["Ada"]}, "n"),
        ({"p": "+14155550100", "n": "x" * 301}, "n"),
        ({"p": "+14155550100", "n": "a\0b"}, "n"),
        ({"p": "+14155550100", "n": float("nan")}, "n"),
    ],
)
def test_a_record_that_is_no_contact_says_where(record: object, field: str) -> None:
    found = pull_answer.contact_of(record, 7, {"phoneNumber": "p", "firstName": "n"})
    assert isinstance(found, pull_answer.Problem)
    assert (found.record, found.field) == (7, field)
    assert found.problem
    assert len(found.value) < 100


# ---------------------------------------------------------------- when

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minutes", "waits"),
    [
        (15, [15, 1, 2, 4, 8, 16, 32, 60, 60]),
        (1, [1, 1, 2, 4, 8, 16, 32, 60, 60]),
        (1440, [1440, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1440, 1440]),
    ],
)
def test_a_sync_follows_after_the_interval_or_sooner_and_then_later_while_it_fails(
    minutes: int, waits: list[int]
) -> None:
    found = pull_body.parse(LEAST | {"dataSyncInterval": minutes})
    for failures, wait in enumerate(waits):
        assert pull.next_sync(found, START, failures) == START + timedelta(minutes=wait)
    assert pull.next_sync(found, START, 10_000) == START + timedelta(minutes=max(60, minutes))


def test_a_list_that_is_pulled_by_hand_waits_for_a_hand() -> None:
    assert pull.next_sync(pull_body.parse(LEAST), START, 0) is None
    assert pull.next_sync(pull_body.parse(LEAST), START, 3) is None


@pytest.mark.parametrize("name", ["", "1A", "A-B", "a b", "x" * 65, None, 5, "é"])
def test_a_secret_has_a_plain_name(name: object) -> None:
    with pytest.raises(Invalid) as caught:
        pull_body.secret_name(name, "secretName")
    assert caught.value.field == "secretName"
    assert pull_body.secret_name("CRM_KEY_2", "secretName") == "CRM_KEY_2"


@pytest.mark.parametrize("value", ["", None, 5, "a\nb", "x" * 2001])
def test_a_secret_that_cannot_be_kept_is_not_repeated(value: object) -> None:
    with pytest.raises(Invalid) as caught:
        pull_body.secret_value(value, "value")
    assert "x" * 10 not in caught.value.message
