"""Documents that cannot rot: what they promise is compared with what there is."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from heliograph import config

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS = ROOT / "docs" / "decisions"
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
ADR = re.compile(r"[0-9]{4}-[a-z0-9-]+\.md")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def anchors(document: Path) -> set[str]:
    """The places a link with a # may point to, as forges make them from headings."""
    headings = re.findall(r"^#+ +(.+)$", FENCE.sub("", document.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def test_every_setting_is_documented_and_nothing_else_is() -> None:
    settings = {config.PREFIX + item.name.upper() for item in fields(config.Settings)}
    table = re.findall(r"^\| `(HELIOGRAPH_[A-Z_]+)` \|", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    assert sorted(table) == sorted(settings)
    named_anywhere = {name for d in DOCUMENTS for name in re.findall(r"\bHELIOGRAPH_[A-Z_]+\b", d.read_text())}
    assert named_anywhere - set(for_tests()) <= settings


def for_tests() -> list[str]:
    """The variables that only tests read."""
    read = re.compile(r'os\.environ(?:\.get\(|\[)"((?:HELIOGRAPH|UPDATE)_[A-Z_]+)"')
    return sorted({name for path in (ROOT / "tests").rglob("*.py") for name in read.findall(path.read_text())})


def test_every_variable_for_tests_is_told_to_contributors() -> None:
    told = (ROOT / "CONTRIBUTING.md").read_text()
    assert "HELIOGRAPH_FUZZ" in for_tests()
    assert [name for name in for_tests() if f"`{name}=" not in told] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_link_leads_somewhere(document: Path) -> None:
    broken: list[str] = []
    for target in LINK.findall(FENCE.sub("", document.read_text())):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        if not file.exists() or not file.is_relative_to(ROOT) or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


def test_every_make_target_explains_itself() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):(?!=)", makefile, re.MULTILINE))
    explained = set(re.findall(r"^([a-z]+):.* ## \w", makefile, re.MULTILINE))
    assert {"setup", "run", "check", "test", "bench"} <= targets
    assert targets == explained


def test_every_make_target_that_documents_name_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):(?!=)", makefile, re.MULTILINE))
    told = {t for d in DOCUMENTS for t in re.findall(r"(?:^|`)make ([a-z]+)\b", d.read_text(), re.MULTILINE)}
    assert told <= targets


def test_every_decision_is_in_the_index_under_its_own_title() -> None:
    index = (DECISIONS / "README.md").read_text()
    rows = dict(re.findall(r"^\| \[[0-9]{4}\]\(([^)]+)\) \| (.+) \|$", index, re.MULTILINE))
    pages = {p.name: p.read_text() for p in DECISIONS.glob("*.md") if p.name != "README.md"}
    titles = {name: text.splitlines()[0].removeprefix(f"# {name[:4]}. ") for name, text in pages.items()}
    assert rows == titles


@pytest.mark.parametrize("page", sorted(DECISIONS.glob("[0-9]*.md")), ids=lambda page: page.stem)
def test_every_decision_has_the_four_parts(page: Path) -> None:
    assert ADR.fullmatch(page.name)
    parts = re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE)
    assert parts in (["Context", "Decision", "What it costs"], ["Context", "Decision", "What it costs", "Numbers"])
