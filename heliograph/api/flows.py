"""Experience flows over HTTP; ours, as the vendor has them on its screens only. Their paths stand in routes.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, cast

from fastapi import Path
from starlette.responses import Response

from heliograph.actions import flow_book, flow_checks, flow_trials
from heliograph.actions import flows as editing
from heliograph.api import auth, envelope
from heliograph.api.flow_shapes import FLOW_ID
from heliograph.errors import Invalid, NotFound
from heliograph.rules import body as reading
from heliograph.rules import flow_draft
from heliograph.rules.flow.lint import Finding
from heliograph.store import flow_users, flow_versions, flows, lists
from heliograph.store.database import Conn
from heliograph.store.flows import StoredFlow

MOST_LISTS = 100
MOST_VERSION = 2**31 - 1

FlowId = Annotated[
    str, Path(alias="experienceFlowId", description="The flow's id, `cf-…`, or its name.", examples=[FLOW_ID])
]
Version = Annotated[
    str,
    Path(alias="flowVersion", description="Its number.", examples=["1"], json_schema_extra={"pattern": "^[0-9]{1,9}$"}),
]


async def create(call: auth.Campaigns) -> Response:
    """Create an experience flow.

    It is a draft, which new conversations begin with once it has been published; `publish` does that at once.
    """
    saved = await editing.create(call.db, call.app, await call.body(), by=call.client_id, now=call.now)
    return await _one(call, saved.flow, f"Experience flow {saved.flow.name} created successfully", saved.findings)


async def list_all(call: auth.Campaigns) -> Response:
    """Every flow of the app by name, those that every app has among them; without their documents."""
    async with call.db.connection() as conn:
        found = await flows.list_all(conn, call.app.app_id)
        data = await records(conn, call, found)
    return envelope.success("Experience flows retrieved successfully", data)


async def get(call: auth.Campaigns, flow_id: FlowId) -> Response:
    """One flow with its draft, by id or by name."""
    async with call.db.connection() as conn:
        found = await flows.get(conn, call.app.app_id, flow_id)
    return await _one(call, found, f"Experience flow {found.name} retrieved successfully")


async def update(call: auth.Campaigns, flow_id: FlowId) -> Response:
    """Change a flow's draft, its name or its description; what is left out stays.

    Conversations keep the version they began with, and new ones begin with the draft once it has been published.
    """
    saved = await editing.update(call.db, call.app, flow_id, await call.body(), by=call.client_id, now=call.now)
    return await _one(call, saved.flow, f"Experience flow {saved.flow.name} updated successfully", saved.findings)


async def delete(call: auth.Campaigns, flow_id: FlowId) -> Response:
    """Delete a flow, unless a campaign, a sender, another flow or the app uses it.

    Conversations under way go on to their end.
    """
    gone = await editing.delete(call.db, call.app, flow_id, now=call.now)
    return await _one(call, gone, f"Experience flow {gone.name} deleted successfully", whole=False)


async def publish(call: auth.Campaigns, flow_id: FlowId) -> Response:
    """Have new conversations begin with the draft.

    A flow in which the linter finds an error is refused; warnings are answered. The words of its SMS templates are
    taken into the version, which never changes; publishing what is published already makes no new one.
    """
    saved = await editing.publish(call.db, call.app, flow_id, by=call.client_id, now=call.now)
    text = f"Experience flow {saved.flow.name} published as version {saved.flow.published_version}"
    return await _one(call, saved.flow, text, saved.findings, whole=False)


async def clone(call: auth.Campaigns, flow_id: FlowId) -> Response:
    """Copy a flow's draft, also that of one that every app has. The copy is not published.

    Without a name in the body the copy gets one that begins with `Copy of`.
    """
    made = await editing.clone(call.db, call.app, flow_id, await call.body(), now=call.now)
    return await _one(call, made, f"Experience flow {made.name} created successfully")


async def versions(call: auth.Campaigns, flow_id: FlowId) -> Response:
    """The published versions of a flow, the newest first."""
    async with call.db.connection() as conn:
        found = await flows.get(conn, call.app.app_id, flow_id)
        listed = await flow_versions.list_all(conn, found)
    text = f"Versions of experience flow {found.name} retrieved successfully"
    return envelope.success(text, [_version(each) for each in listed])


async def version(call: auth.Campaigns, flow_id: FlowId, number: Version) -> Response:
    """One published version with its document: texts in place of templates' names, other flows by id."""
    if not number.isascii() or not number.isdigit() or int(number) > MOST_VERSION:
        raise Invalid(f"The version is {reading.shown(number)}. It takes a whole number from 1", field="flowVersion")
    async with call.db.connection() as conn:
        found = await flows.get(conn, call.app.app_id, flow_id)
        document = await flow_versions.get(conn, found, int(number))
        listed = await flow_versions.list_all(conn, found)
    one = next(each for each in listed if each.version == int(number))
    text = f"Version {one.version} of experience flow {found.name} retrieved successfully"
    return envelope.success(text, _version(one) | {"document": document})


async def lint(call: auth.Campaigns, flow_id: FlowId) -> Response:
    """Look a flow over: dead ends, loops without waits, names that nobody has, costly texts.

    `document` is looked at in place of the draft. Errors keep a flow from being published, warnings do not.
    """
    sent = await call.body()
    async with call.db.connection() as conn:
        found = await flows.get(conn, call.app.app_id, flow_id)
        draft = found.draft
        if sent.get("document") is not None:
            draft = dict(flow_draft.parse({"name": found.name, "document": sent["document"]}).document)
        columns = await _columns(conn, call, sent.get("contactLists"))
        book = await flow_book.load(conn, call.app.app_id)
        told = await flow_checks.findings(conn, call.app, draft, book, itself=found.public_id, columns=columns)
    data = {"publishable": not any(each.fault for each in told), "findings": [flow_checks.told(each) for each in told]}
    return envelope.success(f"Experience flow {found.name} looked over", data)


async def simulate(call: auth.Campaigns, flow_id: FlowId) -> Response:
    """Try a conversation out: what the person writes and how time passes in, every text and act out.

    Nothing leaves and nothing is changed. The draft is tried, or a `version`, or a `document`. A call of the demo desk
    is answered by it; any other by the script: `calls` by the node's name, or a step with `answer`.
    """
    sent = await call.body()
    async with call.db.connection() as conn:
        found = await flows.get(conn, call.app.app_id, flow_id)
        told = await flow_trials.simulate(conn, call.app, found.public_id, sent, now=call.now)
    return envelope.success(f"Experience flow {found.name} simulated", told)


async def attach(call: auth.Campaigns, flow_id: FlowId) -> Response:
    """Have a published flow answer whoever writes to a sender, or (`default`) anybody without a conversation.

    `outboundsms` from that sender begins it too. It takes the place of the flow that was there.
    """
    found = await editing.attach(call.db, call.app, flow_id, await call.body(), now=call.now)
    return await _one(call, found, f"Experience flow {found.name} attached successfully", whole=False)


async def detach(call: auth.Campaigns, flow_id: FlowId) -> Response:
    """Undo attaching a flow."""
    found = await editing.detach(call.db, call.app, flow_id, await call.body(), now=call.now)
    return await _one(call, found, f"Experience flow {found.name} detached successfully", whole=False)


async def _columns(conn: Conn, call: auth.Call, raw: object) -> list[str] | None:
    """The columns of the lists that a body names; None when it names none."""
    if raw is None:
        return None
    named = cast("list[object]", raw) if isinstance(raw, list) else []
    if not 0 < len(named) <= MOST_LISTS:
        text = (
            f"contactLists is {reading.shown(cast('object', raw))}. It takes a list of 1 to {MOST_LISTS} names or ids"
        )
        raise Invalid(text, field="contactLists")
    found: list[str] = []
    for place, each in enumerate(named):
        name = reading.name(each, f"contactLists[{place}]", longest=flow_draft.LONGEST_NAME)
        one = await lists.find(conn, call.app.app_id, name)
        if one is None:
            raise NotFound(f"There is no contact list {name} in this app", field=f"contactLists[{place}]")
        found += one.columns
    return found


async def _one(
    call: auth.Call, found: StoredFlow, message: str, findings: Sequence[Finding] | None = None, *, whole: bool = True
) -> Response:
    async with call.db.connection() as conn:
        (record,) = await records(conn, call, [found])
    if whole:
        record["document"] = found.draft
    if findings is not None:
        record["findings"] = [flow_checks.told(each) for each in findings]
    return envelope.success(message, record)


async def records(conn: Conn, call: auth.Call, found: Sequence[StoredFlow]) -> list[dict[str, Any]]:
    """Flows as the API tells them, without their documents."""
    campaigns = await flow_users.campaigns(conn, call.app.app_id, [each.public_id for each in found])
    attached = await flow_users.senders(conn, call.app.app_id)
    default = await flow_users.default(conn, call.app.app_id)
    return [
        {
            "_id": each.public_id,
            "name": each.name,
            "description": each.description,
            "isSystem": each.is_system,
            "publishedVersion": each.published_version,
            "publishedAt": None if each.published_at is None else envelope.instant(each.published_at),
            "hasUnpublishedChanges": each.is_ahead,
            "isDefault": each.public_id == default,
            "senders": [{"id": one.public_id, "address": one.name} for one in attached.get(each.public_id, [])],
            "campaignInUse": [{"id": one.public_id, "name": one.name} for one in campaigns.get(each.public_id, [])],
            "createdAt": envelope.instant(each.created_at),
            "updatedAt": envelope.instant(each.updated_at),
        }
        for each in found
    ]


def _version(found: flow_versions.Version) -> dict[str, Any]:
    return {
        "version": found.version,
        "publishedAt": envelope.instant(found.published_at),
        "publishedBy": found.published_by,
    }
