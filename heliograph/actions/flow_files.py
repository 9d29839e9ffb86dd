"""Flows as files: ours as JSON or YAML, and what other makers' become here, or ours there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.errors import Invalid
from heliograph.rules import body as reading
from heliograph.rules import flow_draft, ids
from heliograph.rules.flow import document, floip, floip_export, rapidpro, rapidpro_export, system, text
from heliograph.rules.flow.foreign import Imported
from heliograph.store import flows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from heliograph.store.apps import App
    from heliograph.store.database import Database
    from heliograph.store.flows import StoredFlow

FORMS = ("yaml", "json", "rapidpro", "floip")
YAML, JSON = "application/yaml", "application/json"


@dataclass(frozen=True, slots=True)
class Written:
    """A flow as a file. ``lost``: what of it this form cannot hold."""

    text: str
    media: str
    lost: tuple[str, ...] = ()


def read(raw: str) -> list[Imported]:
    """The flows in a file, in whatever form it is: ours, or a whole export of another maker's.

    Raises :class:`Invalid`, with the line or the path, for what is none of them.
    """
    found = reading.mapping(text.parse(raw), "")
    if floip.is_one(found):
        return floip.read(found)
    if "flows" in found or isinstance(found.get("nodes"), list):
        return rapidpro.read(found)
    return [Imported(document.read(found).name, found)]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a flow in a file. ``flow`` None: nothing, as it was only to be told."""

    imported: Imported
    flow: StoredFlow | None = None


async def take(db: Database, app: App, raw: str, *, dry: bool, now: datetime) -> list[Taken]:
    """Make drafts of all the flows in a file, or of none. ``dry``: only tell what would come of it.

    One with something in it that cannot be done here comes in too, that left out; it cannot be published before
    somebody has seen to it. Raises Invalid, DuplicateName.
    """
    found = read(raw)
    for each in found:
        if system.named(each.name) is not None:
            raise flows.taken(each.name)
    if dry:
        return [Taken(each) for each in found]
    made: list[Taken] = []
    async with db.transaction() as conn:
        for each in found:
            draft = flow_draft.called(each.document, each.name)
            public_id = ids.new("cf")
            flow = await flows.insert(conn, app.app_id, public_id, name=each.name, description="", draft=draft, now=now)
            made.append(Taken(each, flow))
    return made


def write(draft: Mapping[str, object], form: str, *, now: datetime) -> Written:
    """A flow in one of :data:`FORMS`. Raises :class:`Invalid` for another. ``now``: what FLOIP has as its change."""
    if form not in FORMS:
        raise Invalid(f"format is {reading.shown(form)}. It takes one of: {', '.join(FORMS)}", field="format")
    if form == "rapidpro":
        made = rapidpro_export.write([document.read(draft)])
        return Written(text.to_json(made.document), JSON, made.lost)
    if form == "floip":
        made = floip_export.write([document.read(draft)], now=now)
        return Written(text.to_json(made.document), JSON, made.lost)
    if form == "json":
        return Written(text.to_json(draft), JSON)
    return Written(text.to_yaml(draft), YAML)


def told(taken: Taken) -> dict[str, object]:
    """What became of a flow in a file, as JSON."""
    found = taken.imported
    return {
        "name": found.name,
        "unsupported": [
            {"node": each.node, "kind": each.kind, "place": each.place, "why": each.why} for each in found.unsupported
        ],
        "notes": list(found.notes),
    }
