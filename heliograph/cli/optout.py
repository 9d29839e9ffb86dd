"""Commands about people who said no, by a reply or otherwise."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer

from heliograph.actions import consents
from heliograph.actions.consents import Imported, Recorded
from heliograph.api import opt_outs as faces
from heliograph.cli import desk, options, show
from heliograph.cli.lists import show_problems
from heliograph.errors import Invalid
from heliograph.rules import consent as law
from heliograph.rules import phone
from heliograph.store import opt_outs
from heliograph.store.opt_outs import OptOut

commands = typer.Typer(no_args_is_help=True, help="People who said no: who, how they said so, and deciding.")

SOURCE = "person"  # who recorded it: somebody at the keyboard
LIMIT = 1000

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="A number with its country code.")]
Note = Annotated[str, typer.Option("--note", help="What they said or wrote, for whoever asks later.")]


@commands.command("ls")
def ls(  # options
    *,
    review: Annotated[bool, typer.Option("--review", help="Only those about whom a person has to decide.")] = False,
    number: Annotated[str | None, typer.Option("--number", help="Only this number.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=LIMIT, help="How many at most.")] = 100,
    numbers: options.Numbers = False,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Show who said no."""
    found = desk.run(_ls(number, limit, app, data, review=review))
    rows = [(one, one.number if numbers else phone.mask(one.number)) for one in found]
    if json:
        show.as_json([_facts(one, shown) for one, shown in rows])
        return
    cells = [(shown, one.kind, one.address or "all", one.source, one.reason) for one, shown in rows]
    show.out().print(show.table(["number", "kind", "sent from", "source", "reason"], cells))


async def _ls(number: str | None, limit: int, app: str | None, data: options.Data, *, review: bool) -> list[OptOut]:
    async with desk.opened(data) as here, here.db.connection() as conn:
        owner = await desk.find_app(conn, app)
        only = phone.normalise(number, field="number") if number else None
        kind = "review" if review else None
        return await opt_outs.page(conn, owner.app_id, kind=kind, number=only, skip=0, limit=limit)


@commands.command("add")
def add(
    numbers: Annotated[list[str], typer.Argument(metavar="NUMBER...", help="Numbers with their country code.")],
    note: Note = "",
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Record that people said no. Campaigns under way heed it from now on."""
    done = desk.run(_add(numbers, note, app, data))
    if json:
        show.as_json({"optedOut": done.opted_out})
    else:
        typer.echo(f"{done.opted_out} opted out.")


async def _add(numbers: list[str], note: str, app: str | None, data: options.Data) -> Recorded:
    body = {"events": [{"phoneNumber": number, "text": note} for number in numbers]}
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
        return await consents.record(here.db, owner, body, source=SOURCE, by=_who(), now=here.clock())


@commands.command("remove")
def remove(
    number: Number,
    note: Note = "",
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Let somebody be texted again who asked you for it. That you did is kept as evidence."""
    gone = desk.run(_remove(number, note, app, data))
    if json:
        show.as_json({"removed": len(gone)})
    else:
        typer.echo(f"{phone.mask(gone[0].number)} may be texted again.")


async def _remove(number: str, note: str, app: str | None, data: options.Data) -> list[OptOut]:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
        whole = phone.normalise(number, field="number")
        return await consents.remove(here.db, owner, whole, note=note, by=_who(), now=here.clock())


@commands.command("review")
def review(
    number: Number,
    decision: Annotated[str, typer.Argument(metavar="optOut|keep", help="They meant no, or go on texting them.")],
    note: Note = "",
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Decide about somebody whose words may have been a no; optout ls --review shows them."""
    settled = law.decision({"decision": decision})
    desk.run(_review(number, settled, note, app, data))
    if json:
        show.as_json({"decision": settled})
    else:
        typer.echo("Decided.")


async def _review(number: str, decision: law.Decision, note: str, app: str | None, data: options.Data) -> None:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
        whole = phone.normalise(number, field="number")
        await consents.decide(here.db, owner, whole, decision, note=note, by=_who(), now=here.clock())


@commands.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", exists=True, dir_okay=False, readable=True, help="A CSV: phoneNumber, what, at, text."
        ),
    ],
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Record who said no, or yes, from a file. The newest word of each person counts; bad rows are shown."""
    found = desk.run(_import(file, app, data))
    counts = {"optedOut": found.done.opted_out, "optedIn": found.done.opted_in, "older": found.done.older}
    if json:
        show.as_json({"rows": found.rows, "rejected": found.rejected} | counts)
        return
    typer.echo(f"{found.done.opted_out} opted out, {found.done.opted_in} in, {found.done.older} older than known.")
    show_problems(found.problems, found.rejected)


async def _import(file: Path, app: str | None, data: options.Data) -> Imported:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
        with file.open("rb") as opened:
            return await consents.import_csv(here.db, owner, opened, by=_who(), now=here.clock())


@commands.command("export")
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The CSV file to write; it must not be there yet.")],
    app: options.App = None,
    data: options.Data = None,
) -> None:
    """Write all evidence of who said no and yes to a CSV file, numbers in full."""
    if file.exists():
        raise Invalid(f"{file} is there already", field="file")
    desk.run(_export(file, app, data))
    typer.echo(f"Written to {file}.")


async def _export(file: Path, app: str | None, data: options.Data) -> None:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
        pages: AsyncIterator[str] = faces.lines(here.db, owner.app_id, guarded=True)
        with await asyncio.to_thread(file.open, "x", encoding="utf-8-sig", newline="") as out:
            async for page in pages:
                await asyncio.to_thread(out.write, page)


def _facts(one: OptOut, shown: str) -> dict[str, object]:
    return {
        "number": shown,
        "kind": one.kind,
        "address": one.address or None,
        "source": one.source,
        "reason": one.reason,
        "createdAt": show.when(one.created_at),
    }


def _who() -> str:
    return f"cli:{getpass.getuser()}"
