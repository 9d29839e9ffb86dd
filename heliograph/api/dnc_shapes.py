"""What the JSON of do-not-contact lists and settings looks like, for its description at /docs. Nothing is checked."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from heliograph.api.opt_out_shapes import OptOutSettings
from heliograph.api.preview_shapes import FrequencyCap, Prices
from heliograph.api.shapes import CampaignName, FileName, Shape
from heliograph.api.talk_shapes import TalkSettings
from heliograph.rules import caps, retention
from heliograph.rules import do_not_contact as law

DNC_LIST_ID = "cl-3aefda80-f98e-4f4f-ad41-92803abb1111"
NUMBER = "+14155550100"

Name = Annotated[str, Field(min_length=1, max_length=48, examples=["Asked not to be texted"])]
Description = Annotated[str, Field(max_length=256)]
Reason = Annotated[str, Field(max_length=law.LONGEST_REASON, examples=["Asked at the counter"])]
Kind = Literal["number", "prefix"]

NUMBER_TOLD = "A number with its country code, or a prefix: `+1900*`, or `+1900` with `kind` prefix."
EXPIRY_TOLD = "When it ends: an ISO 8601 time to come, such as `2031-06-27T18:30:00Z`. Null: never."


class DncListDraft(Shape):
    """A do-not-contact list to create."""

    example: ClassVar[dict[str, Any]] = {"name": "Asked not to be texted", "description": "", "isGlobalDNC": False}

    name: Name
    description: Description | None = ""
    isGlobalDNC: bool | None = Field(default=False, description="It counts for every campaign, linked or not.")


class DncListChanges(Shape):
    """What to change of a do-not-contact list; what is left out stays. Runs under way are not touched."""

    example: ClassVar[dict[str, Any]] = {"name": "Said no", "isGlobalDNC": True}

    name: Name | None = None
    description: Description | None = None
    isGlobalDNC: bool | None = None


class DncListRecord(Shape):
    """A do-not-contact list."""

    id: str = Field(alias="_id", examples=[DNC_LIST_ID])
    name: str
    description: str
    listType: Literal["dnc"]
    isGlobalDNC: bool
    isDefault: bool = Field(description="The list that every app has. It cannot be deleted.")
    totalRecordCount: int = Field(description="Its entries, those that have ended among them.")
    isListInUse: bool
    campaignInUse: list[CampaignName] = Field(description="The campaigns that are linked to it.")
    files: list[FileName]
    createdAt: str
    updatedAt: str


class DncListAnswer(Shape):
    """A do-not-contact list in the common envelope."""

    status: Literal["success"]
    message: str = Field(examples=["DNC list Asked not to be texted created successfully"])
    data: DncListRecord


class DncListsAnswer(Shape):
    """Every do-not-contact list of the app."""

    status: Literal["success"]
    message: str
    data: list[DncListRecord]


class DncEntryDraft(Shape):
    """One number, or all that begin alike."""

    phoneNumber: str | int = Field(examples=[NUMBER], description=NUMBER_TOLD)
    kind: Literal["number", "prefix", ""] | None = None
    reason: Reason | None = None
    expiresAt: str | None = Field(default=None, description=EXPIRY_TOLD)


class DncEntriesDraft(Shape):
    """Entries to put on a list: many in `entries`, or one, whose fields stand in the body itself.

    Beside `entries`, `reason` and `expiresAt` count for those that have none of their own.
    """

    example: ClassVar[dict[str, Any]] = {
        "entries": [NUMBER, {"phoneNumber": "+1900", "kind": "prefix", "reason": "Premium rate"}],
        "reason": "Asked at the counter",
    }

    entries: Annotated[list[str | DncEntryDraft], Field(min_length=1, max_length=law.MOST_AT_ONCE)] | None = None
    phoneNumber: str | int | None = Field(default=None, description=NUMBER_TOLD)
    kind: Literal["number", "prefix", ""] | None = None
    reason: Reason | None = None
    expiresAt: str | None = Field(default=None, description=EXPIRY_TOLD)


class DncNumbers(Shape):
    """Entries to take off a list."""

    example: ClassVar[dict[str, Any]] = {"phoneNumbers": [NUMBER, "+1900*"]}

    phoneNumbers: list[str | int] = Field(min_length=1, max_length=law.MOST_AT_ONCE)


class DncEntryChanges(Shape):
    """What to change of an entry; what is left out stays."""

    example: ClassVar[dict[str, Any]] = {"reason": "Asked by letter", "expiresAt": None}

    reason: Reason | None = None
    expiresAt: str | None = Field(default=None, description=EXPIRY_TOLD)


class DncEntryRecord(Shape):
    """An entry of a do-not-contact list."""

    id: str = Field(alias="_id", examples=[NUMBER], description="What it is called in a path; a prefix with its star.")
    phoneNumber: str
    kind: Kind
    reason: str
    source: str = Field(description="Who put it there: `api`, `import`, `person` …")
    isActive: bool = Field(description="Whether it counts: it has not ended.")
    createdAt: str
    expiresAt: str | None


class DncEntryAnswer(Shape):
    """An entry in the common envelope."""

    status: Literal["success"]
    message: str
    data: DncEntryRecord


class DncEntryPage(Shape):
    """Some of the entries of a list."""

    results: list[DncEntryRecord]
    skip: int
    limit: int
    hasMore: bool
    totalPages: int
    totalResults: int


class DncEntriesAnswer(Shape):
    """Entries in the common envelope."""

    status: Literal["success"]
    message: str
    data: DncEntryPage


class DncAdded(Shape):
    """What became of the entries sent."""

    dncListId: str = Field(examples=[DNC_LIST_ID])
    added: int
    known: int = Field(description="Those that were on the list, or came twice. They keep the later end.")


class DncAddedAnswer(Shape):
    """The report of an addition in the common envelope."""

    status: Literal["success"]
    message: str
    data: DncAdded


class DncRemoved(Shape):
    """What became of the entries named."""

    dncListId: str = Field(examples=[DNC_LIST_ID])
    removed: int
    notFound: list[str] = Field(description="Those that were not on the list.")


class DncRemovedAnswer(Shape):
    """The report of a removal in the common envelope."""

    status: Literal["success"]
    message: str
    data: DncRemoved


class DncCsvFile(Shape):
    """A file of numbers, with a header or a number a line. Also taken as it is, with Content-Type ``text/csv``."""

    media = "multipart/form-data"

    example: ClassVar[dict[str, Any]] = {"file": "phoneNumber,reason,expiresAt\n+14155550100,Asked,\n+1900*,,\n"}

    file: bytes = Field(json_schema_extra={"format": "binary"})


class QuietPlace(Shape):
    """An app's own rule for a place, instead of the shipped one."""

    example: ClassVar[dict[str, Any]] = {
        "place": "US-FL",
        "monday_to_friday": "09:00-20:00",
        "saturday": "09:00-20:00",
        "sunday": "closed",
        "source": "Our counsel, November 2026",
    }

    place: str = Field(description="A country such as IN, a state such as US-FL, or * for all that have no rule.")
    monday_to_friday: str | None = Field(default=None, description="From-to by the clock there, or closed.")
    saturday: str | None = None
    sunday: str | None = None
    holidays: bool | None = Field(default=None, description="True: closed on public holidays too.")
    name: str | None = None
    basis: str | None = None
    source: str | None = None
    off: bool | None = Field(default=None, description="True: the place has no rule; it takes no hours then.")


class QuietHours(Shape):
    """When promotional texts may arrive, by the law of each place. What is left out stays."""

    enabled: bool | None = None
    places: list[QuietPlace] | None = Field(default=None, max_length=500, description="In place of those there were.")


class QuietHoursRecord(Shape):
    """Whether quiet hours count, and the app's own rules."""

    enabled: bool
    places: list[QuietPlace]
    version: str = Field(description="Of the shipped rules.", examples=["2026-11-23"])


_PLAIN = (
    "What is done about curly quotes, long dashes and odd spaces, one of which makes a text twice as long: `on`, they "
    "are exchanged for plain ones where the whole text fits GSM 03.38 then; `warn`, whoever writes a campaign is told; "
    "`off`, nothing."
)


Days = Annotated[int | None, Field(ge=1, le=retention.LONGEST)]


class RetentionTerms(Shape):
    """For how many days what is about people is kept. Totals, opt-outs and their evidence stay in any case."""

    textsDays: Days = Field(default=None, description="What texts said, from the end of their run on; null: for ever.")
    peopleDays: Days = Field(default=None, description="Whom texts went to, and what they said; null: for ever.")
    conversationsDays: Days = Field(default=None, description="What people wrote, conversations, and flows' answers.")
    auditDays: int | None = Field(default=None, ge=90, le=retention.LONGEST, description="Who did what in the app.")


class SettingsRecord(Shape):
    """What an app decides for all its campaigns."""

    globalDncAppliesToSms: bool = Field(
        description="Whether global do-not-contact lists count for every campaign. With the vendor they are for voice "
        "only, and a text is checked against the list that its campaign is linked to."
    )
    unknownAsk: bool = Field(
        description="Whether carriers that can answer are asked by ourselves about messages whose fate is unknown."
    )
    frequencyCap: list[FrequencyCap]
    prices: Prices
    plainSubstitutes: Literal["off", "warn", "on"] = Field(description=_PLAIN)
    quietHours: QuietHoursRecord
    optOut: OptOutSettings = Field(description="Replies that say no, yes or help.")
    conversations: TalkSettings = Field(description="What people write besides, and the flows that hear it.")
    retention: RetentionTerms


class SettingsChanges(Shape):
    """Settings to change; what is left out stays."""

    example: ClassVar[dict[str, Any]] = {"globalDncAppliesToSms": True}

    globalDncAppliesToSms: bool | None = None
    unknownAsk: bool | None = None
    quietHours: QuietHours | None = None
    optOut: OptOutSettings | None = None
    conversations: TalkSettings | None = None
    retention: RetentionTerms | None = None
    frequencyCap: list[FrequencyCap] | None = Field(
        default=None, max_length=caps.MOST_CAPS, description="All of them count; [] for none."
    )
    prices: Prices | None = Field(default=None, description="{} for none.")
    plainSubstitutes: Literal["off", "warn", "on"] | None = Field(default=None, description=_PLAIN)

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})


class SettingsAnswer(Shape):
    """The settings of the app in the common envelope."""

    status: Literal["success"]
    message: str
    data: SettingsRecord
