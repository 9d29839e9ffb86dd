"""The description of the API: every operation with its refusals, and a page that asks no other host for anything."""

from __future__ import annotations

import re

import httpx
import pytest

pytestmark = pytest.mark.anyio

REFUSALS = {"400", "401", "403", "404", "405", "409", "413", "429", "503"}
PREFIXES = (
    "/agentassist/api/v1/public/{appId}/",
    "/campaign/api/v1/public/{appId}/",
    "/campaign/api/v2/public/{appId}/",
    "/api/1.1/public/{appId}/",
    "/api/public/bot/{appId}/",
)


async def test_every_operation_tells_its_refusals(api: httpx.AsyncClient) -> None:
    schema = (await api.get("/openapi.json")).json()
    operations = [(path, op) for path, verbs in schema["paths"].items() for op in verbs.values()]
    assert len({op["operationId"] for _, op in operations}) == len(operations) > 20
    for path, op in operations:
        assert path.startswith(PREFIXES), path
        done = "202" if "202" in op["responses"] else "200"
        assert set(op["responses"]) == {done, *REFUSALS}
        assert op["summary"]
        assert op["security"] == [{"auth": []}, {"bearer": []}]
        assert not [key for key in op if key.startswith("x-")]
    refs = set(re.findall(r'"#/components/schemas/(\w+)"', (await api.get("/openapi.json")).text))
    assert refs <= set(schema["components"]["schemas"])
    assert "HTTPValidationError" not in schema["components"]["schemas"]


async def test_the_page_and_all_it_loads_come_from_here(api: httpx.AsyncClient) -> None:
    page = await api.get("/docs")
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["content-security-policy"]
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) >= 4
    for path in loaded:
        assert path.startswith("/docs/"), path
        assert (await api.get(path)).status_code == 200, path
    assert "<script>" not in page.text
    start = await api.get("/docs/own/start.js")
    assert "validatorUrl: null" in start.text, "or Swagger UI sends the description to a validator elsewhere"
    assert (await api.get("/docs/assets/LICENSE")).status_code == 200
    assert (await api.get("/docs/assets/../../errors.py")).status_code == 404
    assert (await api.get("/docs/assets/%2e%2e/%2e%2e/%2e%2e/errors.py")).status_code == 404
