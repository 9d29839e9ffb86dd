"""What somebody who sends a file of people may decide about it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from heliograph.errors import Invalid
from heliograph.rules import body, columns, phone

if TYPE_CHECKING:
    from collections.abc import Mapping

OnDuplicate = Literal["skip", "update", "add"]
ON_DUPLICATE: tuple[OnDuplicate, ...] = ("skip", "update", "add")


@dataclass(frozen=True, slots=True)
class Wish:
    """How a file is to be taken in.

    ``on_duplicate``: what becomes of a row whose number is on the list already, or stood in the file before; None: as
    the list's own setting says. ``mapping``: by system field, the column that holds it; None: the mapping that was
    made for this header before, else guessed; empty: guessed anew. ``region``: of numbers without a country code.
    """

    dry_run: bool = False
    on_duplicate: OnDuplicate | None = None
    region: str | None = None
    mapping: Mapping[str, str] | None = None


def read(given: Mapping[str, str | None]) -> Wish:
    """The wish in query values; those that are empty count as left out. Raises :class:`Invalid`."""
    region = given.get("region")
    return Wish(
        dry_run=_flag(given.get("dryRun"), "dryRun"),
        on_duplicate=_on_duplicate(given.get("onDuplicate")),
        region=phone.region_code(region, field="region") if region else None,
        mapping=_mapping(given.get("mapping")),
    )


def _flag(sent: str | None, field: str) -> bool:
    if sent and sent.lower() not in ("true", "false"):
        raise Invalid(f"{field} is {body.shown(sent)}. It takes true or false", field=field)
    return bool(sent) and str(sent).lower() == "true"


def _on_duplicate(sent: str | None) -> OnDuplicate | None:
    if not sent:
        return None
    for each in ON_DUPLICATE:
        if sent.lower() == each:
            return each
    text = f"onDuplicate is {body.shown(sent)}. It takes: {', '.join(ON_DUPLICATE)}"
    raise Invalid(text, field="onDuplicate")


def _mapping(sent: str | None) -> dict[str, str] | None:
    if not sent:
        return None
    takes = 'It takes a JSON object such as {"phoneNumber": "Mobile"}'
    try:
        found: object = json.loads(sent)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"mapping is {body.shown(sent)}, which is no JSON. {takes}", field="mapping") from error
    if not isinstance(found, dict):
        raise Invalid(f"mapping is {body.shown(sent)}. {takes}", field="mapping")
    return checked(cast("dict[str, object]", found))


def checked(mapping: Mapping[str, object]) -> dict[str, str]:
    """A mapping by hand, as far as it can be checked without the file. Raises :class:`Invalid`."""
    for system, name in mapping.items():
        if system not in columns.NAMES:
            text = f"mapping has {body.shown(system)}. It takes: {', '.join(columns.NAMES)}"
            raise Invalid(text, field="mapping")
        if not isinstance(name, str) or not name.strip() or "\0" in name:
            text = f"mapping.{system} is {body.shown(name)}. It takes the name of a column"
            raise Invalid(text, field=f"mapping.{system}")
    return {system: str(name).strip() for system, name in mapping.items()}
