"""What those who watch over a coordinator ask it over HTTP."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from .metrics_text import CONTENT_TYPE

Metrics = Callable[[], Awaitable[bytes]]
"""The text for Prometheus."""
_Endpoint = Callable[[Request], Awaitable[Response]]


async def no_metrics() -> bytes:
    """Of who measures nothing."""
    return b""


def metrics_endpoint(metrics: Metrics) -> _Endpoint:
    """Answers with the figures of now."""

    async def answer(_: Request) -> Response:
        return Response(await metrics(), 200, {"Cache-Control": "no-store", "Content-Type": CONTENT_TYPE})

    return answer


def health_endpoint(healthy: Callable[[], bool]) -> _Endpoint:
    """Answers 200 while it can do its work, 503 while it cannot; nothing else is told, since everybody may ask."""

    async def answer(_: Request) -> Response:
        if healthy():
            return PlainTextResponse("ok\n")
        return PlainTextResponse("the log cannot be reached\n", 503)

    return answer
