"""One PostgreSQL server on one folder: make it, see whether it lives, start it, tell it to stop.

Whether it lives is never guessed from a process id. The server inherits an open lock on
``postgres.server.lock`` and so does, through it, every process it forks: while one of them lives the
kernel keeps the lock, and when the last is gone, however it went, the lock is free. Everything here
is called by one process at a time (see :mod:`heliograph.store.embedded`) and returns soon.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from heliograph import errors
from heliograph.store import binaries, flock

if TYPE_CHECKING:
    from collections.abc import Generator

    from heliograph.store.runas import RunAs

USER = "heliograph"
PORT = 5432
SOCKET = f".s.PGSQL.{PORT}"
LONGEST_SOCKET_PATH = 103  # bytes; macOS. Linux has 107
ANSWER_SECONDS = 2.0
LOG_BYTES = 8_000_000
STATUS_LINE = 7
MACOS_PEER_PID = (0, 2)  # SOL_LOCAL, LOCAL_PEERPID, which Python does not name

# Read before the user's own lines in postgresql.conf, so those win. DETAIL and STATEMENT lines would
# write people's numbers and texts to the log: hence terse, and no statements.
SETTINGS = """\
# Written by Heliograph at every start: put your own settings into postgresql.conf, below its include.
listen_addresses = ''
max_connections = 100
shared_buffers = 128MB
wal_compression = on
max_wal_size = 2GB
autovacuum_naptime = 15s
autovacuum_vacuum_scale_factor = 0.1
autovacuum_analyze_scale_factor = 0.05
client_connection_check_interval = 1s
timezone = 'UTC'
log_timezone = 'UTC'
log_checkpoints = off
log_line_prefix = '%m [%p] %a '
log_error_verbosity = terse
log_min_error_statement = panic
"""
INCLUDE = "include 'heliograph.conf'\n# Your own settings go below this line; they win.\n"
FAST = ("-F", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A server's folders and user. ``fast`` gives durability away and is for tests only."""

    data: Path
    runas: RunAs
    fast: bool = False

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.data / "postgres"

    @property
    def log(self) -> Path:
        """What the server has to say."""
        return self.data / "postgres.log"

    def sockets(self) -> Path:
        """The folder of the server's socket: its data directory, which is closed to all others (0700).

        A socket's path is limited to about a hundred bytes, so a long one gets a short folder of its own
        below the system's temporary one. Raises :class:`errors.StoreUnavailable` if that is not ours.
        """
        if len(os.fsencode(self.cluster / SOCKET)) <= LONGEST_SOCKET_PATH and "," not in str(self.cluster):
            return self.cluster
        place = self.cluster.stat()
        short = Path(tempfile.gettempdir()) / f"heliograph-{place.st_dev:x}-{place.st_ino:x}"
        with contextlib.suppress(FileExistsError):
            short.mkdir(mode=0o700)
            self.runas.own(short)
        found = short.lstat()
        if found.st_uid != self.runas.uid or found.st_mode & 0o077:
            text = f"The socket folder {short} is somebody else's: remove it, or use a shorter path than {self.data}."
            raise errors.StoreUnavailable(text)
        return short

    def initialise(self) -> None:
        """Make the data directory if there is none: beside its place and then renamed, so never half.

        Raises :class:`errors.StoreUnavailable` if it was made by another major of PostgreSQL.
        """
        if self.cluster.exists():
            made_by = (self.cluster / "PG_VERSION").read_text().strip()
            if made_by != binaries.major():
                text = (
                    f"{self.cluster} was made by PostgreSQL {made_by}, this Heliograph brings {binaries.major()}:"
                    " move the data with pg_dump, or install the Heliograph it was made with."
                )
                raise errors.StoreUnavailable(text)
            return
        new = self.data / "postgres.new"
        if new.exists():
            shutil.rmtree(new)
        new.mkdir(mode=0o700)
        self.runas.own(new)
        initdb = [str(binaries.find(self.runas, self.data) / "initdb"), "-D", self._named(new), "-U", USER]
        initdb += ["--auth=trust", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
        initdb += ["--builtin-locale=C.UTF-8", "--no-instructions", *(["--no-sync"] if self.fast else [])]
        made = subprocess.run(  # noqa: S603  # our own command
            initdb, cwd=new, capture_output=True, text=True, errors="replace", check=False, **self.runas.options()
        )
        if made.returncode != 0:
            raise errors.StoreUnavailable(f"PostgreSQL could not make {self.cluster}: {made.stderr.strip()}")
        self._write(new / "postgresql.conf", INCLUDE)
        new.rename(self.cluster)

    def running(self) -> bool:
        """Whether the server or any process of it still lives, in whatever state."""
        with self._server_lock() as lock:
            return lock is None or self._process_id() is not None

    def ready(self) -> bool:
        """Whether it takes connections now."""
        return self._status() == "ready" and self._peer() is not None

    def deaf(self) -> bool:
        """Whether it runs, but somebody removed its socket: it can be reached no more."""
        return self._status() == "ready" and self._process_id() is not None and not (self.sockets() / SOCKET).exists()

    def start(self) -> None:
        """Start the server as a daemon of its own session that outlives us. Does not wait until it is ready."""
        with self._server_lock() as lock:
            if lock is None:
                return
            folder = self.sockets()
            # Holding the lock we know that none of these is our server's, even if a process of that id lives.
            for stale in (self.cluster / "postmaster.pid", folder / SOCKET, folder / f"{SOCKET}.lock"):
                stale.unlink(missing_ok=True)
            self._write(self.cluster / "heliograph.conf", SETTINGS)
            if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
                self.log.replace(self.log.with_name("postgres.log.1"))
            with self.log.open("ab") as log:
                self.runas.own(self.log)
                subprocess.run(  # noqa: S603  # our own command
                    # The background job of a shell that ends belongs to init, so that nobody has to wait for it.
                    ["/bin/sh", "-c", '"$@" &', "sh", *self._command(folder)],
                    cwd=self.cluster,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(lock,),
                    start_new_session=True,
                    check=True,
                    **self.runas.options(),
                )

    def end(self) -> bool:
        """Tell it to stop in order: open sessions are ended, work is written out. Does not wait for that.

        False if there is no server, or none that we can signal (its container is not ours).
        """
        pid = self._peer() or self._process_id()
        if not pid:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        return True

    def last_words(self) -> str:
        """The end of its log, for the sentence that says why it did not start."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return " / ".join(lines[-3:])

    def _command(self, folder: Path) -> list[str]:
        postgres = str(binaries.find(self.runas, self.data) / "postgres")
        sockets = "." if folder == self.cluster else str(folder)
        fast = FAST if self.fast else ()
        return [postgres, "-D", self._named(self.cluster), "-p", str(PORT), "-k", sockets, *fast]

    def _named(self, folder: Path) -> str:
        """How the server's user calls `folder`, which is the working directory it is started in.

        Its parents may be closed to that user (``/root``); only Linux has a name that does without them.
        """
        if self.runas.reaches(folder):
            return str(folder)
        if sys.platform != "linux":
            text = (
                f"PostgreSQL does not run as root, and the user it runs as cannot get into {self.data}: choose a data"
                " folder outside of root's home, or start Heliograph as another user."
            )
            raise errors.StoreUnavailable(text)
        return "/proc/self/cwd"

    def _write(self, file: Path, text: str) -> None:
        """Write a file of the server's, readable for it whatever our umask and user."""
        file.unlink(missing_ok=True)
        file.write_text(text)
        self.runas.own(file)

    @contextlib.contextmanager
    def _server_lock(self) -> Generator[int | None]:
        """The lock that a living server holds: an open file, or None while the server has it."""
        lock = flock.open_file(self.data / "postgres.server.lock")
        try:
            yield lock if flock.take(lock) else None
        finally:
            os.close(lock)

    def _peer(self) -> int | None:
        """Process id of whoever listens on the socket, as the kernel knows it; 0 if it is out of our sight."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(ANSWER_SECONDS)
            try:
                line.connect(str(self.sockets() / SOCKET))
            except OSError:
                return None
            if sys.platform == "linux":
                return struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
            return line.getsockopt(*MACOS_PEER_PID)

    def _status(self) -> str | None:
        """What the server last wrote about itself: starting, ready, stopping. It may be dead since."""
        try:
            return (self.cluster / "postmaster.pid").read_text().splitlines()[STATUS_LINE].strip()
        except (OSError, IndexError):
            return None

    def _process_id(self) -> int | None:
        """The process id in the server's own file, if that process is a server on this folder.

        Found even if somebody started it by hand (``postgres -D``), without our lock.
        """
        try:
            pid = int((self.cluster / "postmaster.pid").read_text().split()[0])
            if sys.platform == "linux":
                return pid if Path(f"/proc/{pid}/cwd").samefile(self.cluster) else None
            ps = ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)]
            command = subprocess.run(ps, capture_output=True, text=True, check=False).stdout  # noqa: S603
        except (OSError, ValueError, IndexError):
            return None
        return pid if f"-D {self.cluster} " in f"{command.strip()} " else None
