"""Asking the services that flows ask, outside of every transaction, and telling the sessions what they answered.

A call is made at least once: a worker that dies with one in hand leaves it to another. A service that must not do
something twice goes by the header ``Idempotency-Key``, which names the act of the session and is the same each time.
"""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from heliograph.actions import app_secrets, conversations, fetch
from heliograph.actions import seal as seals
from heliograph.errors import HeliographError, Invalid, StoreUnavailable
from heliograph.rules import conversation, demo_support, webhook
from heliograph.rules.campaign import CampaignStatus
from heliograph.rules.flow import acts
from heliograph.rules.pull import Question
from heliograph.store import app_settings, apps, session_calls

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from heliograph.config import Clock, Settings
    from heliograph.rules.pull import Method
    from heliograph.store.database import Conn, Database

log = logging.getLogger(__name__)

MOST_BYTES = 64 * 1024  # of an answer
WAITS_S = (0.5, 2.0, 5.0, 10.0, 20.0)  # between two tries
LEASE = timedelta(seconds=30)  # how long the calls of a worker that died are held; one that lives holds them on
PAUSED = timedelta(minutes=5)  # until those of a paused campaign are looked at again


async def take(db: Database, *, now: datetime, limit: int) -> list[session_calls.Call]:
    """Take calls that are to be made; for the lease nobody else has them, and whoever takes longer holds them on."""
    async with db.transaction() as conn:
        return await session_calls.take_calls(conn, now=now, lease=now + LEASE, limit=limit)


async def hold(db: Database, calls: Collection[session_calls.Call], *, now: datetime) -> None:
    """Hold on to calls that are being made, for one lease more."""
    async with db.transaction() as conn:
        await session_calls.hold_calls(conn, calls, now=now, lease=now + LEASE)


async def make(db: Database, settings: Settings, clock: Clock, taken: session_calls.Call) -> None:
    """Make a call and tell its session; one that fails each time is told as such."""
    call = next((act for act in map(acts.from_json, taken.todo) if isinstance(act, acts.Call)), None)
    if call is None:
        return
    key = f"{taken.session_id}/{call.number}"
    try:
        async with db.connection() as conn:
            if not _may_be_asked(await session_calls.standing(conn, taken.app_id, taken.session_id)):
                now = clock()
                await session_calls.hold_calls(conn, [taken], now=now, lease=now + PAUSED)
                return
            secret = await _secret(conn, settings, taken.app_id)
        answer = await ask(settings, clock, call, key, secret)
    except StoreUnavailable:
        raise
    except HeliographError as error:  # a secret sealed with another key
        log.error("call_failed session=%s error=%s", taken.session_id, error)  # noqa: TRY400  # its sentence says it all
        answer = None
    except Exception:  # whatever a flow's author made of an address or a header: the flow goes on by its other way
        log.exception("call_fault session=%s", taken.session_id)
        answer = None
    await conversations.called(db, taken.app_id, taken.session_id, call.number, answer, now=clock())


def _may_be_asked(stands: session_calls.Standing | None) -> bool:
    """Whether a conversation still goes on, and is not one of a paused campaign that has not said anything yet."""
    return stands is not None and not stands.over and not (stands.silent and stands.status == CampaignStatus.PAUSED)


async def _secret(conn: Conn, settings: Settings, app_id: int) -> str | None:
    """What an app's calls are signed with; None: they are not."""
    name = conversation.read((await app_settings.get(conn, app_id)).conversations).secret
    if not name:
        return None
    found = await app_secrets.opened(conn, seals.from_settings(settings), await apps.of_id(conn, app_id), [name])
    return found.get(name)


async def ask(
    settings: Settings, clock: Clock, call: acts.Call, key: str, secret: str | None
) -> Mapping[str, object] | None:
    """What the service answers: a JSON object; None when it does not."""
    if call.url == demo_support.URL:
        try:
            return demo_support.answer(dict(call.body or {}))
        except Invalid:
            return None
    body = None if call.body is None else json.dumps(dict(call.body), ensure_ascii=False).encode()
    limits = fetch.Limits(
        connect=call.timeout_s, silence=call.timeout_s, total=call.timeout_s, answer_bytes=MOST_BYTES, redirects=3
    )
    for tried in range(call.retries + 1):
        if tried:
            await asyncio.sleep(WAITS_S[min(tried, len(WAITS_S)) - 1])
        headers = _headers(call, key, body, secret, clock())
        question = Question(cast("Method", call.method), call.url, headers, body)
        try:
            async with fetch.open_line(settings.pull_private_networks, limits) as line:
                told: object = json.loads(await line.ask(question))
        except (Invalid, ValueError) as error:
            log.info("call_failed call=%s try=%s error=%s", key, tried + 1, error)
            continue
        return cast("dict[str, object]", told) if isinstance(told, dict) else {"value": told}
    return None


def _headers(
    call: acts.Call, key: str, body: bytes | None, secret: str | None, now: datetime
) -> tuple[tuple[str, str], ...]:
    sent = {"Accept": "application/json", "User-Agent": "Heliograph"}
    if body is not None:
        sent["Content-Type"] = "application/json"
    sent |= call.headers
    sent["Idempotency-Key"] = key
    if secret is not None:
        signed = webhook.headers(key, (body or b"").decode(), [webhook.secret_of(secret.encode())], now=now)
        sent |= {name: value for name, value in signed.items() if name.startswith("webhook-")}
    return tuple(sent.items())
