"""Wheels that the store lost, and what is decided about those who were locked to them."""

import pytest

from story import RUN, TARGET, Story, sha256_of, stevedore
from wheelfleet_coordinator.core import decisions
from wheelfleet_coordinator.core.instructions import GiveUp, Plan
from wheelfleet_coordinator.core.lost_wheels import expected_of_environment, expected_wheels, loss, suspects
from wheelfleet_coordinator.core.run_rows import file_answer
from wheelfleet_coordinator.core.standing import lock_is_broken
from wheelfleet_coordinator.core.walk import Walk
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.build import Build
from wheelfleet_shared.core.keys import blob_key
from wheelfleet_shared.names import BuildId, IndexName, file_id, page_id

TOOL = "setuptools==84.2.1"
PBR = "pbr==7.1.3"
LOCK = e.EnvironmentLocked(1, (), "d", static=True)


class Locked:
    """A story in which pbr is locked to the wheel of setuptools, and as far as ``upto`` says."""

    def __init__(self, *upto: e.Event) -> None:
        self.story = stevedore()
        self.wheel = self.story.build(TOOL)
        self.story.prepare(PBR)
        self.build, plan = self.story.builds(PBR).result
        files = (e.LockedFile("setuptools", "84.2.1", self.wheel),)
        self.lock = e.EnvironmentLocked(1, files, "d", static=True)
        for event in (plan, e.BuildWanted(RUN), self.lock, *upto):
            self.story.append("build", self.build, event)
        assert self.world.ignored == 0

    @property
    def world(self):
        return self.story.world

    def lose(self) -> None:
        self.story.append("file", file_id(IndexName(), self.wheel.file_name), e.WheelLost("gone"))


def test_what_a_listing_does_not_show_in_its_size_is_suspect():
    story = stevedore()
    wheel = story.build(TOOL)
    key = blob_key(wheel.sha256, wheel.file_name)
    assert suspects(expected_wheels(story.world), {key: wheel.size}) == []
    assert [found.key for found in suspects(expected_wheels(story.world), {key: 1})] == [key]
    (found,) = suspects(expected_wheels(story.world), {})
    assert (loss(found, wheel.size), loss(found, 1)) == ("", f"the store has 1 bytes of {wheel.size}")
    assert "does not have it" in loss(found, None)
    assert decisions.lose(story.world, found.file, "r") == (e.WheelLost("r"),)
    story.append("file", found.file, e.WheelLost("r"))
    assert list(expected_wheels(story.world)) == []
    assert decisions.lose(story.world, found.file, "r") == ()


def test_the_files_of_an_environment_are_those_still_published():
    locked = Locked()
    (found,) = expected_of_environment(locked.world, locked.world.build(locked.build))
    assert found.key == blob_key(locked.wheel.sha256, locked.wheel.file_name)
    locked.lose()
    assert expected_of_environment(locked.world, locked.world.build(locked.build)) == ()
    assert expected_of_environment(locked.world, Build(BuildId("unknown"))) == ()


@pytest.mark.parametrize("upto", [(), (e.BuildQueued(),)])
def test_a_build_whose_environment_lost_a_file_is_locked_anew(upto: tuple[e.Event, ...]):
    locked = Locked(*upto)
    world, build = locked.world, locked.build
    assert decisions.lock(world, build, LOCK) == (), "its lock holds"
    locked.lose()
    assert lock_is_broken(world, world.build(build))
    assert (decisions.queue(world, build), decisions.retry(world, build)) == ((), ())
    events = decisions.lock(world, build, LOCK)
    assert events == (e.EnvironmentLocked(2, (), "d", static=True), e.BuildQueued())
    for event in events:
        locked.story.append("build", build, event)
    assert world.ignored == 0
    assert not lock_is_broken(world, world.build(build))


def test_an_aborted_attempt_waits_for_the_new_lock():
    locked = Locked(e.BuildQueued())
    story, world, build = locked.story, locked.world, locked.build
    fence = story.append("build", build, e.BuildClaimed(1, "i1", TARGET), "agent-1")
    story.append("build", build, e.AttemptAborted(fence, "download", "404"), "agent-1")
    assert decisions.retry(world, build) == (e.BuildQueued(),)
    locked.lose()
    assert decisions.retry(world, build) == ()
    assert decisions.lock(world, build, LOCK)[1] == e.BuildQueued()


def test_a_build_whose_lost_wheel_cannot_be_made_again_is_given_up():
    locked = Locked(e.BuildQueued())
    give_up = GiveUp(locked.build, RUN, "dependency", ("a", "b"))
    assert decisions.give_up(locked.world, give_up) == ()
    locked.lose()
    events = decisions.give_up(locked.world, give_up)
    assert events == (e.DependencyFailed(("a", "b")),)
    locked.story.append("build", locked.build, events[0])
    assert locked.world.ignored == 0


def test_the_same_bytes_published_again_mend_the_lock():
    locked = Locked()
    locked.lose()
    name = locked.wheel.file_name
    again = file_id(IndexName(), name, 1)
    assert locked.world.file(IndexName(), name).id == again
    accepted = e.WheelAccepted(
        IndexName(), BuildId("b"), locked.story.builds(TOOL).result[1].key, locked.story.builds(TOOL).result[1].node,
        locked.wheel, sha256_of("m"),
    )  # fmt: skip
    locked.story.append("file", again, accepted)
    locked.story.append("file", again, e.WheelPublished())
    assert not lock_is_broken(locked.world, locked.world.build(locked.build))
    assert file_answer(locked.world, IndexName(), name) == m.FileAnswer(
        again, locked.story.events[-1].sequence, "published", locked.wheel.sha256
    )


def started(story: Story) -> Walk:
    walk = Walk(story.world)
    walk.start()
    return walk


def test_a_lost_wheel_is_planned_again_by_the_run_that_wants_it():
    story = stevedore()
    wheel = story.build(TOOL)
    walk = started(story)
    walk.instructions()
    sequence = story.append("file", file_id(IndexName(), wheel.file_name), e.WheelLost("gone"))
    walk.note(story.events[sequence - 1], set())
    build, plan = story.builds(TOOL).result
    assert Plan(build, plan, RUN) in walk.instructions()
    assert decisions.plan(story.world, Plan(build, plan, RUN)) == (e.BuildReopened("lost", RUN), e.BuildWanted(RUN))


def test_a_page_is_stale_after_its_last_file_went_while_nobody_led():
    story = stevedore()
    wheel = story.build(TOOL)
    place = (IndexName(), "setuptools")
    shown = e.IndexUpdated(*place, sha256_of("h"), sha256_of("j"), 1, len(story.events))
    story.append("page", page_id(*place), shown)
    assert started(story).stale_pages == {}
    withdrawn = story.append("file", file_id(IndexName(), wheel.file_name), e.WheelWithdrawn("bad"), "operator-me")
    assert started(story).stale_pages == {place: withdrawn}


def test_a_project_none_of_whose_files_was_ever_published_has_no_page_to_write():
    story = stevedore()
    story.prepare(TOOL)
    build, plan = story.builds(TOOL).result
    wheel = e.FileRef("setuptools-84.2.1-0-py3-none-any.whl", sha256_of("w"), 7)
    file = file_id(IndexName(), wheel.file_name)
    story.append("file", file, e.WheelAccepted(IndexName(), build, plan.key, plan.node, wheel, sha256_of("m")))
    walk = started(story)
    assert decisions.lose(story.world, file, "r") == (e.WheelLost("r"),), "half-way is enough to be lost"
    sequence = story.append("file", file, e.WheelLost("r"))
    walk.note(story.events[sequence - 1], set())
    assert story.world.ignored == 0
    assert walk.stale_pages == {}
    assert started(story).stale_pages == {}


def test_of_a_file_that_was_never_there_nothing_is_known():
    answer = file_answer(stevedore().world, IndexName(), "x-1-py3-none-any.whl")
    assert (answer.status, answer.last, answer.sha256) == ("absent", 0, "")
