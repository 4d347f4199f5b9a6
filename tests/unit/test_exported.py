import pytest

from story import RUN, Story, stevedore
from wheelfleet_coordinator.core.exported import export_line, import_line
from wheelfleet_coordinator.core.outputs import run_outputs
from wheelfleet_coordinator.core.world import World
from wheelfleet_shared.core.envelope import Aggregate, Envelope, Recorded, Unknown
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import Actor


def built() -> Story:
    story = stevedore()
    for name in ("setuptools==84.2.1", "pbr==7.1.3", "stevedore==5.2.0"):
        story.build(name)
    story.finish()
    return story


def test_what_is_folded_from_exported_lines_gives_the_same_outputs():
    story = built()
    world = World()
    for number, recorded in enumerate(story.events, start=1):
        world.apply(import_line(export_line(recorded), number))
    assert run_outputs(world, RUN) == run_outputs(story.world, RUN)


def test_events_of_other_versions_come_through_as_they_were():
    raw = b'{"type":"FromTheFuture","x":[1,2]}'
    recorded = Recorded(
        7, Aggregate("run", "r1"), Actor("operator-me"), Envelope("i", 1.0, Unknown("FromTheFuture", raw))
    )
    assert import_line(export_line(recorded), 1) == recorded


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[1]",
        b'{"sequence":1,"subject":"other.x","envelope":{}}',
        b'{"sequence":1,"subject":"log.run.r.o-x"}',
    ],
)
def test_other_lines_are_refused_with_their_number(line: bytes):
    with pytest.raises(InputError, match="line 3"):
        import_line(line, 3)
