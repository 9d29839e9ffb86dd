"""What becomes of one text in the sandbox, drawn from the seed, its number and its message id alone.

No generator is shared between texts: the same text meets the same fate in any order, batch or process.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from struct import Struct
from typing import TYPE_CHECKING

from heliograph.carriers.base import Lost, ReceiptState, Refused

if TYPE_CHECKING:
    from heliograph.carriers.sandbox_behaviour import Behaviour, Settings

FAILURES = ("undeliverable", "expired", "rejected", "unknown_subscriber", "absent_subscriber", "blocked")
"""What a receipt that says FAILED gives as its code; each as likely as the others."""

_DRAWS = Struct("<10I")
_TWO_DRAWS = Struct("<2I")  # of their own, so that who replies changes nobody's fate
_DRAW_SPAN = 2.0**32

Notice = tuple[float, ReceiptState, str]
"""A receipt to come: seconds after the submission, what it says, its code."""


@dataclass(slots=True)
class Fate:
    """One text's way. ``answer`` is None when it is accepted; times are seconds after the submission."""

    answer: Refused | Lost | None
    answered_after: float
    answered_if_accepted: float
    receipts: list[Notice]
    forgiven_after: int  # a temporary refusal is repeated this often; 0: for ever


def of(settings: Settings, number: str, message_id: str) -> Fate:
    """The fate of the text ``message_id`` to ``number``."""
    behaviour = settings.behaviour(number)
    digest = blake2b(f"{settings.seed}/{number}/{message_id}".encode(errors="replace"), digest_size=_DRAWS.size)
    which, latency, *rest = _DRAWS.unpack(digest.digest())
    low, high = behaviour.latency_ms
    after = (low + (high - low) * latency / _DRAW_SPAN) / 1000
    answer = _answer(behaviour, which / _DRAW_SPAN)
    late = settings.answer_timeout_s if isinstance(answer, Lost) else after
    return Fate(answer, late, after, _receipts(behaviour, after, rest), behaviour.temporary_times)


def answer_to(settings: Settings, number: str, message_id: str) -> tuple[float, str] | None:
    """What the person writes back to a text they got, and how many seconds after it; None when they do not."""
    behaviour = settings.behaviour(number)
    if not behaviour.reply:
        return None
    seed = f"{settings.seed}/{number}/{message_id}/reply".encode(errors="replace")
    whether, when = (draw / _DRAW_SPAN for draw in _TWO_DRAWS.unpack(blake2b(seed, digest_size=8).digest()))
    low, high = behaviour.reply_ms
    return ((low + (high - low) * when) / 1000, behaviour.reply_text) if whether < behaviour.reply else None


def line_is_down(settings: Settings, call: int) -> bool:
    """Whether the line breaks under the ``call``-th submission since it was opened."""
    if not settings.down:
        return False
    digest = blake2b(f"{settings.seed}/call/{call}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little") / _DRAW_SPAN < settings.down


def _answer(behaviour: Behaviour, draw: float) -> Refused | Lost | None:
    if draw < (edge := behaviour.refuse):
        return Refused(behaviour.refuse_code, permanent=True, detail="refused by the sandbox")
    if draw < (edge := edge + behaviour.temporary):
        return Refused(behaviour.temporary_code, permanent=False, detail="refused for now by the sandbox")
    if draw < edge + behaviour.lost_answer:
        return Lost("no answer in time")
    return None


def _receipts(behaviour: Behaviour, answered: float, draws: list[int]) -> list[Notice]:
    lost, failed, code, early, delay, twice, twice_delay, stale = (draw / _DRAW_SPAN for draw in draws)
    if lost < behaviour.receipt_lost:
        return []
    low, high = (edge / 1000 for edge in behaviour.receipt_ms)
    first = answered * delay if early < behaviour.receipt_early else answered + low + (high - low) * delay
    state, why = ReceiptState.DELIVERED, ""
    if failed < behaviour.receipt_failed:
        state, why = ReceiptState.FAILED, FAILURES[int(code * len(FAILURES))]
    found: list[Notice] = [(first, state, why)]
    again = first + low + (high - low) * twice_delay
    if twice < behaviour.receipt_duplicate:
        found.append((again, state, why))
    if stale < behaviour.receipt_out_of_order:
        found.append((again, ReceiptState.ACCEPTED, ""))
    return found
