"""Giving people of a run another time to be texted at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast

from heliograph.errors import Invalid, NotFound, TooLarge
from heliograph.rules import body as reading
from heliograph.rules import ids
from heliograph.store import audience as members
from heliograph.store import bell, chunks, messages, runs

if TYPE_CHECKING:
    from heliograph.store.apps import App
    from heliograph.store.database import Conn, Database
    from heliograph.store.runs import Run

MOST = 1000  # people in one call


@dataclass(frozen=True, slots=True)
class Retimed:
    """What became of one wish. ``reason`` is empty when it was granted."""

    person: str
    reason: str = ""


async def call_contacts_at(db: Database, app: App, run_id: str, body: object, *, now: datetime) -> list[Retimed]:
    """Let people of the run ``run_id`` (``cid-…``) wait until another time each; answers what became of each wish.

    The body is the vendor's ``[{"campaignDialingListId", "timeToContact"}]``; the first names a person by a
    message id (``msg-…``), a contact id (``cc-…``) or a number. Reasons: ``invalid_time``, ``time_in_past``,
    ``not_found``, ``run_ended``, ``already_sent``. Calling hours count at the new time as at any. Raises
    Invalid for a body of another shape, NotFound for a run this app does not have.
    """
    wishes = _wishes(body)
    async with db.transaction() as conn:
        run = await runs.find_public(conn, app.app_id, run_id)
        if run is None or run.kind != "campaign":
            raise NotFound(f"There is no run {run_id} in this app", field="campaignInstanceId")
        done = [Retimed(person, await _retime(conn, run, person, time, now)) for person, time in wishes]
        await bell.ring(conn, "retimed")
    return done


def _wishes(body: object) -> list[tuple[str, object]]:
    if not isinstance(body, list):
        raise Invalid(f"The body is {reading.shown(body)}. It takes an array of objects")
    if len(cast("list[object]", body)) > MOST:
        raise TooLarge(f"The body names more than {MOST} people. It takes so many in one call")
    wishes: list[tuple[str, object]] = []
    for number, entry in enumerate(cast("list[object]", body)):
        wish = reading.mapping(entry, f"[{number}]")
        field = f"[{number}].campaignDialingListId"
        wishes.append((reading.text(wish.get("campaignDialingListId"), field, longest=100), wish.get("timeToContact")))
    return wishes


async def _retime(conn: Conn, run: Run, person: str, time: object, now: datetime) -> str:
    """Move one person to the time wished for; answers why not, or nothing."""
    due_at = _instant(time)
    if due_at is None:
        return "invalid_time"
    if due_at <= now:
        return "time_in_past"
    found = await _find(conn, run, person)
    if found is None:
        return "not_found"
    return await _move(conn, run, found, due_at)


async def _move(conn: Conn, run: Run, found: messages.Place, due_at: datetime) -> str:
    """Let a message wait in a chunk of its own; answers why not, or nothing."""
    left = await chunks.move_out(conn, run.app_id, run.run_id, found.place)
    last = None if left is None else await runs.reserve(conn, run.app_id, run.run_id, places=1, chunks=1)
    if left is None or last is None:
        return "already_sent" if run.ended_at is None else "run_ended"
    place, chunk_no = last
    move = messages.Move(found.seq, found.place, place, found.attempts)
    await messages.requeue(conn, run.app_id, run.run_id, [move])
    chunk = chunks.NewChunk(chunk_no, left.zone, left.law, due_at, place, place)
    await chunks.insert(conn, run.app_id, run.run_id, left.sender_id, [chunk])
    return ""


async def _find(conn: Conn, run: Run, person: str) -> messages.Place | None:
    named = ids.parse_message_id(person)
    if named is not None:
        return (
            await messages.find_place(conn, run.app_id, run.run_id, seq=named[1]) if named[0] == run.public_id else None
        )
    contact = ids.parse_contact_id(person)
    number = await members.find_number(conn, run.app_id, *contact) if contact else person
    return None if number is None else await messages.find_place(conn, run.app_id, run.run_id, number=number)


def _instant(raw: object) -> datetime | None:
    """An ISO 8601 instant with its zone, or None."""
    if not isinstance(raw, str):
        return None
    try:
        found = datetime.fromisoformat(raw)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
