"""The steps that run a source's backend: its build environment, and its wheel."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
from packaging.requirements import Requirement

from wheelfleet_shared.core.build import plan_build
from wheelfleet_shared.core.build_events import LockedFile
from wheelfleet_shared.core.event_base import FileRef
from wheelfleet_shared.core.expectation import check_expected
from wheelfleet_shared.core.messages import Download, Work
from wheelfleet_shared.core.targets import evaluate_marker
from wheelfleet_shared.core.wheel_check import read_build_tag, read_wheel_name
from wheelfleet_shared.names import IndexName

from ..adapters.build_folder import make_build_folder, remove_build_folder
from ..adapters.environment import make_environment, open_environment
from ..adapters.hooks import Backend
from ..adapters.index_lock import LockRules, WheelSource, bring_wheels, lock_wheels
from ..adapters.probe_host import probe_machine
from ..adapters.transfer import Transfer
from ..core.archive import extract
from ..core.hook_environment import BuildSystem
from ..core.lock_file import LockedWheel
from ..core.output import Remembering
from ..core.parallelism import parallel_jobs
from ..core.processes import Limits, LogSink
from ..core.pyproject import read_build_system
from ..core.step_files import EnvironmentState, SourceState
from ..core.unmet import unmet
from ..core.wheel_finish import finish_wheel
from .additions import additions
from .host import DISK_OF_BUILD, FILES_OF_BUILD, FREE_DISK, OPEN_FILES, Host, Interpreter
from .plugin_calls import Overridden, open_overridden
from .recipes import hook_settings_of
from .step import ENVIRONMENT, Step, environment_of, only, pack_step, source_of


async def prepare_build_step(step: Step, host: Host, wheels: WheelSource, log: LogSink) -> None:
    """A build environment with all that the source requires, of wheels from there alone, lies in the work folder.

    Raises InputError that lists what is missing there, HookFailed, HookStopped.
    """
    transfer = Transfer(host.folder / "cache")
    try:
        await _prepare_build(_Making(step, host, only(host), wheels, transfer), log)
    finally:
        await transfer.close()


async def build_wheel_step(step: Step, host: Host, log: LogSink) -> Path:
    """The wheel lies finished in ``wheels-repo/build``; its place. The network is not used.

    Raises InputError where an earlier step was not run; HookFailed, HookStopped; PolicyError for a wheel
    that is not what it should be.
    """
    source, state, remembering = source_of(step), environment_of(step, host), Remembering(log)
    step.places.built.mkdir(parents=True, exist_ok=True)
    work = _work(step, source, state, only(host))
    async with _open(step, host, source, remembering) as build:
        made = await build.made()
        unexpected = check_expected(step.recipe.expectation, read_wheel_name(made.wheel.name).tags, remembering.tail)
        if unexpected is not None:
            raise unexpected
        definition = only(host).definition
        added = {**made.files, **additions(made.wheel, work, made.recipe, state.hook, definition)}
        tag = read_build_tag(work.plan.build_tag + made.tag_suffix)
        return finish_wheel(made.wheel, step.node, tag, added, source.epoch, step.places.built).path


class _Making(NamedTuple):
    step: Step
    host: Host
    interpreter: Interpreter
    wheels: WheelSource
    transfer: Transfer


async def _prepare_build(making: _Making, log: LogSink) -> None:
    step = making.step
    tree = step.places.tree(step.node)
    source = source_of(step)
    requires = source.requires or read_build_system(tree / step.recipe.preparation.build_dir).requires
    static = _holding(requires, making.interpreter)
    locked = await _environment(making, static)
    async with _open(step, making.host, source, log) as build:
        hook = _holding(await build.requirements(), making.interpreter)
    installed = {wheel.name: wheel.version for wheel in locked}
    if unmet(hook, installed, making.interpreter.definition.marker_environment):
        locked = await _environment(making, (*static, *hook))
    folder = step.places.folder(step.node)
    state = EnvironmentState(static, hook, _files(locked))
    (folder / ENVIRONMENT).write_bytes(msgspec.json.encode(state))
    for kind, texts in (("system", static), ("backend", hook), ("sdist", hook)):
        lines = "".join(f"{text}\n" for text in sorted(set(texts)))
        (folder / f"build-{kind}-requirements.txt").write_text(lines)


async def _environment(making: _Making, requirements: Sequence[str]) -> tuple[LockedWheel, ...]:
    """The environment is new, of wheels that meet these requirements."""
    step, host, interpreter = making.step, making.host, making.interpreter
    tags = interpreter.definition.tags
    rules = LockRules(host.uv, interpreter.path, making.wheels, step.recipe.constraints, tags)
    locked = await lock_wheels(rules, requirements, host.folder / "locking")
    paths = await bring_wheels(locked, making.transfer)
    folder = step.places.environment(step.node, interpreter.definition)
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    await make_environment(host.uv, interpreter.path, paths, folder)
    return locked


@asynccontextmanager
async def _open(step: Step, host: Host, source: SourceState, log: LogSink) -> AsyncIterator[Overridden]:
    """The source as agents get it, unpacked from its sdist into a folder that is gone afterwards."""
    node, interpreter = step.node, only(host)
    root = Path(tempfile.mkdtemp(prefix="attempt-", dir=step.places.folder(node)))
    folder = make_build_folder(root / "build")
    try:
        sdist = root / "source.tar.gz"
        await asyncio.to_thread(pack_step, step, source, sdist)
        tree = (await asyncio.to_thread(extract, sdist, folder.build / "source")).root / step.recipe.build.build_dir
        system = read_build_system(tree)
        environment = open_environment(step.places.environment(node, interpreter.definition))
        declared = BuildSystem(system.backend, system.backend_path)
        settings = hook_settings_of(step.recipe.build, source.epoch, _jobs(step, host))
        backend = Backend(tree, declared, environment, folder, interpreter.equipment, _LIMITS, settings)
        yield await open_overridden(backend, step.recipe.build, node, log)
    finally:
        await remove_build_folder(folder)
        shutil.rmtree(root, ignore_errors=True)


_LIMITS = Limits(disk=DISK_OF_BUILD, free_disk=FREE_DISK, files=FILES_OF_BUILD, open_files=OPEN_FILES)


def _jobs(step: Step, host: Host) -> int:
    now = probe_machine(host.folder)
    return parallel_jobs(step.recipe.node.needs, step.jobs, now.cpus, now.cpus, now.memory_free)


def _work(step: Step, source: SourceState, state: EnvironmentState, interpreter: Interpreter) -> Work:
    """What an agent would be told of this build."""
    target = interpreter.definition.id
    archive = FileRef(source.file_name, source.sha256, 0)
    build, plan = plan_build(
        "wheel",
        IndexName(),
        step.node,
        target=target,
        host=target,
        source=archive,
        source_url="",
        expectation=step.recipe.expectation,
        recipe=step.recipe.node,
    )
    environment = tuple(Download(wheel.file, "", wheel.name, wheel.version) for wheel in state.wheels)
    files = {"build-system": state.static}
    return Work(build, 0, plan, target, Download(archive, ""), environment, epoch=source.epoch, requirement_files=files)


def _holding(requirements: Sequence[str], interpreter: Interpreter) -> tuple[str, ...]:
    """The requirements whose markers hold on the target, as stated."""
    markers = interpreter.definition.marker_environment
    return tuple(text for text in requirements if evaluate_marker(Requirement(text), markers, frozenset()))


def _files(locked: Sequence[LockedWheel]) -> tuple[LockedFile, ...]:
    return tuple(LockedFile(wheel.name, wheel.version, FileRef(wheel.file_name, wheel.sha256, 0)) for wheel in locked)
