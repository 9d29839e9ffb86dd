"""What follows when a carrier could not take a text now, but may later.

Where the figures come from: the classes are those of SMPP 3.4's command_status (5.1.3) as gateways in wide
use read them. Jasmin asks again after 30 seconds when the system failed and after three minutes when a
queue was full, twice each. Twice within a minute gives up on a carrier that only restarts, and a fixed
step hammers one that does not; so here the first wait is as short, the waits grow, and five tries are
spread over some forty minutes.

Throttling is no failure of the text. The line was asked too fast, so it waits a second (as Kannel does)
and the text goes first again, with as many tries as before.

A text whose fate is unknown is never tried again: that is not for this page to decide, and it does not.
"""

from __future__ import annotations

import math

BACK_OFF = (30.0, 120.0, 600.0, 1800.0)  # seconds after the first, second, third and fourth try
MAX_ATTEMPTS = len(BACK_OFF) + 1
THROTTLE_PAUSE = 1.0
LONGEST = 7 * 86_400.0  # seconds; a carrier that asks for more means something else


def again_in(attempts: int, *, asked_seconds: float | None = None, throttled: bool = False) -> float | None:
    """Seconds until a text may be tried again, or None when it has been tried often enough.

    ``attempts`` are the temporary refusals before this one, as the message's row counts them.
    ``asked_seconds`` is how long the carrier asked to wait: the wait is never shorter (but never above
    ``LONGEST``). ``throttled``: the refusal was about speed; it is not to be counted in ``attempts``, and
    the answer is never None.
    """
    if throttled:
        wait = THROTTLE_PAUSE
    elif attempts >= len(BACK_OFF):
        return None
    else:
        wait = BACK_OFF[attempts]
    if asked_seconds is None or math.isnan(asked_seconds):
        return wait
    return min(max(wait, asked_seconds), LONGEST)
