"""People who answer a campaign are answered by a flow while it is being sent: how soon, beside how many."""

from __future__ import annotations

import asyncio
import json
from statistics import median
from typing import TYPE_CHECKING, Any

from heliograph import config
from heliograph.actions import app_settings, flows
from tests.bench import pacing, processes
from tests.bench.report import Floor, Section
from tests.bench.stopping import p99

if TYPE_CHECKING:
    from tests.bench.rig import Rig

TITLE = "Answering people"
ABOUT = """A campaign fills its sender, which may send {rate:,.0f} parts/s. A quarter of all texts are answered within a
second, so that {replies:,.0f} replies/s come in through the carrier's line, by people new to us and by people in a
conversation. The app's default flow answers each with a text, through the same sender, before the campaign. Measured
from the moment at which the line has the reply to the one at which the carrier has the answer."""
RATE = 2_000.0
SHARE = 0.25
PROMISED_MS = 200.0
THANKS = "Thank you. Is there anything else?"
FLOW: dict[str, Any] = {
    "name": "Thanks",
    "publish": True,
    "document": {
        "nodes": {
            "thanks": {"type": "send", "text": THANKS, "next": "wait"},
            "wait": {"type": "wait", "timeout": "1h", "next": "thanks"},
        }
    },
}
WRITTEN = """
SELECT number, extract(epoch FROM written_at)::float8 FROM reply WHERE became = 'flow' ORDER BY written_at
"""
FATES = "SELECT became, count(*) FROM reply GROUP BY became"


async def measure(rig: Rig) -> Section:
    """Answer 500 replies a second beside a campaign that fills its sender."""
    section = Section("replies", TITLE, ABOUT.format(rate=RATE, replies=RATE * SHARE))
    seconds = 20.0 if rig.scale.seconds >= 0.4 else 2.0
    now = config.utc_now()
    made = (await flows.create(rig.db, rig.app, FLOW, by="bench", now=now)).flow
    await flows.attach(rig.db, rig.app, made.public_id, {"default": True}, now=now)
    away = {"conversations": {"answersPerHour": 1000}}
    await app_settings.update(rig.db, rig.app, away, now=now)
    rig.clear_transcript()
    await rig.behave(latency_ms=[1, 20], receipt_lost=1, reply=SHARE, reply_ms=[0, 1000], reply_text="Yes please")
    await pacing.set_rate(rig, RATE)
    with processes.working(rig.settings.data):
        campaign, _ = await pacing.begin(rig, int(RATE * (seconds + 10)))
        await asyncio.sleep(seconds)
        await pacing.end(rig, campaign)
        await asyncio.sleep(1.0)
    await _judge(rig, section, campaign.public_id)
    await rig.behave()
    await pacing.set_rate(rig, None)
    return section


async def _judge(rig: Rig, section: Section, campaign_id: str) -> None:
    answered: dict[str, list[float]] = {}
    sent: list[float] = []
    for line in rig.settings.transcript.read_text().splitlines():
        taken: dict[str, Any] = json.loads(line)
        if taken["text"] == THANKS:
            answered.setdefault(taken["to"], []).append(taken["at"])
        elif taken["campaignId"] == campaign_id:
            sent.append(taken["at"])
    async with rig.db.connection() as conn:
        written = [(str(row[0]), float(row[1])) for row in await (await conn.execute(WRITTEN)).fetchall()]
        fates = {str(row[0]): int(row[1]) for row in await (await conn.execute(FATES)).fetchall()}
    place: dict[str, int] = {}
    waits: list[float] = []
    unanswered = 0
    for number, at in written:
        nth = place[number] = place.get(number, -1) + 1
        times = answered.get(number, [])
        if nth < len(times):
            waits.append((times[nth] - at) * 1000)
        elif at < sent[-1] - 1:
            unanswered += 1
    span = sent[-1] - sent[0]
    section.add("replies that were answered", len(waits) / span, "/s")
    section.add(
        "the campaign beside them", len(sent) / span, "/s", Floor(RATE - len(waits) / span, "what is left of the rate")
    )
    section.add("reply to answer, p50", median(waits), "ms", Floor(100.0, "replies are collected for so long at most"))
    section.add("reply to answer, p99", p99(waits), "ms", Floor(PROMISED_MS, "what is promised"))
    section.headlines.append(
        f"**{len(waits) / span:,.0f} replies/s** answered by a flow beside a campaign that fills the sender: "
        f"**{median(waits):.0f} ms** p50, {p99(waits):.0f} ms p99 from the carrier's line to the carrier."
    )
    if unanswered:
        section.faults.append(f"{unanswered} replies that a flow heard were not answered")
    if (strange := sum(fates.values()) - fates.get("flow", 0) - fates.get("None", 0)) > 0:
        section.faults.append(f"{strange} replies were not heard by the flow: {fates}")
