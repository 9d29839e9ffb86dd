"""Sinch: the SMS REST API (batches), delivery reports, inbound messages.

| Sinch says | ours | evidence |
|---|---|---|
| 201 (200) with an ``id`` | Accepted | "Batches": send |
| 400 | refused for good | "Status codes" |
| 401; 403 with blocked_account, missing_callback_url or another code; 404 | the account is shut | same |
| 403 illegal_number_type, missing_parameter_value, encoding_unsupported | refused for good: this text | same |
| 429 | Deferred | same |
| 5xx, nothing | Lost | the API has no idempotency key |
| report Queued Dispatched Unknown | receipt: accepted | "Delivery report statuses" |
| report Delivered | receipt: delivered | same |
| report Aborted Cancelled Rejected Deleted Failed Expired | receipt: failed, by its code | same |

No code of its own says that somebody opted out: Deleted is that, or an invalid number. A STOP comes as a reply.

Each text is a batch of its own with our message id as ``client_reference``: by it, or by the batch's id, unknown texts
are looked up ("List batches", "Retrieve a delivery report"). A text that says ``${...}`` is a parameter to Sinch: it is
refused there. Calls are verified by ``x-sinch-webhook-signature`` when the account has a secret for it, else by the
token in their address.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from heliograph.carriers import http, http_answers, http_calls, http_settings
from heliograph.carriers.base import Accepted, Heard, Receipt, ReceiptState, Refused, Reply
from heliograph.carriers.http import Errand, Reading
from heliograph.carriers.http_wire import Request
from heliograph.config import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from heliograph.carriers.base import Call, Finding, Sought, Text
    from heliograph.carriers.http_settings import Values
    from heliograph.carriers.http_wire import Answer

THIS_TEXT = frozenset({"illegal_number_type", "missing_parameter_value", "encoding_unsupported"})
STATES = {
    **dict.fromkeys(("queued", "dispatched", "unknown"), ReceiptState.ACCEPTED),
    "delivered": ReceiptState.DELIVERED,
    **dict.fromkeys(("aborted", "cancelled", "rejected", "deleted", "failed", "expired"), ReceiptState.FAILED),
}

FIELDS = (
    http_settings.word(
        "service_plan_id", "1 to 60 letters and digits", "The service plan.", r"[A-Za-z0-9_-]{1,60}", required=True
    ),
    http_settings.secret("api_token", "Its API token.", required=True),
    http_settings.secret("webhook_secret", "What Sinch signs its calls with, where that is switched on."),
    http_settings.token(),
    *http_settings.line("https://us.sms.api.sinch.com"),
)


class Sinch:
    """The API. See :class:`heliograph.carriers.http.AskedVendor`."""

    per_request = 1

    def __init__(self, values: Values, webhook_url: str | None) -> None:
        self.origin = http_settings.origin(values)
        self.connections = values.whole("connections")
        self.answer_timeout = values.number("answer_timeout_s")
        self._batches = f"{http_settings.path(values)}/xms/v1/{values.text('service_plan_id')}/batches"
        self._auth = ("Authorization", f"Bearer {values.text('api_token')}")
        self._callback = http_calls.with_token(webhook_url, values.text("webhook_token"))

    def errands(self, texts: Sequence[Text]) -> list[Errand]:
        """A POST of JSON for each text."""
        return [Errand(self._request(text), [text]) for text in texts]

    def _request(self, text: Text) -> Request:
        body: dict[str, object] = {
            "from": text.sender.removeprefix("+"),
            "to": [text.to.removeprefix("+")],
            "body": text.text,
            "client_reference": text.message_id,
            "delivery_report": "per_recipient_final",
        }
        if self._callback is not None:
            body["callback_url"] = self._callback
        return Request(
            "POST", self._batches, (self._auth, ("Content-Type", "application/json")), json.dumps(body).encode()
        )

    def read(self, texts: Sequence[Text], answer: Answer) -> Reading:
        """See the table above."""
        said = http_answers.mapping(answer)
        ref, code = http_calls.text(said.get("id")), http_calls.text(said.get("code"))
        if answer.status in http_answers.SUCCESS and ref:
            return http_answers.each(len(texts), Accepted(ref))
        if code in THIS_TEXT:
            return http_answers.each(len(texts), Refused(code, permanent=True))
        return http_answers.by_status(len(texts), answer, utc_now(), code=code)

    def question(self, sought: Sought) -> Request:
        """The delivery report of a batch; else the batch with our reference."""
        if sought.ref is not None:
            return Request("GET", f"{self._batches}/{sought.ref}/delivery_report?type=full", (self._auth,))
        query = {
            "client_reference": sought.message_id,
            "start_date": f"{sought.submitted_at:%Y-%m-%d}",
            "page_size": "10",
        }
        return Request("GET", f"{self._batches}?{urlencode(query)}", (self._auth,))

    def finding(self, sought: Sought, answer: Answer) -> Finding:
        """How the text stands; a list without it settles nothing, as lists come late."""
        said = http_answers.mapping(answer)
        if sought.ref is None:
            for each in http_calls.items(said.get("batches")):
                ref = http_calls.text(each.get("id"))
                if ref and each.get("client_reference", sought.message_id) == sought.message_id:
                    at = http_calls.moment(each.get("created_at"), sought.submitted_at)
                    return Receipt(ref, ReceiptState.ACCEPTED, at)
            return None
        for each in http_calls.items(said.get("statuses")):
            found = _state(each)
            if found is not None:
                return Receipt(sought.ref, found[0], sought.submitted_at, found[1])
        return None


def _state(report: Mapping[str, object]) -> tuple[ReceiptState, str] | None:
    status = http_calls.text(report.get("status"))
    state = STATES.get(status.lower())
    if state is None:
        return None
    return state, (http_calls.text(report.get("code")) or status) if state is ReceiptState.FAILED else ""


class SinchCalls:
    """Delivery reports and inbound messages. See :class:`heliograph.carriers.base.Webhook`."""

    def verify(self, settings: Mapping[str, object], call: Call) -> bool:
        """By the signature when there is a secret for it; else by the token."""
        secret = http_calls.text(settings.get("webhook_secret"))
        if not secret:
            return http_calls.has_token(call, settings.get("webhook_token"))
        nonce = call.headers.get("x-sinch-webhook-signature-nonce", "")
        at = call.headers.get("x-sinch-webhook-signature-timestamp", "")
        message = call.body + f".{nonce}.{at}".encode("utf-8", "replace")
        given = call.headers.get("x-sinch-webhook-signature", "")
        return http_calls.same(given, http_calls.based(http_calls.mac(secret, message)))

    def read(self, settings: Mapping[str, object], call: Call) -> Heard:
        """A receipt or a reply."""
        del settings
        said = http_calls.mapping(http_calls.document(call.body))
        kind = http_calls.text(said.get("type"))
        if kind == "mo_text":
            number, to = http_calls.plus(http_calls.need(said, "from")), http_calls.plus(http_calls.need(said, "to"))
            at = http_calls.moment(said.get("received_at"), call.at)
            return Heard(
                replies=[Reply(number, to, http_calls.text(said.get("body")), at, http_calls.text(said.get("id")))]
            )
        if not kind.endswith(("delivery_report_sms", "delivery_report_mms")):
            return Heard()
        ref = http_calls.need(said, "batch_id")
        reports = [said] if "status" in said else http_calls.items(said.get("statuses"))
        found = [state for each in reports if (state := _state(each)) is not None]
        at = http_calls.moment(said.get("at"), call.at)
        return Heard(receipts=[Receipt(ref, state, at, code) for state, code in found])


KIND = http.kind("sinch", "Sinch's SMS REST API", FIELDS, Sinch, SinchCalls())
