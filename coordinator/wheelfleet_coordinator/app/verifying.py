"""Uploads verified and published: the coordinator believes nothing that an agent says of a file."""

from typing import Final

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import Build, Status
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.core.file import FileStatus, WheelFile
from wheelfleet_shared.core.keys import blob_key, metadata_key, source_key
from wheelfleet_shared.core.wheel_check import WheelFacts
from wheelfleet_shared.errors import BlobMissing, PolicyError
from wheelfleet_shared.names import Sha256
from wheelfleet_shared.ports import Blobs

from ..core import decisions
from ..core.instructions import Verify
from ..core.remote_zip import TAIL, Missing, Window, read_members
from ..core.wheel_verdict import judge_wheel, verdict_on
from ..core.world import World
from .accepting import accept
from .committer import Committer

_METADATA_TYPE: Final = "text/plain; charset=utf-8"
_LOST: Final = "the store lost it before it was published"


class Verifier:
    """Carries out ``Verify``: each step is decided in the log before the next, so it can stop anywhere."""

    def __init__(self, world: World, committer: Committer, blobs: Blobs) -> None:
        self._world = world
        self._committer = committer
        self._blobs = blobs

    async def verify(self, instruction: Verify) -> tuple[e.Event, ...]:
        """Check what was uploaded, publish it, and end the build; what was appended last."""
        build = self._world.build(instruction.build)
        if build.status is not Status.BUILT or build.plan is None:
            return ()
        match build.plan.goal:
            case "source":
                return await self._source(build)
            case "metadata":
                return await self._conclude(build, e.BuildSucceeded())
            case "wheel":
                return await self._wheel(build, build.plan)

    async def _conclude(self, build: Build, event: e.BuildEvent) -> tuple[e.Event, ...]:
        return await self._committer.commit(
            decisions.build_aggregate(build.id),
            lambda world: decisions.conclude(world, build.id, build.fence, event),
        )

    async def _source(self, build: Build) -> tuple[e.Event, ...]:
        sdist = build.source.sdist if build.source is not None else None
        if sdist is None or not await self._is_stored(source_key(sdist.sha256, sdist.file_name), sdist):
            return await self._conclude(build, e.AttemptAborted(build.fence, "upload", "the sdist is not in the store"))
        return await self._conclude(build, e.BuildSucceeded())

    async def _is_stored(self, key: str, file: e.FileRef) -> bool:
        held = await self._blobs.head(key)
        return held is not None and held.size == file.size

    async def _wheel(self, build: Build, plan: e.BuildPlanned) -> tuple[e.Event, ...]:
        built = build.wheel
        if built is None:
            return ()
        key = blob_key(built.wheel.sha256, built.wheel.file_name)
        window = await self._end_of(key, built.wheel)
        if window is None:
            return await self._conclude(build, e.AttemptAborted(build.fence, "upload", "the wheel is not in the store"))
        try:
            facts, metadata = await self._facts(key, window, plan, built.wheel)
        except PolicyError as error:
            return await self._refuse(build, error.what, error.next_step)
        file = await self._take_name(build, plan, _accepted(build, plan, built.wheel, facts))
        if decisions.is_rebuilt(file, build):
            # The published bytes stay; whoever asked to build anew gets the others beside them.
            return await self._conclude(build, e.BuildSucceeded())
        if not decisions.holds(file, build):
            return await self._refuse_taken(build, built.wheel, file.accepted)
        if file.status is FileStatus.ACCEPTED:
            await self._blobs.put(metadata_key(key), metadata, _METADATA_TYPE)
            await self._committer.commit(Aggregate("file", file.id), lambda world: decisions.publish(world, file.id))
        return await self._conclude(build, verdict_on(plan, built.wheel.file_name))

    async def _take_name(self, build: Build, plan: e.BuildPlanned, accepted: e.WheelAccepted) -> WheelFile:
        """What the wheel's name means now: its bytes, or published ones that this build may not replace."""
        while True:
            await self._settle(build, plan, accepted.file)
            await self._make_room(build, plan, accepted.file)
            file = await accept(self._world, self._committer, accepted)
            # Another build may have come between: its wheel is published first, then judged.
            if not decisions.is_left_half_way(file, build) and not decisions.replace(self._world, build.id, file):
                return file

    async def _settle(self, build: Build, plan: e.BuildPlanned, wheel: e.FileRef) -> None:
        """Where the wheel's name was given to other bytes, these are published now, or lost.

        Whoever had them accepted may never come back, and until then the name can be judged by nobody.
        """
        file = self._world.file(plan.index, wheel.file_name)
        if file.accepted is None or not decisions.is_left_half_way(file, build):
            return
        held = file.accepted.file
        key = blob_key(held.sha256, held.file_name)
        window = await self._end_of(key, held)
        if window is not None:
            _, metadata = await self._facts(key, window, plan, held)
            await self._blobs.put(metadata_key(key), metadata, _METADATA_TYPE)

        def decide(world: World) -> tuple[e.Event, ...]:
            return decisions.lose(world, file.id, _LOST) if window is None else decisions.publish(world, file.id)

        await self._committer.commit(Aggregate("file", file.id), decide)

    async def _make_room(self, build: Build, plan: e.BuildPlanned, wheel: e.FileRef) -> None:
        """Where a run asked to replace what has the wheel's name, that is withdrawn; the next revision is open."""
        file = self._world.file(plan.index, wheel.file_name)
        await self._committer.commit(
            Aggregate("file", file.id),
            lambda world: decisions.replace(world, build.id, world.files.get(file.id) or file),
        )

    async def _refuse(self, build: Build, line: str, hint: str) -> tuple[e.Event, ...]:
        return await self._conclude(build, e.BuildFailed(e.Failure("policy", "verify", line, hint=hint)))

    async def _refuse_taken(self, build: Build, wheel: e.FileRef, held: e.Accepted | None) -> tuple[e.Event, ...]:
        other = f"{held.file.sha256} (build {held.build})" if held is not None else "other bytes"
        return await self._refuse(
            build,
            f"{wheel.file_name} is already published as {other}; this build made {wheel.sha256}",
            "add a changelog line for a new build tag, give --replace, or build into another collection",
        )

    async def _end_of(self, key: str, wheel: e.FileRef) -> Window | None:
        """The wheel's last bytes; None where the store has no such wheel, or one of another size.

        One byte too many is asked for, which tells the size as well as a request for it would.
        """
        start = max(0, wheel.size - TAIL)
        try:
            data = await self._blobs.get_range(key, start, wheel.size - start + 1)
        except BlobMissing:
            return None
        window = Window(wheel.size)
        window.add(start, data)
        return window if len(data) == wheel.size - start else None

    async def _facts(
        self, key: str, window: Window, plan: e.BuildPlanned, wheel: e.FileRef
    ) -> tuple[WheelFacts, bytes]:
        """What the wheel says of itself, read by ranges, and its METADATA. Raises PolicyError for all lies."""
        while True:
            try:
                members, contents = read_members(window, _is_metadata)
            except Missing as missing:
                window.add(missing.start, await self._blobs.get_range(key, missing.start, missing.length))
                continue
            return judge_wheel(plan, wheel.file_name, members, contents)


def _is_metadata(name: str) -> bool:
    folder, _, rest = name.partition("/")
    return folder.endswith(".dist-info") and rest in {"METADATA", "WHEEL", "RECORD"}


def _accepted(build: Build, plan: e.BuildPlanned, wheel: e.FileRef, facts: WheelFacts) -> e.WheelAccepted:
    return e.WheelAccepted(
        index=plan.index,
        build=build.id,
        key=plan.key,
        node=plan.node,
        file=wheel,
        metadata_sha256=Sha256(facts.metadata_sha256),
        requires_dist=facts.requires_dist,
        requires_python=facts.requires_python,
        provides_extra=facts.provides_extra,
        payload=build.wheel.payload if build.wheel is not None else "",
    )
