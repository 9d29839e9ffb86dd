"""The page about the format says what the format is."""

from __future__ import annotations

import re
from pathlib import Path

from heliograph.rules.flow import conditions, document, lint, rapidpro_actions, rapidpro_routers, text

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "flow-format.md").read_text()


def test_its_example_is_a_good_flow() -> None:
    found = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert found
    assert lint.lint(document.read(text.parse(found[1])), fields=["First Name"]) == []


def test_it_names_every_node_test_and_finding() -> None:
    named = set(re.findall(r"`([a-z_0-9]+)`", PAGE))
    written = Path(lint.__file__).read_text()
    codes = set(re.findall(r'Finding\(\s*(?:key|""), "(\w+)"', written)) | {"missing_flow", "missing_list"}
    assert {*document.KINDS, *conditions.TESTS, *codes} <= named
    assert all(f"\n{key}:" in PAGE for key in document.TOP)
    assert len(codes) >= 12


def test_it_names_what_comes_from_rapidpro() -> None:
    for kind in (*rapidpro_actions.KINDS, *rapidpro_routers.TESTS):
        short = re.sub("^(has_number|set_contact)", "", kind)
        assert f"`{kind}`" in PAGE or f"`{short}`" in PAGE, kind
