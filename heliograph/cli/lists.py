"""Commands about contact lists."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from heliograph.actions import contacts
from heliograph.actions.csv_rows import Problem
from heliograph.cli import desk, options, show
from heliograph.store import lists
from heliograph.store.lists import ContactList

commands = typer.Typer(no_args_is_help=True, help="Contact lists: people to text.")

File = Annotated[
    Path,
    typer.Argument(metavar="FILE.csv", exists=True, dir_okay=False, readable=True, help="CSV, UTF-8, with a header."),
]


@commands.command("import")
def import_(
    file: File,
    name: Annotated[str, typer.Option("--name", help="The list, by name or id; made when there is none of this name.")],
    allow_duplicates: Annotated[
        bool, typer.Option("--allow-duplicates", help="A list made now keeps a number that comes twice.")
    ] = False,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Add the people of a CSV file to a list, in one transaction.

    One column must hold the telephone number, with country code; every column is kept and can be used in texts.
    Bad rows are left out and shown.
    """
    done = desk.run(_import(file, name, allow_duplicates, app, data))
    if json:
        counts = {"rows": done.rows, "imported": done.imported, "duplicates": done.duplicates}
        rejected = {"rejected": done.rejected, "problems": [asdict(problem) for problem in done.problems]}
        show.as_json({"listId": done.target.public_id, "name": done.target.name} | counts | rejected)
        return
    typer.echo(
        f"{done.imported} of {done.rows} people added to {done.target.name} ({done.target.public_id}), which has"
        f" {done.target.contact_count} now; {done.duplicates} were there already, {done.rejected} rows were left out."
    )
    show_problems(done.problems, done.rejected)


async def _import(
    file: Path, name: str, allow_duplicates: bool, app: str | None, data: options.Data
) -> contacts.Imported:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
        with file.open("rb") as opened, progress_bar() as bar:
            task = bar.add_task(f"Importing {file.name}", total=os.fstat(opened.fileno()).st_size, rows=0)

            def tell(rows: int) -> None:
                bar.update(task, completed=opened.tell(), rows=rows)

            return await contacts.import_csv(
                here.db,
                owner,
                name,
                opened,
                file_name=file.name,
                now=here.clock(),
                create=True,
                allow_duplicates=allow_duplicates,
                progress=tell,
                limits=here.settings.quota,
            )


@commands.command("ls")
def ls(app: options.App = None, data: options.Data = None, json: options.Json = False) -> None:
    """Show the contact lists of an app."""
    found = desk.run(_ls(app, data))
    if json:
        show.as_json([facts(one) for one in found])
    else:
        rows = [(one.public_id, one.name, one.contact_count, ", ".join(one.columns)) for one in found]
        show.out().print(show.table(["list", "name", "people#", "columns"], rows))


async def _ls(app: str | None, data: options.Data) -> list[ContactList]:
    async with desk.opened(data) as here, here.db.connection() as conn:
        owner = await desk.find_app(conn, app)
        return await lists.list_all(conn, owner.app_id)


def facts(one: ContactList) -> dict[str, object]:
    """A list, for programs."""
    return {"listId": one.public_id, "name": one.name, "contacts": one.contact_count, "columns": one.columns}


def progress_bar() -> Progress:
    """A bar for reading a file: bytes decide how far it is, rows are what people count."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TimeRemainingColumn(),
        console=show.err(),
        transient=True,
    )


def show_problems(problems: Sequence[Problem], total: int) -> None:
    """Print why rows were left out, a line each, on stderr."""
    if problems:
        rows = [(one.row, one.column, one.value, one.problem) for one in problems]
        more = f" (the first {len(problems)} of {total})" if total > len(problems) else ""
        title = f"Rows left out{more}"
        show.err().print(show.table(["row#", "column", "value", "problem"], rows, title=title))
