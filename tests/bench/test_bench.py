"""The benches run, and nothing they try breaks a promise. Their times are nobody's business here.

Those that take long even when quick are left to ``make bench``: imports, previews, replies, memory, pacing, ten
millions and the race of STOPs, each of which has tests of its own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.bench import report
from tests.bench.report import Section

ROOT = Path(__file__).resolve().parents[2]
SHORT = ("rules", "sending", "receipts", "delete", "smpp", "webhooks", "barrier", "workers", "purge")


def test_a_quick_bench_runs_and_finds_no_violation() -> None:
    command = [sys.executable, "-m", "tests.bench", *SHORT, "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The barrier: 0 violations" in done.stdout


def test_a_bench_run_apart_replaces_its_own_section_and_no_other() -> None:
    first, second = Section("a", "First", "About it."), Section("b", "Second", "About that.")
    first.add("texts", 10, "/s")
    first.headlines, second.headlines = ["**10** texts", "and more"], ["two"]
    page = report.markdown([first, second], [("Cores", "2")])
    again = Section("a", "First", "About it.")
    again.headlines = ["**20** texts"]
    again.add("texts", 20, "/s")
    once = report.replaced(page, again, "Measured apart.")
    assert "10/s" not in once
    assert "**10** texts" not in once
    assert "and more" not in once
    assert once.index("**20** texts") < once.index("* two")
    assert once.index("Measured apart.") < once.index("## Second")
    assert report.replaced(once, again, "Measured apart.") == once
    new = report.replaced(page, Section("c", "Third", "New.", headlines=["three"]), "Now.")
    assert new.startswith(page.partition("* two")[0])
    assert new.index("* two") < new.index("* three") < new.index("## The machine") < new.index("## Third")
    assert new.endswith("## Third\n\nNew.\n\nNow.\n")
