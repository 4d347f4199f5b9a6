"""Logs for tests, told in words: each method appends the events that a real run would."""

import hashlib

from wheelfleet_coordinator.core.standing import node_builds
from wheelfleet_coordinator.core.world import World
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.envelope import Aggregate, Envelope, Recorded
from wheelfleet_shared.core.targets import TargetDefinition
from wheelfleet_shared.names import (
    Actor,
    BuildId,
    IndexName,
    NodeKey,
    RunId,
    Sha256,
    TargetId,
    file_id,
    graph_id,
    source_id,
)

RUN = RunId("r1")
TARGET = TargetId("cp311-linux_x86_64")
FILES = "https://files.example/"
_DEFAULT = e.Resources(wall=2.5)


def sha256_of(data: bytes | str) -> Sha256:
    return Sha256(hashlib.sha256(data if isinstance(data, bytes) else data.encode()).hexdigest())


def key_of(text: str) -> NodeKey:
    name, _, version = text.partition("==")
    return NodeKey(name, version)


def edge(kind: e.EdgeKind, requirement: str, child: str, **changes) -> e.Edge:
    """An edge to ``child`` (name==version), whose sdist has a URL and a promised sha256."""
    node = key_of(child)
    source = f"{node.name}-{node.version}.tar.gz"
    facts = {"source_url": FILES + source, "source_name": source, "source_sha256": sha256_of(source)} | changes
    return e.Edge(kind, requirement, node, **facts)


class Story:
    """``events``: the log so far; ``world``: its fold."""

    def __init__(self, *targets: TargetId, options: e.RunOptions | None = None) -> None:
        self.world = World()
        self.events: list[Recorded] = []
        self.targets = targets or (TARGET,)
        self.options = options or e.RunOptions()
        for target in self.targets:
            definition = TargetDefinition(target, "cpython", "3.11", "cp311", "x86_64", "glibc", "2.28", {}, ())
            self.append("target", target, e.TargetDefined(definition), "agent-1")

    def append(self, kind: str, key: str, event: e.Event, actor: str = "coordinator-1") -> int:
        sequence = len(self.events) + 1
        at = 1_700_000_000 + sequence / 8
        envelope = Envelope(f"id{sequence}", at, event)
        recorded = Recorded(sequence, Aggregate(kind, key), Actor(actor), envelope)
        self.events.append(recorded)
        self.world.apply(recorded)
        return sequence

    def submit(self, *requirements: str, run: RunId = RUN) -> None:
        submitted = e.RunSubmitted(run, IndexName(), self.targets, requirements, self.options)
        self.append("run", run, submitted, "operator-me")

    def resolve(self, parent: str, stage: e.Stage, *edges: e.Edge, extras=(), target=None, run: RunId = RUN) -> None:
        target = target or self.targets[0]
        node = key_of(parent) if parent else None
        self.append("graph", graph_id(run, target), e.RequirementsResolved(run, target, node, stage, edges, extras))

    def finish(self, outcome="succeeded", run: RunId = RUN) -> None:
        self.append("run", run, e.RunFinished(outcome, 0, 0))

    def fetch(self, node: str, size: int = 100) -> None:
        found = edge("install", "-", node)
        source = source_id(found.source_url, found.source_sha256)
        file = e.FileRef(found.source_name, Sha256(found.source_sha256), size)
        self.append("source", source, e.SourceFetched(found.source_url, file, found.source_sha256))

    def builds(self, node: str, target=None, run: RunId = RUN):
        graph = self.world.graphs[graph_id(run, target or self.targets[0])]
        return node_builds(self.world, graph, graph.nodes[key_of(node)])

    def claim(self, named: tuple[BuildId, e.BuildPlanned], run: RunId = RUN) -> tuple[BuildId, int]:
        build, plan = named
        self.append("build", build, plan)
        self.append("build", build, e.BuildWanted(run))
        self.append("build", build, e.BuildQueued())
        return build, self.append("build", build, e.BuildClaimed(1, "i1", plan.host), "agent-1")

    def prepare(self, node: str) -> None:
        """Fetched, and its sdist patched."""
        self.fetch(node)
        build, fence = self.claim(self.builds(node).source)
        key = key_of(node)
        name = f"{key.name}-{key.version}.tar.gz"
        sdist = e.FileRef(name, sha256_of("patched " + name), 90)
        self.append("build", build, e.SourcePrepared(fence, sdist, 0, (), "backend"), "agent-1")
        self.append("build", build, e.BuildSucceeded())

    def build(self, node: str, wheel: e.FileRef | None = None, **facts) -> e.FileRef:
        """Prepared, built and published."""
        self.prepare(node)
        build, fence = self.claim(self.builds(node).result)
        key = key_of(node)
        file_name = f"{key.name.replace('-', '_')}-{key.version}-0-py3-none-any.whl"
        wheel = wheel or e.FileRef(file_name, sha256_of(file_name), 1234)
        self.append("build", build, e.WheelBuilt(fence, wheel, "p", (), resources=_DEFAULT), "agent-1")
        self.publish(node, wheel, build, **facts)
        self.append("build", build, e.BuildSucceeded())
        return wheel

    def publish(self, node: str, wheel: e.FileRef, build: BuildId | None = None, **facts) -> str:
        """Accepted and published under its file name; the id of the file."""
        found = file_id(IndexName(), wheel.file_name)
        facts = {"metadata_sha256": sha256_of("metadata " + wheel.file_name)} | facts
        build = build or BuildId("b")
        plan = self.world.build(build).plan
        build_key = plan.key if plan else "k"
        self.append("file", found, e.WheelAccepted(IndexName(), build, build_key, key_of(node), wheel, **facts))
        self.append("file", found, e.WheelPublished())
        return found


def stevedore(**options) -> Story:
    """The graph of a real run of fromager: stevedore 5.2.0, of pbr and setuptools."""
    story = Story(options=e.RunOptions(**options))
    story.submit("stevedore==5.2.0")
    story.resolve("", "toplevel", edge("toplevel", "stevedore==5.2.0", "stevedore==5.2.0"))
    tool, pbr = "setuptools==84.2.1", "pbr==7.1.3"
    story.resolve("stevedore==5.2.0", "build-system", edge("build-system", "setuptools>=40.8.0", tool))
    for stage in ("build-system", "hook", "install"):
        story.resolve(tool, stage)
    story.resolve(
        "stevedore==5.2.0",
        "hook",
        edge("build-backend", "pbr>=2.0.0", pbr),
        edge("build-sdist", "pbr>=2.0.0", pbr),
    )
    needs = 'setuptools>=64.0.0; python_version >= "3.7"'
    story.resolve(pbr, "build-system", edge("build-system", needs, tool))
    story.resolve(pbr, "hook")
    story.resolve(pbr, "install", edge("install", "setuptools", tool))
    story.resolve("stevedore==5.2.0", "install", edge("install", "pbr!=2.1.0,>=2.0.0", pbr))
    return story
