"""The settings of an app over HTTP. Their paths stand in routes.py."""

from __future__ import annotations

from starlette.responses import Response

from heliograph.actions import app_settings as changing
from heliograph.api import auth, envelope
from heliograph.rules import caps, conversation, optout_settings, plain, prices, quiet, retention
from heliograph.store import app_settings
from heliograph.store.app_settings import AppSettings


async def get(call: auth.Campaigns) -> Response:
    """The settings of the app."""
    async with call.db.connection() as conn:
        found = await app_settings.get(conn, call.app.app_id)
    return envelope.success("", _record(found))


async def update(call: auth.Campaigns) -> Response:
    """Change the settings of the app.

    `globalDncAppliesToSms` and `plainSubstitutes` count for runs that start from now on, the others at once.
    Of `quietHours`, too, what is left out stays, and so of `optOut`, `conversations` and `retention`; `places` takes
    the place of all those there were. What is older than `retention` says is removed from then on, for good.
    """
    changed = await changing.update(call.db, call.app, await call.body(), now=call.now)
    return envelope.success("Settings updated successfully", _record(changed))


def _record(found: AppSettings) -> dict[str, object]:
    return {
        "globalDncAppliesToSms": found.global_dnc_applies_to_sms,
        "unknownAsk": found.unknown_ask,
        caps.FIELD: caps.told(found.frequency_cap),
        prices.FIELD: prices.told(found.prices),
        plain.FIELD: found.plain_substitutes,
        "quietHours": quiet.told(found.quiet_hours) | {"version": quiet.shipped().version},
        "optOut": optout_settings.told(found.opt_out),
        conversation.FIELD: conversation.told(found.conversations),
        retention.FIELD: retention.told(found.retention),
    }
