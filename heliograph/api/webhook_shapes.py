"""What the JSON of webhooks looks like, for its description at /docs. As in shapes.py, nothing is validated."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, JsonValue

from heliograph.api.shapes import Shape
from heliograph.rules import webhook, webhook_body

WEBHOOK_ID = "wh-3aefda80-f98e-4f4f-ad41-92803abb0000"
EVENT_ID = "ev-3aefda80-f98e-4f4f-ad41-92803abb0000"
URL = "https://192.0.2.10/heliograph"  # nobody's

NAMES: list[JsonValue] = [webhook.ALL, *(event.value for event in webhook.Event)]
ALL_MEANS = "`*` stands for all, also those that there will be, but `message.*`: as many as texts, they are named."
EventName = Annotated[str, Field(json_schema_extra={"enum": NAMES})]
Description = Annotated[str, Field(max_length=webhook_body.LONGEST_DESCRIPTION)]
Address = Annotated[str, Field(examples=[URL], pattern="^https?://", description="Where to POST to.")]


class WebhookDraft(Shape):
    """Where to be told, of what."""

    example: ClassVar[dict[str, Any]] = {"url": URL, "events": ["reply.received", "conversation.opened"]}

    url: Address
    events: list[EventName] = Field(min_length=1, description=ALL_MEANS)
    description: Description | None = None
    enabled: bool = True


class WebhookChanges(Shape):
    """What to change; what is left out stays."""

    example: ClassVar[dict[str, Any]] = {"events": ["*"], "description": "Our help desk"}

    url: Address | None = None
    events: list[EventName] | None = Field(default=None, min_length=1)
    description: Description | None = None
    enabled: bool | None = None

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})


class WebhookRecord(Shape):
    """Somebody who is told."""

    id: str = Field(alias="_id", examples=[WEBHOOK_ID])
    url: str
    description: str
    events: list[str]
    enabled: bool
    disabledReason: str | None = Field(description="Why it was switched off by itself; null: it was not.")
    failingSince: str | None = Field(description="Nothing has arrived since then; null: the last one did.")
    createdAt: str
    updatedAt: str


class NewWebhook(WebhookRecord):
    """Somebody who is told, with the secret."""

    secret: str = Field(description="What signs each request, shown this once.")


class WebhookAnswer(Shape):
    """A webhook in the common envelope."""

    status: Literal["success"]
    message: str
    data: WebhookRecord


class NewWebhookAnswer(Shape):
    """A webhook and its secret in the common envelope."""

    status: Literal["success"]
    message: str
    data: NewWebhook


class WebhooksAnswer(Shape):
    """An app's webhooks in the common envelope."""

    status: Literal["success"]
    message: str
    data: list[WebhookRecord]


class WebhookTest(Shape):
    """The event that it is told of."""

    eventId: str = Field(examples=[EVENT_ID])


class WebhookTestAnswer(Shape):
    """A test in the common envelope."""

    status: Literal["success"]
    message: str
    data: WebhookTest


class DeliveryTry(Shape):
    """One time that it was tried."""

    at: str
    ms: int
    status: int | None = Field(description="Of HTTP; null: there was no answer.")
    words: str = Field(description="Why there was none, or the beginning of the answer.")


class DeliveryRecord(Shape):
    """One event, and what came of telling it."""

    eventId: str = Field(examples=[EVENT_ID])
    event: str
    state: Literal["waiting", "delivered", "failed"]
    createdAt: str
    nextAt: str | None = Field(description="When it is tried next; null: not any more.")
    data: dict[str, Any]
    tries: list[DeliveryTry]


class DeliveryPage(Shape):
    """Some of what it was told, the newest first."""

    results: list[DeliveryRecord]
    skip: int
    limit: int
    hasMore: bool


class DeliveriesAnswer(Shape):
    """Deliveries in the common envelope."""

    status: Literal["success"]
    message: str
    data: DeliveryPage


class EventMeaning(Shape):
    """An event that there is."""

    event: str
    means: str


class EventsAnswer(Shape):
    """The events in the common envelope."""

    status: Literal["success"]
    message: str
    data: list[EventMeaning]
