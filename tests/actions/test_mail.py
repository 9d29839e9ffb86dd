"""Letters over TLS: they arrive where the certificate is trusted, and nothing is said to whoever shows another."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from heliograph.actions import mail
from heliograph.config import Settings
from tests import certificates
from tests.mail_sink import Sink, open_sink

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

HOST = "127.0.0.1"
LETTER = mail.Letter(("ada@example.com",), "Yesterday's texts", "Five of them: Señora, 5 €.")
NOW = datetime(2026, 3, 2, tzinfo=UTC)
WAYS = pytest.mark.parametrize("way", ["starttls", "tls"])


async def sent(tmp_path: Path, way: str, *, trusted: Path | None, host: str = HOST) -> tuple[mail.Outcome, Sink]:
    """What came of the letter, and the server that it was for, whose certificate is of ``host``."""
    pem, context = certificates.certified(tmp_path, host)
    if trusted is not None:
        trusted.write_text(pem)
    settings = replace(
        Settings(data=tmp_path),
        smtp_host=HOST,
        smtp_security=way,
        smtp_user="texts",
        smtp_password="swordfish",
        smtp_from="texts@example.com",
    )
    async with open_sink(**{way: context}) as sink:
        sink.answers |= {"EHLO": "250-sink\r\n250-STARTTLS\r\n250 AUTH PLAIN", "AUTH": "235 welcome"}
        settings = replace(settings, smtp_port=sink.port)
        return await mail.send(settings, LETTER, now=NOW), sink


@WAYS
async def test_a_letter_and_the_password_go_by_tls(tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    trusted = tmp_path / "authority.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    outcome, sink = await sent(tmp_path, way, trusted=trusted)
    assert outcome == mail.Outcome(sent=True)
    (letter,) = sink.letters
    assert (letter["Subject"], letter.get_content().strip()) == (LETTER.subject, LETTER.text)
    assert any(line.startswith("AUTH PLAIN") for line in sink.heard)
    assert [line.split()[0] for line in sink.clear] == (["EHLO", "STARTTLS"] if way == "starttls" else [])


@WAYS
@pytest.mark.parametrize("host", [HOST, "another.example"], ids=["of nobody we know", "of another host"])
async def test_to_a_certificate_that_is_not_trusted_nothing_is_said(
    tmp_path: Path, way: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted = tmp_path / "authority.pem"
    if host != HOST:
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    outcome, sink = await sent(tmp_path, way, trusted=None if host == HOST else trusted, host=host)
    assert not outcome.sent
    assert outcome.again
    assert "certificate of the mail server 127.0.0.1 is not trusted" in outcome.error
    assert ("SSL_CERT_FILE" in outcome.error, "HELIOGRAPH_SMTP_HOST" in outcome.error) == (True, True)
    assert [line.split()[0] for line in sink.heard] == (["EHLO", "STARTTLS"] if way == "starttls" else [])
    assert sink.letters == []


async def test_a_server_without_starttls_is_told_nothing(tmp_path: Path) -> None:
    settings = replace(
        Settings(data=tmp_path), smtp_host=HOST, smtp_user="texts", smtp_password="swordfish", smtp_from="t@example.com"
    )  # fmt: skip
    async with open_sink() as sink:
        sink.answers["EHLO"] = "250-sink\r\n250 AUTH PLAIN"
        outcome = await mail.send(replace(settings, smtp_port=sink.port), LETTER, now=NOW)
    assert not outcome.sent
    assert "STARTTLS" in outcome.error
    assert [line.split()[0] for line in sink.heard if not line.startswith("QUIT")] == ["EHLO"]
