"""Agents taken out of service and back, and why the others have nothing to do."""

import contextlib
from collections.abc import AsyncIterator

import msgspec
import pytest
from typer.testing import CliRunner

from event_samples import BY_KIND, RUN, TARGET, record
from wheelfleet_coordinator.cli import draining, managing
from wheelfleet_coordinator.cli.main import app
from wheelfleet_coordinator.core.idle import idle_because
from wheelfleet_coordinator.core.run_rows import agent_rows
from wheelfleet_coordinator.core.world import World
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.build import Build, Status
from wheelfleet_shared.core.envelope import Aggregate, Recorded
from wheelfleet_shared.core.recipe import Needs
from wheelfleet_shared.core.run import new_run
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import BuildId, NodeKey, TargetId

BUSY = m.SlotRow("agent-x2", "pbr==7.1.3", "wheel", "build", 3.0)


def row(name: str, status: str = "alive", seen: float = 1.0, held: tuple[m.SlotRow, ...] = (), **facts: object):
    return m.AgentRow(name, (TARGET,), 1, "standard", status, seen, held, **facts)  # type: ignore[arg-type]


class Cluster:
    """Agents of whom one coordinator knows, each with its events; appends are kept."""

    def __init__(self, *rows: m.AgentRow) -> None:
        self.rows = rows
        self.log = self
        self.events: dict[str, list[e.Event]] = {agent.agent: [BY_KIND[e.AgentJoined]] for agent in rows}
        self.races = False

    async def ask(self, _question: m.Agents, _answer: type[m.AgentList]) -> m.AgentList:
        return m.AgentList(self.rows)

    async def read_aggregate(self, aggregate: Aggregate) -> list[Recorded]:
        events = enumerate(self.events[aggregate.id], 1)
        return [
            record(event, "operator-ann", sequence=number, kind="agent", key=aggregate.id) for number, event in events
        ]

    async def append(self, aggregate: Aggregate, expected: int, event: e.Event) -> bool:
        fits = expected == len(self.events[aggregate.id]) and not self.races
        if fits:
            self.events[aggregate.id].append(event)
        return fits


@pytest.fixture
def cluster(monkeypatch) -> Cluster:
    left, silent = row("agent-old", "left", seen=-1.0), row("agent-mute", "silent", seen=90.0)
    found = Cluster(row("agent-x1"), row("agent-x2", held=(BUSY,)), left, silent)

    @contextlib.asynccontextmanager
    async def linked(_: object) -> AsyncIterator[Cluster]:
        yield found

    for module in (draining, managing):
        monkeypatch.setattr(module, "linked", linked)
    return found


def said(*arguments: str) -> list[str]:
    told = CliRunner().invoke(app, arguments)
    if told.exception is not None and not isinstance(told.exception, SystemExit):
        raise told.exception
    return told.output.splitlines()


def test_a_drain_takes_all_that_match_and_is_undone(cluster):
    assert said("drain", "x*") == [
        "agent-x1 gets no more builds; it has none now",
        "agent-x2 gets no more builds; it is still at pbr==7.1.3",
    ]
    assert cluster.events["agent-x1"][1:] == [e.AgentDrainRequested(drain=True)]
    assert said("drain", "agent-x1") == ["agent-x1 gets no more builds; it was drained before"]
    assert said("undrain", "*") == [
        "agent-x1 gets builds again",
        "agent-x2 gets builds again",
        "agent-old was not drained",
        "agent-mute was not drained",
    ]
    assert said("drain", "x1") == ["agent-x1 gets no more builds; it has none now"]
    with pytest.raises(InputError, match="no agent matches y"):
        said("drain", "y*")


def test_only_who_cannot_build_any_more_is_removed(cluster):
    assert said("agents", "remove", "old") == ["agent-old is removed; if it joins again, it is a new agent"]
    assert cluster.events["agent-old"][-1] == e.AgentRemoved()
    said("agents", "remove", "agent-mute")
    for name, why in (("x1", "alive"), ("x2", "alive"), ("nobody", "there is no agent nobody")):
        with pytest.raises(InputError, match=why):
            said("agents", "remove", name)
    cluster.races = True
    with pytest.raises(Exception, match="came or went"):
        said("agents", "remove", "old")


def test_a_drain_ends_with_the_agent_that_was_removed():
    assert not draining.is_drained([e.AgentDrainRequested(), e.AgentRemoved(), BY_KIND[e.AgentJoined]])


def test_the_list_says_why_slots_are_free(cluster):
    cluster.rows = (row("agent-x1", idle="no run is active"),)
    assert said("agents")[-1] == "agent-x1: idle: no run is active"


class Fleet:
    """A world with one agent of two slots, and builds put there by hand."""

    def __init__(self) -> None:
        self.world = World()
        joined = msgspec.structs.replace(BY_KIND[e.AgentJoined], targets=(TARGET,), slots=2)
        self.say(joined, "agent-a1")
        self.world.runs[RUN] = msgspec.structs.replace(new_run(RUN), submitted=BY_KIND[e.RunSubmitted])

    def say(self, event: e.Event, actor: str) -> None:
        sequence = self.world.through + 1
        self.world.apply(record(event, actor, sequence=sequence, kind="agent", key="agent-a1"))

    def put(self, name: str, status: Status, host: TargetId = TARGET, owner: str = "", needs: Needs = Needs()) -> None:
        plan = msgspec.structs.replace(
            BY_KIND[e.BuildPlanned], goal="wheel", host=host, node=NodeKey(name, "1"), needs=needs
        )
        build = BuildId(name)
        self.world.builds[build] = Build(build, status, plan, owner=owner)
        self.world.by_status[status][build] = None

    def idle(self) -> str:
        return idle_because(self.world, self.world.agent("agent-a1"))


def test_why_an_agent_idles():
    fleet = Fleet()
    assert fleet.idle() == "nothing is queued yet"
    fleet.put("other", Status.CLAIMED, owner="agent-b1")
    assert fleet.idle() == "nothing is queued; 1 build is under way"
    fleet.put("arm", Status.QUEUED, TargetId("cp312-linux_aarch64"))
    foreign = f"it does not offer cp312-linux_aarch64 (it offers {TARGET})"
    assert fleet.idle() == f"1 build is queued, none for it: {foreign}"
    fleet.put("arm2", Status.QUEUED, TargetId("cp312-linux_aarch64"))
    fleet.put("gpu", Status.QUEUED, needs=Needs(labels=("gpu",)))
    assert fleet.idle() == f"3 builds are queued, none for it: {foreign} (2 of them)"
    fleet.put("fit", Status.QUEUED)
    assert fleet.idle() == ""
    fleet.say(e.AgentDrainRequested(), "operator-ann")
    assert fleet.idle() == ""
    del fleet.world.runs[RUN]
    assert idle_because(World(), fleet.world.agent("agent-unknown")) == ""


def test_an_agent_idles_while_no_run_is_active_and_only_while_it_has_free_slots():
    fleet = Fleet()
    fleet.world.runs.clear()

    def idle(*held: m.SlotRow, at: float = 1.0) -> str:
        (found,) = agent_rows(fleet.world, held, lambda *_: 0.0, at)
        return found.idle

    slot = m.SlotRow("agent-a1", "x==1", "wheel", "build", 1.0)
    assert idle() == idle(slot) == "no run is active"
    assert idle(slot, slot) == idle(at=100.0) == ""
