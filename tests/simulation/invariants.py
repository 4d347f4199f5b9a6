"""What must hold after every event of the log, whatever went wrong: judged from the log alone."""

import asyncio
from collections.abc import Callable

from wheelfleet_coordinator.core.outputs import outputs
from wheelfleet_coordinator.core.world import World
from wheelfleet_shared.adapters.memory_log import MemoryStream
from wheelfleet_shared.core import codec
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import Build, Status
from wheelfleet_shared.core.envelope import Recorded
from wheelfleet_shared.core.file import FileStatus
from wheelfleet_shared.names import BuildId, FileId, RunId


class Broken(AssertionError):
    """An invariant does not hold."""


class Checker:
    """Folds every event as it is stored and keeps the first violation."""

    def __init__(self) -> None:
        self.world = World()
        self.accepted: dict[str, str] = {}
        self.cut_short: dict[BuildId, int] = {}
        self.stale = 0
        self.broken: list[str] = []

    def see(self, recorded: Recorded) -> None:
        event = recorded.event
        build = self.world.build(BuildId(recorded.aggregate.id))
        self._accepted_once(recorded)
        self.world.apply(recorded)
        after = self.world.build(BuildId(recorded.aggregate.id))
        aborted = after.status is not build.status and after.status is Status.ABORTED
        if aborted or after.generation > build.generation > 0:
            self.cut_short[after.id] = self.cut_short.get(after.id, 0) + 1
        if isinstance(event, e.BuildClaimed | e.EnvironmentLocked) and after.ignored == build.ignored:
            self._environment_published(recorded, after)
        if isinstance(event, e.BuildClaimed):
            self.require(after.ignored == build.ignored, f"{recorded.sequence}: a claim of what was not on offer")
        if recorded.aggregate.kind == "build":
            self._fenced(recorded, build, after)
        self._contents_hold()

    def require(self, holds: bool, what: str) -> None:
        if not holds:
            self.broken.append(what)

    def _accepted_once(self, recorded: Recorded) -> None:
        event = recorded.event
        if isinstance(event, e.Accepted):
            earlier = self.accepted.setdefault(recorded.aggregate.id, event.file.sha256)
            self.require(
                recorded.aggregate.id not in self.world.files, f"{recorded.sequence}: accepted twice, first {earlier}"
            )

    def _environment_published(self, recorded: Recorded, build: Build) -> None:
        published = {
            file.accepted.file.sha256
            for file in self.world.files.values()
            if file.status is FileStatus.PUBLISHED and file.accepted is not None
        }
        for locked in build.lock.files if build.lock is not None else ():
            self.require(
                locked.file.sha256 in published | self.world.gone,
                f"{recorded.sequence}: {type(recorded.event).__name__} with {locked.file.file_name} unpublished",
            )

    def _fenced(self, recorded: Recorded, before: Build, after: Build) -> None:
        fence = getattr(recorded.event, "fence", 0)
        if not fence or fence == before.fence or isinstance(recorded.event, e.AttemptSuperseded):
            return
        self.stale += 1
        self.require(
            _without_counts(before) == _without_counts(after),
            f"{recorded.sequence}: {type(recorded.event).__name__} of fence {fence} moved {before.status}"
            f" (fence {before.fence}) to {after.status}",
        )

    def _contents_hold(self) -> None:
        for file, sha256 in self.accepted.items():
            held = self.world.files[FileId(file)].accepted if FileId(file) in self.world.files else None
            if held is not None and held.file.sha256 != sha256:
                self.require(False, f"{file} means other bytes than at first")


def _without_counts(build: Build) -> tuple[object, ...]:
    return tuple(getattr(build, name) for name in build.__struct_fields__ if name not in {"last", "ignored"})


class WatchedStream(MemoryStream):
    """A stream that shows each message to a checker as it is stored."""

    def __init__(self, checker: Checker) -> None:
        super().__init__()
        self._checker = checker

    def put(self, subject: str, data: bytes) -> int:
        sequence = super().put(subject, data)
        recorded = codec.recorded(sequence, subject, data)
        if recorded is not None:
            self._checker.see(recorded)
        return sequence


def folded(stream: MemoryStream, until: int) -> World:
    """A world made anew from the bytes of the log."""
    world = World()
    for sequence, (subject, data) in enumerate(stream.messages[:until], 1):
        recorded = codec.recorded(sequence, subject, data)
        if recorded is not None:
            world.apply(recorded)
    return world


def require_equal(live: World, stream: MemoryStream) -> None:
    """The live world is what a fold from scratch of the same prefix gives, and tells the same of each run."""
    fresh = folded(stream, live.through)
    for name in ("builds", "files", "runs", "sources", "agents", "targets", "pages", "lasts", "revisions", "ignored"):
        if getattr(live, name) != getattr(fresh, name):
            raise Broken(f"replay up to {live.through} gives other {name}")
    for run in live.runs:
        if live.runs[run].submitted is not None and outputs(live, run) != outputs(fresh, run):
            raise Broken(f"replay up to {live.through} gives other outputs of {run}")


async def until(holds: Callable[[], bool], limit: float, what: Callable[[], str]) -> None:
    """Returns once it holds; raises Broken after ``limit`` virtual seconds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + limit
    while not holds():
        if loop.time() > end:
            raise Broken(what())
        await asyncio.sleep(1.0)


def unfinished(world: World) -> str:
    """What stands still, in words."""
    runs = [RunId(run) for run, state in world.runs.items() if state.finished is None]
    builds = [
        f"{build.plan.node if build.plan else build.id} {build.plan.goal if build.plan else ''} {build.status}"
        for build in world.builds.values()
        if not build.ended
    ]
    return f"runs {runs} do not end; open builds: {builds}"
