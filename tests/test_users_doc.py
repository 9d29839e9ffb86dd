"""docs/users.md has the roles as they are; ``UPDATE_USERS_DOC=1`` writes them anew."""

from __future__ import annotations

import os
import re
from pathlib import Path

from heliograph.rules import roles
from heliograph.rules.roles import Grant, Level, Right, Role

PAGE = Path(__file__).resolve().parent.parent / "docs" / "users.md"
WORDS = {Level.NONE: "None", Level.VIEW: "View", Level.FULL: "Full"}


def table() -> str:
    lines = ["| part of the console | " + " | ".join(Role) + " | in full also |", "|---" * (len(Role) + 2) + "|"]
    for right in Right:
        levels = " | ".join(WORDS[Grant(role).level(right)] for role in Role)
        lines.append(f"| {roles.MEANING[right].view} | {levels} | {roles.MEANING[right].full} |")
    tester = Grant(Role.TESTER, module=True)
    switched = ", ".join(f"{right.value}: {WORDS[tester.level(right)]}" for right in Right if right in roles.MODULE)
    return "\n".join([*lines, "", f"A Tester with the campaign module switched on has {switched}."])


def test_the_roles_are_told_as_they_are() -> None:
    text = PAGE.read_text()
    found = re.search(r"<!-- roles -->\n(.*?)\n?<!-- /roles -->", text, re.DOTALL)
    assert found
    if "UPDATE_USERS_DOC" in os.environ:
        PAGE.write_text(text[: found.start()] + f"<!-- roles -->\n{table()}\n<!-- /roles -->" + text[found.end() :])
        return
    assert found[1] == table()
