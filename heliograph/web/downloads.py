"""Files that the console answers with: sent while they are being read, in memory that does not grow with them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def csv_answer(name: str, pages: AsyncIterator[str]) -> StreamingResponse:
    """A CSV file called after ``name``, of pages of lines, the mark of UTF-8 in the first.

    The first page is read before anything is answered: what it raises becomes a page that says so.
    """
    first = await anext(pages)
    return StreamingResponse(_all(first, pages), media_type="text/csv", headers=_called(name, "csv"))


def whole(name: str, ending: str, media_type: str, content: bytes) -> Response:
    """A file called after ``name`` that is there as a whole."""
    return Response(content, media_type=media_type, headers=_called(name, ending))


def _called(name: str, ending: str) -> dict[str, str]:
    safe = "".join(each if each.isascii() and (each.isalnum() or each in " -_.") else "_" for each in name)
    told = f"attachment; filename=\"{safe}.{ending}\"; filename*=UTF-8''{quote(name, safe='')}.{ending}"
    return {"Content-Disposition": told}


async def _all(first: str, pages: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for page in pages:
        yield page
