"""Commands of the inbox: conversations with people, and answering them."""

from __future__ import annotations

import contextlib
import getpass
from collections.abc import AsyncGenerator, Mapping
from typing import Annotated

import typer

from heliograph.actions import answers
from heliograph.actions import inbox as keeping
from heliograph.api import inbox as faces
from heliograph.cli import desk, options, show
from heliograph.cli.desk import Desk
from heliograph.errors import NotFound
from heliograph.rules import ids, phone
from heliograph.rules import inbox as law
from heliograph.store import inbox, inbox_pages, threads
from heliograph.store.apps import App
from heliograph.store.inbox import Conversation
from heliograph.store.inbox_pages import Wanted
from heliograph.store.threads import Entry

commands = typer.Typer(no_args_is_help=True, help="Conversations: who wrote, what was said, and answering by hand.")

LIMIT = 1000
MESSAGES = 50

Which = Annotated[str, typer.Argument(metavar="CONVERSATION", help="Its id (cv-...), or the person's number.")]


@commands.command("list")
def list_(  # options
    *,
    closed: Annotated[bool, typer.Option("--closed", help="Those that are closed, instead of the open ones.")] = False,
    unread: Annotated[bool, typer.Option("--unread", help="Only those with something unread.")] = False,
    mine: Annotated[str | None, typer.Option("--assignee", metavar="NAME", help="Only those of this one.")] = None,
    nobodys: Annotated[bool, typer.Option("--unassigned", help="Only those of nobody.")] = False,
    team: Annotated[str | None, typer.Option("--team", metavar="NAME", help="Only those of this team.")] = None,
    search: Annotated[
        str | None, typer.Option("--search", metavar="TEXT", help="A number, some digits of one, or words they wrote.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=LIMIT, help="How many at most.")] = 50,
    numbers: options.Numbers = False,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Show conversations, those with the newest message first."""
    wanted = Wanted(
        open=not closed, unread=unread, assignee=mine, unassigned=nobodys, team=team,
        **(law.sought(search) if search else {}),
    )  # fmt: skip
    found = desk.run(_list(wanted, limit, app, data))
    if json:
        show.as_json([_facts(one, numbers=numbers) for one in found])
        return
    rows = [
        (
            one.public_id,
            _shown(one.number, numbers=numbers),
            one.unread,
            one.assignee or "",
            one.team or "",
            show.when(one.last_at),
            ("< " if one.preview_out else "> ") + one.preview[:40] if numbers else "",
        )
        for one in found
    ]
    show.out().print(show.table(["id", "number", "unread#", "assignee", "team", "last message", "text"], rows))


async def _list(wanted: Wanted, limit: int, app: str | None, data: options.Data) -> list[Conversation]:
    async with desk.opened(data) as here, here.db.connection() as conn:
        owner = await desk.find_app(conn, app)
        return await inbox_pages.page(conn, owner.app_id, wanted, skip=0, limit=limit)


@commands.command("show")
def show_(
    which: Which,
    limit: Annotated[int, typer.Option("--limit", min=1, max=LIMIT, help="How many entries at most.")] = MESSAGES,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Show the newest messages of a conversation, both ways, the oldest of them first."""
    conversation, entries = desk.run(_show(which, limit, app, data))
    if json:
        show.as_json(_facts(conversation, numbers=True) | {"messages": entries})
        return
    standing = "open" if conversation.open else "closed"
    typer.echo(f"{conversation.number} on {conversation.sent_from}: {standing}, {conversation.unread} unread")
    for each in entries:
        mark = {"in": ">", "out": "<"}.get(str(each["kind"]), "-")
        who = f"{each['who']} {each['by']}".strip()
        status = f" ({each['status']})" if each["status"] else ""
        typer.echo(f"{each['at']} {mark} {who}{status}: {each['text']}")


async def _show(
    which: str, limit: int, app: str | None, data: options.Data
) -> tuple[Conversation, list[dict[str, object]]]:
    async with _at(which, app, data) as (here, owner, public_id):
        now = here.clock()
        async with here.db.connection() as conn:
            found = await inbox.get(conn, owner.app_id, public_id)
            page: list[Entry] = await threads.page(conn, found, before=None, limit=limit, now=now)
    return found, [faces.entry(each, now) for each in reversed(page)]


@commands.command("reply")
def reply(
    which: Which,
    text: Annotated[str | None, typer.Argument(metavar="[TEXT]", help="What to write.")] = None,
    template: Annotated[
        str | None, typer.Option("--template", metavar="NAME", help="An SMS template to write instead.")
    ] = None,
    *,
    key: Annotated[
        str | None, typer.Option("--key", help="The same key again in this conversation sends nothing.")
    ] = None,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Write to the person of a conversation. A flow they are in ends by it."""
    sent = {"text": text, "template": template, "key": key}
    done = desk.run(_reply(which, {name: value for name, value in sent.items() if value is not None}, app, data))
    until = show.when(done.due_at) if done.held else None
    if json:
        show.as_json({"messageId": done.message_id, "heldUntil": until})
    else:
        typer.echo(f"Held by quiet hours until {until}." if until else "On its way.")


async def _reply(which: str, body: dict[str, str], app: str | None, data: options.Data) -> answers.Answered:
    async with _at(which, app, data) as (here, owner, public_id):
        return await answers.answer(here.db, owner, public_id, body, by=_who(), now=here.clock())


@commands.command("assign")
def assign(
    which: Which,
    assignee: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Whose it is; nobody's without.")] = None,
    team: Annotated[str | None, typer.Option("--team", metavar="NAME", help="And which team's.")] = None,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Say whose a conversation is."""
    _change(which, {"assignee": assignee} | ({} if team is None else {"team": team}), app, data, json=json)


@commands.command("close")
def close(which: Which, app: options.App = None, data: options.Data = None, json: options.Json = False) -> None:
    """Close a conversation; the next message of theirs opens it again."""
    _change(which, {"status": "closed"}, app, data, json=json)


@commands.command("note")
def note(
    which: Which,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to keep in mind.")],
    app: options.App = None,
    data: options.Data = None,
) -> None:
    """Keep a note beside the messages; nobody outside is shown it."""
    desk.run(_note(which, text, app, data))
    typer.echo("Kept.")


async def _note(which: str, text: str, app: str | None, data: options.Data) -> None:
    async with _at(which, app, data) as (here, owner, public_id):
        await keeping.note(here.db, owner, public_id, {"text": text}, by=_who(), now=here.clock())


def _change(which: str, body: Mapping[str, object], app: str | None, data: options.Data, *, json: bool) -> None:
    after = desk.run(_changed(which, body, app, data))
    if json:
        show.as_json(_facts(after, numbers=True))
    else:
        whose = after.assignee or "nobody"
        typer.echo(f"{'Open' if after.open else 'Closed'}, assigned to {whose}.")


async def _changed(which: str, body: Mapping[str, object], app: str | None, data: options.Data) -> Conversation:
    async with _at(which, app, data) as (here, owner, public_id):
        return await keeping.change(here.db, owner, public_id, dict(body), by=_who(), now=here.clock())


@contextlib.asynccontextmanager
async def _at(which: str, app: str | None, data: options.Data) -> AsyncGenerator[tuple[Desk, App, str]]:
    """The installation, the app, and the id of the conversation called ``which``. Raises NotFound, Invalid."""
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
            public_id = which
            if not ids.looks_like("cv", which):
                number = phone.normalise(which, field="conversation")
                found = await inbox_pages.page(conn, owner.app_id, Wanted(number=number), skip=0, limit=1)
                if not found:
                    raise NotFound(f"There is no conversation with {number}", field="conversation")
                public_id = found[0].public_id
        yield here, owner, public_id


def _facts(one: Conversation, *, numbers: bool) -> dict[str, object]:
    """A conversation for programs; its words only beside whole numbers."""
    told = faces.record(one) | {"phoneNumber": _shown(one.number, numbers=numbers)}
    return told if numbers else {name: value for name, value in told.items() if name != "preview"}


def _shown(number: str, *, numbers: bool) -> str:
    return number if numbers else phone.mask(number)


def _who() -> str:
    return f"cli:{getpass.getuser()}"
