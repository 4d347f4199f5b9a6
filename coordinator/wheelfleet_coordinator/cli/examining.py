"""What ``doctor`` looks at: this machine first, then the cluster, part by part."""

import asyncio
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Literal

import msgspec
import typer

from wheelfleet_shared.adapters.clock import SystemClock
from wheelfleet_shared.adapters.make_credentials import read_private
from wheelfleet_shared.adapters.nats_streams import drifted
from wheelfleet_shared.adapters.s3_blobs import S3Settings
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.configuration import CoordinatorConfig, decode_config
from wheelfleet_shared.core.permissions import LOG
from wheelfleet_shared.errors import WheelfleetError

from ..adapters.store_probe import StoreAbilities, probe
from ..app.cluster_files import data_folder
from .connection import Link, is_embedded, linked
from .run_commands import print_json
from .settings import Format, Settings

_PROBE_WITHIN = 60.0
_TOOLS = ("cc", "c++", "make")


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at. remedy: what brings it in order, empty where it is."""

    part: str
    state: Literal["good", "degraded", "failed"]
    detail: str
    remedy: str = ""


def examine(settings: Settings, chosen: Format) -> int:
    """0 where nothing failed, else 3; what was found is printed."""
    findings = [*_machine(), *asyncio.run(_cluster(settings))]
    if chosen is Format.JSON:
        print_json(findings)
    else:
        for found in findings:
            typer.echo(f"{found.state:8} {found.part}: {found.detail}")
            if found.remedy:
                typer.echo(f"         {found.remedy}")
    return 3 if any(found.state == "failed" for found in findings) else 0


def _machine() -> list[Finding]:
    return [
        Finding("python", "good", f"{platform.python_version()} at {sys.executable}"),
        _uv(),
        _sandbox(),
        _headers(),
        *(_tool(name) for name in _TOOLS),
    ]


def _beside_python(name: str) -> str | None:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    return shutil.which(name, path=path)


def _uv() -> Finding:
    uv = _beside_python("uv")
    if uv is None:
        return Finding("uv", "failed", "not found: this machine cannot build", "pip install 'wheelfleet[agent]'")
    return Finding("uv", "good", _output([uv, "--version"])[1])


def _sandbox() -> Finding:
    agent = _beside_python("wheelfleet-agent")
    remedy = "install bubblewrap (apt-get install bubblewrap), or build without isolation: --sandbox none"
    if agent is None:
        return Finding(
            "sandbox", "degraded", "wheelfleet-agent is not installed here", "pip install 'wheelfleet[agent]'"
        )
    status, line = _output([agent, "--probe-sandbox"])
    said = line.removeprefix("sandbox: ")
    return Finding("sandbox", "good", said) if status == 0 else Finding("sandbox", "degraded", said, remedy)


def _headers() -> Finding:
    header = Path(sysconfig.get_path("include")) / "Python.h"
    if header.exists():
        return Finding("python headers", "good", str(header))
    return Finding("python headers", "degraded", f"{header} is missing", "apt-get install python3-dev")


def _tool(name: str) -> Finding:
    found = shutil.which(name)
    if found is None:
        return Finding(name, "degraded", "not found: native code cannot be built", "apt-get install build-essential")
    return Finding(name, "good", _output([found, "--version"])[1])


def _output(command: list[str]) -> tuple[int, str]:
    """Exit status and first line of what a program says."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PROBE_WITHIN)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, str(error)
    said = (done.stdout.strip() or done.stderr.strip()).splitlines()
    return done.returncode, said[0] if said else f"status {done.returncode}"


async def _cluster(settings: Settings) -> list[Finding]:
    try:
        async with linked(settings) as link:
            return [
                await _nats(link),
                *await _coordinator(settings, link),
                *await _agents(link),
                *await _store(settings),
            ]
    except WheelfleetError as error:
        return [Finding("cluster", "failed", error.what, error.next_step)]


async def _nats(link: Link) -> Finding:
    version = link.client.connected_server_version
    where = f"nats-server {version.major}.{version.minor}.{version.patch} at {link.credential.nats_url}"
    differing = drifted((await link.client.jetstream().stream_info(LOG)).config)
    if differing:
        return Finding("nats", "failed", f"{where}; the log: {'; '.join(differing)}", "restore the stream's settings")
    return Finding("nats", "good", f"{where}; the log has all the settings that appends rely on")


async def _coordinator(settings: Settings, link: Link) -> list[Finding]:
    return coordinator_findings(await link.ask(m.Ping(), m.Pong), embedded=is_embedded(settings))


def coordinator_findings(pong: m.Pong, *, embedded: bool) -> list[Finding]:
    """The coordinator and what it saw in the log. embedded: one agent that starts and stops often reports late."""
    lead = "leads" if pong.leading else "stands by"
    told = f"version {pong.version} {lead}, has folded {pong.through} events, serves {pong.http_url}"
    found = [Finding("coordinator", "good" if pong.leading else "degraded", told)]
    if pong.ignored:
        detail = f"{pong.ignored} events of the log were not legal and changed nothing"
        found.append(
            Finding(
                "log",
                "good" if embedded else "degraded",
                detail,
                "late reports of lost agents are harmless; `wheelfleet events`",
            )
        )
    return found


async def _agents(link: Link) -> list[Finding]:
    rows = (await link.ask(m.Agents(), m.AgentList)).agents
    if not any(row.status == "alive" for row in rows):
        return [Finding("agents", "failed", "none is alive", "start wheelfleet-agent, or read its log")]
    return [
        Finding(
            row.agent,
            "good" if row.status == "alive" and row.sandbox != "none" else "degraded",
            f"{row.status}; {row.slots} slots for {', '.join(row.targets)}; sandbox {row.sandbox}",
        )
        for row in rows
        if row.status != "left"
    ]


async def _store(settings: Settings) -> list[Finding]:
    """The store by probe where its keys are here, which only the embedded cluster's are."""
    if not is_embedded(settings):
        return [Finding("store", "good", "its keys are with the coordinators; run doctor on one of their machines")]
    path = data_folder(os.environ) / "coordinator.json"
    store = decode_config(read_private(path), CoordinatorConfig, origin=str(path)).store
    found = await probe(
        S3Settings(store.endpoint_url, store.bucket, store.access_key, store.secret_key, store.region), SystemClock()
    )
    return [store_finding(store.endpoint_url, found)]


def store_finding(url: str, found: StoreAbilities) -> Finding:
    """The embedded cluster's store. What it lacks beyond need is remarked only: that cluster does without."""
    told = f"{url}: {'; '.join(found.remarks) or 'does all that is needed'}"
    if found.usable:
        return Finding("store", "good", told)
    return Finding("store", "failed", told, "`wheelfleet down`, then `wheelfleet up`; or read its log")
