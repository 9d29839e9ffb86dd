"""The campaign API word for word: requests and whole answers, kept as data in ``transcripts/``.

A transcript is a list of steps. ``do`` is a request, with its ``headers`` and ``body``; ``status`` and ``answer`` are
what came back, keys in order; ``database`` are queries with the rows they gave. ``wait`` lets seconds pass;
``statement`` makes a state to which no call leads. Ids differ from run to run, so each is written as its prefix and the
order of its appearance: ``<cd-1>`` is the first campaign seen, in answers and in requests.

After a deliberate change: ``UPDATE_TRANSCRIPTS=1 pytest tests/api/test_campaign_transcripts.py``, then read the diff.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, LiteralString, cast

import pytest
from httpx import AsyncClient

from heliograph.actions import flows
from heliograph.store import dnc, lists
from heliograph.store.database import Database
from tests.api.conftest import Tenant
from tests.conftest import FrozenClock

FOLDER = Path(__file__).parent / "transcripts"
TRANSCRIPTS = sorted(FOLDER.glob("*.json"))
UPDATE = os.environ.get("UPDATE_TRANSCRIPTS") == "1"

pytestmark = pytest.mark.anyio

_ID = re.compile(r"\b([a-z]{1,3})-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?:[0-9a-f]{8})?\b")
OTHER_FLOW = {"name": "Other Flow", "nodes": {"hello": {"type": "send", "text": "Hello"}}, "publish": True}
_NOBODY = "00000000-0000-4000-8000-000000000000"


class Names:
    """Tokens such as ``<cd-1>`` for the ids of this run, both ways."""

    def __init__(self, **known: str) -> None:
        self.ids = {f"<{token}>": found for token, found in known.items()}

    def hide(self, text: str) -> str:
        """``text`` with a token for every id."""
        return _ID.sub(self._token, text).replace(self.ids["<account>"], "<account>")

    def show(self, text: str) -> str:
        """``text`` with the id for every token."""
        for token, found in self.ids.items():
            text = text.replace(token, found)
        return text

    def _token(self, match: re.Match[str]) -> str:
        found, prefix = match[0], match[1]
        if _NOBODY in found:
            return found
        if found not in self.ids.values():
            seen = sum(token.startswith(f"<{prefix}-") for token in self.ids)
            self.ids[f"<{prefix}-{seen + 1}>"] = found
        return next(token for token, known in self.ids.items() if known == found)


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
async def test_transcript(path: Path, api: AsyncClient, tenant: Tenant, db: Database, clock: FrozenClock) -> None:
    script = json.loads(path.read_text())
    names = Names(**{"st-1": tenant.app.public_id, "account": tenant.app.account_id})
    async with db.connection() as conn:
        for name in ("Leads", "Second List", "Renewal Due - May/June 2025"):
            await lists.create(
                conn,
                tenant.app.app_id,
                kind="call",
                name=name,
                description="",
                source="passiveApi",
                allow_duplicates=False,
                now=clock.now,
            )
        await dnc.create(conn, tenant.app.app_id, name="Never", now=clock.now)
    await flows.create(db, tenant.app, OTHER_FLOW, by="", now=clock.now)

    for number, step in enumerate(script["steps"]):
        if "wait" in step:
            clock.advance(step["wait"])
        elif "statement" in step:
            async with db.connection() as conn:
                await conn.execute(cast("LiteralString", step["statement"]))
        else:
            happened = await perform(step, api, tenant, db, names)
            if UPDATE:
                script["steps"][number] = happened
            assert in_order(happened) == in_order(script["steps"][number]), f"step {number}: {step['do']}"
    if UPDATE:
        path.write_text(json.dumps(script, indent=1, ensure_ascii=False) + "\n")


async def perform(step: dict[str, Any], api: AsyncClient, tenant: Tenant, db: Database, names: Names) -> dict[str, Any]:
    """The step as it happened."""
    verb, _, url = step["do"].partition(" ")
    content = names.show(json.dumps(step["body"])).encode() if "body" in step else None
    headers = {"auth": tenant.token, **{key: names.show(value) for key, value in step.get("headers", {}).items()}}
    answer = await api.request(verb, names.show(url), content=content, headers=headers)
    said = {key: step[key] for key in ("do", "headers", "body") if key in step}
    happened = said | {"status": answer.status_code, "answer": json.loads(names.hide(answer.text))}
    if "database" in step:
        happened["database"] = [await rows(one["query"], db, names) for one in step["database"]]
    return happened


async def rows(query: str, db: Database, names: Names) -> dict[str, Any]:
    async with db.connection() as conn:
        found = await (await conn.execute(cast("LiteralString", query))).fetchall()
    return {"query": query, "rows": json.loads(names.hide(json.dumps(found)))}


def in_order(value: Any) -> str:
    """A text that differs when the order of keys does."""
    return json.dumps(value, indent=1, ensure_ascii=False)
