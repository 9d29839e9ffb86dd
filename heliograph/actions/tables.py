"""The rows of a file of people: CSV in any common encoding and with any separator, gzipped or not, or a workbook.

What kind of file it is shows in its bytes, never in its name. Text is read a line at a time, so memory does not grow
with the file; a workbook (XLSX, XLS, ODS) is read whole by its library, and refused when it would be too large.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zipfile
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, cast

import python_calamine as calamine

from heliograph.errors import Invalid, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SEPARATORS = ",;\t|"
LONGEST_RECORD = 1_000_000  # characters of one line or cell before it is taken for an unclosed quote
LARGEST_UNPACKED = 4 << 30  # bytes of text in a gzipped file
LARGEST_WORKBOOK = 1 << 30  # bytes of a workbook's parts, unpacked
SAMPLE = 1 << 16  # bytes looked at to tell what a file is
SAMPLE_ROWS = 20
SLICE = 1 << 20
LONGEST_TITLE = 10  # rows above the header that may be a title

_GZIP, _ZIP, _OLD_OFFICE = b"\x1f\x8b", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_EXCEL_SEPARATOR = "sep="
_EXACT = 1e15  # above this a spreadsheet's number has lost digits


@dataclass(frozen=True, slots=True)
class Form:
    """What a file turned out to be, for people: ``kind`` csv or workbook; the rest None where it has no meaning."""

    kind: str
    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None
    packed: bool = False


class Table:
    """A file's rows, to be taken once; ``row`` is the number a spreadsheet shows for the last one taken.

    Blocking: use it in a thread. Raises :class:`Invalid`, saying where, for what cannot be read, and
    :class:`TooLarge`.
    """

    def __init__(self, form: Form, rows: Iterable[list[str]], text: io.TextIOWrapper | None = None) -> None:
        self.form = form
        self.row = 0
        self._rows = iter(rows)
        self._text = text

    def take(self, most: int) -> list[list[str]]:
        """The next rows, ``most`` at most; none at the end."""
        taken: list[list[str]] = []
        try:
            for cells in islice(self._rows, most):
                taken.append(cells)  # noqa: PERF402  # those before one that cannot be read count
        except csv.Error as error:
            text = f"Row {self.row + len(taken) + 1} cannot be read: {error}. A quote that is opened must be closed"
            raise Invalid(text, field="file") from error
        except (EOFError, OSError, UnicodeError) as error:
            text = f"The file is damaged at row {self.row + len(taken) + 1} or near it: {error}"
            raise Invalid(text, field="file") from error
        self.row += len(taken)
        return taken

    def detach(self) -> None:
        """Give the file back, open."""
        if self._text is not None:
            self._text.detach()


def open_table(file: BinaryIO) -> Table:
    """The table in ``file``, which must be able to go back to its beginning. Raises :class:`Invalid`."""
    file.seek(0)
    start = file.read(len(_OLD_OFFICE))
    file.seek(0)
    if not start:
        raise Invalid("The file is empty. Its first row names the columns", field="file")
    if start.startswith((_ZIP, _OLD_OFFICE)):
        return _workbook(file)
    if start.startswith(_GZIP):
        return _text(cast("BinaryIO", _Bounded(file)), packed=True)
    return _text(file, packed=False)


# ---------------------------------------------------------------- text


class _Bounded(gzip.GzipFile):
    """A gzipped file that is refused once it has given more than a file may hold: a bomb."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(fileobj=file, mode="rb")

    def read(self, size: int | None = -1) -> bytes:
        """See :class:`gzip.GzipFile`."""
        return self._checked(super().read(size))

    def read1(self, size: int = -1) -> bytes:
        """See :class:`gzip.GzipFile`: what a text wrapper calls."""
        return self._checked(super().read1(size))

    def _checked(self, data: bytes) -> bytes:
        if self.tell() > LARGEST_UNPACKED:
            raise TooLarge(f"The file unpacks to more than {LARGEST_UNPACKED >> 30} GiB", field="file")
        return data


def _text(file: BinaryIO, *, packed: bool) -> Table:
    try:
        encoding = _encoding(file)
    except (EOFError, OSError) as error:
        raise Invalid(f"The file is damaged: {error}", field="file") from error
    file.seek(0)
    sample = io.TextIOWrapper(_Prefix(file.read(SAMPLE)), encoding=encoding, errors="replace", newline="").read()
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, newline="", errors="strict")
    separator = _separator(sample)
    csv.field_size_limit(LONGEST_RECORD)
    lines = _lines(text)
    if sample.lower().startswith(_EXCEL_SEPARATOR):
        next(lines)  # Excel's own first line, which only says what stands between cells
    rows = csv.reader(lines, delimiter=separator)
    return Table(Form("csv", encoding.removesuffix("-sig"), separator, packed=packed), rows, text)


class _Prefix(io.BytesIO):
    """The beginning of a file, as a file."""


def _encoding(file: BinaryIO) -> str:
    """Told by the mark at the beginning; else UTF-8 if all of it is that; else what Windows writes in the West."""
    start = file.read(SAMPLE)
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    if b"\0" in start:
        return _without_mark(start)
    decoder = codecs.getincrementaldecoder("utf-8")()
    data = start
    try:
        while data:
            decoder.decode(data)
            data = file.read(SLICE)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return _western(file)
    return "utf-8"


def _without_mark(start: bytes) -> str:
    """UTF-16 without its mark has a zero in every other place of plain words; anything else with zeros is no text."""
    even, odd = start[0::2].count(0), start[1::2].count(0)
    half = len(start) // 2 or 1
    if odd > 0.4 * half and even < 0.1 * half:
        return "utf-16-le"
    if even > 0.4 * half and odd < 0.1 * half:
        return "utf-16-be"
    if (even + odd) * 8 < len(start) and _is_utf8(start.replace(b"\0", b"")):
        return "utf-8"  # a stray NUL in a text: told by the cell it is in
    raise Invalid("The file is no table: it is neither text nor a workbook. Save it as CSV or XLSX", field="file")


def _is_utf8(data: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return False
    return True


def _western(file: BinaryIO) -> str:
    """Windows-1252, unless a byte that it gives no meaning to shows that it is Latin-1."""
    file.seek(0)
    while data := file.read(SLICE):
        try:
            data.decode("cp1252")
        except UnicodeDecodeError:
            return "latin-1"
    return "cp1252"


def _separator(sample: str) -> str:
    """What stands between cells: whatever cuts the first rows into the same number of cells, the more the better."""
    first, _, _ = sample.partition("\n")
    if first.lower().startswith(_EXCEL_SEPARATOR) and len(first.strip()) == len(_EXCEL_SEPARATOR) + 1:
        return first.strip()[-1]
    lines = sample.splitlines(keepends=True)
    if len(lines) > 1 and len(sample) >= SAMPLE // 4:
        lines = lines[:-1]  # the last one may be cut
    return max(SEPARATORS, key=lambda separator: _agreement(lines, separator))


def _agreement(lines: list[str], separator: str) -> tuple[float, int]:
    widths: Counter[int] = Counter()
    try:
        for row in csv.reader(lines, delimiter=separator):
            if any(row):
                widths[len(row)] += 1
            if widths.total() >= SAMPLE_ROWS:
                break
    except csv.Error:
        pass
    (width, rows) = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
    return (rows / widths.total(), width) if width > 1 else (0.0, 0)


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    """Line by line, none of them so long that it would fill the memory."""
    while line := text.readline(LONGEST_RECORD):
        if len(line) >= LONGEST_RECORD:
            raise csv.Error(f"it has a line of more than {LONGEST_RECORD} characters")
        yield line


# ---------------------------------------------------------------- workbooks


def _workbook(file: BinaryIO) -> Table:
    _check_size(file)
    try:
        book = calamine.CalamineWorkbook.from_filelike(file)
        shown = [
            each.name
            for each in book.sheets_metadata
            if each.visible == calamine.SheetVisibleEnum.Visible and each.typ == calamine.SheetTypeEnum.WorkSheet
        ]
        sheets = (book.get_sheet_by_name(name) for name in shown)
        sheet = next((each for each in sheets if each.height), None)
    except calamine.PasswordError as error:
        raise Invalid("The workbook is protected by a password. Save it without one", field="file") from error
    except Exception as error:  # the library lets errors of several kinds through for damaged files
        raise Invalid(f"The workbook cannot be read: {error}. Save it as CSV or XLSX", field="file") from error
    if sheet is None:
        raise Invalid("The workbook has no sheet with anything on it", field="file")
    blank: list[list[str]] = [[] for _ in range(sheet.start[0])] if sheet.start else []
    return Table(Form("workbook", sheet=sheet.name), _cells_of(blank, sheet))


def _check_size(file: BinaryIO) -> None:
    """Refuse an archive that is no workbook, or one that would fill the memory when unpacked."""
    file.seek(0)
    if file.read(len(_ZIP)) == _ZIP:
        try:
            with zipfile.ZipFile(file) as archive:
                names, size = archive.namelist(), sum(each.file_size for each in archive.infolist())
        # NotImplementedError: how zipfile refuses an archive of a newer version of the format than it can read.
        except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
            raise Invalid(f"The file is a damaged archive or workbook: {error}", field="file") from error
        if "[Content_Types].xml" not in names and "mimetype" not in names:
            raise Invalid("The file is an archive. Unpack it, and send the CSV or XLSX file in it", field="file")
        if size > LARGEST_WORKBOOK:
            most = f"at most {LARGEST_WORKBOOK >> 20} are read"
            raise TooLarge(f"The workbook unpacks to {size >> 20} MiB, and {most}. Save it as CSV", field="file")
    file.seek(0)


def _cells_of(blank: list[list[str]], sheet: calamine.CalamineSheet) -> Iterator[list[str]]:
    yield from blank
    for row in sheet.iter_rows():
        yield [_cell(value) for value in row]


def _cell(value: object) -> str:
    """A cell as it would stand in a CSV file. Telephone numbers come as floats: 14155550100.0."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value)
