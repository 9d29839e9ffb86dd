"""Commands about carrier accounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import typer

from heliograph import errors

Command = Callable[..., Any]

TO = "+15555550123"


def test_a_test_follows_its_text_to_the_receipt(heliograph: Command) -> None:
    heliograph("app", "create", "--name", "Acme")
    tried = heliograph("carrier", "test", "Sandbox", "--to", TO, "--from", "+15555550100", "--wait", "60")
    assert (tried["outcome"], tried["receipt"]) == ("accepted", "delivered")
    assert tried["reference"].startswith("sb-")
    tried = heliograph("carrier", "test", "Sandbox", "--to", TO, "--from", "+15555550100", "--wait", "0")
    assert (tried["outcome"], tried["receipt"]) == ("accepted", None)


def test_accounts_are_listed_with_how_they_do_and_resumed(heliograph: Command) -> None:
    heliograph("app", "create", "--name", "Acme")
    (listed,) = heliograph("carrier", "list")
    assert (listed["name"], listed["state"], listed["unreadCalls"]) == ("Sandbox", "closed", 0)
    health = heliograph("carrier", "health", "sandbox")
    assert (health["carrierAccountId"], health["lastHour"], health["unread"]) == (listed["carrierAccountId"], {}, [])
    assert heliograph("carrier", "resume", "Sandbox")["name"] == "Sandbox"
    with pytest.raises(errors.NotFound, match="Pigeon"):
        heliograph("carrier", "health", "Pigeon")


def test_a_test_that_is_not_sent_says_so(heliograph: Command) -> None:
    heliograph("app", "create", "--name", "Acme")
    with pytest.raises((errors.Invalid, typer.Exit), match="from is missing"):
        heliograph("carrier", "test", "Sandbox", "--to", TO)
