"""The command that tells the whole story of a message, a number or a campaign."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

import typer

from heliograph.actions import stories
from heliograph.actions.stories import MessageStory, NumberStory
from heliograph.cli import desk, options, show, standing
from heliograph.cli import why as causes
from heliograph.rules import phone, timing
from heliograph.rules import why as law
from heliograph.store import outcomes
from heliograph.store.outcomes import Reason
from heliograph.store.overview import Standing

NUMBER = re.compile(r"[+(]?[\d\s().\-]{5,}")

What = Annotated[
    str, typer.Argument(metavar="MSG-ID|NUMBER|CAMPAIGN", help="A message's id, a number, or a campaign's id or name.")
]


def explain(
    what: What,
    *,
    numbers: options.Numbers = False,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Tell the whole story of a message, of all messages to a number, or of a campaign.

    Of a number it also says whether a campaign would text it now, and why not.
    """
    if what.startswith("msg-"):
        one = desk.run(_message(what, app, data))
        _print_message(one, numbers=numbers, json=json)
    elif NUMBER.fullmatch(what):
        _print_number(desk.run(_number(what, app, data)), numbers=numbers, json=json)
    else:
        _explain_campaign(what, app, data, json=json)


async def _message(message_id: str, app: str | None, data: options.Data) -> MessageStory:
    async with desk.opened(data) as here, here.db.connection() as conn:
        owner = await desk.find_app(conn, app)
        return await stories.of_message(conn, owner, message_id, here.clock())


async def _number(number: str, app: str | None, data: options.Data) -> NumberStory:
    async with desk.opened(data) as here, here.db.connection() as conn:
        owner = await desk.find_app(conn, app)
        return await stories.of_number(conn, owner, number, here.clock())


def _explain_campaign(ref: str, app: str | None, data: options.Data, *, json: bool) -> None:
    found, reasons, now = desk.run(_campaign(ref, app, data))
    told = law.causes(found.facts, now)
    ledger = {word: getattr(found.ledger, word) for word in (*standing.WORDS, "total")}
    if json:
        facts = {"id": found.public_id, "status": found.status.value, "causes": [causes.facts(c, now) for c in told]}
        show.as_json(
            facts | {"ledger": ledger, "zones": found.zones._asdict(), "reasons": [one._asdict() for one in reasons]}
        )
        return
    typer.echo(f"{found.name} is {found.status.value}.")
    for sentence in causes.sentences(told, now):
        typer.echo(sentence)
    if zoned := timing.told(found.zones):
        typer.echo(zoned)
    show.facts(ledger.items())
    if reasons:
        typer.echo("for these reasons:")
        show.facts((f"  {one.status}: {one.reason}", f"{one.people:,}") for one in reasons)


async def _campaign(ref: str, app: str | None, data: options.Data) -> tuple[Standing, list[Reason], datetime]:
    found, now = await causes.look(ref, app, data)
    if found.run_id is None:
        return found, [], now
    async with desk.opened(data) as here, here.db.connection() as conn:
        owner = await desk.find_app(conn, app)
        return found, await outcomes.count_reasons(conn, owner.app_id, found.run_id), now


def _print_message(one: MessageStory, *, numbers: bool, json: bool) -> None:
    if json:
        show.as_json(_facts(one, numbers=numbers))
        return
    typer.echo(f"{one.message_id} to {_shown(one.message.number, numbers=numbers)}: {one.status}{_because(one.why)}")
    typer.echo(f"  {one.message.text}")
    for event in one.events:
        typer.echo(f"{_at(event.at)}  {event.what.value:<16} {_masked(event.words, one, numbers=numbers)}")


def _print_number(found: NumberStory, *, numbers: bool, json: bool) -> None:
    if json:
        told = [_facts(one, numbers=numbers) for one in found.messages]
        shown = _shown(found.number, numbers=numbers)
        would = {"number": shown, "wouldBeTexted": found.would_be_texted, "because": _hide(found, numbers=numbers)}
        show.as_json(would | {"conversations": found.talks, "messages": told})
        return
    answer = "" if found.would_be_texted else "no: "
    typer.echo(
        f"{_shown(found.number, numbers=numbers)}. Would it be texted now? {answer}{_hide(found, numbers=numbers)}."
    )
    for each in found.talks:
        typer.echo(each)
    for one in found.messages:
        last = one.message.settled_at or one.message.submitted_at or one.message.started_at
        typer.echo(f"{_at(last)}  {one.status:<11} {one.message_id} of {one.message.campaign_name}{_because(one.why)}")
    if not found.messages:
        typer.echo("It was never on a run.")


def _facts(one: MessageStory, *, numbers: bool) -> dict[str, object]:
    return {
        "messageId": one.message_id,
        "number": _shown(one.message.number, numbers=numbers),
        "campaign": one.message.campaign_name,
        "runId": one.message.run_public_id,
        "text": one.message.text,
        "parts": one.message.parts,
        "status": one.status,
        "why": one.why,
        "events": [
            {"at": show.when(e.at), "what": e.what.value, "words": _masked(e.words, one, numbers=numbers)}
            for e in one.events
        ],
    }


def _shown(number: str, *, numbers: bool) -> str:
    if not number:
        return "a number that is kept no longer"
    return number if numbers else phone.mask(number)


def _masked(words: str, one: MessageStory, *, numbers: bool) -> str:
    """A do-not-contact entry names the number it is for."""
    return (
        words
        if numbers or not one.message.number
        else words.replace(one.message.number, phone.mask(one.message.number))
    )


def _hide(found: NumberStory, *, numbers: bool) -> str:
    return found.because if numbers else found.because.replace(found.number, phone.mask(found.number))


def _because(why: str) -> str:
    return f" ({why})" if why else ""


def _at(moment: datetime | None) -> str:
    return (show.when(moment) or "").ljust(len("2026-03-02T06:00:00.000Z"))
