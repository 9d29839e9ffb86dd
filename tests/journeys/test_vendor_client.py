"""A client written for the vendor's API runs against ours unchanged, on the paths of both its versions."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from heliograph.rules import quiet
from tests.cli.processes import HELIOGRAPH, Serving, environment
from tests.journeys.vendor_client import PEOPLE

SCRIPT = Path(__file__).with_name("vendor_client.py")


def said(*command: str | Path) -> dict[str, object]:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment(), timeout=90)
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_it_runs_unchanged_on_the_paths_of_both_versions(serving: Serving) -> None:
    made = said(*HELIOGRAPH, "app", "create", "--name", "Acme", "--data", serving.data, "--json")
    # It sends at whatever hour it runs.
    off = said(*HELIOGRAPH, "settings", "--no-quiet-hours", "--data", serving.data, "--json")
    assert off["quietHours"] == {"enabled": False, "places": [], "version": quiet.shipped().version}
    known = [str(made[name]) for name in ("appId", "accountId", "clientId", "clientSecret")]
    numbers = sorted(person["phoneNumber"] for person in PEOPLE)
    assert len(set(numbers)) == 30
    for version in ("v1", "v2"):
        seen = said(sys.executable, SCRIPT, serving.url, *known, version)
        assert seen == {
            "added": "Adding contacts to public list is in progress",
            "records": 30,
            "contacts": 30,
            "created": "Ready",
            "listed": [f"Spring Sale {version}"],
            "scheduled": "Scheduled",
            "unscheduled": "Ready",
            "started": "Active",
            "running": "Active",
            "stopped": "Stopped",
            "updated": "3",
            "instance": "cid-",
            "finished": "Completed",
            "texted": numbers,
            "deleted": "Completed",
            "deleted list": f"Contact list Leads {version} deleted successfully",
            "left": 0,
        }
    lines = (serving.data / "sandbox" / "transcript.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["to"] for line in lines) == sorted(numbers * 2)
