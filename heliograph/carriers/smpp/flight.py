"""A text on its way: one outcome out of the answers to all its parts.

* all parts accepted: Accepted;
* any part whose fate is unknown: Lost, for the person may have got it;
* some accepted, some refused: Refused for good, with the refusal as reason. What has left is not sent again, and a part
  alone is never sent later: that would be outside the gate, after a stop perhaps;
* all refused: as the refusal says, the most final first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.carriers.base import Deferred, Lost, Refused

if TYPE_CHECKING:
    from asyncio import Future

    from heliograph.carriers.base import Outcome


class Flight:
    """One text of ``parts`` parts; ``answer`` is its future. Parts may be answered in any order, each once."""

    __slots__ = ("_ids", "_left", "_lost", "_refusals", "answer", "fallback")

    def __init__(self, answer: Future[Outcome], parts: int, fallback: str) -> None:
        self.answer = answer
        self.fallback = fallback  # names the text when the message centre gives no id
        self._ids: list[str] = [""] * parts
        self._left = parts
        self._refusals: list[Refused | Deferred] | None = None
        self._lost: str | None = None

    @property
    def several(self) -> bool:
        """Whether it has several parts."""
        return len(self._ids) > 1

    def accepted(self, part: int, message_id: str) -> bool:
        """A part was accepted. True: that was the last answer."""
        self._ids[part] = message_id or f"{self.fallback}-{part + 1}"
        self._left -= 1
        return not self._left

    def refused(self, outcome: Outcome) -> bool:
        """A part was refused. True: that was the last answer."""
        if isinstance(outcome, Refused | Deferred):
            self._refusals = [*(self._refusals or ()), outcome]
        self._left -= 1
        return not self._left

    def lost(self, why: str) -> bool:
        """The answer to a part will not come. True: that was the last."""
        self._lost = why
        self._left -= 1
        return not self._left

    @property
    def ids(self) -> list[str]:
        """The ids of the parts that were accepted."""
        return [each for each in self._ids if each]

    def failure(self) -> Lost | Refused | Deferred | None:
        """What became of it once every part is answered; None: all of it was accepted."""
        if self._lost is not None:
            return Lost(self._lost)
        if not self._refusals:
            return None
        worst = min(self._refusals, key=_finality)
        took = len(self.ids)
        if took:
            detail = f"{took} of {len(self._ids)} parts were accepted before {worst.code}"
            return Refused(f"partly_accepted:{worst.code}", permanent=True, detail=detail)
        return worst

    def settle(self, outcome: Outcome) -> None:
        """Give the outcome; whoever asked may have cancelled it."""
        if not self.answer.done():
            self.answer.set_result(outcome)


def _finality(refusal: Refused | Deferred) -> int:
    """The most final first."""
    if isinstance(refusal, Deferred):
        return 2
    return 0 if refusal.permanent else 1
