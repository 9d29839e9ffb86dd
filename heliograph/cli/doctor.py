"""The command that looks whether everything is well."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from heliograph.actions import checkups
from heliograph.actions.checkups import Check, Verdict
from heliograph.cli import desk, exits, options, show

COLOURS = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAULT: "bold red"}


def doctor(
    *,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Put kept numbers right that differ from the rows, and nothing else."),
    ] = False,
    every: Annotated[
        bool, typer.Option("--every", help="Recount every run there ever was, not only those of the last week.")
    ] = False,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Check everything a person would: the numbers against the rows, the server, workers, carriers, secrets.

    It may be run at any time, also while campaigns run: what is kept and what is counted are of one moment. Ends with
    1 when something is at fault.
    """
    found = desk.run(_look(data, every=every, repair=repair))
    if json:
        show.as_json([asdict(check) for check in found])
    else:
        rows = [(_coloured(check), check.name, check.words, check.do) for check in found]
        show.out().print(show.table(["", "what", "how it is", "what to do"], rows))
    if any(check.state is Verdict.FAULT for check in found):
        raise typer.Exit(exits.UNEXPECTED)


def _coloured(check: Check) -> str:
    return f"[{COLOURS[check.state]}]{check.state.value}[/]"


async def _look(data: options.Data, *, every: bool, repair: bool) -> list[Check]:
    async with desk.opened(data) as here:
        return await checkups.look(here.db, here.seal, here.settings, here.clock, every=every, repair=repair)
