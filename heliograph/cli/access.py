"""Commands about who may come in: apps, their clients, and tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from heliograph.actions import access
from heliograph.actions.access import Scope
from heliograph.cli import desk, options, show
from heliograph.errors import Invalid
from heliograph.store import apps

app_commands = typer.Typer(no_args_is_help=True, help="Apps: each is a tenant of its own.")
client_commands = typer.Typer(no_args_is_help=True, help="Clients: who may call the API for an app.")

Scopes = Annotated[
    list[str] | None,
    typer.Option("--scope", metavar="SCOPE", help="One of: " + ", ".join(Scope) + ". May be repeated."),
]


@app_commands.command("create")
def app_create(
    name: Annotated[str, typer.Option("--name", help="What people call it.")],
    account: Annotated[
        str | None, typer.Option("--account", metavar="HEX24", help="An account of 24 hex digits; unset: a new one.")
    ] = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Make an app with a client that may do everything. Its secret is shown this once.

    The app can text at once: a sandbox carrier, which texts nobody, serves any caller id.
    """
    made = desk.run(_app_create(data, name, account))
    answer = {
        "accountId": made.app.account_id,
        "appId": made.app.public_id,
        "clientId": made.client_id,
        "clientSecret": made.client_secret,
    }
    show.as_json(answer) if json else show.facts(answer.items())


async def _app_create(data: options.Data, name: str, account: str | None) -> access.NewApp:
    async with desk.opened(data) as here:
        return await access.create_app(here.db, here.seal, name=name, now=here.clock(), account_id=account)


@app_commands.command("list")
def app_list(data: options.Data = None, json: options.Json = False) -> None:
    """Show every app."""
    found = desk.run(_app_list(data))
    if json:
        show.as_json([{"accountId": a.account_id, "appId": a.public_id, "name": a.name} for a in found])
    else:
        rows = [(a.public_id, a.name, a.account_id) for a in found]
        show.out().print(show.table(["app", "name", "account"], rows))


async def _app_list(data: options.Data) -> list[apps.App]:
    async with desk.opened(data) as here, here.db.connection() as conn:
        return await apps.list_all(conn)


@client_commands.command("create")
def client_create(
    name: Annotated[str, typer.Option("--name", help="What people call it.")],
    scope: Scopes = None,
    enforce_jti: Annotated[
        bool, typer.Option("--enforce-jti", help="Take each of its tokens once, and only with an end within an hour.")
    ] = False,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Make a further client of an app, with every scope unless some are named. Its secret is shown this once."""
    made = desk.run(_client_create(data, app, name, scope or list(Scope), enforce_jti))
    answer = {"clientId": made.client_id, "clientSecret": made.client_secret, "scopes": list(made.scopes)}
    show.as_json(answer) if json else show.facts((answer | {"scopes": ", ".join(made.scopes)}).items())


async def _client_create(
    data: options.Data, app: str | None, name: str, scopes: list[str], enforce_jti: bool
) -> access.NewClient:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
        return await access.create_client(
            here.db, here.seal, owner, name=name, scopes=scopes, now=here.clock(), enforce_jti=enforce_jti
        )


def token(
    scope: Scopes = None,
    client: Annotated[
        str | None, typer.Option("--client", metavar="CS-ID", help="Sign as this client; unset: the app's first.")
    ] = None,
    expires: Annotated[
        int | None, typer.Option("--expires", min=1, metavar="SECONDS", help="End it after this; unset: never.")
    ] = None,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Print a token (JWT) for the API, and nothing else.

    With `--scope` it is signed by a client with exactly these scopes, made when there is none.
    """
    if scope and client:
        raise Invalid("--client and --scope were both given: a client has the scopes it was made with", field="scope")
    lifetime = None if expires is None else timedelta(seconds=expires)
    found = desk.run(_token(data, app, client, scope or None, lifetime))
    show.as_json({"token": found}) if json else typer.echo(found)


async def _token(
    data: options.Data, app: str | None, client: str | None, scopes: list[str] | None, lifetime: timedelta | None
) -> str:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
        return await access.mint_token(
            here.db,
            here.seal,
            app_public_id=owner.public_id,
            now=here.clock(),
            client_id=client,
            scopes=scopes,
            lifetime=lifetime,
        )
