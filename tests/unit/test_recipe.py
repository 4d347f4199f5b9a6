from pathlib import Path

import pytest

from wheelfleet_agent.core.hook_environment import HookSettings, Places, hook_environment
from wheelfleet_shared.core.recipe import (
    HOOK_VARIABLES,
    BuildRecipe,
    PatchFile,
    PreparationRecipe,
    SbomPart,
    SbomRecipe,
    decode_recipe,
    encode_recipe,
    recipe_digest,
)
from wheelfleet_shared.errors import InputError

PREPARATION = PreparationRecipe((PatchFile("1.patch", b"\xff\r\n"),), ("setuptools<80",), ("ninja",), "python", 7)
PART = SbomPart("a", "1", "pkg:pypi/a@1")
BUILD = BuildRecipe(
    (("B", "1"), ("A", "$PATH")),
    {"z": ["1"], "a": "2"},
    "python",
    network=True,
    settings={"env": {"A": "$PATH"}},
    sbom=SbomRecipe("https://sbom.test/a", PART, PART, "me", ("you",)),
)


def test_recipes_come_back_as_they_were_stored():
    assert decode_recipe(encode_recipe(PREPARATION), PreparationRecipe) == PREPARATION
    assert decode_recipe(encode_recipe(BUILD), BuildRecipe) == BUILD


def test_equal_recipes_have_equal_bytes_in_whatever_order_their_keys_were_written():
    other = BuildRecipe(config_settings={"a": "2", "z": ["1"]}, settings={"b": 1, "a": 2})
    same = BuildRecipe(config_settings={"z": ["1"], "a": "2"}, settings={"a": 2, "b": 1})
    assert encode_recipe(other) == encode_recipe(same)


def test_the_order_of_variables_and_of_patches_is_part_of_a_recipe():
    assert encode_recipe(BuildRecipe(env=BUILD.env)) != encode_recipe(BuildRecipe(env=BUILD.env[::-1]))
    two = (PatchFile("1", b"a"), PatchFile("2", b"b"))
    assert encode_recipe(PreparationRecipe(two)) != encode_recipe(PreparationRecipe(two[::-1]))


def test_what_is_not_set_has_neither_bytes_nor_a_digest():
    assert encode_recipe(PreparationRecipe()) == encode_recipe(BuildRecipe()) == b""
    assert recipe_digest(b"") == ""
    assert decode_recipe(b"", BuildRecipe) == BuildRecipe()
    assert len(recipe_digest(encode_recipe(BUILD))) == 64


@pytest.mark.parametrize("data", [b"[]", b"\xff", b'{"patches": 1}'])
def test_other_bytes_are_no_recipe(data: bytes):
    with pytest.raises(InputError, match="recipe"):
        decode_recipe(data, PreparationRecipe)


@pytest.mark.parametrize("network", [True, False])
@pytest.mark.parametrize("compiled", [True, False])
def test_hooks_have_the_variables_that_templates_may_read(network: bool, compiled: bool):
    here = Path("/here")
    variables = hook_environment(HookSettings(0, network=network), Places((here,), here, here, here, compiled))
    assert set(variables) >= HOOK_VARIABLES
