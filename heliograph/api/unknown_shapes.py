"""What the JSON of messages of unknown fate looks like, for its description at /docs. Nothing is checked here."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from heliograph.api.sender_shapes import ADDRESS
from heliograph.api.shapes import CAMPAIGN_ID, Shape
from heliograph.rules import unknown as law

MESSAGE_ID = "msg-3aefda80-f98e-4f4f-ad41-92803abb0000-0000001"
RUN_ID = "cid-3aefda80-f98e-4f4f-ad41-92803abb0000"
CHOOSING = ("messageIds", "campaignId", "campaignInstanceId", "senderId")

Note = Annotated[str, Field(max_length=law.LONGEST_NOTE, description="Why, for whoever asks later.")]
Finding = Literal["accepted", "delivered", "failed", "not_there", "nothing"]


def _chosen(schema: dict[str, Any]) -> None:
    """At least one of the four."""
    schema["anyOf"] = [{"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in CHOOSING]


class UnknownChoice(Shape):
    """Which unknown messages are meant: some, or all of a campaign, a run or a sender. What is given narrows it."""

    example: ClassVar[dict[str, Any]] = {"senderId": ADDRESS, "note": "The carrier had an outage"}

    messageIds: Annotated[list[str], Field(min_length=1, max_length=10_000)] | None = Field(
        default=None, examples=[[MESSAGE_ID]], description="All of them or, if one is not unknown, none."
    )
    campaignId: str | None = Field(default=None, max_length=200, examples=[CAMPAIGN_ID])
    campaignInstanceId: str | None = Field(default=None, max_length=200, examples=[RUN_ID])
    senderId: str | None = Field(default=None, max_length=200, description="The sender's id or address.")
    note: Note | None = None

    model_config = ConfigDict(json_schema_extra=_chosen)


class UnknownWait(UnknownChoice):
    """Which unknown messages are meant, and until when a receipt is waited for."""

    example: ClassVar[dict[str, Any]] = {"senderId": ADDRESS, "until": "2031-01-01T09:00:00Z"}

    until: str = Field(json_schema_extra={"format": "date-time"}, description="A time to come.")


class UnknownDecision(Shape):
    """What was decided last about a message."""

    kind: Literal["ask", "wait", "accept", "resend"]
    by: str = Field(description="A client's id, `cli:` and a name, or `worker`.")
    at: str
    note: str
    until: str | None
    overdue: bool = Field(description="A receipt was waited for until a time that has passed.")


class UnknownRecord(Shape):
    """A message of unknown fate, and what is known of it."""

    messageId: str = Field(examples=[MESSAGE_ID])
    phoneNumber: str
    campaignId: str
    campaignName: str
    campaignInstanceId: str = Field(examples=[RUN_ID])
    runEnded: bool
    sender: str
    carrierAccountId: str
    carrierAccountName: str
    reason: str | None
    since: str
    submittedAt: str | None = Field(description="When it left, where somebody lived to tell.")
    reference: None = Field(description="The carrier's own id: never known, or it would not be unknown.")
    finding: Finding | None = Field(description="What the carrier said when it was asked last.")
    decision: UnknownDecision | None


class UnknownPage(Shape):
    """Some of the unknown messages, those of the oldest run first."""

    results: list[UnknownRecord]
    skip: int
    limit: int
    hasMore: bool
    totalPages: int
    totalResults: int


class UnknownAnswer(Shape):
    """Unknown messages in the common envelope."""

    status: Literal["success"]
    message: str
    data: UnknownPage


class Decided(Shape):
    """What was decided about. ``left``: chosen, but more than a call takes; ask again."""

    messageIds: list[str]
    left: int


class DecidedAnswer(Shape):
    """A decision in the common envelope."""

    status: Literal["success"]
    message: str
    data: Decided


class Resent(Shape):
    """A message, and the one made in its place."""

    messageId: str = Field(examples=[MESSAGE_ID])
    newMessageId: str = Field(examples=[MESSAGE_ID])


class ResentMessages(Shape):
    """What is sent again. ``secondTexts``: how many of them may be a second text to that person."""

    messages: list[Resent]
    secondTexts: int
    left: int


class ResentAnswer(Shape):
    """Messages sent again, in the common envelope."""

    status: Literal["success"]
    message: str = Field(examples=["2 messages sent again. It may be a second text to 2 people"])
    data: ResentMessages


class AccountNotAsked(Shape):
    """A carrier account that could not be asked."""

    carrierAccountName: str
    reason: str


class Findings(Shape):
    """How many messages each finding was told of."""

    accepted: int
    delivered: int
    failed: int
    not_there: int = Field(description="The carrier certainly never got them: they wait for their turn again.")
    nothing: int


class AskedMessages(Shape):
    """What came of asking."""

    findings: Findings
    notAsked: list[AccountNotAsked]
    left: int


class AskedAnswer(Shape):
    """What carriers said, in the common envelope."""

    status: Literal["success"]
    message: str
    data: AskedMessages
