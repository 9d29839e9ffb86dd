"""Commands about messages whose fate a crash or a silent carrier left open.

`heliograph unknown CAMPAIGN` is short for `heliograph unknown list CAMPAIGN`.
"""

from __future__ import annotations

import getpass
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperGroup

from heliograph.actions import asking, unknowns
from heliograph.actions.unknowns import By, Choice
from heliograph.cli import desk, options, show
from heliograph.cli.desk import Desk
from heliograph.errors import Invalid
from heliograph.rules import ids, phone, wording
from heliograph.rules import unknown as law
from heliograph.store import unknowns as store
from heliograph.store.apps import App
from heliograph.store.database import Conn
from heliograph.store.unknowns import Unknown

PAGE = 1000
T = TypeVar("T")


class _ListUnlessTold(TyperGroup):
    """A group of commands of which ``list`` is meant when none is named."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401  # typer's own kinds are private
        """The command that the words name."""
        if args and args[0] not in self.commands:
            args = ["list", *args]
        return super().resolve_command(ctx, args)


commands = typer.Typer(
    cls=_ListUnlessTold,
    no_args_is_help=True,
    help="Messages of which nobody can say whether they left: list them, and decide.",
)

Where = Annotated[
    str | None,
    typer.Argument(metavar="[CAMPAIGN]", help="All of this campaign, by id (cd-...) or name; unset: of the app."),
]
Ids = Annotated[
    list[str] | None, typer.Option("--message", metavar="MSG-ID", help="Only this message; may be given several times.")
]
Run = Annotated[str | None, typer.Option("--run", metavar="CID-ID", help="Only those of this run.")]
Sender = Annotated[
    str | None, typer.Option("--sender", metavar="SN-ID|ADDRESS", help="Only those of this sender, by id or address.")
]
Note = Annotated[str, typer.Option("--note", help="Why, for whoever asks later.")]


@commands.command("list")
def list_all(
    campaign: Where = None,
    *,
    run: Run = None,
    sender: Sender = None,
    numbers: options.Numbers = False,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """List the messages of unknown fate, with what is known and what was decided.

    They are never sent again by themselves: a receipt, or what their carrier says when it is asked, may still settle
    them; else it is for a person, with the other commands here.
    """
    found, now = desk.run(_list(campaign, run, sender, app, data))
    if json:
        show.as_json([_facts(one, overdue=one.overdue(now), numbers=numbers) for one in found])
    elif found:
        columns = ["message", "campaign", "number", "from", "reason", "since", "carrier said", "decided"]
        rows = [
            (
                ids.message_id(one.run_public_id, one.seq),
                one.campaign_name,
                one.number if numbers else phone.mask(one.number),
                one.address,
                one.reason,
                show.when(one.since),
                one.finding or "",
                _decision(one, overdue=one.overdue(now)),
            )
            for one in found
        ]
        show.out().print(show.table(columns, rows))
    else:
        typer.echo("None: the fate of every message is known.")


@commands.command("ask")
def ask(
    campaign: Where = None,
    *,
    message: Ids = None,
    run: Run = None,
    sender: Sender = None,
    note: Note = "",
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Ask the carriers what became of them, and go by what they say.

    Workers do so by themselves too, with carriers that can be asked.
    """

    async def work(here: Desk, owner: App, chosen: Choice, by: By) -> asking.Asked:
        return await asking.ask(
            here.db,
            here.seal,
            owner,
            chosen,
            by,
            transcript=here.settings.transcript,
            networks=here.settings.carrier_private_networks,
        )

    done = desk.run(_decide(work, _Chosen(campaign, message, run, sender), note, app, data))
    if json:
        show.as_json({"findings": dict(done.findings), "notAsked": done.silent, "left": done.left})
        return
    typer.echo(f"Asked about {wording.counted(done.findings.total(), 'message')}.")
    show.facts((finding.replace("_", " "), done.findings[finding]) for finding in asking.FINDINGS)
    for account, why in done.silent.items():
        typer.echo(f"{account} was not asked: {why}.")


@commands.command("wait")
def wait(
    until: Annotated[
        str, typer.Option("--until", metavar="TIME", help="2031-01-01T09:00:00Z, or so many hours from now: 12h.")
    ],
    campaign: Where = None,
    *,
    message: Ids = None,
    run: Run = None,
    sender: Sender = None,
    note: Note = "",
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Wait for a receipt until a time; whoever has none by then is listed as overdue."""

    async def work(here: Desk, owner: App, chosen: Choice, by: By) -> unknowns.Decided:
        hours = until.removesuffix("h")
        if until.endswith("h") and hours.isdecimal() and len(hours) <= len("720"):
            at = by.now + timedelta(hours=int(hours))
        else:
            at = law.until(until, by.now)
        return await unknowns.wait(here.db, owner, chosen, by, until=at)

    _print_decided(desk.run(_decide(work, _Chosen(campaign, message, run, sender), note, app, data)), "waiting", json)


@commands.command("accept")
def accept(
    campaign: Where = None,
    *,
    message: Ids = None,
    run: Run = None,
    sender: Sender = None,
    note: Note = "",
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Take them for sent: accepted, with the reason that a person said so."""

    async def work(here: Desk, owner: App, chosen: Choice, by: By) -> unknowns.Decided:
        return await unknowns.accept(here.db, owner, chosen, by)

    done = desk.run(_decide(work, _Chosen(campaign, message, run, sender), note, app, data))
    _print_decided(done, "taken for sent", json)


@commands.command("resend")
def resend(
    campaign: Where = None,
    *,
    message: Ids = None,
    run: Run = None,
    sender: Sender = None,
    note: Note = "",
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Send them again. It may be a second text to these people: that is yours to decide.

    Each gets a new message: in its run while that is under way, else in a new run of the campaign. Hours and
    do-not-contact lists count as ever.
    """

    async def work(here: Desk, owner: App, chosen: Choice, by: By) -> unknowns.Resent:
        return await unknowns.resend(here.db, owner, chosen, by)

    done = desk.run(_decide(work, _Chosen(campaign, message, run, sender), note, app, data))
    if json:
        new_ids = dict(zip((_id(one) for one in done.messages), done.new_ids, strict=True))
        show.as_json({"messages": new_ids, "secondTexts": done.second_texts, "left": done.left})
    else:
        typer.echo(f"{done.words}.")


class _Chosen:
    """What the words of a command choose."""

    def __init__(self, campaign: str | None, messages: list[str] | None, run: str | None, sender: str | None) -> None:
        self.campaign, self.messages, self.run, self.sender = campaign, messages, run, sender

    async def choice(self, conn: Conn, owner: App, *, all_is_meant: bool = False) -> Choice:
        """It, with the campaign found by its name. Raises Invalid when nothing is chosen."""
        if not (self.campaign or self.messages or self.run or self.sender or all_is_meant):
            text = "No messages are chosen; name a CAMPAIGN, or give --message, --run or --sender"
            raise Invalid(text, field="campaign")
        found = None if self.campaign is None else await desk.find_campaign(conn, owner, self.campaign)
        chosen = tuple(self.messages) if self.messages else None
        return Choice(chosen, None if found is None else found.public_id, self.run, self.sender)


async def _list(
    campaign: str | None, run: str | None, sender: str | None, app: str | None, data: options.Data
) -> tuple[list[Unknown], datetime]:
    found: list[Unknown] = []
    async with desk.opened(data) as here, here.db.connection() as conn:
        owner = await desk.find_app(conn, app)
        chosen = await _Chosen(campaign, None, run, sender).choice(conn, owner, all_is_meant=True)
        wanted = await unknowns.wanted(conn, owner, chosen)
        while True:
            page = await store.page(conn, owner.app_id, wanted, offset=len(found), limit=PAGE)
            found += page
            if len(page) < PAGE:
                return found, here.clock()


async def _decide(
    work: Callable[[Desk, App, Choice, By], Awaitable[T]],
    words: _Chosen,
    note: str,
    app: str | None,
    data: options.Data,
) -> T:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
            chosen = await words.choice(conn, owner)
        return await work(here, owner, chosen, By(f"cli:{_who()}", here.clock(), law.note(note)))


def _who() -> str:
    """Who sits at the keyboard, as far as the system knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without an entry, as in some containers
        return "somebody"


def _print_decided(done: unknowns.Decided, how: str, json: bool) -> None:
    if json:
        show.as_json({"messages": [_id(one) for one in done.messages], "left": done.left})
        return
    left = f" {done.left:,} more are left: ask again." if done.left else ""
    typer.echo(f"{wording.counted(len(done.messages), 'message')} {how}.{left}")


def _id(one: Unknown) -> str:
    return ids.message_id(one.run_public_id, one.seq)


def _decision(one: Unknown, *, overdue: bool) -> str:
    if one.decision is None:
        return ""
    until = f" until {show.when(one.until)}" if one.until else ""
    late = ", overdue" if overdue else ""
    return f"{one.decision}{until}{late} by {one.decided_by}"


def _facts(one: Unknown, *, overdue: bool, numbers: bool) -> dict[str, object]:
    decision = None
    if one.decision is not None:
        decision = {
            "kind": one.decision,
            "by": one.decided_by,
            "at": show.when(one.decided_at),
            "note": one.note,
            "until": show.when(one.until),
            "overdue": overdue,
        }
    return {
        "messageId": _id(one),
        "number": one.number if numbers else phone.mask(one.number),
        "campaign": one.campaign_name,
        "runId": one.run_public_id,
        "sender": one.address,
        "carrierAccount": one.account_name,
        "reason": one.reason,
        "since": show.when(one.since),
        "submittedAt": show.when(one.submitted_at),
        "finding": one.finding,
        "decision": decision,
    }
