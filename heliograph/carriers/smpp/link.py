"""One bind of an account, kept up: connect, bind, and again after a while when it ends."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import random
import socket
import ssl
from typing import TYPE_CHECKING, NamedTuple, Protocol

from heliograph.carriers.base import LineState
from heliograph.carriers.smpp import codes, pdu
from heliograph.carriers.smpp.pdu import Command
from heliograph.carriers.smpp.session import Hears, Session
from heliograph.rules import address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heliograph.carriers.smpp.settings import Settings
    from heliograph.rules.address import Network

log = logging.getLogger(__name__)

UNBIND_S = 1.0  # seconds that the other side may take to say goodbye


class Standing(NamedTuple):
    """How a bind stands, and why, in words for people."""

    state: LineState
    words: str


class Watches(Hears, Protocol):
    """A session's listener that is told how the bind stands, too."""

    def stands(self) -> None:
        """Some bind stands otherwise than before."""
        ...


class Link:
    """One bind. ``command``: which."""

    def __init__(
        self, settings: Settings, command: Command, watches: Watches, name: str, networks: Sequence[Network]
    ) -> None:
        self._networks = networks
        self._settings = settings
        self._command = command
        self._watches = watches
        self._name = name
        self._session: Session | None = None
        self.standing = Standing(LineState.DOWN, "not connected yet")
        self.tried = asyncio.Event()  # the first try has ended, one way or the other
        self._task: asyncio.Task[None] | None = None

    @property
    def session(self) -> Session | None:
        """The bound session, if there is one."""
        return self._session if self._session is not None and self._session.bound else None

    @property
    def submits(self) -> bool:
        """Whether texts go through it."""
        return self._command is not Command.BIND_RECEIVER

    def start(self) -> None:
        """Begin to keep the bind up."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"smpp {self._name}")

    async def close(self, answers_s: float) -> None:
        """Wait so long for answers, unbind, end the connection."""
        session = self.session
        if session is not None:
            await session.answers(answers_s)
            await session.ask(Command.UNBIND, b"", UNBIND_S)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        if self._session is not None:
            self._session.end("the line was closed", at_once=True)
            await asyncio.wait({self._session.ended}, timeout=UNBIND_S)

    # ------------------------------------------------------------ keeping it up

    async def _run(self) -> None:
        first, most = self._settings.reconnect_s
        wait = first
        while True:
            began = asyncio.get_running_loop().time()
            try:
                hopeless = await self._once()
            except Exception as error:  # noqa: BLE001  # whatever it is, the bind is tried again
                log.error("bind_failed carrier=%s error=%s", self._name, type(error).__name__)  # noqa: TRY400
                self._stand(LineState.DOWN, f"an unexpected fault ({type(error).__name__})")
                hopeless = False
            if hopeless:
                return  # the same words can only get the account locked: it is opened anew when it is changed
            # Only what lived for a while was well: a message centre that drops each bind at once is not hurried.
            wait = first if asyncio.get_running_loop().time() - began > most else wait
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311  # apart, not secret
            wait = min(wait * 2, most)

    async def _once(self) -> bool:
        """Connect, bind, and stay until it ends. True: it is hopeless."""
        session, words = await self._connect()
        if session is None:
            self._stand(LineState.DOWN, words)
            return False
        self._session = session
        refusal = await self._bind(session)
        if refusal is not None:
            session.end(refusal.words)
            self._stand(*refusal)
            return refusal.words in {_refusal(status) for status in codes.HOPELESS_BINDS}
        self._stand(LineState.UP, f"bound as {self._command.name.removeprefix('BIND_').lower()}")
        words = await asyncio.shield(session.ended)
        self._stand(LineState.DOWN, words)
        return False

    async def _connect(self) -> tuple[Session | None, str]:
        settings = self._settings
        security = settings.security()
        try:
            async with asyncio.timeout(settings.connect_timeout_s):
                return await self._reach(security), ""
        except TimeoutError:
            return None, f"no connection within {settings.connect_timeout_s:g} s"
        except ssl.SSLCertVerificationError as error:
            return None, f"the certificate is not good: {error.verify_message}"
        except ssl.SSLError as error:
            return None, f"the connection could not be secured ({error.reason or type(error).__name__})"
        except OSError as error:
            return None, f"no connection: {error.strerror or type(error).__name__}"

    async def _reach(self, security: ssl.SSLContext | None) -> Session:
        """A connection to the first address of the host that takes one, of those where a line may go."""
        settings, loop = self._settings, asyncio.get_running_loop()
        failure: OSError = OSError("its name has no address")
        found = await loop.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        for place in dict.fromkeys(str(item[4][0]) for item in found):
            why = address.carrier_refusal(ipaddress.ip_address(place.partition("%")[0]), self._networks)
            if why is not None:
                failure = PermissionError(1, f"its address is one that carriers may not have ({why})")
                continue
            try:
                _, session = await loop.create_connection(
                    lambda: Session(settings, self._watches, self._name),
                    place,
                    settings.port,
                    ssl=security,
                    server_hostname=(settings.tls_name or settings.host) if security else None,
                )
            except ssl.SSLError:
                raise
            except OSError as error:
                failure = error
                continue
            return session
        raise failure

    async def _bind(self, session: Session) -> Standing | None:
        """Bind; None when it is done, else how the bind stands now."""
        settings = self._settings
        ton, npi = settings.bind_ton_npi
        body = pdu.bind(settings.who, ton=ton, npi=npi, address_range=settings.address_range)
        answer = await session.ask(self._command, body, settings.connect_timeout_s)
        if answer is None:
            words = session.ended.result() if session.ended.done() else "the bind was not answered"
            return Standing(LineState.DOWN, words)
        if answer.status:
            refused = answer.status in codes.REFUSED_BINDS
            return Standing(LineState.REFUSED if refused else LineState.DOWN, _refusal(answer.status))
        return None

    def _stand(self, state: LineState, words: str) -> None:
        self.standing = Standing(state, words)
        log.info("smpp_bind carrier=%s state=%s words=%r", self._name, state.value, words)
        self.tried.set()
        self._watches.stands()


def _refusal(status: int) -> str:
    return f"the message centre refuses the bind: {codes.name(status)}"
