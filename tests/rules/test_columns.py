from __future__ import annotations

import pytest

from heliograph.errors import Invalid
from heliograph.rules import columns


def test_the_vendors_sample_columns() -> None:
    header = ["firstName", "lastName", "phoneNumber", "timezone", "uniqueId", " Priority"]
    assert columns.guess(header) == {
        "firstName": "firstName",
        "lastName": "lastName",
        "phoneNumber": "phoneNumber",
        "timeZone": "timezone",
        "uniqueId": "uniqueId",
        "contactPriority": " Priority",
    }


@pytest.mark.parametrize(
    "name",
    ["phoneNumber", "Phone Number", "phone", "Mobile", "cell", "MSISDN", "number", "cell_phone", "\ufeffPhone-Number"],
)
def test_a_number_by_any_name(name: str) -> None:
    assert columns.guess(["City", name]) == {"phoneNumber": name}
    assert columns.number({"City": "Pune", name: "+14155550101"}) == "+14155550101"


def test_the_likeliest_column_is_the_number() -> None:
    assert columns.guess(["number", "Mobile", "phone"])["phoneNumber"] == "phone"
    assert columns.number({"phone": " ", "mobile": "+14155550101"}) == "+14155550101"


def test_a_header_without_a_number_says_what_is_there_and_what_is_understood() -> None:
    with pytest.raises(Invalid, match=r"'City', 'Name'.*phoneNumber.*msisdn"):
        columns.guess(["City", "Name"])
    with pytest.raises(Invalid, match="none"):
        columns.guess([])


@pytest.mark.parametrize("pair", [["phone", "phone"], ["First Name", "first_name"]])
def test_two_columns_of_one_name_are_refused(pair: list[str]) -> None:
    with pytest.raises(Invalid, match="are one name"):
        columns.guess(["mobile", *pair])


def test_columns_without_a_name_are_no_duplicates() -> None:
    assert columns.guess(["phone", "", "", " "]) == {"phoneNumber": "phone"}


def test_what_is_known_of_a_contact() -> None:
    fields = {
        "Phone": 14155550101,
        "First name": " Ann ",
        "last_name": None,
        "tz": "Asia/Kolkata",
        "Unique ID": 7,
        "priority": "3",
    }
    assert columns.read(fields) == (14155550101, "Asia/Kolkata", "7", 3, "Ann", None)
    assert columns.time_zone(fields) == "Asia/Kolkata"
    assert columns.unique_id(fields) == "7"
    assert columns.priority(fields) == 3
    assert columns.first(fields, "nickname", "firstName") == " Ann "
    assert columns.first(fields, "nickname") is None


@pytest.mark.parametrize(
    ("raw", "priority"),
    [
        ("5", 5),
        (5, 5),
        (5.0, 5),
        ("-1", -1),
        ("high", None),
        ("3.5", None),
        ("²", None),
        ("99999", None),
        (True, None),
        ("+-5", None),
        ("32766", 32766),
        (32767, None),  # the ends mean something else to planning
        (-32768, None),
    ],
)
def test_priorities_are_small_whole_numbers(raw: object, priority: int | None) -> None:
    assert columns.priority({"contactPriority": raw}) == priority
