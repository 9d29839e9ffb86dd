"""What the JSON of texts out of turn looks like, for its description at /docs. As in shapes.py, nothing is checked."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from heliograph.api.campaign_shapes import StatusWord
from heliograph.api.shapes import Shape

RUN_ID = "cid-3aefda80-f98e-4f4f-ad41-92803abb0000"


class OutboundSms(Shape):
    """One text to one number."""

    example: ClassVar[dict[str, Any]] = {
        "fromNo": "+12025550142",
        "toNo": "+447700900123",
        "message": "Your code is 2718",
    }

    fromNo: str
    toNo: str
    message: str | None = Field(default=None, description="Ours. Without it, the opening of a conversation.")
    transactional: bool | None = Field(
        default=None, description="Ours. True: somebody waits for it, such as a code; quiet hours do not count."
    )


class OutboundSmsAnswer(Shape):
    """The text is on record, and leaves at once or, unless it is transactional, when quiet hours are over."""

    message: Literal["Triggered the configured Experience flow to deliver message via SMS channel"]


def _array(schema: dict[str, Any]) -> None:
    """The vendor's body is an array, which a model of fields cannot say."""
    wish = {
        "type": "object",
        "required": ["campaignDialingListId", "timeToContact"],
        "properties": {
            "campaignDialingListId": {"type": "string", "minLength": 1, "maxLength": 100},
            "timeToContact": {"type": "string", "format": "date-time"},
        },
    }
    schema.clear()
    schema.update(type="array", maxItems=1000, items=wish, title="Retimes")


class Retimes(Shape):
    """Who is to be texted when."""

    example: ClassVar[Any] = [{"campaignDialingListId": "+447700900123", "timeToContact": "2031-01-01T09:00:00Z"}]

    model_config = ConfigDict(json_schema_extra=_array)


class Retimed(Shape):
    """What became of one wish."""

    campaignDialingListId: str
    status: Literal["success", "failed"]
    reason: Literal["invalid_time", "time_in_past", "not_found", "already_sent", "run_ended"] | None = None


class RetimesAnswer(Shape):
    """What became of each wish, in the order of the wishes."""

    status: Literal["success"]
    data: list[Retimed]


class Retry(Shape):
    """Whom to text again."""

    needed = False
    example: ClassVar[dict[str, Any]] = {"classes": ["failed"]}

    campaignInstanceId: str | None = Field(default=None, examples=[RUN_ID], description="The last run, if absent.")
    classes: list[Literal["failed", "expired"]] = Field(default=["failed"], min_length=1)


class RetryAnswer(Shape):
    """The new run."""

    status: StatusWord
    message: Literal["Campaign Started"]
    updatedAt: str
    campaignInstanceId: str
