"""Mail that this server sends: reports, and links for those who are invited. One letter, one answer.

A letter that may have been taken is never sent again by itself: whoever asked is told that nobody knows.
"""

from __future__ import annotations

import logging
import ssl
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import TYPE_CHECKING

import aiosmtplib

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.config import Settings

log = logging.getLogger(__name__)

PATIENCE = 30.0  # seconds for each answer
TEMPORARY = range(400, 500)  # RFC 5321, section 4.2.1
LONGEST = 300  # characters of what a server said


@dataclass(frozen=True, slots=True)
class File:
    """A file that goes with a letter."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent."""

    to: Sequence[str]
    subject: str
    text: str
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. ``again``: it was certainly not taken, and may be by and by. ``error``: what went wrong.

    Sent with an error: some of the recipients were refused.
    """

    sent: bool
    again: bool = False
    error: str = ""


NO_SERVER = "This server cannot send mail: HELIOGRAPH_SMTP_HOST and HELIOGRAPH_SMTP_FROM are not both set"


def can_send(settings: Settings) -> bool:
    """Whether there is a mail server to send by."""
    return bool(settings.smtp_host and settings.smtp_from)


async def send(settings: Settings, letter: Letter, *, now: datetime, patience: float = PATIENCE) -> Outcome:
    """Send it by the mail server of the settings. ``patience``: seconds to wait for each of its answers."""
    if not can_send(settings):
        return Outcome(sent=False, again=True, error=NO_SERVER)
    client = aiosmtplib.SMTP(
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_user,
        password=settings.smtp_password,
        use_tls=settings.smtp_security == "tls",
        start_tls=settings.smtp_security == "starttls",
        timeout=patience,
    )
    found: Outcome | None = None  # what follows it, such as a goodbye that fails, does not count any more
    try:
        content = _written(settings, letter, now)
        async with client:
            found = await _hand_over(client, settings, letter, content)
    except aiosmtplib.SMTPResponseException as error:
        found = found or Outcome(sent=False, again=error.code in TEMPORARY, error=_told(error))
    except (aiosmtplib.SMTPException, OSError) as error:
        found = found or Outcome(sent=False, again=True, error=_doubted(error, settings) or _told(error))
    except ValueError as error:  # an address that no letter can carry
        found = found or Outcome(sent=False, error=_told(error))
    log.info("mail sent=%s again=%s to=%s", found.sent, found.again, len(letter.to))
    return found


async def _hand_over(client: aiosmtplib.SMTP, settings: Settings, letter: Letter, content: bytes) -> Outcome:
    """The letter itself. Raises SMTPException for what went wrong before the server had all of it."""
    await client.mail(settings.smtp_from or "")
    refused: list[aiosmtplib.SMTPRecipientRefused] = []
    for each in letter.to:
        try:
            await client.rcpt(each)
        except aiosmtplib.SMTPRecipientRefused as error:
            refused.append(error)
    told = "; ".join(f"{error.recipient}: {_told(error)}" for error in refused)
    if len(refused) == len(letter.to):
        return Outcome(sent=False, again=all(error.code in TEMPORARY for error in refused), error=told)
    try:
        await client.data(content)
    except aiosmtplib.SMTPResponseException:
        raise
    except (aiosmtplib.SMTPException, OSError) as error:
        told = f"The mail server did not say whether it took the letter ({_told(error)}); it is not sent again"
        return Outcome(sent=False, error=told)
    return Outcome(sent=True, error=told)


def _written(settings: Settings, letter: Letter, now: datetime) -> bytes:
    message = EmailMessage()
    message["From"] = settings.smtp_from
    message["To"] = ", ".join(letter.to)
    message["Subject"] = " ".join(letter.subject.split())
    message["Date"] = format_datetime(now)
    message["Message-ID"] = make_msgid(domain=(settings.smtp_from or "").rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence is to be announced to us
    message.set_content(letter.text)
    for each in letter.files:
        kind, _, of = each.media_type.partition("/")
        message.add_attachment(each.content, maintype=kind, subtype=of, filename=each.name)
    return message.as_bytes(policy=policy.SMTP)


def _doubted(error: Exception, settings: Settings) -> str:
    """What to do about the certificate, where it was for that; else nothing."""
    doubt = error if isinstance(error, ssl.SSLCertVerificationError) else error.__cause__
    if not isinstance(doubt, ssl.SSLCertVerificationError):
        return ""
    return (
        f"The certificate of the mail server {settings.smtp_host} is not trusted ({doubt.verify_message}), and nothing "
        "was said to it: set HELIOGRAPH_SMTP_HOST to a name that the certificate is for, or, where an authority of "
        "your own signed it, SSL_CERT_FILE to a file with that authority's certificate"
    )


def _told(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {error.message}"[:LONGEST]
    return (str(error) or type(error).__name__)[:LONGEST]
