"""The command ``panic``."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from heliograph.actions import panics
from heliograph.cli import desk, options, show
from heliograph.errors import Invalid
from heliograph.store.panics import Panic


def panic(
    *,
    sender: Annotated[
        str | None,
        typer.Option("--sender", metavar="SN-ID|ADDRESS", help="Only what leaves this sender; unset: the whole app."),
    ] = None,
    release: Annotated[bool, typer.Option("--release", help="Let texts leave again.")] = False,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, for whoever asks later.")] = None,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Stop everything that leaves an app, or one sender, at once; it holds until it is released.

    When the command has ended, nothing leaves any more, from any worker. Nobody is dropped: they wait.
    """
    if release and reason is not None:
        raise Invalid("--reason says why the button is pressed; it cannot stand beside --release", field="reason")
    found = desk.run(_press(sender, release, reason, app, data))
    facts = {
        "sender": found.address or "all of the app",
        "pressed": f"{found.pressed_at:%Y-%m-%d %H:%M:%S} UTC by {found.pressed_by}",
        "reason": found.reason or None,
        "released": None
        if found.released_at is None
        else f"{found.released_at:%Y-%m-%d %H:%M:%S} UTC by {found.released_by}",
    }
    if json:
        show.as_json({"senderId": found.sender_public_id, "released": found.released_at is not None} | facts)
    else:
        show.facts((name, value) for name, value in facts.items() if value is not None)


async def _press(sender: str | None, release: bool, reason: str | None, app: str | None, data: options.Data) -> Panic:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
        who, now = getpass.getuser(), here.clock()
        if release:
            return await panics.release(here.db, owner, sender, who=who, now=now)
        return await panics.press(here.db, owner, sender, {"reason": reason}, who=who, now=now)
