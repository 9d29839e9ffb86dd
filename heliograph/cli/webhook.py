"""Commands of webhooks: who is told what happens, and what came of telling them."""

from __future__ import annotations

from typing import Annotated

import typer

from heliograph.actions import webhooks as keeping
from heliograph.api import webhooks as faces
from heliograph.cli import desk, options, show
from heliograph.rules import webhook
from heliograph.store import webhook_deliveries as deliveries
from heliograph.store import webhooks
from heliograph.store.webhook_deliveries import Delivery, Tried
from heliograph.store.webhooks import Webhook

commands = typer.Typer(no_args_is_help=True, help="Webhooks: telling other systems what happens.")

LIMIT = 1000

Which = Annotated[str, typer.Argument(metavar="WEBHOOK", help="Its id (wh-...).")]


@commands.command("ls")
def ls(app: options.App = None, data: options.Data = None, json: options.Json = False) -> None:
    """Show who is told of what."""
    found = desk.run(_ls(app, data))
    if json:
        show.as_json([faces.record(one) for one in found])
        return
    rows = [(one.public_id, one.url, " ".join(one.events), _standing(one)) for one in found]
    show.out().print(show.table(["id", "url", "events", "standing"], rows))


async def _ls(app: str | None, data: options.Data) -> list[Webhook]:
    async with desk.opened(data) as here, here.db.connection() as conn:
        return await webhooks.list_all(conn, (await desk.find_app(conn, app)).app_id)


@commands.command("add")
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where to POST to.")],
    events: Annotated[
        list[str] | None,
        typer.Option(
            "--event",
            metavar="NAME",
            help="What to tell, e.g. reply.received; may be repeated. Without: all but message.*.",
        ),
    ] = None,
    description: Annotated[str, typer.Option("--description", help="For whoever looks later.")] = "",
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Have a server told what happens; prints the secret that signs it, this once."""
    body: dict[str, object] = {"url": url, "events": events or [webhook.ALL], "description": description}
    made, secret = desk.run(_add(body, app, data))
    if json:
        show.as_json(faces.record(made) | {"secret": secret})
    else:
        show.facts([("webhook", made.public_id), ("secret", secret)])


async def _add(body: dict[str, object], app: str | None, data: options.Data) -> tuple[Webhook, str]:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
        return await keeping.create(here.db, here.seal, owner, body, now=here.clock())


@commands.command("test")
def try_(which: Which, app: options.App = None, data: options.Data = None) -> None:
    """Have it told of webhook.test by a worker; webhook log says what came of it."""
    typer.echo(f"{desk.run(_try(which, app, data))} is on its way.")


async def _try(which: str, app: str | None, data: options.Data) -> str:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
        return await keeping.test(here.db, owner, which, now=here.clock())


@commands.command("log")
def log(
    which: Which,
    limit: Annotated[int, typer.Option("--limit", min=1, max=LIMIT, help="How many at most.")] = 50,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Show what it was told in the last seven days, the newest first, and what came of it."""
    found = desk.run(_log(which, limit, app, data))
    if json:
        show.as_json([faces.delivery_record(each, tries) for each, tries in found])
        return
    rows = [(each.event_id, each.event, each.state, each.tries, _last(tries), show.when(each.next_at) or "")
            for each, tries in found]  # fmt: skip
    show.out().print(show.table(["id", "event", "state", "tries#", "last answer", "next try"], rows))


async def _log(which: str, limit: int, app: str | None, data: options.Data) -> list[tuple[Delivery, list[Tried]]]:
    async with desk.opened(data) as here, here.db.connection() as conn:
        app_id = (await desk.find_app(conn, app)).app_id
        found = await webhooks.get(conn, app_id, which)
        page = await deliveries.page(conn, app_id, found.webhook_id, state=None, skip=0, limit=limit)
        tries = await deliveries.tries_of(conn, app_id, found.webhook_id, [each.delivery_id for each in page])
    return [(each, [one for one in tries if one.delivery_id == each.delivery_id]) for each in page]


@commands.command("redeliver")
def redeliver(
    which: Which,
    event: Annotated[str, typer.Argument(metavar="EVENT", help="The event's id (ev-...).")],
    app: options.App = None,
    data: options.Data = None,
) -> None:
    """Tell it of an event once more, with the id it had."""
    desk.run(_redeliver(which, event, app, data))
    typer.echo("On its way.")


async def _redeliver(which: str, event: str, app: str | None, data: options.Data) -> None:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
        await keeping.redeliver(here.db, owner, which, event, now=here.clock())


@commands.command("enable")
def enable(which: Which, app: options.App = None, data: options.Data = None) -> None:
    """Switch it on (again): it is told what waits for it, and what happens from now on."""
    desk.run(_switch(which, app, data, on=True))
    typer.echo("On.")


@commands.command("disable")
def disable(which: Which, app: options.App = None, data: options.Data = None) -> None:
    """Switch it off: what happens meanwhile it is never told."""
    desk.run(_switch(which, app, data, on=False))
    typer.echo("Off.")


async def _switch(which: str, app: str | None, data: options.Data, *, on: bool) -> None:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
        await keeping.update(here.db, owner, which, {"enabled": on}, now=here.clock())


@commands.command("rm")
def rm(which: Which, app: options.App = None, data: options.Data = None) -> None:
    """Delete it, with what it was still to be told."""
    desk.run(_rm(which, app, data))
    typer.echo("Deleted.")


async def _rm(which: str, app: str | None, data: options.Data) -> None:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
        await keeping.delete(here.db, owner, which)


def _standing(one: Webhook) -> str:
    if not one.enabled:
        return f"off: {one.disabled_reason}" if one.disabled_reason else "off"
    return "on" if one.failing_since is None else f"failing since {show.when(one.failing_since)}"


def _last(tries: list[Tried]) -> str:
    if not tries:
        return ""
    last = tries[-1]
    return f"{last.status} in {last.ms} ms" if last.status is not None else last.words
