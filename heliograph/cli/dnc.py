"""Commands about people who must not be texted."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from heliograph.actions import dnc
from heliograph.cli import desk, options, show
from heliograph.cli.lists import show_problems
from heliograph.store import lists
from heliograph.store.lists import ContactList

commands = typer.Typer(no_args_is_help=True, help="Do-not-contact lists: people never to text.")

SOURCE = "person"  # who put a number on a list: somebody at the keyboard

List = Annotated[
    str | None, typer.Option("--list", metavar="CL-ID|NAME", help="The list, by id or name; unset: the default one.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why, for whoever asks later.")]


@commands.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What people call it; campaigns name it in dncLists.")],
    everywhere: Annotated[
        bool, typer.Option("--global", help="It counts for every campaign of the app, linked or not.")
    ] = False,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Make a do-not-contact list."""
    made = desk.run(_create(name, everywhere, app, data))
    if json:
        show.as_json({"listId": made.public_id, "name": made.name, "global": made.is_global_dnc})
    else:
        typer.echo(f"Do-not-contact list {made.name} made ({made.public_id}).")


async def _create(name: str, everywhere: bool, app: str | None, data: options.Data) -> ContactList:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
        limits = here.settings.quota
        return await dnc.create(here.db, owner, name=name, is_global=everywhere, now=here.clock(), limits=limits)


@commands.command("add")
def add(
    numbers: Annotated[
        list[str],
        typer.Argument(metavar="NUMBER...", help="Numbers with their country code, or prefixes such as '+1900*'."),
    ],
    to: List = None,
    reason: Reason = "",
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Put numbers on a do-not-contact list: all of them or, if one is bad, none.

    Campaigns under way heed it from now on.
    """
    target = desk.run(_add(numbers, to, reason, app, data))
    if json:
        show.as_json({"listId": target.public_id, "name": target.name, "added": len(numbers)})
    else:
        typer.echo(f"{len(numbers)} on {target.name} ({target.public_id}).")


async def _add(numbers: list[str], to: str | None, reason: str, app: str | None, data: options.Data) -> ContactList:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
        return await dnc.add(here.db, owner, to, numbers, source=SOURCE, reason=reason, now=here.clock())


@commands.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="A CSV, or a number a line."),
    ],
    to: List = None,
    reason: Reason = "",
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Put the numbers of a file on a do-not-contact list. Bad rows are left out and shown."""
    done = desk.run(_import(file, to, reason, app, data))
    if json:
        counts = {"rows": done.rows, "added": done.added, "known": done.known, "rejected": done.rejected}
        problems = {"problems": [asdict(problem) for problem in done.problems]}
        show.as_json({"listId": done.target.public_id, "name": done.target.name} | counts | problems)
        return
    on = done.added + done.known
    typer.echo(f"{on} of {done.rows} on {done.target.name} ({done.target.public_id}), {done.known} of them before.")
    show_problems(done.problems, done.rejected)


async def _import(file: Path, to: str | None, reason: str, app: str | None, data: options.Data) -> dnc.Imported:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
        with file.open("rb") as opened, show.err().status(f"Importing {file.name} ..."):
            return await dnc.import_csv(
                here.db,
                owner,
                to,
                opened,
                file_name=file.name,
                source="import",
                reason=reason,
                now=here.clock(),
                limits=here.settings.quota,
            )


@commands.command("ls")
def ls(app: options.App = None, data: options.Data = None, json: options.Json = False) -> None:
    """Show the do-not-contact lists of an app."""
    found = desk.run(_ls(app, data))
    if json:
        show.as_json([{"listId": one.public_id, "name": one.name, "global": one.is_global_dnc} for one in found])
    else:
        rows = [(one.public_id, one.name, "yes" if one.is_global_dnc else "no") for one in found]
        show.out().print(show.table(["list", "name", "for every campaign"], rows))


async def _ls(app: str | None, data: options.Data) -> list[ContactList]:
    async with desk.opened(data) as here, here.db.connection() as conn:
        owner = await desk.find_app(conn, app)
        return await lists.list_all(conn, owner.app_id, kind="dnc")
