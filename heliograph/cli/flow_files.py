"""Commands that read flows from files, and write them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from heliograph.actions import flow_book, flow_checks, flow_files
from heliograph.actions import flows as editing
from heliograph.cli import options, show
from heliograph.cli.desk import Desk
from heliograph.cli.flows import Named, Publish, at, facts, saved, tell, who
from heliograph.errors import Invalid
from heliograph.rules.flow.foreign import Imported
from heliograph.rules.flow.lint import Finding
from heliograph.store import flows
from heliograph.store.apps import App

SUFFIXES = (".json", ".yaml", ".yml")

File = Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="The flow, as JSON or YAML.")]


def create(
    file: File,
    *,
    name: Annotated[str | None, typer.Option("--name", help="In place of the name in the file.")] = None,
    publish: Publish = False,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Make a flow from a file of our own form; flow import reads other makers' too."""
    body = {"document": one_of(file).document, "name": name, "publish": publish}
    made = at(app, data, lambda here, owner: editing.create(here.db, owner, body, by=who(), now=here.clock()))
    saved(made, json=json)


def update(
    flow: Named,
    file: File,
    *,
    publish: Publish = False,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Change a flow's draft to what a file says. Conversations under way go on as they began."""
    body = {"document": one_of(file).document, "publish": publish}
    made = at(app, data, lambda here, owner: editing.update(here.db, owner, flow, body, by=who(), now=here.clock()))
    saved(made, json=json)


def import_(
    file: File,
    *,
    dry: Annotated[bool, typer.Option("--dry", help="Only tell what would come of it.")] = False,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Make flows of a file of another maker's: RapidPro, FLOIP, or ours. None is published.

    Ends with 1 when something in it cannot be done here; each such thing is told with its place.
    """
    raw = _text(file)
    made = at(app, data, lambda here, owner: flow_files.take(here.db, owner, raw, dry=dry, now=here.clock()))
    if json:
        show.as_json([flow_files.told(one) | ({} if one.flow is None else facts(one.flow)) for one in made])
    else:
        for one in made:
            typer.echo(f"{one.imported.name}: {'would be made' if dry else 'made, not published'}.")
            for words in (*map(str, one.imported.unsupported), *one.imported.notes):
                typer.echo(f"  {words}", err=True)
    if any(one.imported.unsupported for one in made):
        raise typer.Exit(1)


def export(
    flow: Named,
    *,
    form: Annotated[str, typer.Option("--format", metavar="|".join(flow_files.FORMS), help="What to write.")] = "yaml",
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Where to; else it is printed.")] = None,
    app: options.App = None,
    data: options.Data = None,
) -> None:
    """Write a flow's draft as a file."""
    told = at(app, data, lambda here, owner: _export(here, owner, flow, form))
    if out is None:
        typer.echo(told.text, nl=False)
    else:
        out.write_text(told.text, encoding="utf-8")
    for words in told.lost:
        typer.echo(f"lost: {words}", err=True)


async def _export(here: Desk, owner: App, flow: str, form: str) -> flow_files.Written:
    async with here.db.connection() as conn:
        draft = (await flows.get(conn, owner.app_id, flow)).draft
    return flow_files.write(draft, form, now=here.clock())


def lint(
    flow: Annotated[str, typer.Argument(metavar="FLOW|FILE", help="A flow's id or name, or a file.")],
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Tell what is wrong with a flow, or likely to be. Ends with 1 when it could not be published.

    A file is looked at by itself, without any installation, unless an app is named.
    """
    file = file_of(flow)
    draft = None if file is None else one_of(file).document
    if draft is not None and app is None:
        found = flow_checks.alone(draft)
    else:
        found = at(app, data, lambda here, owner: _lint(here, owner, flow, draft))
    faults = any(each.fault for each in found)
    if json:
        show.as_json({"publishable": not faults, "findings": [flow_checks.told(each) for each in found]})
    elif found:
        tell(found)
    else:
        typer.echo("Nothing is wrong with it.")
    if faults:
        raise typer.Exit(1)


async def _lint(here: Desk, owner: App, flow: str, draft: Mapping[str, object] | None) -> list[Finding]:
    async with here.db.connection() as conn:
        book = await flow_book.load(conn, owner.app_id)
        if draft is not None:
            return await flow_checks.findings(conn, owner, draft, book)
        found = await flows.get(conn, owner.app_id, flow)
        return await flow_checks.findings(conn, owner, found.draft, book, itself=found.public_id)


def file_of(named: str) -> Path | None:
    """The file that an argument names which may be a flow's name too: one that is there and looks like a flow's."""
    file = Path(named)
    return file if file.suffix.lower() in SUFFIXES and file.is_file() else None


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid(f"{file} is not UTF-8 text: byte {error.start} cannot be read", field="FILE") from error


def one_of(file: Path) -> Imported:
    """The one flow in a file. Raises Invalid when there are several, or something in it cannot be done here."""
    try:
        found = flow_files.read(_text(file))
    except Invalid as error:
        raise Invalid(f"{file}: {error.message}", field=error.field) from error
    if len(found) != 1 or found[0].unsupported:
        what = f"{len(found)} flows" if len(found) != 1 else "something that cannot be done here"
        raise Invalid(f"{file} has {what}; heliograph flow import takes it, and tells what", field="FILE")
    return found[0]
