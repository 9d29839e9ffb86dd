"""The sandbox's webhook under the contract."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from heliograph.carriers.base import Call, Heard
from heliograph.carriers.sandbox_webhook import SIGNATURE, SandboxWebhook, sign
from tests.carriers.contract import SECRET
from tests.carriers.hooks import NOW, URL


class SandboxHooks:
    name = "sandbox"
    webhook = SandboxWebhook()
    settings: Mapping[str, object] = {"webhook_secret": SECRET}
    verifies_by: Sequence[str] = ("webhook_secret",)
    covers_body = True
    public_key = False

    def other(self) -> Mapping[str, object]:
        return {"webhook_secret": "another secret altogether"}

    def calls(self, said: Heard, settings: Mapping[str, object]) -> list[Call]:
        receipts = [{"ref": r.ref, "state": r.state, "code": r.code, "at": r.at.isoformat()} for r in said.receipts]
        replies = [
            {"from": r.number, "to": r.to, "text": r.text, "at": r.at.isoformat(), "ref": r.ref} for r in said.replies
        ]
        body = json.dumps({"receipts": receipts, "replies": replies}).encode()
        headers = {"content-type": "application/json", SIGNATURE: sign(str(settings["webhook_secret"]), body)}
        return [Call("POST", URL, (), headers, body, NOW)]
