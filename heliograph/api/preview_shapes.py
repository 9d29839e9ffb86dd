"""What the JSON of a launch preview, of frequency caps and of prices looks like, for its description at /docs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from heliograph.api.filter_shapes import LeftOutCounts
from heliograph.api.shapes import Shape
from heliograph.rules import caps

Counted = Annotated[int, Field(ge=0)]


class FrequencyCap(Shape):
    """How many texts a person may get from all campaigns of the app, transactional ones apart."""

    texts: int = Field(ge=1, le=caps.MOST_TEXTS, examples=[2])
    days: int = Field(ge=1, le=caps.MOST_DAYS, examples=[7], description="Of 24 hours; they slide.")


class Prices(Shape):
    """What a part costs."""

    currency: str | None = Field(default=None, examples=["EUR"], description="ISO 4217.")
    perPart: dict[str, float] | None = Field(
        default=None, examples=[{"GB": 0.04, "*": 0.07}], description="By country (ISO 3166); * for all others."
    )


class Character(Shape):
    """A character that makes texts wide."""

    character: str = Field(examples=["\u2019"])
    code: str = Field(examples=["U+2019"])
    name: str = Field(examples=["RIGHT SINGLE QUOTATION MARK"])
    texts: Counted = Field(description="In how many texts it is.")
    substitute: str | None = Field(description="What it could be written as; null: nothing.", examples=["'"])


class Substitutes(Shape):
    """What plain substitutes would change."""

    texts: Counted = Field(description="How many texts would fit GSM 03.38.")
    parts: Counted = Field(description="All parts then.")
    cost: str | None
    template: str | None = Field(description="The campaign's text with them, to be saved; null: it has none.")


class Country(Shape):
    """The people of one country."""

    country: str = Field(description="ISO 3166; empty for numbers of none.", examples=["GB"])
    people: Counted
    parts: Counted
    cost: str | None = Field(description="Null: no price is known.", examples=["40.00"])


class Preview(Shape):
    """What a run that began now would do. ``contacts`` is ``reached`` and all of ``leftOut``."""

    exact: bool = Field(description="False: reckoned from a sample; ask with exact=true.")
    looked: Counted = Field(description="How many contacts were looked at.")
    contacts: Counted
    reached: Counted
    leftOut: LeftOutCounts
    parts: Counted
    partsPerText: dict[str, int] = Field(
        description="How many texts have so many parts.", examples=[{"1": 990, "2": 10}]
    )
    wideTexts: Counted = Field(description="Texts outside GSM 03.38: 70 characters a part instead of 160.")
    characters: list[Character] = Field(description="What makes them wide, the most frequent first; up to 50.")
    substitutes: Substitutes
    currency: str | None
    cost: str | None = Field(description="Of the parts whose price is known.")
    unpriced: Counted = Field(description="Parts whose price is not known.")
    countries: list[Country]
    zones: dict[str, int] = Field(
        description="By whose zone people are texted: their contact's, their number's, the campaign's.",
        examples=[{"contact": 10, "number": 0, "campaign": 990}],
    )
    begins: str | None = Field(description="When the first text may leave.")
    ends: str | None = Field(description="When the last would, by hours, rate and day limit, if alone.")
    rate: float | None = Field(description="Parts a second of its senders together; null: no limit.")


class PreviewAnswer(Shape):
    """A preview in the common envelope."""

    status: Literal["success"]
    message: str = Field(examples=["Preview of campaign Spring Sale"])
    data: Preview
