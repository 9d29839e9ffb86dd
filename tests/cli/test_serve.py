"""`serve` as people run it: a process of its own on a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from heliograph.cli import supervise
from tests.cli.processes import HELIOGRAPH, Serving, database_runs, environment


def get(url: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


PATIENCE = 60  # seconds: only what hangs is not done by then, on however busy a machine


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it hangs"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Whether a process lives; one that nobody has asked after since its end (a zombie) does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.strip().startswith("Z")


def command(serving: Serving, *arguments: str) -> Any:
    done = subprocess.run(
        [*HELIOGRAPH, *arguments, "--data", serving.data, "--json"],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    return json.loads(done.stdout)


def test_it_serves_replaces_a_killed_worker_and_ends_without_a_trace(serving: Serving) -> None:
    assert get(serving.url, "/healthz")[0] == 200
    assert get(serving.url, "/")[0] == 200
    assert serving.process.stdout is not None
    assert serving.process.stdout.readline().startswith(f"owner {serving.url}/console/link/")

    made = command(serving, "app", "create", "--name", "Acme")
    auth = {"auth": command(serving, "token")["token"], "iid": made["appId"], "accountId": made["accountId"]}
    lists = f"/agentassist/api/v1/public/{made['appId']}/campaign/contactList/getAllListDetails"
    status, body = get(serving.url, lists, auth)
    assert (status, json.loads(body)["data"]) == (200, [])

    first = serving.worker()
    os.kill(first, signal.SIGKILL)
    until(lambda: serving.worker() != first)

    port = serving.url.rpartition(":")[2]
    taken = subprocess.run(
        [*HELIOGRAPH, "serve", "--data", serving.data, "--port", port],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )
    assert (taken.returncode, taken.stdout) == (4, "")
    assert taken.stderr == (
        f"heliograph: Port {port} of 127.0.0.1 is taken; choose another with --port (0: any free one)\n"
    )

    serving.process.send_signal(signal.SIGTERM)
    assert serving.process.wait(PATIENCE) == 0
    assert not alive(serving.worker())
    assert not database_runs(serving.data)
    assert all(line.count(" level=") == 1 for line in serving.log.read_text().splitlines())


def test_workers_end_with_a_server_that_was_killed_and_take_the_database_along(serving: Serving) -> None:
    worker = serving.worker()
    serving.process.kill()
    serving.process.wait()
    until(lambda: not alive(worker))
    until(lambda: not database_runs(serving.data))


def test_a_second_signal_hurries(serving: Serving) -> None:
    os.kill(serving.worker(), signal.SIGSTOP)  # it cannot finish by itself
    began = time.monotonic()
    serving.process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    serving.process.send_signal(signal.SIGINT)
    assert serving.process.wait(PATIENCE) == 0
    assert time.monotonic() - began < supervise.STOP_SECONDS  # by which an unhurried end has not even lost patience
