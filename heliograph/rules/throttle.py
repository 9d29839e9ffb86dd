"""How fast a carrier takes texts when it does not say: learned from what it turns away.

A carrier that is asked too fast turns texts away for now (HTTP 429, SMPP's ESME_RTHROTTLED and
ESME_RMSGQFUL). That costs nobody their text, but each is written down and sent again, so a lane should go
just as fast as its carrier takes. While a carrier is asked too much, what it accepts in a second *is* its
limit, whether it counts by a bucket that refills or by the second of its clock. So, unlike a congestion
control that knows only that something was lost, this one measures:

* **Turned away.** From the first text that is, a round of a second is measured. What was accepted in it is
  the limit; from then on the lane goes a little (``BELOW``) under it. Where it only asked a little more than
  it had been given until then, it goes back to that at once, and measures if that is too much by now.
* **Turned away almost whole.** When most of what was sent meanwhile was turned away, nothing more is sent in
  that round: the lane asked many times too fast. Its figure is rough, so the way up from it is steep.
* **Nothing turned away.** After ``CALM`` seconds the lane asks for more, a hundredth in the first second,
  twice as much in each that follows: a limit that still stands is found by a few texts, one that was lifted
  is left behind quickly. A limit that was found where it had been is looked for half as often.

Times are seconds of any monotonic clock, given by the caller. A round is measured over a second because
carriers count by it; at a few parts a second over as long as it takes to count ``FEW``.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

BELOW = 0.98  # of what was measured: a bucket that is emptied as fast as it refills turns away at the least delay
CALM, CALM_MOST = 4.0, 12.0  # seconds without anything turned away before more is asked for; doubles when in vain
FIRST, MOST = 0.01, 0.5  # of the rate: how much more is asked for in the first second, and at most in one
STEEP = 1.0  # how much more in each second after a rough figure
ROUND, FEW, ROUND_MOST = 1.0, 5.0, 5.0  # seconds of a round; parts that it should hold; seconds it takes at most
SETTLE = 0.1  # seconds after a round for its last answers to come
ALMOST_ALL, SOME = 0.7, 20  # a round is cut short when this share, and so many parts, were turned away
HARDLY = 0.02  # a share turned away that is no reason to go slower: some network element, not the limit
BEFORE = 0.3  # seconds before the first text turned away in which a bucket may have been emptied
LEAST = 0.2  # parts a second: a carrier that takes nothing is asked every five seconds
LONGEST = 60.0  # seconds that a carrier may ask a lane to wait before it is asked again
SAME = 0.15  # figures so near each other are the same limit
NEAR = 0.1  # a step up by less than this is taken back when it was too much; after a larger one a round is measured
_SLOT = 0.05  # seconds in which sent and turned away are counted together
_REMEMBERED = ROUND_MOST + 2 * BEFORE + 1.0


@dataclass(slots=True)
class _Slot:
    at: float
    sent: int = 0
    away: int = 0


class Throttle:
    """The rate to ask one carrier with. ``limit`` is the sender's own, in parts a second; None: it has none.

    ``learned``: what was learned before, by another worker for example.
    """

    def __init__(self, limit: float | None, learned: float | None = None) -> None:
        self._limit = limit
        self._learned = learned
        self._slots: deque[_Slot] = deque()
        self._round: float | None = None  # when the first text that was turned away in this round was sent
        self._quiet_until = -math.inf  # nothing is sent before
        self._cut_at = -math.inf  # texts sent before count for nothing: they left under another rate
        self._calm_since = -math.inf
        self._stepped = -math.inf
        self._calm = CALM
        self._more = FIRST
        self._rough = False
        self._found: float | None = None  # what the last round or step back arrived at
        self._held: float | None = None  # the rate before the last step up, under which nothing was turned away

    @property
    def learned(self) -> float | None:
        """What the carrier was seen to take, in parts a second; None: all that it was ever asked to."""
        return self._learned

    @property
    def rate(self) -> float | None:
        """Parts a second to go by now: the lower one of the sender's own rate and what was learned."""
        if self._learned is None:
            return self._limit
        return self._learned if self._limit is None else min(self._limit, self._learned)

    def set_limit(self, limit: float | None) -> None:
        """The sender's own rate is another one from now on."""
        self._limit = limit
        self._forget_what_is_no_limit()

    def wait(self, now: float) -> float:
        """Seconds from ``now`` in which nothing should be sent."""
        return max(0.0, self._quiet_until - now)

    def sent(self, now: float, parts: int) -> None:
        """``parts`` were handed to the carrier at ``now``."""
        while self._slots and self._slots[0].at < now - _REMEMBERED:
            self._slots.popleft()
        if not self._slots or now - self._slots[-1].at >= _SLOT:
            self._slots.append(_Slot(now))
        self._slots[-1].sent += parts

    def away(self, now: float, parts: int, *, sent_at: float, seconds: float = 0.0) -> None:
        """The carrier turned away ``parts`` that were handed to it at ``sent_at``, and asked to wait ``seconds``."""
        for slot in reversed(self._slots):
            if slot.at <= sent_at:
                slot.away += parts
                break
        if sent_at <= self._cut_at:
            return
        held, rate = self._held, self.rate
        if self._round is None and held is not None and rate is not None and held >= rate * (1 - NEAR):
            self._held = None
            self._go_by(now, held)
            return
        if self._round is None or sent_at < self._round:
            self._round = sent_at
        sent, away = self._count(self._round - BEFORE, now)
        if away >= SOME and away >= ALMOST_ALL * sent:
            self._rough = True
            self._quiet_until = max(self._quiet_until, self._round + ROUND, now + min(seconds, LONGEST))

    def look(self, now: float) -> bool:
        """Decide what can be decided at ``now``; whether :attr:`rate` has changed. Call it a few times a second."""
        before = self.rate
        if self._round is not None:
            if now >= self._round + self._round_length() + SETTLE:
                self._measure(now, self._round)
        elif self._learned is not None:
            self._ask_for_more(now)
        return self.rate != before

    def _round_length(self) -> float:
        rate = self.rate
        return ROUND if self._rough or rate is None else min(max(ROUND, FEW / rate), ROUND_MOST)

    def _measure(self, now: float, began: float) -> None:
        """A round is over: go by what was accepted in it."""
        length = self._round_length()
        sent, away = self._count(began - (BEFORE if self._rough else _SLOT), began + length)
        accepted = (sent - away) / length
        old = self.rate
        if not self._rough and old is not None and away < HARDLY * sent:
            found = old * (1 - HARDLY / 2)
        elif accepted <= 0:
            found = max(LEAST, 1.0 if old is None else old / 2)
        else:
            found = max(LEAST, accepted * BELOW)
        if self._held is not None:
            found = max(found, self._held)
        more, calm = (STEEP, ROUND) if self._rough or accepted <= 0 else (FIRST, None)
        self._rough, self._round, self._held = False, None, None
        self._go_by(now, found if old is None else min(old, found))
        self._more, self._calm = more, calm or self._calm

    def _go_by(self, now: float, found: float) -> None:
        """The carrier takes ``found`` parts a second: leave it at that for a while, the longer the surer it is."""
        same = self._found is not None and abs(found - self._found) <= SAME * self._found
        self._calm = min(self._calm * 2, CALM_MOST) if same else CALM
        self._learned = self._found = found
        self._more = FIRST
        self._cut_at = self._calm_since = self._stepped = now

    def _ask_for_more(self, now: float) -> None:
        rate = self.rate
        if rate is None or now - self._calm_since < self._calm or now - self._stepped < max(1.0, 1 / rate):
            return
        sent, _ = self._count(now - 1.0, now)
        if self._learned is None or sent < min(rate / 2, rate - 1):  # nobody asks for all that there is already
            return
        self._stepped, self._held = now, rate
        self._learned *= 1 + self._more
        self._more = self._more if self._more > MOST else min(self._more * 2, MOST)
        self._forget_what_is_no_limit()

    def _forget_what_is_no_limit(self) -> None:
        if self._learned is not None and self._limit is not None and self._learned >= self._limit:
            self._learned = None

    def _count(self, since: float, until: float) -> tuple[int, int]:
        sent = away = 0
        for slot in reversed(self._slots):
            if slot.at < since:
                break
            if slot.at < until:
                sent += slot.sent
                away += slot.away
        return sent, away
