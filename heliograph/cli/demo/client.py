"""A customer of the API: what the demonstration does, it does through the same HTTP as everybody."""

from __future__ import annotations

import asyncio
import http.client
import json
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from heliograph.errors import HeliographError

PREFIX = "/campaign/api/v2/public"
TIMEOUT_SECONDS = 60
OK = 200


@dataclass(frozen=True, slots=True)
class Client:
    """One app's credentials at one server."""

    url: str
    app_id: str
    account_id: str
    token: str

    async def post(self, path: str, body: object = None, *, csv: bytes | None = None) -> dict[str, Any]:
        """The answer to a POST below the app's path. Raises :class:`HeliographError` with the server's own sentence."""
        sent = json.dumps({} if body is None else body).encode() if csv is None else csv
        kind = "application/json" if csv is None else "text/csv"
        return await asyncio.to_thread(self._send, path, sent, kind)

    def _send(self, path: str, sent: bytes, kind: str) -> dict[str, Any]:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=TIMEOUT_SECONDS)
        headers = {"auth": self.token, "iid": self.app_id, "accountId": self.account_id, "Content-Type": kind}
        try:
            connection.request("POST", f"{PREFIX}/{self.app_id}{path}", sent, headers)
            answer = connection.getresponse()
            status, found = answer.status, json.loads(answer.read())
        except (OSError, ValueError) as error:
            raise HeliographError(f"POST {path} got no answer: {error}") from error
        finally:
            connection.close()
        if status != OK:
            raise HeliographError(f"POST {path} was answered {status}: {found.get('message')}")
        return cast("dict[str, Any]", found)

    def curl_delete(self, campaign_id: str) -> str:
        """The command that deletes a campaign, ready to be pasted into a shell."""
        path = f"/agentassist/api/v1/public/{self.app_id}/campaign/{campaign_id}?campaignType=sms"
        return " \\\n".join(
            [
                f"curl --location --request DELETE '{self.url}{path}'",
                f"--header 'iid: {self.app_id}'",
                f"--header 'accountId: {self.account_id}'",
                f"--header 'auth: {self.token}'",
            ]
        )
