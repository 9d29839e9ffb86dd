"""SMS templates over HTTP; ours, as the vendor has them on its screens only. Their paths stand in routes.py."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query
from starlette.responses import Response

from heliograph.actions import templates as editing
from heliograph.api import auth, campaign_query, envelope
from heliograph.api.template_shapes import TEMPLATE_ID
from heliograph.errors import NotFound
from heliograph.rules import parts, template, template_draft
from heliograph.store import contacts, lists, templates
from heliograph.store.templates import Template

Users = list[tuple[str, str]]  # public id and name of each campaign that was made with a template

TemplateId = Annotated[
    str, Path(alias="templateId", description="The template's id, `cmt-…`, or its name.", examples=[TEMPLATE_ID])
]
Skip = Annotated[
    str | None,
    Query(
        description="How many to pass over. Above 0 it wins over page.",
        json_schema_extra={"type": "integer", "minimum": 0, "maximum": campaign_query.MAX_SKIP, "default": 0},
    ),
]
Page = Annotated[
    str | None,
    Query(
        description="Which page.",
        json_schema_extra={"type": "integer", "minimum": 1, "maximum": campaign_query.MAX_PAGE, "default": 1},
    ),
]
Limit = Annotated[
    str | None,
    Query(
        description="How many to answer.",
        json_schema_extra={
            "type": "integer",
            "minimum": 1,
            "maximum": campaign_query.MAX_LIMIT,
            "default": campaign_query.DEFAULT_LIMIT,
        },
    ),
]


async def create(call: auth.Campaigns) -> Response:
    """Create an SMS template.

    A campaign made with it gets a copy of its words: what becomes of the template later changes no campaign.
    """
    made = await editing.create(call.db, call.app, await call.body(), now=call.now)
    return envelope.success(f"SMS template {made.name} created successfully", _record(made, []))


async def list_page(call: auth.Campaigns, skip: Skip = None, page: Page = None, limit: Limit = None) -> Response:
    """The app's templates by name, a page at a time, those that every app has among them."""
    number = campaign_query.whole_number
    most = number(limit, "limit", default=campaign_query.DEFAULT_LIMIT, least=1, most=campaign_query.MAX_LIMIT)
    at = number(page, "page", default=1, least=1, most=campaign_query.MAX_PAGE)
    passed = number(skip, "skip", default=0, least=0, most=campaign_query.MAX_SKIP) or (at - 1) * most
    async with call.db.connection() as conn:
        total = await templates.count(conn, call.app)
        found = await templates.page(conn, call.app, offset=passed, limit=most)
        users = await templates.using(conn, call.app, [one.public_id for one in found])
    data = {
        "results": [_record(one, users.get(one.public_id, [])) for one in found],
        "skip": passed,
        "limit": most,
        "hasMore": passed + len(found) < total,
        "totalPages": campaign_query.pages(total, most),
        "totalResults": total,
    }
    return envelope.success("SMS templates retrieved successfully", data)


async def get(call: auth.Campaigns, template_id: TemplateId) -> Response:
    """One template, by id or by name."""
    async with call.db.connection() as conn:
        found = await templates.get(conn, call.app, template_id)
        users = await templates.using(conn, call.app, [found.public_id])
    data = _record(found, users.get(found.public_id, []))
    return envelope.success(f"SMS template {found.name} retrieved successfully", data)


async def update(call: auth.Campaigns, template_id: TemplateId) -> Response:
    """Change a template's name, description or body; what is left out stays.

    Campaigns keep the words they were made with. A campaign that is updated afterwards gets the new ones.
    """
    changed = await editing.update(call.db, call.app, template_id, await call.body(), now=call.now)
    async with call.db.connection() as conn:
        users = await templates.using(conn, call.app, [changed.public_id])
    data = _record(changed, users.get(changed.public_id, []))
    return envelope.success(f"SMS template {changed.name} updated successfully", data)


async def delete(call: auth.Campaigns, template_id: TemplateId) -> Response:
    """Delete a template, unless a campaign was made with it."""
    deleted = await editing.delete(call.db, call.app, template_id)
    return envelope.success(f"SMS template {deleted.name} deleted successfully", _record(deleted, []))


async def clone(call: auth.Campaigns, template_id: TemplateId) -> Response:
    """Copy a template, also one that every app has.

    Without a name in the body the copy gets one that begins with `Copy of`.
    """
    made = await editing.clone(call.db, call.app, template_id, await call.body(), now=call.now)
    return envelope.success(f"SMS template {made.name} created successfully", _record(made, []))


async def preview(call: auth.Campaigns, template_id: TemplateId) -> Response:
    """Show what a template says to one person, and how many parts it takes.

    The person is a contact, named by `contactId`, or whatever stands in `fields`, or both: then `fields` go first.
    """
    sample = template_draft.sample(await call.body())
    fields: dict[str, Any] = dict(sample.fields)
    async with call.db.connection() as conn:
        found = await templates.get(conn, call.app, template_id)
        if sample.contact_id is not None and sample.list_id is not None:
            target = await lists.find(conn, call.app.app_id, sample.list_id)
            if target is None:
                raise NotFound(f"There is no contact {sample.contact_id} in this app", field="contactId")
            fields |= _others(fields, (await contacts.get(conn, target, sample.contact_id)).fields)
    said = template.compile_text(found.body).render(fields, sample.missing)
    text = None if said.text is None else parts.normalise(said.text)
    size = None if text is None else parts.measure(text)
    data = {
        "text": text,
        "encoding": None if size is None else size.encoding,
        "units": 0 if size is None else size.units,
        "parts": 0 if size is None else size.parts,
        "missing": list(dict.fromkeys(said.missing)),
    }
    return envelope.success(f"SMS template {found.name} previewed successfully", data)


def _others(fields: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """A contact's own fields but those that ``fields`` has, however it writes their names."""
    given = {template.key(name) for name in fields}
    return {name: value for name, value in own.items() if template.key(name) not in given}


def _record(found: Template, users: Users) -> dict[str, Any]:
    return {
        "_id": found.public_id,
        "name": found.name,
        "description": found.description,
        "body": found.body,
        "isSystem": found.is_system,
        "isTemplateInUse": bool(users),
        "campaignInUse": [{"id": public_id, "name": name} for public_id, name in users],
        "createdAt": envelope.instant(found.created_at),
        "updatedAt": envelope.instant(found.updated_at),
    }
