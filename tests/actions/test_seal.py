"""Secrets at rest: opened only by the installation's key, for whom they were sealed; the key is made once."""

from __future__ import annotations

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from heliograph.actions import seal
from heliograph.actions.seal import Seal
from heliograph.config import Settings
from heliograph.errors import BadSetting

KEY = base64.urlsafe_b64encode(bytes(range(200, 232))).decode()


def test_a_secret_opens_only_with_its_key_and_for_its_owner() -> None:
    first, other = Seal(bytes(32)), Seal(bytes(31) + b"x")
    sealed = first.seal("s\u00e9cret", owner="cs-1")
    assert first.open(sealed, owner="cs-1") == "s\u00e9cret"
    assert b"cret" not in sealed
    assert first.seal("s\u00e9cret", owner="cs-1") != sealed, "equal secrets cannot be told from the database"
    for key, owner, what in ((other, "cs-1", sealed), (first, "cs-2", sealed), (first, "cs-1", sealed[:-1])):
        with pytest.raises(
            BadSetting, match=r"^Secret TOKEN cannot be opened: .* .HELIOGRAPH_SECRET_KEY, or secret.key "
        ):
            key.open(what, owner=owner, called="Secret TOKEN")
    with pytest.raises(BadSetting, match=r"^The secret of cs-1 cannot be opened"):
        other.open(sealed, owner="cs-1")


def test_the_key_is_made_once_whoever_starts_first(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "new" / "data")
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: seal.from_settings(settings), range(8)))
    sealed = made[0].seal("x", owner="o")
    assert [one.open(sealed, owner="o") for one in made] == ["x"] * 8
    assert [file.name for file in settings.data.iterdir()] == ["secret.key"]
    assert stat.S_IMODE((settings.data / "secret.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("spelled", [KEY, KEY.rstrip("="), f" {KEY}\n"])
def test_the_environment_s_key_wins(tmp_path: Path, spelled: str) -> None:
    found = seal.from_settings(Settings(data=tmp_path, secret_key=spelled))
    assert found.open(Seal(bytes(range(200, 232))).seal("x", owner="o"), owner="o") == "x"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("key", ["short", KEY[:-4], "!" * 44, KEY + KEY, "\u00e9" * 44])
def test_a_key_of_another_size_or_spelling_is_refused_without_being_shown(tmp_path: Path, key: str) -> None:
    with pytest.raises(BadSetting) as caught:
        seal.from_settings(Settings(data=tmp_path, secret_key=key))
    assert key not in caught.value.message
    assert caught.value.field == "HELIOGRAPH_SECRET_KEY"
