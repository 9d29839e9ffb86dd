"""Commands about experience flows: what conversations by text can become."""

from __future__ import annotations

import getpass
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from heliograph.actions import flow_checks
from heliograph.actions import flows as editing
from heliograph.cli import desk, options, show
from heliograph.cli.desk import Desk
from heliograph.rules.flow.lint import Finding
from heliograph.store import flow_users, flow_versions, flows
from heliograph.store.apps import App
from heliograph.store.flows import StoredFlow

T = TypeVar("T")

commands = typer.Typer(no_args_is_help=True, help="Experience flows: conversations by text.")

Named = Annotated[str, typer.Argument(metavar="FLOW", help="The flow's id (cf-...) or name.")]
Publish = Annotated[bool, typer.Option("--publish", help="Have new conversations begin with it at once.")]


@commands.command("list")
def list_all(app: options.App = None, data: options.Data = None, json: options.Json = False) -> None:
    """Show the app's flows, those that every app has among them."""
    found = at(app, data, _list)
    if json:
        show.as_json([facts(one) | {"usedBy": users} for one, users in found])
        return
    cells = [
        (one.public_id, one.name, one.published_version or "draft", ", ".join(users) or "-", show.when(one.updated_at))
        for one, users in found
    ]
    show.out().print(show.table(["id", "name", "version", "used by", "changed"], cells))


async def _list(here: Desk, owner: App) -> list[tuple[StoredFlow, list[str]]]:
    async with here.db.connection() as conn:
        found = await flows.list_all(conn, owner.app_id)
        campaigns = await flow_users.campaigns(conn, owner.app_id, [one.public_id for one in found])
        senders = await flow_users.senders(conn, owner.app_id)
        default = await flow_users.default(conn, owner.app_id)
    told: list[tuple[StoredFlow, list[str]]] = []
    for one in found:
        users = [*campaigns.get(one.public_id, []), *senders.get(one.public_id, [])]
        told.append((one, [each.name for each in users] + (["default"] if default == one.public_id else [])))
    return told


@commands.command("show")
def show_one(flow: Named, app: options.App = None, data: options.Data = None, json: options.Json = False) -> None:
    """Show one flow, its versions and its draft's nodes."""
    found, versions = at(app, data, lambda here, owner: _show(here, owner, flow))
    if json:
        told = [{"version": one.version, "publishedAt": show.when(one.published_at)} for one in versions]
        show.as_json(facts(found) | {"versions": told, "document": found.draft})
        return
    latest = f"{found.published_version}, of {show.when(found.published_at)}" if found.published_version else "none"
    lines: list[tuple[str, object]] = [("id", found.public_id), ("name", found.name)]
    lines += [("about", found.description)] if found.description else []
    show.facts([*lines, ("version", latest), ("draft", "changed since" if found.is_ahead else "published")])
    nodes: dict[str, dict[str, Any]] = found.draft["nodes"]
    cells = [(key, node["type"], node.get("text") or node.get("label") or "") for key, node in nodes.items()]
    show.out().print(show.table(["node", "type", "says"], cells))


async def _show(here: Desk, owner: App, flow: str) -> tuple[StoredFlow, list[flow_versions.Version]]:
    async with here.db.connection() as conn:
        found = await flows.get(conn, owner.app_id, flow)
        return found, await flow_versions.list_all(conn, found)


@commands.command("publish")
def publish(flow: Named, app: options.App = None, data: options.Data = None, json: options.Json = False) -> None:
    """Have new conversations begin with a flow's draft, unless something is wrong with it."""
    saved(
        at(app, data, lambda here, owner: editing.publish(here.db, owner, flow, by=who(), now=here.clock())), json=json
    )


@commands.command("delete")
def delete(flow: Named, app: options.App = None, data: options.Data = None, json: options.Json = False) -> None:
    """Delete a flow that nothing uses. Conversations under way go on to their end."""
    gone = at(app, data, lambda here, owner: editing.delete(here.db, owner, flow, now=here.clock()))
    _done(f"Deleted {gone.name}.", gone, json=json)


@commands.command("clone")
def clone(
    flow: Named,
    *,
    name: Annotated[str | None, typer.Option("--name", help="What to call the copy.")] = None,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Copy a flow's draft, also that of one that every app has."""
    body = {} if name is None else {"name": name}
    made = at(app, data, lambda here, owner: editing.clone(here.db, owner, flow, body, now=here.clock()))
    _done(f"Created {made.name} ({made.public_id}).", made, json=json)


@commands.command("attach")
def attach(
    flow: Named,
    *,
    sender: Annotated[
        str | None,
        typer.Option("--sender", metavar="SENDER", help="For whoever writes to this sender (sn-... or address)."),
    ] = None,
    default: Annotated[bool, typer.Option("--default", help="For whoever writes without a conversation.")] = False,
    off: Annotated[bool, typer.Option("--off", help="Undo it.")] = False,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Have a published flow answer whoever writes to a sender, or anybody without a conversation."""
    change = editing.detach if off else editing.attach
    body = {"senderId": sender, "default": True if default else None}
    found = at(app, data, lambda here, owner: change(here.db, owner, flow, body, now=here.clock()))
    _done(f"{'Detached' if off else 'Attached'} {found.name}.", found, json=json)


def at(app: str | None, data: Path | None, work: Callable[[Desk, App], Awaitable[T]]) -> T:
    """What ``work`` does with an open installation and one of its apps."""

    async def done() -> T:
        async with desk.opened(data) as here:
            async with here.db.connection() as conn:
                owner = await desk.find_app(conn, app)
            return await work(here, owner)

    return desk.run(done())


def who() -> str:
    """Whoever is at the keyboard, for the record."""
    return f"cli:{getpass.getuser()}"


def saved(done: editing.Saved, *, json: bool) -> None:
    """Tell how a flow stands that has just been saved, and what was found in it."""
    flow = done.flow
    if json:
        show.as_json(facts(flow) | {"findings": [flow_checks.told(each) for each in done.findings]})
        return
    stands = f"published as version {flow.published_version}" if not flow.is_ahead else "saved, not published"
    typer.echo(f"{flow.name} ({flow.public_id}) {stands}.")
    tell(done.findings)


def facts(flow: StoredFlow) -> dict[str, object]:
    """A flow for programs."""
    return {
        "_id": flow.public_id,
        "name": flow.name,
        "description": flow.description,
        "isSystem": flow.is_system,
        "publishedVersion": flow.published_version,
        "hasUnpublishedChanges": flow.is_ahead,
        "updatedAt": show.when(flow.updated_at),
    }


def tell(findings: Sequence[Finding]) -> None:
    """Tell what a linter found, to stderr: it is not what was asked for."""
    for each in findings:
        told = flow_checks.told(each)
        typer.echo(f"{told['level']}: {told['message']}", err=True)


def _done(words: str, flow: StoredFlow, *, json: bool) -> None:
    if json:
        show.as_json(facts(flow))
    else:
        typer.echo(words)
