"""The command that shows and changes what an app decides for all its campaigns."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import Annotated, cast

import typer

from heliograph.actions import app_settings as changing
from heliograph.cli import desk, options, show
from heliograph.errors import Invalid
from heliograph.rules import caps, plain, quiet
from heliograph.rules import prices as costs
from heliograph.store import app_settings
from heliograph.store.app_settings import AppSettings


def settings(
    *,
    quiet_hours: Annotated[
        bool | None,
        typer.Option("--quiet-hours/--no-quiet-hours", help="Whether texts wait for the hours that the law allows."),
    ] = None,
    places: Annotated[
        Path | None,
        typer.Option("--places", metavar="FILE", help="A JSON list of rules in place of shipped ones; see the docs."),
    ] = None,
    cap: Annotated[
        list[str] | None,
        typer.Option("--cap", metavar="TEXTS/DAYS", help="At most so many texts a person: 2/7. May be repeated; none."),
    ] = None,
    prices: Annotated[
        Path | None,
        typer.Option("--prices", metavar="FILE", help="What a part costs by country, in JSON; see the docs."),
    ] = None,
    global_dnc: Annotated[
        bool | None,
        typer.Option("--global-dnc/--no-global-dnc", help="Whether global do-not-contact lists count for texts."),
    ] = None,
    substitutes: Annotated[
        str | None,
        typer.Option("--plain", metavar="off|warn|on", help="Curly quotes and the like: exchanged for plain ones."),
    ] = None,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Show the settings of an app, or change those that are named; workers go by them at once."""
    changes: dict[str, object] = {}
    if quiet_hours is not None or places is not None:
        changes["quietHours"] = {"enabled": quiet_hours, "places": None if places is None else _read(places)}
    if global_dnc is not None:
        changes["globalDncAppliesToSms"] = global_dnc
    if cap is not None:
        changes[caps.FIELD] = [] if cap == ["none"] else [_cap(each) for each in cap]
    if prices is not None:
        changes[costs.FIELD] = _read(prices)
    if substitutes is not None:
        changes[plain.FIELD] = substitutes
    found = desk.run(_settings(data, app, changes))
    told = quiet.told(found.quiet_hours)
    rules = cast("list[dict[str, object]]", told["places"])
    if json:
        facts = {"globalDncAppliesToSms": found.global_dnc_applies_to_sms, "unknownAsk": found.unknown_ask}
        facts |= {plain.FIELD: found.plain_substitutes}
        facts |= {caps.FIELD: caps.told(found.frequency_cap), costs.FIELD: costs.told(found.prices)}
        show.as_json(facts | {"quietHours": told | {"version": quiet.shipped().version}})
        return
    own = ", ".join(str(rule["place"]) for rule in rules)
    state = ["off" if not told["enabled"] else f"on, by the rules of {quiet.shipped().version}"]
    state += [f"with its own for {own}"] if own else []
    show.facts(
        [
            ("quiet hours", ", ".join(state)),
            ("global do-not-contact lists", "count" if found.global_dnc_applies_to_sms else "are for voice only"),
            ("a person gets at most", ", ".join(one.words for one in caps.in_force(found.frequency_cap)) or "no limit"),
            ("prices", "none" if found.prices is None else json_text.dumps(costs.told(found.prices))),
            ("plain substitutes for curly quotes and the like", found.plain_substitutes),
            ("carriers are asked about unknown ones", "yes" if found.unknown_ask else "no"),
        ]
    )


def _cap(told: str) -> dict[str, object]:
    texts, slash, days = told.partition("/")
    if not (slash and texts.isdecimal() and days.isdecimal()):
        raise Invalid(f"--cap is {told!r}. It takes texts/days such as 2/7, or none", field=caps.FIELD)
    return {"texts": int(texts), "days": int(days)}


def _read(file: Path) -> object:
    try:
        return json_text.loads(file.read_bytes())
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {error.strerror}", field="places") from error
    except ValueError as error:
        raise Invalid(f"{file} is no JSON: {error}", field="places") from error


async def _settings(data: options.Data, ref: str | None, changes: dict[str, object]) -> AppSettings:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, ref)
            if not changes:
                return await app_settings.get(conn, owner.app_id)
        return await changing.update(here.db, owner, changes, now=here.clock())
