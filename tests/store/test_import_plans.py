"""What an import asks of a full table it asks by index, whatever the statistics know."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, LiteralString

import pytest

from heliograph.store import contact_matches, contacts, imports
from heliograph.store.locks import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heliograph.store.database import Database

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 2, tzinfo=UTC)
FILL: tuple[LiteralString, ...] = (
    "INSERT INTO account VALUES ('a', now())",
    """INSERT INTO app (public_id, account_id, org_id, owner_id, name, created_at)
       VALUES ('st-x', 'a', 'o', 'u', 'X', now())""",
    """INSERT INTO contact_list (app_id, public_id, kind, name, lname, source, created_at, updated_at)
       SELECT app_id, 'cl-' || n, 'call', n::text, n::text, 'localDrive', now(), now()
       FROM app, generate_series(1, 4) n""",
    """INSERT INTO contact (app_id, list_id, seq, number, fields, created_at, updated_at)
       SELECT app_id, list_id, n, '+1' || n, '{}', now(), now() FROM contact_list, generate_series(1, 10000) n""",
    """INSERT INTO import_job (app_id, public_id, list_id, file_name, state, dry_run, created_at, touched_at)
       SELECT app_id, 'im-' || list_id || '-' || n, list_id, 'a.csv',
              CASE WHEN n > 4998 THEN 'waiting' ELSE 'done' END::import_state, false, now(), now()
       FROM contact_list, generate_series(1, 5000) n""",
)
ONE_LIST: LiteralString = "SELECT app_id, list_id FROM contact_list ORDER BY list_id LIMIT 1"


@pytest.mark.parametrize("analysed", [False, True], ids=["no statistics", "analysed"])
async def test_an_import_never_reads_a_table_from_end_to_end(db: Database, analysed: bool) -> None:
    async with db.transaction() as conn:
        for statement in FILL:
            await conn.execute(statement)
        if analysed:
            await conn.execute("ANALYZE")
        row = await (await conn.execute(ONE_LIST)).fetchone()
        assert row is not None
        some = list(range(1, 2001))
        of_list = {"app_id": row[0], "list_id": row[1], "numbers": [f"+1{n}" for n in some], "after": 9000}
        changed = {
            "seqs": some,
            "zones": [None] * 2000,
            "priorities": [None] * 2000,
            "fields": ["{}"] * 2000,
            "now": NOW,
        }
        await contact_matches.probe(conn)
        asked: dict[str, tuple[LiteralString, Mapping[str, object]]] = {
            "contacts FIND_NUMBERS": (contacts.FIND_NUMBERS, of_list),
            "FIND_SINCE": (contact_matches.FIND_SINCE, of_list),
            "FIND_PEOPLE": (contact_matches.FIND_PEOPLE, of_list),
            "FIND_DUE": (imports.FIND_DUE, {"kind": int(Kind.IMPORT)}),
            "CHANGE": (contact_matches.CHANGE, of_list | changed),
        }
        for name, (statement, values) in asked.items():
            if name == "CHANGE":
                await contact_matches.probe(conn)
            cursor = await conn.execute("EXPLAIN (COSTS OFF) " + statement, values)
            plan = "\n".join(str(line[0]) for line in await cursor.fetchall())
            assert not re.search(r"Seq Scan on (contact|import_job)\b", plan), f"{name}\n{plan}"
            if name == "CHANGE":
                assert "contact_pkey" in plan, plan
