"""Secret settings of carrier accounts: sealed at rest, opened only to open a line or to be put together anew."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heliograph.actions.seal import Seal
    from heliograph.store.carrier_accounts import CarrierAccount


def sealed(seal: Seal, public_id: str, secrets: Mapping[str, object]) -> bytes | None:
    """``secrets`` as they are stored for the account ``public_id``; None when there are none."""
    return seal.seal(json.dumps(dict(secrets)), owner=public_id) if secrets else None


def opened(seal: Seal, account: CarrierAccount) -> dict[str, object]:
    """The secret settings of an account. Raises BadSetting when they were sealed with another key."""
    if account.secrets_sealed is None:
        return {}
    called = f"What is secret of carrier account {account.name}"
    return cast(
        "dict[str, object]", json.loads(seal.open(account.secrets_sealed, owner=account.public_id, called=called))
    )


def all_settings(seal: Seal, account: CarrierAccount) -> dict[str, object]:
    """Every setting of an account, as its carrier takes them. Raises as :func:`opened` does."""
    return account.settings | opened(seal, account)
