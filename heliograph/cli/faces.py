"""The API and the console as one server."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

import uvicorn

from heliograph import config
from heliograph.actions import seal
from heliograph.api.app import create_api
from heliograph.config import Settings
from heliograph.store.database import Database
from heliograph.web.app import create_web, mount

REQUEST_SECONDS = 3  # for requests under way, once told to stop


class _Server(uvicorn.Server):
    """A server that leaves signals to us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def server(settings: Settings, db: Database) -> uvicorn.Server:
    """A server over an open database; whoever starts it says on which socket, and when to end."""
    api = create_api(db, seal.from_settings(settings), settings, config.utc_now)
    mount(api, create_web(db, settings, config.utc_now))
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
        )
    )
