"""An S3 server that believes everybody: no signature, condition, range or header is looked at."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from wheelfleet_shared.adapters.s3_blobs import S3Settings

BUCKET = "/wheels/"
_ENTRY = "<Contents><Key>{}</Key><Size>{}</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>"


@contextmanager
def credulous_store() -> Iterator[S3Settings]:
    """Settings of a server in a thread of this process, which ends with the block."""
    handler = type("Handler", (_Handler,), {"stored": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield S3Settings(f"http://127.0.0.1:{server.server_port}", BUCKET.strip("/"), "anybody", "anything")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    stored: dict[str, bytes]
    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        self.stored[self._key()] = self.rfile.read(int(self.headers["content-length"]))
        self._answer(200, b"")

    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        if "list-type" in query:
            self._answer(200, self._listing(query["prefix"][0]))
        elif (data := self.stored.get(self._key())) is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            self._answer(200, data)

    do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

    def do_DELETE(self):
        self.stored.pop(self._key(), None)
        self._answer(204, b"")

    def log_message(self, *_):
        pass

    def _key(self) -> str:
        return urlsplit(self.path).path.removeprefix(BUCKET)

    def _listing(self, prefix: str) -> bytes:
        found = sorted((key, len(data)) for key, data in self.stored.items() if key.startswith(prefix))
        entries = "".join(_ENTRY.format(escape(key), size) for key, size in found)
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>".encode()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.send_header("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
