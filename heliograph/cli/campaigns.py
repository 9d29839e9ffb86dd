"""Commands about campaigns."""

from __future__ import annotations

import json as jsons
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, cast

import typer

from heliograph.actions import campaigns as making
from heliograph.actions import runs
from heliograph.cli import desk, options, show, standing
from heliograph.cli.standing import Standing
from heliograph.errors import Invalid
from heliograph.rules import plain
from heliograph.store import app_settings
from heliograph.store.campaigns import Campaign

commands = typer.Typer(no_args_is_help=True, help="Campaigns: what to say, to whom, in which hours.")

WEEK = "MO,TU,WE,TH,FR,SA,SU"


@commands.command("create")
def create(
    *,
    name: Annotated[str | None, typer.Option("--name", help="Up to 48 characters, unique in the app.")] = None,
    lists: Annotated[
        list[str] | None, typer.Option("--list", metavar="NAME", help="A contact list. May be repeated.")
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", help='What to say; "Hello {{first name}}" puts a column in.')
    ] = None,
    flow: Annotated[
        str | None,
        typer.Option("--flow", metavar="FLOW", help="In place of a text: a conversation with each, by this flow."),
    ] = None,
    sender: Annotated[
        str | None, typer.Option("--from", metavar="NUMBER|NAME", help="The caller id: what the phone shows.")
    ] = None,
    timezone: Annotated[
        str, typer.Option("--timezone", help="Zone of the hours for people without one of their own.")
    ] = "UTC",
    start: Annotated[
        str, typer.Option("--start", help="When texts may leave from, in each one's own zone.")
    ] = "9:00 AM",
    end: Annotated[
        str, typer.Option("--end", help="From when on no more do. The same as --start: all day.")
    ] = "6:00 PM",
    days: Annotated[str, typer.Option("--days", metavar="MO,TU,...", help="On which days.")] = WEEK,
    priority: Annotated[int, typer.Option("--priority", min=1, max=5, help="5 gets the largest share.")] = 5,
    description: Annotated[str | None, typer.Option("--description", help="Up to 256 characters.")] = None,
    do_not_text: Annotated[str | None, typer.Option("--dnc", metavar="NAME", help="A do-not-contact list.")] = None,
    body: Annotated[
        Path | None,
        typer.Option(
            "--body",
            exists=True,
            dir_okay=False,
            allow_dash=True,
            metavar="FILE.json",
            help="Take all of it from the JSON body of the API's create call instead; - is stdin.",
        ),
    ] = None,
    recipient_zones: Annotated[
        bool,
        typer.Option("--recipient-zones", help="Without a zone of their own, people have those of their number."),
    ] = False,
    transactional: Annotated[
        bool, typer.Option("--transactional", help="It is no promotion: quiet hours and caps do not count.")
    ] = False,
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", metavar="CAMPAIGN", help="Not those who got this campaign. May be repeated."),
    ] = None,
    hold_out: Annotated[
        int, typer.Option("--hold-out", min=0, max=50, help="Percent of its people who get nothing, to compare with.")
    ] = 0,
    play: Annotated[bool, typer.Option("--play", help="Start it at once.")] = False,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Make a campaign. It starts when it is told to."""
    if body is not None:
        wanted = _read_body(body)
    else:
        if text is not None and flow is not None:
            raise Invalid("--text and --flow are both there. A campaign says one text, or goes through a flow")
        wanted = _body(
            {"--name": name, "--list": lists, "--text": text or flow, "--from": sender},
            hours=(timezone, start, end, days),
            further={
                **(
                    {"message": {"message": text}}
                    if flow is None
                    else {"experienceFlowName": flow, "format": "advanced"}
                ),
                "priority": priority,
                "description": description,
                "dncLists": do_not_text,
                "zoneRule": "recipient" if recipient_zones else None,
                "transactional": transactional or None,
                "exclude": {"campaigns": exclude} if exclude else None,
                "holdOut": hold_out or None,
            },
        )
    _print(desk.run(_create(wanted, play, app, data)), json)


def _body(needed: dict[str, object], *, hours: tuple[str, str, str, str], further: dict[str, object]) -> object:
    """The API's create body for a campaign, a simple one unless ``further`` says otherwise."""
    missing = [flag for flag, value in needed.items() if not value]
    if missing:
        raise Invalid(f"Missing: {', '.join(missing)} (or everything at once with --body FILE.json)")
    zone, start, end, days = hours
    windows = [{"day": day.strip().upper(), "start": start, "end": end} for day in days.split(",") if day.strip()]
    return {
        "name": needed["--name"],
        "campaignType": "sms",
        "format": "simple",
        "contactLists": needed["--list"],
        "dialingStrategy": {
            "callerId": {"phoneNumber": needed["--from"]},
            "callingHours": {"frequency": "WEEKLY", "timezone": zone, "days": windows},
        },
        "schedule": {"isSchedulingEnabled": False},
    } | {key: value for key, value in further.items() if value is not None}


def _read_body(file: Path) -> object:
    try:
        return jsons.loads(sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{file} is not JSON: {error}", field="body") from error


async def _create(body: object, play: bool, app: str | None, data: options.Data) -> Standing:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
            settings = await app_settings.get(conn, owner.app_id)
        made = await making.create(here.db, owner, body, now=here.clock())
        if settings.plain_substitutes == plain.Plain.WARN and (told := plain.warning(runs.words(made))) is not None:
            typer.echo(f"Its text could be shorter: {told}", err=True)
        if play:
            made = await runs.play(here.db, owner, made.public_id, now=here.clock())
        return await standing.of(here, made)


Verb = Callable[..., Awaitable[Campaign]]


def _do(verb: Verb, ref: str, app: str | None, data: options.Data) -> Standing:
    async def done() -> Standing:
        async with desk.opened(data) as here:
            async with here.db.connection() as conn:
                owner = await desk.find_app(conn, app)
                found = await desk.find_campaign(conn, owner, ref)
            changed = await verb(here.db, owner, found.public_id, now=here.clock())
            return await standing.of(here, changed)

    return desk.run(done())


@commands.command("play")
def play(
    campaign: options.Campaign, app: options.App = None, data: options.Data = None, json: options.Json = False
) -> None:
    """Start a campaign, from its first contact. Texts leave as soon as a worker runs and hours allow."""
    _print(_do(runs.play, campaign, app, data), json)


@commands.command("stop")
def stop(
    campaign: options.Campaign, app: options.App = None, data: options.Data = None, json: options.Json = False
) -> None:
    """Stop a campaign. Once this has answered, not one more of its texts leaves."""
    _print(_do(runs.stop, campaign, app, data), json)


@commands.command("delete")
def delete(
    campaign: options.Campaign, app: options.App = None, data: options.Data = None, json: options.Json = False
) -> None:
    """Delete a campaign, stopping it first. Once this has answered, not one more of its texts leaves."""
    _print(_do(runs.delete, campaign, app, data), json)


@commands.command("show")
def show_one(
    campaign: options.Campaign, app: options.App = None, data: options.Data = None, json: options.Json = False
) -> None:
    """Show everything about a campaign."""
    _print(desk.run(_show(campaign, app, data)), json)


async def _show(ref: str, app: str | None, data: options.Data) -> Standing:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
            found = await desk.find_campaign(conn, owner, ref)
        return await standing.of(here, found)


@commands.command("ls")
def ls(app: options.App = None, data: options.Data = None, json: options.Json = False) -> None:
    """Show the campaigns of an app, newest first."""
    found = desk.run(_ls(app, data))
    if json:
        show.as_json([one.facts() for one in found])
    else:
        show.out().print(_table(found))


def _table(found: Sequence[Standing]) -> object:
    rows = [
        (c.public_id, c.name, c.status.value, c.priority, ", ".join(c.list_names), c.caller_id)
        for c in (one.campaign for one in found)
    ]
    return show.table(["campaign", "name", "status", "priority#", "lists", "from"], rows)


async def _ls(app: str | None, data: options.Data) -> list[Standing]:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
        return await standing.all_of(here, owner)


def _print(found: Standing, json: bool) -> None:
    if json:
        show.as_json(found.facts())
        return
    facts = found.facts()
    show.facts((name, _words(value)) for name, value in facts.items() if name != "ledger" and value is not None)
    typer.echo("ledger")
    show.facts((f"  {name}", value) for name, value in found.counts().items())


def _words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(each) for each in cast("list[object]", value))
    return jsons.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
