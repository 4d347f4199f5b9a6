"""PEP 517 hooks, each run in the sandbox, in the locked environment.

pyproject-hooks knows how a hook is asked and what its answer means, but runs it synchronously. So it
is called twice: once to learn what would be run, once to hear what the answer means; between the two
the hook runs under asyncio, where it can be cancelled.
"""

import itertools
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from pyproject_hooks import BackendUnavailable, BuildBackendHookCaller, HookMissing, UnsupportedOperation

from wheelfleet_shared.errors import SourceError

from ..core.hook_answers import (
    LONGEST_ANSWER,
    HookFailed,
    HookName,
    check_finished,
    clean_answer,
    name_of,
    nonsense,
    requirements_of,
)
from ..core.hook_environment import BuildSystem, HookSettings, Places, hook_environment
from ..core.processes import Limits, LogSink, Usage
from ..core.sandbox_plan import Confinement, Mount, Sandbox, confine, inside
from .build_folder import BuildFolder
from .environment import Environment
from .run_process import run
from .toolchain import Toolchain

_Runner = Callable[..., None]
_Hook = Callable[[BuildBackendHookCaller], Any]


class Equipment(NamedTuple):
    """What an agent brings to every build of one interpreter; ``prefix`` is the interpreter's installation."""

    sandbox: Sandbox
    toolchain: Toolchain
    prefix: Path


class Backend(NamedTuple):
    """A source's backend, ready to be asked. tree: the source, in ``folder.build``."""

    tree: Path
    system: BuildSystem
    environment: Environment
    folder: BuildFolder
    equipment: Equipment
    limits: Limits
    settings: HookSettings


class _Question(NamedTuple):
    """How pyproject-hooks would run a hook. input: the bytes of input.json."""

    script: Path
    input: bytes
    variables: dict[str, str]


class _Asked(Exception):
    """Carries a question out of a call that would run it."""

    def __init__(self, question: _Question) -> None:
        super().__init__()
        self.question = question


def surroundings(backend: Backend) -> tuple[tuple[Mount, ...], dict[str, str]]:
    """What the hooks of this backend see beside the folders of their build, and all their variables."""

    def seen(path: Path) -> Path:
        return inside(backend.equipment.sandbox, _mounts(backend), path)

    return _brought(backend), hook_environment(backend.settings, _places(backend, seen))


def bare_surroundings(
    folder: BuildFolder, equipment: Equipment, settings: HookSettings
) -> tuple[tuple[Mount, ...], dict[str, str]]:
    """The same where there is no environment: no Python is on PATH."""
    brought = _tools(equipment)

    def seen(path: Path) -> Path:
        return inside(equipment.sandbox, (*folder.mounts(), *brought), path)

    places = Places((seen(equipment.toolchain.folder),), seen(folder.build), seen(folder.home), seen(folder.temporary))
    return brought, hook_environment(settings, places)


async def ask_build_requirements(backend: Backend, log: LogSink) -> tuple[tuple[str, ...], Usage]:
    """The requirements that the backend wants beyond the static ones, in its order; what the hook used.

    Raises HookFailed, HookStopped; SourceError for a backend-path outside the source.
    """
    phase: HookName = "get_requires_for_build_wheel"
    settings = backend.settings.config_settings
    answer, used = await _call(backend, phase, lambda caller: caller.get_requires_for_build_wheel(settings), log)
    return requirements_of(phase, answer), used


async def prepare_metadata(backend: Backend, log: LogSink) -> tuple[Path, Usage]:
    """The ``.dist-info`` folder that the wheel would have, holding a file METADATA; what the hook used.

    A backend without that hook builds a wheel for it. Raises as ``ask_build_requirements``.
    """
    phase: HookName = "prepare_metadata_for_build_wheel"
    outside, seen = _new_result(backend, "metadata")
    settings = backend.settings.config_settings
    answer, used = await _call(
        backend, phase, lambda caller: caller.prepare_metadata_for_build_wheel(seen, settings), log
    )
    folder = outside / name_of(phase, answer, ".dist-info")
    _require(phase, {outside: stat.S_ISDIR, folder: stat.S_ISDIR, folder / "METADATA": stat.S_ISREG})
    return folder, used


async def build_wheel(backend: Backend, log: LogSink) -> tuple[Path, Usage]:
    """The wheel that the backend built, a regular file of that name, contents unchecked; what the hook used.

    Raises as ``ask_build_requirements``.
    """
    phase: HookName = "build_wheel"
    outside, seen = _new_result(backend, "wheel")
    settings = backend.settings.config_settings
    answer, used = await _call(backend, phase, lambda caller: caller.build_wheel(seen, settings), log)
    wheel = outside / name_of(phase, answer, ".whl")
    _require(phase, {outside: stat.S_ISDIR, wheel: stat.S_ISREG})
    return wheel, used


async def _call(backend: Backend, phase: HookName, hook: _Hook, log: LogSink) -> tuple[object, Usage]:
    question = _learn(backend, hook)
    control = _new_folder(backend.folder.root, "control")
    (control / "input.json").write_bytes(question.input)
    mounts = (*_mounts(backend), Mount(control, Path("/control"), writable=True))
    script = Mount(question.script, Path("/hook.py"))
    confinement = Confinement((*mounts, script), backend.limits, backend.settings.network)
    sandbox = backend.equipment.sandbox

    def seen(path: Path) -> Path:
        return inside(sandbox, confinement.mounts, path)

    argv = [str(path) for path in (seen(backend.environment.python), seen(question.script), phase, seen(control))]
    variables = {**hook_environment(backend.settings, _places(backend, seen)), **question.variables}
    finished = await run(confine(sandbox, confinement, argv, variables, seen(backend.tree)), log)
    check_finished(phase, finished)
    return _interpret(backend, phase, hook, clean_answer(phase, _read_answer(phase, control))), finished.usage


def _learn(backend: Backend, hook: _Hook) -> _Question:
    """What pyproject-hooks would run."""

    def record(cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None) -> NoReturn:
        del cwd
        question = Path(cmd[3], "input.json").read_bytes()
        raise _Asked(_Question(Path(cmd[1]), question, dict(extra_environ or {})))

    try:
        hook(_caller(backend, record))
    except _Asked as asked:
        return asked.question
    raise AssertionError("pyproject-hooks answered without running a hook")


def _interpret(backend: Backend, phase: HookName, hook: _Hook, answer: bytes) -> object:
    """What the answer means. Raises HookFailed where the backend could not be imported or lacks the hook."""

    def replay(cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None) -> None:
        del cwd, extra_environ
        Path(cmd[3], "output.json").write_bytes(answer)

    try:
        return hook(_caller(backend, replay))
    except BackendUnavailable as error:
        tail = tuple(error.traceback.splitlines())
        raise HookFailed(phase, f"could not import the backend {backend.system.backend}: {error}", 1, tail) from None
    except (HookMissing, UnsupportedOperation) as error:
        raise HookFailed(phase, f"is not there: {type(error).__name__} {error}") from None


def _caller(backend: Backend, runner: _Runner) -> BuildBackendHookCaller:
    """Speaks of the source where hooks see it."""
    tree = inside(backend.equipment.sandbox, _mounts(backend), backend.tree)
    try:
        return BuildBackendHookCaller(
            str(tree), backend.system.backend, backend.system.backend_path, runner, python_executable="python"
        )
    except ValueError as error:
        raise SourceError(
            f"backend-path in pyproject.toml is {list(backend.system.backend_path)}: {error}", "patch pyproject.toml"
        ) from None


def _mounts(backend: Backend) -> tuple[Mount, ...]:
    return (*backend.folder.mounts(), *_brought(backend))


def _brought(backend: Backend) -> tuple[Mount, ...]:
    return (Mount(backend.environment.folder, Path("/environment")), *_tools(backend.equipment))


def _tools(equipment: Equipment) -> tuple[Mount, ...]:
    return (
        Mount(equipment.toolchain.folder, Path("/toolchain")),
        *(Mount(prefix, prefix) for prefix in (equipment.prefix, *equipment.toolchain.prefixes)),
    )


def _places(backend: Backend, seen: Callable[[Path], Path]) -> Places:
    return Places(
        programs=(seen(backend.environment.bin), seen(backend.equipment.toolchain.folder)),
        build=seen(backend.folder.build),
        home=seen(backend.folder.home),
        temporary=seen(backend.folder.temporary),
        compiled=any(backend.equipment.prefix.glob("lib/py*/__pycache__/os.*.pyc")),
    )


def _new_result(backend: Backend, name: str) -> tuple[Path, str]:
    """A new folder for a hook to write to: where it lies, and where the hook sees it."""
    outside = _new_folder(backend.folder.results, name)
    return outside, str(inside(backend.equipment.sandbox, backend.folder.mounts(), outside))


def _new_folder(parent: Path, name: str) -> Path:
    """The first free of name, name-2, …: the same each time, and never what an earlier hook left there."""
    for number in itertools.count(1):
        folder = parent / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise AssertionError("unreachable")


def _require(phase: HookName, kinds: Mapping[Path, Callable[[int], bool]]) -> None:
    """Raises HookFailed unless each path is itself of its kind; a link to something of that kind is not."""
    for path, is_kind in kinds.items():
        try:
            mode = path.lstat().st_mode
        except OSError:
            raise nonsense(phase, f"it made no {path.name}") from None
        if not is_kind(mode):
            raise nonsense(phase, f"{path.name} is a link or something else that is no result")


def _read_answer(phase: HookName, control: Path) -> bytes:
    """The bytes of output.json, whatever else a hostile hook may have put there."""
    try:
        descriptor = os.open(control / "output.json", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        raise nonsense(phase, "it ended well without saying anything") from None
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise nonsense(phase, "output.json is no file")
        data = stream.read(LONGEST_ANSWER + 1)
    if len(data) > LONGEST_ANSWER:
        raise nonsense(phase, f"it is longer than {LONGEST_ANSWER} bytes")
    return data
