"""The API and the console as one server."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Generator

import uvicorn
from starlette.applications import Starlette

from heliograph import config
from heliograph.actions import audit, seal
from heliograph.api.app import create_api
from heliograph.config import Settings
from heliograph.store.database import Database
from heliograph.web.app import create_web, mount

REQUEST_SECONDS = 3  # for requests under way, once told to stop


class _Server(uvicorn.Server):
    """A server that leaves signals to us, and tells the console when it ends: its live pieces would hold it up."""

    def __init__(self, config: uvicorn.Config, web: Starlette) -> None:
        super().__init__(config)
        self._web = web

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._web.state.closing = True
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def server(settings: Settings, db: Database) -> uvicorn.Server:
    """A server over an open database; whoever starts it says on which socket, and when to end."""
    sealing = seal.from_settings(settings)
    db.witness = audit.write
    api = create_api(db, sealing, settings, config.utc_now)
    web = create_web(db, settings, config.utc_now, sealing)
    mount(api, web)
    return _Server(
        uvicorn.Config(
            api,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # the console asks where a request really comes from
            timeout_graceful_shutdown=REQUEST_SECONDS,
        ),
        web,
    )
