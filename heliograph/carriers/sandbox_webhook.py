"""The sandbox's calls: receipts and replies that somebody else says, signed, to try out what real carriers do.

A call is a POST of ``{"receipts": [{ref, state, at, code?}], "replies": [{from, to, text, at, ref}]}``
with the hexadecimal HMAC-SHA256 of its body, keyed by the account's ``webhook_secret``, in ``X-Sandbox-Signature``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime
from typing import TYPE_CHECKING, cast

from heliograph.carriers.base import Heard, Receipt, ReceiptState, Reply
from heliograph.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heliograph.carriers.base import Call

SIGNATURE = "x-sandbox-signature"


def sign(secret: str, body: bytes) -> str:
    """What a call with this body carries in its signature header."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class SandboxWebhook:
    """See :class:`heliograph.carriers.base.Webhook`."""

    def verify(self, settings: Mapping[str, object], call: Call) -> bool:
        """Whether the body is signed with the account's secret."""
        secret = settings.get("webhook_secret")
        if not isinstance(secret, str) or not secret:
            return False
        # As bytes: compare_digest refuses text that is not ASCII, which anybody can send.
        return hmac.compare_digest(sign(secret, call.body).encode(), call.headers.get(SIGNATURE, "").encode())

    def read(self, settings: Mapping[str, object], call: Call) -> Heard:
        """What a call says. Raises Invalid."""
        del settings
        try:
            said: object = json.loads(call.body)
        except ValueError as error:
            raise Invalid("The call is no JSON") from error
        except RecursionError as error:
            raise Invalid("The call is nested too deep") from error
        if not isinstance(said, dict):
            raise Invalid("The call is no JSON object")
        known = cast("dict[str, object]", said)
        return Heard(
            [_receipt(item) for item in _list(known, "receipts")], [_reply(item) for item in _list(known, "replies")]
        )


def _list(said: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
    found = said.get(key, [])
    if not isinstance(found, list):
        raise Invalid(f"{key} is no list")
    items = cast("list[object]", found)
    if not all(isinstance(item, dict) for item in items):
        raise Invalid(f"{key} holds something that is no object")
    return cast("list[Mapping[str, object]]", items)


def _receipt(item: Mapping[str, object]) -> Receipt:
    state = _text(item, "state")
    if state not in set(ReceiptState):
        raise Invalid(f"a receipt's state is none of {', '.join(ReceiptState)}")
    code = item.get("code", "")
    return Receipt(_text(item, "ref"), ReceiptState(state), _at(item), code if isinstance(code, str) else "")


def _reply(item: Mapping[str, object]) -> Reply:
    return Reply(_text(item, "from"), _text(item, "to"), _text(item, "text"), _at(item), _text(item, "ref"))


def _text(item: Mapping[str, object], key: str) -> str:
    found = item.get(key)
    if not isinstance(found, str) or not found:
        raise Invalid(f"{key} is missing or no text")
    return found


def _at(item: Mapping[str, object]) -> datetime:
    try:
        found = datetime.fromisoformat(_text(item, "at"))
    except ValueError as error:
        raise Invalid("at is no date and time") from error
    if found.utcoffset() is None:
        raise Invalid("at has no zone")
    return found
