"""One tenant's requests about do-not-contact lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from tests.api.conftest import Tenant

NOW = "2026-03-02T06:00:00.000Z"
LATER = "2026-03-03T06:00:00.000Z"
NUMBER = "+14155550100"


@dataclass(frozen=True)
class Client:
    """Asks by version 2, unless told otherwise."""

    api: httpx.AsyncClient
    tenant: Tenant
    version: int = 2

    @property
    def base(self) -> str:
        return self.tenant.v2 if self.version == 2 else self.tenant.v1

    async def ask(self, verb: str, path: str, status: int = 200, **sent: Any) -> Any:
        answer = await self.api.request(verb, f"{self.base}{path}", headers=self.tenant.headers, **sent)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def create(self, name: str = "Never", **more: Any) -> dict[str, Any]:
        return (await self.ask("POST", "/dncLists", json={"name": name, **more}))["data"]

    async def add(self, *entries: Any, to: str = "Never", status: int = 200, **shared: Any) -> Any:
        return await self.ask("POST", f"/dncLists/{to}/entries", status, json={"entries": list(entries), **shared})

    async def entries(self, query: str = "", of: str = "Never") -> list[str]:
        data = (await self.ask("GET", f"/dncLists/{of}/entries{query}"))["data"]
        return [one["_id"] for one in data["results"]]

    async def count(self, of: str = "Never") -> int:
        return (await self.ask("GET", f"/dncLists/{of}"))["data"]["totalRecordCount"]
