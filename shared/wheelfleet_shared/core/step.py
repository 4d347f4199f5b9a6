"""What settings and patches say to one distribution whose steps are made one by one on this machine."""

import msgspec

from ..errors import InputError
from .event_base import Expectation
from .recipe import BuildRecipe, NodeRecipe, PreparationRecipe


class StepRecipe(msgspec.Struct, frozen=True, omit_defaults=True):
    """The recipes of a node with their texts, not their digests alone.

    archive: what the upstream file is called, where the settings say. constraints: requirements, as text.
    """

    preparation: PreparationRecipe = PreparationRecipe()
    build: BuildRecipe = BuildRecipe()
    node: NodeRecipe = NodeRecipe()
    expectation: Expectation = "open"
    archive: str = ""
    constraints: tuple[str, ...] = ()


def encode_step(recipe: StepRecipe) -> bytes:
    """JSON."""
    return msgspec.json.encode(recipe)


def decode_step(data: bytes) -> StepRecipe:
    """The inverse of ``encode_step``; raises InputError for anything else."""
    try:
        return msgspec.json.decode(data, type=StepRecipe)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"this is no recipe of a step: {error}", "let `wheelfleet step` write it") from error
