"""Flows as files: ours as JSON or YAML, and what other makers' become here, or ours there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from heliograph.errors import Invalid
from heliograph.rules import body as reading
from heliograph.rules.flow import document, text
from heliograph.rules.flow.foreign import Imported

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMS = ("yaml", "json")
MEDIA = {"yaml": "application/yaml", "json": "application/json"}


@dataclass(frozen=True, slots=True)
class Written:
    """A flow as a file. ``lost``: what of it this form cannot hold."""

    text: str
    media: str
    suffix: str
    lost: tuple[str, ...] = ()


def read(raw: str) -> list[Imported]:
    """The flows in a file, in whatever form it is: ours, or a whole export of another maker's.

    Raises :class:`Invalid`, with the line or the path, for what is none of them.
    """
    found = reading.mapping(text.parse(raw), "")
    return [Imported(str(document.read(found).name), found)]


def write(draft: Mapping[str, object], form: str) -> Written:
    """A flow in one of :data:`FORMS`. Raises :class:`Invalid` for another."""
    if form not in FORMS:
        raise Invalid(f"format is {reading.shown(form)}. It takes one of: {', '.join(FORMS)}", field="format")
    told = text.to_yaml(draft) if form == "yaml" else text.to_json(cast("object", draft))
    return Written(told, MEDIA[form], form)
