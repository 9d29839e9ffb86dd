"""What the console says before a verb is done, and after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.errors import IllegalMove
from heliograph.rules import campaign as law
from heliograph.rules import draft
from heliograph.rules.campaign import UNDER_WAY, CampaignStatus, Verb
from heliograph.rules.wording import are, counted, people, were
from heliograph.web.kit import Sure

if TYPE_CHECKING:
    from heliograph.store.overview import Standing
    from heliograph.store.tallies import Ledger

VERBS = {  # as the console's addresses name them
    "start": Verb.PLAY,
    "resume": Verb.RESUME,
    "pause": Verb.PAUSE,
    "stop": Verb.STOP,
    "delete": Verb.DELETE,
    "retry": Verb.RETRY,
    "emergency": Verb.EMERGENCY,
}

_SCHEDULED = frozenset({CampaignStatus.SCHEDULED, CampaignStatus.RESCHEDULED})


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked before a verb is done, in words."""

    title: str
    sentences: tuple[str, ...]
    button: str
    keep: str
    dangerous: bool
    text: str = ""


def allowed(status: CampaignStatus) -> tuple[str, ...]:
    """The verbs that the law allows from a status, in the console's words."""
    return tuple(word for word, verb in VERBS.items() if (status, verb) in law.MOVES)


def sure(word: str, standing: Standing) -> Sure:
    """What will happen if the verb is done now, or why the status does not allow it."""
    verb = VERBS[word]
    own = f"/console/{standing.app_public_id}/campaigns/{standing.public_id}"
    at = f"{own}/{word}"
    try:
        law.after(standing.status, verb, name=standing.name)
    except IllegalMove as error:
        return Sure(standing.name, (), "", at, own, refused=error.message, live=at)
    asked = _QUESTIONS[verb](standing)
    return Sure(
        asked.title,
        asked.sentences,
        asked.button,
        at,
        own,
        dangerous=asked.dangerous,
        keep=asked.keep,
        text=asked.text,
        live=at,
    )


def _start(standing: Standing) -> Question:
    lists = ", ".join(standing.list_names)
    first = (
        f"Everybody on {lists} is texted from {standing.caller_id}: {counted(standing.contacts, 'contact')}, "
        "each number once, except those who must not be contacted."
    )
    whom = [first if standing.contacts else f"Nobody would be texted: {lists} has no contacts yet."]
    if standing.carrier == "sandbox":
        whom.append("It last went through the sandbox carrier: no phone rang.")
    if standing.run_id is not None:
        again = standing.ledger.sent
        whom.append(f"This is a new run over everybody, {people(again)} texted by the last one included.")
    whom.append("Texts leave within a second, to each person only in the campaign's hours where they are.")
    text = draft.message_text(standing.message) or ""
    return Question(f"Start {standing.name}?", tuple(whom), "Start now", "Not now", dangerous=False, text=text)


def _pause(standing: Standing) -> Question:
    waiting = standing.ledger.held + standing.ledger.ready
    sentences = (
        f"Not one more text leaves until it is resumed: {people(waiting)} still waiting {are(waiting)} kept waiting.",
        "Resuming carries on with exactly those not yet texted.",
    )
    return Question(f"Pause {standing.name}?", sentences, "Pause now", "Keep it running", dangerous=False)


def _resume(standing: Standing) -> Question:
    waiting = standing.ledger.held + standing.ledger.ready
    sentences = (
        f"It carries on with {people(waiting)} not yet texted; nobody is texted again.",
        "Texts leave within a second, to each person only in the campaign's hours where they are.",
    )
    return Question(f"Resume {standing.name}?", sentences, "Resume now", "Keep it paused", dangerous=False)


def _stop(standing: Standing) -> Question:
    again = "Starting it again later is a new run over everybody on its lists, those already texted included."
    return Question(
        f"Stop {standing.name}?", (*_what_a_stop_does(standing), again), "Stop now", "Keep it running", dangerous=True
    )


def _delete(standing: Standing) -> Question:
    sentences: tuple[str, ...] = ()
    if standing.status in UNDER_WAY | _SCHEDULED:
        sentences = (f"It is {standing.status.value}, so it is stopped first.", *_what_a_stop_does(standing))
    then = "Then nobody" if sentences else "Nobody"
    sent = standing.ledger.sent
    kept = f" The {counted(sent, 'text')} that left stay in the ledger, for receipts and audit." if sent else ""
    gone = f"{then} finds it any more, here or in the API, and its name is free.{kept}"
    sentences += (gone, "This cannot be undone.")
    return Question(f"Delete {standing.name}?", sentences, "Delete for good", "Keep it", dangerous=True)


def _retry(standing: Standing) -> Question:
    failed, expired = standing.ledger.failed, standing.ledger.expired
    first = f"The last run failed with {people(failed)}, and ended before {people(expired)} had their turn."
    sentences = (
        f"{first} A new run texts these, and nobody else.",
        "Nobody who got a text, or may have got one, gets another. Hours and do-not-contact lists count as ever.",
    )
    return Question("Text again those it failed with?", sentences, "Text them", "Not now", dangerous=False)


def _emergency(standing: Standing) -> Question:
    lists = ", ".join(standing.list_names)
    first = f"Everybody on {lists} is texted at once, at whatever hour it is where they are, before every other text."
    sentences = (
        first,
        "Whoever is on a do-not-contact list or said no is left out as ever. It cannot be paused, only stopped.",
        "A schedule that it has is switched off.",
    )
    text = draft.message_text(standing.message) or ""
    title = f"Start {standing.name} as an emergency?"
    return Question(title, sentences, "Start as an emergency", "Not now", dangerous=True, text=text)


_QUESTIONS: dict[Verb, Callable[[Standing], Question]] = {
    Verb.PLAY: _start,
    Verb.RESUME: _resume,
    Verb.PAUSE: _pause,
    Verb.STOP: _stop,
    Verb.DELETE: _delete,
    Verb.RETRY: _retry,
    Verb.EMERGENCY: _emergency,
}


def _what_a_stop_does(standing: Standing) -> tuple[str, ...]:
    if standing.status in _SCHEDULED:
        return ("It does not start by itself any more.",)
    ledger = standing.ledger
    waiting = ledger.held + ledger.ready
    first = f"Not one more text leaves: {people(waiting)} still waiting {are(waiting)} not texted."
    if waiting == 0:
        first = "Not one more text leaves; nobody is waiting."
    if standing.unread:
        first += f" Nor are those among up to {counted(standing.unread, 'contact')} of its lists not read yet."
    left = ledger.sent + ledger.failed + ledger.unknown + ledger.submitting
    return (first, f"What left already, for {people(left)}, cannot be called back.") if left else (first,)


def done(word: str, before: Standing, ledger: Ledger) -> str:
    """What a verb has done, for the status line. ``ledger``: the numbers of the run after it."""
    if VERBS[word] is Verb.RETRY:
        again = before.ledger.failed + before.ledger.expired
        return f"Started {before.name} over {people(again)} whom the last run failed with."
    if VERBS[word] in (Verb.PLAY, Verb.EMERGENCY):
        how = " as an emergency" if VERBS[word] is Verb.EMERGENCY else ""
        return f"Started {before.name}{how}: {counted(before.contacts, 'contact')} to go through."
    waiting = ledger.held + ledger.ready
    if VERBS[word] is Verb.PAUSE:
        return f"Paused {before.name}. {people(waiting).capitalize()} {are(waiting)} kept waiting."
    if VERBS[word] is Verb.RESUME:
        return f"Resumed {before.name} with {people(waiting)} not yet texted."
    if before.status not in UNDER_WAY:
        return f"{'Stopped' if VERBS[word] is Verb.STOP else 'Deleted'} {before.name}."
    dropped = f"{people(ledger.expired).capitalize()} {were(ledger.expired)} not texted."
    if before.unread:
        dropped += " Nor was whoever had not been read from its lists yet."
    if ledger.submitting:
        dropped += f" {ledger.submitting:,} had left in that very moment; their answers are awaited."
    return f"{'Stopped' if VERBS[word] is Verb.STOP else 'Stopped and deleted'} {before.name}. {dropped}"
