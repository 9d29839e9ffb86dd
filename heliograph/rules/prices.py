"""What texts cost: a price for each part by country, as an app's carrier charges it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from heliograph.errors import Invalid
from heliograph.rules import body as reading
from heliograph.rules import place

if TYPE_CHECKING:
    from collections.abc import Mapping

FIELD = "prices"
EVERYWHERE = "*"
LONGEST_CURRENCY = 3
_SHAPE = 'It takes an object such as {"currency": "EUR", "perPart": {"GB": 0.04, "*": 0.07}}, or {} for none'


@dataclass(frozen=True, slots=True)
class Prices:
    """``per_part`` by country (ISO 3166), ``*`` for those that are not named."""

    currency: str
    per_part: Mapping[str, Decimal]

    def of(self, country: str) -> Decimal | None:
        """A part's price; None where nothing was said."""
        found = self.per_part.get(country)
        return self.per_part.get(EVERYWHERE) if found is None else found


def setting(raw: object) -> str | None:
    """An app's setting as the JSON text that :func:`in_force` takes; None for ``{}``. Raises :class:`Invalid`."""
    sent = reading.mapping(raw, FIELD)
    reading.storable(raw, FIELD)
    if not sent:
        return None
    currency, per_part = sent.get("currency"), sent.get("perPart")
    if set(sent) != {"currency", "perPart"} or not isinstance(per_part, dict) or not per_part:
        raise Invalid(f"{FIELD} is {reading.shown(raw)}. {_SHAPE}", field=FIELD)
    is_code = isinstance(currency, str) and len(currency) == LONGEST_CURRENCY and currency.isascii()
    if not (is_code and cast("str", currency).isalpha()):
        text = f"{FIELD}.currency is {reading.shown(currency)}. It takes a code of ISO 4217 such as EUR"
        raise Invalid(text, field=f"{FIELD}.currency")
    for country, price in cast("dict[str, object]", per_part).items():
        _check(country, price)
    return json.dumps({"currency": cast("str", currency).upper(), "perPart": per_part})


@lru_cache(maxsize=256)
def in_force(setting: str | None) -> Prices | None:
    """The prices of an app's setting; None: it has none."""
    if setting is None:
        return None
    kept = json.loads(setting, parse_float=Decimal, parse_int=Decimal)
    return Prices(kept["currency"], kept["perPart"])


def told(setting: str | None) -> object:
    """An app's setting for people."""
    return {} if setting is None else json.loads(setting)


def country(number: str) -> str:
    """The country (ISO 3166) that a number is charged as; empty when it belongs to none."""
    regions = place.of(number).regions
    return regions[0] if regions else ""


def _check(country: str, price: object) -> None:
    field = f"{FIELD}.perPart.{country[:40]}"
    if country != EVERYWHERE and ("-" in country or not place.is_known(country)):
        text = f"{field}: {country[:40]!r} is no country. It takes codes of ISO 3166 such as GB, or {EVERYWHERE}"
        raise Invalid(text, field=field)
    if isinstance(price, bool) or not isinstance(price, int | float) or not 0 <= price <= 1000:  # noqa: PLR2004
        raise Invalid(f"{field} is {reading.shown(price)}. It takes the price of a part, 0 to 1000", field=field)
