"""The way to the data: a pool of connections to PostgreSQL, the embedded one or one named by URL.

Every way in turns a server that cannot be reached, or a connection that is lost in the middle, into
:class:`errors.StoreUnavailable`. All other database errors pass as they are.
"""

from __future__ import annotations

import contextlib
import copy
import os
import select
from typing import TYPE_CHECKING, Any, Self

import psycopg
import psycopg_pool
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow

from heliograph import errors
from heliograph.store import embedded, migrate

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator

    from heliograph.config import Settings

Conn = AsyncConnection[TupleRow]

OLDEST_SERVER = 160000
ACQUIRE_SECONDS = 10.0
# A network that swallows packets must not hold a lane's lock, or a caller, for the two hours TCP would wait.
KEEPALIVES = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 10_000,
    "connect_timeout": 5,
}
GOING_DOWN = {
    "57P01", "57P02", "57P03",  # admin shutdown, crash shutdown, cannot connect now
    "57P05", "25P03",  # ended for having said nothing: outside a transaction, inside one
}  # fmt: skip

SET_TIME_ZONE = "SET TIME ZONE 'UTC'"
# In the middle of a COPY a connection counts as busy: that its machine is gone PostgreSQL sees by its keepalives only.
SET_SILENCE = """
SELECT set_config('idle_in_transaction_session_timeout', %(limit)s, false),
       set_config('tcp_keepalives_idle', '2', false), set_config('tcp_keepalives_interval', '1', false),
       set_config('tcp_keepalives_count', '3', false)
"""


class Database:
    """The one database of this process. Build it with :meth:`open`, leave it with :meth:`close`."""

    def __init__(
        self, dsn: str, size: int, attachment: embedded.Attachment | None, silence_s: float | None = None
    ) -> None:
        self.dsn = dsn
        self._silence_s = silence_s
        self._attachment = attachment
        self.witness: Callable[[Conn], Awaitable[None]] | None = None
        """Called inside each transaction, when its block has ended well and before it commits."""
        self._trouble: str | None = None
        self._inside: Conn | None = None
        self._pool: psycopg_pool.AsyncConnectionPool[Conn] = psycopg_pool.AsyncConnectionPool(
            self._reach,
            kwargs={"autocommit": True},
            min_size=1,
            max_size=size,
            configure=self._configure,
            timeout=ACQUIRE_SECONDS,
            # Give up soon: the next caller tries afresh, while attempts of one series lie further and further apart.
            reconnect_timeout=ACQUIRE_SECONDS / 2,
            open=False,
        )

    @classmethod
    async def open(cls, settings: Settings, *, size: int = 8, silence_s: float | None = None) -> Self:
        """Reach the server (starting the embedded one), bring its schema up to date, open `size` connections at most.

        ``silence_s``: seconds after which PostgreSQL undoes a transaction that says nothing, so that a process which is
        frozen, or cut off, keeps nobody's rows; unset: never.

        Raises :class:`errors.StoreUnavailable` if it cannot be reached or is older than 16,
        :class:`errors.DataTooNew` if a newer Heliograph wrote it, :class:`errors.BadSetting` for a URL
        that is none.
        """
        attachment = None
        if settings.database_url is None:
            attachment = await embedded.attach(settings.data)
            dsn = make_conninfo(attachment.dsn, application_name="heliograph")
        else:
            dsn = _external(settings.database_url)
        database = cls(dsn, size, attachment, silence_s)
        try:
            await database._prepare()
            await database._pool.open()
        except BaseException:
            await database.close()
            raise
        return database

    @classmethod
    async def beside(cls, dsn: str, *, size: int) -> Self:
        """The database that another process of ours has open, by its ``dsn``, for a process that it has started.

        That one keeps the server up, and has brought the schema up to date. Raises nothing until it is used.
        """
        database = cls(dsn, size, None)
        await database._pool.open()
        return database

    async def close(self) -> None:
        """Close every connection; the last user of an embedded server stops it."""
        await self._pool.close()
        if self._attachment is not None:
            await self._attachment.release()

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncGenerator[Conn]:
        """A connection in autocommit: every statement stands for itself."""
        if self._inside is not None:
            async with self._inside.transaction():
                yield self._inside
            return
        try:
            conn = await self._take()
        except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
            text = f"No connection to PostgreSQL ({_shown(self.dsn)}): {self._trouble or error}"
            raise errors.StoreUnavailable(text) from error
        try:
            with lost_is_unavailable(conn, self.dsn):
                yield conn
        finally:
            await self._pool.putconn(conn)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Conn]:
        """A connection inside one transaction: committed at the end of the block, rolled back by an exception."""
        async with self.connection() as conn, conn.transaction():
            yield conn
            if self.witness is not None:
                await self.witness(conn)

    def inside(self, conn: Conn) -> Self:
        """The same database from inside a transaction of ``conn``: whatever is done by it is done with that.

        Its connections and transactions are savepoints of that one, so they are taken one after the other, by
        one task. Nothing is to be closed.
        """
        bound = copy.copy(self)
        bound._inside = conn  # noqa: SLF001  # our own
        return bound

    async def connect(self, **network: int) -> Conn:
        """A connection of the caller's own, outside the pool, in autocommit. The caller closes it.

        ``network``: how libpq is to watch over it, where that is not to be as for the others.
        """
        try:
            dsn = make_conninfo(await self._reach(), **network)
            conn: Conn = await AsyncConnection.connect(dsn, autocommit=True)
            await self._configure(conn)
        except psycopg.OperationalError as error:
            raise errors.StoreUnavailable(f"No connection to PostgreSQL ({_shown(self.dsn)}): {error}") from error
        return conn

    @contextlib.asynccontextmanager
    async def apart(self, *, nice: int = 0) -> AsyncGenerator[Conn]:
        """A connection of the block's own, outside the pool, in autocommit: for locks that live as long as it does.

        ``nice``: the embedded server's process behind it stands that far behind the others (as nice(2)); of another
        server nothing can be asked.
        """
        conn = await self.connect()
        try:
            if nice and self._attachment is not None:
                with contextlib.suppress(OSError):  # it is not ours to command, or the connection is lost by now
                    os.setpriority(os.PRIO_PROCESS, conn.info.backend_pid, nice)
            with lost_is_unavailable(conn, self.dsn):
                yield conn
        finally:
            await conn.close()

    async def _take(self) -> Conn:
        """A live connection of the pool, whose own check would wait for seconds between dead ones."""
        while True:
            conn = await self._pool.getconn()
            if not await _died_idle(conn):
                return conn
            await self._pool.putconn(conn)

    async def _reach(self) -> str:
        """Where to connect; called before every attempt, so that an embedded server that died is back by then."""
        self._trouble = None
        if self._attachment is not None:
            try:
                await self._attachment.ensure_running()
            except errors.StoreUnavailable as error:
                self._trouble = error.message
                raise
        return self.dsn

    async def _configure(self, conn: Conn) -> None:
        await conn.execute(SET_TIME_ZONE)
        if self._silence_s is not None:
            await conn.execute(SET_SILENCE, {"limit": f"{self._silence_s * 1000:.0f}ms"})

    async def _prepare(self) -> None:
        async with await self.connect() as conn:
            if conn.info.server_version < OLDEST_SERVER:
                text = (
                    f"The PostgreSQL server ({_shown(self.dsn)}) is version {conn.info.server_version / 10000:.4g};"
                    " Heliograph needs 16 or newer."
                )
                raise errors.StoreUnavailable(text)
            with lost_is_unavailable(conn, self.dsn):
                await migrate.run(conn)


async def _died_idle(conn: Conn) -> bool:
    """Find out cheaply whether a pooled connection is dead: an idle one has nothing to say but goodbye."""
    poll = select.poll()
    poll.register(conn.fileno(), select.POLLIN)
    if poll.poll(0):
        try:
            await conn.execute("")
        except psycopg.OperationalError:
            return True
    return False


@contextlib.contextmanager
def lost_is_unavailable(conn: Conn, dsn: str) -> Generator[None]:
    """Let a connection lost inside the block surface as :class:`errors.StoreUnavailable`; other errors pass."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.errors.IdleInTransactionSessionTimeout) as error:
        if not conn.closed and error.sqlstate not in GOING_DOWN:
            raise
        raise errors.StoreUnavailable(f"The connection to PostgreSQL ({_shown(dsn)}) was lost: {error}") from error


def _external(url: str) -> str:
    try:
        given: dict[str, Any] = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        text = "HELIOGRAPH_DATABASE_URL (hidden) is no PostgreSQL URL; it takes postgresql://user:pass@host/heliograph."
        raise errors.BadSetting(text, field="HELIOGRAPH_DATABASE_URL") from error
    return make_conninfo("", **({"application_name": "heliograph"} | KEEPALIVES | given))


def _shown(dsn: str) -> str:
    """Where it is, without the password."""
    parts = conninfo_to_dict(dsn)
    return f"{parts.get('dbname') or 'default database'} at {parts.get('host') or 'the local socket'}"
