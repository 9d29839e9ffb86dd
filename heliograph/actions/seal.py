"""Secrets at rest: sealed with a key that is not in the database, so that a leaked dump opens nothing.

HS256 needs the client's secret itself to check a token, so it cannot be hashed. It is encrypted
(AES-256-GCM) and bound to what it belongs to: a sealed secret copied to another row does not open.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import secrets
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from heliograph.config import PREFIX
from heliograph.errors import BadSetting

if TYPE_CHECKING:
    from pathlib import Path

    from heliograph.config import Settings

KEY_BYTES = 32
NONCE_BYTES = 12
KEY_SETTING = PREFIX + "SECRET_KEY"
KEY_FILE = "secret.key"  # in the data folder


class Seal:
    """Seals and opens texts with one key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            text = f"{KEY_SETTING} holds {len(key)} bytes, and it takes urlsafe base64 of {KEY_BYTES}"
            raise BadSetting(text, field=KEY_SETTING)
        self._cipher = AESGCM(key)

    def seal(self, text: str, *, owner: str) -> bytes:
        """``text``, readable only with the key and only as ``owner``'s."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text.encode(), owner.encode())

    def open(self, sealed: bytes, *, owner: str, called: str | None = None) -> str:
        """The text sealed for ``owner``; ``called`` names it in the sentence for people.

        Raises BadSetting when this is not the key it was sealed with.
        """
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], owner.encode()).decode()
        except InvalidTag as error:
            what = called or f"The secret of {owner}"
            text = (
                f"{what} cannot be opened: it was sealed with another key than this server has. Give it the key it had "
                f"before ({KEY_SETTING}, or {KEY_FILE} in the data folder), or replace the secret"
            )
            raise BadSetting(text, field=KEY_SETTING) from error


def from_settings(settings: Settings) -> Seal:
    """The seal of this installation: the key set, else the one in the data folder, made once.

    Several processes may start at once: whoever makes the key first wins, the others read it.
    Raises :class:`BadSetting` for a key of the wrong size or spelling.
    """
    if settings.secret_key is not None:
        return Seal(_decode(settings.secret_key))
    path = settings.data / KEY_FILE
    if not path.exists():
        _make(path)
    return Seal(_decode(path.read_text(encoding="ascii")))


def _decode(text: str) -> bytes:
    stripped = text.strip().rstrip("=")
    try:
        return base64.b64decode(stripped + "=" * (-len(stripped) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadSetting(f"{KEY_SETTING} is not urlsafe base64 of {KEY_BYTES} bytes", field=KEY_SETTING) from error


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(base64.urlsafe_b64encode(os.urandom(KEY_BYTES)))
        file.flush()
        os.fsync(file.fileno())
    # A link, unlike a rename, fails when the name is taken: the first key is never replaced.
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
