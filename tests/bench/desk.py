"""Somebody at the API: one kept-alive connection, one token, each request timed."""

from __future__ import annotations

import http.client
import json
import time
from typing import TYPE_CHECKING, Any

from tests.bench.rig import CALLER

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from tests.bench.rig import Rig

PATIENCE = 30.0
FRESH = 2.0  # seconds; a server closes a connection that is silent for longer (uvicorn: 5)


class Desk:
    """Speaks version 2 of the API. Use it as a context manager."""

    def __init__(self, rig: Rig, port: int) -> None:
        self._line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._asked = 0.0
        self._base = f"/campaign/api/v2/public/{rig.app.public_id}/campaign"
        self._one = f"/api/public/bot/{rig.app.public_id}/outboundsms"
        self._headers = {"auth": rig.token, "Content-Type": "application/json"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._line.close()

    def create(self, body: dict[str, Any]) -> str:
        """A new campaign's id."""
        return str(self._ask("POST", "?campaignType=sms", json.dumps(body))["data"]["_id"])

    def play(self, campaign_id: str) -> None:
        self._ask("POST", f"/{campaign_id}?campaignType=sms&trigger=play")

    def total(self, campaign_id: str) -> int:
        """How many people of its run are planned by now."""
        return int(self._ask("GET", f"/{campaign_id}/status?view=ledger")["data"]["total"])

    def is_completed(self, campaign_id: str) -> bool:
        """Whether everybody of it is through."""
        return self._ask("GET", f"/{campaign_id}/status")["data"]["status"] == "Completed"

    def people(self, campaign_id: str, page: int) -> None:
        """Ask for a page of its people."""
        self._ask("GET", f"/{campaign_id}/status?view=contacts&page={page}&limit=100")

    def campaigns(self) -> None:
        """Ask for the first page of all campaigns."""
        self._ask("POST", "/getAllCampaignDetails", json.dumps({"type": "sms", "page": 1, "limit": 25}))

    def delete(self, campaign_id: str) -> tuple[float, str]:
        """Milliseconds until the answer was here, and the status it gives."""
        began = time.perf_counter()
        answer = self._ask("DELETE", f"/{campaign_id}?campaignType=sms")
        return (time.perf_counter() - began) * 1000, str(answer["data"]["status"])

    def text(self, to: str) -> float:
        """Have one text sent to one person; unix seconds at which that was asked."""
        body = json.dumps({"fromNo": CALLER, "toNo": to, "message": "Your code is 2718"})
        asked = time.time()
        self._send("POST", self._one, body)
        return asked

    def health(self) -> float:
        """Milliseconds of ``GET /healthz``."""
        began = time.perf_counter()
        self._send("GET", "/healthz")
        return (time.perf_counter() - began) * 1000

    def _ask(self, verb: str, path: str, body: str | None = None) -> dict[str, Any]:
        return json.loads(self._send(verb, self._base + path, body))

    def _send(self, verb: str, path: str, body: str | None = None) -> bytes:
        if time.monotonic() - self._asked > FRESH:
            self._line.close()  # the next request opens it again
        self._line.request(verb, path, body, self._headers)
        answer = self._line.getresponse()
        data = answer.read()
        self._asked = time.monotonic()
        if answer.status != http.client.OK:
            raise RuntimeError(f"{verb} {path} was answered {answer.status}: {data[:300]!r}")
        return data
