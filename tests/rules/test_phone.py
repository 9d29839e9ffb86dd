from __future__ import annotations

import importlib.util
import random
import sys

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.errors import Invalid
from heliograph.rules import phone


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("+14155550101", "+14155550101"),
        ("+1 (415) 555-0101", "+14155550101"),
        ("+1.415.555.0101", "+14155550101"),
        ("14155550101", "+14155550101"),
        (14155550101, "+14155550101"),
        (14155550101.0, "+14155550101"),
        ("14155550101.0", "+14155550101"),
        ("1.4155550101e10", "+14155550101"),
        ("1.4155550101E+10", "+14155550101"),
        ("'+447700900123", "+447700900123"),
        ('"+447700900123"', "+447700900123"),
        ("0044 7700 900123", "+447700900123"),
        ("+44\u00a07700\u00a0900\u2011123", "+447700900123"),
        ("+44 (0)7700 900123", "+447700900123"),
        ("\u202a+44 7700 900123\u202c", "+447700900123"),  # as copied from a phone's address book
        ("\ufeff+447700900123\r", "+447700900123"),
        ("+٤٤٧٧٠٠٩٠٠١٢٣", "+447700900123"),
        ("\uff0b447700900123", "+447700900123"),
        ("+61491570156", "+61491570156"),
        ("+33639980101", "+33639980101"),
        ("+390612345678", "+390612345678"),  # Italy keeps its zero
    ],
)
def test_numbers_as_people_and_spreadsheets_write_them(raw: object, number: str) -> None:
    assert phone.normalise(raw) == number


@pytest.mark.parametrize(
    ("raw", "region", "number"),
    [
        ("07700 900123", "GB", "+447700900123"),
        ("(415) 555-0101", "us", "+14155550101"),
        ("+447700900123", "US", "+447700900123"),
        ("00447700900123", "US", "+447700900123"),
    ],
)
def test_national_numbers_are_read_in_their_region(raw: object, region: str, number: str) -> None:
    assert phone.normalise(raw, region) == number


@pytest.mark.parametrize(
    "raw",
    [
        *["", "+", "abc", "call me", "+1 415 555 0101 ext 5", "+1415555010x", "07700900123", "+15550101", "123"],
        *["+999123456789", "+123456789012345678", "12345678901234567890", "+0123456789", "1.5", "14155550101.5"],
        *[
            None,
            True,
            False,
            [],
            {},
            float("nan"),
            float("inf"),
            -14155550101,
            10**30,
            1.5,
            "9" * 5000,
            "\x00",
            "\ud800",
        ],
    ],
)
def test_what_is_no_number_is_refused_by_name(raw: object) -> None:
    with pytest.raises(Invalid) as refused:
        phone.normalise(raw, field="phoneNumber")
    assert refused.value.field == "phoneNumber"
    assert "+14155550100" in refused.value.message
    assert len(refused.value.message) < 200


def test_a_number_that_a_spreadsheet_rounded_is_not_guessed() -> None:
    with pytest.raises(Invalid, match="cut short by a spreadsheet"):
        phone.normalise("1.41556E+10")


def test_an_unknown_region_is_named() -> None:
    with pytest.raises(Invalid, match="'XX' is not a region"):
        phone.normalise("07700900123", "XX")


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_every_regions_example_is_read_as_the_reference_reads_it(region: str) -> None:
    kinds = [phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE]
    for kind in kinds:
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        national = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL)
        assert phone.normalise(e164) == e164
        assert phone.normalise(e164[1:]) == e164
        assert phone.normalise(national, region) == e164


def _reference(text: str) -> str | None:
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def test_without_the_fast_library_the_reference_answers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rphonenumbers", None)
    spec = importlib.util.spec_from_file_location("phone_alone", phone.__file__)
    assert spec is not None
    assert spec.loader is not None
    alone = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(alone)
    assert alone.fast is alone.truth
    assert alone.normalise("0044 7700 900123") == "+447700900123"
    with pytest.raises(Invalid):
        alone.normalise("+22990123456")  # Benin's numbers have ten digits now


def test_any_digits_are_judged_as_the_reference_judges_them() -> None:
    """Every country code at every length: the fast tables must not let through what the reference refuses."""
    chance = random.Random(229)
    for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        for length in range(7 - len(str(code)), 16 - len(str(code))):
            for _ in range(3):
                text = f"+{code}" + "".join(chance.choices("0123456789", k=length))
                try:
                    found = phone.normalise(text)
                except Invalid:
                    found = None
                assert found == _reference(text), text


@settings(deadline=None, max_examples=60)
@given(st.from_regex(r"\+1[0-9]{10}", fullmatch=True, alphabet=st.characters(codec="ascii")))
def test_no_american_number_is_read_otherwise_than_by_the_reference(raw: str) -> None:
    """They are read without it."""
    spread = f"{raw[:2]} ({raw[2:5]}) {raw[5:8]}-{raw[8:]}"
    found = phonenumbers.parse(raw, None)
    assert phonenumbers.is_possible_number_with_reason(found) == phonenumbers.ValidationResult.IS_POSSIBLE
    assert phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164) == raw
    assert phone.normalise(raw) == phone.normalise(spread) == phone.normalise(raw, "GB") == raw


@settings(deadline=None)
@given(st.one_of(st.text(max_size=30), st.integers(), st.floats(), st.none(), st.binary()))
def test_anything_is_a_number_or_refused(raw: object) -> None:
    try:
        found = phone.normalise(raw)
    except Invalid:
        return
    assert phone.normalise(found) == found


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        ("+91987654321", "+91987654321"),  # as the vendor's pages print it
        ("+1 (415) 555-0100", "+14155550100"),
        ("14155550100", "+14155550100"),
        ("12345", "12345"),
        ("ACME", "ACME"),
        (" Acme Shop ", "Acme Shop"),
        ("Hélène", "Hélène"),
        ("24h", "24h"),
    ],
)
def test_senders(raw: object, address: str) -> None:
    assert phone.sender_address(raw) == address


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "*",
        "12",
        "+12345",
        "+1234567890123456",
        "0123456789",
        "twelve chars",
        "[[[abc]]]",
        "Şirket",
        None,
        5,
        [],
        "A\nB",
    ],
)
def test_what_nobody_can_send_from(raw: object) -> None:
    with pytest.raises(Invalid) as refused:
        phone.sender_address(raw, field="dialingStrategy.callerId.phoneNumber")
    assert refused.value.field == "dialingStrategy.callerId.phoneNumber"
    assert "short code" in refused.value.message


@pytest.mark.parametrize(
    ("number", "shown"),
    [("+447700900123", "+4477****123"), ("1234567", "12****67"), ("12345", "****5"), ("1", "****"), ("", "****")],
)
def test_logs_show_masked_numbers(number: str, shown: str) -> None:
    assert phone.mask(number) == shown


@settings(deadline=None)
@given(st.text(max_size=20))
def test_masks_are_ascii_and_hide_the_middle(number: str) -> None:
    shown = phone.mask(number)
    assert shown.isascii()
    assert number not in shown or not number
