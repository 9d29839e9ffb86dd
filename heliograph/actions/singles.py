"""One text to one person, at once: it goes the way of every text, before all campaigns of its sender."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.actions import flow_book, openings, routes
from heliograph.actions.reruns import AT_ANY_HOUR
from heliograph.actions.runs import OPENING
from heliograph.errors import Conflict, Invalid
from heliograph.rules import body as reading
from heliograph.rules import draft, hours, ids, optout, parts, plain, quiet, template, timing
from heliograph.rules.audience import LeftOut, Person, Planned
from heliograph.rules.flow.session import Session
from heliograph.rules.phone import normalise
from heliograph.rules.sender_body import caller_id
from heliograph.store import (
    app_settings,
    bell,
    chunks,
    contact_fields,
    flow_users,
    outcomes,
    runs,
    sessions,
    singles,
    tallies,
)

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.apps import App
    from heliograph.store.database import Conn, Database
    from heliograph.store.runs import Run

MOST_CHARACTERS = 2000


async def send(db: Database, app: App, body: object, *, now: datetime) -> str:
    """Send one text as the vendor's body asks (``fromNo``, ``toNo``; ours: ``message``, ``transactional``).

    Answers its id, ``msg-…``. A transactional one does not wait for quiet hours to end; any other does.

    Returns once the text is on record; the engine sends it as soon as it may, unless its number is on a global
    do-not-contact list, or its flow says something only after it has asked a service or waited: then it is on record
    as suppressed, and what the flow says later is a text of its own. Raises Invalid, and Conflict when no sender
    serves ``fromNo``.
    """
    sent = reading.mapping(body, "")
    address = caller_id(sent.get("fromNo"), field="fromNo")
    number = normalise(sent.get("toNo"), field="toNo")
    given = None if sent.get("message") is None else _text(sent["message"])
    exempt = draft.transactional(sent)
    async with db.transaction() as conn:
        run = await runs.get(conn, app.app_id, await run_of(conn, app.app_id, address, number, exempt=exempt, now=now))
        last = await runs.reserve(conn, app.app_id, run.run_id, places=1, chunks=1)
        if last is None:
            raise Conflict(f"One-off texts from {address} were ended")
        seq, chunk_no = last
        law = "" if exempt else timing.law_of(number)
        rules = quiet.in_force(run.quiet_hours)
        due_at = timing.next_open(hours.parse(run.calling_hours), "UTC", rules, law, now) or now.replace(year=9999)
        substitutes = (await app_settings.get(conn, app.app_id)).plain_substitutes == plain.Plain.ON
        planned = Planned(given, 0, "UTC", due_at, law)
        opening = await _begin(
            conn, run, planned, address=address, seq=seq, number=number, substitutes=substitutes, now=now
        )
        if opening is not None and opening.later:
            await _leave_to_flow(conn, run, seq=seq, number=number, now=now)
        else:
            told = None if opening is None else opening.said.text
            text = _words(given, substitutes=substitutes) if told is None else told
            size = parts.measure(text).parts
            await singles.insert_message(conn, app.app_id, run.run_id, seq=seq, number=number, text=text, parts=size)
            chunk = chunks.NewChunk(chunk_no, "UTC", law, due_at, seq, seq)
            await chunks.insert(conn, app.app_id, run.run_id, run.sender_ids[0], [chunk])
            await tallies.plan(conn, app.app_id, run.run_id, waiting=1, suppressed=0)
        await bell.ring(conn, "single")
    return ids.message_id(run.public_id, seq)


async def _begin(  # with whom, from where, at which place
    conn: Conn, run: Run, planned: Planned, *, address: str, seq: int, number: str, substitutes: bool, now: datetime
) -> openings.Opening | None:
    """Begin the flow that is attached to ``address``, or else is the app's.

    None where the text is given, there is no such flow, or it waits or ends without a word: that is no flow to begin
    with.
    """
    if planned.text is not None:
        return None
    attached = {optout.address_key(at): flow for at, flow in (await flow_users.of_addresses(conn, run.app_id)).items()}
    flow = attached.get(optout.address_key(address)) or attached.get("*") or await flow_users.default(conn, run.app_id)
    if flow is None:
        return None
    book = await flow_book.load(conn, run.app_id)
    found, flow_id = book(flow, None), book.public_id(flow)
    if found is None or flow_id is None:
        return None
    known = (await contact_fields.newest(conn, run.app_id, [number])).get(number)
    person = (
        Person(0, 0, number, None, {})
        if known is None
        else Person(known.list_id, known.seq, number, None, known.fields)
    )
    session = Session(f"{run.public_id}/{seq}", flow_id, found[0])
    opening = openings.begin(book, session, person, planned, now, substitutes=substitutes)
    if not isinstance(opening, openings.Opening):
        return None
    at = 0 if opening.later else seq
    await sessions.copy_in(conn, run.app_id, run.run_id, [openings.row(at, person, opening, address, now)])
    return opening


async def _leave_to_flow(conn: Conn, run: Run, *, seq: int, number: str, now: datetime) -> None:
    """Put on record that somebody has no text here: the flow asks a service or waits first, and says it later."""
    await singles.insert_message(conn, run.app_id, run.run_id, seq=seq, number=number, text=None, parts=0)
    await outcomes.suppress(conn, run.app_id, run.run_id, [(seq, LeftOut.BY_FLOW.value)], now=now)
    await tallies.plan(conn, run.app_id, run.run_id, waiting=0, suppressed=1)


def _text(raw: object) -> str:
    """The words to send."""
    text = parts.normalise(reading.text(raw, "message", longest=MOST_CHARACTERS))
    if not text.strip():
        raise Invalid("message is blank. It takes the words to send", field="message")
    return text


def _words(given: str | None, *, substitutes: bool) -> str:
    """What is said where no flow says it: without words of the caller's an opening, with nobody's name in it."""
    text = given or template.compile_text(OPENING).render({}, template.parse_missing(None)).text or OPENING
    return plain.simplify(text).text if substitutes else text


async def run_of(conn: Conn, app_id: int, address: str, number: str, *, exempt: bool, now: datetime) -> int:
    """The run of one-off texts from ``address`` through the sender that serves it now, begun when there is none.

    Raises Conflict when no sender serves it, or the panic button holds the one that does.
    """
    route = await routes.find(conn, app_id, address, field="fromNo")
    route = await routes.narrow(conn, app_id, route, number)
    sender_id = route.sender_ids[0]
    found = await singles.find_run(conn, app_id, address, sender_id, transactional=exempt)
    if found is not None:
        return found
    campaign_id = await singles.insert_campaign(
        conn, app_id, ids.new("cd"), address, sender_id, transactional=exempt, now=now
    )
    if campaign_id is None:  # somebody else began it at this moment, and has committed by now
        return await run_of(conn, app_id, address, number, exempt=exempt, now=now)
    run_id = await runs.insert(
        conn,
        app_id=app_id,
        public_id=ids.new("cid"),
        campaign_id=campaign_id,
        route=route,
        caller_id=address,
        template="",
        missing={"rule": "empty", "default": ""},
        calling_hours=AT_ANY_HOUR,
        list_ids=[],
        dnc_list_ids=[],  # this run never ends: the gate asks which lists are global when a text is to leave
        transactional=exempt,
        now=now,
    )
    cursor = runs.Cursor(0, 1, 0)
    await runs.planned(conn, app_id, run_id, cursor, planned_at=now)
    await tallies.open_for(conn, app_id, run_id, [0, sender_id])
    await singles.set_run(conn, app_id, campaign_id, run_id)
    return run_id
