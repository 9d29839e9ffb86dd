"""Heeding a no: what people write, what carriers tell of them, and what becomes of it at once.

A reply counts in the transaction that keeps it, so that there is no moment at which it was received and is not heeded.
What it is answered with comes after (``actions/auto_answers.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from heliograph.actions import webhooks
from heliograph.errors import Invalid
from heliograph.rules import optout, optout_settings, phone
from heliograph.rules.optout import Wish
from heliograph.store import app_settings, consents, opt_outs, senders
from heliograph.store.consents import NewConsent
from heliograph.store.opt_outs import OptOut

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.rules.optout import Reading
    from heliograph.rules.optout_settings import Settings
    from heliograph.store.database import Conn
    from heliograph.store.replies import KeptReply

REVIEW = "review"


class SaidNo(NamedTuple):
    """A carrier did not take a text from ``address`` because this person does not want any; by what ``code``."""

    number: str
    address: str
    code: str


async def heed(conn: Conn, app_id: int, said: Sequence[KeptReply], *, now: datetime) -> None:
    """Let replies that were just kept count, in their order, within the caller's transaction."""
    settings = optout_settings.read((await app_settings.get(conn, app_id)).opt_out)
    news = _News(settings, await _own(conn, app_id, settings), now)
    for reply in said:
        news.hear(reply)
    await news.write(conn, app_id)


async def refused(conn: Conn, app_id: int, said: Sequence[SaidNo], *, now: datetime) -> None:
    """Let what a carrier says of people count as if they had said it, within the caller's transaction."""
    settings = optout_settings.read((await app_settings.get(conn, app_id)).opt_out)
    news = _News(settings, await _own(conn, app_id, settings), now)
    for each in said:
        news.told(each)
    await news.write(conn, app_id)


@dataclass(slots=True)
class _News:
    """What a number of replies change, gathered to be written at once."""

    settings: Settings
    own: frozenset[str] | None  # addresses of ours by which a no may be kept apart; None: it always counts for all
    now: datetime
    evidence: list[NewConsent] = field(default_factory=list["NewConsent"])
    puts: dict[tuple[str, str], OptOut] = field(default_factory=dict[tuple[str, str], OptOut])
    lifts: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def hear(self, reply: KeptReply) -> None:
        """What one reply says."""
        reading = optout.read(reply.text, self.settings.words)
        wish = reading.wish
        if wish is Wish.REVIEW and optout.automatic(reply.text):
            return
        number = number_of(reply.number)
        place = (number, self.scope(reply.address))
        if wish is Wish.STOP:
            self.puts[place] = OptOut(*place, "no", "reply", reading.word, self.now)
            what = "opt_out"
        elif wish is Wish.START:
            self.puts.pop(place, None)
            self.puts.pop((number, ""), None)
            self.lifts.add(place)
            what = "opt_in"
        elif wish is Wish.REVIEW:
            self.puts.setdefault((number, ""), OptOut(number, "", "review", "reply", REVIEW, self.now))
            what = "review"
        else:
            return
        self._note(number, what, reading, reply)

    def told(self, said: SaidNo) -> None:
        """What a carrier told of one person."""
        place = (said.number, self.scope(said.address))
        self.puts[place] = OptOut(*place, "no", "carrier", said.code, self.now)
        self.evidence.append(
            NewConsent(said.number, "opt_out", "carrier", self.now, how="code", word=said.code, address=said.address)
        )

    def scope(self, address: str) -> str:
        """How far a no reaches that was written to ``address``: to that one, or ("") to all of them.

        To all, too, when we do not know the address: rather too far than not far enough.
        """
        key = optout.address_key(address)
        return key if self.own is not None and key in self.own else ""

    def _note(self, number: str, what: consents.What, reading: Reading, reply: KeptReply) -> None:
        self.evidence.append(
            NewConsent(
                number, what, "reply", self.now,
                how=reading.how.value, word=reading.word, text=reply.text, address=reply.address,
                reply_id=reply.reply_id,
            )
        )  # fmt: skip

    async def write(self, conn: Conn, app_id: int) -> None:
        """Write all of it."""
        if self.evidence:
            await consents.add(conn, app_id, self.evidence, now=self.now)
        if self.lifts:
            await opt_outs.lift(conn, app_id, sorted(self.lifts), sources=self.settings.lifts)
        if self.puts:
            await opt_outs.put(conn, app_id, list(self.puts.values()))
            await webhooks.opted_out(conn, app_id, self.puts.values(), now=self.now)


def number_of(told: str) -> str:
    """A person's number as we keep it, however the carrier writes it; as it was told when it is no number."""
    digits = told.removeprefix("+")
    if digits.isascii() and digits.isdecimal():
        return f"+{digits}"
    try:
        return phone.normalise(told)
    except Invalid:
        return told


async def _own(conn: Conn, app_id: int, settings: Settings) -> frozenset[str] | None:
    if not settings.per_sender:
        return None
    return frozenset(optout.address_key(sender.address) for sender in await senders.list_all(conn, app_id))
