"""Who of some people has had enough: by a campaign that leaves out its readers, or by the app's frequency caps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.rules import caps
from heliograph.rules.audience import LeftOut
from heliograph.store import exclusions, texted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.rules.caps import Cap
    from heliograph.store.database import Conn

Away = dict[str, tuple[LeftOut, str]]
"""Why, with its detail, by number."""


async def find(
    conn: Conn, app_id: int, numbers: Sequence[str], limits: Sequence[Cap], exclude_ids: Sequence[int], *, now: datetime
) -> Away:
    """Who of ``numbers`` is not to be texted. ``exclude_ids``: campaigns whose readers are left out."""
    if not numbers:
        return {}
    found: Away = {}
    if limits:
        full = await texted.find_full(conn, app_id, numbers, limits, now=now)
        found = {number: (LeftOut.FREQUENCY_CAP, cap.words) for number, cap in full.items()}
    if exclude_ids:
        got = await exclusions.find_got(conn, app_id, exclude_ids, numbers)
        found |= {number: (LeftOut.GOT_CAMPAIGN, name) for number, name in got.items()}
    return found


async def take(
    conn: Conn, app_id: int, run_id: int, people: Sequence[tuple[str, int]], setting: str, *, now: datetime
) -> dict[int, str]:
    """Count people, ``(number, seq)`` each, as texted from ``now`` on; the reason, by seq, for those who are capped.

    ``setting`` is the app's. Where a number is met twice each text is counted by itself.
    """
    limits = caps.in_force(setting)
    refused: dict[int, str] = {}
    waiting = list(people)
    while waiting:
        once: dict[str, int] = {}
        for number, seq in waiting:
            once.setdefault(number, seq)
        messages = {number: (run_id, seq) for number, seq in once.items()}
        taken = await texted.take(conn, app_id, messages, limits, now=now)
        away = [number for number in once if number not in taken]
        if away:
            full = await texted.find_full(conn, app_id, away, limits, now=now)
            words = {number: f": {full[number].words}" if number in full else "" for number in away}
            refused |= {once[number]: f"{LeftOut.FREQUENCY_CAP.value}{words[number]}" for number in away}
        waiting = [(number, seq) for number, seq in waiting if once[number] != seq]
    return refused
