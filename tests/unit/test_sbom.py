"""The SPDX document in a wheel."""

import json

from wheelfleet_agent.core.sbom import BuiltWith, sbom
from wheelfleet_shared.core.recipe import SbomPart, SbomRecipe
from wheelfleet_shared.names import NodeKey, Sha256

NODE = NodeKey("tiny-dist", "1.0+local")
RECIPE = SbomRecipe(
    "https://example.com/tiny-dist-1.0.spdx.json",
    SbomPart("tiny-dist", "1.0", "pkg:pypi/tiny-dist@1.0?repository_url=https://example.com"),
    SbomPart("tiny", "1.0", "pkg:github/me/tiny@1.0"),
    "Organization: Us",
    ("Person: Me",),
)
USED = (
    BuiltWith("setuptools", "84.0", "setuptools-84.0-0-py3-none-any.whl", Sha256("b" * 64)),
    BuiltWith("pbr", "7.1.3+x", "pbr-7.1.3+x-0-py3-none-any.whl", Sha256("a" * 64)),
)


def document(used=USED, epoch=1_577_836_800):
    return json.loads(sbom(RECIPE, NODE, Sha256("c" * 64), used, epoch, "wheelfleet-1.0"))


def test_it_lists_wheel_upstream_and_the_locked_environment():
    found = {item["SPDXID"]: item for item in document()["packages"]}
    assert list(found) == ["SPDXRef-wheel", "SPDXRef-upstream", "SPDXRef-build-1", "SPDXRef-build-2"]
    assert found["SPDXRef-wheel"]["supplier"] == "Organization: Us"
    assert "checksums" not in found["SPDXRef-wheel"]
    assert found["SPDXRef-upstream"]["checksums"] == [{"algorithm": "SHA256", "checksumValue": "c" * 64}]
    pbr = found["SPDXRef-build-1"]
    assert (pbr["name"], pbr["versionInfo"], pbr["packageFileName"]) == ("pbr", "7.1.3+x", USED[1].file_name)
    assert pbr["checksums"] == [{"algorithm": "SHA256", "checksumValue": "a" * 64}]
    assert pbr["externalRefs"][0]["referenceLocator"] == "pkg:pypi/pbr@7.1.3%2Bx"


def test_every_relationship_is_between_things_that_are_there():
    found = document()
    there = {found["SPDXID"], *(item["SPDXID"] for item in found["packages"])}
    edges = found["relationships"]
    assert {edge[end] for edge in edges for end in ("spdxElementId", "relatedSpdxElement")} == there
    assert [edge["relationshipType"] for edge in edges] == [
        "DESCRIBES",
        "GENERATED_FROM",
        "BUILD_DEPENDENCY_OF",
        "BUILD_DEPENDENCY_OF",
    ]


def test_it_is_a_function_of_its_arguments():
    assert document(USED) == document(tuple(reversed(USED)))
    found = document(())
    assert found["creationInfo"] == {
        "created": "2020-01-01T00:00:00Z",
        "creators": ["Person: Me", "Tool: wheelfleet-1.0"],
    }
    assert (found["spdxVersion"], found["dataLicense"]) == ("SPDX-2.3", "CC0-1.0")
    assert found["documentNamespace"] == RECIPE.namespace
    assert len(found["packages"]) == 2
