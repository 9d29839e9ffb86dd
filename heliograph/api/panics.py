"""The panic button over HTTP; ours. Its paths stand in routes.py."""

from __future__ import annotations

from starlette.responses import Response

from heliograph.actions import panics as pressing
from heliograph.api import auth, envelope
from heliograph.api.senders import SenderId
from heliograph.store import panics
from heliograph.store.panics import Panic


async def press(call: auth.Campaigns) -> Response:
    """Stop everything that leaves this app, at once, until it is released.

    When this has answered, nothing leaves any more: no campaign, no one-off text, no test, from any worker. Nobody is
    dropped: whoever has not been texted waits. Nothing can be started meanwhile. Why may stand in `reason`.
    """
    pressed = await pressing.press(call.db, call.app, None, await call.body(), who=call.client_id, now=call.now)
    return envelope.success("Nothing leaves this app any more", record(pressed))


async def release(call: auth.Campaigns) -> Response:
    """Let texts of this app leave again. A sender that is held by itself stays held."""
    released = await pressing.release(call.db, call.app, None, who=call.client_id, now=call.now)
    return envelope.success("Texts of this app leave again", record(released))


async def list_all(call: auth.Campaigns) -> Response:
    """Each time the panic button was pressed: those in force first, then the newest; 100 at most."""
    async with call.db.connection() as conn:
        found = await panics.list_latest(conn, call.app.app_id)
    return envelope.success("", [record(each) for each in found])


async def press_sender(call: auth.Campaigns, sender: SenderId) -> Response:
    """Stop everything that leaves one sender, at once, until it is released.

    As for a whole app. Of a campaign through a pool, only those wait who are texted by this sender.
    """
    pressed = await pressing.press(call.db, call.app, sender, await call.body(), who=call.client_id, now=call.now)
    return envelope.success(f"Nothing leaves sender {pressed.address} any more", record(pressed))


async def release_sender(call: auth.Campaigns, sender: SenderId) -> Response:
    """Let texts of a sender leave again."""
    released = await pressing.release(call.db, call.app, sender, who=call.client_id, now=call.now)
    return envelope.success(f"Texts of sender {released.address} leave again", record(released))


def record(found: Panic) -> dict[str, object]:
    """A panic as the API tells it."""
    return {
        "senderId": found.sender_public_id,
        "address": found.address,
        "pressedAt": envelope.instant(found.pressed_at),
        "pressedBy": found.pressed_by,
        "reason": found.reason,
        "releasedAt": None if found.released_at is None else envelope.instant(found.released_at),
        "releasedBy": found.released_by,
    }
