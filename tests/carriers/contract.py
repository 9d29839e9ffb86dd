"""What every carrier promises, as data. A carrier joins by adding a Rig to ``rigs.RIGS``.

A case says how the far side behaves (a Script), which texts are handed over, and what must come back. The same cases
run against every rig: a rig's whole work is to make its far side follow the script. What a carrier cannot do by its
nature it names in ``lacks``, with the reason; a case that needs it is skipped with these words, and nothing else is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from heliograph.carriers.base import (
    Accepted,
    Carrier,
    Deferred,
    LineState,
    Lost,
    Outcome,
    Receipt,
    ReceiptState,
    Refused,
    Reply,
    Text,
)

SENDER = "+15555550100"
SECRET = "correct-horse-battery-staple"
"""What a rig uses wherever its carrier takes a password or a key."""

GUARD = 60.0
"""Seconds after which a case counts as hanging; nothing is measured by it."""


class Can(StrEnum):
    """What a carrier may be unable to do by its nature."""

    ORDER = "texts reach the far side in the order of submission"
    THROTTLE = "the far side says that it is asked too fast"
    REFUSE_FOR_NOW = "the far side refuses a text for now"
    EARLY = "a receipt may come before the answer"
    STALE = "the far side tells that the network has a text, apart from its answer"
    CREDENTIALS = "the far side refuses our credentials"
    REPLIES = "people can write back"
    LAST_WORDS = "what the far side still says while the line closes is heard through the line"
    ASK = "the far side can be asked what became of a text"


class Answer(StrEnum):
    """What the far side says to a text."""

    TAKES = "takes"
    REFUSES = "refuses for good"
    REFUSES_FOR_NOW = "refuses for now"
    IS_SILENT = "takes it and never answers"
    CUTS = "takes it and cuts the line instead of answering"


class Later(StrEnum):
    """What the far side says on its own about a text it took."""

    NOTHING = "nothing"
    DELIVERED = "delivered"
    FAILED = "failed"
    TWICE = "delivered, twice"
    STALE = "delivered, then an older word"
    EARLY = "delivered, before the answer"
    REPLIES = "nothing; but the person writes back"


WRITTEN = "Stop, señor! 🛑"
"""What a person writes back."""


@dataclass(frozen=True, slots=True)
class Script:
    """How the far side behaves: by number, and the line as a whole."""

    answers: Mapping[str, Answer] = field(default_factory=dict[str, Answer])  # TAKES for the others
    later: Mapping[str, Later] = field(default_factory=dict[str, Later])  # NOTHING for the others
    parts_per_second: int | None = None
    down: bool = False  # nobody can be reached
    refuses_us: bool = False  # our credentials are wrong


class Ear:
    """A listener that remembers, and says when it has heard enough."""

    def __init__(self) -> None:
        self.heard: list[Receipt] = []
        self.written: list[Reply] = []
        self.lines: list[tuple[LineState, str]] = []
        self._news = asyncio.Event()

    def receipts(self, receipts: Sequence[Receipt], /) -> None:
        self.heard.extend(receipts)
        self._news.set()

    def replies(self, replies: Sequence[Reply], /) -> asyncio.Future[None] | None:
        self.written.extend(replies)
        self._news.set()

    def line(self, state: LineState, words: str, /) -> None:
        self.lines.append((state, words))
        self._news.set()

    async def hear(self, least: int, seconds: float = GUARD) -> list[Receipt]:
        async with asyncio.timeout(seconds):
            while len(self.heard) < least:
                self._news.clear()
                await self._news.wait()
        return self.heard

    async def read(self, least: int) -> list[Reply]:
        async with asyncio.timeout(GUARD):
            while len(self.written) < least:
                self._news.clear()
                await self._news.wait()
        return self.written

    async def stands(self, state: LineState) -> str:
        """Wait until the line stands so; the words that came with it."""
        async with asyncio.timeout(GUARD):
            while not self.lines or self.lines[-1][0] is not state:
                self._news.clear()
                await self._news.wait()
        return self.lines[-1][1]


class DeafEar:
    """A listener with a fault whose message holds what no log may."""

    def __init__(self) -> None:
        self.calls = 0

    def receipts(self, receipts: Sequence[Receipt], /) -> None:
        self._fail(receipts)

    def replies(self, replies: Sequence[Reply], /) -> None:
        self._fail(replies)

    def line(self, state: LineState, words: str, /) -> None:
        self._fail((state, words))

    def _fail(self, said: object) -> None:
        self.calls += 1
        raise RuntimeError(f"cannot take {said} for {SENDER}, {SECRET}")


class Rig(Protocol):
    """A carrier with a far side that follows a script. ``folder`` is the test's own.

    A far side that calls webhooks has its calls verified and read by the kind's Webhook, and passes what they say to
    the listener: :func:`tests.carriers.hooks.deliver` does that as the server would.
    """

    name: str
    lacks: Mapping[Can, str]

    async def open(self, script: Script, listener: Ear | DeafEar, folder: Path) -> Carrier:
        """A line to a far side that follows ``script``; may raise CarrierDown for one that is down or refuses us.

        Answers that never come are given up within a second or so.
        """
        ...

    def record(self) -> list[tuple[str, str]]:
        """What the far side took, in order: (number, text)."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Case:
    """``outcomes``: by number, what must come back; ``receipts``: by number, what must be heard, in order."""

    name: str
    script: Script
    outcomes: dict[str, type[Outcome]]
    taken: tuple[str, ...]
    permanent: bool | None = None
    receipts: dict[str, tuple[ReceiptState, ...]] = field(default_factory=dict[str, tuple[ReceiptState, ...]])
    replies: tuple[str, ...] = ()
    needs: tuple[Can, ...] = ()


A, B, C, D = "+15555550101", "+447700900102", "+61491570156", "+33639980104"
NUMBERS = (A, B, C, D)
_DELIVERED, _FAILED, _OLDER = ReceiptState.DELIVERED, ReceiptState.FAILED, ReceiptState.ACCEPTED


def _all(outcome: type[Outcome], **others: type[Outcome]) -> dict[str, type[Outcome]]:
    return dict.fromkeys(NUMBERS, outcome) | {globals()[name]: other for name, other in others.items()}


CASES = (
    Case("takes every text", Script(), _all(Accepted), NUMBERS),
    Case(
        "refuses one number for good",
        Script(answers={B: Answer.REFUSES}),
        _all(Accepted, B=Refused),
        NUMBERS,
        permanent=True,
    ),
    Case(
        "refuses one number for now",
        Script(answers={C: Answer.REFUSES_FOR_NOW}),
        _all(Accepted, C=Refused),
        NUMBERS,
        permanent=False,
        needs=(Can.REFUSE_FOR_NOW,),
    ),
    Case("never answers one text", Script(answers={A: Answer.IS_SILENT}), _all(Accepted, A=Lost), NUMBERS),
    Case(
        "answers each text by itself",
        Script(answers={A: Answer.REFUSES, C: Answer.IS_SILENT, D: Answer.REFUSES}),
        {A: Refused, B: Accepted, C: Lost, D: Refused},
        NUMBERS,
        permanent=True,
    ),
    Case(
        "throttles what is too much for a second",
        Script(parts_per_second=2),
        {A: Accepted, B: Accepted, C: Deferred, D: Deferred},
        (A, B),
        needs=(Can.THROTTLE,),
    ),
    Case(
        "tells what became of a text",
        Script(later={A: Later.DELIVERED, B: Later.FAILED}),
        _all(Accepted),
        NUMBERS,
        receipts={A: (_DELIVERED,), B: (_FAILED,)},
    ),
    Case(
        "passes on what comes twice",
        Script(later={A: Later.TWICE}),
        _all(Accepted),
        NUMBERS,
        receipts={A: (_DELIVERED, _DELIVERED)},
    ),
    Case(
        "passes on an older word as it came",
        Script(later={B: Later.STALE}),
        _all(Accepted),
        NUMBERS,
        receipts={B: (_DELIVERED, _OLDER)},
        needs=(Can.STALE,),
    ),
    Case(
        "passes on what comes early",
        Script(later={C: Later.EARLY}),
        _all(Accepted),
        NUMBERS,
        receipts={C: (_DELIVERED,)},
        needs=(Can.EARLY,),
    ),
    Case(
        "passes on what people write",
        Script(later={A: Later.REPLIES, C: Later.REPLIES}),
        _all(Accepted),
        NUMBERS,
        replies=(A, C),
        needs=(Can.REPLIES,),
    ),
)


def texts(numbers: Sequence[str] = NUMBERS, *, parts: int = 1) -> list[Text]:
    """A text for each number, with words of its own."""
    labels = {"campaignId": "cd-1", "runId": "cid-1"}
    return [
        Text(f"msg-{place}", SENDER, number, f"Your code is {number[-4:]}, señora", parts, labels)
        for place, number in enumerate(numbers, 1)
    ]


async def answers(futures: Sequence[asyncio.Future[Outcome]], seconds: float = GUARD) -> list[Outcome]:
    """What the futures end in, in their order."""
    async with asyncio.timeout(seconds):
        return [await future for future in futures]


async def recorded(rig: Rig, least: int) -> list[tuple[str, str]]:
    """What the far side took, once that is so many texts: bytes that have left still have to arrive."""
    async with asyncio.timeout(GUARD):
        while len(rig.record()) < least:
            await asyncio.sleep(0.005)
    return rig.record()
