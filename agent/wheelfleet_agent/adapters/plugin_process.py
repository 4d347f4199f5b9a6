"""Plugins, each call in a child process of its own, shut in as hooks are.

The child is the agent's own Python with the agent's own modules, read-only: what plugins import of
fromager stands on them. It has no variable of the agent's and sees none of its other files.
"""

import os
import stat
import sys
import sysconfig
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

import wheelfleet_shared
from wheelfleet_shared.core.plugins import Plugin

from ..core.hook_answers import HookStopped
from ..core.plugin_call import LONGEST_ANSWER, Answer, PluginFailed, Question, read_answer
from ..core.processes import Finished, Limits, LogSink, Usage
from ..core.sandbox_plan import Confinement, Mount, Sandbox, confine, inside
from .build_folder import BuildFolder
from .run_process import run

_OWN: Final = Path(__file__).parent.parent
_RUN: Final = _OWN / "plugin_child" / "run.py"
_CONTROL: Final = Path("/plugin/control")
_MODULES: Final = Path("/plugin/plugins")
"""Its last part tells frames of a plugin from those of what it calls."""
_SHORT: Final = 600.0
"""Seconds for functions that answer a question and build nothing."""
_LONG: Final = frozenset({"build_wheel", "build_sdist", "prepare_source"})
_KILLED: Final = frozenset({-9, 137})


class PluginPlace(NamedTuple):
    """Where the plugins of one attempt are called. mounts: beside the build's folder. environ: all their variables.

    name: of the folder below ``folder.results`` that holds work-dir, sdists-repo and wheels-repo of ``ctx``,
    the same for all calls of an attempt.
    """

    folder: BuildFolder
    sandbox: Sandbox
    mounts: tuple[Mount, ...]
    limits: Limits
    environ: Mapping[str, str]
    name: str = "fromager"

    @property
    def root(self) -> Path:
        """The folder of that name."""
        return self.folder.results / self.name

    def all_mounts(self) -> tuple[Mount, ...]:
        """What every call sees, but for the plugin itself."""
        return (*self.folder.mounts(), *self.mounts, *(Mount(path, path) for path in _own_modules()))

    def seen(self, path: Path) -> str:
        """Where a path of the host appears to plugins."""
        return str(inside(self.sandbox, self.all_mounts(), path))

    def outside(self, path: str, kind: Callable[[int], bool]) -> Path | None:
        """The path of the host that a plugin means, below ``root``; None unless it is there, and of that kind.

        No part of it is a link: plugins and hooks may have put links there that lead elsewhere.
        """
        root = Path(self.seen(self.root))
        try:
            parts = Path(os.path.normpath(path)).relative_to(root).parts
            places = [self.root.joinpath(*parts[:length]) for length in range(len(parts) + 1)]
            modes = [place.lstat().st_mode for place in places]
        except (OSError, ValueError):
            return None
        return places[-1] if kind(modes[-1]) and not any(map(stat.S_ISLNK, modes)) else None


def new_root(place: PluginPlace) -> PluginPlace:
    """The place with another root, new and empty: nothing that ran before can have put anything there."""
    number = 1
    while True:
        other = place._replace(name=f"fromager-{number}")
        try:
            other.root.mkdir()
        except FileExistsError:
            number += 1
            continue
        return other


async def ask_plugin(
    place: PluginPlace, plugin: Plugin, point: str, question: Question, log: LogSink, *, function: str = ""
) -> tuple[Answer, Usage]:
    """What the plugin's function answered as the override or hook ``point``; what the call used.

    question: all but which function is called where. function: its name, where that is not the point's.
    Raises PluginFailed for one that raises, gives what it should not, or takes too long; HookStopped where
    the host is at fault.
    """
    folder = _new_folder(place.folder.root)
    modules, control = folder / "plugins", folder / "control"
    _write(plugin.files, modules)
    control.mkdir()
    place.root.mkdir(exist_ok=True)
    mounts = (*place.all_mounts(), Mount(modules, _MODULES), Mount(control, _CONTROL, writable=True))

    def seen(path: Path) -> str:
        return str(inside(place.sandbox, mounts, path))

    asked = msgspec.structs.replace(
        question,
        function=function or point,
        point=point,
        module=plugin.module,
        search=tuple(seen(path) for path in (_OWN / "plugin_child", modules, *_search())),
        root=seen(place.root),
        variant=plugin.variant,
        settings=plugin.settings,
        network=plugin.network,
    )
    (control / "question.json").write_bytes(msgspec.json.encode(asked))
    argv = (str(_python()), "-I", "-S", "-B", seen(_RUN), seen(control))
    confinement = Confinement(mounts, _limits(place.limits, point), plugin.network)
    cwd = Path(seen(place.root))
    finished = await run(confine(place.sandbox, confinement, argv, place.environ, cwd), log)
    _check(finished, plugin, asked.function)
    return read_answer(_read(control / "answer.json", plugin, asked.function), plugin, asked.function), finished.usage


def _limits(limits: Limits, point: str) -> Limits:
    if point in _LONG:
        return limits
    short = min(limits.timeout_total or _SHORT, _SHORT)
    return msgspec.structs.replace(limits, timeout_total=short)


def _check(finished: Finished, plugin: Plugin, function: str) -> None:
    """Raises unless the process ended well: the plugin's fault, or the host's."""
    if finished.reason in {"timeout_total", "timeout_silent"}:
        raise PluginFailed(plugin.name, function, f"was stopped after {finished.usage.wall:.0f} seconds: it hangs")
    if finished.reason in {"out_of_memory", "disk_full"}:
        raise HookStopped(function, "out_of_memory" if finished.reason == "out_of_memory" else "disk_full", ())
    if finished.returncode in _KILLED:
        raise HookStopped(function, "lost", finished.tail)
    if finished.returncode and finished.tail and finished.tail[-1].startswith("bwrap: "):
        raise HookStopped(function, "sandbox", finished.tail)
    if finished.returncode:
        said = "".join(f"\n  | {line}" for line in finished.tail[-20:])
        raise PluginFailed(plugin.name, function, f"ended its process with status {finished.returncode}{said}")


def _read(path: Path, plugin: Plugin, function: str) -> bytes:
    """The answer's bytes, whatever else a plugin may have put there."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        raise PluginFailed(plugin.name, function, "ended its process without an answer") from None
    with os.fdopen(descriptor, "rb") as stream:
        plain = stat.S_ISREG(os.fstat(descriptor).st_mode)
        data = stream.read(LONGEST_ANSWER + 1) if plain else b""
    if not plain or len(data) > LONGEST_ANSWER:
        raise PluginFailed(plugin.name, function, f"gave no answer of at most {LONGEST_ANSWER} bytes")
    return data


def _write(files: Mapping[str, bytes], folder: Path) -> None:
    """The files lie below the folder; their names were checked when the recipe was made, and are again."""
    folder.mkdir()
    for name, data in files.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise PluginFailed(name, "its file", "lies outside of the plugins' folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _new_folder(parent: Path) -> Path:
    """The first free of plugin-1, plugin-2, …; no plugin ever sees the folder itself."""
    number = sum(1 for _ in parent.glob("plugin-*")) + 1
    folder = parent / f"plugin-{number}"
    folder.mkdir()
    return folder


def _python() -> Path:
    """The interpreter itself, behind the links of a virtual environment."""
    return Path(os.path.realpath(sys.executable))


@lru_cache(maxsize=1)
def _own_modules() -> tuple[Path, ...]:
    """Folders that the child needs of the agent's installation; nothing else of it is seen."""
    shared = Path(str(wheelfleet_shared.__file__)).parent
    sites = (Path(sysconfig.get_path(name)) for name in ("purelib", "platlib"))
    return tuple(dict.fromkeys((_python().parent.parent, _OWN, shared, *(site for site in sites if site.is_dir()))))


def _search() -> tuple[Path, ...]:
    """Where the child finds modules beside the standard library."""
    _, own, shared, *sites = _own_modules()
    return tuple(dict.fromkeys((own.parent, shared.parent, *sites)))
