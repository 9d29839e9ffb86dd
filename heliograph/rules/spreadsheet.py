"""Writing CSV that a spreadsheet may open: UTF-8 with its mark, every cell in quotes, and no cell that is a formula.

A cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return is taken for a formula by spreadsheets,
and formulas can fetch and send data (OWASP: CSV injection). Such a cell gets an apostrophe in front, which they take
for "this is text". Plain numbers (``-5``, ``+4.25``) are left as they are: they do nothing.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MARK = "\ufeff"  # by which spreadsheets know UTF-8
_RISKY = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-][0-9]+(?:[.,][0-9]+)?").fullmatch


def words(value: object) -> str:
    """A contact's value as the words of a cell; what is neither text nor number as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def guarded(text: str) -> str:
    """``text`` so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(_RISKY) and not _NUMBER(text) else text


def line(cells: Iterable[str]) -> str:
    """A row of a file, with its end. Every cell is quoted, so that a number keeps its plus."""
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells) + "\r\n"
