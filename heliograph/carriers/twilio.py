"""Twilio: the Messages API, status callbacks, inbound messages.

| Twilio says | ours | evidence |
|---|---|---|
| 201 with a ``sid`` | Accepted | "Messages resource": create answers the resource |
| 201 with status failed, undelivered or canceled | refused for good, by its error_code | same page |
| 21610 | refused for good: the person opted out | "Error and warning dictionary" |
| 21211 21214 21217 21265 21266 21408 21602 21604 21614 21617 21635 | refused for good: this number or text | same |
| 21212 21603 21606 21607 21612 21659 21660 21705 | refused for now: the sender is wrong | same |
| 21611 30001 | Deferred, a minute: the sender's queue is full | same; "Queueing and latency" |
| 20429 14107 or HTTP 429 | Deferred, by Retry-After | "REST API best practices" |
| 20003 20005 20404 30002 90010, HTTP 401 403 404 | the account is shut | dictionary |
| another code with 4xx | refused for good | the request was not accepted |
| 5xx, nothing | Lost | a 5xx may have been accepted; the API has no idempotency key |
| callback queued accepted scheduled sending sent | receipt: accepted | "Track outbound message status" |
| callback delivered read | receipt: delivered | same |
| callback undelivered failed canceled partially_delivered | receipt: failed, by ErrorCode | same |

Unknown texts are looked up by sid, else by To, From and day ("Read multiple Message resources"): what was created
within two minutes of ours counts when it is the only one. Calls are verified by ``X-Twilio-Signature`` ("Webhooks
security"), over the address that Twilio called and all form fields.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from heliograph.carriers import http, http_answers, http_calls, http_settings
from heliograph.carriers.base import Accepted, Deferred, Heard, Receipt, ReceiptState, Refused, Reply
from heliograph.carriers.http import Errand, Reading
from heliograph.carriers.http_settings import Field
from heliograph.carriers.http_wire import Request
from heliograph.carriers.kind import Setting
from heliograph.config import utc_now
from heliograph.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from heliograph.carriers.base import Call, Finding, Sought, Text
    from heliograph.carriers.http_settings import Values
    from heliograph.carriers.http_wire import Answer

FOR_NOW = frozenset({"21212", "21603", "21606", "21607", "21612", "21659", "21660", "21705"})
FOR_GOOD = frozenset(
    {"21211", "21214", "21217", "21265", "21266", "21408", "21602", "21604", "21610", "21614", "21617", "21635"}
)
OPTED_OUT = frozenset({"21610"})  # of a refusal and of a callback alike
FULL = frozenset({"21611", "30001"})
THROTTLED = frozenset({"20429", "14107"})
SHUT = {
    "20003": "it does not accept our credentials",
    "20005": "the account is not active",
    "20404": "there is no such account",
    "30002": "the account is suspended",
    "90010": "the account is not active",
}
FULL_PAUSE = 60.0
NEAR = timedelta(minutes=2)

STATES = {
    **dict.fromkeys(("queued", "accepted", "scheduled", "sending", "sent"), ReceiptState.ACCEPTED),
    **dict.fromkeys(("delivered", "read"), ReceiptState.DELIVERED),
    **dict.fromkeys(("undelivered", "failed", "canceled", "partially_delivered"), ReceiptState.FAILED),
}

FIELDS = (
    http_settings.word(
        "account_sid", "AC and 32 hexadecimal digits", "The account.", r"AC[0-9a-fA-F]{32}", required=True
    ),
    http_settings.secret("auth_token", "The account's auth token. Calls are verified by it.", required=True),
    http_settings.word(
        "api_key_sid",
        "SK and 32 hexadecimal digits",
        "An API key to send with instead of the auth token.",
        r"SK[0-9a-fA-F]{32}",
    ),
    http_settings.secret("api_key_secret", "That key's secret."),
    http_settings.secret("signing_key", "The shared key, where Twilio is set up to sign with HMAC-SHA256."),
    http_settings.word(
        "messaging_service_sid",
        "MG and 32 hexadecimal digits",
        "A messaging service to send through; it then chooses the sender, not the campaign.",
        r"MG[0-9a-fA-F]{32}",
    ),
    Field(
        Setting("validity_s", "seconds from 1 to 36000", "How long a text may wait at Twilio.", default=36_000),
        http_settings.whole(1, 36_000),
    ),
    *http_settings.line("https://api.twilio.com"),
)


class Twilio:
    """The API. See :class:`heliograph.carriers.http.AskedVendor`."""

    per_request = 1

    def __init__(self, values: Values, webhook_url: str | None) -> None:
        if bool(values.text("api_key_sid")) != bool(values.text("api_key_secret")):
            raise Invalid("The twilio settings api_key_sid and api_key_secret go together", field="api_key_sid")
        self.origin = http_settings.origin(values)
        self.connections = values.whole("connections")
        self.answer_timeout = values.number("answer_timeout_s")
        sid = values.text("account_sid")
        self._messages = f"{http_settings.path(values)}/2010-04-01/Accounts/{sid}/Messages"
        user, password = values.text("api_key_sid"), values.text("api_key_secret")
        self._auth = http_calls.basic(user or sid, password or values.text("auth_token"))
        self._service = values.text("messaging_service_sid")
        self._validity = str(values.whole("validity_s"))
        self._callback = webhook_url

    def errands(self, texts: Sequence[Text]) -> list[Errand]:
        """A POST of form fields for each text."""
        return [Errand(self._request(text), [text]) for text in texts]

    def _request(self, text: Text) -> Request:
        form = {"To": text.to, "Body": text.text, "ValidityPeriod": self._validity}
        service = self._service or (text.sender if re.fullmatch("MG[0-9a-f]{32}", text.sender) else "")
        form |= {"MessagingServiceSid": service} if service else {"From": text.sender}
        if self._callback is not None:
            form["StatusCallback"] = self._callback
        headers = (("Authorization", self._auth), ("Content-Type", "application/x-www-form-urlencoded"))
        return Request("POST", f"{self._messages}.json", headers, urlencode(form).encode())

    def read(self, texts: Sequence[Text], answer: Answer) -> Reading:  # noqa: PLR0911  # a return for each row of the table
        """See the table above."""
        said, count = http_answers.mapping(answer), len(texts)
        if answer.status in http_answers.SUCCESS:
            sid, status = http_calls.text(said.get("sid")), said.get("status")
            if not sid:
                return http_answers.by_status(count, answer, utc_now())
            if isinstance(status, str) and STATES.get(status) is ReceiptState.FAILED:
                return http_answers.each(
                    count, Refused(http_calls.text(said.get("error_code")) or status, permanent=True)
                )
            return http_answers.each(count, Accepted(sid))
        code = http_calls.text(said.get("code"))
        if code in SHUT:
            return http_answers.shut(count, code, f"{SHUT[code]} ({code})")
        if code in FULL:
            return http_answers.each(count, Deferred(code, FULL_PAUSE))
        if code in THROTTLED:
            return http_answers.each(count, Deferred(code, http_calls.pause(answer.headers, utc_now())))
        if code in FOR_NOW:
            return http_answers.each(count, Refused(code, permanent=False))
        if code in FOR_GOOD:  # whatever the status: some come with 403, which else is the account's
            return http_answers.each(count, Refused(code, permanent=True))
        return http_answers.by_status(count, answer, utc_now(), code=code)

    def question(self, sought: Sought) -> Request:
        """The message by its sid; else those to this number from this sender of that day."""
        headers = (("Authorization", self._auth),)
        if sought.ref is not None:
            return Request("GET", f"{self._messages}/{sought.ref}.json", headers)
        day = sought.submitted_at.date()
        query = {"To": sought.to, "DateSent>": str(day - timedelta(days=1)), "PageSize": "200"}
        if not self._service:
            query["From"] = sought.sender
        return Request("GET", f"{self._messages}.json?{urlencode(query)}", headers)

    def finding(self, sought: Sought, answer: Answer) -> Finding:
        """How the message stands. A list settles only with one message near that time; silence settles nothing."""
        said = http_answers.mapping(answer)
        if sought.ref is not None:
            return _found(said, sought)
        epoch = sought.submitted_at - NEAR * 2
        near = [
            each
            for each in http_calls.items(said.get("messages"))
            if abs(http_calls.moment(each.get("date_created"), epoch) - sought.submitted_at) <= NEAR
            and each.get("direction") != "inbound"
        ]
        return _found(near[0], sought) if len(near) == 1 else None


def _found(message: Mapping[str, object], sought: Sought) -> Finding:
    ref, state = sought.ref or http_calls.text(message.get("sid")), STATES.get(http_calls.text(message.get("status")))
    if not ref or state is None:
        return None
    at = http_calls.moment(message.get("date_updated"), sought.submitted_at)
    code = http_calls.text(message.get("error_code")) or http_calls.text(message.get("status"))
    return Receipt(ref, state, at, code if state is ReceiptState.FAILED else "")


class TwilioCalls:
    """Status callbacks and inbound messages. See :class:`heliograph.carriers.base.Webhook`."""

    def verify(self, settings: Mapping[str, object], call: Call) -> bool:
        """Whether the signature is right for the address with or without its port: Twilio has signed both."""
        given = call.headers.get("x-twilio-signature", "")
        strong = "HMAC_SHA256" in call.headers.get("x-twilio-webhooks-signature-settings", "")
        secret = http_calls.text(settings.get("signing_key" if strong else "auth_token"))
        if not secret:
            return False
        tail = ""
        hashes = [value for name, value in parse_qsl(urlsplit(call.url).query) if name == "bodySHA256"]
        if hashes:
            if not http_calls.same(hashes[0].lower(), http_calls.sha256(call.body)):
                return False
        elif call.body:
            try:
                fields = sorted(set(http_calls.pairs(call)))
            except Invalid:
                return False
            tail = "".join(name + value for name, value in fields)
        method = "sha256" if strong else "sha1"
        wanted = [
            http_calls.based(http_calls.mac(secret, (url + tail).encode(), method)) for url in _spellings(call.url)
        ]
        return any([http_calls.same(given, each) for each in wanted])  # noqa: C419  # each is compared, whatever came before

    def read(self, settings: Mapping[str, object], call: Call) -> Heard:
        """A receipt or a reply."""
        del settings
        said = http_calls.fields(call)
        status = http_calls.text(said.get("MessageStatus")) or http_calls.text(said.get("SmsStatus"))
        ref = http_calls.need(said, "MessageSid", "SmsSid")
        if status in ("received", "receiving") or (not status and "Body" in said):
            number = http_calls.plus(http_calls.need(said, "From"))
            to, words = http_calls.plus(http_calls.need(said, "To")), http_calls.text(said.get("Body"))
            return Heard(replies=[Reply(number, to, words, call.at, ref)])
        state = STATES.get(status)
        if state is None:
            return Heard()
        code = (http_calls.text(said.get("ErrorCode")) or status) if state is ReceiptState.FAILED else ""
        return Heard(receipts=[Receipt(ref, state, call.at, code)])


def _spellings(url: str) -> list[str]:
    """The address as it is, and with the scheme's own port written out or left out."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        return [url]
    usual = 443 if parts.scheme == "https" else 80
    if port is None:
        return [url, urlunsplit(parts._replace(netloc=f"{parts.netloc}:{usual}"))]
    if port == usual:
        return [url, urlunsplit(parts._replace(netloc=parts.netloc.rpartition(":")[0]))]
    return [url]


KIND = http.kind("twilio", "Twilio's Messages API", FIELDS, Twilio, TwilioCalls(), opted_out=OPTED_OUT)
