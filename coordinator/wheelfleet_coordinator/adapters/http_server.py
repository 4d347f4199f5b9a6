"""An HTTP server inside a running event loop."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from wheelfleet_shared.errors import InputError


class _Server(uvicorn.Server):
    """uvicorn that tells when it listens, and leaves the signals to the process it is part of."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class RunningHttp:
    """A server that listens; ``url`` ends without a slash."""

    def __init__(self, url: str, server: _Server, task: asyncio.Task[None]) -> None:
        self.url = url
        self._server = server
        self._task = task

    async def stop(self) -> None:
        """No new requests; those under way have five seconds. Safe to call twice."""
        self._server.should_exit = True
        await self._task


async def serve(app: ASGIApp, host: str, port: int) -> RunningHttp:
    """The application answers at host and port (0: any free one) on return.

    Raises InputError where that address cannot be had.
    """
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve([listener]), name="http")
    listening = asyncio.create_task(server.listening.wait())
    await asyncio.wait({task, listening}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        listening.cancel()
        await task
    shown = f"[{host}]" if ":" in host else host
    return RunningHttp(f"http://{shown}:{listener.getsockname()[1]}", server, task)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        next_step = "end what listens there, or choose another address or port"
        raise InputError(f"cannot listen on {host}:{port}: {error.strerror}", next_step) from error
