"""`demo`, which is what `make run` runs."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from heliograph.cli.demo import place
from heliograph.errors import Conflict
from heliograph.store import flock
from tests.cli.processes import HELIOGRAPH, database_runs, environment


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A demonstration's data folder; whatever runs there after the test is ended."""
    yield tmp_path / "demo"
    os.close(asyncio.run(place.claim(tmp_path / "demo"))[0])


def demo(data: Path, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [*HELIOGRAPH, "demo", "--data", data, "--people", "40", "--json", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def delete_as_told(curl: str) -> tuple[int, Any]:
    """Do what the curl command that was printed would do."""
    words = shlex.split(curl.replace("\\\n", " "))
    assert words[:5] == ["curl", "--location", "--request", "DELETE", words[4]]
    headers = dict(word.split(": ") for word in words[5:] if word != "--header")
    url = urlsplit(words[4])
    connection = HTTPConnection(url.netloc, timeout=10)
    try:
        connection.request("DELETE", f"{url.path}?{url.query}", headers=headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_it_plays_through_leaves_the_server_up_and_the_next_one_ends_it(folder: Path) -> None:
    told = demo(folder)
    for campaign in told["campaigns"]:
        ledger = campaign["ledger"]
        assert ledger["total"] == 40
        assert ledger["total"] == sum(number for word, number in ledger.items() if word != "total")
        assert ledger["ready"] == ledger["submitting"] == ledger["expired"] == 0
    assert [campaign["status"] for campaign in told["campaigns"][1:]] == ["Completed", "Completed"]
    left = [json.loads(line) for line in Path(told["transcript"]).read_text().splitlines()]
    campaigns = {campaign["id"] for campaign in told["campaigns"]}
    texted = [(line["runId"], line["to"]) for line in left if line["campaignId"] in campaigns]
    assert len(texted) == len(set(texted))
    answers = [line["text"] for line in left if line["campaignId"] not in campaigns]
    assert any(text.startswith("Order 1002 is on its way") for text in answers)
    assert len(answers) == 4, answers  # three about the order, one about the call
    assert not any("{{" in line["text"] or "<First" in line["text"] for line in left)

    status, answer = delete_as_told(told["curl"])
    assert (status, answer["status"]) == (200, "success")
    assert answer["data"]["name"] == "Interactive Support SMS Campaign"
    assert delete_as_told(told["curl"])[0] == 404

    lock, ended = asyncio.run(place.claim(folder))
    os.close(lock)
    assert ended is not None
    assert not database_runs(folder)
    assert not (folder / "postgres").exists()


def test_once_leaves_nothing_running(folder: Path) -> None:
    told = demo(folder, "--once")
    with pytest.raises(ConnectionRefusedError):
        delete_as_told(told["curl"])
    assert not database_runs(folder)


def test_it_wipes_no_folder_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("Dear Ada")
    with pytest.raises(Conflict, match="would be wiped"):
        asyncio.run(place.claim(tmp_path))
    assert (tmp_path / "letters.txt").exists()


def test_it_does_not_kill_a_stranger_whose_id_is_in_an_old_file(tmp_path: Path) -> None:
    lock = flock.open_file(tmp_path / place.MARK)
    place.sign(lock, os.getpid())
    os.close(lock)  # nobody holds it: whoever has that id now is no demonstration
    again, ended = asyncio.run(place.claim(tmp_path))
    os.close(again)
    assert ended is None
