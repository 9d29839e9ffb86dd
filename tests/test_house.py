"""The house rules that no linter knows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("heliograph", "tests")
LONGEST = 400

# Names that say nothing about what is inside: a function that wants one is missing its noun.
EMPTY_NAMES = set("common core helper helpers manager managers misc service services util utils".split())

# Spelled in two halves, so that this file passes its own test.
LEFTOVER = re.compile(r"\b(TO" r"DO|FIX" r"ME|HA" r"CK)\b")

HOME = re.compile(r"(?<![\w.~])/(home|root|Users)/")


def files(*suffixes: str) -> list[Path]:
    """Our own files with these suffixes: neither vendored, nor generated."""
    found = [p for folder in (*OURS, "docs", ".ci") for p in (ROOT / folder).rglob("*") if p.suffix in suffixes]
    found += [p for p in ROOT.iterdir() if p.suffix in suffixes]
    return sorted(p for p in found if "vendor" not in p.parts and "__pycache__" not in p.parts and p.is_file())


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


PYTHON = files(".py")


@pytest.mark.parametrize("path", PYTHON, ids=named)
def test_a_file_fits_in_a_head(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= LONGEST, f"{named(path)} has {lines} lines; split it by idea below {LONGEST}"


def test_every_module_is_named_for_a_noun() -> None:
    names = {named(p): {*p.relative_to(ROOT).with_suffix("").parts} & EMPTY_NAMES for p in PYTHON}
    assert {path: found for path, found in names.items() if found} == {}


def test_nothing_is_left_for_later() -> None:
    found = [
        f"{named(path)}:{number}: {line.strip()}"
        for path in files(".py", ".md", ".sql", ".toml", ".html", ".css", ".js", ".yml", ".yaml")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if LEFTOVER.search(line)
    ]
    assert found == []


def test_documents_name_no_path_of_the_machine_they_were_written_on() -> None:
    here = re.compile(rf"(?<![\w.]){re.escape(ROOT.as_posix())}(?![\w-])")
    found = [
        f"{named(path)}:{number}: {line.strip()}"
        for path in files(".md", ".toml", ".html")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if HOME.search(line) or here.search(line)
    ]
    assert found == []


def test_the_lock_pins_by_hash_and_names_no_index() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"https?://|file://|^--", text, re.MULTILINE)
    pinned = re.findall(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^]]*\])?==\S+.*\\\n\s+--hash=sha256:", text, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE))


def test_every_suite_of_rules_is_documented_where_it_is_switched_off() -> None:
    """In pyproject.toml each lint opt-out has its reason beside it."""
    text = (ROOT / "pyproject.toml").read_text()
    lint = text[text.index("[tool.ruff.lint]") : text.index("[tool.ruff.lint.flake8-bugbear]")]
    bare = [line.strip() for line in lint.splitlines() if re.match(r'\s+"[A-Z]+[0-9]+"', line) and "#" not in line]
    assert bare == []
