"""What the JSON of carrier accounts, senders and pools looks like, for its description at /docs.

As in shapes.py, nothing is validated here.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from heliograph.api.shapes import Shape
from heliograph.carriers import registry
from heliograph.rules import sender_body

CARRIER_ACCOUNT_ID = "ca-3aefda80-f98e-4f4f-ad41-92803abb0000"
SENDER_ID = "sn-3aefda80-f98e-4f4f-ad41-92803abb0000"
POOL_ID = "sp-3aefda80-f98e-4f4f-ad41-92803abb0000"
ADDRESS = "+14155550188"

Name = Annotated[str, Field(min_length=1, max_length=sender_body.LONGEST_NAME)]
Ref = Annotated[str, Field(max_length=sender_body.LONGEST_NAME)]
Kind = Annotated[str, Field(json_schema_extra={"enum": [*registry.KINDS]})]
CarrierSettings = Annotated[
    dict[str, Any], Field(description="What this kind of carrier takes; docs/sandbox.md lists those of the sandbox.")
]
PerSecond = Annotated[float, Field(ge=sender_body.LEAST_SECOND, le=sender_body.MOST_SECOND)]
PerDay = Annotated[int, Field(ge=1, le=sender_body.MOST_DAY)]
Zone = Annotated[str, Field(description="Whose midnight begins a day.", examples=["America/Los_Angeles"])]


class CarrierAccountDraft(Shape):
    """A carrier account to create. Secrets among its settings are sealed at rest and never answered."""

    example: ClassVar[dict[str, Any]] = {
        "name": "Lively Sandbox",
        "kind": "sandbox",
        "settings": {"refuse": 0.01, "receipt_failed": 0.02, "password": "a secret"},
    }

    name: Name = Field(examples=["Lively Sandbox"])
    kind: Kind
    settings: CarrierSettings | None = None


class CarrierAccountChanges(Shape):
    """What to change of a carrier account; what is left out stays.

    New settings take the place of all the old ones, but for secrets that they do not speak of: those stay.
    """

    example: ClassVar[dict[str, Any]] = {"settings": {"refuse": 0.05}}

    name: Name | None = None
    settings: CarrierSettings | None = None

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})


class SenderName(Shape):
    """A sender."""

    id: str = Field(examples=[SENDER_ID])
    address: str


class CarrierAccountRecord(Shape):
    """A carrier account."""

    id: str = Field(alias="_id", examples=[CARRIER_ACCOUNT_ID])
    name: str
    kind: Kind
    settings: dict[str, Any] = Field(description="Without those that are secret.")
    secrets: list[str] = Field(description="The names of the secret settings that are set.")
    senders: list[SenderName]
    createdAt: str
    updatedAt: str


class CarrierAccountAnswer(Shape):
    """A carrier account in the common envelope."""

    status: Literal["success"]
    message: str = Field(examples=["Carrier account Lively Sandbox created successfully"])
    data: CarrierAccountRecord


class CarrierAccountsAnswer(Shape):
    """Every carrier account of the app."""

    status: Literal["success"]
    message: str
    data: list[CarrierAccountRecord]


class LineRecord(Shape):
    """A worker's line to a carrier."""

    worker: str = Field(examples=["mail-1:4711"])
    state: Literal["up", "down", "refused"]
    since: str
    lastWords: str = Field(description="What the line, or the carrier, said last.")
    nextTryAt: str | None


class ReceiptSeconds(Shape):
    """Seconds from a text to its receipt: of half of the last ones, and of 95 in 100."""

    p50: float
    p95: float


class HealthRecord(Shape):
    """How a carrier account does."""

    state: Literal["up", "down", "refused", "paused", "closed"] = Field(
        description="`paused`: its carrier refused our credentials; nothing is sent until it is changed or resumed. "
        "`closed`: no worker has a line to it, as there is nothing to send or nobody works."
    )
    since: str | None
    lastWords: str
    lines: list[LineRecord]
    textsPerSecond: float = Field(description="What the carrier took lately, over half a minute.")
    partsPerSecondLimit: float | None = Field(description="Of its senders together; null when one has no limit.")
    lastHour: dict[str, int] = Field(
        description="How often what: `accepted`, `lost`, `refused:CODE`, `deferred:CODE`, `delivered`, `failed:CODE`."
    )
    receiptSeconds: ReceiptSeconds | None
    unreadCalls: int = Field(description="Calls of the carrier that could not be read and are kept for a look.")


class HealthAnswer(Shape):
    """How a carrier account does, in the common envelope."""

    status: Literal["success"]
    message: str
    data: HealthRecord


class SenderDraft(Shape):
    """A sender to create."""

    example: ClassVar[dict[str, Any]] = {
        "address": ADDRESS,
        "carrierAccountId": "Sandbox",
        "partsPerSecond": 10,
        "partsPerDay": 2000,
        "dayTimezone": "America/Los_Angeles",
    }

    address: str = Field(
        examples=[ADDRESS],
        description="A number, short code or name of up to 11 characters; `*` serves any caller id that no other does.",
    )
    carrierAccountId: Ref = Field(examples=["Sandbox"], description="The id or name of its carrier account.")
    partsPerSecond: PerSecond | None = Field(default=None, description="`null`: as fast as the carrier takes them.")
    partsPerDay: PerDay | None = Field(default=None, description="`null`: no limit.")
    dayTimezone: Zone | None = "UTC"


class SenderChanges(Shape):
    """What to change of a sender; what is left out stays, and `null` lifts a limit. In force within a second."""

    example: ClassVar[dict[str, Any]] = {"partsPerSecond": 25, "partsPerDay": None}

    carrierAccountId: Annotated[Ref, Field(examples=["Sandbox"])] = Field(default="Sandbox")
    partsPerSecond: PerSecond | None = None
    partsPerDay: PerDay | None = None
    dayTimezone: Zone | None = None

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})


class PoolName(Shape):
    """A pool."""

    id: str = Field(examples=[POOL_ID])
    name: str


class SenderRecord(Shape):
    """A sender."""

    id: str = Field(alias="_id", examples=[SENDER_ID])
    address: str
    carrierAccountId: str = Field(examples=[CARRIER_ACCOUNT_ID])
    partsPerSecond: float | None
    learnedPartsPerSecond: float | None = Field(
        description="What its carrier was seen to take when it turned texts away; `null`: all it was asked to."
    )
    partsPerDay: int | None
    dayTimezone: str
    partsToday: int = Field(description="Parts handed to the carrier since the last midnight in `dayTimezone`.")
    heldUntil: str | None = Field(description="Its day is used up, and everybody who waits for it is held until then.")
    experienceFlow: str | None = Field(
        description="The flow that answers whoever writes to it without a conversation; `null`: the app's, or none."
    )
    senderPools: list[PoolName]
    createdAt: str
    updatedAt: str


class SenderAnswer(Shape):
    """A sender in the common envelope."""

    status: Literal["success"]
    message: str = Field(examples=[f"Sender {ADDRESS} created successfully"])
    data: SenderRecord


class SendersAnswer(Shape):
    """Every sender of the app."""

    status: Literal["success"]
    message: str
    data: list[SenderRecord]


class TestText(Shape):
    """To whom to send one text, and from where if it matters."""

    example: ClassVar[dict[str, Any]] = {"to": "+14155550100", "from": ADDRESS}

    to: str = Field(examples=["+14155550100"], description="With its country code.")
    sender: str | None = Field(
        default=None, alias="from", examples=["+14155550199"], description="Needed where no address is given otherwise."
    )


class TestRecord(Shape):
    """What became of the one text.

    `accepted`; `refused` for good; `deferred`: the carrier asks to try later; `lost`: no answer came within ten
    seconds, it may have left; `down`: the line could not be opened, nothing left.
    """

    outcome: Literal["accepted", "refused", "deferred", "lost", "down"]
    sender: str = Field(alias="from")
    to: str
    reference: str | None = Field(description="The carrier's own id of it, when accepted.")
    code: str | None = Field(description="The carrier's reason, when it gave one.")
    detail: str


class TestAnswer(Shape):
    """The outcome of a test in the common envelope."""

    status: Literal["success"]
    message: str = Field(examples=["The test text was accepted"])
    data: TestRecord


class PoolMember(Shape):
    """A sender of a pool. Of the people who have no sender yet, each gets its weight's share."""

    sender: Ref = Field(examples=[ADDRESS], description="Its id or address.")
    weight: Annotated[float, Field(ge=sender_body.LEAST_SECOND, le=sender_body.MOST_WEIGHT)] | None = 1


Members = Annotated[list[PoolMember], Field(min_length=1, max_length=sender_body.MOST_MEMBERS)]


class PoolDraft(Shape):
    """A pool to create: several senders under one name. Campaigns name it as their caller id, `pool:Support`."""

    example: ClassVar[dict[str, Any]] = {"name": "Support", "senders": [{"sender": ADDRESS, "weight": 3}]}

    name: Name = Field(examples=["Support"])
    senders: Members


class PoolChanges(Shape):
    """The senders to have in place of those there are. People keep the sender they had, as long as it stays."""

    example: ClassVar[dict[str, Any]] = {"senders": [{"sender": ADDRESS, "weight": 1}]}

    senders: Members


class PoolMemberRecord(Shape):
    """A sender of a pool."""

    id: str = Field(alias="_id", examples=[SENDER_ID])
    address: str
    weight: float


class PoolRecord(Shape):
    """A pool."""

    id: str = Field(alias="_id", examples=[POOL_ID])
    name: str
    callerId: str = Field(examples=["pool:Support"], description="What a campaign gives as its phone number.")
    senders: list[PoolMemberRecord]
    createdAt: str
    updatedAt: str


class PoolAnswer(Shape):
    """A pool in the common envelope."""

    status: Literal["success"]
    message: str = Field(examples=["Sender pool Support created successfully"])
    data: PoolRecord


class PoolsAnswer(Shape):
    """Every pool of the app."""

    status: Literal["success"]
    message: str
    data: list[PoolRecord]
