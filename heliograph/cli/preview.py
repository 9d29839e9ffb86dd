"""The command that tells what playing a campaign would do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from heliograph.actions import previews
from heliograph.cli import desk, options, show
from heliograph.rules import wording

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

TOLD_EVERY = 50_000  # people


def preview(
    campaign: options.Campaign,
    *,
    sample: Annotated[
        bool, typer.Option("--sample", help="Of a large audience, look at one person in so many: quicker, not exact.")
    ] = False,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Tell what playing a campaign now would do: who gets a text, who does not, parts, cost, and when it ends."""
    facts = desk.run(_look(campaign, sample, app, data))
    if json:
        show.as_json(facts)
        return
    show.facts(_lines(cast("dict[str, Any]", facts)))


async def _look(ref: str, sample: bool, app: str | None, data: options.Data) -> dict[str, object]:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
            found = await desk.find_campaign(conn, owner, ref)
        shown = await previews.show(
            here.db, owner, found.public_id, now=here.clock(), exact=not sample, told=_progress()
        )
        return previews.facts(shown, _instant)


def _progress() -> Callable[[int, int], None] | None:
    """Tells a person at a terminal how far it is."""
    if not sys.stderr.isatty():
        return None

    def told(looked: int, size: int) -> None:
        if looked % TOLD_EVERY == 0:
            typer.echo(f"{looked:,} of {size:,} people looked at", err=True)

    return told


def _lines(facts: dict[str, Any]) -> list[tuple[str, object]]:
    per_text = ", ".join(f"{texts:,} of {parts}" for parts, texts in facts["partsPerText"].items())
    lines: list[tuple[str, object]] = [
        ("contacts", f"{facts['contacts']:,}" + ("" if facts["exact"] else ", reckoned from a sample")),
        ("get a text", f"{facts['reached']:,}"),
    ]
    lines += [(f"  left out: {reason}", f"{people:,}") for reason, people in facts["leftOut"].items() if people]
    lines.append(("parts", f"{facts['parts']:,}" + (f" (texts: {per_text})" if per_text else "")))
    if facts["wideTexts"]:
        odd = ", ".join(f"{each['character']} {each['code']} in {each['texts']:,}" for each in facts["characters"][:10])
        lines.append(("texts of 70 characters a part", f"{facts['wideTexts']:,}, for {odd}"))
    plain = facts["substitutes"]
    if plain["parts"] != facts["parts"]:
        cost = "" if plain["cost"] is None else f", {plain['cost']} {facts['currency']}"
        lines.append(("with plain substitutes", f"{plain['parts']:,} parts{cost}"))
    if facts["cost"] is not None:
        gap = f", and {wording.counted(facts['unpriced'], 'part')} without a price" if facts["unpriced"] else ""
        lines.append(("cost", f"{facts['cost']} {facts['currency']}{gap}"))
    zones = ", ".join(f"{people:,} by their {basis}'s" for basis, people in facts["zones"].items() if people)
    lines += [("zones", zones or "none"), ("first text", facts["begins"] or "none")]
    lines.append(("last text", facts["ends"] or "not within 60 days, or nobody sends"))
    return lines


def _instant(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
