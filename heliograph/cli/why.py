"""The command that says why a campaign stands where it stands."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

import typer

from heliograph.cli import desk, options, show
from heliograph.rules import timing, why_words
from heliograph.rules import why as law
from heliograph.rules.why import Cause
from heliograph.store import overview
from heliograph.store.overview import Standing


def why(
    campaign: options.Campaign, app: options.App = None, data: options.Data = None, json: options.Json = False
) -> None:
    """Say why a campaign is not moving, or how it does, and when that clears; the main cause first."""
    standing, now = desk.run(look(campaign, app, data))
    causes = law.causes(standing.facts, now)
    if json:
        told = [facts(cause, now) for cause in causes]
        zones = standing.zones._asdict()
        show.as_json({"id": standing.public_id, "status": standing.status.value, "causes": told, "zones": zones})
        return
    typer.echo(f"{standing.name} is {standing.status.value}.")
    for sentence in sentences(causes, now):
        typer.echo(sentence)
    if zoned := timing.told(standing.zones):
        typer.echo(zoned)


def sentences(causes: list[Cause], now: datetime) -> list[str]:
    """A line for people of each cause; waits that are alike are told in one."""
    return why_words.plain(why_words.tell(causes), now).splitlines()


async def look(ref: str, app: str | None, data: options.Data) -> tuple[Standing, datetime]:
    """Where a campaign stands, and when that was."""
    async with desk.opened(data) as here, here.db.connection() as conn:
        owner = await desk.find_app(conn, app)
        found = await desk.find_campaign(conn, owner, ref)
        now = here.clock()
        return await overview.get(conn, owner.app_id, found.public_id, now=now), now


def facts(cause: Cause, now: datetime) -> dict[str, object]:
    """A cause for programs."""
    told: dict[str, object] = {
        name: show.when(value) if isinstance(value, datetime) else value for name, value in asdict(cause).items()
    }
    return told | {"kind": cause.kind.value, "words": why_words.sentence(cause, now)}
