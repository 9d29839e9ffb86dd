"""SMPP without a connection: alphabets, parts, receipts as message centres write them, ids, replies in pieces."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import gsm0338
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.carriers import registry
from heliograph.carriers.base import ReceiptState, Refused, Text
from heliograph.carriers.smpp import coding, joining, notices, pdu
from heliograph.carriers.smpp import settings as accounts
from heliograph.carriers.smpp.coding import Alphabet
from heliograph.carriers.smpp.joining import Joining
from heliograph.carriers.smpp.matching import Ids, Matching
from heliograph.carriers.smpp.pdu import Address, Message
from heliograph.carriers.smpp.simulator import script as scripts
from heliograph.carriers.smpp.wording import Wording
from heliograph.errors import Invalid
from heliograph.rules import parts

AT = datetime(2026, 3, 2, 6, tzinfo=UTC)
ACCOUNT: dict[str, object] = {"host": "127.0.0.1", "system_id": "x"}
GSM = st.text(st.sampled_from([c for c in parts.GSM_BASIC + parts.GSM_EXTENSION if c not in "\x1b\r"]))
ANY = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=400)
DELIVERED, FAILED, ACCEPTED = ReceiptState.DELIVERED, ReceiptState.FAILED, ReceiptState.ACCEPTED


def wording(**more: object) -> Wording:
    return Wording(accounts.read(ACCOUNT | more))


def text(words: str, sender: str = "+15555550100", to: str = "+15555550101") -> Text:
    return Text("m", sender, to, words, parts.measure(words).parts)


def messages(words: str, **more: object) -> list[Message]:
    made = wording(**more).bodies(text(words))
    assert not isinstance(made, Refused)
    return [pdu.read_message(body) for body in made]


# ---------------------------------------------------------------- alphabets


@settings(max_examples=40)
@given(GSM)
def test_septets_are_those_of_another_implementation(words: str) -> None:
    octets = coding.encode(words, coding.DEFAULT, Alphabet.GSM)
    assert octets == gsm0338.Codec().encode(words)[0]
    assert coding.decode_septets(octets) == words


@settings(max_examples=40)
@given(GSM, st.sampled_from([0, 6, 7]))
def test_packing_is_undone_by_unpacking(words: str, header: int) -> None:
    septets = coding.encode(words, coding.DEFAULT, Alphabet.GSM)
    assert coding.unpack(coding.pack(septets, header), header) == septets


def test_packed_septets_are_those_of_the_standard() -> None:
    # The example that every book has.
    assert coding.pack(b"hellohello").hex() == "e8329bfd4697d9ec37"


@settings(max_examples=40)
@given(st.binary(max_size=200), st.integers(0, 255), st.sampled_from(list(Alphabet)))
def test_any_octets_say_something(octets: bytes, data_coding: int, alphabet: Alphabet) -> None:
    assert isinstance(coding.decode(octets, data_coding, alphabet), str)


@pytest.mark.parametrize(
    ("more", "words", "data_coding", "octets"),
    [
        ({}, "a@€", 0, b"a\x00\x1be"),
        ({}, "ça", 8, "ça".encode("utf-16-be")),
        ({}, "😀", 8, "😀".encode("utf-16-be")),
        ({"latin1": True}, "ça", 3, b"\xe7a"),
        ({"latin1": True}, "é", 0, b"\x05"),
        ({"latin1": True}, "ş", 8, "ş".encode("utf-16-be")),
        ({"default_alphabet": "latin1"}, "é@", 0, b"\xe9@"),
        ({"default_alphabet": "latin1"}, "€", 8, "€".encode("utf-16-be")),
        ({"default_alphabet": "gsm7_packed"}, "hellohello", 0, bytes.fromhex("e8329bfd4697d9ec37")),
    ],
)
def test_a_text_is_said_in_the_account_s_alphabet(
    more: dict[str, object], words: str, data_coding: int, octets: bytes
) -> None:
    (made,) = messages(words, **more)
    assert (made.coding, made.octets) == (data_coding, octets)


# ---------------------------------------------------------------- parts


@settings(max_examples=60)
@given(
    ANY,
    st.sampled_from(["udh8", "udh16", "sar", "payload"]),
    st.sampled_from(list(Alphabet)),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_the_parts_of_a_text_make_the_text_again_in_any_order(
    words: str, way: str, alphabet: Alphabet, latin_1: bool, chance: Any
) -> None:
    words = parts.normalise(words)
    made = messages(words, long_text=way, default_alphabet=alphabet.value, latin1=latin_1)
    if way in ("udh8", "sar"):
        assert len(made) == parts.measure(words).parts
    assert all(len(each.octets) <= 140 or each.coding == 0 or way == "payload" for each in made)
    chance.shuffle(made)
    heard = Joining(alphabet, 60)
    told = [reply for each in made for reply in heard.add("+1", "+2", each, AT, 0.0)]
    assert [reply.text for reply in told] == [words]


def test_addresses_are_typed_by_what_they_are() -> None:
    made = wording()
    assert made.source("+15555550100") == Address(1, 1, "15555550100")
    assert made.source("12345") == Address(3, 0, "12345")
    assert made.source("Heliograph") == Address(5, 0, "Heliograph")
    assert wording(plus=True).source("+15555550100").digits == "+15555550100"
    assert wording(name_ton_npi=[5, 1]).source("Shop") == Address(5, 1, "Shop")


@pytest.mark.parametrize("sender", ["", "Café", "x" * 21, "a\0b"])
def test_a_sender_that_is_no_address_is_refused_for_good(sender: str) -> None:
    refused = wording().bodies(text("hi", sender=sender))
    assert isinstance(refused, Refused)
    assert refused.permanent


def test_fields_of_the_account_go_with_each_text() -> None:
    made = wording(
        service_type="VMA", validity_s=90_061, registered_delivery=2, protocol_id=1, priority=3,
        tlvs={"0x1400": "1101", "0x1401": "hex:0a0b"},
    )  # fmt: skip
    bodies = made.bodies(text("hi"))
    assert not isinstance(bodies, Refused)
    addresses = b"\x01\x01" + b"15555550100\0" + b"\x01\x01" + b"15555550101\0"
    fields = b"\x00\x01\x03" + b"\0" + b"000001010101000R\0" + b"\x02\x00\x00"
    assert bodies[0].startswith(b"VMA\0" + addresses + fields)
    assert pdu.read_message(bodies[0]).tlvs == {0x1400: b"1101\0", 0x1401: b"\x0a\x0b"}


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"port": 0}, "port"), ({"password": 7}, "password"), ({"long_text": "x"}, "long_text"),
        ({"host": "a b"}, "host"),
        ({"reconnect_s": [2, 1]}, "reconnect_s"), ({"statuses": {"x": "permanent"}}, "statuses"), ({"who": 1}, "who"),
        ({"tlvs": {"0x1400": "ş"}}, "tlvs"), ({"tls_ca": "nothing"}, "tls_ca"), ({"dest_ton_npi": [1]}, "dest_ton_npi"),
        ({"tls_ca": "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----"}, "tls_ca"),
        ({"message_id_ends_at": "a"}, "message_id_ends_at"), ({"statuses": {"0x400": "perhaps"}}, "statuses"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named(wrong: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        registry.check("smpp", ACCOUNT | wrong)
    assert refused.value.field == field


@pytest.mark.parametrize("missing", ["host", "system_id"])
def test_what_is_needed_is_asked_for(missing: str) -> None:
    with pytest.raises(Invalid) as refused:
        registry.check("smpp", {key: value for key, value in ACCOUNT.items() if key != missing})
    assert refused.value.field == missing


# ---------------------------------------------------------------- receipts

SPELLINGS = [
    "id:00A1B2 sub:001 dlvrd:001 submit date:2603020600 done date:2603020601 stat:DELIVRD err:000 text:x stat:UNDELIV",
    "id:00A1B2 sub:001 dlvrd:001 submit date:260302060001 done date:260302060101 stat:DELIVRD err:0 Text:hi",
    "id:00A1B2 submit_date:2603020600 done_date:2603020601 stat:DELIVRD err:000",
    "id:00A1B2 submitdate:2603020600 donedate:2603020601 status:DELIVERED error:000 text:",
    "stat:delivrd err:000 id:00A1B2 done date:2603020601",
    "ID:00A1B2 SUB:001 DLVRD:001 STAT:DELIVRD ERR:000 TEXT:",
    "id: 00A1B2 sub:1 dlvrd:1 stat: 2 err: 0",
    "id:00A1B2\nsub:001\ndlvrd:001\nstat:DELIVRD\nerr:000",
    "id:00A1B2 stat:DELIVRD \x00\x01garbage",
]


def delivered(words: bytes, *, esm_class: int = 4, data_coding: int = 0, **tlvs: bytes) -> Message:
    named = {"message_id": 0x1E, "state": 0x427, "error": 0x423}
    return Message(
        Address(1, 1, "15555550101"), Address(1, 1, "15555550100"), esm_class, 0, data_coding, words,
        {named[name]: value for name, value in tlvs.items()},
    )  # fmt: skip


@pytest.mark.parametrize("words", SPELLINGS)
def test_a_receipt_is_read_however_it_is_spelled(words: str) -> None:
    for octets, data_coding in ((words.encode(), 0), (words.encode("utf-16-be"), 8)):
        found = notices.receipt(delivered(octets, data_coding=data_coding))
        assert found is not None
        assert (found.ids, found.state, found.code) == (("00A1B2",), DELIVERED, "")


@pytest.mark.parametrize(
    ("word", "state", "code"),
    [
        ("ENROUTE", ACCEPTED, ""), ("ACCEPTD", ACCEPTED, ""), ("EXPIRED", FAILED, "expired:027"),
        ("DELETED", FAILED, "deleted:027"), ("UNDELIV", FAILED, "undeliverable:027"),
        ("REJECTD", FAILED, "rejected:027"),
        ("UNKNOWN", FAILED, "unknown_state:027"), ("FAILED", FAILED, "undeliverable:027"),
        ("8", FAILED, "rejected:027"),
    ],
)  # fmt: skip
def test_every_state_has_its_meaning(word: str, state: ReceiptState, code: str) -> None:
    found = notices.receipt(delivered(f"id:1 sub:001 dlvrd:000 stat:{word} err:027 text:".encode()))
    assert found is not None
    assert (found.state, found.code) == (state, code)


def test_optional_parameters_come_before_the_words() -> None:
    found = notices.receipt(
        delivered(b"id:17 stat:DELIVRD err:000", message_id=b"ab\0", state=b"\5", error=b"\3\0\6"),
    )
    assert found == notices.Receipt(("ab", "17"), FAILED, "undeliverable:6")
    assert notices.receipt(delivered(b"", message_id=b"ab\0", state=b"\2")) == notices.Receipt(("ab",), DELIVERED, "")


def test_a_receipt_without_its_mark_is_known_by_its_form_and_a_reply_is_not_taken_for_one() -> None:
    assert notices.receipt(delivered(SPELLINGS[0].encode(), esm_class=0)) is not None
    for words in (b"id:7 is my order", b"STOP", b"stat: id:", b""):
        assert notices.receipt(delivered(words, esm_class=0)) is None
        assert notices.is_reply(delivered(words, esm_class=0))


@settings(max_examples=60)
@given(st.binary(max_size=120), st.integers(0, 255), st.integers(0, 255))
def test_no_delivery_is_too_odd_to_be_looked_at(octets: bytes, esm_class: int, data_coding: int) -> None:
    message = delivered(octets, esm_class=esm_class, data_coding=data_coding)
    notices.receipt(message)
    Joining(Alphabet.PACKED, 1).add("+1", "+2", message, AT, 0.0)


@pytest.mark.parametrize(
    ("address", "number"),
    [
        (Address(1, 1, "15555550101"), "+15555550101"), (Address(0, 0, "+15555550101"), "+15555550101"),
        (Address(0, 0, "15555550101"), "+15555550101"), (Address(2, 1, "07700900123"), "07700900123"),
        (Address(0, 1, "00447700900123"), "+447700900123"), (Address(0, 0, "12345"), "12345"),
        (Address(5, 0, "Shop"), "Shop"),
    ],
)  # fmt: skip
def test_who_wrote_is_told_in_e164_where_that_can_be_known(address: Address, number: str) -> None:
    assert notices.number(address, international=True) == number


# ---------------------------------------------------------------- ids


@pytest.mark.parametrize(
    ("ids", "answer", "receipt"),
    [
        (Ids.SAME, "00a1b2", "A1B2"), (Ids.SAME, "7", "0000000007"), (Ids.HEX_DECIMAL, "a1b2", "41394"),
        (Ids.HEX_DECIMAL, "00A1B2", "0000041394"), (Ids.DECIMAL_HEX, "41394", "a1b2"), (Ids.EXACT, "0aB", "0aB"),
    ],
)  # fmt: skip
def test_ids_match_by_the_account_s_setting(ids: Ids, answer: str, receipt: str) -> None:
    (ref,) = Matching(ids).accepted([answer])
    found = Matching(ids).said([receipt], DELIVERED, "", AT, 0.0)  # of another line, or opened anew
    assert [each.ref for each in found] == [ref]


def test_ids_end_where_the_account_says() -> None:
    matching = Matching(Ids.SAME, "@.")
    assert matching.accepted(["ab12@smsc1"]) == ("AB12",)
    assert [each.ref for each in matching.said(["AB12.0"], DELIVERED, "", AT, 0.0)] == ["AB12"]


@pytest.mark.parametrize("written", ["{}", "{:x}", "{:020d}", "{}.0", "{:X}"])
@pytest.mark.parametrize("answered", ["{}", "{:x}", "{:X}"])
def test_unset_the_form_of_ids_is_found_out(written: str, answered: str) -> None:
    write, read = written.format, answered.format
    matching = Matching(Ids.AUTO)
    for number in range(900_000_000, 900_000_040):
        (ref,) = matching.accepted([read(number)])
        assert [each.ref for each in matching.said([write(number)], DELIVERED, "", AT, 0.0)] == [ref]


def test_what_was_found_out_serves_ids_that_are_not_known() -> None:
    matching = Matching(Ids.AUTO)
    for number in range(0xA000_0000, 0xA000_0010):
        matching.accepted([f"{number:x}"])
        matching.said([str(number)], DELIVERED, "", AT, 0.0)
    assert [each.ref for each in matching.said([str(0xBEEF_0000)], DELIVERED, "", AT, 0.0)] == ["BEEF0000"]


def test_receipts_of_parts_name_the_parts() -> None:
    matching = Matching(Ids.SAME)
    assert matching.accepted(["0a", "b", "c"]) == ("A", "B", "C")
    assert [(each.ref, each.state) for each in matching.said(["b"], DELIVERED, "", AT, 0.0)] == [("B", DELIVERED)]
    assert [(each.ref, each.code) for each in matching.said(["a"], FAILED, "expired", AT, 0.0)] == [("A", "expired")]


def test_a_receipt_of_a_part_that_comes_before_its_answer_waits_while_the_form_of_ids_is_not_known() -> None:
    matching = Matching(Ids.AUTO)
    matching.several = 1
    assert matching.said([str(0xBEE)], DELIVERED, "", AT, 0.0) == []
    matching.accepted(["bed", "bee"])
    assert [each.ref for each in matching.due(0.1)] == ["BEE"]
    assert matching.said(["stranger"], DELIVERED, "", AT, 0.0) == []
    assert matching.due(1.0) == []
    assert [each.ref for each in matching.due(2.5)] == ["STRANGER"]


def test_an_early_receipt_waits_for_nothing_where_the_form_of_ids_is_known() -> None:
    matching = Matching(Ids.HEX_DECIMAL)
    matching.several = 1
    assert [each.ref for each in matching.said([str(0xBEE)], DELIVERED, "", AT, 0.0)] == ["BEE"]


# ---------------------------------------------------------------- replies in pieces


def pieces(words: str, **more: object) -> list[Message]:
    found = messages(words, **more)
    return [each._replace(esm_class=each.esm_class & pdu.UDH) for each in found]


@pytest.mark.parametrize("way", ["udh8", "udh16", "sar"])
def test_a_reply_comes_together_in_any_order_and_with_repetitions(way: str) -> None:
    words = "¿Dónde está? 😀 " * 12
    for order in permutations(pieces(words, long_text=way)[:4]):
        heard = Joining(Alphabet.GSM, 60)
        told = [reply.text for each in (*order[:2], *order) for reply in heard.add("+1", "+2", each, AT, 0.0)]
        assert told == [words]


def test_a_reply_that_stays_incomplete_is_given_with_a_mark() -> None:
    heard = Joining(Alphabet.GSM, 60)
    first, _, third, _ = pieces("abc" * 180)
    assert heard.add("+1", "+2", third, AT, 5.0) == []
    assert heard.add("+1", "+2", first, AT, 9.0) == []
    assert heard.add("+9", "+2", first, AT, 9.0) == []
    assert heard.due(64.0) == []
    (reply,) = heard.due(65.0)
    words = "abc" * 180
    assert reply.text == words[:153] + "[…]" + words[306:459] + "[…]"
    assert [each.number for each in heard.rest()] == ["+9"]


def test_replies_in_pieces_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "MOST", 3)
    heard = Joining(Alphabet.GSM, 60)
    first = pieces("abc" * 100)[0]
    told = [reply.number for n in range(5) for reply in heard.add(f"+{n}", "+2", first, AT, 0.0)]
    assert told == ["+0", "+1"]


# ---------------------------------------------------------------- frames


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=60)), max_size=8), st.integers(1, 50))
def test_frames_are_the_same_however_the_stream_is_cut(sent: list[tuple[int, bytes]], step: int) -> None:
    stream = b"".join(pdu.frame(command, n, body) for n, (command, body) in enumerate(sent))
    frames, found = pdu.Frames(), []
    for at in range(0, len(stream), step):
        found += frames.feed(stream[at : at + step])
    assert [(each.command, each.sequence, each.body) for each in found] == [
        (command, n, body) for n, (command, body) in enumerate(sent)
    ]


def test_every_setting_and_every_key_of_a_script_is_documented_and_nothing_else_is() -> None:
    docs = Path(__file__).resolve().parents[2] / "docs"
    table = (docs / "carriers" / "smpp.md").read_text().split("## Settings\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [setting.name for setting in accounts.SETTINGS]
    assert {setting.name for setting in accounts.SETTINGS} == {item.name for item in fields(accounts.Settings)}
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", (docs / "smsc.md").read_text(), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"\w+", row)} == set(scripts.TABLE)
