"""A small support desk to talk to: fictional orders, tickets and tips, the same whoever asks and whenever.

The system flow asks it (:mod:`heliograph.rules.flow.system`), and it answers over HTTP too, so that a copy of that
flow can be pointed at it before it is pointed at a desk of one's own. It remembers nothing: a ticket's number is made
from its words.
"""

from __future__ import annotations

import re
import zlib

from heliograph.errors import Invalid
from heliograph.rules import body

URL = "demo:support"
"""Where a flow's webhook finds it: no address of a network, so nothing is connected to."""

ASKED = ("order", "ticket", "open", "tips")
LONGEST = 2000  # characters of what a person wrote
NEW_TICKETS = 2000  # tickets from this number on were opened by somebody who asked

_ORDERS = {
    "1001": "was delivered yesterday",
    "1002": "is on its way and arrives tomorrow",
    "1003": "is being packed and leaves today",
    "1004": "waits for your payment",
    "1005": "was returned; your refund is on its way",
}
_TICKETS = {
    "1001": "is open: somebody will look into it today",
    "1002": "is being worked on",
    "1003": "waits for your answer by email",
    "1004": "is solved",
}
_TIPS = (
    (
        ("5", "delivery", "deliver", "parcel", "shipping"),
        "A parcel takes two to four days; its order number tells more.",
    ),
    (("6", "return", "returns", "refund"), "Returns are free for 30 days: put the slip in the box and post it."),
    (("7", "payment", "pay", "card", "invoice"), "You can pay by card or invoice; both are under My account."),
)
_ORDER = re.compile(r"(?<![\d-])\d{4,8}(?!\d)")
_TICKET = re.compile(r"\bT[- ]?(\d{4,8})\b", re.IGNORECASE)


def answer(asked: object) -> dict[str, object]:
    """What the desk answers to ``{"ask": "order" | "ticket" | "open" | "tips", "text": what the person wrote}``.

    ``found`` is yes or no; with yes come ``number`` and ``state`` (an order, a ticket, one just opened) or ``tip``.
    Raises :class:`Invalid` for anything else that is asked.
    """
    sent = body.mapping(asked, "")
    kind = sent.get("ask")
    if kind not in ASKED:
        raise Invalid(f"ask is {body.shown(kind)}. It takes one of: {', '.join(ASKED)}", field="ask")
    text = body.text(sent.get("text"), "text", longest=LONGEST)
    match kind:
        case "order":
            return _order(text)
        case "ticket":
            return _ticket(text)
        case "open":
            return _opened(text)
        case _:
            return _tip(text)


def _order(text: str) -> dict[str, object]:
    found = _ORDER.search(text)
    number = found[0] if found else ""
    return _told(number, _ORDERS.get(number))


def _ticket(text: str) -> dict[str, object]:
    found = _TICKET.search(text)
    number = found[1] if found else ""
    state = _TICKETS.get(number)
    if state is None and number.isdecimal() and int(number) >= NEW_TICKETS:
        state = _TICKETS["1001"]
    return _told(f"T-{number}" if number else "", state)


def _opened(text: str) -> dict[str, object]:
    """A new ticket. The same words make the same ticket: a call that is repeated opens no second one."""
    number = NEW_TICKETS + zlib.crc32(text.encode()) % (10_000 - NEW_TICKETS)
    return _told(f"T-{number}", _TICKETS["1001"])


def _tip(text: str) -> dict[str, object]:
    words = set(re.findall(r"\w+", text.lower()))
    tip = next((tip for asked, tip in _TIPS if words & set(asked)), None)
    return {"found": "no"} if tip is None else {"found": "yes", "tip": tip}


def _told(number: str, state: str | None) -> dict[str, object]:
    return {"found": "no", "number": number} if state is None else {"found": "yes", "number": number, "state": state}
