"""What the JSON of causes and stories looks like, for its description at /docs. As in shapes.py, nothing is checked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from heliograph.api.campaign_shapes import StatusWord
from heliograph.api.shapes import CAMPAIGN_ID, Shape
from heliograph.rules.message import MessageStatus
from heliograph.rules.story import Happened
from heliograph.rules.why import Kind

CauseKind = Annotated[str, Field(json_schema_extra={"enum": [kind.value for kind in Kind]})]


class CauseRecord(Shape):
    """One reason why a campaign stands where it stands."""

    kind: CauseKind
    until: str | None = Field(description="When it clears, as far as that is known.")
    zone: str | None = Field(
        description="Whose clock decides; several have commas between them.", examples=["Asia/Kolkata"]
    )
    people: int = Field(description="Whom it keeps; 0 where it is not about a number of people.")
    since: str | None
    detail: str = Field(description="A name, a place, a rate, or what a carrier said.")
    words: str = Field(examples=["Closed until Mon 09:00 Asia/Kolkata for 1,204 people."])


class ZonesTold(Shape):
    """By whose zones how many people of the present run are texted: those that calling hours are read in."""

    byContact: int = Field(description="By the contact's own zone.")
    byNumber: int = Field(description="By all zones that the number may be in, as zoneRule recipient has it.")
    byCampaign: int = Field(description="By the campaign's, for want of another.")
    transactional: bool = Field(description="Quiet hours do not count for this run.")


class WhyRecord(Shape):
    """Why a campaign stands where it stands."""

    id: str = Field(examples=[CAMPAIGN_ID])
    name: str
    status: StatusWord
    words: str
    causes: list[CauseRecord] = Field(min_length=1, description="The main one first.")
    zones: ZonesTold


class WhyAnswer(Shape):
    """It, in the common envelope."""

    status: Literal["success"]
    message: str
    data: WhyRecord


Happening = Annotated[str, Field(json_schema_extra={"enum": [what.value for what in Happened]})]
MessageWord = Annotated[str, Field(json_schema_extra={"enum": [member.word for member in MessageStatus]})]


class StoryEvent(Shape):
    """Something that happened to a message at a time, or will; null: nobody wrote down when."""

    at: str | None
    what: Happening
    words: str


class MessageTold(Shape):
    """A message and its story."""

    messageId: str
    phoneNumber: str
    campaignId: str
    campaignName: str
    campaignInstanceId: str
    text: str
    parts: int
    status: MessageWord
    statusDetail: str
    events: list[StoryEvent]


class NumberTold(Shape):
    """A number: whether a campaign that began now would text it, and its newest messages."""

    phoneNumber: str
    wouldBeTexted: bool
    because: str
    conversations: list[str] = Field(description="Where those that are not over stand, a sentence each.")
    messages: list[MessageTold]


class LedgerTold(Shape):
    """Where everybody of the run stands; the total is the sum of the others."""

    total: int
    held: int
    ready: int
    submitting: int
    unknown: int
    accepted: int
    failed: int
    delivered: int
    suppressed: int
    expired: int


class CampaignTold(WhyRecord):
    """A campaign: why it stands where it stands, and its ledger."""

    ledger: LedgerTold


class Story(Shape):
    """The one of the three that was asked for; the others are null."""

    message: MessageTold | None
    number: NumberTold | None
    campaign: CampaignTold | None


class StoryAnswer(Shape):
    """A story in the common envelope."""

    status: Literal["success"]
    message: str
    data: Story
