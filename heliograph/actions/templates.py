"""What someone can do to an SMS template, and using one in a campaign."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from heliograph.actions import audit, copies
from heliograph.errors import Conflict, InUse, Invalid
from heliograph.rules import counts, markup, system_templates, template_draft
from heliograph.store import apps, templates

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.rules.draft import CampaignDraft
    from heliograph.store.apps import App
    from heliograph.store.database import Conn, Database
    from heliograph.store.templates import Template

NAMED = 5  # campaigns named in an error before it says how many more there are


async def create(db: Database, app: App, body: object, *, now: datetime) -> Template:
    """A new template. Raises Invalid, DuplicateName."""
    wanted = template_draft.parse(body)
    _check_free(wanted.name)
    async with db.transaction() as conn:
        audit.tell(f"Made the template {wanted.name}")
        return await templates.insert(
            conn, app, name=wanted.name, description=wanted.description, body=wanted.body, now=now
        )


async def update(db: Database, app: App, ref: str, body: object, *, now: datetime) -> Template:
    """Change a template's name, description or body; what is left out stays. No campaign changes by it.

    Raises Invalid, NotFound, DuplicateName, and Conflict for one of the system's.
    """
    wanted = template_draft.changes(body)
    async with db.transaction() as conn:
        found = _own(await templates.get(conn, app, ref), "edited")
        if wanted.name is not None and wanted.name.lower() != found.lname:
            _check_free(wanted.name)
        audit.tell(f"Changed the template {wanted.name or found.name}", object=found.public_id)
        return await templates.update(
            conn,
            app,
            found.public_id,
            name=wanted.name,
            description=wanted.description,
            body=wanted.body,
            now=now,
        )


async def delete(db: Database, app: App, ref: str) -> Template:
    """Delete a template and answer it as it was.

    Raises NotFound, Conflict for one of the system's, and InUse naming the campaigns that were made with it.
    """
    async with db.transaction() as conn:
        found = _own(await templates.get(conn, app, ref), "deleted")
        found = await templates.lock(conn, app, found.public_id)
        used_by = (await templates.using(conn, app, [found.public_id])).get(found.public_id, [])
        if used_by:
            text = f"SMS template {found.name} is used by {_named([name for _, name in used_by])}"
            them = counts.them(len(used_by))
            raise InUse(f"{text}; delete {them}, or give {them} another text, first")
        await templates.delete(conn, app, found.public_id)
        audit.tell(f"Deleted the template {found.name}", object=found.public_id)
    return found


async def clone(db: Database, app: App, ref: str, body: object, *, now: datetime) -> Template:
    """A copy of a template, also of one of the system's, that can be edited. Raises Invalid, NotFound, DuplicateName.

    Without a name in the body it is the "Copy of" the first.
    """
    name = copies.wanted_name(body)
    async with db.transaction() as conn:
        found = await templates.get(conn, app, ref)
        if name is None:
            await apps.hold(conn, app.app_id)  # two copies at once would want one name
            name = await copies.free_name(found.name, partial(templates.find_taken, conn, app))
        _check_free(name)
        audit.tell(f"Made the template {name}, a copy of {found.name}")
        return await templates.insert(conn, app, name=name, description=found.description, body=found.body, now=now)


async def used(conn: Conn, app: App, draft: CampaignDraft, before: dict[str, Any] | None) -> dict[str, Any] | None:
    """The ``message`` of a campaign: as sent or, when it names a template, with that one's words, name and id.

    The template stays until the transaction ends. Either name or id will do. ``before`` is the campaign's message
    so far: its own name for the template is good although the template was renamed since. Raises Invalid for a
    template that there is not, or a name and an id that are not of one template.
    """
    name, public_id = draft.template_name, draft.template_id
    if name is None and public_id is None:
        return draft.message
    found = await templates.hold(conn, app, public_id or name or "")
    field = "message.templateId" if public_id else "message.template_name"
    if found is None or (public_id and found.public_id != public_id):
        text = f"There is no SMS template {public_id or name} in this app; send the text itself in message.message"
        raise Invalid(text, field=field)
    if public_id and name and name.lower() != found.lname and not _still(before, name, public_id):
        text = f"message.templateId is that of the template {found.name}, and message.template_name is {name}"
        raise Invalid(f"{text}. Send one of the two, or those of one template", field="message.template_name")
    words = {"message": markup.encode(found.body), "template_name": found.name, "templateId": found.public_id}
    return words | {key: value for key, value in (draft.message or {}).items() if key not in words}


def _still(before: dict[str, Any] | None, name: str, public_id: str) -> bool:
    return before is not None and (before.get("template_name"), before.get("templateId")) == (name, public_id)


def _own(found: Template, done: str) -> Template:
    if found.is_system:
        raise Conflict(
            f"SMS template {found.name} is one of the system's and cannot be {done}; clone it, and use the copy"
        )
    return found


def _check_free(name: str) -> None:
    if system_templates.named(name) is not None:
        raise templates.taken(name)


def _named(used_by: list[str]) -> str:
    shown = ", ".join(f"campaign {name}" for name in used_by[:NAMED])
    return shown if len(used_by) <= NAMED else f"{shown} and {len(used_by) - NAMED} more"
