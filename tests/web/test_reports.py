"""Reports in the console: what campaigns, days, senders and carriers did, on the screen and as a file."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx

    from heliograph.store.apps import App

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
    for by in ("campaign", "day", "sender", "carrier"):
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
