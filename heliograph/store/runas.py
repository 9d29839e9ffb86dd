"""As whom PostgreSQL runs: as ourselves, except that it refuses to be root."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from heliograph import errors

if TYPE_CHECKING:
    from pathlib import Path

ROOT = 0
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class RunAs:
    """The uid and gid the server runs with, and whether we have to change to them first."""

    uid: int
    gid: int
    change: bool

    def options(self) -> dict[str, Any]:
        """Arguments for :mod:`subprocess` that start a program as this user, in a clean environment."""
        options: dict[str, Any] = {"env": ENVIRONMENT}
        if self.change:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": ()}
        return options

    def reaches(self, path: Path) -> bool:
        """Whether this user can get to `path` and read it: asked of the kernel, so that ACLs count too."""
        if not self.change:
            return True
        test = ["/bin/sh", "-c", 'test -r "$1"', "sh", str(path)]
        return subprocess.call(test, cwd="/", **self.options()) == 0  # noqa: S603  # our own command

    def own(self, path: Path) -> None:
        """Give `path` to this user, if it is not us."""
        if self.change:
            os.chown(path, self.uid, self.gid)


def choose(data: Path) -> RunAs:
    """Ourselves; for root the owner of the data folder; if that is root too, ``nobody``.

    Raises :class:`errors.StoreUnavailable` on a machine without such a user: none is ever created.
    """
    if os.geteuid() != ROOT:
        return RunAs(os.geteuid(), os.getegid(), change=False)
    owner = data.stat()
    if owner.st_uid != ROOT:
        return RunAs(owner.st_uid, owner.st_gid, change=True)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        text = (
            f"PostgreSQL does not run as root and this machine has no user `nobody`: give {data} to a user who may"
            " run it (chown), or start Heliograph as one."
        )
        raise errors.StoreUnavailable(text) from error
    return RunAs(nobody.pw_uid, nobody.pw_gid, change=True)
