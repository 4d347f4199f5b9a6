"""What ``wheelfleet step`` does but for downloads: the agent's command takes the place of this process."""

import logging
import os
import sys
from typing import Final

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelfleet_shared.core.recipe import BuildRecipe, PreparationRecipe, decode_recipe
from wheelfleet_shared.core.step import StepRecipe, encode_step
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import NodeKey

from ..app.cluster_files import wished_interpreters
from ..core.customising import Customised
from .customising import checked_customisation
from .places import places_of
from .settings import Settings

AGENT: Final = (sys.executable, "-m", "wheelfleet_agent", "step")


def run_step(settings: Settings, step: str, name: str, version: str, wheel_server: str = "") -> None:
    """The agent's step goes on in this process, told what the user's files say; does not return.

    Raises InputError for files that cannot be used, before anything is done.
    """
    node = step_node(name, version)
    customisation = checked_customisation(settings)
    recipe = _recipe(Customised.parse(customisation), node, tuple(settings.constraints))
    server = ("--wheel-server-url", wheel_server) if wheel_server else ()
    arguments = [*AGENT, *_said(settings), "--recipe", _handed_on(encode_step(recipe)), step, node.name, node.version]
    sys.stdout.flush()
    os.execv(arguments[0], [*arguments, *server])  # noqa: S606 - the agent takes over, with our exit status


def _recipe(customised: Customised, node: NodeKey, constraints: tuple[str, ...]) -> StepRecipe:
    recipe, download = customised.recipe_of(node), customised.download_source_of(node)
    return StepRecipe(
        decode_recipe(recipe.preparation, PreparationRecipe),
        decode_recipe(recipe.build, BuildRecipe),
        recipe.node,
        customised.expectation_of(node.name) or "open",
        download.file_name if download is not None else "",
        _constraints(constraints),
    )


def _constraints(references: tuple[str, ...]) -> tuple[str, ...]:
    if not references:
        return ()
    from .indexes import constraint_lines  # which reads files from everywhere

    return tuple(line.text for line in constraint_lines(references))


def _said(settings: Settings) -> list[str]:
    """The options before the step, as the agent's command takes them."""
    places = places_of(settings)
    folders = {"--sdists-repo": places.sdists, "--wheels-repo": places.wheels, "--work-dir": places.work}
    words = [word for option, folder in folders.items() for word in (option, str(folder.absolute()))]
    interpreters = wished_interpreters(os.environ)
    words += ["--interpreter", interpreters[0]] if interpreters else []
    words += ["--jobs", str(settings.jobs)] if settings.jobs else []
    words += ["--sandbox", settings.sandbox] if settings.sandbox else []
    return [*words, *(["--verbose"] if logging.getLogger().level <= logging.INFO else [])]


def _handed_on(data: bytes) -> str:
    """The path under which the process that takes our place reads the data; it is gone with that."""
    descriptor = os.memfd_create("wheelfleet-recipe", 0)
    os.write(descriptor, data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return f"/proc/self/fd/{descriptor}"


def step_node(name: str, version: str) -> NodeKey:
    """What a step is about; raises InputError for what names no version of a distribution."""
    try:
        return NodeKey(canonicalize_name(name, validate=True), str(Version(version)))
    except (InvalidVersion, ValueError) as error:
        raise InputError(f"{name} {version}: {error}", "correct name or version") from error
