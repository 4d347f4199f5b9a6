"""Repositories in git: made in a folder, and served on loopback as servers do, behind a password where one is set."""

import base64
import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

WHEN = 1_600_000_000
_IDENTITY = {f"GIT_{who}_{what}": "a@h.test" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
_DATES = {f"GIT_{who}_DATE": f"{WHEN} +0000" for who in ("AUTHOR", "COMMITTER")}


def git(folder: Path, *arguments: str) -> str:
    """What git says, with no configuration of this machine."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **_IDENTITY,
        **_DATES,
    }
    command = ["git", "-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout


def repository(folder: Path, files: Mapping[str, str], tag: str = "") -> str:
    """A repository with one commit more that holds the files; the commit."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / ".git").exists():
        git(folder, "init", "-q")
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "more")
    if tag:
        git(folder, "tag", "-a", tag, "-m", tag)
    return git(folder, "rev-parse", "HEAD").strip()


@contextlib.contextmanager
def git_server(root: Path, password: str = "") -> Iterator[str]:
    """The URL below which the repositories of the folder are served; user ``me`` where there is a password."""
    backend = Path(subprocess.run(["git", "--exec-path"], check=True, capture_output=True, text=True).stdout.strip())
    wanted = "Basic " + base64.b64encode(f"me:{password}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            if password and self.headers.get("Authorization") != wanted:
                self.send_response(401)
                self.send_header("WWW-Authenticate", "Basic realm=git")
                self.end_headers()
                return
            said = subprocess.run(
                [str(backend / "git-http-backend")],
                input=self.rfile.read(int(self.headers.get("Content-Length", "0"))),
                env=self._variables(),
                capture_output=True,
                check=True,
            ).stdout
            head, _, body = said.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
            self.send_response(int(fields.pop("Status", "200").split()[0]))
            for name, value in fields.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def _variables(self) -> dict[str, str]:
            parts = urlsplit(self.path)
            return {
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "PATH_INFO": parts.path,
                "QUERY_STRING": parts.query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "REMOTE_ADDR": "127.0.0.1",
            }

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
