"""Keys of settings whose effect no other test needs."""

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from wheelfleet_coordinator.core.candidates import Candidate
from wheelfleet_coordinator.core.customised_choice import Ages, sought_for, source_of
from wheelfleet_coordinator.core.customising import Customised
from wheelfleet_shared.core.bundle import Customisation
from wheelfleet_shared.core.recipe import BuildRecipe, SbomRecipe, decode_recipe
from wheelfleet_shared.names import NodeKey

NODE = NodeKey("tool", "2.0")
LISTED = Candidate("tool-2.0.tar.gz", canonicalize_name("tool"), "2.0", "sdist", "https://a.example/tool-2.0.tar.gz")


def customised(text: str, common: str = "{}") -> Customised:
    files = {"settings/tool.yaml": text.encode(), "settings.yaml": common.encode()}
    return Customised.parse(Customisation("cpu", files))


def document(text: str, common: str) -> SbomRecipe:
    recipe = decode_recipe(customised(text, common).recipe_of(NODE).build, BuildRecipe)
    assert recipe.sbom is not None
    return recipe.sbom


def test_sdists_may_count_for_nothing():
    text = "resolver_dist: {include_wheels: true, include_sdists: false}"
    assert sought_for(Requirement("tool"), "install", customised(text), Ages()).kinds == {"wheel"}


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ("submodules: true", "?submodules=all"),
        ("submodule_paths: [vendor/a]", "?submodule=vendor%2Fa"),
    ],
)
def test_submodules_are_cloned_as_asked_for(options, asked):
    text = f"download_source: {{url: 'git+https://h.example/r@v${{version}}'}}\ngit_options: {{{options}}}"
    url = source_of(LISTED, NODE, customised(text), stated=False).url
    assert url == f"git+https://h.example/r@v2.0{asked}"


def test_purls_are_of_the_type_and_the_repository_that_are_given():
    assert document("{}", "sbom: {purl_type: generic}").wheel.purl == "pkg:generic/tool@2.0"
    found = document("purl: {repository_url: 'https://own.example'}", "sbom: {repository_url: 'https://r.example'}")
    assert found.wheel.purl.endswith("repository_url=https://own.example")
