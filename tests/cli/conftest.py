"""Running commands: inside this process on a database of the test's own, or as processes on a folder of their own."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from heliograph.cli.main import app
from heliograph.config import Settings
from tests.cli.processes import HELIOGRAPH, Serving, environment


@pytest.fixture
def heliograph(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A command in this process; answers its JSON. Deliberate errors are raised."""
    monkeypatch.setenv("HELIOGRAPH_DATA", str(settings.data))
    monkeypatch.setenv("HELIOGRAPH_DATABASE_URL", settings.database_url or "")

    def run(*arguments: str | Path) -> Any:
        result = CliRunner().invoke(app, [*map(str, arguments), "--json"], prog_name="heliograph")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return run


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    data, log = tmp_path / "data", tmp_path / "log"
    command = [*HELIOGRAPH, "serve", "--data", str(data), "--port", "0"]
    with log.open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment())
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        assert said.startswith("ready http://127.0.0.1:"), log.read_text()
        yield Serving(process, said.removeprefix("ready ").rstrip("\n"), data, log)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        process.wait(15)
        process.stdout.close()
