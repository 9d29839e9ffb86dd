"""A mail server for tests: it keeps what it is given, and refuses what it is told to."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from email.message import EmailMessage


@dataclass
class Sink:
    """What came: ``letters``, and to whom each (``to``). ``answers``: what a command is answered with, by its word.

    ``secured``: the context that STARTTLS is taken up with. ``heard``: every line that came, ``clear`` those in the
    clear.
    """

    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    to: list[list[str]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    secured: ssl.SSLContext | None = None
    heard: list[str] = field(default_factory=list)
    clear: list[str] = field(default_factory=list)

    calls: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        call = asyncio.create_task(self._answer(reader, writer))
        self.calls.add(call)
        call.add_done_callback(self.calls.discard)
        try:
            await call
        finally:
            writer.close()

    async def end(self) -> None:
        """Hang up on whoever still calls."""
        for each in self.calls:
            each.cancel()
        await asyncio.gather(*self.calls, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The few commands of RFC 5321 that a client without extensions needs, and STARTTLS of RFC 3207."""
        writer.write(b"220 sink\r\n")
        to: list[str] = []
        while line := (await reader.readline()).decode():
            word, _, rest = line.strip().partition(" ")
            self.heard.append(line.strip())
            if writer.get_extra_info("sslcontext") is None:
                self.clear.append(line.strip())
            answer = self.answers.get(word.upper(), "250 fine")
            if answer == "hang up":
                break
            if word.upper() == "STARTTLS" and self.secured is not None:
                writer.write(b"220 go on\r\n")
                try:
                    await writer.start_tls(self.secured)
                except OSError:  # of which ssl.SSLError is one: whoever called does not believe us
                    break
                continue
            if word.upper() == "RCPT" and answer.startswith("250"):
                answer = self.answers.get(rest, answer)
                to += [rest.removeprefix("TO:<").removesuffix(">")] if answer.startswith("250") else []
            if word.upper() == "DATA" and answer.startswith("250"):
                writer.write(b"354 go on\r\n")
                content = await reader.readuntil(b"\r\n.\r\n")
                self.letters.append(email.message_from_bytes(content[:-3], policy=email.policy.default))  # type: ignore[arg-type]
                self.to.append(to)
                if self.answers.get("after") == "hang up":
                    break
            writer.write(f"{'221 bye' if word.upper() == 'QUIT' else answer}\r\n".encode())
            if word.upper() == "QUIT":
                break


@asynccontextmanager
async def open_sink(
    *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Sink]:
    """A mail server on a free port, secured by either."""
    sink = Sink(secured=starttls)
    server = await asyncio.start_server(sink.serve, "127.0.0.1", 0, ssl=tls)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()
        await sink.end()
