"""What the commands about the cluster do."""

import asyncio
import contextlib
import os
from pathlib import Path

import msgspec
import typer
from rich.table import Table

from wheelfleet_shared.adapters.make_credentials import load_credential
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.errors import InfrastructureError, InputError, WheelfleetError
from wheelfleet_shared.names import IndexName

from ..app.cluster_files import AgentWishes, Cluster, data_folder, wished_interpreters
from ..app.embedded import ClusterStatus, attach
from ..app.embedded import down as stop
from ..app.embedded import status as status_of
from .connection import linked, linked_as, say_starting
from .run_commands import MOST_RUNS, print_json
from .screens import console_for, in_words
from .settings import Format, Settings
from .watching import ENDED

COUNTED_WITHIN = 3.0
"""Seconds for which a stop waits to hear of active runs."""
SECONDS_A_DAY = 86_400.0
COLLECTS_WITHIN = 600.0
"""Seconds that a collection of garbage may take."""


class StatusReport(msgspec.Struct, frozen=True):
    """The embedded cluster for machines. index_url: of the index that wheels go to by default, or empty."""

    running: bool
    index_url: str
    cluster: ClusterStatus


def start_cluster(slots: int | None, sandbox: str | None) -> None:
    """The embedded cluster runs."""
    wishes = AgentWishes(slots, sandbox, wished_interpreters(os.environ))
    data = data_folder(os.environ)
    cluster = attach(data, wishes=wishes, on_start=lambda: say_starting(data))
    typer.echo(f"the cluster in {cluster.data} runs: index {_index_url(cluster)}, NATS at {cluster.nats_url}")


def _index_url(cluster: Cluster) -> str:
    """Of the index that wheels go to by default; what installers are given."""
    return f"{cluster.http_url}/indexes/{IndexName()}/simple/"


def stop_cluster(*, now: bool) -> None:
    """The embedded cluster does not run; runs that wait for its next start are counted."""
    data = data_folder(os.environ)
    cluster = status_of(data).cluster
    active = asyncio.run(_count_active(cluster)) if cluster is not None else 0
    typer.echo(f"the cluster in {data} is stopped" if stop(data, now=now) else f"no cluster runs in {data}")
    if active:
        told = "1 run is active; it goes" if active == 1 else f"{active} runs are active; they go"
        typer.echo(f"{told} on at the next start")


async def _count_active(cluster: Cluster) -> int:
    """How many runs have not ended; 0 where nobody answers soon, since a stop must not hang on it."""
    with contextlib.suppress(WheelfleetError, TimeoutError):
        async with asyncio.timeout(COUNTED_WITHIN), linked_as(load_credential(Path(cluster.credential))) as link:
            found = await link.ask(m.Runs(MOST_RUNS), m.RunList)
            return sum(row.status not in ENDED for row in found.runs)
    return 0


def print_status(chosen: Format) -> None:
    """Place, size and processes of the embedded cluster are printed."""
    found = status_of(data_folder(os.environ))
    if chosen is Format.JSON:
        url = _index_url(found.cluster) if found.cluster is not None else ""
        print_json(StatusReport(found.cluster is not None, url, found))
        return
    state = "runs" if found.cluster is not None else "is starting or stopping" if found.parts else "does not run"
    typer.echo(f"the cluster in {found.place} {state}; its data take {found.size / 2**20:.1f} MiB")
    if found.cluster is not None:
        typer.echo(f"  index {_index_url(found.cluster)}, store {found.cluster.store_url}")
    for part in found.parts:
        typer.echo(f"  {part.name}: process {part.pid}, up for {in_words(part.uptime)}")


def print_agents(settings: Settings, chosen: Format) -> None:
    """The agents are printed."""

    async def work() -> m.AgentList:
        async with linked(settings) as link:
            return await link.ask(m.Agents(), m.AgentList)

    found = asyncio.run(work())
    if chosen is Format.JSON:
        print_json(found)
        return
    table = Table(box=None, pad_edge=False)
    for head in ("agent", "status", "seen", "slots", "sandbox", "targets", "builds"):
        table.add_column(head, overflow="fold", no_wrap=head not in {"targets", "builds"})
    for row in found.agents:
        seen = f"{in_words(row.seen)} ago" if row.seen >= 0 else "not lately"
        builds = ", ".join(f"{slot.node} ({slot.phase})" for slot in row.held)
        busy = f"{len(row.held)}/{row.slots}"
        table.add_row(row.agent, row.status, seen, busy, row.sandbox, ", ".join(row.targets), builds)
    console_for(settings).print(table)
    for row in found.agents:
        for text in (*row.evidence, *([f"idle: {row.idle}"] if row.idle else [])):
            typer.echo(f"{row.agent}: {text}")


def lift_quarantine(settings: Settings, name: str) -> None:
    """The agent gets builds again; raises InputError where it was not set aside."""
    agent = name if name.startswith("agent-") else f"agent-{name}"

    async def work() -> None:
        async with linked(settings) as link:
            found = await link.ask(m.Agents(), m.AgentList)
            if all((row.agent, row.status) != (agent, "set aside") for row in found.agents):
                raise InputError(f"{agent} is not set aside", "`wheelfleet agents` lists who is")
            aggregate = Aggregate("agent", agent)
            history = await link.log.read_aggregate(aggregate)
            if not await link.append(aggregate, history[-1].sequence, e.QuarantineLifted()):
                raise InfrastructureError(f"{agent} came or went just now", "try again")

    asyncio.run(work())
    typer.echo(f"{agent} gets builds again")


def collect_garbage(settings: Settings, chosen: Format, *, dry_run: bool, older_than: float, keep: int) -> None:
    """Old runs are forgotten, and what nothing refers to is gone; or both are named. older_than: in days."""
    asked = m.Collect(dry_run, older_than * SECONDS_A_DAY, keep)

    async def work() -> m.Text:
        async with linked(settings) as link:
            return await link.ask(asked, m.Text, within=COLLECTS_WITHIN)

    found = asyncio.run(work())
    if chosen is Format.JSON:
        print_json(found.data)
    else:
        typer.echo("\n".join(found.lines))
