"""Syncs of lists that pull, over HTTP; ours, as the vendor has them on its screens only. Paths stand in routes.py."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from heliograph.actions import pulls as pulling
from heliograph.api import auth, campaign_query, envelope
from heliograph.api.contacts import Limit, Skip
from heliograph.api.lists import ListId
from heliograph.store import list_sources, lists, sync_logs
from heliograph.store.list_sources import Source
from heliograph.store.lists import ContactList
from heliograph.store.sync_logs import Sync, Wanted

DEFAULT_LIMIT = 50

Search = Annotated[
    str | None, Query(description="Only syncs with this text in their outcome, reason or problems, whatever the case.")
]
StartDate = Annotated[
    str | None,
    Query(alias="startDate", description="Only syncs begun at this ISO 8601 date or time, or later."),
]
EndDate = Annotated[
    str | None,
    Query(alias="endDate", description="Only syncs begun at this time or before; a date is its whole day."),
]


async def sync(call: auth.Campaigns, list_id: ListId) -> Response:
    """Sync a list that pulls, now.

    A worker takes it up within a second or two; what becomes of it is in its sync logs. While a sync is under way,
    one more follows it.
    """
    found = await pulling.ask(call.db, call.app, list_id, now=call.now)
    data = {"contactListId": found.public_id, "nextSyncAt": envelope.instant(call.now)}
    return envelope.success(f"Sync of contact list {found.name} is in progress", data)


async def try_out(call: auth.Campaigns, list_id: ListId) -> Response:
    """Try a pull out: the first page, the first five contacts and problems in it. Nothing is stored.

    With `apiConfigurations` in the body these are tried, before they are saved; else the list's own.
    """
    here = auth.house(call.request)
    allowed = here.settings.pull_private_networks
    tried = await pulling.try_out(call.db, here.seal, call.app, list_id, await call.body(), allowed=allowed)
    data = {
        "outcome": "completed" if tried.reason is None else "failed",
        "reason": tried.reason,
        "fetched": tried.fetched,
        "records": [dict(person.fields) for person in tried.records],
        "rejected": tried.rejected,
        "problems": [problem._asdict() for problem in tried.problems],
    }
    return envelope.success("", data)


async def logs(  # noqa: PLR0913  # a parameter is a query value
    call: auth.Campaigns,
    list_id: ListId,
    *,
    skip: Skip = None,
    limit: Limit = None,
    search: Search = None,
    start: StartDate = None,
    end: EndDate = None,
) -> Response:
    """The syncs of a list, a page at a time, the newest first. The newest thousand are kept."""
    number = campaign_query.whole_number
    passed = number(skip, "skip", default=0, least=0, most=campaign_query.MAX_SKIP)
    most = number(limit, "limit", default=DEFAULT_LIMIT, least=1, most=campaign_query.MAX_LIMIT)
    wanted = _wanted(search, start, end)
    async with call.db.connection() as conn:
        found = await lists.get(conn, call.app.app_id, list_id)
        source = await list_sources.find(conn, call.app.app_id, found.list_id)
        total = await sync_logs.count(conn, call.app.app_id, found.list_id, wanted)
        page = await sync_logs.page(conn, call.app.app_id, found.list_id, wanted, skip=passed, limit=most)
    data = campaign_query.page([_record(one) for one in page], passed, most, total) | {"nextSyncAt": _next(source)}
    return envelope.success(f"Sync logs of contact list {found.name} retrieved successfully", data)


async def export(
    call: auth.Campaigns, list_id: ListId, search: Search = None, start: StartDate = None, end: EndDate = None
) -> Response:
    """The syncs of a list as a JSON file."""
    wanted = _wanted(search, start, end)
    async with call.db.connection() as conn:
        found = await lists.get(conn, call.app.app_id, list_id)
        page = await sync_logs.page(conn, call.app.app_id, found.list_id, wanted, skip=0, limit=sync_logs.KEPT)
    content = {
        "contactListId": found.public_id,
        "name": found.name,
        "exportedAt": envelope.instant(call.now),
        "syncLogs": [_record(one) for one in page],
    }
    return envelope.reply(content, headers={"Content-Disposition": f'attachment; filename="{_file_name(found)}"'})


def _wanted(search: str | None, start: str | None, end: str | None) -> Wanted:
    return Wanted(
        text=(search or "").strip(),
        since=campaign_query.instant(start, "startDate", end_of_day=False),
        until=campaign_query.instant(end, "endDate", end_of_day=True),
    )


def _record(one: Sync) -> dict[str, object]:
    return {
        "number": one.sync_no,
        "outcome": one.outcome,
        "trigger": "hand" if one.by_hand else "interval",
        "startedAt": envelope.instant(one.started_at),
        "endedAt": None if one.ended_at is None else envelope.instant(one.ended_at),
        "pages": one.pages,
        "fetched": one.fetched,
        "added": one.added,
        "duplicates": one.duplicates,
        "rejected": one.rejected,
        "problems": one.problems,
        "reason": one.reason,
    }


def _next(source: Source | None) -> str | None:
    at = None if source is None else source.next_sync_at
    return None if at is None else envelope.instant(at)


def _file_name(found: ContactList) -> str:
    """Named by the id: a list's name may be of any script, and a header's value not."""
    return f"syncLogs-{found.public_id}.json"
