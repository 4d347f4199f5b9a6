"""Faults that are tried again are told to the run that they hold up."""

import asyncio
import itertools

import pytest

from story import RUN, Story, edge
from wheelfleet_coordinator.app.executor import Executor
from wheelfleet_coordinator.core.instructions import Fetch, Finish, Resolve
from wheelfleet_coordinator.core.troubles import troubles_of
from wheelfleet_coordinator.core.walk import Walk
from wheelfleet_shared.errors import InfrastructureError
from wheelfleet_shared.names import GraphId, RunId, SourceId, graph_id

OTHER = RunId("other")


def test_a_trouble_is_told_to_its_run_and_once() -> None:
    story = Story()
    story.submit("a")
    story.resolve("", "toplevel", edge("toplevel", "a==1", "a"))
    graph = graph_id(RUN, story.targets[0])
    troubles = {
        Resolve(graph, None, "toplevel", (), ("a",)): "the index is away",
        Resolve(graph, None, "install", (), ("a",)): "the index is away",
        Resolve(GraphId("unknown"), None, "toplevel", (), ()): "of another run",
        Finish(OTHER, "failed", 0, 1): "of another run",
        Fetch(SourceId("s"), "u", "f", ""): "a file cannot be had",
    }
    found = troubles_of(story.world, Walk(story.world), RUN, troubles)
    assert found == ("the index is away", "a file cannot be had")


def test_the_executor_tells_what_it_tries_again_until_it_is_done() -> None:
    async def main() -> None:
        seen = []

        async def carry_out(_: object) -> bool:
            seen.append(dict(executor.troubles))
            if len(seen) == 1:
                raise InfrastructureError("the index is away")
            return True

        executor = Executor(carry_out, lambda _: None)
        instruction = Finish(OTHER, "failed", 0, 1)
        executor.start([instruction])
        while executor.busy:
            await asyncio.sleep(0.01)
        assert seen == [{}, {instruction: "the index is away"}]
        assert executor.troubles == {}

    asyncio.run(main())


def test_what_fails_for_long_is_looked_at_again_since_its_run_may_have_been_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("wheelfleet_coordinator.app.executor._FIRST_PAUSE", 0.001)
    monkeypatch.setattr("wheelfleet_coordinator.app.executor._LONGEST_PAUSE", 0.004)
    monkeypatch.setattr("wheelfleet_coordinator.app.executor._UNMOVED_PAUSE", 0.001)

    async def main() -> None:
        tries, looks = itertools.count(1), []

        async def carry_out(_: object) -> bool:
            next(tries)
            raise InfrastructureError("the file cannot be had")

        executor = Executor(carry_out, looks.append)
        instruction = Fetch(SourceId("s"), "u", "f", "")
        executor.start([instruction])
        while executor.busy:
            await asyncio.sleep(0.001)
        assert (looks, next(tries)) == ([instruction], 3)
        assert executor.troubles == {}

    asyncio.run(main())
