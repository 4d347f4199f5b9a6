"""The fold whatever the log holds: total, the same however it is cut, and faithful to its bytes."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from event_samples import SAMPLES
from wheelfleet_coordinator.core.walk import Walk
from wheelfleet_coordinator.core.world import World
from wheelfleet_shared.core import codec
from wheelfleet_shared.core.build import Build, evolve
from wheelfleet_shared.core.envelope import Aggregate, Envelope, Recorded, Unknown
from wheelfleet_shared.core.events import Event
from wheelfleet_shared.core.file import WheelFile, evolve_file
from wheelfleet_shared.names import Actor, BuildId, FileId

KINDS = ("build", "file", "run", "graph", "source", "page", "agent", "target", "unheard-of")
ACTORS = ("coordinator-main", "agent-a1", "agent-a2", "operator-ann", "nobody")
UNKNOWN = Unknown("BuildPainted", b'{"type":"BuildPainted","colour":"red"}')


@st.composite
def said(draw: st.DrawFn) -> tuple[Aggregate, Actor, Event | Unknown]:
    """Any event of anyone on any aggregate; fences of recent claims, so that some are current."""
    event = draw(st.sampled_from((*SAMPLES, UNKNOWN)))
    if hasattr(event, "fence"):
        event = msgspec.structs.replace(event, fence=draw(st.integers(0, 30)))
    if hasattr(event, "attempt"):
        event = msgspec.structs.replace(event, attempt=draw(st.integers(1, 3)))
    kind = draw(st.sampled_from(KINDS))
    key = draw(st.sampled_from(("r1", "x"))) if kind != "agent" else draw(st.sampled_from(ACTORS))
    return Aggregate(kind, key), Actor(draw(st.sampled_from(ACTORS))), event


def log_of(entries: list[tuple[Aggregate, Actor, Event | Unknown]]) -> list[Recorded]:
    return [
        Recorded(sequence, aggregate, actor, Envelope(f"e{sequence}", 1000.0 + sequence, event))
        for sequence, (aggregate, actor, event) in enumerate(entries, 1)
    ]


LOGS = st.lists(said(), max_size=40).map(log_of)


def state_of(world: World) -> dict[str, object]:
    plain = {name: value for name, value in vars(world).items() if name != "graphs"}
    return plain | {"graphs": {key: vars(graph) | {"nodes": list(graph.nodes)} for key, graph in world.graphs.items()}}


def folded(log: list[Recorded]) -> World:
    world = World()
    for recorded in log:
        world.apply(recorded)
    return world


@given(LOGS)
def test_the_fold_is_total_and_counts_what_it_refuses(log):
    world = folded(log)
    assert world.through == len(log)
    assert 0 <= world.ignored <= len(log)


@given(LOGS)
def test_what_comes_from_bytes_folds_to_the_same(log):
    again = []
    for recorded in log:
        subject = codec.subject_of(recorded.aggregate, recorded.actor)
        decoded = codec.recorded(recorded.sequence, subject, codec.encode(recorded.envelope))
        assert decoded == recorded
        again.append(decoded)
    assert state_of(folded(again)) == state_of(folded(log))


@given(LOGS, st.integers(0, 40))
def test_a_prefix_and_its_rest_are_the_whole(log, cut):
    world = folded(log[:cut])
    for recorded in log[cut:]:
        world.apply(recorded)
    assert state_of(world) == state_of(folded(log))


@given(LOGS, st.sets(st.integers(0, 40)))
def test_no_log_breaks_the_walk(log, looks):
    world = World()
    walk = Walk(world)
    for place, recorded in enumerate(log):
        walk.note(recorded, world.apply(recorded))
        if place in looks:
            walk.instructions()
    walk.instructions()
    assert walk.instructions() == []
    walk.start()
    walk.instructions()


@given(st.lists(said(), max_size=30))
def test_an_aggregate_alone_is_what_it_is_among_others(entries):
    log = log_of([(Aggregate("build", "r1"), actor, event) for _, actor, event in entries])
    build, file = Build(BuildId("r1")), WheelFile(FileId("r1"))
    for recorded in log:
        build, file = evolve(build, recorded), evolve_file(file, recorded)
    assert folded(log).build(BuildId("r1")) == build
    assert file.ignored <= len(log)


@given(st.sampled_from(SAMPLES), st.integers(0, 2**40), st.text(max_size=10))
def test_decoding_undoes_encoding(event, cause, name):
    envelope = Envelope(name, 1.5, event, cause)
    assert codec.decode(codec.encode(envelope)) == envelope
