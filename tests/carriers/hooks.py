"""What a kind with a webhook promises: only its carrier's calls are believed, and none of them breaks anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from heliograph.carriers.base import Call, Heard, Receipt, ReceiptState, Reply, Webhook
from tests.carriers.contract import SENDER, WRITTEN, A, B, DeafEar, Ear

URL = "https://texts.example.com/carriers/ca-00000000-0000-4000-8000-000000000001"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

SAID = Heard(
    receipts=(
        Receipt("ref-1", ReceiptState.DELIVERED, NOW),
        Receipt("ref-2", ReceiptState.FAILED, NOW, "30003"),
        Receipt("ref-3", ReceiptState.ACCEPTED, NOW),
    ),
    replies=(Reply(A, SENDER, WRITTEN, NOW, "in-1"), Reply(B, SENDER, "yes & no + 1=2;\nÄ", NOW, "in-2")),
)
"""What the genuine calls of every rig say."""


class HookRig(Protocol):
    """A carrier's way to call us. ``settings`` are an account's, with what its calls are verified by."""

    name: str
    settings: Mapping[str, object]
    verifies_by: Sequence[str]
    """Those settings: without them nothing is believed; with other values, no call of this carrier's."""

    covers_body: bool
    """Whether the signature is over the body; where it is not, a secret in the URL or a header vouches for it."""

    public_key: bool
    """Whether it is verified by a public key: there is no secret then whose comparison could tell by its time."""

    @property
    def webhook(self) -> Webhook: ...

    def other(self) -> Mapping[str, object]:
        """``settings`` of an account with other secrets."""
        ...

    def calls(self, said: Heard, settings: Mapping[str, object]) -> list[Call]:
        """Genuine calls that say all of ``said``, in its order, signed with what ``settings`` have."""
        ...


def deliver(webhook: Webhook, settings: Mapping[str, object], call: Call, listener: Ear | DeafEar) -> bool:
    """Take a call as the server does; False when it is not the carrier's."""
    if not webhook.verify(settings, call):
        return False
    heard = webhook.read(settings, call)
    if heard.receipts:
        listener.receipts(heard.receipts)
    if heard.replies:
        listener.replies(heard.replies)
    return True
