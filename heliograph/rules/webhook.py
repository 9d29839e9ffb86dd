"""Telling other systems what happens: which events there are, how they are signed, and when one is tried again.

Signatures and headers after Standard Webhooks 1.0 (standard-webhooks/standard-webhooks, spec/standard-webhooks.md), so
that its libraries check them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Event(StrEnum):
    """What can be told, by the names that subscriptions choose from."""

    REPLY_RECEIVED = "reply.received"
    CONVERSATION_OPENED = "conversation.opened"
    CONVERSATION_HANDED_OVER = "conversation.handed_over"
    CONVERSATION_ANSWERED = "conversation.answered"
    CONVERSATION_CLOSED = "conversation.closed"
    OPT_OUT_RECORDED = "opt_out.recorded"
    CAMPAIGN_STARTED = "campaign.started"
    CAMPAIGN_PAUSED = "campaign.paused"
    CAMPAIGN_RESUMED = "campaign.resumed"
    CAMPAIGN_STOPPED = "campaign.stopped"
    CAMPAIGN_COMPLETED = "campaign.completed"
    CAMPAIGN_DELETED = "campaign.deleted"
    MESSAGE_DELIVERED = "message.delivered"
    MESSAGE_FAILED = "message.failed"


MEANS: dict[Event, str] = {
    Event.REPLY_RECEIVED: "Somebody wrote to one of your addresses.",
    Event.CONVERSATION_OPENED: "A conversation waits for a person now.",
    Event.CONVERSATION_HANDED_OVER: "A flow gave a conversation to a person.",
    Event.CONVERSATION_ANSWERED: "A person wrote an answer.",
    Event.CONVERSATION_CLOSED: "A person closed a conversation.",
    Event.OPT_OUT_RECORDED: "Somebody said no, by a reply or otherwise.",
    Event.CAMPAIGN_STARTED: "A campaign was started, by a person or by its schedule.",
    Event.CAMPAIGN_PAUSED: "A campaign was paused.",
    Event.CAMPAIGN_RESUMED: "A paused campaign goes on.",
    Event.CAMPAIGN_STOPPED: "A campaign was stopped.",
    Event.CAMPAIGN_COMPLETED: "Nobody of a campaign's run is left to text.",
    Event.CAMPAIGN_DELETED: "A campaign was deleted.",
    Event.MESSAGE_DELIVERED: "Texts came to their phones; up to 100 in one event. By name only.",
    Event.MESSAGE_FAILED: "Texts failed; up to 100 in one event. By name only.",
}
TEST = "webhook.test"
"""What is sent to try an address out. Nobody subscribes to it."""

ALL = "*"
"""In the place of names: every event, also those that there will be, but those of ``BY_NAME``."""

BY_NAME = frozenset({Event.MESSAGE_DELIVERED, Event.MESSAGE_FAILED})
"""As many as texts: whoever wants to be told everything need not mean these."""

# After each try that failed, the wait for the next: ten in all, the last a day after the first.
WAITS = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 29_645))
GIVEN_UP = timedelta(days=3)
"""An address that took nothing for so long is asked no more until a person switches it on again."""
KEPT = timedelta(days=7)
"""How long what was told, and its tries, can be looked at."""
TWO_SECRETS = timedelta(hours=24)
"""How long the old secret signs beside a new one."""

SECRET_BYTES = 32
PREFIX = "whsec_"
GONE = 410
TAKEN = range(200, 300)


@dataclass(frozen=True, slots=True)
class Told:
    """Something to tell. ``data``: what JSON can hold."""

    event: Event | str
    data: Mapping[str, object]


def written(data: Mapping[str, object]) -> str:
    """What an event tells, as it is kept until it is sent."""
    return json.dumps(dict(data), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def content(event: str, data: str, *, at: datetime, app: str) -> str:
    """The JSON that is sent: ``type``, ``timestamp``, ``data`` after Standard Webhooks, and whose it is.

    The same each time it is tried, to the letter.
    """
    frame = json.dumps({"type": event, "timestamp": instant(at), "appId": app}, separators=(",", ":"))
    return f'{frame[:-1]},"data":{data}}}'


def instant(moment: datetime) -> str:
    """A time as it is written in them: UTC, milliseconds, ``Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def headers(event_id: str, body: str, secrets: Sequence[str], *, now: datetime) -> dict[str, str]:
    """What goes with ``body``: its id, the time of this try, a signature by each secret."""
    seconds = int(now.timestamp())
    return {
        "Content-Type": "application/json",
        "User-Agent": "Heliograph-Webhooks/1",
        "webhook-id": event_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(signature(secret, event_id, seconds, body) for secret in secrets),
    }


def signature(secret: str, event_id: str, seconds: int, body: str) -> str:
    """``v1,`` and the base64 of HMAC-SHA256 over ``<id>.<seconds>.<body>``."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{event_id}.{seconds}.{body}".encode()
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def secret_of(raw: bytes) -> str:
    """Random bytes as a secret is written."""
    return PREFIX + base64.b64encode(raw).decode()


def next_try(tries: int, delivery_id: int, *, now: datetime) -> datetime | None:
    """When to try again after ``tries`` that failed; None: not any more.

    Up to a tenth later than the table says, by its id, so that what failed together does not come back together.
    """
    if tries > len(WAITS):
        return None
    wait = WAITS[tries - 1]
    return now + wait + wait * ((delivery_id * 2_654_435_761 % 1_000) / 10_000)
