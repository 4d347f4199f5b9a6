"""A build with what a plugin overrides of it: each function at its place, given what the attempt has."""

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
from packaging.utils import canonicalize_name, parse_sdist_filename
from packaging.version import Version

from wheelfleet_shared.core.plugins import TAG_HOOK, Plugin
from wheelfleet_shared.core.recipe import BuildRecipe
from wheelfleet_shared.core.wheel_check import read_wheel_name
from wheelfleet_shared.names import NodeKey

from ..adapters.hooks import Backend, ask_build_requirements, build_wheel, surroundings
from ..adapters.plugin_process import PluginPlace, ask_plugin
from ..core.plugin_call import PluginFailed, Question, changed_environ, requirements_in, value_of
from ..core.processes import LogSink, Usage

FACTS: Final = "metadata-from-plugin"
"""The key under which the record of a build holds what a plugin gave to it, as with fromager."""
_Requirements = tuple[str, ...]
_Kind = TypeVar("_Kind")


class MadeWheel(NamedTuple):
    """A wheel as the backend or a plugin built it, with what else goes into it.

    recipe: of the build, with the facts that a plugin gave. files: for the dist-info folder, by name.
    tag_suffix: of its build tag. sdist: that a plugin built, or None.
    """

    wheel: Path
    recipe: BuildRecipe
    files: Mapping[str, bytes]
    tag_suffix: str
    sdist: Path | None


class Overridden(NamedTuple):
    """A backend, and the plugin of the build's recipe beside it. used: by each hook and call so far."""

    backend: Backend
    recipe: BuildRecipe
    node: NodeKey
    log: LogSink
    used: list[Usage]

    def has(self, point: str) -> bool:
        """Whether the plugin overrides this."""
        return self.recipe.plugin is not None and point in self.recipe.plugin.functions

    @property
    def place(self) -> PluginPlace:
        """Where plugins are called, with what hooks see."""
        brought, environ = surroundings(self.backend)
        return PluginPlace(self.backend.folder, self.backend.equipment.sandbox, brought, self.backend.limits, environ)

    async def requirements(self) -> _Requirements:
        """What the build wants beyond its static requirements, as hooks or overrides say."""
        backend_point, sdist_point = "get_build_backend_dependencies", "get_build_sdist_dependencies"
        if self.has(backend_point):
            asked = await self._requirements(backend_point)
        else:
            asked = self._counted(await ask_build_requirements(self.backend, self.log))
        if self.has(sdist_point):
            asked = tuple(dict.fromkeys((*asked, *await self._requirements(sdist_point))))
        return asked

    async def install_requirements(self, said: _Requirements) -> _Requirements:
        """Requires-Dist as the metadata or the override says."""
        point = "get_install_dependencies_of_sdist"
        return await self._requirements(point) if self.has(point) else said

    async def made(self) -> MadeWheel:
        """The wheel, built with what the plugin overrides. Raises as hooks do, and PluginFailed."""
        sdist = await self._sdist() if self.has("build_sdist") else None
        if self.has("build_wheel"):
            wheel = await self._wheel()
        else:
            wheel = self._counted(await build_wheel(self.backend, self.log))
        recipe, files = await self._added(wheel)
        return MadeWheel(wheel, recipe, files, await self._tag_suffix(wheel.name), sdist)

    def _counted(self, answer: tuple[_Kind, Usage]) -> _Kind:
        self.used.append(answer[1])
        return answer[0]

    async def _call(
        self, plugin: Plugin, point: str, kind: type[_Kind], function: str = "", **given: Any
    ) -> tuple[_Kind, dict[str, bytes]]:
        place = self.place
        question = msgspec.structs.replace(_question(self, place), **given)
        answer = self._counted(await ask_plugin(place, plugin, point, question, self.log, function=function))
        return value_of(answer, kind, plugin, function or point), answer.files

    async def _override(self, point: str, kind: type[_Kind], **given: Any) -> tuple[_Kind, dict[str, bytes]]:
        assert self.recipe.plugin is not None
        return await self._call(self.recipe.plugin, point, kind, **given)

    async def _requirements(self, point: str) -> _Requirements:
        assert self.recipe.plugin is not None
        texts, _ = await self._override(point, tuple[str, ...])
        return requirements_in(texts, self.recipe.plugin, point)

    async def _wheel(self) -> Path:
        """The one wheel that the plugin left in ``ctx.wheels_build``."""
        await self._override("build_wheel", object)
        place = self.place
        folder = place.outside(f"{place.seen(place.root)}/wheels-repo/build", stat.S_ISDIR)
        found = sorted(folder.glob("*.whl")) if folder is not None else []
        wheel = place.outside(place.seen(found[0]), stat.S_ISREG) if len(found) == 1 else None
        if wheel is None:
            names = ", ".join(path.name for path in found) or "nothing"
            raise self._failed("build_wheel", f"left {names} in ctx.wheels_build, where one wheel is expected")
        return wheel

    async def _sdist(self) -> Path:
        """The sdist that the plugin made, in ``ctx.sdists_builds``."""
        point, place = "build_sdist", self.place
        path, _ = await self._override(point, str)
        found = place.outside(path, stat.S_ISREG)
        if found is None or found.parent != place.root / "sdists-repo" / "builds":
            raise self._failed(point, f"gave {path}, which is no file in ctx.sdists_builds")
        if not _is_named_after(found.name, self.node):
            raise self._failed(point, f"made {found.name}, no sdist of {self.node.name} {self.node.version}")
        self.log.write(f"built source distribution {found.name}\n".encode())
        return found

    async def _added(self, wheel: Path) -> tuple[BuildRecipe, Mapping[str, bytes]]:
        """The recipe with the plugin's facts in its record, and what the plugin left in the dist-info folder."""
        point = "add_extra_metadata_to_wheels"
        if not self.has(point):
            return self.recipe, {}
        facts, files = await self._override(point, dict[str, Any], wheel=self.place.seen(wheel))
        settings = {**self.recipe.settings, FACTS: facts} if facts else self.recipe.settings
        return msgspec.structs.replace(self.recipe, settings=settings), files

    async def _tag_suffix(self, built: str) -> str:
        """What the hook adds to the build tag: empty, or segments with an underscore before each."""
        hook = self.recipe.tag_hook
        if hook is None:
            return ""
        tags = tuple(sorted(map(str, read_wheel_name(built).tags)))
        segments, _ = await self._call(hook, TAG_HOOK, tuple[str, ...], hook.functions[0], tags=tags)
        return "".join(f"_{segment}" for segment in segments)

    def _failed(self, point: str, what: str) -> PluginFailed:
        assert self.recipe.plugin is not None
        return PluginFailed(self.recipe.plugin.name, point, what)


async def open_overridden(backend: Backend, recipe: BuildRecipe, node: NodeKey, log: LogSink) -> Overridden:
    """The backend with its plugin, and with the variables as update_extra_environ leaves them.

    Raises PluginFailed, HookStopped.
    """
    opened = Overridden(backend, recipe, node, log, [])
    point = "update_extra_environ"
    if not opened.has(point):
        return opened
    after, _ = await opened._override(point, dict[str, str])  # noqa: SLF001 - this makes one of them
    final, without = changed_environ(dict(opened.place.environ), after)
    settings = msgspec.structs.replace(backend.settings, final=final, without=without)
    return opened._replace(backend=backend._replace(settings=settings))


def _question(build: Overridden, place: PluginPlace) -> Question:
    """All that any function of the plugin may be told; which one it is is not said yet."""
    tree = build.backend.tree
    for _ in Path(build.recipe.build_dir).parts:
        tree = tree.parent
    return Question(
        function="",
        point="",
        module="",
        search=(),
        name=build.node.name,
        version=build.node.version,
        root=place.seen(place.root),
        tree=place.seen(tree),
        build_dir=build.recipe.build_dir,
        environment=place.seen(build.backend.environment.folder),
        environ=dict(place.environ),
    )


def _is_named_after(file_name: str, node: NodeKey) -> bool:
    try:
        found, version = parse_sdist_filename(file_name)
    except ValueError:
        return False
    return found == canonicalize_name(node.name) and version == Version(node.version)
