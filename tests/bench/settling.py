"""Receipts a second: outcomes that move from accepted to delivered, by the verb every carrier's receipts go through."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from heliograph import config
from heliograph.actions import receipts as actions
from heliograph.store import receipts
from tests.bench.report import Floor, Section, times

if TYPE_CHECKING:
    from tests.bench.rig import Rig

TITLE = "Receipts"
ABOUT = """\
{people:,} accepted outcomes get a receipt each, {at_once:,} in a transaction, as the worker applies them: found by the
carrier's reference, moved forward only, counted in the run's tally, one that belongs to nothing kept for later. *Again*
is the same receipts a second time, which must change nothing.

The floor is a **bare UPDATE** of as many rows of a copy of the table, by its primary key, as many in a transaction.
"""
AT_ONCE = 2_000
RUN = 2_000_000_000  # no run has this id

FILL = """
INSERT INTO outcome (app_id, run_id, seq, status, account_id, carrier_ref, submitted_at, settled_at)
SELECT %(app_id)s, %(run_id)s, n, 'accepted', %(account_id)s, 'sb-019cad5c8e7-0badcafe-' || lpad(to_hex(n), 6, '0'),
       now(), now()
FROM generate_series(1, %(people)s::int) AS n
"""
MAKE_FLOOR = "CREATE TABLE floor_outcome (LIKE outcome INCLUDING ALL)"
FILL_FLOOR = "INSERT INTO floor_outcome SELECT * FROM outcome WHERE app_id = %(app_id)s AND run_id = %(run_id)s"
BARE = """
UPDATE floor_outcome o SET status = 'delivered', settled_at = now()
FROM unnest(%(seq)s::int[]) AS t (seq)
WHERE o.app_id = %(app_id)s AND o.run_id = %(run_id)s AND o.seq = t.seq
"""
DELIVERED = "SELECT delivered FROM tally WHERE run_id = 2000000000"
CLEAN = "DELETE FROM outcome WHERE app_id = %(app_id)s AND run_id = %(run_id)s"
CLEAN_TALLY = "DELETE FROM tally WHERE app_id = %(app_id)s AND run_id = %(run_id)s"


async def measure(rig: Rig) -> Section:
    people = rig.scale.people
    section = Section("receipts", TITLE, ABOUT.format(people=people, at_once=AT_ONCE))
    mine: dict[str, object] = {"app_id": rig.app.app_id, "run_id": RUN}
    await rig.execute(FILL, mine | {"account_id": await rig.account_id(), "people": people})
    await rig.execute(MAKE_FLOOR)
    await rig.execute(FILL_FLOOR, mine)
    await rig.execute("VACUUM ANALYZE outcome, floor_outcome")
    await rig.execute("CHECKPOINT")
    bare = Floor(await _bare(rig, mine), "bare UPDATE")
    rate = await _apply(rig)
    section.add("applied", rate, "receipts/s", bare)
    section.headlines.append(
        f"Receipts applied at **{rate:,.0f}/s**, **{times(bare.value / rate)}** the time of a bare UPDATE of as many."
    )
    section.add("again", await _apply(rig), "receipts/s")
    if await rig.value(DELIVERED) != people:
        section.faults.append(f"{people} receipts, and the tally says {await rig.value(DELIVERED):.0f}")
    for statement in (CLEAN, CLEAN_TALLY):
        await rig.execute(statement, mine)
    await rig.execute("DROP TABLE floor_outcome")
    return section


async def _apply(rig: Rig) -> float:
    now, account_id = config.utc_now(), await rig.account_id()
    said = [
        receipts.NewReceipt(f"sb-019cad5c8e7-0badcafe-{n:06x}", "delivered", "", now)
        for n in range(1, rig.scale.people + 1)
    ]
    began = time.monotonic()
    for place in range(0, len(said), AT_ONCE):
        await actions.record(rig.db, rig.app.app_id, account_id, said[place : place + AT_ONCE], now=now)
    return len(said) / (time.monotonic() - began)


async def _bare(rig: Rig, mine: dict[str, object]) -> float:
    people = rig.scale.people
    began = time.monotonic()
    for place in range(1, people + 1, AT_ONCE):
        await rig.execute(BARE, mine | {"seq": list(range(place, min(place + AT_ONCE, people + 1)))})
    return people / (time.monotonic() - began)
