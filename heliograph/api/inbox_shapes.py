"""What the JSON of conversations looks like, for its description at /docs. As in shapes.py, nothing is validated."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from heliograph.api.shapes import Shape
from heliograph.rules import inbox as law

CONVERSATION_ID = "cv-3aefda80-f98e-4f4f-ad41-92803abb0000"
NUMBER = "+14155550100"
ADDRESS = "+12025550123"

Status = Literal["open", "closed"]
Name = Annotated[str, Field(min_length=1, max_length=law.LONGEST_NAME)]


class ConversationDraft(Shape):
    """Whom to talk with, and from which address of yours."""

    example: ClassVar[dict[str, Any]] = {"phoneNumber": NUMBER, "address": ADDRESS}

    phoneNumber: str = Field(examples=[NUMBER], description="With its country code.")
    address: str = Field(examples=[ADDRESS], description="A sender of yours.")


class ConversationChanges(Shape):
    """What to change of a conversation; what is left out stays."""

    example: ClassVar[dict[str, Any]] = {"assignee": "ana", "unread": False}

    status: Status | None = Field(default=None, json_schema_extra={"type": "string", "enum": ["open", "closed"]})
    assignee: Name | None = Field(default=None, description="Whose it is; null: nobody's.")
    team: Name | None = Field(default=None, description="Null: no team's.")
    unread: bool | None = Field(default=None, description="False: somebody has read it.")

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})


class AnswerDraft(Shape):
    """What to write: `text`, or the `template` that says it."""

    example: ClassVar[dict[str, Any]] = {"text": "Good morning! Your parcel left us yesterday.", "key": "a-1"}

    text: Annotated[str, Field(min_length=1, max_length=law.LONGEST_TEXT)] | None = None
    template: Annotated[str, Field(min_length=1, max_length=law.LONGEST_KEY)] | None = Field(
        default=None, description="The name or id of an SMS template; the person's columns fill it in."
    )
    key: Annotated[str, Field(min_length=1, max_length=law.LONGEST_KEY)] | None = Field(
        default=None, description="The same key again in this conversation is the same answer: nothing is sent."
    )


class NoteDraft(Shape):
    """What to keep in mind."""

    example: ClassVar[dict[str, Any]] = {"text": "Prefers to be called in the morning"}

    text: str = Field(min_length=1, max_length=law.LONGEST_NOTE)


class ConversationRecord(Shape):
    """Everything between one person and one address of yours."""

    id: str = Field(alias="_id", examples=[CONVERSATION_ID])
    phoneNumber: str = Field(examples=[NUMBER])
    address: str = Field(examples=[ADDRESS])
    status: Status
    reason: Literal["reply", "handed_over", "person"] | None = Field(
        description="Why it was opened last: they wrote and no flow answered, a flow handed it over, a person began it."
    )
    unread: int
    assignee: str | None
    team: str | None
    preview: str = Field(description="The beginning of the last message.")
    previewIsOurs: bool
    lastMessageAt: str
    lastInAt: str | None
    lastAnswerAt: str | None = Field(description="The last answer by hand.")
    openedAt: str | None
    closedAt: str | None
    createdAt: str


class ConversationAnswer(Shape):
    """A conversation in the common envelope."""

    status: Literal["success"]
    message: str
    data: ConversationRecord


class ConversationPage(Shape):
    """Some conversations, those with the newest message first."""

    results: list[ConversationRecord]
    skip: int
    limit: int
    hasMore: bool


class ConversationsAnswer(Shape):
    """Conversations in the common envelope."""

    status: Literal["success"]
    message: str
    data: ConversationPage


class ConversationCounts(Shape):
    """How many conversations there are of each kind; 1,000 stands for that many or more."""

    open: int
    unassigned: int
    unread: int
    mine: int = Field(description="Open ones of the `assignee` that was asked about.")
    mineUnread: int


class ConversationCountsAnswer(Shape):
    """The counts in the common envelope."""

    status: Literal["success"]
    message: str
    data: ConversationCounts


class ConversationEntry(Shape):
    """A message of a conversation, or something that happened to it."""

    kind: Literal["in", "out", "event"]
    at: str
    who: str = Field(
        description="`person`; of yours `campaign`, `flow`, `agent`, `automatic` or `api`; of an event what it was: "
        "`opened`, `handed_over`, `assigned`, `unassigned`, `closed`, `reopened`, `note`."
    )
    by: str = Field(description="The agent, the campaign's name, or who did it; empty: it happened by itself.")
    text: str
    messageId: str | None
    campaignId: str | None
    parts: int | None
    status: str | None = Field(description="Of a text of yours: where it stands.")
    why: str | None


class ConversationThread(Shape):
    """Entries of a conversation, the newest first."""

    results: list[ConversationEntry]
    limit: int
    next: str | None = Field(description="What `before` takes to go on with older ones; null: there are none.")


class ConversationThreadAnswer(Shape):
    """Entries in the common envelope."""

    status: Literal["success"]
    message: str
    data: ConversationThread


class AnswerRecord(Shape):
    """An answer on its way."""

    messageId: str
    heldUntil: str | None = Field(description="Quiet hours keep it until then; null: it leaves at once.")


class AnswerAnswer(Shape):
    """An answer in the common envelope."""

    status: Literal["success"]
    message: str
    data: AnswerRecord
