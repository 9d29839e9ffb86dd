"""Reports in the console: what campaigns, days, senders and carriers did, on the screen and as a file."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from heliograph.actions import countries, report_files
from heliograph.rules.report import Column, Table
from heliograph.store import country_counts

if TYPE_CHECKING:
    import httpx

    from heliograph.store.apps import App
    from heliograph.store.database import Database

pytestmark = pytest.mark.anyio


@pytest.fixture
async def app(stage: Any) -> App:
    app = await stage.app()
    await stage.running(app, "First", waiting=10, accepted=5, delivered=80, failed=4, unknown=1)
    await stage.running(app, "Second", delivered=20, failed=1)
    return app


async def table(browser: httpx.AsyncClient, app: App, by: str) -> list[dict[str, str]]:
    answer = await browser.get(f"/console/{app.public_id}/reports/csv", params={"by": by})
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


async def test_every_table_has_the_same_texts(browser: httpx.AsyncClient, app: App) -> None:
    for by in ("campaign", "day", "sender", "carrier", "country"):
        rows = await table(browser, app, by)
        whole = {name: sum(int(row[name]) for row in rows) for name in ("Sent", "Delivered", "Failed", "Unknown")}
        assert whole == {"Sent": 105, "Delivered": 100, "Failed": 5, "Unknown": 1}, by
        page = (await browser.get(f"/console/{app.public_id}/reports", params={"by": by})).text
        assert "105" in page, by
    rows = await table(browser, app, "campaign")
    assert {row["campaign"]: row["Delivered"] for row in rows} == {"First": "80", "Second": "20"}


async def test_other_days_have_nothing_and_what_is_no_day_is_told(browser: httpx.AsyncClient, app: App) -> None:
    at = f"/console/{app.public_id}/reports"
    earlier = (await browser.get(at, params={"from": "2001-01-01", "to": "2001-01-31"})).text
    assert "Nothing began in these days" in earlier
    for wrong in (
        {"from": "yesterday"},
        {"from": "2026-01-02", "to": "2026-01-01"},
        {"from": "2001-01-01", "to": "2026-01-01"},
        {"by": "mood"},
        {"zone": "Mars/Olympus"},
    ):
        answer = await browser.get(at, params=wrong)
        assert answer.status_code == 400, wrong
        assert next(iter(wrong.values())) in answer.text


PEOPLE = """
INSERT INTO message (app_id, run_id, seq, list_id, contact_seq, number, parts)
SELECT app_id, run_id, n, 1, n, number, 1
FROM run CROSS JOIN unnest(ARRAY['+12125550100', '+12125550101', '+447700900100', '+77015550100', '+881612345678'])
    WITH ORDINALITY AS t (number, n)
"""
OUTCOMES = """
INSERT INTO outcome (app_id, run_id, seq, status, settled_at)
SELECT app_id, run_id, n, status::message_status, now()
FROM run CROSS JOIN unnest(ARRAY['delivered', 'failed', 'accepted', 'suppressed']) WITH ORDINALITY AS t (status, n)
"""


async def test_countries_are_counted_and_what_moved_since_has_a_line_of_its_own(
    browser: httpx.AsyncClient, stage: Any, db: Database, clock: Any
) -> None:
    app = await stage.app()
    await stage.running(app, "Abroad", waiting=1, accepted=1, delivered=1, failed=1, suppressed=1)
    async with db.connection() as conn:
        await conn.execute(PEOPLE)
        await conn.execute(OUTCOMES)
        await conn.execute("UPDATE run SET last_seq = 5")
    before = await table(browser, app, "country")
    assert [(row["country"], row["People"]) for row in before] == [("Not counted by country yet", "5")]
    assert await countries.count(db, clock) == 1
    rows = {row["country"]: row for row in await table(browser, app, "country")}
    assert {name: (row["People"], row["Sent"], row["Failed"]) for name, row in rows.items()} == {
        "United States": ("2", "1", "1"),
        "United Kingdom": ("1", "1", "0"),
        "Kazakhstan": ("1", "0", "0"),
        "No country (satellite, international)": ("1", "0", "0"),
    }
    assert await countries.count(db, clock) == 0  # nothing has moved
    async with db.connection() as conn:
        await conn.execute("UPDATE outcome SET status = 'delivered' WHERE seq = 3")
        await conn.execute("UPDATE tally SET accepted = 0, delivered = 2 WHERE delivered = 1")
    rest = {row["country"]: row for row in await table(browser, app, "country")}["Not counted by country yet"]
    assert (rest["People"], rest["Sent"], rest["Delivered"]) == ("0", "0", "1")
    assert await countries.count(db, clock) == 0  # not again so soon
    clock.advance(61)
    assert await countries.count(db, clock) == 1
    assert len(await table(browser, app, "country")) == 4
    async with db.connection() as conn:
        run = country_counts.Stale(app.app_id, 1, 5)
        values = {"app_id": run.app_id, "run_id": run.run_id, "after": 0, "upto": 20_000}
        plan = str(await (await conn.execute("EXPLAIN " + country_counts.COUNT_PAGE, values)).fetchall())
        assert "Seq Scan on message" not in plan
        assert "Seq Scan on outcome" not in plan


async def test_files_hold_the_same_and_nothing_that_runs(browser: httpx.AsyncClient, app: App) -> None:
    at = f"/console/{app.public_id}/reports"
    book = await browser.get(f"{at}/xlsx", params={"by": "day"})
    sheet = openpyxl.load_workbook(io.BytesIO(book.content))["Report"]
    lines = [[cell.value for cell in line] for line in sheet.iter_rows()]
    assert lines[0][:4] == ["Day", "Id", "Runs", "People"]
    assert lines[1][0] == datetime(2026, 3, 2)  # noqa: DTZ001  # a workbook's dates have no zone
    assert lines[-1][:5] == ["Total", None, 2, 121, 105]
    pdf = await browser.get(f"{at}/pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF")
    columns = (Column("Campaign", "text"), Column("Day", "day"), Column("Sent", "number"))
    risky = Table("t", "a", "n", columns, (('=HYPERLINK("http://x")', date(2026, 3, 2), None),), ("Total", None, 5))
    sheet = openpyxl.load_workbook(io.BytesIO(await report_files.write(risky, "xlsx")))["Report"]
    assert (sheet["A2"].data_type, sheet["A2"].value) == ("s", '=HYPERLINK("http://x")')
    assert b"\"'=HYPERLINK" in await report_files.write(risky, "csv")
