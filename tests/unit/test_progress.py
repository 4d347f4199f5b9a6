import msgspec
import pytest

from story import RUN, TARGET, Story, edge, stevedore
from wheelfleet_coordinator.core.progress import progress
from wheelfleet_coordinator.core.run_rows import agent_rows, run_rows, slot_rows, target_list
from wheelfleet_coordinator.core.walk import Walk
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.targets import TargetDefinition
from wheelfleet_shared.names import RunId, TargetId

TOOL, PBR, TOP = "setuptools==84.2.1", "pbr==7.1.3", "stevedore==5.2.0"


def walked(story: Story) -> Walk:
    walk = Walk(story.world)
    walk.start()
    walk.instructions()
    return walk


def at_end(story: Story) -> float:
    return story.events[-1].envelope.at


def progress_of(story: Story, since: int = 0, run: RunId = RUN, heartbeats=None, offered=None) -> m.Progress:
    slots = slot_rows(story.world, heartbeats or {}, at_end(story))
    walk, at = walked(story), at_end(story)
    return progress(story.world, walk, run, slots, at=at, since=since, index_url="http://index/", offered=offered)


def test_counts_and_reasons_follow_the_events():
    story = stevedore()
    for name in (TOOL, PBR):
        story.prepare(name)
        build, plan = story.builds(name).result
        story.append("build", build, plan)
        story.append("build", build, e.BuildWanted(RUN))
    found = progress_of(story)
    assert found.counts == (m.TargetCounts(TARGET, waiting=3),)  # fetching the top's source takes no slot
    reasons = {row.node: row.reason for row in found.waiting}
    assert reasons[PBR].startswith(f"it waits for {TOOL}")


def test_many_that_wait_for_one_are_told_together():
    story = stevedore()
    for name in (TOOL, PBR, TOP):
        story.prepare(name)
        build, plan = story.builds(name).result
        story.append("build", build, plan)
        story.append("build", build, e.BuildWanted(RUN))
    build, _ = story.builds(TOOL).result
    story.append("build", build, e.EnvironmentLocked(1, (), "d", static=True))
    story.append("build", build, e.BuildQueued())
    found = progress_of(story)
    assert [group.text for group in found.waits] == [
        f"2 wait for {TOOL}: it is queued for a free slot",
        "1 is queued for a free slot",
    ]
    assert sum(group.nodes for group in found.waits) == found.counts[0].waiting
    story.claim((build, story.builds(TOOL).result[1]))
    found = progress_of(story)
    assert [group.text for group in found.waits] == [f"2 wait for {TOOL}: it is being built"]
    assert found.counts == (m.TargetCounts(TARGET, running=1, waiting=2),)


def test_sources_being_fetched_are_counted_as_waiting_and_said():
    found = progress_of(stevedore())
    assert found.counts == (m.TargetCounts(TARGET, waiting=3),)
    assert found.waits == (m.WaitGroup(3, "3 sources are being fetched"),)


def test_a_target_that_nobody_offers_is_said_while_nodes_of_it_are_open():
    story = stevedore()
    assert progress_of(story).lacking == ()
    (told,) = progress_of(story, offered=()).lacking
    assert told.startswith(f"no agent offers {TARGET} now")
    assert progress_of(story, offered=(TARGET,)).lacking == ()
    for name in (TOOL, PBR, TOP):
        story.build(name)
    assert progress_of(story, offered=()).lacking == ()


def test_waits_on_several_targets_say_which():
    other = TargetId("cp312-linux_x86_64")
    story = Story(TARGET, other)
    story.submit(TOOL)
    for target in (TARGET, other):
        story.resolve("", "toplevel", edge("toplevel", TOOL, TOOL), target=target)
    assert [group.text for group in progress_of(story).waits] == [
        f"1 source is being fetched on {TARGET}",
        f"1 source is being fetched on {other}",
    ]


def test_a_built_chain_is_counted_and_told_in_fromagers_words():
    story = stevedore()
    for name in (TOOL, PBR, TOP):
        story.build(name)
    found = progress_of(story)
    assert found.counts == (m.TargetCounts(TARGET, built=3),)
    texts = [milestone.text for milestone in found.milestones]
    assert "stevedore-5.2.0: stevedore==5.2.0 resolves to 5.2.0" in texts
    assert "setuptools-84.2.1: built in 2.5 s (setuptools-84.2.1-0-py3-none-any.whl)" in texts
    assert found.index_url == "http://index/"


def test_milestones_are_told_once_and_in_the_order_of_the_log():
    story = stevedore()
    told: list[m.Milestone] = []
    since = 0
    for name in (TOOL, PBR, TOP):
        story.build(name)
        found = progress_of(story, since)
        told += found.milestones
        since = found.through
    assert progress_of(story, since).milestones == ()
    assert [milestone.sequence for milestone in told] == sorted(milestone.sequence for milestone in told)
    assert tuple(told) == progress_of(story).milestones


def test_what_an_earlier_run_built_is_taken_over():
    story = stevedore()
    story.build(TOOL)
    story.finish()
    second = RunId("r2")
    story.submit(TOOL, run=second)
    story.resolve("", "toplevel", edge("toplevel", TOOL, TOOL), run=second)
    found = progress_of(story, run=second)
    assert found.counts == (m.TargetCounts(TARGET, taken_over=1),)
    assert found.milestones[-1].text.endswith("using existing wheel setuptools-84.2.1-0-py3-none-any.whl")


def test_a_finished_run_is_told_from_the_log_alone():
    story = stevedore()
    for name in (TOOL, PBR, TOP):
        story.build(name)
    before = progress_of(story)
    story.finish()
    after = progress_of(story)
    assert (after.status, after.remaining, after.slots, after.waiting) == ("succeeded", 0.0, (), ())
    assert after.counts == before.counts
    assert after.milestones == before.milestones


def test_slots_show_claims_at_once_and_phases_once_they_are_heard():
    story = stevedore()
    story.prepare(TOOL)
    build, fence = story.claim(story.builds(TOOL).result)
    claimed_at = at_end(story)
    assert slot_rows(story.world, {}, claimed_at + 3) == (m.SlotRow("agent-1", TOOL, "wheel", "starting", 3.0),)
    beat = m.Heartbeat("i1", (m.HeldBuild(build, fence, "hook", 1.0),))
    assert slot_rows(story.world, {"agent-1": beat}, claimed_at + 3)[0].phase == "hook"
    stale = m.Heartbeat("i1", (m.HeldBuild(build, fence - 1, "hook", 1.0),))
    assert slot_rows(story.world, {"agent-1": stale}, claimed_at + 3)[0].phase == "starting"


def test_runs_are_listed_newest_first_with_what_is_open():
    story = stevedore()
    story.build(TOOL)
    story.submit("other", run=RunId("r2"))
    rows = run_rows(story.world, walked(story), 10)
    assert [(row.run, row.status, row.succeeded, row.open) for row in rows] == [
        ("r2", "active", 0, 0),
        ("r1", "active", 1, 2),
    ]
    assert [row.run for row in run_rows(story.world, walked(story), 1)] == ["r2"]


@pytest.fixture
def joined() -> Story:
    story = Story()
    definition = TargetDefinition(TARGET, "cpython", "3.11", "", "x86_64", "glibc", "2.28", {}, ())
    story.append("target", TARGET, e.TargetDefined(definition), "agent-1")
    for agent in ("agent-1", "agent-2"):
        story.append("agent", agent, e.AgentJoined(f"i-{agent}", (TARGET, TargetId("undefined")), 2), agent)
    return story


def test_only_alive_agents_are_on_offer_and_only_defined_targets(joined: Story):
    heard = {("agent-1", "i-agent-1"): 95.0, ("agent-2", "i-agent-2"): 60.0}

    def last_heard(agent: str, incarnation: str) -> float | None:
        return heard.get((agent, incarnation))

    assert target_list(joined.world, last_heard, 100.0) == m.TargetList((TARGET,), 2, ("none",))
    rows = agent_rows(joined.world, (), last_heard, 100.0)
    assert [(row.agent, row.status, row.seen) for row in rows] == [
        ("agent-1", "alive", 5.0),
        ("agent-2", "silent", 40.0),
    ]
    joined.append("agent", "agent-1", e.AgentLeft("i-agent-1"), "agent-1")
    assert agent_rows(joined.world, (), last_heard, 100.0)[0].status == "left"
    assert target_list(joined.world, last_heard, 100.0).targets == ()


def test_an_answer_survives_its_way_over_the_bus():
    story = stevedore()
    story.build(TOOL)
    found = progress_of(story)
    assert m.decode_query_answer(m.encode_message(found)) == found
    assert msgspec.json.decode(m.encode_message(found))["counts"][0]["built"] == 1
