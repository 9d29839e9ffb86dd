"""The webhooks of the HTTP carriers under the contract: how each of them calls and signs, as data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from heliograph.carriers import registry
from heliograph.carriers.base import Call, Heard, Receipt, ReceiptState, Reply, Webhook
from tests.carriers import http_said
from tests.carriers.contract import SECRET
from tests.carriers.hooks import NOW
from tests.carriers.http_said import Settings

TOKEN = f"{SECRET}.0123456789"


@dataclass(slots=True)
class Hooks:
    """A way in which a carrier calls. ``say`` makes the calls of what is heard; ``sign`` signs one."""

    name: str
    settings: Settings
    verifies_by: Sequence[str]
    say: Callable[[Heard], list[Call]]
    sign: Callable[[Call, Settings], Call]
    others: Settings
    covers_body: bool = True
    public_key: bool = False
    webhook: Webhook = field(init=False)

    def __post_init__(self) -> None:
        found = registry.webhook(self.name.split(" ")[0])
        assert found is not None
        self.webhook = found

    def other(self) -> Settings:
        return {**self.settings, **self.others}

    def calls(self, said: Heard, settings: Settings) -> list[Call]:
        return [self.sign(call, settings) for call in self.say(said)]


KANNEL_TELLS: Settings = {
    "receipt": {
        "id": "id",
        "status": "status",
        "accepted": ["4", "8"],
        "delivered": ["1"],
        "failed": ["2", "16", "34", "66"],
    },
    "reply": {"number": "from", "to": "to", "text": "text", "id": "mo"},
}
JASMIN_TELLS: Settings = {
    "receipt": {
        "id": "id", "status": "message_status", "code": "err", "accepted": ["ESME_ROK", "ENROUTE", "ACCEPTD"],
        "delivered": ["DELIVRD"], "failed": ["UNDELIV", "EXPIRED", "DELETED", "REJECTD", "UNKNOWN"],
    },
    "reply": {"number": "from", "to": "to", "text": "content", "id": "id"},
}  # fmt: skip
_OTHER_TOKEN: Settings = {"webhook_token": "another.token.altogether"}
_TOKEN: Settings = {"webhook_token": TOKEN}

HTTP_HOOKS: tuple[Hooks, ...] = (
    Hooks(
        "twilio",
        {"auth_token": SECRET},
        ("auth_token",),
        http_said.twilio_says,
        http_said.twilio_signs,
        {"auth_token": "another"},
    ),
    *(
        Hooks(
            f"vonage {method}",
            {"signature_secret": SECRET, "signature_method": method},
            ("signature_secret",),
            http_said.vonage_says,
            http_said.vonage_signs,
            {"signature_secret": "another"},
        )
        for method in ("md5hash", "md5", "sha1", "sha256", "sha512")
    ),
    Hooks(
        "vonage token",
        _TOKEN,
        ("webhook_token",),
        http_said.vonage_says,
        http_said.with_token,
        _OTHER_TOKEN,
        covers_body=False,
    ),
    Hooks(
        "infobip token",
        _TOKEN,
        ("webhook_token",),
        http_said.infobip_says,
        http_said.with_token,
        _OTHER_TOKEN,
        covers_body=False,
    ),
    Hooks(
        "infobip basic",
        {"webhook_user": "infobip", "webhook_password": SECRET},
        ("webhook_password",),
        http_said.infobip_says,
        http_said.with_basic,
        {"webhook_password": "another"},
        covers_body=False,
    ),
    Hooks(
        "plivo v3",
        {"auth_token": SECRET},
        ("auth_token",),
        http_said.plivo_says,
        http_said.plivo_signs_v3,
        {"auth_token": "another"},
    ),
    Hooks(
        "plivo v2",
        {"auth_token": SECRET, **_TOKEN},
        ("auth_token",),
        http_said.plivo_says,
        http_said.plivo_signs_v2,
        {"auth_token": "another"},
        covers_body=False,
    ),
    Hooks(
        "telnyx",
        {"public_key": http_said.ED25519_OURS},
        ("public_key",),
        http_said.telnyx_says,
        http_said.telnyx_signs,
        {"public_key": http_said.ED25519_OTHER},
        public_key=True,
    ),
    Hooks(
        "sinch",
        {"webhook_secret": SECRET},
        ("webhook_secret",),
        http_said.sinch_says,
        http_said.sinch_signs,
        {"webhook_secret": "another"},
    ),
    Hooks(
        "sinch token",
        _TOKEN,
        ("webhook_token",),
        http_said.sinch_says,
        http_said.with_token,
        _OTHER_TOKEN,
        covers_body=False,
    ),
    Hooks(
        "bandwidth",
        {"webhook_user": "bw", "webhook_password": SECRET},
        ("webhook_password",),
        http_said.bandwidth_says,
        http_said.with_basic,
        {"webhook_password": "another"},
        covers_body=False,
    ),
    Hooks(
        "bandwidth token",
        _TOKEN,
        ("webhook_token",),
        http_said.bandwidth_says,
        http_said.with_token,
        _OTHER_TOKEN,
        covers_body=False,
    ),
    Hooks(
        "aws header",
        _TOKEN,
        ("webhook_token",),
        http_said.aws_says_by_bridge,
        http_said.aws_signs_by_header,
        _OTHER_TOKEN,
        covers_body=False,
    ),
    Hooks(
        "aws token",
        _TOKEN,
        ("webhook_token",),
        http_said.aws_says_by_topic,
        http_said.with_token,
        _OTHER_TOKEN,
        covers_body=False,
    ),
    Hooks(
        "aws signed",
        {"sns_certificate": http_said.RSA_OURS, **_TOKEN},
        ("webhook_token",),
        http_said.aws_says_by_topic,
        http_said.aws_signs,
        {"sns_certificate": http_said.RSA_OTHER},
        public_key=True,
    ),
    Hooks(
        "generic kannel",
        {**KANNEL_TELLS, **_TOKEN},
        ("webhook_token",),
        http_said.kannel_says,
        http_said.with_token,
        _OTHER_TOKEN,
        covers_body=False,
    ),
    Hooks(
        "generic jasmin",
        {**JASMIN_TELLS, **_TOKEN},
        ("webhook_token",),
        http_said.jasmin_says,
        http_said.with_token,
        _OTHER_TOKEN,
        covers_body=False,
    ),
    Hooks(
        "generic signed",
        {**JASMIN_TELLS, "webhook_secret": SECRET, "signature": {"header": "X-Signature", "prefix": "sha256="}},
        ("webhook_secret",),
        http_said.jasmin_says,
        http_said.generic_signs,
        {"webhook_secret": "another"},
    ),
)


def said_of(ref: str, state: ReceiptState, at: datetime = NOW) -> Heard:
    """A receipt, for a far side to tell."""
    return Heard(receipts=[Receipt(ref, state, at, "30003" if state is ReceiptState.FAILED else "")])


def written(number: str, to: str, text: str, ref: str) -> Heard:
    """A reply, for a far side to tell."""
    return Heard(replies=[Reply(number, to, text, NOW, ref)])
