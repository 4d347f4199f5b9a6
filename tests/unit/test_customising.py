import string

import pytest

from wheelfleet_coordinator.core.customising import Customised
from wheelfleet_coordinator.core.recipes import DownloadSource
from wheelfleet_coordinator.core.settings_schema import DistributionSettings, GitOptions
from wheelfleet_shared.core.bundle import Customisation, RunInputs, decode_inputs, encode_inputs
from wheelfleet_shared.core.recipe import (
    GIB,
    BuildRecipe,
    Needs,
    NodeRecipe,
    PatchFile,
    PreparationRecipe,
    SbomPart,
    SbomRecipe,
    decode_recipe,
    recipe_digest,
)
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import NodeKey

NODE = NodeKey("a-b", "1.0")


def customised(settings: str = "", common: str = "", variant: str = "cpu", **files: str) -> Customised:
    given = {"settings/a_b.yaml": settings, "settings.yaml": common, **files}
    data = {name: text.encode() for name, text in given.items() if text}
    return Customised.parse(Customisation(variant, data), "overrides")


def preparation(settings: str, **files: str) -> PreparationRecipe:
    return decode_recipe(customised(settings, **files).recipe_of(NODE).preparation, PreparationRecipe)


def build(settings: str, common: str = "", variant: str = "cpu", node: NodeKey = NODE) -> BuildRecipe:
    return decode_recipe(customised(settings, common, variant).recipe_of(node).build, BuildRecipe)


def refused(settings: str, common: str = "", variant: str = "cpu", **files: str) -> str:
    with pytest.raises(InputError) as caught:
        customised(settings, common, variant, **files)
    return caught.value.what


def test_nothing_given_changes_nothing():
    for found in (customised(), customised("{}", "{}"), Customised.parse(Customisation())):
        assert found.recipe_of(NODE) == (NodeRecipe(), b"", b"")
        assert found.settings_of("other") == DistributionSettings()
        assert found.expectation_of("a-b") is found.download_source_of(NODE) is None
        assert found.warnings == found.warnings_of(NODE) == ()
    assert customised().customised() == frozenset()


def test_settings_reach_the_preparation():
    settings = "build_dir: py\nepoch: 7\nproject_override: {update_build_requires: [a>1], remove_build_requires: [N_]}"
    with pytest.raises(InputError, match="is no name"):
        customised(settings)
    found = preparation(settings.replace("N_", "N_n"), **{"patches/a_b/1.patch": "p"})
    assert found == PreparationRecipe((PatchFile("1.patch", b"p"),), ("a>1",), ("n-n",), "py", 7)


def test_settings_reach_the_build():
    settings = """\
annotations: {a: b}
build_dir: py
changelog: {"1.0": [x], "2.0": [y]}
config_settings: {k: [v]}
env: {A: "${__version__}$$", B: "$A$PATH"}
network: true
variants: {cpu: {env: {B: "$B!"}, annotations: {c: d}}, cuda: {env: {C: z}}}
"""
    assert build(settings) == BuildRecipe(
        (("A", "1.0$$"), ("B", "1.0$$${PATH}!")),
        {"k": ["v"]},
        "py",
        network=True,
        settings={
            "annotations": {"a": "b"},
            "build_dir": "py",
            "changelog": {"1.0": ["x"]},
            "config_settings": {"k": ["v"]},
            "env": {"A": "${__version__}$$", "B": "$A$PATH"},
            "network": True,
            "variants": {"cpu": {"env": {"B": "$B!"}, "annotations": {"c": "d"}}},
        },
    )


def test_the_digests_are_those_of_the_texts():
    found = customised("epoch: 7\nnetwork: true").recipe_of(NODE)
    assert found.node.preparation == recipe_digest(found.preparation) != ""
    assert found.node.build == recipe_digest(found.build) != ""


SAME = [
    ("env: {A: 1, B: 2}", "env: {B: 2, A: 1}"),
    ("epoch: 7", "# why\nepoch: 7\n"),
    ("changelog: {'1': [x]}", "changelog: {'1': [x], '2': [y]}"),
    ("env: {A: 1}", "env: {A: 1}\nvariants: {cuda: {env: {A: 2}, pre_built: true}}"),
    ("env: {A: 1}", "env: {A: 1}\nresolver_dist: {min_release_age: 3, sdist_server_url: 'https://i.test'}"),
    ("env: {A: 1}", "env: {A: 1}\nbuild_options: {cpu_cores_per_job: 2, exclusive_build: true}"),
    ("env: {A: 1}", "env: {A: 1}\nrequires_labels: [gpu]\nrequires_sandbox: true\nexpect: pure"),
    ("env: {A: 1}", "env: {A: 1}\ndownload_source: {url: 'https://s.test/'}\ngit_options: {submodules: true}"),
]


@pytest.mark.parametrize(("before", "after"), SAME)
def test_what_does_not_reach_a_build_leaves_its_recipe_alone(before: str, after: str):
    first, second = customised(before).recipe_of(NODE), customised(after).recipe_of(NODE)
    assert (first.preparation, first.build) == (second.preparation, second.build)


OTHER = [
    ("env: {A: 1}", "env: {A: 2}"),
    ("changelog: {'1': [x]}", "changelog: {'1': [x, y]}"),
    ("", "annotations: {a: b}"),
    ("config_settings: {a: b}", "config_settings: {a: [b]}"),
    ("", "project_override: {requires_external: [openssl]}"),
    ("", "purl: {name: other}"),
    ("epoch: 1", "epoch: 2"),
    ("build_dir: a", "build_dir: b"),
]


@pytest.mark.parametrize(("before", "after"), OTHER)
def test_what_reaches_a_build_changes_its_recipe(before: str, after: str):
    first, second = customised(before).recipe_of(NODE), customised(after).recipe_of(NODE)
    assert (first.preparation, first.build) != (second.preparation, second.build)


def test_a_source_has_one_epoch():
    by_variable = "variants: {cpu: {env: {SOURCE_DATE_EPOCH: 1700000000, A: $SOURCE_DATE_EPOCH}}}"
    assert preparation(by_variable).epoch == 1_700_000_000
    assert build(by_variable).env == (("A", "${SOURCE_DATE_EPOCH}"),)
    assert preparation(f"epoch: 1700000000\n{by_variable}").epoch == 1_700_000_000
    message = "overrides/settings/a_b.yaml:2: SOURCE_DATE_EPOCH is 1700000000, but 'epoch' is 7"
    assert refused(f"epoch: 7\n{by_variable}") == message
    assert "must be whole seconds" in refused("env: {SOURCE_DATE_EPOCH: now}")


def test_the_build_tag_counts_both_changelogs():
    found = customised("changelog: {'1.0': [x]}", "changelog: {cpu: [y], cuda: [z, z]}")
    assert found.recipe_of(NODE).node.build_tag == "2"
    assert found.recipe_of(NodeKey("other", "1.0")).node.build_tag == "1"
    hooked = customised(common="wheels: {build_tag_hook: 'm:f'}", **{"plugins/m.py": "def f(): ..."})
    assert hooked.build_tag_hook == "m:f"


def test_needs_are_those_of_the_options():
    options = "build_options: {cpu_cores_per_job: 4, memory_per_job_gb: 2.5, exclusive_build: true}\n"
    found = customised(f"{options}requires_labels: [gpu, big, gpu]\nrequires_sandbox: true").recipe_of(NODE)
    assert found.node.needs == Needs(4, 5 * GIB // 2, exclusive=True, labels=("big", "gpu"), sandbox="standard")
    assert (found.preparation, found.build) == (b"", b"")


def test_nothing_reaches_a_prebuilt_node():
    settings = """\
epoch: 1
env: {A: 1}
changelog: {"1.0": [x]}
download_source: {url: "https://s.test/"}
variants: {rocm: {pre_built: true, wheel_server_url: "https://w.test/"}}
"""
    found = customised(settings, variant="rocm", **{"patches/a_b-2/1.patch": "p"})
    assert found.pre_built("A.b")
    assert found.wheel_server_url("a-b") == "https://w.test/"
    assert found.recipe_of(NODE) == (NodeRecipe(build_tag=""), b"", b"")
    assert found.download_source_of(NODE) is None
    assert found.warnings_of(NODE) == ()
    assert not customised(settings).pre_built("a-b")


@pytest.mark.parametrize(
    ("settings", "source"),
    [
        ("url: 'https://s.test/${version}'", DownloadSource("https://s.test/1.0", "a_b-1.0.tar.gz")),
        ("url: 'https://s.test/v.zip?a=b#c'", DownloadSource("https://s.test/v.zip?a=b#c", "a_b-1.0.zip")),
        ("destination_filename: '${canonicalized_name}.tgz'", DownloadSource("", "a-b.tgz")),
    ],
)
def test_sources_come_from_where_the_settings_say(settings: str, source: DownloadSource):
    assert customised(f"download_source: {{{settings}}}").download_source_of(NODE) == source


def test_other_settings_are_handed_on():
    found = customised("git_options: {submodules: true}\nexpect: native\nresolver_dist: {include_wheels: true}")
    assert found.git_options("a-b") == GitOptions(submodules=True)
    assert found.expectation_of("a-b") == "native"
    assert found.resolver_of("a-b").include_wheels


def test_the_document_of_a_wheel_says_what_the_settings_say():
    common = "sbom: {supplier: me, creators: [you], namespace: 'https://n.test', repository_url: 'https://r.test'}"
    plain = "pkg:pypi/a-b@1.0"
    wheel = SbomPart("a-b", "1.0", f"{plain}?repository_url=https://r.test")
    document = "https://n.test/a-b-1.0.spdx.json"
    assert build("", common).sbom == SbomRecipe(document, wheel, SbomPart("a-b", "1.0", plain), "me", ("you",))
    purl = "purl: {type: generic, namespace: n, name: m, version: v2, upstream: 'pkg:github/o/r@v1'}"
    found = build(purl, common).sbom
    assert found is not None
    assert found.wheel == SbomPart("m", "v2", "pkg:generic/n/m@v2?repository_url=https://r.test")
    assert found.upstream == SbomPart("r", "v1", "pkg:github/o/r@v1")
    assert build(purl).sbom is None


def test_undefined_names_count_for_the_variant_of_the_run_only():
    settings = "env: {A: x}\nvariants:\n  cuda:\n    env: {B: $A$CUDA_HOME}"
    assert customised(settings).variant == "cpu"
    message = "overrides/settings/a_b.yaml:4: B reads $CUDA_HOME, which is not defined"
    assert refused(settings, variant="cuda") == message
    assert "is no template" in refused("variants: {cuda: {env: {B: '${'}}}")


def test_one_error_names_the_first_fault_of_each_file():
    found = refused(
        "x: 1", "y: 1", **{"settings/c.yaml": "z: [", "patches/a-b-c/1.patch": ""} | {"settings/ .yaml": "{}"}
    )
    assert len(found.splitlines()) == 4
    assert "overrides/settings.yaml:1: unknown key 'y'" in found
    assert "overrides/settings/a_b.yaml:1: unknown key 'x'" in found


def test_two_files_about_one_distribution_are_refused():
    found = refused("{}", **{"settings/A-b.yaml": "{}"})
    assert found == "overrides/settings/A-b.yaml and overrides/settings/a_b.yaml are both about a-b"


def test_warnings_name_what_is_not_used():
    files = {"settings/c.yml": "x", "other.yaml": "x", "plugins/data.yaml": "x", "patches/1.patch": "x"}
    found = customised("build_options: {build_ext_parallel: true}", "packages: {}", **files)
    assert [warning.split(" ")[0] for warning in found.warnings] == [
        "overrides/settings.yaml:1:",
        "overrides/settings/a_b.yaml:1:",
        "overrides/patches/1.patch",
        "overrides/other.yaml",
        "overrides/settings/c.yml",
    ]


def test_a_node_whose_patches_are_for_others_is_warned_of():
    found = customised(**{"patches/a_b-2.0/1.patch": "x"})
    assert found.warnings_of(NODE) == ("patch 2.0 exists but will not be applied for version 1.0",)
    assert found.warnings_of(NodeKey("a-b", "2.0")) == ()
    assert found.customised() == {"a-b"}


def test_templates_that_come_out_read_only_what_hooks_have():
    env = build("env: {A: '${NONE:-x}'}", node=NodeKey("a-b", "1!2+c")).env
    assert env == (("A", "x"),)
    (value,) = (text for _, text in build("env: {A: $__version__}", node=NodeKey("a-b", "1!2+c")).env)
    assert string.Template(value).substitute() == "1!2+c"


def test_a_customisation_travels_with_the_inputs_of_a_run():
    inputs = RunInputs(customisation=Customisation("cuda", {"settings.yaml": b"\xff"}))
    assert decode_inputs(encode_inputs(inputs)) == inputs
    assert not inputs.empty
    assert RunInputs(customisation=Customisation("cuda")).empty
