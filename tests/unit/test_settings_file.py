import pytest
from packaging.version import Version

from wheelfleet_coordinator.core.settings_file import distribution_of, read_distribution, read_global
from wheelfleet_coordinator.core.settings_schema import (
    BuildOptions,
    DistributionSettings,
    DownloadSettings,
    GitOptions,
    GlobalSettings,
    ProjectOverride,
    PurlSettings,
    ResolverSettings,
    SbomSettings,
    VariantSettings,
    WheelSettings,
)
from wheelfleet_shared.errors import InputError

EVERY_KEY = """\
annotations: {team: platform}
build_dir: python/./pkg/
changelog:
  "1.0": [first]
config_settings: {a: b, setup-args: ["-Dx=1", "-Dy=2"]}
env: {A: 1, B: 2.50, C: yes, D: " x ", E: "no"}
download_source: {url: "https://s.test/${version}", destination_filename: "${canonicalized_name}.zip"}
purl: {type: " GitHub ", namespace: n, name: m, version: v1, repository_url: "https://r.test", upstream: "pkg:a/b@1"}
resolver_dist:
  sdist_server_url: https://i.test/simple
  include_sdists: false
  include_wheels: "true"
  ignore_platform: on
  use_pypi_org_metadata: false
  min_release_age: 3
build_options: {build_ext_parallel: true, cpu_cores_per_job: 4, memory_per_job_gb: 2, exclusive_build: 1}
git_options: {submodules: true, submodule_paths: [vendor/a]}
project_override:
  update_build_requires: ["setuptools<80; python_version>'3'"]
  remove_build_requires: [Ninja_Build]
  requires_external: [openssl]
variants:
  cuda: {annotations: {a: b}, env: {A: "$A"}, wheel_server_url: "http://w.test/simple", pre_built: true}
expect: native
network: true
requires_labels: [gpu, big.memory]
requires_sandbox: true
epoch: 1700000000
"""
EVERY_SETTING = DistributionSettings(
    {"team": "platform"},
    "python/pkg",
    {Version("1.0"): ("first",)},
    {"a": "b", "setup-args": ("-Dx=1", "-Dy=2")},
    {"A": "1", "B": "2.5", "C": "1", "D": "x", "E": "no"},
    DownloadSettings("https://s.test/${version}", "${canonicalized_name}.zip"),
    PurlSettings("github", "n", "m", "v1", "https://r.test", "pkg:a/b@1"),
    ResolverSettings(
        "https://i.test/simple",
        include_sdists=False,
        include_wheels=True,
        ignore_platform=True,
        use_pypi_org_metadata=False,
        min_release_age=3,
    ),
    BuildOptions(build_ext_parallel=True, cpu_cores_per_job=4, memory_per_job_gb=2.0, exclusive_build=True),
    GitOptions(submodules=True, submodule_paths=("vendor/a",)),
    ProjectOverride(("setuptools<80; python_version>'3'",), ("ninja-build",), ("openssl",)),
    {"cuda": VariantSettings({"a": "b"}, {"A": "$A"}, "http://w.test/simple", pre_built=True)},
    "native",
    network=True,
    requires_labels=("gpu", "big.memory"),
    requires_sandbox="standard",
    epoch=1_700_000_000,
)


def settings_of(text: str) -> DistributionSettings:
    return read_distribution(text.encode(), "s.yaml").settings


def refused(text: str | bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        read_distribution(text if isinstance(text, bytes) else text.encode(), "s.yaml")
    return caught.value


def test_every_key_is_read():
    assert settings_of(EVERY_KEY) == EVERY_SETTING
    assert set(DistributionSettings.__struct_fields__) == {
        line.split(":")[0] for line in EVERY_KEY.splitlines() if line[0] != " "
    }


def test_every_global_key_is_read():
    text = """\
changelog: {cuda: [a, b], cpu: }
sbom: {supplier: me, namespace: "https://n.test", creators: [you], purl_type: Generic, repository_url: "https://r.test"}
wheels: {build_tag_hook: "my.hooks:tag"}
"""
    found = read_global(text.encode(), "settings.yaml")
    assert found.warnings == ()
    assert found.settings == GlobalSettings(
        {"cuda": ("a", "b"), "cpu": ()},
        SbomSettings("me", "https://n.test", ("you",), "generic", "https://r.test"),
        wheels=WheelSettings("my.hooks:tag"),
    )


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "{}", "null", "\ufeff{}\n"])
def test_an_empty_file_holds_the_defaults(text: str):
    assert settings_of(text) == DistributionSettings()


def test_keys_without_a_value_are_not_given():
    text = "env:\nvariants:\n  cpu:\nchangelog:\n  '1':\nbuild_dir:\npurl:\nresolver_dist: {min_release_age: }\n"
    expected = DistributionSettings(variants={"cpu": VariantSettings()}, changelog={Version("1"): ()})
    assert settings_of(text) == expected


def test_old_global_keys_and_those_without_effect_are_warned_of():
    text = "packages: {a: [1]}\npre_built: {cpu: [a]}\nexternal_commands: {keep_env: ['A*']}\n"
    packages, pre_built, commands = sorted(read_global(text.encode(), "g.yaml").warnings)
    assert packages.startswith("g.yaml:1: 'packages' is ignored")
    assert pre_built.startswith("g.yaml:2: 'pre_built' is ignored")
    assert commands.startswith("g.yaml:3: 'external_commands' has no effect")


def test_old_keys_are_only_old_in_the_outermost_mapping():
    assert "unknown key 'packages'" in refused("variants: {cpu: {packages: 1}}").what


def test_keys_without_effect_are_warned_of():
    text = "build_options:\n  build_ext_parallel: true\nresolver_dist:\n  use_pypi_org_metadata: true\n"
    text += "changelog:\n  '1+x': [a]\n"
    parallel, metadata, local = read_distribution(text.encode(), "s.yaml").warnings
    assert parallel.startswith("s.yaml:2: 'build_options.build_ext_parallel' has no effect")
    assert metadata.startswith("s.yaml:4: 'resolver_dist.use_pypi_org_metadata' has no effect")
    assert local.startswith("s.yaml:5: the changelog of 1+x has no effect")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("\nenviroment: {}", 2, "unknown key 'enviroment'"),
        ("variants:\n  cpu:\n    prebuilt: true", 3, "unknown key 'prebuilt' in 'variants.cpu'"),
        ("env: {A: 1}\nnetwork: true\nenv: {}", 3, "'env' stands twice, first in line 1"),
        ("env:\n  A: 1\n  A: 2", 3, "'env.A' stands twice, first in line 2"),
        ("changelog:\n  '1.0': [a]\n  '1.0.0': [b]", 3, "stands twice, once in another spelling of 1.0"),
        ("changelog:\n  1.0: [a]", 2, "has a key that is no text; write it in quotes"),
        ("env:\n  ? [a]\n  : 1", 2, "has a key that is no text"),
        ("changelog:\n  'x': [a]", 2, "'x' is no version"),
        ("changelog: {'1': a}", 1, "'changelog.1' must be a list"),
        ("changelog: {'1': [1]}", 1, "must be text, not 1; write it in quotes"),
        ("env: [a]", 1, "'env' must be a mapping"),
        ("- a", 1, "the file must be a mapping"),
        ("text", 1, "the file must be a mapping"),
        ("env: {1A: x}", 1, "'1A' cannot name an environment variable"),
        ("env: {__version__: x}", 1, "it cannot be set"),
        ("env: {A: }", 1, "must be text, not None"),
        ("env: {A: [x]}", 1, "must be one value, not a list"),
        ("env: {A: 2024-01-01}", 1, "must be plain text, not a timestamp"),
        ("env: {A: !!python/name:os.system x}", 1, "must be plain text, not a"),
        ("env: {A: !!int x}", 1, "cannot be read as int"),
        ("env: {A: !!bool x}", 1, "cannot be read as bool"),
        ("env: {A: !!int ''}", 1, "cannot be read as int"),
        ('env: {A: "a\\0b"}', 1, "holds a character"),
        ('env: {A: "\\ud800"}', 1, "holds a character"),
        ("build_dir: ../x", 1, "must be a folder inside the source"),
        ("build_dir: /x", 1, "must be a folder inside the source"),
        ("config_settings: {a: 1}", 1, "must be text, not 1"),
        ("config_settings: {a: {b: c}}", 1, "must be one value"),
        ("download_source: {url: 'https://s.test/${name}'}", 1, "reads 'name'; there are ${version}"),
        ("download_source: {url: 'https://s.test/$'}", 1, "cannot be filled in"),
        ("download_source: {url: 'https://u:p@s.test/'}", 1, "holds credentials"),
        ("download_source: {url: 'https://token@s.test/'}", 1, "holds credentials"),
        ("download_source: {url: 'https://[s.test/'}", 1, "is no URL"),
        ("download_source: {destination_filename: a/b}", 1, "must be a file's name without folders"),
        ("resolver_dist: {sdist_server_url: 'file:///a'}", 1, "must be an http or https URL"),
        (
            "resolver_dist: {ignore_platform: true}",
            1,
            "'resolver_dist' has ignore_platform, which needs include_wheels",
        ),
        ("resolver_dist: {include_sdists: false}", 1, "nothing is left"),
        ("resolver_dist: {min_release_age: -1}", 1, "must be a whole number from 0"),
        ("resolver_dist: {min_release_age: true}", 1, "must be a number, not True"),
        ("resolver_dist: {include_wheels: maybe}", 1, "must be true or false"),
        ("resolver_dist: {include_wheels: }", 1, "must be true or false, not None"),
        ("purl: {repository_url: example}", 1, "must be a URL"),
        ("purl: {upstream: example}", 1, "is no purl"),
        ("purl: {type: '7'}", 1, "is no type of a purl"),
        ("purl: pkg:pypi/a", 1, "'purl' must be a mapping"),
        ("build_options: {cpu_cores_per_job: 0}", 1, "must be a whole number from 1"),
        ("build_options: {cpu_cores_per_job: 1.5}", 1, "must be a whole number from 1"),
        ("build_options: {memory_per_job_gb: 0.01}", 1, "must be from 0.1"),
        ("build_options: {memory_per_job_gb: .inf}", 1, "must be a number"),
        ("build_options: {memory_per_job_gb: x}", 1, "must be a number"),
        (f"build_options: {{memory_per_job_gb: {'9' * 400}}}", 1, "must be a number"),
        ("project_override: {update_build_requires: ['a b']}", 1, "is no requirement"),
        ("project_override: {remove_build_requires: ['a b']}", 1, "is no name of a distribution"),
        ("project_override: {update_build_requires: a}", 1, "must be a list"),
        ("expect: fast", 1, "must be 'native', 'pure' or 'open'"),
        ("requires_labels: [a b]", 1, "is no label"),
        ("requires_sandbox: full", 1, "must be true, false"),
        ("epoch: 4294967296", 1, "must be a whole number"),
        ("a: b: c", 1, "is no YAML: mapping values"),
        ("env: {A: 1", 1, "is no YAML"),
        ("env: *nothing", 1, "is no YAML: found undefined alias"),
        ("a: 1\n---\nb: 2", 2, "is no YAML"),
        ("a: \x01", 1, "is no YAML"),
        (b"env:\n  A: \xff", 2, "is no UTF-8"),
        ("{a: " * 2_000, 1, "is nested too deeply"),
        ("&a {<<: *a}", 1, "merges itself"),
        ("env: {<<: 1}", 1, "must be a mapping"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(text: str | bytes, line: int, message: str):
    error = refused(text)
    assert error.what.startswith(f"s.yaml:{line}: ")
    assert message in error.what
    assert error.next_step


def test_the_nearest_key_is_named():
    assert refused("build_option: {}").next_step.startswith("did you mean 'build_options'? known are annotations,")
    assert refused("zzzz: {}").next_step.startswith("known are annotations,")


def test_very_long_text_is_refused():
    assert "longer than 1 MiB" in refused(b"#" * ((1 << 20) + 1)).what


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("external_commands: {delete_env: ['*', A]}", "'external_commands' lists more beside '*'"),
        ("external_commands: {keep_env: [A], delete_env: [A]}", "both keeps and deletes A"),
        ("external_commands: {keep_env: ['*']}", "is no variable's name"),
        ("wheels: {build_tag_hook: nothing}", "must be module:function"),
        ("changelog: [a]", "'changelog' must be a mapping"),
        ("sbom: {namespace: 'a b://c'}", "must be a URL"),
    ],
)
def test_global_settings_are_checked(text: str, message: str):
    with pytest.raises(InputError, match=r"settings\.yaml:1: ") as caught:
        read_global(text.encode(), "settings.yaml")
    assert message in caught.value.what


def test_anchors_and_merge_keys_work_as_in_yaml():
    text = """\
env: &common {A: "1", B: "2"}
variants:
  cpu: &cpu
    env: {<<: *common, B: "3"}
  cuda:
    <<: [{env: {C: "4"}}, *cpu]
    pre_built: true
  rocm: *cpu
"""
    found = settings_of(text).variants
    assert found["cpu"].env == found["rocm"].env == {"B": "3", "A": "1"}
    assert found["cuda"] == VariantSettings(env={"C": "4"}, pre_built=True)


def test_merges_that_double_each_other_cost_no_more_than_their_text():
    doubling = "".join(
        f"  v{number}: &v{number} {{<<: [*v{number - 1}, *v{number - 1}]}}\n" for number in range(1, 200)
    )
    found = settings_of(f"variants:\n  v0: &v0 {{pre_built: true}}\n{doubling}")
    assert found.variants["v199"].pre_built


def test_values_are_found_by_line():
    lines = read_distribution(b"\nenv:\n  A: 1\n", "s.yaml").lines
    assert lines.at("env", "A") == "s.yaml:3"
    assert lines.at("env", "B") == "s.yaml:2"
    assert lines.at("variants") == "s.yaml:1"


def test_a_file_is_about_the_distribution_that_its_name_says():
    assert distribution_of("zope_interface.yaml", "f") == "zope-interface"
    with pytest.raises(InputError, match=r"o/a b\.yaml: 'a b.yaml' names no distribution"):
        distribution_of("a b.yaml", "o/a b.yaml")


@pytest.mark.parametrize(
    ("text", "level"), [("true", "standard"), ("standard", "standard"), ("false", ""), ("none", "")]
)
def test_sandboxes_have_levels(text: str, level: str):
    assert settings_of(f"requires_sandbox: {text}").requires_sandbox == level


def test_a_source_in_git_comes_without_credentials_and_without_ssh():
    assert settings_of("download_source: {url: 'git+https://s.test/a@v${version}'}").download_source.url
    assert "credentials" in refused("download_source: {url: 'git+https://git:p@s.test/a'}").what
    assert "no ssh keys" in refused("download_source: {url: 'git+ssh://s.test/a'}").what
    assert "git+https" in refused("download_source: {url: 'ftp://s.test/a.zip'}").what
