"""Every kind that is called by its carrier, against what is promised of its webhook."""

from __future__ import annotations

import hmac
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.carriers import registry
from heliograph.carriers.base import Call, Heard
from heliograph.errors import Invalid
from tests.carriers.contract import NUMBERS, SECRET, WRITTEN
from tests.carriers.hooks import NOW, SAID, URL, HookRig
from tests.carriers.rigs import HOOKS, RIGS


@pytest.fixture(params=HOOKS, ids=lambda rig: rig.name)
def rig(request: pytest.FixtureRequest) -> HookRig:
    found: HookRig = request.param
    return found


def genuine(rig: HookRig) -> list[Call]:
    found = rig.calls(SAID, rig.settings)
    assert found
    return found


def test_every_kind_that_is_called_has_a_rig() -> None:
    called = {kind for kind in registry.KINDS if registry.webhook(kind) is not None}
    assert called <= {rig.name.split(" ")[0] for rig in HOOKS}
    assert set(registry.KINDS) <= {make().name.split(" ")[0] for make in RIGS}


def test_what_a_genuine_call_says_is_heard(rig: HookRig) -> None:
    heard = [rig.webhook.read(rig.settings, call) for call in genuine(rig) if rig.webhook.verify(rig.settings, call)]
    receipts = [receipt for each in heard for receipt in each.receipts]
    replies = [reply for each in heard for reply in each.replies]
    assert [(r.ref, r.state, bool(r.code)) for r in receipts] == [(r.ref, r.state, bool(r.code)) for r in SAID.receipts]
    assert [(r.number, r.to, r.text) for r in replies] == [(r.number, r.to, r.text) for r in SAID.replies]
    assert len({reply.ref for reply in replies} - {""}) in (0, len(replies)), "a ref names one reply"
    assert all(said.at.utcoffset() is not None for said in [*receipts, *replies])


def test_a_call_signed_with_another_secret_is_not_believed(rig: HookRig) -> None:
    for call in rig.calls(SAID, rig.other()):
        assert not rig.webhook.verify(rig.settings, call)


def test_an_account_without_anything_to_verify_with_believes_nobody(rig: HookRig) -> None:
    bare = {key: value for key, value in rig.settings.items() if key not in rig.verifies_by}
    for call in [*genuine(rig), Call("POST", URL, (), {}, b"", NOW)]:
        assert not rig.webhook.verify(bare, call)
        for empty in ("", None):
            assert not rig.webhook.verify({**rig.settings, **dict.fromkeys(rig.verifies_by, empty)}, call)


def test_a_call_without_its_signature_is_not_believed(rig: HookRig) -> None:
    for call in genuine(rig):
        naked = replace(call, headers={"content-type": call.headers.get("content-type", "")}, query=(), url=URL)
        assert not rig.webhook.verify(rig.settings, naked)


def test_a_body_that_was_changed_is_not_believed(rig: HookRig) -> None:
    if not rig.covers_body:
        pytest.skip(f"{rig.name}: its signature is not over the body")
    for call in genuine(rig):
        for changed in (call.body + b"x", call.body[:-1]) if call.body else ():
            assert not rig.webhook.verify(rig.settings, replace(call, body=changed))


def test_secrets_are_compared_in_constant_time(rig: HookRig, monkeypatch: pytest.MonkeyPatch) -> None:
    if rig.public_key:
        pytest.skip(f"{rig.name}: it is verified by a public key")
    compared: list[object] = []
    real = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    for call in rig.calls(SAID, rig.other()):
        compared.clear()
        assert not rig.webhook.verify(rig.settings, call)
        assert compared, "the refusal was decided by hmac.compare_digest"


@settings(max_examples=40)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    body=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode(errors="replace"))),
    query=st.lists(st.tuples(st.text(max_size=20), st.text(max_size=40)), max_size=4),
    kind=st.sampled_from(
        ["", "application/json", "application/x-www-form-urlencoded", "text/xml", "\x00;charset=\xff"]
    ),
    signature=st.text(max_size=80),
)
def test_no_rubbish_breaks_it(
    method: str, body: bytes, query: list[tuple[str, str]], kind: str, signature: str
) -> None:
    for rig in HOOKS:
        names = {name for call in genuine(rig) for name in call.headers}
        call = Call(method, URL, query, dict.fromkeys(names, signature) | {"content-type": kind}, body, NOW)
        assert not rig.webhook.verify(rig.settings, call)
        read(rig, call)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32))
def test_no_damaged_call_breaks_it(seed: int) -> None:
    chance = Random(seed)
    for rig in HOOKS:
        call = chance.choice(genuine(rig))
        body = bytearray(call.body)
        for _ in range(chance.randrange(1, 6) if body else 0):
            place = chance.randrange(len(body))
            body[place : place + chance.randrange(0, 9)] = chance.randbytes(chance.randrange(0, 5))
            body = body or bytearray(b"{")
        query = [(key, value) for key, value in call.query if chance.random() < 0.7]
        read(rig, replace(call, body=bytes(body), query=query))


def read(rig: HookRig, call: Call) -> Heard | None:
    try:
        found = rig.webhook.read(rig.settings, call)
    except Invalid as error:
        shown = error.message
        assert not any(hidden in shown for hidden in (SECRET, WRITTEN, *NUMBERS)), "it is kept and shown"
        return None
    assert all(receipt.ref and receipt.at.utcoffset() is not None for receipt in found.receipts)
    assert all(reply.at.utcoffset() is not None for reply in found.replies)
    return found
