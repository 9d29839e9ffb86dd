"""What the JSON of causes and stories looks like, for its description at /docs. As in shapes.py, nothing is checked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from heliograph.api.campaign_shapes import StatusWord
from heliograph.api.shapes import CAMPAIGN_ID, Shape
from heliograph.rules.why import Kind

CauseKind = Annotated[str, Field(json_schema_extra={"enum": [kind.value for kind in Kind]})]


class CauseRecord(Shape):
    """One reason why a campaign stands where it stands."""

    kind: CauseKind
    until: str | None = Field(description="When it clears, as far as that is known.")
    zone: str | None = Field(description="Whose clock decides.", examples=["Asia/Kolkata"])
    people: int = Field(description="Whom it keeps; 0 where it is not about a number of people.")
    since: str | None
    detail: str = Field(description="A name, a rate, or what a carrier said.")
    words: str = Field(examples=["Closed until Mon 09:00 Asia/Kolkata for 1,204 people."])


class WhyRecord(Shape):
    """Why a campaign stands where it stands."""

    id: str = Field(examples=[CAMPAIGN_ID])
    name: str
    status: StatusWord
    words: str
    causes: list[CauseRecord] = Field(min_length=1, description="The main one first.")


class WhyAnswer(Shape):
    """It, in the common envelope."""

    status: Literal["success"]
    message: str
    data: WhyRecord
