"""``heliograph user``, and the links that ``serve`` prints."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from heliograph.actions import audit as book
from heliograph.actions import sign_in, users
from heliograph.actions.passwords import Passwords
from heliograph.actions.sign_in import Came
from heliograph.cli.main import app
from heliograph.config import Settings, utc_now
from heliograph.store import audit
from heliograph.store import users as rows
from heliograph.store.database import Database

if TYPE_CHECKING:
    import pytest

CHEAP = Passwords(32)
HERE = Came("127.0.0.1")


def told(*words: str, code: int = 0) -> str:
    found = CliRunner().invoke(app, ["user", *words], catch_exceptions=code != 0)
    assert found.exit_code == 0 or code, found.output
    return f"{found.output}{found.exception or ''}"


def link(text: str) -> str:
    found = re.search(r"https?://\S+/console/link/([\w-]{43})\s", text)
    assert found, text
    return found[1]


def test_users_from_the_terminal(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.database_url
    monkeypatch.setenv("HELIOGRAPH_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("HELIOGRAPH_DATA", str(settings.data))
    monkeypatch.setenv("HELIOGRAPH_CONSOLE_URL", "https://texts.example.com")

    async def accept(token: str, phrase: str, **more: str) -> None:
        db = await Database.open(settings, size=2)
        await users.accept(db, CHEAP, token, given=phrase, came=HERE, now=utc_now(), **more)
        await db.close()

    made = told("owner")
    assert made.startswith("https://texts.example.com/console/link/")
    asyncio.run(accept(link(made), "seven quiet lighthouses", name="Ada", email="ada@example.com"))
    assert "There is an owner already" in told("owner", code=1)
    invited = told("invite", "grace@example.com", "--name", "Grace", "--role", "tester")
    asyncio.run(accept(link(invited), "a harbour at dawn"))
    assert told("role", "grace@example.com", "Agent").strip() == "grace@example.com: Agent"
    assert "only Owner" in told("disable", "ada@example.com", code=1)
    told("disable", "grace@example.com")
    assert re.search(r"grace@example.com.*Agent.*disabled", told("list"))
    told("disable", "grace@example.com", "--off")
    asyncio.run(accept(link(told("reset", "grace@example.com")), "another harbour at dusk"))

    async def look() -> tuple[list[str], bool]:
        db = await Database.open(settings, size=2)
        async with db.connection() as conn:
            entries = await audit.page(conn, audit.Wanted(None), before=1 << 60, limit=50)
            grace = await rows.find_email(conn, "grace@example.com")
        opened = await sign_in.by_link(db, link(told_sign_in), HERE, now=utc_now())
        await db.close()
        assert grace
        return [one.what for one in reversed(entries) if one.kind == "command"], opened.user.user_id == grace.user_id

    told_sign_in = told("sign-in", "grace@example.com")
    words, is_grace = asyncio.run(look())
    book.end()
    assert is_grace
    assert words[:4] == [
        "Made a link by which somebody becomes the owner",
        "Invited Grace (grace@example.com) as Tester of every app",
        "Grace: Tester of every app, now Agent of every app",
        "Disabled Grace",
    ]
