"""Why somebody got no text, as the console says it."""

from __future__ import annotations

from heliograph.rules.audience import LeftOut
from heliograph.rules.preview import DUPLICATE

WORDS: dict[str, str] = {
    DUPLICATE: "The number stands on the lists more than once; one text is enough",
    LeftOut.DO_NOT_CONTACT: "Said no, or is on a do-not-contact list",
    LeftOut.FILTERED: "The campaign's filters are for others",
    LeftOut.MISSING_VALUE: "A placeholder has no value for them",
    LeftOut.EMPTY_TEXT: "Nothing is left of the text once it is filled in",
    LeftOut.BY_FLOW: "The flow asks a service or waits first; what it says then leaves as a follow-up",
    LeftOut.TOO_LONG: "The text gets longer than one message can be",
    LeftOut.FREQUENCY_CAP: "Got as many texts lately as the app allows",
    LeftOut.GOT_CAMPAIGN: "Got another campaign that this one leaves out the readers of",
    LeftOut.HELD_OUT: "Held out, to compare the others with",
    LeftOut.NEVER_OPEN: "Calling hours and the law are never open together where they are",
    "no_common_window": "Calling hours and the law are never open together where they are",
    "stopped": "The run was stopped before their turn came",
    "accepted_by_person": "Taken for sent by a person",
    "sent_again": "Sent again as another message",
    "never_arrived": "The carrier never got it",
}


def words(reason: str) -> str:
    """A reason in words; of a carrier's own code that code, and of one with a detail behind it both."""
    if reason in WORDS:
        return WORDS[reason]
    kind, _, detail = reason.partition(":")
    if kind in WORDS and detail:
        return f"{WORDS[kind]} ({detail.strip()})"
    if not reason:
        return "No reason was given"
    return reason if " " in reason else reason.replace("_", " ") if reason.islower() else f"Code {reason}"
