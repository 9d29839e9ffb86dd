"""Entries of do-not-contact lists, as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from heliograph.errors import Invalid
from heliograph.rules import do_not_contact, phone, spreadsheet
from heliograph.rules.do_not_contact import Entry

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "kind", "found"),
    [
        ("+14155550100", None, "+14155550100"),
        ("1 (415) 555-0100", "number", "+14155550100"),
        ("+1900*", None, "+1900*"),
        ("+1 900 *", None, "+1900*"),
        ("001900", "prefix", "+1900*"),
        ("1900*", "prefix", "+1900*"),
        ("+1", "prefix", "+1*"),
        ("+14155550100", "prefix", "+14155550100*"),
        (1900, "prefix", "+1900*"),
    ],
)
def test_an_entry_is_a_number_or_a_prefix(raw: object, kind: str | None, found: str) -> None:
    assert do_not_contact.read_id(raw, kind=kind) == found


@pytest.mark.parametrize("raw", ["", "*", "+", "+0*", "+1x*", "+123456789012345", None, True, [], "1,9"])
def test_what_is_no_prefix_is_refused_with_what_is_one(raw: object) -> None:
    with pytest.raises(Invalid, match=r"\+1900"):
        phone.prefix(raw)


def test_a_number_is_covered_by_itself_and_all_its_beginnings() -> None:
    assert do_not_contact.covering("+4412") == ["+4412", "+4*", "+44*", "+441*", "+4412*"]
    assert do_not_contact.covering("+44*") == ["+44*"]


def test_of_entries_that_come_twice_the_first_reason_and_the_latest_end_count() -> None:
    soon, late = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    twice = [Entry("a", "1", soon), Entry("b", "2"), Entry("a", "3", late), Entry("b", "4", soon)]
    assert do_not_contact.once_each(twice) == [Entry("a", "1", late), Entry("b", "2")]
    assert do_not_contact.once_each([*twice, Entry("a")])[0] == Entry("a", "1")


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (None, None),
        ("", None),
        ("2026-03-02T07:00:00Z", NOW + timedelta(hours=1)),
        ("2026-03-02 07:00:00", NOW + timedelta(hours=1)),
        ("2026-03-02T12:30:00+05:30", NOW + timedelta(hours=1)),
        ("2026-03-03", NOW + timedelta(hours=18)),
    ],
)
def test_an_end_is_a_time_to_come(raw: object, found: datetime | None) -> None:
    assert do_not_contact.expiry(raw, "expiresAt", now=NOW) == found


@pytest.mark.parametrize("raw", ["2026-03-02T06:00:00Z", "1999-01-01", "soon", 5, "0001-01-01T00:00:00+14:00"])
def test_what_is_none_is_refused(raw: object) -> None:
    with pytest.raises(Invalid, match="expiresAt is"):
        do_not_contact.expiry(raw, "expiresAt", now=NOW)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("", ""),
        ("Ada", "Ada"),
        ("=1+1", "'=1+1"),
        ("+1+1", "'+1+1"),
        ("-2+3", "'-2+3"),
        ("@x", "'@x"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("-5", "-5"),
        ("+14155550100", "+14155550100"),
        ("-4.25", "-4.25"),
        ("a=b", "a=b"),
        ("-", "'-"),
    ],
)
def test_no_cell_is_a_formula(text: str, safe: str) -> None:
    assert spreadsheet.guarded(text) == safe


def test_a_cell_is_words() -> None:
    given = [None, "x", 7, 1.5, True, ["a"], {"b": "ł"}]
    assert [spreadsheet.words(value) for value in given] == ["", "x", "7", "1.5", "true", '["a"]', '{"b": "ł"}']
    assert spreadsheet.line(["a", 'b"c', "d\ne"]) == '"a","b""c","d\ne"\r\n'
