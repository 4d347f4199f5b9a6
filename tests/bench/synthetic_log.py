"""A log as a farm leaves it: runs of hundreds of distributions, each from its page to its published wheel.

Pure and seeded: the same numbers give the same bytes. One node in twenty needs a second attempt,
and every tenth asks its hook for more.
"""

import hashlib
import random
from collections.abc import Iterator
from typing import NamedTuple

from wheelfleet_shared.core import codec
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import plan_build
from wheelfleet_shared.core.envelope import Aggregate, Envelope
from wheelfleet_shared.names import (
    ANY_TARGET,
    Actor,
    IndexName,
    NodeKey,
    RunId,
    Sha256,
    TargetId,
    file_id,
    graph_id,
    page_id,
    source_id,
)

TARGET = TargetId("cp311-linux_x86_64")
NODES_OF_A_RUN = 400
_COORDINATOR = Actor("coordinator-main")
_AGENT = Actor("agent-host1")
_OPERATOR = Actor("operator-ann")
_INDEX = IndexName()

Stated = tuple[Aggregate, Actor, e.Event]


class Message(NamedTuple):
    """A message of the stream as the server holds it."""

    sequence: int
    subject: str
    data: bytes


def messages(count: int, seed: int = 1) -> list[Message]:
    """The first ``count`` messages of the log of a farm."""
    source = random.Random(seed)
    found: list[Message] = []
    stated = _farm(found, source)
    while len(found) < count:
        aggregate, actor, event = next(stated)
        sequence = len(found) + 1
        envelope = Envelope(f"{source.getrandbits(128):032x}", 1.7e9 + sequence * 0.01, event, max(0, sequence - 3))
        found.append(Message(sequence, codec.subject_of(aggregate, actor), codec.encode(envelope)))
    return found


def _farm(log: list[Message], source: random.Random) -> Iterator[Stated]:
    """Run after run. ``log``: what was written so far; its length is the sequence of what was stated last."""
    number = 0
    while True:
        number += 1
        run = RunId(f"run{number:010}")
        names = [f"dist-{number}-{place}" for place in range(NODES_OF_A_RUN)]
        keys = [
            NodeKey(name, f"{source.randint(0, 9)}.{source.randint(0, 30)}.{source.randint(0, 9)}") for name in names
        ]
        submitted = e.RunSubmitted(run, _INDEX, (TARGET,), tuple(str(key) for key in keys[:5]))
        yield Aggregate("run", run), _OPERATOR, submitted
        yield _resolved(run, None, "toplevel", "toplevel", keys[:5])
        for place, key in enumerate(keys):
            yield from _node(log, source, run, key, keys[place + 1 : place + 9], number)
        yield Aggregate("run", run), _COORDINATOR, e.RunFinished("succeeded", NODES_OF_A_RUN, 0)


def _node(
    log: list[Message], source: random.Random, run: RunId, key: NodeKey, below: list[NodeKey], number: int
) -> Iterator[Stated]:
    page = e.ProjectListed(key.name, _sha(f"page {key}"), "application/vnd.pypi.simple.v1+json", _page_url(key), True)
    yield Aggregate("run", run), _COORDINATOR, page
    fetched = e.SourceFetched(_url(key), _sdist(key), _sdist(key).sha256)
    yield Aggregate("source", source_id(_url(key), _sdist(key).sha256)), _COORDINATOR, fetched
    yield from _source_build(log, run, key)
    yield _resolved(run, key, "build-system", "build-system", below[:2])
    yield from _wheel_build(log, source, run, key, below)
    yield _resolved(run, key, "hook", "build-backend", below[:1] if number % 10 == 0 else [])
    yield _resolved(run, key, "install", "install", below[: source.randint(0, 6)])


def _source_build(log: list[Message], run: RunId, key: NodeKey) -> Iterator[Stated]:
    build, plan = plan_build(
        "source", _INDEX, key, target=ANY_TARGET, host=TARGET, source=_sdist(key), source_url=_url(key)
    )
    aggregate = Aggregate("build", build)
    yield aggregate, _COORDINATOR, plan
    yield aggregate, _COORDINATOR, e.BuildWanted(run)
    yield aggregate, _COORDINATOR, e.BuildQueued()
    yield aggregate, _AGENT, e.BuildClaimed(1, "0123456789abcdef", TARGET)
    requirements = ("setuptools>=61", "wheel")
    prepared = e.SourcePrepared(len(log), _sdist(key), 1_600_000_000, requirements, "setuptools.build_meta")
    yield aggregate, _AGENT, prepared
    yield aggregate, _COORDINATOR, e.BuildSucceeded()


def _wheel_build(
    log: list[Message], source: random.Random, run: RunId, key: NodeKey, below: list[NodeKey]
) -> Iterator[Stated]:
    build, plan = plan_build("wheel", _INDEX, key, target=TARGET, host=TARGET, source=_sdist(key), source_url=_url(key))
    aggregate = Aggregate("build", build)
    yield aggregate, _COORDINATOR, plan
    yield aggregate, _COORDINATOR, e.BuildWanted(run)
    locked = tuple(e.LockedFile(other.name, other.version, _wheel(other)) for other in below[:4])
    yield aggregate, _COORDINATOR, e.EnvironmentLocked(1, locked, "d" * 32, static=True)
    yield aggregate, _COORDINATOR, e.BuildQueued()
    yield aggregate, _AGENT, e.BuildClaimed(1, "0123456789abcdef", TARGET)
    if source.random() < 0.05:
        yield aggregate, _AGENT, e.AttemptAborted(len(log), "out_of_memory", "killed at 4 GiB")
        yield aggregate, _COORDINATOR, e.BuildQueued()
        yield aggregate, _AGENT, e.BuildClaimed(2, "0123456789abcdef", TARGET)
    used = e.Resources(wall=12.5, cpu=11.25, memory=300_000_000, hooks=2)
    built = e.WheelBuilt(len(log), _wheel(key), _sha(f"payload {key}"), ("wheel",), "gcc 12.2", "bubblewrap", used)
    yield aggregate, _AGENT, built
    yield from _published(
        log,
        key,
        e.WheelAccepted(
            _INDEX,
            build,
            plan.key,
            key,
            _wheel(key),
            _sha(f"metadata {key}"),
            tuple(f"{b.name}>=0.1" for b in below[:3]),
            ">=3.8",
        ),
    )
    yield aggregate, _COORDINATOR, e.BuildSucceeded()


def _published(log: list[Message], key: NodeKey, accepted: e.WheelAccepted) -> Iterator[Stated]:
    file = Aggregate("file", file_id(_INDEX, _wheel(key).file_name))
    yield file, _COORDINATOR, accepted
    yield file, _COORDINATOR, e.WheelPublished()
    page = e.IndexUpdated(_INDEX, key.name, _sha(f"html {key}"), _sha(f"json {key}"), 1, len(log))
    yield Aggregate("page", page_id(_INDEX, key.name)), _COORDINATOR, page


def _resolved(run: RunId, parent: NodeKey | None, stage: e.Stage, kind: e.EdgeKind, children: list[NodeKey]) -> Stated:
    edges = tuple(
        e.Edge(
            kind, f"{child.name}>=0.1", child, _url(child), _sdist(child).file_name, _sdist(child).sha256, why="newest"
        )
        for child in children
    )
    event = e.RequirementsResolved(run, TARGET, parent, stage, edges)
    return Aggregate("graph", graph_id(run, TARGET)), _COORDINATOR, event


def _sha(text: str) -> Sha256:
    return Sha256(hashlib.sha256(text.encode()).hexdigest())


def _url(key: NodeKey) -> str:
    return f"https://files.example.org/packages/{_sha(key.name)[:32]}/{key.name}-{key.version}.tar.gz"


def _page_url(key: NodeKey) -> str:
    return f"https://index.example.org/simple/{key.name}/"


def _sdist(key: NodeKey) -> e.FileRef:
    return e.FileRef(f"{key.name}-{key.version}.tar.gz", _sha(f"sdist {key}"), 123_456)


def _wheel(key: NodeKey) -> e.FileRef:
    return e.FileRef(f"{key.name.replace('-', '_')}-{key.version}-0-py3-none-any.whl", _sha(f"wheel {key}"), 23_456)
