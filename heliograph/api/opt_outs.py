"""Who said no, and the evidence of it, over HTTP; ours. Their paths stand in routes.py.

Whatever changes here counts at once: every text is looked at once more before it leaves.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Path, Query
from starlette.responses import Response

from heliograph.actions import consents as recording
from heliograph.actions.consents import Recorded
from heliograph.api import auth, campaign_query, envelope, files
from heliograph.api.contacts import DEFAULT_LIMIT, MAX_LIMIT, MAX_SKIP, Guard, Limit, Skip
from heliograph.api.dnc_shapes import NUMBER
from heliograph.errors import Invalid
from heliograph.rules import consent as law
from heliograph.rules import counts, phone, spreadsheet
from heliograph.store import consents, opt_outs
from heliograph.store.consents import Consent
from heliograph.store.database import Database
from heliograph.store.opt_outs import Kind, OptOut

SOURCE = "api"
UPLOADED = "opt-outs.csv"  # what a file is called that brings no name
MOST = 1000  # events told of one number
COLUMNS = ("phoneNumber", "what", "at", "text", "source", "how", "word", "address", "by", "recordedAt")
_KINDS: dict[str, Kind] = {"no": "no", "review": "review"}

NumberId = Annotated[
    str,
    Path(
        alias="phoneNumber",
        description="The number. (An unescaped `+` may be left out.)",
        examples=[NUMBER],
        json_schema_extra={"pattern": "[0-9]"},
    ),
]
NumberOf = Annotated[
    str | None, Query(alias="phoneNumber", description="Only this number. (An unescaped `+` may be left out.)")
]
KindOf = Annotated[
    str | None,
    Query(
        alias="kind",
        description="Only these: `no`, or `review`, about whom a person has to decide.",
        json_schema_extra={"enum": ["no", "review"]},
    ),
]


async def list_page(  # a parameter is a query value
    call: auth.Campaigns, *, skip: Skip = None, limit: Limit = None, number: NumberOf = None, kind: KindOf = None
) -> Response:
    """Those who said no, a page at a time, in the order of their numbers."""
    whole = campaign_query.whole_number
    passed = whole(skip, "skip", default=0, least=0, most=MAX_SKIP)
    most = whole(limit, "limit", default=DEFAULT_LIMIT, least=1, most=MAX_LIMIT)
    only = phone.normalise(number, field="phoneNumber") if number else None
    if kind and kind not in _KINDS:
        raise Invalid(f"kind is {kind[:40]!r}. It takes no or review", field="kind")
    wanted = _KINDS[kind] if kind else None
    async with call.db.connection() as conn:
        total = await opt_outs.count(conn, call.app.app_id, kind=wanted, number=only)
        page = await opt_outs.page(conn, call.app.app_id, kind=wanted, number=only, skip=passed, limit=most)
    data = campaign_query.page([_record(one) for one in page], passed, most, total)
    return envelope.success("Opt-outs retrieved successfully", data)


async def get(call: auth.Campaigns, number: NumberId) -> Response:
    """One number: what keeps it from being texted, and the evidence: all it ever said, word for word."""
    return envelope.success("Opt-out retrieved successfully", await _story(call, _number(number)))


async def record(call: auth.Campaigns) -> Response:
    """Record who said no, or yes, elsewhere: all of the events or, if one is bad, none.

    The newest word of each person counts: a yes takes a no away only when it is newer.
    """
    done = await recording.record(call.db, call.app, await call.body(), source=SOURCE, by=call.client_id, now=call.now)
    return envelope.success(_told(done), _changed(done))


async def upload(call: auth.Campaigns, file_name: files.FileName = None) -> Response:
    """Record the rows of a CSV file: `phoneNumber` and, if wanted, `what` (optOut or optIn), `at` and `text`.

    Send it as `multipart/form-data` in the field `file`, or as it is with `Content-Type: text/csv`. An export can be
    sent again. Bad rows are left out and reported; if no row is good, nothing changes.
    """
    async with files.sent(call.request, file_name or UPLOADED) as (file, _):
        found = await recording.import_csv(call.db, call.app, file, by=call.client_id, now=call.now)
    counted = files.report(rows=found.rows, rejected=found.rejected, problems=found.problems)
    return envelope.success(_told(found.done), _changed(found.done) | counted)


async def remove(call: auth.Campaigns, number: NumberId) -> Response:
    """Let a number be texted again, as its owner asked you for it. That you did is kept as evidence."""
    whole = _number(number)
    await recording.remove(call.db, call.app, whole, note="", by=call.client_id, now=call.now)
    return envelope.success(f"{whole} may be texted again", await _story(call, whole))


async def decide(call: auth.Campaigns, number: NumberId) -> Response:
    """Settle what somebody meant whose words are to be reviewed: `optOut`, or `keep` to go on texting them."""
    whole, body = _number(number), await call.body()
    decision, note = law.decision(body), law.note(body)
    await recording.decide(call.db, call.app, whole, decision, note=note, by=call.client_id, now=call.now)
    return envelope.success(f"Decided about {whole}", await _story(call, whole))


async def export(call: auth.Campaigns, guard: Guard = None) -> Response:
    """All evidence as a CSV file, in the order in which it was recorded; it can be uploaded again."""
    return await files.answer("Opt-outs", lines(call.db, call.app.app_id, guarded=files.guard(guard)))


async def lines(db: Database, app_id: int, *, guarded: bool) -> AsyncIterator[str]:
    """The pages of an export."""
    shown = spreadsheet.guarded if guarded else str
    rows = [spreadsheet.line(COLUMNS)]
    after = 0
    while True:
        async with db.connection() as conn:
            page = await consents.read_after(conn, app_id, after, limit=files.PAGE)
        for one in page:
            words = (shown(one.text), one.source, one.how, shown(one.word), one.address, one.by)
            at, recorded = envelope.instant(one.at), envelope.instant(one.recorded_at)
            rows.append(spreadsheet.line((one.number, one.what, at, *words, recorded)))
        yield "".join(rows)
        if len(page) < files.PAGE:
            return
        rows, after = [], page[-1].consent_id


def _number(told: str) -> str:
    return phone.normalise(told, field="phoneNumber")


async def _story(call: auth.Call, number: str) -> dict[str, object]:
    async with call.db.connection() as conn:
        entries = await opt_outs.list_of(conn, call.app.app_id, number)
        said = await consents.list_of(conn, call.app.app_id, number, limit=MOST)
    return {
        "phoneNumber": number,
        "optedOut": any(one.kind == "no" for one in entries),
        "entries": [_record(one) for one in entries],
        "evidence": [_evidence(one) for one in said],
    }


def _record(one: OptOut) -> dict[str, object]:
    return {
        "phoneNumber": one.number,
        "address": one.address or None,
        "kind": one.kind,
        "source": one.source,
        "reason": one.reason,
        "createdAt": envelope.instant(one.created_at),
    }


def _evidence(one: Consent) -> dict[str, object]:
    return {
        "what": one.what,
        "how": one.how,
        "word": one.word,
        "text": one.text,
        "source": one.source,
        "address": one.address,
        "by": one.by,
        "at": envelope.instant(one.at),
        "recordedAt": envelope.instant(one.recorded_at),
    }


def _changed(done: Recorded) -> dict[str, object]:
    return {"optedOut": done.opted_out, "optedIn": done.opted_in, "older": done.older}


def _told(done: Recorded) -> str:
    return f"{counts.of(done.opted_out, 'person', 'people')} opted out, {done.opted_in} in"
