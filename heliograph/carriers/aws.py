"""AWS End User Messaging SMS: SendTextMessage (API of 2022-03-31); events by EventBridge or SNS.

| AWS says | ours | evidence |
|---|---|---|
| 200 with a MessageId | Accepted | API reference, "SendTextMessage" |
| ThrottlingException, HTTP 429 | Deferred | same |
| ServiceQuotaExceededException | the account is shut: its spending limit is reached | same |
| AccessDeniedException, and every error of signature or token | the account is shut | same; "Common errors" |
| ConflictException about the destination: opted out, not verified, blocked | refused for good | same |
| other ConflictException, ResourceNotFoundException | refused for now: the sender or its settings are wrong | same |
| ValidationException | refused for good | same |
| InternalServerException, 5xx, nothing | Lost | the API has no client token |
| TEXT_QUEUED TEXT_PENDING TEXT_UNKNOWN, TEXT_SUCCESSFUL not final | receipt: accepted | "Event types for SMS" |
| TEXT_DELIVERED, TEXT_SUCCESSFUL final | receipt: delivered | same: the two are used interchangeably, by country |
| any other TEXT_...: BLOCKED, INVALID, SPAM, TTL_EXPIRED, UNREACHABLE | receipt: failed, by its name | same |

Requests are signed (Signature Version 4) by ``requests-aws4auth``. Our message id goes along in ``Context``. AWS has no
look-up, so unknown texts wait for their event. Calls come from an EventBridge API destination, or an SNS topic that
an HTTPS endpoint is subscribed to (inbound messages always by SNS), and are verified by a secret, in the address as
``?token=`` or in the header ``x-webhook-token`` that an EventBridge connection adds. With ``sns_certificate`` (the PEM
at a message's SigningCertURL) what comes by SNS must be signed by it as well ("Verifying the signatures of Amazon SNS
messages"); fetching a certificate that a message names is not for code that decides whether to believe the message.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from heliograph.carriers import http, http_answers, http_calls, http_settings
from heliograph.carriers.base import Accepted, Deferred, Heard, Lost, Receipt, ReceiptState, Refused, Reply
from heliograph.carriers.http import Errand, Reading
from heliograph.carriers.http_settings import Field, Unusable
from heliograph.carriers.http_wire import Origin, Request
from heliograph.carriers.kind import Setting
from heliograph.config import utc_now
from heliograph.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from heliograph.carriers.base import Call, Text
    from heliograph.carriers.http_settings import Values
    from heliograph.carriers.http_wire import Answer

TARGET = "PinpointSMSVoiceV2.SendTextMessage"
SHUT = {
    "ServiceQuotaExceededException": "a limit of the account is reached",
    "AccessDeniedException": "our credentials may not send",
    "UnrecognizedClientException": "it does not accept our credentials",
    "InvalidClientTokenId": "it does not accept our credentials",
    "InvalidSignatureException": "it does not accept our credentials, or this machine's clock is wrong",
    "ExpiredTokenException": "our credentials have expired",
    "MissingAuthenticationToken": "it does not accept our credentials",
    "IncompleteSignature": "it does not accept our credentials",
    "OptInRequired": "the account is not set up for this service",
}
FOR_GOOD = (
    "DESTINATION_PHONE_NUMBER_OPTED_OUT",
    "DESTINATION_PHONE_NUMBER_NOT_VERIFIED",
    "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION",
    "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE",
)
OPTED_OUT = frozenset({"DESTINATION_PHONE_NUMBER_OPTED_OUT"})
WAITING = frozenset({"TEXT_QUEUED", "TEXT_PENDING", "TEXT_SENT", "TEXT_UNKNOWN"})
SIGNED = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def _certificate(value: object) -> str:
    if not isinstance(value, str) or len(value) > 20_000:  # noqa: PLR2004  # a few thousand is usual
        raise Unusable
    from cryptography import x509  # noqa: PLC0415  # as in Aws.__init__

    try:
        x509.load_pem_x509_certificate(value.encode())
    except ValueError as error:
        raise Unusable from error
    return value


FIELDS = (
    http_settings.word(
        "region", "a region such as eu-west-1", "Where the sender is.", r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}", required=True
    ),
    http_settings.word(
        "access_key_id", "16 to 128 letters and digits", "The access key.", r"[A-Z0-9]{16,128}", required=True
    ),
    http_settings.secret("secret_access_key", "Its secret.", required=True),
    http_settings.word(
        "configuration_set",
        "1 to 256 letters, digits, dashes and underscores",
        "The configuration set whose event destination tells us what became of texts.",
        r"[A-Za-z0-9_:/-]{1,256}",
    ),
    http_settings.word(
        "message_type",
        "TRANSACTIONAL or PROMOTIONAL",
        "What the texts are.",
        "TRANSACTIONAL|PROMOTIONAL",
        default="PROMOTIONAL",
    ),
    Field(
        Setting("sns_certificate", "a certificate in PEM", "The certificate that the SNS topic signs with."),
        _certificate,
    ),
    http_settings.token(),
    *http_settings.line(""),
)
"""``url`` "" is the region's own endpoint."""


class Aws:
    """The API. See :class:`heliograph.carriers.http.Vendor`."""

    per_request = 1

    def __init__(self, values: Values, webhook_url: str | None) -> None:
        # Imported here: a fifth of a second that only those who have such an account should wait for.
        from requests import Request as ToSign  # noqa: PLC0415
        from requests_aws4auth import AWS4Auth  # noqa: PLC0415

        del webhook_url  # it stands in the topic's subscription, or in the API destination
        self._to_sign = ToSign
        region = values.text("region")
        self._url = (values.text("url") or f"https://sms-voice.{region}.amazonaws.com") + "/"
        self.origin = Origin.of(self._url)
        self.connections = values.whole("connections")
        self.answer_timeout = values.number("answer_timeout_s")
        # Untyped: it takes a request and adds headers to it.
        self._sign = cast("Any", AWS4Auth)(
            values.text("access_key_id"), values.text("secret_access_key"), region, "sms-voice"
        )
        self._set = values.text("configuration_set")
        self._type = values.text("message_type")

    def errands(self, texts: Sequence[Text]) -> list[Errand]:
        """A signed POST of JSON for each text."""
        return [Errand(self._request(text), [text]) for text in texts]

    def _request(self, text: Text) -> Request:
        body: dict[str, object] = {
            "DestinationPhoneNumber": text.to,
            "OriginationIdentity": text.sender,
            "MessageBody": text.text,
            "MessageType": self._type,
            "Context": {"messageId": text.message_id},
        }
        if self._set:
            body["ConfigurationSetName"] = self._set
        octets = json.dumps(body).encode()
        headers = {"Host": self.origin.name, "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": TARGET}
        signed = self._sign(self._to_sign("POST", self._url, headers=headers, data=octets).prepare())
        kept = tuple(
            (name, str(value)) for name, value in signed.headers.items() if name not in ("Host", "Content-Length")
        )
        return Request("POST", urlsplit(self._url).path, kept, octets)

    def read(self, texts: Sequence[Text], answer: Answer) -> Reading:  # noqa: PLR0911  # a return for each row of the table
        """See the table above."""
        said, count = http_answers.mapping(answer), len(texts)
        ref = http_calls.text(said.get("MessageId"))
        if answer.status in http_answers.SUCCESS:
            return http_answers.each(count, Accepted(ref)) if ref else http_answers.by_status(count, answer, utc_now())
        kind = (http_calls.text(said.get("__type")) or answer.headers.get("x-amzn-errortype", "")).partition(":")[0]
        kind, reason = kind.rpartition("#")[2], http_calls.text(said.get("Reason"))
        if kind in SHUT:
            return http_answers.shut(count, kind, f"{SHUT[kind]} ({reason or kind})")
        if kind == "ThrottlingException":
            return http_answers.each(count, Deferred(kind, http_calls.pause(answer.headers, utc_now())))
        if kind in ("ConflictException", "ResourceNotFoundException"):
            return http_answers.each(count, Refused(reason or kind, permanent=reason in FOR_GOOD))
        if kind == "ValidationException":
            return http_answers.each(count, Refused(reason or kind, permanent=True))
        if kind == "InternalServerException":
            return http_answers.each(count, Lost("the carrier failed"))
        return http_answers.by_status(count, answer, utc_now(), code=kind)


class AwsCalls:
    """Events and inbound messages. See :class:`heliograph.carriers.base.Webhook`."""

    def verify(self, settings: Mapping[str, object], call: Call) -> bool:
        """By the token; and by the signature too for what comes by SNS when the account has the certificate."""
        token = http_calls.text(settings.get("webhook_token"))
        by_header = http_calls.same(call.headers.get("x-webhook-token", ""), token)
        if not by_header and not http_calls.has_token(call, token):
            return False
        certificate = http_calls.text(settings.get("sns_certificate"))
        if not certificate or by_header:  # SNS cannot set a header: that is EventBridge
            return True
        try:
            return _is_signed(http_calls.mapping(http_calls.document(call.body)), certificate)
        except Invalid:
            return False

    def read(self, settings: Mapping[str, object], call: Call) -> Heard:
        """A receipt or a reply. Raises Invalid for a subscription that waits to be confirmed, with how."""
        del settings
        said = http_calls.mapping(http_calls.document(call.body))
        if said.get("Type") == "SubscriptionConfirmation":
            raise Invalid(
                "The SNS topic waits for its subscription to be confirmed: open this call's SubscribeURL once"
            )
        if said.get("Type") == "Notification":
            said = http_calls.mapping(http_calls.document(http_calls.text(said.get("Message")).encode()))
        if "detail" in said:
            said = http_calls.mapping(said["detail"])
        if "inboundMessageId" in said:
            number = http_calls.plus(http_calls.need(said, "originationNumber"))
            to, words = (
                http_calls.plus(http_calls.need(said, "destinationNumber")),
                http_calls.text(said.get("messageBody")),
            )
            return Heard(replies=[Reply(number, to, words, call.at, http_calls.text(said["inboundMessageId"]))])
        event = http_calls.text(said.get("eventType"))
        if not event.startswith("TEXT_"):
            return Heard()
        at = http_calls.moment(said.get("eventTimestamp"), call.at)
        state = _state(event, final=said.get("isFinal") is True)
        code = event if state is ReceiptState.FAILED else ""
        return Heard(receipts=[Receipt(http_calls.need(said, "messageId"), state, at, code)])


def _state(event: str, *, final: bool) -> ReceiptState:
    if event == "TEXT_DELIVERED" or (event == "TEXT_SUCCESSFUL" and final):
        return ReceiptState.DELIVERED
    return ReceiptState.ACCEPTED if event in WAITING or event == "TEXT_SUCCESSFUL" else ReceiptState.FAILED


def _is_signed(said: Mapping[str, object], certificate: str) -> bool:
    """Whether an SNS message is signed by this certificate."""
    from cryptography import x509  # noqa: PLC0415  # as in Aws.__init__

    is_notification = said.get("Type") == "Notification"
    names = [name for name in SIGNED if name in said and not (is_notification and name in ("SubscribeURL", "Token"))]
    names = [name for name in names if is_notification or name != "Subject"]
    message = "".join(f"{name}\n{http_calls.text(said[name])}\n" for name in names)
    method = {"1": hashes.SHA1(), "2": hashes.SHA256()}.get(http_calls.text(said.get("SignatureVersion")))  # noqa: S303  # version 1 is SHA-1
    key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    if method is None or not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        key.verify(
            http_calls.unbased(http_calls.text(said.get("Signature"))), message.encode(), padding.PKCS1v15(), method
        )
    except InvalidSignature:
        return False
    return True


KIND = http.kind("aws", "AWS End User Messaging SMS", FIELDS, Aws, AwsCalls(), opted_out=OPTED_OUT)
