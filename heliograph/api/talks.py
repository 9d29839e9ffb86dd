"""How the conversations of a campaign and of a flow go, over HTTP; ours. Their paths stand in routes.py."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated

from fastapi import Path, Query
from starlette.responses import Response

from heliograph.actions import flow_book
from heliograph.api import auth, campaign_query, envelope
from heliograph.api.campaigns import CampaignId
from heliograph.api.contacts import DEFAULT_LIMIT, MAX_LIMIT, MAX_SKIP, Limit, Skip
from heliograph.api.flows import FlowId
from heliograph.errors import NotFound
from heliograph.rules import ids
from heliograph.store import campaigns, runs, session_numbers
from heliograph.store.database import Conn
from heliograph.store.runs import Run
from heliograph.store.session_numbers import Group, Line, Listed

RunId = Annotated[
    str | None, Query(alias="runId", description="The run (`cid-…`); left out: the one under way, or the last one.")
]
SessionId = Annotated[
    str,
    Path(
        alias="sessionId", description="As the list of sessions tells it: `ses-…`.", examples=["ses-0000000000000001"]
    ),
]


async def numbers(call: auth.Campaigns, campaign_id: CampaignId, run_id: RunId = None) -> Response:
    """How the conversations of a campaign's run go.

    How many began, answered and ended with which result; of each node, how many stand there now, and how many ended
    there: where people drop out. `waiting` are those whose first text has not left yet.
    """
    async with call.db.connection() as conn:
        run = await _run(conn, call.app.app_id, campaign_id, run_id)
        found = await session_numbers.groups(conn, run.app_id, run_id=run.run_id)
        median = await session_numbers.median_seconds(conn, run.app_id, run_id=run.run_id)
    data = {"runId": run.public_id, "experienceFlow": run.flow, "flowVersion": run.flow_version}
    return envelope.success("", data | _told(found, median))


async def of_flow(call: auth.Campaigns, flow_id: FlowId) -> Response:
    """How the conversations through a flow go, of all campaigns and of whoever wrote by themselves, since ever."""
    async with call.db.connection() as conn:
        book = await flow_book.load(conn, call.app.app_id)
        public_id = book.public_id(flow_id)
        if public_id is None:
            raise NotFound(f"No published experience flow {flow_id}", field="experienceFlowId")
        found = await session_numbers.groups(conn, call.app.app_id, flow=public_id)
        median = await session_numbers.median_seconds(conn, call.app.app_id, flow=public_id)
    return envelope.success("", {"experienceFlow": public_id} | _told(found, median))


async def sessions(
    call: auth.Campaigns, campaign_id: CampaignId, *, run_id: RunId = None, skip: Skip = None, limit: Limit = None
) -> Response:
    """The conversations of a campaign's run, a page at a time, in the order in which they were planned."""
    whole = campaign_query.whole_number
    passed = whole(skip, "skip", default=0, least=0, most=MAX_SKIP)
    most = whole(limit, "limit", default=DEFAULT_LIMIT, least=1, most=MAX_LIMIT)
    async with call.db.connection() as conn:
        run = await _run(conn, call.app.app_id, campaign_id, run_id)
        found = await session_numbers.groups(conn, run.app_id, run_id=run.run_id)
        page = await session_numbers.page(conn, run.app_id, run.run_id, skip=passed, limit=most)
    total = sum(group.sessions for group in found)
    return envelope.success("", campaign_query.page([_record(one) for one in page], passed, most, total))


async def transcript(
    call: auth.Campaigns, campaign_id: CampaignId, session_id: SessionId, run_id: RunId = None
) -> Response:
    """One conversation: where it stands, and all that was said in it, both ways, in order."""
    wanted = ids.parse_session_id(session_id)
    async with call.db.connection() as conn:
        run = await _run(conn, call.app.app_id, campaign_id, run_id)
        one = None if wanted is None else await session_numbers.find(conn, run.app_id, run.run_id, wanted)
        if one is None:
            raise NotFound(f"Run {run.public_id} has no session {session_id}", field="sessionId")
        said = await session_numbers.transcript(conn, run.app_id, one.session_id)
    return envelope.success("", _record(one) | {"transcript": [_line(each) for each in said]})


async def _run(conn: Conn, app_id: int, campaign_id: str, run_id: str | None) -> Run:
    """The run that is asked about. Raises NotFound."""
    campaign = await campaigns.get(conn, app_id, campaign_id)
    wanted = run_id or campaign.run_public_id
    run = None if wanted is None else await runs.find_public(conn, app_id, wanted)
    if run is None or run.campaign_id != campaign.campaign_id:
        text = (
            f"Campaign {campaign.name} has no run {wanted}" if wanted else f"Campaign {campaign.name} was never played"
        )
        raise NotFound(text, field="runId")
    return run


def _told(found: Sequence[Group], median: float | None) -> dict[str, object]:
    results: defaultdict[str, int] = defaultdict(int)
    nodes: defaultdict[str, dict[str, int]] = defaultdict(lambda: {"now": 0, "ended": 0})
    for group in found:
        if group.result is not None:
            results[group.result] += group.sessions
        if not group.waiting:
            nodes[group.node]["now" if group.result is None else "ended"] += group.sessions
    total = sum(group.sessions for group in found)
    waiting = sum(group.sessions for group in found if group.waiting)
    return {
        "planned": total,
        "waiting": waiting,
        "started": total - waiting,
        "underWay": sum(group.sessions for group in found if group.result is None and not group.waiting),
        "answered": sum(group.answered for group in found),
        "medianSecondsToAnswer": median,
        "results": dict(sorted(results.items())),
        "nodes": [{"node": node, **counts} for node, counts in sorted(nodes.items())],
    }


def _record(one: Listed) -> dict[str, object]:
    return {
        "id": ids.session_id(one.session_id),
        "phoneNumber": one.number,
        "address": one.address,
        "experienceFlow": one.flow,
        "flowVersion": one.version,
        "state": one.state,
        "node": one.node,
        "answers": one.answers,
        "startedAt": envelope.instant(one.started_at),
        "firstTextAt": None if one.left_at is None else envelope.instant(one.left_at),
        "nextLookAt": None if one.due is None else envelope.instant(one.due),
        "endedAt": None if one.ended_at is None else envelope.instant(one.ended_at),
        "result": one.result,
    }


def _line(said: Line) -> dict[str, object]:
    return {
        "from": "us" if said.ours else "person",
        "text": said.text,
        "at": envelope.instant(said.at),
        "status": said.status,
        "reason": said.reason,
        "node": said.node,
        "messageId": _message_id(said),
    }


def _message_id(said: Line) -> str | None:
    return None if said.run_public_id is None or said.seq is None else ids.message_id(said.run_public_id, said.seq)
