"""Files as people have them: each read rightly, or refused with a sentence that says where and what."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from datetime import datetime
from typing import TYPE_CHECKING

import openpyxl
import pytest

from heliograph.actions import csv_rows, tables
from heliograph.errors import HeliographError, Invalid, TooLarge

if TYPE_CHECKING:
    from collections.abc import Sequence

ADA = ("+14155550100", "Ada")
BOTH = [ADA, ("+14155550101", "Zoë")]
PLAIN = "phoneNumber,name\n+14155550100,Ada\n+14155550101,Zoë\n"


def workbook(rows: Sequence[Sequence[object]], *, first: int = 1) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for y, row in enumerate(rows, first):
        for x, value in enumerate(row, 1):
            sheet.cell(y, x).value = value  # pyright: ignore[reportAttributeAccessIssue]
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def newer(data: bytes) -> bytes:
    """An archive whose directory asks for version 9.9 of the format."""
    at = data.index(b"PK\x01\x02") + 6
    return data[:at] + (99).to_bytes(2, "little") + data[at + 2 :]


def archive(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return out.getvalue()


def read(data: bytes, region: str | None = None) -> tuple[csv_rows.Reader, list[csv_rows.Page]]:
    reader = csv_rows.Reader(io.BytesIO(data), region=region)
    pages: list[csv_rows.Page] = []
    while (page := reader.page(50)) is not None:
        pages.append(page)
    return reader, pages


def test_what_a_mapping_leaves_out_is_guessed() -> None:
    reader = csv_rows.Reader(io.BytesIO(b"phone,where\n+14155550100,UTC\n"), mapping={"timeZone": "where"})
    assert reader.mapping == {"phoneNumber": "phone", "timeZone": "where"}


def test_a_column_that_was_mapped_is_kept_under_the_name_by_which_it_is_found() -> None:
    data = b"phoneNumber,Rufnummer,Vorname\n+14155550100,+14155550101,Ada\n"
    reader = csv_rows.Reader(io.BytesIO(data), mapping={"phoneNumber": "Rufnummer", "firstName": "Vorname"})
    page = reader.page(10)
    assert page is not None
    assert page.contacts[0].number == "+14155550101"
    kept = {"phoneNumber (2)": "+14155550100", "phoneNumber": "+14155550101", "firstName": "Ada"}
    assert json.loads(page.contacts[0].fields) == kept
    assert reader.columns == ["phoneNumber", "Rufnummer", "Vorname"]


def people(data: bytes, region: str | None = None) -> list[tuple[str, str]]:
    """Number and second column of everybody who can be added."""
    reader, pages = read(data, region)
    found = [(contact.number, json.loads(contact.fields)) for page in pages for contact in page.contacts]
    other = next((name for name in reader.kept if name != reader.kept_as("phoneNumber")), None)
    return [(number, str(fields[other]) if other else "") for number, fields in found]


GOOD = {
    "plain": (PLAIN.encode(), BOTH),
    "utf-8 with its mark": (b"\xef\xbb\xbf" + PLAIN.encode(), BOTH),
    "utf-16 little": (PLAIN.encode("utf-16"), BOTH),
    "utf-16 big": (b"\xfe\xff" + PLAIN.encode("utf-16-be"), BOTH),
    "utf-16 without its mark": (PLAIN.encode("utf-16-le"), BOTH),
    "utf-16 big without its mark": (PLAIN.encode("utf-16-be"), BOTH),
    "utf-32": (PLAIN.encode("utf-32"), BOTH),
    "latin-1": (PLAIN.encode("latin-1"), BOTH),
    "windows": ("phoneNumber;name\n+14155550100;“Ada”\n".encode("cp1252"), [("+14155550100", "“Ada”")]),
    "no byte of windows": (b"phoneNumber,name\n+14155550100,A\x81\xe9\n", [("+14155550100", "A\x81é")]),
    "semicolon": (PLAIN.replace(",", ";").encode(), BOTH),
    "tab": (PLAIN.replace(",", "\t").encode(), BOTH),
    "bar": (PLAIN.replace(",", "|").encode(), BOTH),
    "commas inside semicolons": (b"phoneNumber;name\n+14155550100;Lovelace, Ada, Countess\n+14155550101;Zo\n",
                                 [("+14155550100", "Lovelace, Ada, Countess"), ("+14155550101", "Zo")]),
    "excel's first line": (b"sep=;\nphoneNumber;name\n+14155550100;Ada\n", [ADA]),
    "windows lines": (PLAIN.replace("\n", "\r\n").encode(), BOTH),
    "old mac lines": (PLAIN.replace("\n", "\r").encode(), BOTH),
    "no last line end": (PLAIN.rstrip().encode(), BOTH),
    "quoted line ends": (b'phoneNumber,name\n+14155550100,"Ada\nLovelace"\n', [("+14155550100", "Ada\nLovelace")]),
    "quoted quotes": (b'"phoneNumber","name"\n"+14155550100","Ada ""C"""\n', [("+14155550100", 'Ada "C"')]),
    "blank lines": (b"\n\nphoneNumber,name\n\n+14155550100,Ada\n\n\n", [ADA]),
    "a title above": (b"Customers of March,\n,\nphoneNumber,name\n+14155550100,Ada\n", [ADA]),
    "a title in one cell": (b"Customers of March\nphoneNumber,name\n+14155550100,Ada\n", [ADA]),
    "two headers": (b"phoneNumber,name\nTelefon,Name\n+14155550100,Ada\n", [ADA]),
    "no header": (b"+14155550100,Ada\n+14155550101,Zo\n", [ADA, ("+14155550101", "Zo")]),
    "one column, no header": (b"+14155550100\n+14155550101\n", [("+14155550100", ""), ("+14155550101", "")]),
    "header in no language of ours": (b"nimi,puhelin\nAda,+14155550100\n", [ADA]),
    "trailing commas": (b"phoneNumber,name,,\n+14155550100,Ada,,\n", [ADA]),
    "short rows": (b"phoneNumber,name,city\n+14155550100,Ada\n", [ADA]),
    "a long row among good ones": (b"phoneNumber,name\n+14155550100,Ada\n+14155550101,Zo,more\n", [ADA]),
    "excel's apostrophe": (b"phoneNumber,name\n'+14155550100,Ada\n", [ADA]),
    "excel's formula": (b'phoneNumber,name\n"=""+14155550100""",Ada\n', None),
    "scientific": (b"phoneNumber,name\n1.41555501E+10,Ada\n", None),
    "float": (b"phoneNumber,name\n14155550100.0,Ada\n", [ADA]),
    "two zeros in front": (b"phoneNumber,name\n0014155550100,Ada\n", [ADA]),
    "brackets and dashes": (b"phoneNumber,name\n+1 (415) 555-0100,Ada\n", [ADA]),
    "copied from a web page": ("phoneNumber,name\n\u202a+1\u00a0415\u2011555\u20110100\u202c,Ada\n".encode(), [ADA]),
    "gzip": (gzip.compress(PLAIN.encode()), BOTH),
    "gzip of utf-16": (gzip.compress(PLAIN.encode("utf-16")), BOTH),
    "workbook": (workbook([["phoneNumber", "name"], ["+14155550100", "Ada"], [14155550101, "Zoë"]]), BOTH),
    "workbook with floats": (workbook([["phoneNumber", "name"], [14155550100.0, "Ada"]]), [ADA]),
    "workbook that begins below": (workbook([["phoneNumber", "name"], ["+14155550100", "Ada"]], first=4), [ADA]),
    "workbook without a header": (workbook([["+14155550100", "Ada"]]), [ADA]),
    "workbook with dates": (workbook([["phoneNumber", "when"], ["+14155550100", datetime(2026, 3, 2, 9, 30)]]),  # noqa: DTZ001
                            [("+14155550100", "2026-03-02T09:30:00")]),
    "a NUL in one row": (b"phoneNumber,name\n+14155550100,Ada\n+14155550101,Z\0o\n" + b"+14155550102,Bo\n" * 3,
                         [ADA, *[("+14155550102", "Bo")] * 3]),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_a_file_is_read_rightly(name: str) -> None:
    data, expected = GOOD[name]
    if expected is None:  # a cell that has lost its number: told, and left out
        _, (page,) = read(data)
        assert [(problem.row, problem.column) for problem in page.problems] == [(2, "phoneNumber")]
        return
    assert people(data) == expected


def test_numbers_without_a_country_are_the_regions() -> None:
    assert people(b"phone,name\n(415) 555-0100,Ada\n", "US") == [ADA]
    assert people(b"phone,name\n07700 900123,Bo\n", "GB") == [("+447700900123", "Bo")]


REFUSED = {
    "empty": (b"", "empty"),
    "blank lines only": (b"\n \n\n", "No column holds"),
    "no numbers": (b"name,city\nAda,Paris\n", "'name', 'city'"),
    "one name twice": (b"phone,Phone\n1,2\n", "one name"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "neither text nor a workbook"),
    "an archive": (archive(**{"people.csv": PLAIN.encode()}), "Unpack it"),
    "half a workbook": (workbook([["phone"]])[:800], "damaged archive"),
    "an archive of a newer format": (newer(archive(**{"people.csv": b"x"})), "damaged archive"),
    "a workbook of nothing": (workbook([]), "no sheet with anything"),
    "half a gzip": (gzip.compress(PLAIN.encode() * 99)[:-20], "damaged"),
    "a quote that is never closed": (b'phone\n"+14155550100\n' + b"x,\n" * 500_000, "Row 2 cannot be read"),
    "a cell of ten megabytes": (b"phone,note\n+14155550100," + b"x" * 10_000_000 + b"\n", "Row 2 cannot be read"),
    "too many columns": (("phone" + ",x" * 400).encode(), "columns"),
    "old office that is none": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "cannot be read"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_is_refused_with_a_sentence(name: str) -> None:
    data, words = REFUSED[name]
    with pytest.raises(Invalid) as caught:
        read(data)
    assert words in caught.value.message


def test_what_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "LARGEST_WORKBOOK", 1000)
    with pytest.raises(TooLarge, match="unpacks to"):
        read(workbook([["phone"], ["+14155550100"]]))
    monkeypatch.setattr(tables, "LARGEST_UNPACKED", 100_000)
    with pytest.raises(TooLarge, match="unpacks to more"):
        read(gzip.compress(b"phone\n" + b"+14155550100\n" * 20_000))


def test_a_mapping_by_hand_goes_before_every_guess() -> None:
    data = io.BytesIO(b"phone,other,zone\n+14155550100,+14155550101,Asia/Kolkata\n")
    reader = csv_rows.Reader(data, mapping={"phoneNumber": "other", "timeZone": "zone"})
    page = reader.page(10)
    assert page is not None
    assert [(contact.number, contact.time_zone) for contact in page.contacts] == [("+14155550101", "Asia/Kolkata")]


@pytest.mark.parametrize(
    ("mapping", "field"),
    [({"phoneNumber": "nope"}, "phoneNumber"), ({"shoe": "phone"}, "shoe"), ({"timeZone": "city"}, "timeZone")],
)
def test_a_wrong_mapping_is_refused(mapping: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        csv_rows.Reader(io.BytesIO(b"phone,zone\n+14155550100,UTC\n"), mapping=mapping)
    assert caught.value.field == f"mapping.{field}"


def test_cells_that_mean_nothing_are_noted_and_cost_nobody_their_place() -> None:
    _, (page,) = read(b"phone,time zone,priority\n+14155550100,Mars,high\n+14155550101,UTC,2\n")
    assert [contact.number for contact in page.contacts] == ["+14155550100", "+14155550101"]
    assert page.numbered == [2, 3]
    assert [(note.row, note.column, note.value) for note in page.notes] == [
        (2, "time zone", "Mars"),
        (2, "priority", "high"),
    ]


def test_bytes_at_random_are_read_or_refused() -> None:
    chance = random.Random(7)
    for _ in range(300):
        data = bytes(chance.choice(b'\0\n\r,;"+1234567890a\xc3\xa9\xff') for _ in range(chance.randrange(1, 80)))
        try:
            read(data)
        except HeliographError as error:
            assert error.message  # noqa: PT017  # anything else would fail the test
