"""Signatures of webhooks, when they are tried again, and what people may ask for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from heliograph.errors import Invalid
from heliograph.rules import webhook, webhook_body
from heliograph.rules.webhook import Event

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


def test_the_signature_is_that_of_standard_webhooks() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # that of the specification's own tests
    told = webhook.signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}')
    assert told == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_is_told_is_the_same_each_time_to_the_letter() -> None:
    data = webhook.written({"text": "Grüße 😀", "nothing": None})
    told = webhook.content("reply.received", data, at=NOW, app="st-1")
    assert told == (
        '{"type":"reply.received","timestamp":"2026-03-02T06:00:00.000Z","appId":"st-1",'
        '"data":{"text":"Grüße 😀","nothing":null}}'
    )


def test_it_is_tried_for_a_day_less_and_less_often_and_then_no_more() -> None:
    waits: list[timedelta] = []
    for tries in range(1, len(webhook.WAITS) + 1):
        at = webhook.next_try(tries, 7, now=NOW)
        assert at is not None
        waits.append(at - NOW)
    assert all(before < after for before, after in pairwise(waits))
    assert timedelta(hours=24) <= sum(waits, timedelta()) < timedelta(hours=27)
    assert webhook.next_try(len(webhook.WAITS) + 1, 7, now=NOW) is None


def test_what_failed_together_does_not_come_back_together() -> None:
    assert len({webhook.next_try(5, delivery_id, now=NOW) for delivery_id in range(100)}) > 90


def test_every_event_says_what_it_means() -> None:
    assert set(webhook.MEANS) == set(Event)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "ftp://example.com", "events": ["*"]}, "url"),
        ({"url": "https://u:p@example.com", "events": ["*"]}, "url"),
        ({"url": "https://example.com"}, "events"),
        ({"url": "https://example.com", "events": []}, "events"),
        ({"url": "https://example.com", "events": ["reply"]}, "events"),
        ({"url": "https://example.com", "events": ["*"], "enabled": "yes"}, "enabled"),
    ],
)
def test_what_cannot_be_a_webhook_is_refused(body: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        webhook_body.draft(body)
    assert caught.value.field == field


def test_names_are_kept_once_and_a_star_stands_for_all() -> None:
    assert webhook_body.events(["reply.received", "reply.received"]) == ("reply.received",)
    assert webhook_body.events(["reply.received", "*"]) == ("*",)
    assert webhook_body.events(["message.failed", "*"]) == ("*", "message.failed")
