"""git as a process that reads no configuration of this machine, asks nobody anything, and speaks few protocols.

Credentials are those of the netrc file, which libcurl reads by itself: never on a command line, in a URL or
in what is told of a failure.
"""

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from wheelfleet_shared.errors import InfrastructureError, SourceError

_PASSED_ON: Final = (
    "PATH",
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"),
    *("http_proxy", "https_proxy", "no_proxy", "all_proxy"),
)
_CERTIFICATES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_SETTINGS: Final = (
    *("core.hooksPath=/dev/null", "core.attributesFile=/dev/null", "core.autocrlf=false", "core.fsmonitor=false"),
    *("gc.auto=0", "advice.detachedHead=false", "submodule.fetchJobs=4"),
)
_GONE: Final = re.compile(
    r"not found|does not exist|does not appear to be a git repository|couldn't find remote ref|not our ref"
    r"|unadvertised object|did not contain|Authentication failed|could not read (Username|Password)"
    r"|terminal prompts disabled|returned error: 40[134]|transport '.*' not allowed|dubious ownership"
    r"|did not match any file|No url found for submodule|clone of .* failed",
    re.IGNORECASE,
)
_PASSING: Final = re.compile(
    r"Could not resolve|timed out|Connection refused|returned error: (429|5\d\d)|early EOF|hung up"
)


class Git:
    """Runs git with a home of its own, a folder that must be empty and last as long."""

    def __init__(self, home: Path, environment: Mapping[str, str], transport: str) -> None:
        self._environment = _environment(home, environment, transport)

    async def run(self, *arguments: str | Path) -> str:
        """What git says on standard output.

        Raises SourceError where the repository, or what is asked of it, is not there or not for us, and
        InfrastructureError where it did not answer.
        """
        settings = [part for setting in _SETTINGS for part in ("-c", setting)]
        process = await asyncio.create_subprocess_exec(
            "git",
            *settings,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment,
            start_new_session=True,
        )
        try:
            out, err = await process.communicate()
        finally:
            if process.returncode is None:
                # Cancelled: git's own children are of the same group.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if process.returncode:
            raise _failed(err.decode(errors="replace"))
        return out.decode(errors="surrogateescape")


def _environment(home: Path, environment: Mapping[str, str], transport: str) -> dict[str, str]:
    """transport: of the repository; its submodules may lie there or behind https, and nowhere else."""
    _link_netrc(home, environment)
    certificates = next((environment[name] for name in _CERTIFICATES if environment.get(name)), "")
    return {
        **{name: environment[name] for name in _PASSED_ON if name in environment},
        **({"GIT_SSL_CAINFO": certificates} if certificates else {}),
        "HOME": str(home),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TEMPLATE_DIR": str(home),
        "GIT_ALLOW_PROTOCOL": ":".join(sorted({"https", transport})),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_HTTP_LOW_SPEED_LIMIT": "1000",
        "GIT_HTTP_LOW_SPEED_TIME": "60",
    }


def _link_netrc(home: Path, environment: Mapping[str, str]) -> None:
    netrc = Path(environment.get("NETRC") or Path(environment.get("HOME") or Path.home()) / ".netrc")
    if netrc.is_file() and not (home / ".netrc").exists():
        (home / ".netrc").symlink_to(netrc.absolute())


def _failed(said: str) -> SourceError | InfrastructureError:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    told = next((line for line in lines if line.startswith(("fatal:", "error:", "remote:"))), "git failed")
    if _GONE.search(said) and not _PASSING.search(said):
        step = "correct the URL and its ref; credentials belong into the netrc file of the coordinator"
        return SourceError(told, step)
    return InfrastructureError(told, "it is tried again; see whether the server can be reached from the coordinator")
