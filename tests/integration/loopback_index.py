"""A scripted HTTP server on loopback: answers in turn for each path, and every request kept."""

import contextlib
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import NamedTuple


class Answer(NamedTuple):
    """One answer; ``before`` runs first, ``cut`` ends the connection before the body is whole."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = MappingProxyType({})
    before: Callable[[], object] = lambda: None
    cut: bool = False


class Loopback:
    """``answers``: path → answers in turn, the last one for ever; other paths get 404."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self._count: dict[str, int] = defaultdict(int)
        self._lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def next_answer(self, path: str, headers: dict[str, str]) -> Answer:
        """The answer for one request, which is kept."""
        with self._lock:
            self.requests.append((path, headers))
            turn = self._count[path]
            self._count[path] += 1
        answers = self.answers.get(path, [Answer(404)])
        return answers[min(turn, len(answers) - 1)]

    def paths(self) -> list[str]:
        """What was asked for, in turn."""
        return [path for path, _ in self.requests]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        loopback = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                answer = loopback.next_answer(self.path, {k.lower(): v for k, v in self.headers.items()})
                answer.before()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body) + answer.cut))
                self.end_headers()
                self.wfile.write(answer.body)
                self.close_connection = self.close_connection or answer.cut

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


@contextlib.contextmanager
def loopback_server() -> Iterator[Loopback]:
    """A server that runs as long as the block."""
    loopback = Loopback()
    thread = threading.Thread(target=loopback.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield loopback
    finally:
        loopback.server.shutdown()
        thread.join()
        loopback.server.server_close()
