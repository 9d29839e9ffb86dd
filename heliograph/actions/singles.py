"""One text to one person, at once: it goes the way of every text, before all campaigns of its sender."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.actions import routes
from heliograph.actions.reruns import AT_ANY_HOUR
from heliograph.actions.runs import OPENING
from heliograph.errors import Conflict, Invalid
from heliograph.rules import body as reading
from heliograph.rules import draft, hours, ids, parts, plain, quiet, template, timing
from heliograph.rules.phone import normalise
from heliograph.rules.sender_body import caller_id
from heliograph.store import app_settings, bell, chunks, runs, singles, tallies

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.store.apps import App
    from heliograph.store.database import Conn, Database

MOST_CHARACTERS = 2000


async def send(db: Database, app: App, body: object, *, now: datetime) -> str:
    """Send one text as the vendor's body asks (``fromNo``, ``toNo``; ours: ``message``, ``transactional``).

    Answers its id, ``msg-…``. A transactional one does not wait for quiet hours to end; any other does.

    Returns once the text is on record; the engine sends it as soon as it may, unless its number is on a global
    do-not-contact list: then it is on record as suppressed. Raises Invalid, and Conflict when no sender
    serves ``fromNo``.
    """
    sent = reading.mapping(body, "")
    address = caller_id(sent.get("fromNo"), field="fromNo")
    number = normalise(sent.get("toNo"), field="toNo")
    text = _text(sent.get("message"))
    exempt = draft.transactional(sent)
    async with db.transaction() as conn:
        run = await runs.get(conn, app.app_id, await run_of(conn, app.app_id, address, number, exempt=exempt, now=now))
        last = await runs.reserve(conn, app.app_id, run.run_id, places=1, chunks=1)
        if last is None:
            raise Conflict(f"One-off texts from {address} were ended")
        seq, chunk_no = last
        text = plain.apply(text, plain.Plain((await app_settings.get(conn, app.app_id)).plain_substitutes))
        size = parts.measure(text).parts
        await singles.insert_message(conn, app.app_id, run.run_id, seq=seq, number=number, text=text, parts=size)
        law = "" if exempt else timing.law_of(number)
        rules = quiet.in_force(run.quiet_hours)
        due_at = timing.next_open(hours.parse(run.calling_hours), "UTC", rules, law, now) or now.replace(year=9999)
        chunk = chunks.NewChunk(chunk_no, "UTC", law, due_at, seq, seq)
        await chunks.insert(conn, app.app_id, run.run_id, run.sender_ids[0], [chunk])
        await tallies.plan(conn, app.app_id, run.run_id, waiting=1, suppressed=0)
        await bell.ring(conn, "single")
    return ids.message_id(run.public_id, seq)


def _text(raw: object) -> str:
    """The words to send: the caller's, else the opening of a conversation with nobody's name in it."""
    if raw is None:
        opening = template.compile_text(OPENING).render({}, template.parse_missing(None))
        return opening.text or OPENING
    text = parts.normalise(reading.text(raw, "message", longest=MOST_CHARACTERS))
    if not text.strip():
        raise Invalid("message is blank. It takes the words to send", field="message")
    return text


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
