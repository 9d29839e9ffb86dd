"""Files in and out: a CSV file sent as a form or as it is, and CSV answered in memory that does not grow with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import SpooledTemporaryFile
from typing import Annotated, BinaryIO, cast
from urllib.parse import quote

from fastapi import Query
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import StreamingResponse

from heliograph.actions.csv_rows import Problem
from heliograph.api import envelope
from heliograph.errors import Invalid
from heliograph.rules import spreadsheet

FILE_LIMIT = 200 * 1024 * 1024  # bytes
IMPORT_LIMIT = 2 * 1024 * 1024 * 1024  # bytes of a file that a worker takes in
IN_MEMORY = 1024 * 1024  # bytes of a file before it goes to the disk
PAGE = 1000  # rows read and sent at once: written in a few milliseconds

FileName = Annotated[str | None, Query(alias="fileName", description="What to call a file sent as text/csv.")]


class Csv(StreamingResponse):
    """A CSV file, sent while it is being read."""

    media_type = "text/csv"


@asynccontextmanager
async def sent(request: Request, name: str, *, limit: int = FILE_LIMIT) -> AsyncIterator[tuple[BinaryIO, str]]:
    """The file in the body, whole, on disk when it is large, and its name (``name`` when it brings none)."""
    body = envelope.chunks(request, limit)
    if not request.headers.get("content-type", "").lower().startswith("multipart/"):
        with SpooledTemporaryFile(IN_MEMORY) as file:
            async for chunk in body:
                file.write(chunk)
            file.seek(0)
            yield cast("BinaryIO", file), _base_name(name)
        return
    try:
        form = await MultiPartParser(request.headers, body, max_files=1, max_fields=20).parse()
    except (MultiPartException, KeyError) as error:
        raise Invalid(f"The body is not multipart/form-data with one file: {error}", field="file") from error
    try:
        found = form.get("file")
        if not isinstance(found, UploadFile):
            text = "There is no file in the body. It takes a field named file, with a CSV file in it"
            raise Invalid(text, field="file")
        yield found.file, _base_name(found.filename or name)
    finally:
        await form.close()


def report(*, problems: tuple[Problem, ...], **counts: object) -> dict[str, object]:
    """What became of the rows of a file."""
    told = [{"row": one.row, "column": one.column, "value": one.value, "problem": one.problem} for one in problems]
    return {**counts, "problems": told, "problemsTotal": counts["rejected"]}


def guard(sent: str | None) -> bool:
    """Whether cells are to be made safe for spreadsheets. Raises Invalid for a word that says neither."""
    if sent and sent.lower() not in ("true", "false"):
        raise Invalid(f"guard is {sent!r}. It takes true or false", field="guard")
    return not sent or sent.lower() == "true"


async def answer(name: str, pages: AsyncIterator[str], *, marked: bool = False) -> Csv:
    """A CSV file called after ``name``, of pages of lines. The first is read before anything is answered.

    ``marked``: it has the mark of UTF-8 in front already.
    """
    first = ("" if marked else spreadsheet.MARK) + await anext(pages)
    safe = "".join(c if c.isascii() and (c.isalnum() or c in " -_.") else "_" for c in name)
    told = f"attachment; filename=\"{safe}.csv\"; filename*=UTF-8''{quote(name, safe='')}.csv"
    return Csv(_rest(first, pages), headers={"Content-Disposition": told})


async def _rest(first: str, pages: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for page in pages:
        yield page


def _base_name(name: str) -> str:
    """A file's name without folders and without what could not be kept."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable()) or "contacts.csv"
