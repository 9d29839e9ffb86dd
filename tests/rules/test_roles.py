from __future__ import annotations

import pytest

from heliograph.errors import Invalid
from heliograph.rules import roles
from heliograph.rules.roles import Grant, Grants, Level, Right, Role


def test_every_right_has_a_level_for_every_role_and_a_meaning() -> None:
    assert set(roles.TABLE) == set(Right) == set(roles.MEANING)
    assert all(set(row) == set(Role) for row in roles.TABLE.values())


def test_the_campaign_module_is_the_vendors() -> None:
    seeing = {role for role in Role if roles.may(role, Right.CAMPAIGNS)}
    assert seeing == {Role.OWNER, Role.DEVELOPER, Role.SUPERVISOR}


@pytest.mark.parametrize(("role", "level"), [(Role.TESTER, Level.FULL), (Role.AGENT, Level.NONE)])
def test_with_the_module_switched_on_sms_campaigns_counts(role: Role, level: Level) -> None:
    assert Grant(role, module=True).level(Right.CAMPAIGNS) is level


def test_with_the_module_switched_off_nothing_of_it_is_left() -> None:
    off = Grant(Role.OWNER, module=False)
    assert {right for right in Right if off.may(right)} == set(Right) - roles.MODULE


def test_an_agent_has_the_inbox_and_nothing_else() -> None:
    assert [right for right in Right if roles.may(Role.AGENT, right)] == [Right.INBOX]


def test_an_apps_own_role_counts_instead_of_the_one_for_every_app() -> None:
    grants = Grants(Grant(Role.SUPERVISOR), {"st-1": Grant(Role.AGENT), "st-2": Grant(Role.OWNER)})
    assert not grants.may(Right.CAMPAIGNS, "st-1")
    assert grants.may(Right.USERS, "st-2", act=True)
    assert grants.may(Right.CAMPAIGNS, "st-3", act=True)
    assert not grants.may(Right.USERS, None)
    assert grants.may_anywhere(Right.USERS)


def test_nobody_changes_the_audit_and_only_an_owner_the_users() -> None:
    assert roles.with_right(Right.AUDIT, act=True) == []
    assert roles.with_right(Right.USERS, act=True) == [Role.OWNER]


def test_a_role_is_read_however_it_is_written() -> None:
    assert roles.read(" supervisor ") is Role.SUPERVISOR
    with pytest.raises(Invalid, match=r"'chief'.*Owner, Developer, Supervisor, Tester, Agent"):
        roles.read("chief")
