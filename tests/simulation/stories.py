"""What one seed makes of a cluster: its index and runs, what goes wrong, and what must come of it."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from cluster import OTHER_TARGET, TARGET
from invariants import Broken, unfinished, until
from random_modes import PLAIN, Mode, bundle_of, offer_prebuilt, random_mode, requirements_of
from random_universe import random_universe, some_requirements
from troubled import TroubledCluster
from universe import Universe
from virtual_loop import run
from wheelfleet_agent.app.agent import Times
from wheelfleet_coordinator.app.collecting import Collector
from wheelfleet_coordinator.core.outputs import outputs
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.run import Run
from wheelfleet_shared.errors import InfrastructureError
from wheelfleet_shared.names import TargetId

PATIENCE = 3600.0
"""Virtual seconds in which every run must end once nothing goes wrong any more."""
_ZOMBIE = Times(stop_after=1e9)
_LASTING = ("graph.json", "constraints.txt")
"""Files of a run's output that faults do not change."""


class Request(NamedTuple):
    """One run: when it is submitted, and after how many seconds it is cancelled, if at all."""

    requirements: list[str]
    delay: float
    cancel_after: float | None
    fail_fast: bool
    mode: Mode = PLAIN


class Cast(NamedTuple):
    """What a seed starts from, whatever goes wrong later."""

    universe: Universe
    requests: list[Request]
    targets: tuple[TargetId, ...]


class Story(NamedTuple):
    """What a seed came to."""

    cluster: TroubledCluster
    outcomes: dict[str, str]
    seconds: float


def cast(source: random.Random) -> Cast:
    """In every second story the runs are asked for in all sorts of ways."""
    universe = random_universe(source, failing=source.random() < 0.2)
    offer_prebuilt(universe)
    plain = source.random() < 0.5
    count = source.randint(1, 3)
    requests = [_request(source, universe, number) for number in range(count)]
    if not plain:
        requests = [_varied(source, universe, request) for request in requests]
    return Cast(universe, requests, (TARGET, OTHER_TARGET) if source.random() < 0.3 else (TARGET,))


def _varied(source: random.Random, universe: Universe, request: Request) -> Request:
    mode = random_mode(source)
    return request._replace(mode=mode, requirements=requirements_of(mode, universe, request.requirements))


def _request(source: random.Random, universe: Universe, number: int) -> Request:
    cancel_after = source.uniform(0.0, 60.0) if source.random() < 0.2 else None
    requirements = some_requirements(source, universe)
    return Request(requirements, source.uniform(0.0, 80.0) * number, cancel_after, source.random() < 0.1)


class Plot:
    """Draws what happens next; everything from the cluster's own generator, so a seed repeats itself."""

    def __init__(self, cluster: TroubledCluster, source: random.Random, targets: tuple[TargetId, ...]) -> None:
        self.cluster = cluster
        self._targets = targets
        self.random = source
        self._acts: list[Callable[[], Awaitable[None]]] = [
            self.lose_coordinator,
            self.second_coordinator,
            self.lose_agent,
            self.lose_agent,
            self.freeze_agent,
            self.freeze_agent,
            self.outage,
            self.speak_stale,
            self.speak_stale,
            self.lose_wheel,
            self.forget_runs,
        ]

    async def trouble(self, seconds: float) -> None:
        end = self.cluster.loop.time() + seconds
        while self.cluster.loop.time() < end:
            await asyncio.sleep(self.random.uniform(0.5, 25.0))
            await self.random.choice(self._acts)()
            self.cluster.check_worlds()

    async def lose_coordinator(self) -> None:
        name = self.random.choice(sorted(self.cluster.coordinators))
        self.count("coordinators killed")
        await self.cluster.kill_coordinator(name)
        await asyncio.sleep(self.random.choice((0.0, 1.0, 20.0, 90.0)))
        self.cluster.start_coordinator(name)

    async def second_coordinator(self) -> None:
        if "c2" not in self.cluster.coordinators:
            self.count("second coordinators")
            self.cluster.start_coordinator("c2")

    async def lose_agent(self) -> None:
        name = self.random.choice(sorted(self.cluster.agents))
        self.count("agents killed")
        await self.cluster.kill_agent(name)
        await asyncio.sleep(self.random.choice((0.0, 5.0, 70.0)))
        self.start_agent(name)

    def start_agent(self, name: str) -> None:
        times = self.random.choice((Times(), _ZOMBIE))
        target = self._targets[int(name[1:]) % len(self._targets)]
        self.cluster.start_agent(name, self.random.randint(1, 3), times, target)

    async def freeze_agent(self) -> None:
        process = self.cluster.processes[f"agent-{self.random.choice(sorted(self.cluster.agents))}"]
        self.count("agents frozen")
        process.frozen_until = self.cluster.loop.time() + self.random.uniform(20.0, 150.0)

    async def outage(self) -> None:
        part = self.random.choice(("index", "store", "log"))
        self.count(f"outages of the {part}")
        self.cluster.trouble.outages[part] = self.cluster.loop.time() + self.random.uniform(1.0, 40.0)

    async def speak_stale(self) -> None:
        claims = [
            sequence
            for sequence, (subject, data) in enumerate(self.cluster.stream.messages, 1)
            if b'"BuildClaimed"' in data and subject.startswith("log.build.")
        ]
        if claims:
            await self._speak(self.random.choice(claims))

    async def _speak(self, claim: int) -> None:
        build = self.cluster.checker.world.build(self.cluster.stream.events(claim - 1, claim)[0].aggregate.id)  # type: ignore[arg-type]
        if build.fence != claim:
            self.count("words of stale owners")
            await self.cluster.stale_word(claim)

    async def lose_wheel(self) -> None:
        wheels = self.cluster.blobs.wheels()
        if wheels:
            self.count("wheels lost")
            self.cluster.lose(self.random.choice(wheels))

    async def forget_runs(self) -> None:
        """The oldest that ended are forgotten, unless the store or the log fails at it."""
        name = self.random.choice(sorted(self.cluster.coordinators))
        parts, blobs = self.cluster.coordinators[name][0], self.cluster.blobs
        before = sum(run.forgotten for run in parts.state.world.runs.values())
        try:
            async with asyncio.timeout(20.0):
                collector = Collector(parts.state.world, parts.committer, blobs)
                await collector.collect(m.Collect(False, older_than=30.0, keep=0), now=self.cluster.clock.now())
        except (InfrastructureError, TimeoutError):
            pass
        after = sum(run.forgotten for run in parts.state.world.runs.values())
        self.cluster.trouble.counts["runs forgotten"] += after - before

    def count(self, kind: str) -> None:
        self.cluster.trouble.counts[kind] += 1


async def _tell(loop: asyncio.AbstractEventLoop, seed: int, *, troubled: bool) -> Story:
    source = random.Random(seed)
    universe, requests, targets = cast(source)
    cluster = TroubledCluster(loop, universe, source.getrandbits(32))
    cluster.trouble.on = troubled
    plot = Plot(cluster, source, targets)
    cluster.start_coordinator()
    for name in ("a1", "a2", "a3")[: source.randint(len(targets), 3)]:
        plot.start_agent(name)
    cluster.trouble.counts["stories of several targets"] += len(targets) > 1
    runs = [asyncio.ensure_future(_submit(cluster, *each, targets)) for each in enumerate(requests)]
    for request in requests:
        cluster.trouble.counts.update(
            f"runs with {name}" for name in request.mode._fields if getattr(request.mode, name)
        )
    if troubled:
        await plot.trouble(source.uniform(30.0, 400.0))
        cluster.trouble.on = False
    await asyncio.gather(*runs)
    world = cluster.checker.world
    await until(lambda: all(map(_is_over, world.runs.values())), PATIENCE, lambda: unfinished(world))
    await asyncio.sleep(30.0)
    cluster.check_worlds()
    seconds = loop.time()
    await cluster.end()
    return Story(cluster, {run: state.status for run, state in world.runs.items()}, seconds)


async def _submit(cluster: TroubledCluster, number: int, request: Request, targets: tuple[TargetId, ...]) -> None:
    await asyncio.sleep(request.delay)
    mode = request.mode
    found = await cluster.submit(
        *request.requirements,
        run=f"r{number}",
        targets=targets,
        bundle=await bundle_of(mode, cluster.universe, cluster.blobs),
        fail_fast=request.fail_fast,
        force=mode.force,
        replace=mode.replace,
        mode="entries" if mode.order else "bootstrap",
    )
    if request.cancel_after is not None:
        await asyncio.sleep(request.cancel_after)
        if not _is_over(cluster.checker.world.runs[found]):
            await cluster.cancel(found)


def _is_over(state: Run) -> bool:
    return state.finished is not None or state.forgotten


def told(seed: int) -> Story:
    """The seed's story with all its trouble, every invariant checked, and compared with the undisturbed one.

    Raises Broken.
    """
    story = troubled(seed)
    _require_same_end(story, undisturbed(seed))
    return story


def troubled(seed: int) -> Story:
    """As ``told``, but compared with nothing. Raises Broken."""
    story = run(lambda loop: _tell(loop, seed, troubled=True))
    _require(not story.cluster.checker.broken, "; ".join(story.cluster.checker.broken[:3]))
    _require_attempts_bounded(story)
    return story


def undisturbed(seed: int) -> Story:
    """The same index and runs with nothing going wrong: no event is refused, nothing is tried twice. Raises Broken."""
    story = run(lambda loop: _tell(loop, seed, troubled=False))
    checker = story.cluster.checker
    _require(not checker.broken, "; ".join(checker.broken[:3]))
    _require(checker.world.ignored == 0, f"{checker.world.ignored} events refused with nothing going wrong")
    _require_attempts_bounded(story)
    return story


def _require_attempts_bounded(story: Story) -> None:
    """build_wheel is called once a wheel, and once more for each attempt or generation that came to an early end."""
    checker = story.cluster.checker
    allowed: dict[tuple[str, str], int] = {}
    for build in checker.world.builds.values():
        if build.plan is not None and build.plan.goal == "wheel":
            node = (build.plan.node.name, build.plan.node.version)
            allowed[node] = allowed.get(node, 0) + 1 + checker.cut_short.get(build.id, 0)
    built = story.cluster.built()
    for node in set(built):
        _require(built.count(node) <= allowed[node], f"{node} was built {built.count(node)} times of {allowed[node]}")


def _require_same_end(story: Story, quiet: Story) -> None:
    """The same outcome and the same graph, but for runs that people or quarantines ended.

    Where runs bring patches, it depends on who comes first which of them get a file name.
    """
    world = story.cluster.checker.world
    patched = story.cluster.trouble.counts["runs with patch"]
    if patched or any(b'"BuildQuarantined"' in data for _, data in story.cluster.stream.messages):
        return
    for name, outcome in story.outcomes.items():
        if world.runs[name].forgotten:  # type: ignore[index]
            continue
        options = world.runs[name].submitted.options  # type: ignore[index, union-attr]
        if "cancelled" in (outcome, quiet.outcomes[name]) or options.fail_fast:
            continue
        _require(outcome == quiet.outcomes[name], f"{name} {outcome}, undisturbed {quiet.outcomes[name]}")
        if outcome == "succeeded":
            here = outputs(world, name)  # type: ignore[arg-type]
            there = outputs(quiet.cluster.checker.world, name)  # type: ignore[arg-type]
            for path in sorted(here.keys() | there.keys()):
                same = not path.endswith(_LASTING) or here.get(path) == there.get(path)
                _require(same, f"{name}: another {path} than undisturbed")


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise Broken(what)
