"""Memory that does not grow with the campaign: server and worker, while it is sent and looked at."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.bench import machine, processes
from tests.bench import rig as rigs
from tests.bench.desk import Desk
from tests.bench.report import Floor, Section, times

if TYPE_CHECKING:
    from tests.bench.rig import Rig

TITLE = "Memory"
ABOUT = """\
`heliograph serve` (server and worker, new processes each time) sends a campaign of {few:,} people, then one of
{many:,}, personalised, from play to Completed; meanwhile somebody asks for its counts, for the list of campaigns, and
for pages of its people at the beginning and in the depth, every half second. *At most* is the most that was ever
resident in the process. PostgreSQL has its fixed share (`shared_buffers`), whatever the size.
"""
LOOKS = 0.5


async def measure(rig: Rig) -> Section:
    few, many = rig.scale.crowds
    section = Section("memory", TITLE, ABOUT.format(few=few, many=many))
    await rig.behave(receipt_lost=1.0)
    small = await _peaks(rig, few)
    large = await _peaks(rig, many)
    for name, least, most in zip(("server", "worker"), small, large, strict=True):
        section.add(f"{name} at most", most, "MiB", Floor(least, f"of {few:,}"), group=f"of {many:,}")
    ratio = max(most / least for least, most in zip(small, large, strict=True))
    section.headlines.append(f"Memory for {many:,} people: **{times(ratio)}** that for {few:,}.")
    return section


async def _peaks(rig: Rig, people: int) -> tuple[float, float]:
    """The most of the server and of its worker, in MiB."""
    everyone = await rig.add_list(people)
    rig.clear_transcript()
    with processes.served(rig.settings.data) as (port, server), Desk(rig, port) as desk:
        campaign_id = desk.create(rig.draft(everyone, rigs.PERSONAL))
        desk.play(campaign_id)
        async with asyncio.timeout(rig.scale.patience + people / 500):
            while not desk.is_completed(campaign_id):
                total = desk.total(campaign_id)
                desk.people(campaign_id, 1)
                desk.people(campaign_id, max(1, total // 100))
                desk.campaigns()
                await asyncio.sleep(LOOKS)
        whole, own = machine.peak_mib(server), machine.own_peak_mib(server)
    return own, whole - own
