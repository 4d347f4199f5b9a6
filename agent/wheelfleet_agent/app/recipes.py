"""What settings and patches say to a source and to a build, as the agent gets it: texts by digest."""

import asyncio
from typing import TypeVar

from wheelfleet_shared.core.messages import Download
from wheelfleet_shared.core.plugins import HooksRecipe
from wheelfleet_shared.core.recipe import BuildRecipe, PreparationRecipe, decode_recipe

from ..adapters.transfer import Transfer
from ..core.hook_environment import HookSettings
from ..core.prepare import Patch, Preparation

Text = TypeVar("Text", PreparationRecipe, BuildRecipe, HooksRecipe)


async def fetch_recipe(transfer: Transfer, download: Download | None, kind: type[Text]) -> Text:
    """The recipe, the empty one where none is named; raises TransferFault, InputError."""
    if download is None:
        return kind()
    path = await transfer.fetch(download)
    return decode_recipe(await asyncio.to_thread(path.read_bytes), kind)


def patches_of(recipe: PreparationRecipe) -> tuple[Patch, ...]:
    """The patches in the order in which they are applied."""
    return tuple(Patch(patch.name, patch.data) for patch in recipe.patches)


def preparation_of(recipe: PreparationRecipe) -> Preparation:
    """What preparation is told."""
    return Preparation(recipe.epoch, recipe.build_dir, recipe.update_requires, recipe.remove_requires)


def hook_settings_of(recipe: BuildRecipe, epoch: int, cores: int) -> HookSettings:
    """What the hooks are told; later variables of one name win."""
    return HookSettings(epoch, cores, dict(recipe.config_settings), dict(recipe.env), recipe.network)
