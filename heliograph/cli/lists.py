"""Commands about contact lists."""

from __future__ import annotations

import contextlib
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
from heliograph.errors import Invalid
from heliograph.rules import import_wish, phone, verdict
from heliograph.store import lists
from heliograph.store.lists import ContactList

commands = typer.Typer(no_args_is_help=True, help="Contact lists: people to text.")

File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        exists=True,
        dir_okay=False,
        readable=True,
        help="CSV in any common encoding and with any separator, gzipped or not; XLSX, XLS or ODS.",
    ),
]


@commands.command("import")
def import_(
    file: File,
    *,
    name: Annotated[str, typer.Option("--name", help="The list, by name or id; made when there is none of this name.")],
    allow_duplicates: Annotated[
        bool, typer.Option("--allow-duplicates", help="A list made now keeps a number that comes twice.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would become of each row; change nothing.")
    ] = False,
    update: Annotated[
        bool,
        typer.Option("--update", help="The filled cells of a row take the place of what is there for its number."),
    ] = False,
    region: Annotated[
        str | None,
        typer.Option("--region", metavar="XX", help="The country of numbers without a country code, such as US."),
    ] = None,
    mapped: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN",
            help="The column that holds a system field, e.g. phoneNumber=Mobile; several times for several. Kept for "
            "the next file with the same header.",
        ),
    ] = None,
    verdicts: Annotated[
        Path | None,
        typer.Option("--verdicts", metavar="OUT.csv", dir_okay=False, help="Write what became of each row here."),
    ] = None,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Add the people of a file to a list, in one transaction.

    One column must hold the telephone number, with country code unless --region is given; every column is kept and can
    be used in texts. Bad rows are left out and shown.
    """
    wish = import_wish.Wish(
        dry_run=dry_run,
        on_duplicate="update" if update else None,
        region=phone.region_code(region, field="region") if region else None,
        mapping=_mapping(mapped),
    )
    work = _import(file, name, allow_duplicates=allow_duplicates, wish=wish, verdicts=verdicts, app=app, data=data)
    done = desk.run(work)
    if json:
        counts = {"rows": done.rows, "imported": done.imported, "updated": done.updated, "duplicates": done.duplicates}
        rejected = {"rejected": done.rejected, "problems": [asdict(problem) for problem in done.problems]}
        more = {"noted": done.noted, "dryRun": dry_run, "mapping": done.mapping, "mappingFrom": done.mapping_from}
        show.as_json({"listId": done.target.public_id, "name": done.target.name} | counts | rejected | more)
        return
    typer.echo(_told(done, dry_run=dry_run))
    show_problems(done.problems, done.rejected)


def _told(done: contacts.Imported, *, dry_run: bool) -> str:
    changed = f" {done.updated} changed;" if done.updated else ""
    tail = f"{changed} {done.duplicates} were there already, {done.rejected} rows were left out."
    if dry_run:
        return f"Nothing was changed. {done.imported} of {done.rows} people would be added to {done.target.name};{tail}"
    return (
        f"{done.imported} of {done.rows} people added to {done.target.name} ({done.target.public_id}), which has"
        f" {done.target.contact_count} now;{tail}"
    )


def _mapping(given: list[str] | None) -> dict[str, str] | None:
    """A mapping by hand from ``phoneNumber=Mobile`` and the like. Raises Invalid."""
    if not given:
        return None
    for each in given:
        if "=" not in each:
            raise Invalid(f"--map is {each!r}. It takes FIELD=COLUMN, such as phoneNumber=Mobile", field="map")
    return import_wish.checked(dict(each.split("=", 1) for each in given))


async def _import(
    file: Path,
    name: str,
    *,
    allow_duplicates: bool,
    wish: import_wish.Wish,
    verdicts: Path | None,
    app: str | None,
    data: options.Data,
) -> contacts.Imported:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
        with contextlib.ExitStack() as stack:
            opened = stack.enter_context(file.open("rb"))
            bar = stack.enter_context(progress_bar())
            write = None
            if verdicts is not None:
                out = stack.enter_context(verdicts.open("w", encoding="utf-8", newline=""))
                out.write(verdict.header())
                write = out.write
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
                verdicts=write,
                wish=wish,
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
