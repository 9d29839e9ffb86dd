"""What each HTTP carrier says when it calls, and how it signs that: the far half of its webhook."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.x509.oid import NameOID

from heliograph.carriers import http_calls, plivo, vonage
from heliograph.carriers.base import Call, Heard, ReceiptState
from tests.carriers.hooks import NOW, URL

Settings = Mapping[str, object]
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
A_, D_, F_ = ReceiptState.ACCEPTED, ReceiptState.DELIVERED, ReceiptState.FAILED


def form(values: Mapping[str, str]) -> Call:
    return Call("POST", URL, (), {"content-type": FORM}, urlencode(values).encode(), NOW)


def js(value: object) -> Call:
    return Call("POST", URL, (), {"content-type": JSON}, json.dumps(value).encode(), NOW)


def with_header(call: Call, **headers: str) -> Call:
    added = {name.replace("_", "-"): value for name, value in headers.items()}
    return Call(call.method, call.url, call.query, {**call.headers, **added}, call.body, call.at)


def with_token(call: Call, settings: Settings) -> Call:
    url = f"{call.url}{'&' if '?' in call.url else '?'}{urlencode({'token': str(settings['webhook_token'])})}"
    query = parse_qsl(url.partition("?")[2], keep_blank_values=True)
    return Call(call.method, url, query, call.headers, call.body, call.at)


def with_basic(call: Call, settings: Settings) -> Call:
    user, password = str(settings["webhook_user"]), str(settings["webhook_password"])
    return with_header(call, authorization=http_calls.basic(user, password))


# ---------------------------------------------------------------- what each carrier says


def twilio_says(said: Heard) -> list[Call]:
    status = {A_: "sent", D_: "delivered", F_: "undelivered"}
    receipts = [
        form(
            {
                "MessageSid": r.ref,
                "MessageStatus": status[r.state],
                "ErrorCode": r.code,
                "AccountSid": "AC1",
                "To": "+1",
            }
        )
        for r in said.receipts
    ]
    return receipts + [
        form(
            {
                "MessageSid": r.ref,
                "SmsStatus": "received",
                "From": r.number,
                "To": r.to,
                "Body": r.text,
                "NumMedia": "0",
            }
        )
        for r in said.replies
    ]


def twilio_signs(call: Call, settings: Settings) -> Call:
    fields = sorted(set(parse_qsl(call.body.decode(), keep_blank_values=True)))
    message = (call.url + "".join(name + value for name, value in fields)).encode()
    return with_header(
        call, x_twilio_signature=http_calls.based(http_calls.mac(str(settings["auth_token"]), message, "sha1"))
    )


def vonage_says(said: Heard) -> list[Call]:
    status = {A_: "accepted", D_: "delivered", F_: "failed"}
    receipts = [
        form({"msisdn": "1", "messageId": "0C-1", "client-ref": r.ref, "status": status[r.state],
              "err-code": r.code or "0",
            "message-timestamp": f"{r.at:%Y-%m-%d %H:%M:%S}"})
        for r in said.receipts
    ]  # fmt: skip
    return receipts + [
        form({"msisdn": r.number[1:], "to": r.to[1:], "text": r.text, "messageId": r.ref, "type": "text",
              "message-timestamp": f"{r.at:%Y-%m-%d %H:%M:%S}"})
        for r in said.replies
    ]  # fmt: skip


def vonage_signs(call: Call, settings: Settings) -> Call:
    """As Vonage calls by GET: everything is in the query."""
    said = dict(parse_qsl(call.body.decode(), keep_blank_values=True)) | {"timestamp": "1772452800", "nonce": "n"}
    said["sig"] = vonage.sign(said, str(settings["signature_secret"]), str(settings["signature_method"]))
    return Call("GET", f"{URL}?{urlencode(said)}", list(said.items()), {}, b"", NOW)


def infobip_says(said: Heard) -> list[Call]:
    group = {A_: (1, "PENDING_ENROUTE"), D_: (3, "DELIVERED_TO_HANDSET"), F_: (2, "UNDELIVERABLE_NOT_DELIVERED")}
    receipts = [
        {
            "messageId": r.ref,
            "to": "1",
            "doneAt": f"{r.at:%Y-%m-%dT%H:%M:%S.000+0000}",
            "status": {"groupId": group[r.state][0], "name": group[r.state][1]},
            "error": {"name": r.code or "NO_ERROR", "permanent": False},
        }
        for r in said.receipts
    ]
    replies = [
        {
            "messageId": r.ref,
            "from": r.number[1:],
            "to": r.to[1:],
            "text": r.text,
            "receivedAt": "2026-03-02T12:00:00.000+0000",
        }
        for r in said.replies
    ]
    return [js({"results": each}) for each in (receipts, replies) if each]


def plivo_says(said: Heard) -> list[Call]:
    status = {A_: "sent", D_: "delivered", F_: "undelivered"}
    receipts = [
        form(
            {
                "MessageUUID": r.ref,
                "Status": status[r.state],
                "ErrorCode": r.code,
                "To": "1",
                "From": "2",
                "Sequence": "1",
            }
        )
        for r in said.receipts
    ]
    return receipts + [
        form({"MessageUUID": r.ref, "From": r.number[1:], "To": r.to[1:], "Text": r.text, "Type": "sms"})
        for r in said.replies
    ]


def plivo_signs_v3(call: Call, settings: Settings) -> Call:
    wanted = plivo.sign_v3(str(settings["auth_token"]), call, "12345")
    return with_header(call, x_plivo_signature_v3=f"other,{wanted}", x_plivo_signature_v3_nonce="12345")


def plivo_signs_v2(call: Call, settings: Settings) -> Call:
    signature = plivo.sign_v2(str(settings["auth_token"]), call, "12345")
    signed = with_header(call, x_plivo_signature_v2=signature, x_plivo_signature_v2_nonce="12345")
    return with_token(signed, settings)


def telnyx_says(said: Heard) -> list[Call]:
    def event(kind: str, payload: object, at: datetime) -> Call:
        return js({"data": {"id": "ev", "event_type": kind, "occurred_at": at.isoformat(), "payload": payload}})

    status = {D_: "delivered", F_: "delivery_failed", A_: "sent"}
    receipts = [
        event(
            "message.sent" if r.state is A_ else "message.finalized",
            {
                "id": r.ref,
                "to": [{"phone_number": "+1", "status": status[r.state]}],
                "errors": [{"code": r.code}] if r.code else [],
            },
            r.at,
        )
        for r in said.receipts
    ]
    return receipts + [
        event(
            "message.received",
            {"id": r.ref, "from": {"phone_number": r.number}, "to": [{"phone_number": r.to}], "text": r.text},
            r.at,
        )
        for r in said.replies
    ]


ED25519 = {}
for _name in ("ours", "other"):
    _key = ed25519.Ed25519PrivateKey.generate()
    ED25519[base64.b64encode(_key.public_key().public_bytes_raw()).decode()] = _key
ED25519_OURS, ED25519_OTHER = ED25519


def telnyx_signs(call: Call, settings: Settings) -> Call:
    at = str(int(call.at.timestamp()))
    signature = ED25519[str(settings["public_key"])].sign(f"{at}|".encode() + call.body)
    return with_header(call, telnyx_signature_ed25519=http_calls.based(signature), telnyx_timestamp=at)


def sinch_says(said: Heard) -> list[Call]:
    status = {A_: "Dispatched", D_: "Delivered", F_: "Failed"}
    receipts = [
        js({"type": "recipient_delivery_report_sms", "batch_id": r.ref, "recipient": "1", "status": status[r.state],
            "code": 402 if r.state is F_ else 0, "at": r.at.isoformat()})
        for r in said.receipts
    ]  # fmt: skip
    return receipts + [
        js(
            {
                "type": "mo_text",
                "id": r.ref,
                "from": r.number[1:],
                "to": r.to[1:],
                "body": r.text,
                "received_at": r.at.isoformat(),
            }
        )
        for r in said.replies
    ]


def sinch_signs(call: Call, settings: Settings) -> Call:
    signature = http_calls.mac(str(settings["webhook_secret"]), call.body + b".nonce1.1700000000")
    return with_header(
        call,
        x_sinch_webhook_signature=http_calls.based(signature),
        x_sinch_webhook_signature_nonce="nonce1",
        x_sinch_webhook_signature_timestamp="1700000000",
    )


def bandwidth_says(said: Heard) -> list[Call]:
    kind = {A_: "message-sending", D_: "message-delivered", F_: "message-failed"}
    events: list[object] = [
        {"type": kind[r.state], "time": r.at.isoformat(), "to": "+1", "message": {"id": r.ref}}
        | ({"errorCode": 4770} if r.code else {})
        for r in said.receipts
    ]
    events += [
        {
            "type": "message-received",
            "time": r.at.isoformat(),
            "to": r.to,
            "message": {"id": r.ref, "from": r.number, "text": r.text},
        }
        for r in said.replies
    ]
    return [js(events)] if events else []


def aws_events(said: Heard) -> list[object]:
    kind = {A_: "TEXT_PENDING", D_: "TEXT_DELIVERED", F_: "TEXT_BLOCKED"}
    events: list[object] = [
        {
            "eventType": kind[r.state],
            "messageId": r.ref,
            "eventTimestamp": int(r.at.timestamp() * 1000),
            "isFinal": r.state is not A_,
        }
        for r in said.receipts
    ]
    return events + [
        {"originationNumber": r.number, "destinationNumber": r.to, "messageBody": r.text, "inboundMessageId": r.ref}
        for r in said.replies
    ]


def aws_says_by_bridge(said: Heard) -> list[Call]:
    return [
        js({"source": "aws.sms-voice", "detail-type": "Text Message Delivery Status Updated", "detail": each})
        for each in aws_events(said)
    ]


def aws_says_by_topic(said: Heard) -> list[Call]:
    return [
        js({"Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:eu-west-1:1:t",
            "Message": json.dumps(each),
            "Timestamp": "2026-03-02T12:00:00.000Z", "SignatureVersion": "2", "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/c.pem"})
        for each in aws_events(said)
    ]  # fmt: skip


def aws_signs_by_header(call: Call, settings: Settings) -> Call:
    return with_header(call, x_webhook_token=str(settings["webhook_token"]))


RSA: dict[str, rsa.RSAPrivateKey] = {}
for _name in ("ours", "other"):
    _private = rsa.generate_private_key(65537, 2048)
    _who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    _blank = x509.CertificateBuilder().subject_name(_who).issuer_name(_who).public_key(_private.public_key())
    _blank = _blank.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=365))
    _made = _blank.sign(_private, hashes.SHA256())
    RSA[_made.public_bytes(serialization.Encoding.PEM).decode()] = _private
RSA_OURS, RSA_OTHER = RSA


def aws_signs(call: Call, settings: Settings) -> Call:
    said = json.loads(call.body)
    message = "".join(f"{name}\n{said[name]}\n" for name in ("Message", "MessageId", "Timestamp", "TopicArn", "Type"))
    signature = RSA[str(settings["sns_certificate"])].sign(message.encode(), padding.PKCS1v15(), hashes.SHA256())
    return with_token(js(said | {"Signature": http_calls.based(signature)}), settings)


def kannel_says(said: Heard) -> list[Call]:
    """As dlr-url and get-url in docs/carriers/generic.md ask for."""
    status = {A_: "8", D_: "1", F_: "2"}
    rows = [{"id": r.ref, "status": status[r.state]} for r in said.receipts]
    rows += [{"from": r.number, "to": r.to, "text": r.text, "mo": r.ref} for r in said.replies]
    return [Call("GET", f"{URL}?{urlencode(row)}", list(row.items()), {}, b"", NOW) for row in rows]


def jasmin_says(said: Heard) -> list[Call]:
    status = {A_: "ESME_ROK", D_: "DELIVRD", F_: "UNDELIV"}
    receipts = [
        form({"id": r.ref, "message_status": status[r.state], "level": "2", "err": r.code}) for r in said.receipts
    ]
    return receipts + [
        form({"id": r.ref, "from": r.number, "to": r.to, "content": r.text, "coding": "0"}) for r in said.replies
    ]


def generic_signs(call: Call, settings: Settings) -> Call:
    signature = http_calls.mac(str(settings["webhook_secret"]), call.body).hex()
    return with_header(call, x_signature=f"sha256={signature}")
