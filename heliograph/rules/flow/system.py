"""The flows that every app has from the start. They can be used and copied, not edited or deleted.

"SMS Support Flow" is the vendor's: somebody checks an order, raises a ticket or asks for one, gets help, or reaches a
person. It asks the support desk that comes along (:mod:`heliograph.rules.demo_support`); a copy of it asks one's own.
Every text is one part in GSM 03.38 with ordinary names and answers in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from heliograph.rules import demo_support, ids
from heliograph.rules.flow import document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heliograph.rules.flow.document import Flow

AGAIN = "Anything else? 1 order, 2 ticket, 3 help, 4 agent, or NO."
DAY = "24h"


def _said(text: str, then: str) -> dict[str, object]:
    return {"type": "send", "text": text, "next": then}


def _heard(then: str) -> dict[str, object]:
    return {"type": "wait", "timeout": DAY, "next": then, "on_timeout": "silent"}


def _asked(kind: str, then: str) -> dict[str, object]:
    return {
        "type": "webhook",
        "url": demo_support.URL,
        "body": {"ask": kind, "text": "{{answer}}"},
        "save": "desk",
        "next": then,
        "failed": "no_desk",
    }


def _found(then: str, otherwise: str) -> dict[str, object]:
    return {
        "type": "branch",
        "on": "{{desk.found}}",
        "cases": [{"only": "yes", "label": "found", "next": then}],
        "otherwise": otherwise,
    }


_ORDER_WORDS = ["order", "orders", "delivery", "parcel", "package"]
_TICKET_WORDS = ["ticket", "problem", "broken", "complaint", "issue"]
_HELP_WORDS = ["question", "returns", "return", "payment", "refund"]
_AGENT_WORDS = ["agent", "human", "person", "somebody", "call"]
_TICKET_NUMBER = r"\bT[- ]?[0-9]{4}\b"

SUPPORT: Mapping[str, object] = {
    "flow": 1,
    "name": "SMS Support Flow",
    "language": "en",
    "expires": "3d",
    "start": "begin",
    "nodes": {
        # Who writes first may have said what they want; a campaign has heard nothing, and welcomes.
        "begin": {
            "type": "branch",
            "cases": [
                {"pattern": _TICKET_NUMBER, "label": "ticket number", "next": "look_up_ticket"},
                {"number": [1000, 99999999], "label": "order number", "next": "look_up_order"},
                {"any_word": _ORDER_WORDS, "label": "order", "next": "which_order"},
                {"any_word": _TICKET_WORDS, "label": "ticket", "next": "what_is_wrong"},
                {"any_word": _AGENT_WORDS, "label": "agent", "next": "agent"},
            ],
            "otherwise": "welcome",
        },
        "welcome": _said(
            "Hello <First Name>, this is our support line. Reply 1 for an order, 2 for a ticket, 3 for help, 4 for an "
            "agent. STOP to end.",
            "menu",
        ),
        "menu": _heard("choice"),
        "choice": {
            "type": "branch",
            "cases": [
                {"pattern": _TICKET_NUMBER, "label": "ticket number", "next": "look_up_ticket"},
                {"number": [1000, 99999999], "label": "order number", "next": "look_up_order"},
                {"any_word": ["1", "one", *_ORDER_WORDS], "label": "order", "next": "which_order"},
                {"any_word": ["2", "two", *_TICKET_WORDS], "label": "ticket", "next": "what_is_wrong"},
                {"any_word": ["3", "three", *_HELP_WORDS], "label": "help", "next": "which_help"},
                {"any_word": ["4", "four", *_AGENT_WORDS], "label": "agent", "next": "agent"},
                {"any_word": ["no", "nothing", "thanks", "thank", "bye", "done"], "label": "no", "next": "goodbye"},
            ],
            "otherwise": "not_understood",
            "max": 2,
            "then": "agent",
        },
        "not_understood": _said(
            "Sorry, we did not get that. Reply 1 for an order, 2 for a ticket, 3 for help, 4 for an agent, or NO.",
            "menu",
        ),
        # orders
        "which_order": _said("What is your order number? It has four digits, such as 1002.", "order"),
        "order": _heard("look_up_order"),
        "look_up_order": _asked("order", "order_found"),
        "order_found": _found("order_told", "order_unknown"),
        "order_told": _said("Order {{desk.number}} {{desk.state}}. " + AGAIN, "menu"),
        "order_unknown": _said("We have no such order. Reply with its four digits, 4 for an agent, or NO.", "menu"),
        # tickets
        "what_is_wrong": _said(
            "Tell us in one message what is wrong, or send the number of a ticket you have, such as T-1002.", "ticket"
        ),
        "ticket": _heard("ticket_kind"),
        "ticket_kind": {
            "type": "branch",
            "cases": [
                {"pattern": _TICKET_NUMBER, "label": "ticket number", "next": "look_up_ticket"},
                {"only": ["4", "agent"], "label": "agent", "next": "agent"},
                {"only": ["no", "nothing"], "label": "no", "next": "goodbye"},
            ],
            "otherwise": "open_ticket",
        },
        "look_up_ticket": _asked("ticket", "ticket_found"),
        "ticket_found": _found("ticket_told", "ticket_unknown"),
        "ticket_told": _said("Ticket {{desk.number}} {{desk.state}}. " + AGAIN, "menu"),
        "ticket_unknown": _said("We have no such ticket. Reply with its number, 4 for an agent, or NO.", "menu"),
        "open_ticket": _asked("open", "ticket_opened"),
        "ticket_opened": _said("Thank you. Your ticket is {{desk.number}}; we look into it today. " + AGAIN, "menu"),
        # help
        "which_help": _said("Reply 5 for delivery, 6 for returns, 7 for payment, 4 for an agent, or NO.", "topic"),
        "topic": _heard("topic_kind"),
        "topic_kind": {
            "type": "branch",
            "cases": [
                {"any_word": ["4", "four", "agent", "human", "person"], "label": "agent", "next": "agent"},
                {"only": ["no", "nothing"], "label": "no", "next": "goodbye"},
            ],
            "otherwise": "look_up_tip",
        },
        "look_up_tip": _asked("tips", "tip_found"),
        "tip_found": _found("tip_told", "not_understood"),
        "tip_told": _said("{{desk.tip}} " + AGAIN, "menu"),
        # ends
        "agent": _said("One moment please: one of us takes over and answers you here.", "hand_over"),
        "no_desk": _said("We cannot look that up right now. One of us will answer you here.", "hand_over"),
        "hand_over": {"type": "handoff", "note": "From the support flow. They last wrote: {{answer}}"},
        "goodbye": _said("You are welcome. Text us any time you need us.", "done"),
        "done": {"type": "end", "result": "helped"},
        "silent": {"type": "end", "result": "no answer"},
    },
}


@dataclass(frozen=True, slots=True)
class SystemFlow:
    """A flow that every app has. ``versions``: every document it ever had, for conversations that began with one."""

    name: str
    description: str
    versions: tuple[Mapping[str, object], ...]

    @property
    def newest(self) -> int:
        """The version that a new conversation gets."""
        return len(self.versions)

    def id_in(self, app_id: str) -> str:
        """Its ``cf-`` id in the app ``app_id`` (``st-…``), the same each time."""
        return ids.named("cf", app_id, self.name.lower())

    def flow(self, version: int | None = None) -> Flow | None:
        """It, read; in its newest version unless another is named. None: there was never such a version."""
        number = self.newest if version is None else version
        return _read(self.name, number) if 0 < number <= self.newest else None


ALL = (
    SystemFlow(
        "SMS Support Flow",
        "Checks an order, raises a ticket or tells how one stands, helps, and hands over to a person",
        (SUPPORT,),
    ),
)


def named(name: str) -> SystemFlow | None:
    """The one of this name, without regard to case, or None."""
    return next((one for one in ALL if one.name.lower() == name.lower()), None)


@lru_cache(maxsize=64)
def _read(name: str, version: int) -> Flow:
    return document.read(next(one for one in ALL if one.name == name).versions[version - 1])
