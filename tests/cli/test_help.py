from __future__ import annotations

from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from heliograph.cli.main import app

COMMAND = typer.main.get_command(app)


def commands(found: Any = COMMAND, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every command below ``found`` that is one itself, and how it is called."""
    below = getattr(found, "commands", None)
    if below is None:
        return [(path, found)]
    return [each for name, one in below.items() for each in commands(one, (*path, name))]


ALL = commands()


def test_the_stable_commands_are_there() -> None:
    names = {" ".join(path) for path, _ in ALL}
    assert names >= {"serve", "work", "demo", "app create", "client create", "token", "list import", "status"}
    assert names >= {f"campaign {verb}" for verb in ("create", "play", "stop", "delete", "show", "ls")}


@pytest.mark.parametrize(
    ("path", "command"), ALL, ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_every_command_and_option_explains_itself_and_names_its_variable(path: tuple[str, ...], command: Any) -> None:
    result = CliRunner().invoke(app, [*path, "--help"], prog_name="heliograph", env={"COLUMNS": "400"})
    assert result.exit_code == 0
    assert command.help
    for param in command.params:
        if param.name == "help" or getattr(param, "hidden", False):
            continue
        assert param.help, f"{path}: {param.name} has no help"
        if param.param_type_name == "option":
            automatic = "_".join(["HELIOGRAPH", *path, param.name]).upper().replace("-", "_")
            assert (param.envvar or automatic) in result.stdout, f"{path}: {param.name} names no variable"


def test_an_option_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIOGRAPH_SERVE_HOST", "not.an.address.invalid:1")
    monkeypatch.setenv("HELIOGRAPH_PORT", "70000")
    result = CliRunner().invoke(app, ["serve"], prog_name="heliograph")
    assert "HELIOGRAPH_PORT is 70000" in str(result.exception)


def test_version_is_no_matter_of_the_environment() -> None:
    result = CliRunner().invoke(app, ["--version"], prog_name="heliograph", env={"HELIOGRAPH_VERSION": "9"})
    assert result.stdout.startswith("heliograph 0.")
