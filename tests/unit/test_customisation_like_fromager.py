"""What fromager 0.101 itself answered for one set of settings and patches, and what ours come to."""

import string
from pathlib import Path

import msgspec
import pytest

from wheelfleet_coordinator.core.customising import Customised
from wheelfleet_shared.core.bundle import Customisation
from wheelfleet_shared.core.recipe import BuildRecipe, PreparationRecipe, decode_recipe
from wheelfleet_shared.names import NodeKey

RECORD = msgspec.json.decode((Path(__file__).parent / "fromager" / "customisation.json").read_bytes())
FILES = {name: text.encode() for name, text in RECORD["files"].items()}
FACTS = RECORD["facts"]


@pytest.fixture(scope="module")
def customised() -> dict[str, Customised]:
    return {variant: Customised.parse(Customisation(variant, FILES), "here") for variant in ("cpu", "cuda", "rocm")}


@pytest.fixture(params=FACTS, ids=lambda fact: f"{fact['variant']}-{fact['name']}-{fact['version']}")
def fact(request: pytest.FixtureRequest) -> dict:
    return request.param


def test_the_same_patches_are_applied_in_the_same_order(fact: dict, customised: dict[str, Customised]):
    node = NodeKey(fact["name"], fact["version"])
    found = customised[fact["variant"]].recipe_of(node).preparation
    paths = [patch.data.decode() for patch in decode_recipe(found, PreparationRecipe).patches]
    # fromager lists patches of prebuilt distributions too, and applies none.
    assert paths == ([] if fact["pre_built"] else [path.removeprefix("patches/") for path in fact["patches"]])


def test_wheels_have_the_same_build_tag(fact: dict, customised: dict[str, Customised]):
    ours = customised[fact["variant"]].recipe_of(NodeKey(fact["name"], fact["version"])).node.build_tag
    theirs = "".join(str(part) for part in fact["tag"])
    assert ours == (theirs or ("" if fact["pre_built"] else "0"))


def test_hooks_see_the_same_variables(fact: dict, customised: dict[str, Customised]):
    found = customised[fact["variant"]].recipe_of(NodeKey(fact["name"], fact["version"])).build
    env = {name: string.Template(text).substitute(HOME="/home") for name, text in decode_recipe(found, BuildRecipe).env}
    assert env == ({} if fact["pre_built"] else fact["env"])


def test_sources_and_prebuilt_wheels_come_from_the_same_places(fact: dict, customised: dict[str, Customised]):
    ours, node = customised[fact["variant"]], NodeKey(fact["name"], fact["version"])
    assert (ours.pre_built(node.name), ours.wheel_server_url(node.name)) == (
        fact["pre_built"],
        fact["wheel_server_url"],
    )
    if fact["pre_built"]:
        assert ours.download_source_of(node) is None
        return
    source = ours.download_source_of(node)
    assert (source.url if source else "") == fact["url"]
    if fact["file_name"]:
        assert source is not None
        assert source.file_name == fact["file_name"]
