"""Hooks that the user has called once a wheel is there, before anybody else gets it.

They look at a copy: what they make of it is not what is published, and one that changes or removes it
fails. An attempt that is made again calls them again, so they must bear that.
"""

import asyncio
import hashlib
import shutil
import stat
from pathlib import Path

from wheelfleet_shared.core.plugins import HooksRecipe, Plugin
from wheelfleet_shared.names import NodeKey

from ..adapters.plugin_process import PluginPlace, ask_plugin, new_root
from ..core.plugin_call import PluginFailed, Question
from ..core.processes import LogSink, Usage


async def call_hooks(
    hooks: HooksRecipe, node: NodeKey, wheel: Path, sdist: Path | None, place: PluginPlace, log: LogSink
) -> tuple[Usage, ...]:
    """Each hook was called once, in the order of their moments; what they used.

    sdist: that the wheel was built from, or None. Raises PluginFailed, HookStopped.
    """
    moments = (
        ("post_build", hooks.post_build),
        ("prebuilt_wheel", hooks.prebuilt_wheel),
        ("post_bootstrap", hooks.post_bootstrap),
    )
    calls = [(point, plugin) for point, plugins in moments for plugin in plugins]
    if not calls:
        return ()
    place = new_root(place)
    shown = await asyncio.to_thread(_copy, wheel, place.root / "wheels-repo" / "build")
    from_ = await asyncio.to_thread(_copy, sdist, place.root / "sdists-repo" / "builds") if sdist is not None else None
    digest = await asyncio.to_thread(_sha256, shown)
    question = _question(node, place, shown, from_)
    used = []
    for point, plugin in calls:
        _, usage = await ask_plugin(place, plugin, point, question, log, function=plugin.functions[0])
        used.append(usage)
        await asyncio.to_thread(_check, place, shown, digest, plugin)
    return tuple(used)


def _question(node: NodeKey, place: PluginPlace, wheel: Path, sdist: Path | None) -> Question:
    return Question(
        function="",
        point="",
        module="",
        search=(),
        name=node.name,
        version=node.version,
        root=place.seen(place.root),
        wheel=place.seen(wheel),
        sdist=place.seen(sdist) if sdist is not None else "",
        environ=dict(place.environ),
    )


def _copy(file: Path, folder: Path) -> Path:
    """The copy, in a folder that is new: nothing of the build can have put a link there."""
    folder.mkdir(parents=True)
    return Path(shutil.copyfile(file, folder / file.name))


def _check(place: PluginPlace, wheel: Path, digest: str, plugin: Plugin) -> None:
    """Raises PluginFailed unless the wheel that the hook was shown is still what it was."""
    held = place.outside(place.seen(wheel), stat.S_ISREG)
    if held is None:
        raise PluginFailed(plugin.name, plugin.functions[0], f"removed the wheel {wheel.name}; nothing was published")
    if _sha256(held) != digest:
        raise PluginFailed(
            plugin.name,
            plugin.functions[0],
            f"changed the wheel {wheel.name}; nothing was published: what goes into a wheel is for "
            "build_wheel and add_extra_metadata_to_wheels",
        )


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
