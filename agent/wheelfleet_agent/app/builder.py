"""One attempt on this host: sources prepared, environments made, hooks run, wheels finished."""

import asyncio
import shutil
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.expectation import check_expected
from wheelfleet_shared.core.messages import Work
from wheelfleet_shared.core.plugins import HooksRecipe
from wheelfleet_shared.core.recipe import BuildRecipe, PreparationRecipe
from wheelfleet_shared.core.wheel_check import read_build_tag, read_wheel_name
from wheelfleet_shared.core.wheel_metadata import read_metadata
from wheelfleet_shared.errors import BackendError, InputError, PolicyError, SourceError, WheelfleetError
from wheelfleet_shared.names import Sha256
from wheelfleet_shared.ports import Clock

from ..adapters.build_folder import BuildFolder, make_build_folder, remove_build_folder
from ..adapters.bytecode import Bytecode
from ..adapters.environment import Environment, make_environment
from ..adapters.hooks import Backend, prepare_metadata
from ..adapters.plugin_process import PluginPlace
from ..adapters.prepared_trees import LARGEST_TREE, keep_tree, take_tree
from ..adapters.probe_host import probe_machine
from ..adapters.shared_environments import Locked, SharedEnvironments
from ..adapters.transfer import Transfer
from ..core.archive import extract
from ..core.failure import failure_of
from ..core.hook_answers import HookStopped
from ..core.hook_environment import BuildSystem
from ..core.output import Remembering
from ..core.parallelism import parallel_jobs
from ..core.processes import Usage
from ..core.pyproject import read_build_system
from ..core.sandbox_plan import Level
from ..core.unmet import unmet
from ..core.wheel_finish import finish_wheel
from .additions import additions
from .attempt import file_ref
from .host import Host, Interpreter, limits_of
from .plugin_calls import MadeWheel, Overridden, open_overridden
from .ports import AttemptEnded, LogSink, Result, Upload
from .preparing import bare_place, prepare
from .recipes import fetch_recipe, hook_settings_of
from .wheel_hooks import call_hooks

_KINDS: dict[type[WheelfleetError], e.FailureKind] = {
    SourceError: "source",
    InputError: "source",
    BackendError: "backend",
    PolicyError: "policy",
}
_METADATA_LIMIT = 1 << 20


class _Spent(NamedTuple):
    """What an attempt cost so far: the monotonic second at which it began, and the usage of each hook."""

    started: float
    hooks: tuple[Usage, ...] = ()

    def until(self, now: float) -> e.Resources:
        """All of it, for the log. The CPU is that of the hooks, the memory that of the largest process of any."""
        cpu = sum(hook.cpu for hook in self.hooks)
        memory = max((hook.memory for hook in self.hooks), default=0)
        return e.Resources(now - self.started, round(cpu, 3), memory, len(self.hooks))


class _Attempt(NamedTuple):
    """One attempt under way. held: what is let go when it ends."""

    work: Work
    folder: BuildFolder
    interpreter: Interpreter
    log: LogSink
    upload: Upload
    phase: Callable[[str], None]
    held: AsyncExitStack


class HostBuilder:
    """ports.Builder over the real host. Each attempt has a folder of its own, gone when it ends.

    cores: inside one build, where the run does not say.
    """

    def __init__(self, host: Host, transfer: Transfer, cores: int, clock: Clock) -> None:
        self._host = host
        self._clock = clock
        self._cores = cores
        self._transfer = transfer
        self._trees = host.folder / "trees"
        shared = host.sandbox.level is not Level.NONE
        self._environments = SharedEnvironments(host.folder / "environments", host.uv) if shared else None
        self._bytecode = {
            target: Bytecode(host.folder / "bytecode" / target, host.uv.link_mode) for target in host.interpreters
        }

    async def carry_out(self, work: Work, phase: Callable[[str], None], log: LogSink, upload: Upload) -> Result:
        """The attempt's result; see ports.Builder."""
        interpreter = self._host.interpreters.get(work.target)
        if interpreter is None:
            raise AttemptEnded("lost", f"this agent does not offer {work.target} any more")
        folder = make_build_folder(self._host.folder / "attempts" / f"{work.build}-{work.fence}")
        try:
            async with AsyncExitStack() as held:
                return await self._goal(_Attempt(work, folder, interpreter, log, upload, phase, held))
        except HookStopped as stopped:
            raise AttemptEnded(stopped.kind, stopped.what) from stopped
        except tuple(_KINDS) as error:
            kind = next(name for party, name in _KINDS.items() if isinstance(error, party))
            log.write(f"{error}\n".encode())
            failure = failure_of(error, kind, work.plan.goal, work.plan.node.name)
            return e.BuildFailed(failure, work.fence)
        finally:
            await remove_build_folder(folder)

    async def _goal(self, attempt: _Attempt) -> Result:
        match attempt.work.plan.goal:
            case "source":
                return await self._source(attempt)
            case "metadata":
                return await self._metadata(attempt)
            case "wheel":
                return await self._wheel(attempt)

    async def _source(self, attempt: _Attempt) -> e.SourcePrepared:
        work = attempt.work
        attempt.phase("fetch")
        archive = await self._transfer.fetch(work.sdist)
        place = bare_place(attempt.folder, attempt.interpreter.equipment, limits_of(work), self._cores)
        if work.hooks is not None:
            return await self._prebuilt(attempt, archive, place)
        recipe = await fetch_recipe(self._transfer, work.preparation, PreparationRecipe)
        attempt.phase("prepare")
        prepared = await prepare(archive, work.plan.node, recipe, place, attempt.log)
        sdist = e.FileRef(prepared.sdist.name, prepared.sha256, prepared.size)
        attempt.phase("upload")
        await attempt.upload(prepared.sdist, sdist, "sdist")
        if not prepared.touched and recipe.plugin is None and prepared.size <= LARGEST_TREE:
            top = prepared.sdist.name.removesuffix(".tar.gz")
            await asyncio.to_thread(keep_tree, self._trees, sdist.sha256, prepared.tree, top, prepared.epoch)
        system = prepared.build_system
        return e.SourcePrepared(work.fence, sdist, prepared.epoch, system.requires, system.backend)

    async def _prebuilt(self, attempt: _Attempt, wheel: Path, place: PluginPlace) -> e.SourcePrepared:
        """The wheel was made elsewhere, and is in the store already; all that is done is to call hooks."""
        work = attempt.work
        hooks = await fetch_recipe(self._transfer, work.hooks, HooksRecipe)
        attempt.phase("hooks")
        await call_hooks(hooks, work.plan.node, wheel, None, place, attempt.log)
        return e.SourcePrepared(work.fence, work.sdist.file, 0, (), "")

    async def _recipe(self, attempt: _Attempt) -> BuildRecipe:
        return await fetch_recipe(self._transfer, attempt.work.recipe, BuildRecipe)

    async def _backend(self, attempt: _Attempt, recipe: BuildRecipe) -> Backend:
        """The source unpacked and its locked environment made, ready to be asked."""
        work, folder = attempt.work, attempt.folder
        attempt.phase("fetch")
        sdist, *wheels = await asyncio.gather(*(self._transfer.fetch(item) for item in (work.sdist, *work.environment)))
        attempt.phase("environment")
        environment = await self._environment(attempt, wheels)
        installed = {item.file.sha256: item.name for item in work.environment}
        equipment = attempt.interpreter.equipment
        bytecode = self._bytecode[work.target]
        await bytecode.add(environment, installed, folder, equipment.sandbox, equipment.prefix)
        tree = await asyncio.to_thread(self._unpacked, work.sdist.file.sha256, sdist, folder.build / "source")
        tree /= recipe.build_dir
        system = read_build_system(tree)
        return Backend(
            tree,
            BuildSystem(system.backend, system.backend_path),
            environment,
            folder,
            equipment,
            limits_of(work),
            hook_settings_of(recipe, work.epoch, self._jobs(work)),
        )

    async def _environment(self, attempt: _Attempt, wheels: list[Path]) -> Environment:
        """The locked environment: one that builds share where they cannot write to it, else this build's own."""
        python = attempt.interpreter.path
        if self._environments is None:
            return await make_environment(self._host.uv, python, wheels, attempt.folder.root / "environment")
        digests = (item.file.sha256 for item in attempt.work.environment)
        locked = Locked(python, tuple(zip(digests, wheels, strict=True)))
        return await attempt.held.enter_async_context(self._environments.lease(locked))

    def _jobs(self, work: Work) -> int:
        """Parallel jobs inside this build, as the host stands now."""
        now = probe_machine(self._host.folder)
        return parallel_jobs(work.plan.needs, work.cores, self._cores, now.cpus, now.memory_free)

    def _unpacked(self, sha256: Sha256, sdist: Path, destination: Path) -> Path:
        """The source's top folder, in the new destination."""
        return take_tree(self._trees, sha256, destination) or extract(sdist, destination).root

    async def _requirements(self, attempt: _Attempt, build: Overridden) -> tuple[tuple[str, ...], bool]:
        """What the backend wants beyond the static requirements; whether the environment lacks any."""
        work = attempt.work
        if work.requirements is not None:
            return work.requirements, False
        attempt.phase("get_requires_for_build_wheel")
        requirements = await build.requirements()
        installed = {wheel.name: wheel.version for wheel in work.environment}
        markers = attempt.interpreter.definition.marker_environment
        return requirements, work.static and bool(unmet(requirements, installed, markers))

    async def _wheel(self, attempt: _Attempt) -> Result:
        started = self._clock.monotonic()
        recipe = await self._recipe(attempt)
        backend, log = await self._backend(attempt, recipe), Remembering(attempt.log)
        build = await open_overridden(backend, recipe, attempt.work.plan.node, log)
        requirements, blocked = await self._requirements(attempt, build)
        if blocked:
            return e.BuildBlocked(attempt.work.fence, requirements)
        attempt.phase("build_wheel")
        made = await build.made()
        _check_expected(attempt.work, made.wheel.name, log.tail)
        return await self._finish(attempt, build, made, requirements, started)

    async def _finish(
        self, attempt: _Attempt, build: Overridden, made: MadeWheel, requirements: tuple[str, ...], started: float
    ) -> Result:
        work, plan = attempt.work, attempt.work.plan
        attempt.phase("finish")
        definition = attempt.interpreter.definition
        added = await asyncio.to_thread(additions, made.wheel, work, made.recipe, requirements, definition)
        tag = read_build_tag(plan.build_tag + made.tag_suffix)
        added, folder = {**made.files, **added}, attempt.folder.finished
        finished = await asyncio.to_thread(finish_wheel, made.wheel, plan.node, tag, added, work.epoch, folder)
        called = await self._call_hooks(attempt, build, finished.path, made.sdist)
        spent = _Spent(started, (*build.used, *called))
        wheel = e.FileRef(finished.path.name, finished.sha256, finished.size)
        attempt.phase("upload")
        await attempt.upload(finished.path, wheel, "wheel")
        sdist = await self._upload_sdist(attempt, made.sdist)
        return e.WheelBuilt(
            work.fence,
            wheel,
            finished.payload,
            requirements,
            toolchain=self._host.toolchain.digest,
            sandbox=str(self._host.sandbox.level),
            resources=spent.until(self._clock.monotonic()),
            sdist=sdist,
        )

    async def _upload_sdist(self, attempt: _Attempt, made: Path | None) -> e.FileRef | None:
        """The sdist of a plugin is stored; it is copied out of the sandbox's reach before it is read."""
        if made is None:
            return None
        path = await asyncio.to_thread(shutil.copyfile, made, attempt.folder.finished / made.name)
        sdist = await asyncio.to_thread(file_ref, path)
        await attempt.upload(path, sdist, "sdist")
        return sdist

    async def _call_hooks(
        self, attempt: _Attempt, build: Overridden, wheel: Path, sdist: Path | None
    ) -> tuple[Usage, ...]:
        """The hooks were called with the wheel that will be published; what they used."""
        if attempt.work.hooks is None:
            return ()
        hooks = await fetch_recipe(self._transfer, attempt.work.hooks, HooksRecipe)
        from_ = sdist or await self._transfer.fetch(attempt.work.sdist)
        attempt.phase("hooks")
        return await call_hooks(hooks, attempt.work.plan.node, wheel, from_, build.place, attempt.log)

    async def _metadata(self, attempt: _Attempt) -> Result:
        started = self._clock.monotonic()
        recipe = await self._recipe(attempt)
        backend = await self._backend(attempt, recipe)
        build = await open_overridden(backend, recipe, attempt.work.plan.node, attempt.log)
        requirements, blocked = await self._requirements(attempt, build)
        if blocked:
            return e.BuildBlocked(attempt.work.fence, requirements)
        attempt.phase("prepare_metadata_for_build_wheel")
        folder, used = await prepare_metadata(build.backend, attempt.log)
        with (folder / "METADATA").open("rb") as stream:
            core, faults = read_metadata(stream.read(_METADATA_LIMIT))
        if faults:
            raise PolicyError("; ".join(faults), "report it to the maintainers of the distribution")
        requires_dist = await build.install_requirements(core.requires_dist)
        resources = _Spent(started, (*build.used, used)).until(self._clock.monotonic())
        return e.MetadataPrepared(
            attempt.work.fence, requires_dist, core.requires_python, core.provides_extra, requirements, resources
        )


def _check_expected(work: Work, file_name: str, log_tail: tuple[str, ...]) -> None:
    """Raises PolicyError where a native wheel was expected and a pure one came out, with what the log says of why."""
    unexpected = check_expected(work.plan.expectation, read_wheel_name(file_name).tags, log_tail)
    if unexpected is not None:
        raise unexpected
