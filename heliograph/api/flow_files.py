"""Experience flows as files, over HTTP. Their paths stand in routes.py."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from heliograph.actions import flow_files
from heliograph.api import auth, envelope, files
from heliograph.api.flows import FlowId, records
from heliograph.errors import Invalid
from heliograph.rules import wording
from heliograph.rules.flow import schema as forms
from heliograph.rules.flow import text
from heliograph.store import flows

LIMIT = 4 * 1024 * 1024  # bytes of a file of flows
UPLOADED = "flow.yaml"

Dry = Annotated[
    str | None,
    Query(alias="dryRun", description="Only tell what would come of it.", json_schema_extra={"type": "boolean"}),
]
Form = Annotated[
    str | None,
    Query(
        alias="format",
        description="What to write it as.",
        json_schema_extra={"enum": [*flow_files.FORMS], "default": flow_files.FORMS[0]},
    ),
]


async def take(call: auth.Campaigns, dry_run: Dry = None) -> Response:
    """Make drafts of the flows in a file, of all of them or of none.

    JSON or YAML, in our form or a whole export of RapidPro's or FLOIP's. What cannot be done here is told, each thing
    with its place, and left out: such a draft cannot be published before somebody has seen to it.
    """
    async with files.sent(call.request, UPLOADED, limit=LIMIT) as (file, _):
        raw = file.read()
    try:
        words = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"The file is not UTF-8 text: byte {error.start} cannot be read", field="file") from error
    if len(words) > text.LONGEST:
        raise Invalid(f"The file has {len(words)} characters. It takes at most {text.LONGEST}", field="file")
    dry = _flag(dry_run)
    taken = await flow_files.take(call.db, call.app, words, dry=dry, now=call.now)
    made = [each.flow for each in taken if each.flow is not None]
    async with call.db.connection() as conn:
        told = iter(await records(conn, call, made))
    data = [flow_files.told(each) | {"flow": None if each.flow is None else next(told)} for each in taken]
    what = "would be imported" if dry else "imported successfully"
    return envelope.success(f"{wording.counted(len(taken), 'experience flow')} {what}", data)


async def schema(call: auth.Campaigns) -> Response:  # noqa: ARG001  # whoever asks has to be let in
    """The form of a flow's document: a JSON Schema, draft 2020-12, alone in the answer."""
    return envelope.reply(forms.schema())


async def export(call: auth.Campaigns, flow_id: FlowId, form: Form = None) -> Response:
    """A flow's draft as a file, in our form or another maker's, and what of it that form cannot hold."""
    async with call.db.connection() as conn:
        found = await flows.get(conn, call.app.app_id, flow_id)
    written = flow_files.write(found.draft, form or flow_files.FORMS[0], now=call.now)
    data = {
        "format": form or flow_files.FORMS[0],
        "mediaType": written.media,
        "text": written.text,
        "lost": list(written.lost),
    }
    return envelope.success(f"Experience flow {found.name} exported successfully", data)


def _flag(sent: str | None) -> bool:
    if sent and sent.lower() not in ("true", "false"):
        raise Invalid(f"dryRun is {sent!r}. It takes true or false", field="dryRun")
    return (sent or "").lower() == "true"
