"""Commands about who may sign in to the console."""

from __future__ import annotations

import getpass
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from heliograph import config
from heliograph.actions import second_factor, users
from heliograph.cli import desk, options, serve, show
from heliograph.cli.desk import Desk
from heliograph.errors import Conflict, Invalid
from heliograph.rules import roles
from heliograph.rules.roles import Grant, Grants
from heliograph.store import sign_in_failures
from heliograph.store import users as rows
from heliograph.store.users import User

commands = typer.Typer(no_args_is_help=True, help="Who may sign in to the console, and as what.")

Who = Annotated[str, typer.Argument(metavar="EMAIL", help="Their e-mail address, or id (us-...).")]
RoleName = Annotated[str, typer.Option("--role", help=f"One of {', '.join(roles.Role)}.")]
OneApp = Annotated[
    str | None, typer.Option("--app", metavar="ST-ID|NAME", help="For this app only; unset: for every app.")
]
Campaigns = Annotated[
    Literal["on", "off", "role"],
    typer.Option("--campaigns", help="Switch the campaign module; role: as the role has it."),
]
Url = Annotated[str | None, options.setting("console_url", "http://HOST:PORT")]
_MODULE = {"on": True, "off": False, "role": None}


def _opened(data: Path | None, url: str | None) -> AbstractAsyncContextManager[Desk]:
    """The installation, as people come to its console."""
    return desk.opened(settings=config.read(data=data, console_url=url))


@commands.command("list")
def list_all(data: options.Data = None, json: options.Json = False) -> None:
    """Show every user."""
    found = desk.run(_list(data))
    if json:
        show.as_json([_facts(user) for user in found])
        return
    cells = [(user.email, user.name, _role(user), _state(user)) for user in found]
    show.out().print(show.table(["e-mail", "name", "role", ""], cells))


async def _list(data: Path | None) -> list[User]:
    async with desk.opened(data) as here, here.db.connection() as conn:
        return await rows.list_all(conn)


@commands.command("owner")
def owner(url: Url = None, data: options.Data = None, json: options.Json = False) -> None:
    """Print the link by which somebody becomes the owner, while there is none. It replaces the one before."""

    async def work() -> str:
        async with desk.opened(settings=config.read(data=data, console_url=url)) as here:
            token = await users.owner_link(here.db, made_by="heliograph user owner", now=here.clock())
            if token is None:
                raise Conflict("There is an owner already; heliograph user reset EMAIL lets one choose a password")
            return _address(here, token)

    _print(desk.run(work()), json=json)


@commands.command("invite")
def invite(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Their e-mail address. Nothing is sent to it.")],
    *,
    name: Annotated[str, typer.Option("--name", help="What they are called.")],
    role: RoleName = roles.Role.SUPERVISOR.value,
    campaigns: Campaigns = "role",
    app: OneApp = None,
    url: Url = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Make a user, and print the link by which they choose a password: once, within seven days."""

    async def work() -> str:
        async with _opened(data, url) as here:
            grants = await _given(here, Grants(), role, campaigns, app)
            made = await users.invite(
                here.db, email=email, name=name, grants=grants, made_by=getpass.getuser(), now=here.clock()
            )
            return _address(here, made.token)

    _print(desk.run(work()), json=json)


commands.command("add", hidden=True)(invite)


@commands.command("reset")
def reset(who: Who, url: Url = None, data: options.Data = None, json: options.Json = False) -> None:
    """Print a link by which somebody chooses another password: once, within a day. It forgets wrong attempts too."""

    async def work(here: Desk, user: User) -> str:
        async with here.db.transaction() as conn:
            await sign_in_failures.clear_all(conn)
        return _address(here, await users.reset(here.db, user, made_by=getpass.getuser(), now=here.clock()))

    _print(desk.run(_with(who, data, url, work)), json=json)


@commands.command("sign-in")
def sign_in(
    who: Annotated[
        str | None, typer.Argument(metavar="[EMAIL]", help="Whom; unset: the only user, as in a demonstration.")
    ] = None,
    url: Url = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Print a link that signs somebody in: once, within an hour. For whoever has this machine anyway."""

    async def work() -> str:
        async with _opened(data, url) as here:
            async with here.db.connection() as conn:
                known = [] if who else await rows.list_all(conn)
                if who is None and len(known) != 1:
                    raise Invalid(f"There are {len(known)} users; say which: heliograph user sign-in EMAIL")
                user = known[0] if who is None else await users.find(conn, who)
            token = await users.sign_in_link(here.db, user, made_by=getpass.getuser(), now=here.clock())
            return _address(here, token)

    _print(desk.run(work()), json=json)


@commands.command("role")
def role(
    who: Who,
    role: Annotated[str, typer.Argument(metavar="ROLE", help=f"One of {', '.join(roles.Role)}, or none.")],
    campaigns: Campaigns = "role",
    app: OneApp = None,
    data: options.Data = None,
) -> None:
    """Give somebody a role, for every app or for one; `none` takes it back. It counts from their next click on."""

    async def work(here: Desk, user: User) -> str:
        await users.set_grants(here.db, user, await _given(here, user.grants, role, campaigns, app))
        async with here.db.connection() as conn:
            return f"{user.email}: {_role(await rows.get(conn, user.public_id))}"

    typer.echo(desk.run(_with(who, data, None, work)))


@commands.command("disable")
def disable(
    who: Who,
    off: Annotated[bool, typer.Option("--off", help="Let them in again.")] = False,
    data: options.Data = None,
) -> None:
    """Shut somebody out, at once; what they did stays in the audit."""

    async def work(here: Desk, user: User) -> str:
        if off:
            await users.enable(here.db, user)
            return f"{user.email} may sign in again."
        await users.disable(here.db, user, now=here.clock())
        return f"{user.email} is signed out and may not sign in."

    typer.echo(desk.run(_with(who, data, None, work)))


@commands.command("totp-off")
def totp_off(who: Who, data: options.Data = None) -> None:
    """Ask somebody for no codes any more: they lost phone and recovery codes."""

    async def work(here: Desk, user: User) -> str:
        await second_factor.switch_off(here.db, user)
        return f"{user.email} is asked for no codes any more."

    typer.echo(desk.run(_with(who, data, None, work)))


async def _with(who: str, data: Path | None, url: str | None, work: Callable[[Desk, User], Awaitable[str]]) -> str:
    async with _opened(data, url) as here:
        async with here.db.connection() as conn:
            user = await users.find(conn, who)
        return await work(here, user)


async def _given(here: Desk, before: Grants, word: str, campaigns: str, app: str | None) -> Grants:
    """The grants with one of them changed: that for every app, or that for one."""
    grant = None if word.lower() == "none" else Grant(roles.read(word), _MODULE[campaigns])
    if app is None:
        return replace(before, every=grant)
    async with here.db.connection() as conn:
        found = await desk.find_app(conn, app)
    others = {key: value for key, value in before.of_app.items() if key != found.public_id}
    return replace(before, of_app=others | ({found.public_id: grant} if grant else {}))


def _address(here: Desk, token: str) -> str:
    base = here.settings.console_url or serve.address(here.settings.host, here.settings.port)
    return users.link(base, token)


def _print(link: str, *, json: bool) -> None:
    show.as_json({"link": link}) if json else typer.echo(link)


def _role(user: User) -> str:
    given = [user.role] if user.role else []
    given += [f"{grant.role} of {app}" for app, grant in user.grants.of_app.items()]
    return ", ".join(given) or "none"


def _state(user: User) -> str:
    if user.disabled_at is not None:
        return "disabled"
    words = [] if user.password or user.sso_subject else ["invited"]
    return ", ".join([*words, *(["codes"] if user.totp_at else [])])


def _facts(user: User) -> dict[str, object]:
    return {
        "userId": user.public_id,
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "apps": {app: grant.role.value for app, grant in user.grants.of_app.items()},
        "codes": user.totp_at is not None,
        "disabled": user.disabled_at is not None,
        "signedInAt": user.signed_in_at.isoformat() if user.signed_in_at else None,
    }
