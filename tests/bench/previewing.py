"""Launch previews: how long one takes, and whether the run then does what it said."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from heliograph import config
from heliograph.actions import app_settings, campaigns, previews
from tests.bench import processes
from tests.bench import rig as rigs
from tests.bench.report import Section

if TYPE_CHECKING:
    from heliograph.store.campaigns import Campaign
    from tests.bench.rig import Rig

TITLE = "Launch previews"
ABOUT = """\
Everybody is decided about by the code that plans a run; texts of their own are rendered and measured, by a process for
each core where there are many people. The smaller audience is played afterwards: parts, and whoever is left out by each
reason, have to be what the preview said.
"""
REASONS = """
SELECT split_part(o.reason, ':', 1), count(*) FROM outcome o JOIN run r USING (app_id, run_id)
WHERE r.run_id = %(run)s AND o.status = 'suppressed' GROUP BY 1
"""
PARTS = "SELECT parts, count(*) FROM message WHERE run_id = %(run)s AND parts > 0 GROUP BY 1"
CAP = [{"texts": 1, "days": 7}]


async def measure(rig: Rig) -> Section:
    section = Section("preview", TITLE, ABOUT)
    people = rig.scale.crowds[1]
    vast, everyone, some = [await rig.add_list(size) for size in (rig.scale.vast, people, people // 20)]
    with processes.working(rig.settings.data):
        earlier = await rig.play(await rig.create(some, rigs.PLAIN))
        await rig.finish(earlier)
    await app_settings.update(rig.db, rig.app, {"frequencyCap": CAP}, now=config.utc_now())
    for what, text in (("the same text for all", rigs.PLAIN), ("words of their own", rigs.PERSONAL)):
        _, _, took = await _measured(rig, vast, text)
        section.add(f"{rig.scale.vast:,} people, {what}", took, "s")
        section.headlines.append(f"Everybody of {rig.scale.vast:,} people, {what}, looked at in **{took:.1f} s**.")
        campaign, told, took = await _measured(rig, everyone, text)
        section.add(f"{people:,} people, {what}", people / took, "people/s")
    await _play(rig, campaign, told, section)
    await app_settings.update(rig.db, rig.app, {"frequencyCap": []}, now=config.utc_now())  # others text them too
    return section


async def _measured(rig: Rig, everyone: str, text: str) -> tuple[Campaign, dict[str, Any], float]:
    """A campaign to a list, its preview, and the seconds that took."""
    draft = rig.draft(everyone, text) | {"holdOut": 10}
    campaign = await campaigns.create(rig.db, rig.app, draft, now=config.utc_now())
    before = time.perf_counter()
    told = await _look(rig, campaign)
    return campaign, told, time.perf_counter() - before


async def _look(rig: Rig, campaign: Campaign) -> dict[str, Any]:
    shown = await previews.show(rig.db, rig.app, campaign.public_id, now=config.utc_now(), exact=True)
    return previews.facts(shown, lambda at: at.isoformat())


async def _play(rig: Rig, campaign: Campaign, told: dict[str, Any], section: Section) -> None:
    with processes.working(rig.settings.data):
        played = await rig.play(campaign)
        await rig.finish(played)
    async with rig.db.connection() as conn:
        run = {"run": played.run_id}
        reasons = dict(await (await conn.execute(REASONS, run)).fetchall())
        parts = dict(await (await conn.execute(PARTS, run)).fetchall())
    left_out = {reason: people for reason, people in told["leftOut"].items() if people and reason != "duplicate"}
    if reasons != left_out:
        section.faults.append(f"the preview left out {left_out}, the run {reasons}")
    if {str(size): texts for size, texts in parts.items()} != told["partsPerText"]:
        section.faults.append(f"the preview had parts {told['partsPerText']}, the run {parts}")
