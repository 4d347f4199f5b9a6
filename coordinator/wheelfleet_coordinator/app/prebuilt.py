"""Wheels that the user marked as built elsewhere, checked and published as our own are."""

import asyncio
import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.core.keys import blob_key, metadata_key, source_key
from wheelfleet_shared.errors import PolicyError
from wheelfleet_shared.names import Sha256
from wheelfleet_shared.ports import Blobs

from ..core import decisions, ending_decisions
from ..core.instructions import AcceptPrebuilt
from ..core.world import World
from .accepting import accept
from .committer import Committer
from .wheel_files import WheelContents, read_wheel

_WHEEL_TYPE: Final = "application/octet-stream"
_METADATA_TYPE: Final = "text/plain; charset=utf-8"


class PrebuiltAccepter:
    """Carries out ``AcceptPrebuilt``. The file was fetched before, so its bytes are pinned by their sha256."""

    def __init__(self, world: World, committer: Committer, blobs: Blobs) -> None:
        self._world = world
        self._committer = committer
        self._blobs = blobs

    async def accept(self, instruction: AcceptPrebuilt) -> tuple[e.Event, ...]:
        """Publish the wheel and end its build, or end it with what is wrong with the wheel."""
        aggregate = decisions.build_aggregate(instruction.build)
        try:
            file = await self._publish(instruction)
        except PolicyError as error:
            fault = error
            return await self._committer.commit(
                aggregate, lambda world: ending_decisions.refuse_prebuilt(world, instruction, fault)
            )
        return await self._committer.commit(
            aggregate, lambda world: ending_decisions.take_over(world, instruction, file)
        )

    async def _publish(self, instruction: AcceptPrebuilt) -> e.FileRef:
        plan = instruction.plan
        contents, file = await self._stored(plan)
        event: e.PrebuiltAccepted | e.WheelTakenOver = _accepted(instruction, contents, file)
        submitted = self._world.runs[instruction.run].submitted
        if submitted is not None and submitted.options.imports and contents.lists is not None:
            event = _taken_over(_accepted(instruction, contents, file), contents.lists)
        name = await accept(self._world, self._committer, event)
        held = name.accepted
        if held is None or held.file.sha256 != file.sha256:
            raise PolicyError(
                f"{file.file_name} is already published with other bytes",
                "withdraw it, or use another collection or variant",
            )
        await self._committer.commit(Aggregate("file", name.id), lambda world: decisions.publish(world, name.id))
        return file

    async def _stored(self, plan: e.BuildPlanned) -> tuple[WheelContents, e.FileRef]:
        """The wheel is in the place of wheels, its metadata beside it."""
        data = await self._blobs.get(source_key(plan.source.sha256, plan.source.file_name))
        file = e.FileRef(plan.source.file_name, plan.source.sha256, len(data))
        with tempfile.TemporaryDirectory(prefix="wheelfleet-prebuilt-") as folder:
            path = Path(folder) / file.file_name
            await asyncio.to_thread(path.write_bytes, data)
            contents = await asyncio.to_thread(read_wheel, path, plan.node)
            key = blob_key(file.sha256, file.file_name)
            await self._blobs.put_file(key, path, _WHEEL_TYPE)
        await self._blobs.put(metadata_key(key), contents.metadata, _METADATA_TYPE)
        return contents, file


def _taken_over(event: e.PrebuiltAccepted, lists: Mapping[str, tuple[str, ...]]) -> e.WheelTakenOver:
    """The same, of a wheel that may serve builds too, since it tells what it took to build it."""
    return e.WheelTakenOver(
        **msgspec.structs.asdict(event), build_system=lists["system"], build_backend=lists["backend"]
    )


def _accepted(instruction: AcceptPrebuilt, contents: WheelContents, file: e.FileRef) -> e.PrebuiltAccepted:
    plan, facts = instruction.plan, contents.facts
    return e.PrebuiltAccepted(
        index=plan.index,
        build=instruction.build,
        key=plan.key,
        node=plan.node,
        file=file,
        metadata_sha256=Sha256(hashlib.sha256(contents.metadata).hexdigest()),
        origin=plan.source_url,
        requires_dist=facts.requires_dist,
        requires_python=facts.requires_python,
        provides_extra=facts.provides_extra,
    )
