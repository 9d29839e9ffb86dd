"""What the JSON of campaigns looks like, for its description at /docs. As in shapes.py, nothing is validated here."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from heliograph.api import campaign_query
from heliograph.api.filter_shapes import FilterGroup
from heliograph.api.shapes import CAMPAIGN_ID, Shape
from heliograph.rules import hold_out

StatusWord = Literal["Active", "Completed", "Ready", "Paused", "Preparing", "Stopped", "Scheduled", "Rescheduled"]
RUN_ID = "cid-5b1f8f6e-5d0a-4c35-9d3e-0a6c1f2b0000"


class CallerId(Shape):
    """Who the texts come from."""

    phoneNumber: str = Field(
        examples=["+14155550199"],
        description="A number, short code or sender name, or `pool:` and the name of a pool of senders.",
    )


class CallingDay(Shape):
    """A window in which texts may leave. A window that ends before it starts runs past midnight."""

    day: Literal["MO", "TU", "WE", "TH", "FR", "SA", "SU"] | None = None
    start: str = Field(examples=["9:00 AM"])
    end: str = Field(examples=["6:00 PM"])


class CallingHours(Shape):
    """When texts may leave."""

    frequency: Literal["WEEKLY", "DAILY", "CUSTOM"]
    timezone: str = Field(examples=["Asia/Kolkata"], description="A tz-database name; a contact's own goes first.")
    days: list[CallingDay]


class DialingStrategy(Shape):
    """From whom, and when."""

    callerId: CallerId
    callingHours: CallingHours


class CampaignText(Shape):
    """What to say: plain or Base64, with placeholders such as ``<First Name>``; or the template that says it."""

    message: str | None = Field(
        default=None,
        examples=["Hello <First Name>, our spring sale starts today."],
        description="With a template it may be left out, and the template's words are taken.",
    )
    template_name: str | None = Field(default=None, description="A template by its name, by its id, or by both.")
    templateId: str | None = None


class DncName(Shape):
    """The DNC list a campaign is held against."""

    name: str = Field(examples=["Never"])


class Exclude(Shape):
    """Campaigns whose readers are left out: whoever got one of them in any run, or perhaps got it."""

    campaigns: list[str] = Field(
        max_length=hold_out.MOST_CAMPAIGNS, examples=[["Spring Sale"]], description="Names or ids; names are answered."
    )


class Scheduling(Shape):
    """How the campaign starts."""

    isSchedulingEnabled: bool = False


class CampaignDraft(Shape):
    """A campaign to create, or to put in the place of what it was."""

    # What each format needs on top of what both have.
    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {
                    "title": "simple",
                    "properties": {"format": {"const": "simple"}, "message": {"type": "object"}},
                    "required": ["message"],
                },
                {
                    "title": "advanced",
                    "properties": {"format": {"const": "advanced"}, "experienceFlowName": {"type": "string"}},
                    "required": ["experienceFlowName"],
                },
            ]
        }
    )
    example: ClassVar[dict[str, Any]] = {
        "name": "Spring Sale",
        "description": "Ten days in March",
        "contactLists": ["Leads"],
        "campaignType": "sms",
        "priority": "5",
        "format": "simple",
        "message": {"message": "Hello <First Name>, our spring sale starts today."},
        "dialingStrategy": {
            "callerId": {"phoneNumber": "+14155550199"},
            "callingHours": {
                "frequency": "WEEKLY",
                "timezone": "Asia/Kolkata",
                "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}],
            },
        },
        "schedule": {"isSchedulingEnabled": False},
    }

    name: str = Field(min_length=1, max_length=48, examples=["Spring Sale"])
    description: str = Field(default="", max_length=256)
    contactLists: list[str] = Field(min_length=1, max_length=10, examples=[["Leads"]], description="Names of lists.")
    dncLists: DncName | None = None
    campaignType: Literal["sms"] = "sms"
    priority: Literal["1", "2", "3", "4", "5"] = "5"
    format: Literal["simple", "advanced"]
    message: CampaignText | None = Field(default=None, description="For simple campaigns.")
    experienceFlowName: str | None = Field(default=None, description="For advanced campaigns.")
    dialingStrategy: DialingStrategy
    schedule: Scheduling | None = None
    isFiltersEnabled: bool | None = Field(default=None, description="False: filters that are sent are not used.")
    filters: FilterGroup | None = Field(default=None, description="Whom of the lists it is for; null: everybody.")
    zoneRule: Literal["vendor", "recipient"] | None = Field(
        default=None,
        description="Whose clock calling hours go by: the contact's own zone, else the campaign's (vendor, when not "
        "sent); or the contact's own, else all zones that the number may be in (recipient).",
    )
    transactional: bool | None = Field(
        default=None, description="True: no promotion, so quiet hours and frequency caps do not count."
    )
    exclude: Exclude | None = None
    holdOut: int | None = Field(
        default=None, ge=0, le=hold_out.MOST, description="Percent of its people who get nothing, to compare with."
    )


# What the query of a list takes for numbers; campaign_query.py reads them.
Place = Annotated[int, Field(ge=0, le=campaign_query.MAX_SKIP)]
Page = Annotated[int, Field(ge=1, le=campaign_query.MAX_PAGE)]
Limit = Annotated[int, Field(ge=1, le=campaign_query.MAX_LIMIT)]
Unset = Literal[""] | None


class SortBy(Shape):
    """One of these."""

    name: Literal["asc", "desc"] | None = None
    createdAt: Literal["asc", "desc"] | None = None
    updatedAt: Literal["asc", "desc"] | None = None


class CampaignFilters(Shape):
    """What to narrow the list to."""

    status: list[StatusWord] | None = None
    priority: list[Annotated[int, Field(ge=1, le=5)]] | None = None


class CampaignQuery(Shape):
    """Which campaigns, in what order, which page. An empty string or null means that a field is not set."""

    example: ClassVar[dict[str, Any]] = {
        "type": "sms",
        "page": 1,
        "limit": 50,
        "sortBy": {"createdAt": "desc"},
        "filters": {"status": ["Active", "Ready"], "priority": [4, 5]},
    }

    type: Literal["sms"]
    skip: Place | Unset = Field(default=0, description="Above 0 it wins over page.")
    page: Page | Unset = 1
    limit: Limit | Unset = 50
    startDate: str | None = Field(default=None, description="Created at or after (ISO 8601).")
    endDate: str | None = Field(default=None, description="Created at or before (ISO 8601).")
    sortBy: SortBy | None = Field(default=None, description="Newest first when absent.")
    filters: CampaignFilters | None = None


class PeopleQuery(Shape):
    """Which page of ``view=contacts``; may be absent."""

    needed = False
    example: ClassVar[dict[str, Any]] = {"page": 1, "limit": 20}

    page: Annotated[int, Field(ge=1, le=campaign_query.MAX_STATUS_PAGE)] | Unset = 1
    limit: Annotated[int, Field(ge=1, le=campaign_query.MAX_STATUS_LIMIT)] | Unset = campaign_query.STATUS_LIMIT


class CampaignRecord(Shape):
    """A campaign."""

    id: str = Field(alias="_id", examples=[CAMPAIGN_ID])
    name: str
    lname: str
    description: str
    status: StatusWord
    dncLists: DncName | None = Field(default=None, description="Version 2 only, when one is linked.")
    priority: str
    dialingStrategy: dict[str, Any]
    message: dict[str, Any] | None = Field(default=None, description="Simple campaigns.")
    experienceFlow: str | None = Field(default=None, description="Advanced campaigns: the id of the flow.")
    isImported: bool | None = Field(default=None, description="Version 2 only.")
    isFiltersEnabled: bool | None = Field(default=None, description="Version 2 only.")
    filters: FilterGroup | None = Field(default=None, description="As sent, when there are any.")
    zoneRule: Literal["recipient"] | None = Field(default=None, description="When it is not vendor.")
    transactional: Literal[True] | None = Field(default=None, description="When it is.")
    exclude: Exclude | None = Field(default=None, description="When there are any.")
    holdOut: int | None = Field(default=None, description="When it is not 0.")
    createdAt: str
    updatedAt: str
    schedule: dict[str, Any]
    campaignInstanceId: str | None = Field(default=None, examples=[RUN_ID], description="From the first start on.")
    contactLists: list[str]
    enableMachineDetect: bool | None = Field(default=None, description="Version 1 only, absent from delete.")
    format: Literal["simple", "advanced"]


class CampaignAnswer(Shape):
    """A campaign in the common envelope."""

    status: Literal["success"]
    message: str = Field(examples=["Campaign Spring Sale creation in progress"])
    data: CampaignRecord


class CampaignRow(Shape):
    """A campaign in a list."""

    name: str
    description: str
    status: StatusWord
    dncLists: DncName | None = Field(default=None, description="Version 2 only, when one is linked.")
    priority: str
    message: dict[str, Any] | None = None
    experienceFlow: str | None = None
    createdAt: str
    updatedAt: str
    schedule: dict[str, Any]
    campaignInstanceId: str | None = Field(default=None, examples=[RUN_ID])
    id: str = Field(examples=[CAMPAIGN_ID])
    totalMessagesSent: int = Field(description="Texts of the present run that the carrier took.")
    campaignInstanceUpdatedAt: str
    campaignExecutionType: Literal["NORMAL", "EMERGENCY"]
    contactLists: list[str]
    format: Literal["simple", "advanced"]


class CampaignPage(Shape):
    """Some of the app's campaigns."""

    results: list[CampaignRow]
    skip: int
    limit: int
    hasMore: bool
    totalPages: int
    totalResults: int


class CampaignsAnswer(Shape):
    """Campaigns in the common envelope."""

    status: Literal["success"]
    message: str = Field(examples=["Campaign  retrieved successfully"])
    data: CampaignPage


class TriggerAnswer(Shape):
    """What a trigger has done."""

    status: StatusWord
    message: Literal["Campaign Started", "Campaign Paused", "Campaign Resumed", "Campaign Stopped"]
    updatedAt: str
    campaignExecutionType: Literal["NORMAL", "EMERGENCY"] | None = Field(default=None, description="Stop only.")


class CampaignStanding(Shape):
    """``view=status``."""

    id: str = Field(examples=[CAMPAIGN_ID])
    status: StatusWord
    name: str


class CampaignLedger(CampaignStanding):
    """``view=ledger``: where everyone of the present run stands. ``total`` is the sum of the nine after it."""

    campaignInstanceId: str | None = Field(default=None, examples=[RUN_ID])
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


class CampaignZones(CampaignStanding):
    """``view=zones``: by whose zones how many people of the present run are texted."""

    campaignInstanceId: str | None = Field(default=None, examples=[RUN_ID])
    byContact: int = Field(description="By the contact's own zone.")
    byNumber: int = Field(description="By all zones that the number may be in.")
    byCampaign: int = Field(description="By the campaign's.")
    transactional: bool = Field(description="Quiet hours do not count for the run.")


class ReasonTold(Shape):
    """How many people stand where they stand for one reason."""

    status: Literal["unknown", "failed", "suppressed", "expired", "accepted", "delivered"]
    reason: str = Field(description="As in a preview's leftOut, or a carrier's code.", examples=["do_not_contact"])
    people: int


class CampaignReasons(CampaignStanding):
    """``view=reasons``: for which reasons how many people of the present run got no text; the most frequent 100."""

    campaignInstanceId: str | None = Field(default=None, examples=[RUN_ID])
    reasons: list[ReasonTold]


class CampaignPerson(Shape):
    """Somebody of the present run."""

    phoneNumber: str = Field(examples=["+14155550100"])
    uniqueId: str
    dialerOutcome: Literal["completed", ""] = Field(description="completed when nothing is left to do.")
    numberOfAttemptsSoFar: int
    botSessionId: str
    agentDispositionCodes: list[str]
    botOutboundStatus: Literal[
        "held", "ready", "submitting", "unknown", "accepted", "failed", "delivered", "suppressed", "expired"
    ]
    botOutboundStatusDetail: str


class CampaignPeople(Shape):
    """``view=contacts``."""

    results: list[CampaignPerson]
    page: int
    limit: int
    totalPages: int
    totalResults: int


class CampaignStatusAnswer(Shape):
    """The view asked for."""

    status: Literal["success"]
    data: CampaignLedger | CampaignZones | CampaignReasons | CampaignPeople | CampaignStanding
