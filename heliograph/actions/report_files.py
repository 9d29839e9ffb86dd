"""A table as a file: CSV, a workbook or a PDF, in memory that is bounded by :data:`report_tables.MOST_ROWS`.

None of them runs anything when it is opened: a cell of CSV that looks like a formula is disarmed, a workbook's texts
are texts, and a PDF has no scripts.
"""

from __future__ import annotations

import io
import logging
from datetime import date
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import fpdf
import xlsxwriter
from fpdf.enums import TableCellFillMode, XPos, YPos
from fpdf.fonts import FontFace

from heliograph.errors import Invalid
from heliograph.rules import report, spreadsheet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from heliograph.rules.report import Cell, Column, Table

MEDIA = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
PDF_ROWS = 2_000  # of which 60 pages are made in a few seconds; whoever wants more wants to calculate
WIDEST = 60  # characters a column is wide at most
_FONT = "DejaVu"  # Latin, Greek, Cyrillic, Arabic, Hebrew; what it has not is drawn as an empty box
logging.getLogger("fpdf").setLevel(logging.ERROR)  # it warns of each such character: names are not for logs
_HEAD = FontFace(fill_color=(232, 236, 241))


async def write(table: Table, kind: str) -> bytes:
    """The file. Raises Invalid for a kind there is not."""
    if kind not in _WRITERS:
        raise Invalid(f"format is {kind[:40]!r}; it takes one of: {', '.join(report.FORMATS)}", field="format")
    return await anyio.to_thread.run_sync(_WRITERS[kind], table)


# ---------------------------------------------------------------- CSV


def _csv(table: Table) -> bytes:
    lines: Iterable[tuple[Cell, ...]] = (tuple(_heading(column) for column in table.columns), *table.rows)
    text = "".join(spreadsheet.line(spreadsheet.guarded(_plain(cell)) for cell in line) for line in lines)
    return (spreadsheet.MARK + text).encode()


def _heading(column: Column) -> str:
    return column.word if column.kind == "number" else column.word.lower()


def _plain(cell: Cell) -> str:
    return "" if cell is None else str(cell)


# ---------------------------------------------------------------- workbook


def _xlsx(table: Table) -> bytes:
    """A sheet with the table, its sums in the last row; and one that says what it is."""
    out = io.BytesIO()
    # Rows go to disk as they are written; whatever looks like a formula, a number or a link stays a text.
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(out, options) as opened:
        book: Any = opened  # the library has few types
        _sheet(book, table)
        about = book.add_worksheet("About")
        about.set_column(0, 0, 100, book.add_format({"text_wrap": True}))
        for row, text in enumerate((table.title, table.about, table.note)):
            about.write_string(row, 0, text)
    return out.getvalue()


def _sheet(book: Any, table: Table) -> None:  # noqa: ANN401  # the library has no types
    sheet = book.add_worksheet("Report")
    bold = book.add_format({"bold": True, "bottom": 1})
    formats = {
        "text": None,
        "number": book.add_format({"num_format": "#,##0"}),
        "day": book.add_format({"num_format": "yyyy-mm-dd", "align": "left"}),
        "time": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "align": "left"}),
    }
    for place, column in enumerate(table.columns):
        longest = max((len(_plain(row[place])) for row in table.rows), default=0)
        sheet.set_column(place, place, min(WIDEST, max(len(column.word), longest) + 3))
        sheet.write_string(0, place, column.word, bold)
    sheet.freeze_panes(1, 1)
    for at, row in enumerate(table.rows, start=1):
        for place, cell in enumerate(row):
            _cell(sheet, at, place, cell, formats[table.columns[place].kind])
    if table.rows:
        sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)
    total = book.add_format({"bold": True, "top": 1, "num_format": "#,##0"})
    for place, cell in enumerate(table.total):
        _cell(sheet, len(table.rows) + 1, place, cell, total)


def _cell(sheet: Any, row: int, place: int, cell: Cell, form: object) -> None:  # noqa: ANN401  # the library has no types
    if isinstance(cell, str):
        sheet.write_string(row, place, cell, form)
    elif isinstance(cell, int):
        sheet.write_number(row, place, cell, form)
    elif isinstance(cell, date):
        sheet.write_datetime(row, place, cell, form)
    else:
        sheet.write_blank(row, place, None, form)


# ---------------------------------------------------------------- PDF


class _Page(fpdf.FPDF):
    """A page with its number at the foot."""

    def footer(self) -> None:
        """Which page of how many."""
        self.set_y(-12)
        self.set_font(_FONT, size=7)
        self.cell(0, 8, f"Page {self.page_no()} of {{nb}}", align="R")


def _pdf(table: Table) -> bytes:
    page = _Page("landscape", "mm", "A4")
    with as_file(files("heliograph.actions").joinpath("fonts/DejaVuSans.ttf")) as font:
        page.add_font(_FONT, fname=font)
    page.set_title(table.title)
    page.set_lang("en")
    page.set_margin(12)
    page.set_auto_page_break(auto=True, margin=16)
    page.add_page()
    _say(page, 15, table.title)
    _say(page, 8, table.about)
    page.ln(3)
    _grid(page, table)
    page.ln(3)
    left_out = len(table.rows) - PDF_ROWS
    more = f" {left_out:,} further lines are left out here; CSV and XLSX have them." if left_out > 0 else ""
    _say(page, 7, table.note + more)
    return bytes(page.output())


def _say(page: fpdf.FPDF, size: int, text: str) -> None:
    page.set_font(_FONT, size=size)
    page.multi_cell(0, size * 0.6, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _grid(page: fpdf.FPDF, table: Table) -> None:
    """The table without the column of ids, which nobody reads on paper."""
    places = [place for place, column in enumerate(table.columns) if column.word != "Id"]
    kinds = [table.columns[place].kind for place in places]
    page.set_font(_FONT, size=8)
    page.set_draw_color(190, 197, 206)
    with page.table(
        col_widths=tuple(3 if kind == "text" else 1 for kind in kinds),
        text_align=tuple("RIGHT" if kind == "number" else "LEFT" for kind in kinds),
        headings_style=_HEAD,
        borders_layout="HORIZONTAL_LINES",
        cell_fill_mode=TableCellFillMode.NONE,
        line_height=5.5,
    ) as grid:
        for number, line in enumerate((tuple(c.word for c in table.columns), *table.rows[:PDF_ROWS], table.total)):
            row = grid.row(style=_HEAD if number > min(len(table.rows), PDF_ROWS) else None)
            for place in places:
                row.cell(_spelled(line[place]))


def _spelled(cell: Cell) -> str:
    return f"{cell:,}" if isinstance(cell, int) else _plain(cell)


_WRITERS: dict[str, Callable[[Table], bytes]] = {"csv": _csv, "xlsx": _xlsx, "pdf": _pdf}
