"""What goes wrong on our side is owned up to, without a word about our inside."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from heliograph import errors
from heliograph.actions.seal import Seal
from heliograph.api import app as api_app
from heliograph.config import Settings
from heliograph.store.database import Database
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio


Fail = Callable[[Exception], Awaitable[httpx.Response]]


@pytest.fixture
def fail(db: Database, seal: Seal, settings: Settings, clock: FrozenClock) -> Fail:
    """Gives the answer to a request whose handler raises an error."""

    async def ask(error: Exception) -> httpx.Response:
        async def handler(_request: Request) -> Response:
            raise error

        api = api_app.create_api(db, seal, settings, clock)
        api.add_route("/fail", handler)
        transport = httpx.ASGITransport(api, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://heliograph.test") as client:
            return await client.get("/fail")

    return ask


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (errors.Invalid("no"), 400, None),
        (errors.TooLarge("no"), 413, None),
        (errors.Unauthenticated("no"), 401, None),
        (errors.Forbidden("no"), 403, None),
        (errors.NotFound("no"), 404, None),
        (errors.Conflict("no"), 409, None),
        (errors.DuplicateName("no"), 409, None),
        (errors.IllegalMove("no"), 409, None),
        (errors.InUse("no"), 409, None),
        (errors.RateLimited("no", retry_after=2.1), 429, "3"),
        (errors.RateLimited("no", retry_after=0), 429, "1"),
        (errors.Stopping("no"), 503, "1"),
        (errors.StoreUnavailable("no"), 503, "5"),
    ],
)
async def test_each_error_has_its_status(
    fail: Fail, error: errors.HeliographError, status: int, retry: str | None
) -> None:
    answer = await fail(error)
    assert answer.status_code == status
    assert answer.json() == {"status": "error", "message": "no", "errors": [{"msg": "no", "code": status}]}
    assert answer.headers.get("retry-after") == retry


@pytest.mark.parametrize("error", [ValueError("secret inside"), errors.BadSetting("secret inside")])
async def test_the_unforeseen_is_logged_under_the_reference_it_is_answered_with(
    fail: Fail, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await fail(error)
    assert answer.status_code == 500
    assert "secret" not in answer.text
    reference = answer.json()["message"].split()[-1]
    assert f"reference={reference}" in caplog.text
    assert "secret inside" in caplog.text
