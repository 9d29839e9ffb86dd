"""What someone can do to an experience flow, and using one in a campaign."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from heliograph.actions import audit, copies, flow_book, flow_checks
from heliograph.errors import Conflict, InUse, Invalid
from heliograph.rules import body as reading
from heliograph.rules import counts, flow_draft, ids
from heliograph.rules.flow import system
from heliograph.store import apps, flow_users, flow_versions, flows, senders

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from heliograph.rules.flow.lint import Finding
    from heliograph.store.apps import App
    from heliograph.store.database import Conn, Database
    from heliograph.store.flows import StoredFlow

NAMED = 5  # users of a flow named in an error before it says how many more there are
FIELD = "experienceFlowName"
WHERE = ("senderId", "default")


@dataclass(frozen=True, slots=True)
class Saved:
    """A flow as it is now, and what was found in its draft."""

    flow: StoredFlow
    findings: tuple[Finding, ...] = ()


async def create(db: Database, app: App, body: object, *, by: str, now: datetime) -> Saved:
    """A new flow and, when the body says ``publish``, its first version. Raises Invalid, DuplicateName.

    ``by``: who publishes it, for the record.
    """
    wanted = flow_draft.parse(body)
    _check_free(wanted.name)
    async with db.transaction() as conn:
        made = await flows.insert(
            conn,
            app.app_id,
            ids.new("cf"),
            name=wanted.name,
            description=wanted.description,
            draft=wanted.document,
            now=now,
        )
        audit.tell(f"Made the flow {wanted.name}{' and published it' if wanted.publish else ''}", object=made.public_id)
        return await _saved(conn, app, made, publish=wanted.publish, by=by, now=now)


async def update(db: Database, app: App, ref: str, body: object, *, by: str, now: datetime) -> Saved:
    """Change a flow's draft, name or description; what is left out stays. Conversations go on as they began.

    New ones begin with the draft when it has been published, which the body may ask for at once. Raises Invalid,
    NotFound, DuplicateName, and Conflict for one of the system's.
    """
    wanted = flow_draft.changes(body)
    async with db.transaction() as conn:
        found = _own(await flows.lock(conn, app.app_id, ref), "edited")
        name = wanted.name or found.name
        if name.lower() != found.lname:
            _check_free(name)
        changed = await flows.update(
            conn,
            found,
            name=name,
            description=found.description if wanted.description is None else wanted.description,
            draft=flow_draft.called(found.draft if wanted.document is None else wanted.document, name),
            now=now,
        )
        audit.tell(f"Changed the flow {name}{' and published it' if wanted.publish else ''}", object=changed.public_id)
        return await _saved(conn, app, changed, publish=wanted.publish, by=by, now=now)


async def publish(db: Database, app: App, ref: str, *, by: str, now: datetime) -> Saved:
    """Have conversations begin with a flow's draft from now on; those under way keep their version.

    Its templates' words are taken into the version, and the flows that it goes to are known by their ids: a version
    says for ever what it said at first. Publishing what is published already makes no new one. Raises NotFound,
    Conflict for one of the system's, and Invalid naming every fault that the linter finds.
    """
    async with db.transaction() as conn:
        found = _own(await flows.lock(conn, app.app_id, ref), "published")
        audit.tell(f"Published the flow {found.name}", object=found.public_id)
        return await _saved(conn, app, found, publish=True, by=by, now=now)


async def delete(db: Database, app: App, ref: str, *, now: datetime) -> StoredFlow:
    """Delete a flow and answer it as it was. Conversations under way go on to their end.

    Raises NotFound, Conflict for one of the system's, and InUse naming the campaigns, senders and flows that use it.
    """
    async with db.transaction() as conn:
        found = _own(await flows.lock(conn, app.app_id, ref), "deleted")
        users = await _users(conn, app, found)
        if users:
            shown = ", ".join(users[:NAMED])
            more = f" and {len(users) - NAMED} more" if len(users) > NAMED else ""
            them = counts.them(len(users))
            raise InUse(f"Experience flow {found.name} is used by {shown}{more}; give {them} another flow first")
        await flows.mark_deleted(conn, found, now=now)
        audit.tell(f"Deleted the flow {found.name}", object=found.public_id)
    return found


async def clone(db: Database, app: App, ref: str, body: object, *, now: datetime) -> StoredFlow:
    """A copy of a flow's draft, also of one of the system's, that can be edited and is not published.

    Without a name in the body it is the "Copy of" the first. Raises Invalid, NotFound, DuplicateName.
    """
    name = copies.wanted_name(body)
    async with db.transaction() as conn:
        found = await flows.get(conn, app.app_id, ref)
        if name is None:
            await apps.hold(conn, app.app_id)  # two copies at once would want one name
            name = await copies.free_name(found.name, partial(flows.find_taken, conn, app.app_id))
        _check_free(name)
        draft = flow_draft.called(found.draft, name)
        audit.tell(f"Made the flow {name}, a copy of {found.name}")
        return await flows.insert(
            conn, app.app_id, ids.new("cf"), name=name, description=found.description, draft=draft, now=now
        )


async def attach(db: Database, app: App, ref: str, body: object, *, now: datetime) -> StoredFlow:
    """Give a flow to whoever writes to a sender, or (``default``) to anybody who writes without a conversation.

    It takes the place of the one that was there. Raises Invalid, NotFound, Conflict when it was never published.
    """
    async with db.transaction() as conn:
        found = await _held(conn, app, ref)
        if found.published_version is None:
            text = f"Experience flow {found.name} was never published; publish it, then attach it"
            raise Conflict(text, field="experienceFlowId")
        sender = await _where(conn, app, body)
        if sender is None:
            await flow_users.set_default(conn, app.app_id, found.public_id, now=now)
        else:
            await flow_users.attach(conn, app.app_id, sender, found.public_id, now=now)
        where = "whoever writes without a conversation" if sender is None else "whoever writes to a sender"
        audit.tell(f"Let the flow {found.name} answer {where}", object=found.public_id)
    return found


async def detach(db: Database, app: App, ref: str, body: object, *, now: datetime) -> StoredFlow:
    """Undo :func:`attach`. Raises Invalid, NotFound, Conflict when the flow is not attached there."""
    async with db.transaction() as conn:
        found = await flows.get(conn, app.app_id, ref)
        sender = await _where(conn, app, body)
        if sender is None:
            there = await flow_users.default(conn, app.app_id)
        else:
            there = await flow_users.of_sender(conn, app.app_id, sender)
        if there != found.public_id:
            raise Conflict(f"Experience flow {found.name} is not attached there; nothing was changed")
        if sender is None:
            await flow_users.set_default(conn, app.app_id, None, now=now)
        else:
            await flow_users.attach(conn, app.app_id, sender, None, now=now)
        audit.tell(f"Let the flow {found.name} answer there no longer", object=found.public_id)
    return found


async def used(conn: Conn, app: App, name: str | None) -> str | None:
    """The id of the flow that a campaign names, by its name in any case or its id; None for none.

    It is not deleted before the transaction ends. Raises Invalid for one that there is not, or was never published.
    """
    if name is None:
        return None
    found = await flows.hold(conn, app.app_id, name)
    if found is not None and found.published_version is not None:
        return found.public_id
    book = await flow_book.load(conn, app.app_id)
    if found is not None:
        text = f"The experience flow {found.name} was never published. Publish it, or send the name of one that was: "
    else:
        text = f"There is no experience flow named {name} in this app. There are: "
    more = len(book.names) - NAMED
    raise Invalid(text + ", ".join(book.names[:NAMED]) + (f" and {more} more" if more > 0 else ""), field=FIELD)


async def _saved(conn: Conn, app: App, flow: StoredFlow, *, publish: bool, by: str, now: datetime) -> Saved:
    """A flow whose draft has been written, with what is found in it; its next version if it is to be published."""
    book = await flow_book.load(conn, app.app_id)
    findings = await flow_checks.findings(conn, app, flow.draft, book, itself=flow.public_id)
    if not publish:
        return Saved(flow, tuple(findings))
    flow_checks.refuse_faults(flow.name, findings)
    document = await flow_checks.frozen(conn, app, flow.draft, book, itself=flow.public_id)
    newest = flow.published_version or 0
    same = newest > 0 and await flow_versions.get(conn, flow, newest) == document
    if not same:
        await flow_versions.add(conn, flow, newest + 1, document, by=by, now=now)
    if not same or flow.is_ahead:
        flow = await flows.publish(conn, flow, newest if same else newest + 1, now=now)
    return Saved(flow, tuple(findings))


async def _users(conn: Conn, app: App, flow: StoredFlow) -> list[str]:
    campaigns = (await flow_users.campaigns(conn, app.app_id, [flow.public_id])).get(flow.public_id, [])
    attached = (await flow_users.senders(conn, app.app_id)).get(flow.public_id, [])
    found = [f"campaign {each.name}" for each in campaigns] + [f"sender {each.name}" for each in attached]
    if await flow_users.default(conn, app.app_id) == flow.public_id:
        found.append("the app, for whoever writes without a conversation")
    book = await flow_book.load(conn, app.app_id)
    return found + [f"the flow {name}" for name in book.entering(flow.public_id)]


async def _held(conn: Conn, app: App, ref: str) -> StoredFlow:
    found = await flows.hold(conn, app.app_id, ref)
    if found is None:
        raise flows.missing(ref)
    return found


async def _where(conn: Conn, app: App, body: object) -> int | None:
    """The sender that a body names; None: the app, for whoever has no conversation."""
    sent: Mapping[str, object] = reading.mapping(body, "")
    asked = [key for key in WHERE if sent.get(key) is not None]
    if len(asked) != 1:
        text = f"The body names {' and '.join(asked) or 'nothing'}. It takes one of: senderId, or default as true"
        raise Invalid(text, field=WHERE[0])
    if asked == ["default"]:
        if not reading.flag(sent["default"], "default"):
            raise Invalid("default is false. It takes true; or send a senderId", field="default")
        return None
    ref = reading.name(sent["senderId"], "senderId", longest=flow_draft.LONGEST_NAME)
    return (await senders.keep(conn, app.app_id, ref)).sender_id


def _own(found: StoredFlow, done: str) -> StoredFlow:
    if found.is_system:
        raise Conflict(
            f"Experience flow {found.name} is one of the system's and cannot be {done}; clone it, and use the copy"
        )
    return found


def _check_free(name: str) -> None:
    if system.named(name) is not None:
        raise flows.taken(name)
