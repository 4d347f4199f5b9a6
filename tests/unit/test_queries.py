"""The coordinator's answers over a bus, with its store in memory."""

import asyncio
import hashlib

import pytest

from fixed_clock import FixedClock
from story import RUN, TARGET, Story, stevedore
from wheelfleet_coordinator.app.collecting import Collector
from wheelfleet_coordinator.app.committer import Committer, Progress
from wheelfleet_coordinator.app.coordinator import State
from wheelfleet_coordinator.app.queries import Queries, Serving
from wheelfleet_coordinator.core.leases import LeaseBook
from wheelfleet_coordinator.core.walk import Walk
from wheelfleet_shared.adapters.memory_blobs import MemoryBlobs
from wheelfleet_shared.adapters.memory_bus import MemoryBus, MemoryHub
from wheelfleet_shared.adapters.memory_log import MemoryLog, MemoryStream
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.keys import bundle_key, log_key
from wheelfleet_shared.core.targets import TargetDefinition
from wheelfleet_shared.names import Actor, IndexName, RunId, Sha256

TOOL = "setuptools==84.2.1"
OPERATOR, VIEWER = Actor("operator-me"), Actor("viewer-you")


class Asker:
    """A story, its coordinator's answers, and a person who asks."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.clock = FixedClock(1_700_001_000.0)
        self.blobs = MemoryBlobs(self.clock)
        self.busy = False
        self.leads = True
        self.leases = LeaseBook(60.0)
        walk = Walk(story.world)
        walk.start()
        walk.instructions()
        state = State(story.world, walk, Progress(story.world))
        serving = Serving("1.2", "http://here", "memory")
        log = MemoryLog(MemoryStream(), Actor("coordinator-1"))
        committer = Committer(log, story.world, state.progress, self.clock, lambda: "id")
        self.queries = Queries(
            state,
            {},
            self.leases,
            self.blobs,
            self.clock,
            serving,
            Collector(story.world, committer, self.blobs),
            leading=lambda: self.leads,
            busy=lambda: self.busy,
        )

    def ask(self, query: m.Query, actor: Actor = OPERATOR) -> m.QueryAnswer:
        return asyncio.run(self._ask(m.encode_message(query), actor))

    async def _ask(self, payload: bytes, actor: Actor) -> m.QueryAnswer:
        hub = MemoryHub()
        await self.queries.open(MemoryBus(hub, Actor("coordinator-1")))
        asker = MemoryBus(hub, actor)
        answer = await asker.request(f"q.whatever.{actor}", payload, timeout=5)
        await asker.close()
        return m.decode_query_answer(answer)

    def put(self, key: str) -> None:
        asyncio.run(self.blobs.put(key, b"x", "text/plain"))


@pytest.fixture
def asker() -> Asker:
    story = stevedore()
    story.build(TOOL)
    return Asker(story)


def test_pong_says_where_things_are(asker: Asker):
    through = asker.story.world.through
    assert asker.ask(m.Ping()) == m.Pong("1.2", True, "http://here", through, busy=True, store="memory")


def test_progress_names_the_index_of_the_run(asker: Asker):
    found = asker.ask(m.ProgressAsk(RUN))
    assert isinstance(found, m.Progress)
    assert (found.status, found.index_url) == ("active", "http://here/indexes/main/cpu/simple/")


@pytest.mark.parametrize(
    "query",
    [m.ProgressAsk(RunId("x")), m.ExplainAsk(RunId("x"), "a"), m.WhyAsk(RunId("x"), "a"), m.LogAsk(RunId("x"), "a")],
)
def test_an_unknown_run_is_refused(asker: Asker, query: m.Query):
    assert asker.ask(query) == m.Refusal("there is no run x", "`wheelfleet runs` lists them")


def test_what_cannot_be_read_is_refused(asker: Asker):
    answer = asyncio.run(asker._ask(b"{}", OPERATOR))
    assert isinstance(answer, m.Refusal)


def test_inputs_are_stored_once_by_their_digest(asker: Asker):
    data = b"inputs"
    digest = Sha256(hashlib.sha256(data).hexdigest())
    grant = asker.ask(m.BundleAsk(digest, len(data)))
    assert isinstance(grant, m.UploadGrant)
    assert asker.blobs.put_signed(grant.url, grant.headers, b"others") >= 400
    assert asker.blobs.put_signed(grant.url, grant.headers, data) == 200
    assert asyncio.run(asker.blobs.get(bundle_key(digest))) == data
    assert not asker.ask(m.BundleAsk(digest, len(data))).stored, "no run needs it, so it may be collected"
    submitted = e.RunSubmitted(RunId("r2"), IndexName(), (TARGET,), ("pbr",), bundle=digest)
    asker.story.append("run", "r2", submitted, "operator-me")
    assert asker.ask(m.BundleAsk(digest, len(data))) == m.UploadGrant(stored=True)


def test_viewers_only_look(asker: Asker):
    for query in (m.BundleAsk(Sha256("0" * 64), 1), m.Collect()):
        assert isinstance(asker.ask(query, VIEWER), m.Refusal)
    assert isinstance(asker.ask(m.Runs(), VIEWER), m.RunList)


def test_logs_of_all_attempts_and_of_the_one_that_runs(asker: Asker):
    source, result = (named[0] for named in (asker.story.builds(TOOL).source, asker.story.builds(TOOL).result))
    for key in (log_key(result, 12), log_key(result, 7), log_key(source, 3), f"logs/{result}/else"):
        asker.put(key)
    found = asker.ask(m.LogAsk(RUN, "setuptools"))
    assert isinstance(found, m.LogList)
    assert [(row.goal, row.fence) for row in found.logs] == [("source", 3), ("wheel", 7), ("wheel", 12)]
    assert all(asker.blobs.get_signed(row.url)[0] == 200 for row in found.logs)
    pbr, fence = asker.story.claim(asker.story.builds("pbr==7.1.3").source)
    running = asker.ask(m.LogAsk(RUN, "pbr"))
    assert running == m.LogList((m.LogRow("pbr==7.1.3", "source", pbr, fence, "claimed"),))


@pytest.mark.rule("daily-8")
def test_a_shell_gets_what_the_last_attempt_had():
    story = stevedore()
    story.prepare(TOOL)
    assert "has had an environment" in str(Asker(story).ask(m.ShellAsk(RUN, "setuptools")))
    build, plan = story.builds(TOOL).result
    story.append("target", TARGET, e.TargetDefined(TargetDefinition(TARGET, "", "", "", "", "", "", {}, ())), "agent-1")
    story.append("build", build, plan)
    story.append("build", build, e.EnvironmentLocked(1, (), "d", static=True))
    story.append("build", build, e.BuildQueued())
    fence = story.append("build", build, e.BuildClaimed(1, "i1", TARGET), "agent-1")
    story.append("build", build, e.BuildFailed(e.Failure("backend", "build_wheel", "boom"), fence), "agent-1")
    work = Asker(story).ask(m.ShellAsk(RUN, "setuptools"))
    assert isinstance(work, m.Work)
    assert work.build == build


@pytest.mark.rule("daily-13")
def test_garbage_is_named_before_it_goes(asker: Asker):
    asker.put("blobs/00/unknown/x.whl")
    asker.clock.at += 100_000
    told = asker.ask(m.Collect(dry_run=True))
    assert isinstance(told, m.Text)
    assert told.data["blobs"] == 1
    assert asker.ask(m.Collect()) == m.Text(
        ("forgot 0 runs", "removed 1 of 1 blobs, 0.0 MiB", "  blobs/00/unknown/x.whl (1 bytes)"),
        {"runs": [], "blobs": 1, "bytes": 1, "seen": 1, "dry_run": False},
    )
    assert asyncio.run(asker.blobs.head("blobs/00/unknown/x.whl")) is None


def test_idle_counts_from_the_end_of_all_work(asker: Asker):
    assert asker.ask(m.Idle()) == m.IdleAnswer(0.0)
    asker.story.finish()
    assert asker.ask(m.Idle()) == m.IdleAnswer(0.0)
    asker.clock.at += 30
    assert asker.ask(m.Idle()) == m.IdleAnswer(30.0)
    asker.busy = True
    assert asker.ask(m.Idle()) == m.IdleAnswer(0.0)


def test_agents_targets_and_whys_are_answered(asker: Asker):
    assert asker.ask(m.Agents()) == m.AgentList(())
    assert asker.ask(m.Targets()) == m.TargetList(())
    assert isinstance(asker.ask(m.WhyAsk(RUN, "setuptools")), m.Text)
    assert isinstance(asker.ask(m.ExplainAsk(RUN, "setuptools")), m.Text)


def test_a_standby_declines_what_only_the_leader_can_tell(asker: Asker):
    asker.leads = False
    for query in (m.ProgressAsk(RUN), m.ExplainAsk(RUN, TOOL), m.Runs()):
        assert asker.ask(query) == m.NotLeading()
    assert isinstance(asker.ask(m.WhyAsk(RUN, TOOL)), m.Text)
    assert isinstance(asker.ask(m.Ping()), m.Pong)


def test_that_nobody_offers_the_target_is_said_once_an_agent_would_have_been_heard(asker: Asker):
    found = asker.ask(m.ProgressAsk(RUN))
    assert isinstance(found, m.Progress)
    assert found.lacking == ()
    asker.clock.at += 60
    found = asker.ask(m.ProgressAsk(RUN))
    assert isinstance(found, m.Progress)
    assert [TARGET in told for told in found.lacking] == [True]
