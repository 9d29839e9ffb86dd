"""Secrets over HTTP: stored under names and never answered. Their paths stand in routes.py."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from starlette.responses import Response

from heliograph.actions import app_secrets as keeping
from heliograph.api import auth, envelope
from heliograph.api.shapes import SECRET_NAME
from heliograph.store import app_secrets
from heliograph.store.app_secrets import Named

SecretName = Annotated[
    str,
    Path(
        alias="secretName",
        description="The secret's name: letters, digits and underscores.",
        examples=[SECRET_NAME],
    ),
]


async def put(call: auth.Campaigns, name: SecretName) -> Response:
    """Store a secret, in place of what was stored under its name.

    Lists that pull name it: `{{env:CRM_TOKEN}}` in a header's value, or `auth.secret`. The next sync sends the new one.
    """
    seal = auth.house(call.request).seal
    kept = await keeping.put(call.db, seal, call.app, name, await call.body(), now=call.now)
    return envelope.success(f"Secret {kept.name} stored successfully", _record(kept))


async def list_all(call: auth.Campaigns) -> Response:
    """The names of the app's secrets."""
    async with call.db.connection() as conn:
        found = await app_secrets.list_all(conn, call.app.app_id)
    return envelope.success("Secrets retrieved successfully", [_record(one) for one in found])


async def delete(call: auth.Campaigns, name: SecretName) -> Response:
    """Forget a secret, unless a list sends it."""
    gone = await keeping.delete(call.db, call.app, name)
    return envelope.success(f"Secret {gone.name} deleted successfully", _record(gone))


def _record(kept: Named) -> dict[str, str]:
    return {
        "name": kept.name,
        "createdAt": envelope.instant(kept.created_at),
        "updatedAt": envelope.instant(kept.updated_at),
    }
