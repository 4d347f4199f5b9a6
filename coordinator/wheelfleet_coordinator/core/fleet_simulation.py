"""A fleet at work in virtual time: agents ask, and get what the coordinator would give them."""

import heapq
from bisect import insort
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.build import Build
from wheelfleet_shared.core.run import Agent
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import BuildId

from .faster import Faster, SlotAhead
from .fleet_file import Fleet, Kind
from .scheduling import Candidacy, first_allowed, rank, refusal
from .simulated_work import Work

_PLENTY = 1 << 50


class Simulated(NamedTuple):
    """makespan: seconds until the last build is done. busy: seconds of work that each kind of agent did.

    ended: builds in the order of their ends.
    """

    makespan: float
    busy: tuple[float, ...]
    ended: tuple[BuildId, ...]


class _Host(NamedTuple):
    kind: int
    agent: Agent
    ask: m.Ask
    speed: float


def simulate(work: Work, fleet: Fleet) -> Simulated:
    """The whole work done by the fleet; raises InputError for builds that nobody may have or that wait in a ring."""
    return _Run(work, fleet).to_the_end()


def in_rounds(work: Work, fleet: Fleet) -> float:
    """Seconds with a barrier: each round builds all that can be built, and the next waits for its last build."""
    left, there, makespan = dict(work.needs), set[BuildId](), 0.0
    while left:
        ready = [build for build, needs in left.items() if needs <= there]
        if not ready:
            raise _stuck(left)
        candidacies = {build: work.candidacies[build] for build in ready}
        makespan += simulate(Work(candidacies, work.seconds, dict.fromkeys(ready, frozenset())), fleet).makespan
        there.update(ready)
        for build in ready:
            del left[build]
    return makespan


class _Run:
    """One simulation: what is ready, who is free, what ends when."""

    def __init__(self, work: Work, fleet: Fleet) -> None:
        self._work = work
        self._hosts = tuple(_hosts(fleet))
        self._free = [
            host for host in range(len(self._hosts)) for _ in range(fleet.agents[self._hosts[host].kind].slots)
        ]
        self._alike = len({host.speed for host in self._hosts}) == 1
        self._held: dict[str, list[Build]] = {host.agent.id: [] for host in self._hosts}
        self._unmet = {build: len(needs) for build, needs in work.needs.items()}
        self._waiting = _waiting(work.needs)
        self._ready: list[Candidacy] = []
        self._running: list[tuple[float, int, BuildId, int]] = []
        self._busy = [0.0] * len(fleet.agents)
        self._ended: list[BuildId] = []
        self._now = 0.0

    def to_the_end(self) -> Simulated:
        self._wake(build for build, count in self._unmet.items() if not count)
        self._serve()
        while self._running:
            self._pass_on()
            self._serve()
        if len(self._ended) < len(self._work.needs):
            raise _stuck(set(self._work.needs) - set(self._ended))
        return Simulated(self._now, tuple(self._busy), tuple(self._ended))

    def _wake(self, builds: Iterable[BuildId]) -> None:
        for build in builds:
            insort(self._ready, self._work.candidacies[build], key=rank)

    def _serve(self) -> None:
        """Each free slot asks once, the longest waiting first."""
        asking, self._free = self._free, []
        for place, host in enumerate(asking):
            chosen = self._choose(host, asking[place:])
            if chosen is None:
                self._free.append(host)
            else:
                self._start(host, chosen)

    def _choose(self, host: int, asking: Collection[int]) -> Build | None:
        agent, ask = self._hosts[host].agent, self._hosts[host].ask
        others = [(self._hosts[other].agent, self._hosts[other].ask) for other in {*asking, *self._free}]
        return first_allowed(self._ready, agent, ask, others, self._held.__getitem__, self._faster(host, asking))

    def _faster(self, host: int, asking: Collection[int]) -> Faster | None:
        """What others of a fleet of unlike speeds have before them."""
        if self._alike:
            return None
        ahead = [(end - self._now, place) for end, _, _, place in self._running]
        ahead += [(0.0, place) for place in (*asking, *self._free)]
        slots = [SlotAhead(self._hosts[p].agent, self._hosts[p].ask, self._hosts[p].speed, left) for left, p in ahead]
        one = self._hosts[host]
        return Faster(one.agent.id, one.speed, slots, lambda build: self._work.seconds[build.id], _may)

    def _start(self, place: int, build: Build) -> None:
        host = self._hosts[place]
        seconds = self._work.seconds[build.id] / host.speed
        self._ready.remove(self._work.candidacies[build.id])
        self._held[host.agent.id].append(build)
        self._busy[host.kind] += seconds
        heapq.heappush(self._running, (self._now + seconds, len(self._ended), build.id, place))

    def _pass_on(self) -> None:
        """On to the next end, and all others of that moment."""
        self._now = self._running[0][0]
        while self._running and self._running[0][0] <= self._now:
            _, _, build, place = heapq.heappop(self._running)
            agent = self._hosts[place].agent.id
            self._held[agent] = [held for held in self._held[agent] if held.id != build]
            self._free.append(place)
            self._ended.append(build)
            self._wake(self._met(build))

    def _met(self, build: BuildId) -> Iterable[BuildId]:
        for waiting in self._waiting.get(build, ()):
            self._unmet[waiting] -= 1
            if not self._unmet[waiting]:
                yield waiting


def _may(build: Build, slot: SlotAhead) -> bool:
    return not refusal(build, slot.agent, slot.ask)


def _hosts(fleet: Fleet) -> Iterable[_Host]:
    for place, kind in enumerate(fleet.agents):
        for number in range(kind.count):
            name = f"agent-{place}-{number}"
            yield _Host(place, Agent(name, _joined(kind)), _ask(kind), kind.speed)


def _joined(kind: Kind) -> e.AgentJoined:
    return e.AgentJoined("simulated", kind.targets, kind.slots, kind.labels, sandbox=kind.sandbox)


def _ask(kind: Kind) -> m.Ask:
    return m.Ask("simulated", kind.targets, _PLENTY, _PLENTY, kind.labels, kind.sandbox)


def _waiting(needs: Mapping[BuildId, frozenset[BuildId]]) -> dict[BuildId, list[BuildId]]:
    found: dict[BuildId, list[BuildId]] = {}
    for build, before in needs.items():
        for other in before:
            found.setdefault(other, []).append(build)
    return found


def _stuck(left: Collection[BuildId]) -> InputError:
    return InputError(
        f"{len(left)} builds never start, {min(left)} among them",
        "no agent of the fleet offers their target, or they are needed to build each other",
    )
