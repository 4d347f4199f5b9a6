"""Whatever stands in settings and patches: they are read, or refused as the user's fault."""

import string
from collections.abc import Callable

from hypothesis import example, given, settings
from hypothesis import strategies as st

from wheelfleet_coordinator.core.customising import Customised
from wheelfleet_coordinator.core.env_template import Entry, reduce_env
from wheelfleet_coordinator.core.settings_file import read_distribution, read_global
from wheelfleet_coordinator.core.settings_schema import DistributionSettings
from wheelfleet_shared.core.bundle import Customisation
from wheelfleet_shared.core.recipe import HOOK_VARIABLES
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import NodeKey

KEYS = st.sampled_from(
    [
        *DistributionSettings.__struct_fields__,
        *(
            "cpu",
            "url",
            "pre_built",
            "type",
            "upstream",
            "min_release_age",
            "memory_per_job_gb",
            "update_build_requires",
        ),
        *(
            "sbom",
            "wheels",
            "external_commands",
            "delete_env",
            "creators",
            "build_tag_hook",
            "<<",
            "1.0",
            "A",
            "packages",
        ),
    ]
)
SCALARS = st.one_of(
    st.sampled_from(["", "~", "yes", "1", "1.5", ".nan", "-.inf", "0x1f", "1:30", "2024-01-01", "1e999", "*a", "&a x"]),
    st.sampled_from(
        ["!!int x", "!!bool x", "!!float ''", "!!binary x", "!!set {}", "!!timestamp x", "!x y", "!!null x"]
    ),
    st.sampled_from(["${version}", "$", "$(x)", "${A:-b}", "$PATH", "https://u@h/", "http://[", '"\\ud800"', '"\\0"']),
    st.text(max_size=12),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(st.tuples(KEYS, inner), max_size=4).map(
            lambda pairs: f"{{{', '.join(f'{k}: {v}' for k, v in pairs)}}}"
        ),
    ),
    max_leaves=8,
)
FILES = st.lists(st.tuples(KEYS, TREES), max_size=5).map(
    lambda pairs: "".join(f"{key}: {tree}\n" for key, tree in pairs)
)
ANY_TEXT = st.one_of(
    FILES.map(str.encode), st.text().map(lambda text: text.encode("utf-8", "surrogatepass")), st.binary()
)


@settings(deadline=None)
@given(ANY_TEXT)
@example(b"env: &a {<<: [*a, *a]}")
@example(b"%YAML 9.9\n---\n{}")
@example(b"env: {A: !!int " + b"9" * 5000 + b"}")
@example(b"? {a: b}\n: c")
def test_any_text_gives_settings_or_an_error_of_the_user(data: bytes):
    for fault in (refusal(read_global, data), refusal(read_distribution, data)):
        assert fault is None or fault.what.startswith("f")
        assert fault is None or fault.next_step


def refusal(read: Callable[[bytes, str], object], data: bytes) -> InputError | None:
    try:
        read(data, "f")
    except InputError as error:
        return error
    return None


NAMES = st.sampled_from(
    [
        "settings.yaml",
        "settings/a.yaml",
        "settings/ a.yaml",
        "settings/A.yaml",
        "patches/a-1/x.patch",
        "patches/a-b/x.patch",
    ]
)


@settings(deadline=None)
@given(st.dictionaries(NAMES, ANY_TEXT, max_size=3), st.sampled_from(["cpu", "A"]))
def test_what_is_read_makes_the_same_recipe_each_time(files: dict[str, bytes], variant: str):
    try:
        first = Customised.parse(Customisation(variant, files))
    except InputError:
        return
    second = Customised.parse(Customisation(variant, dict(reversed(files.items()))))
    for node in (NodeKey("a", "1.0"), NodeKey("a", "1!2.0rc1+local.1")):
        assert first.recipe_of(node) == second.recipe_of(node)
        assert first.download_source_of(node) == second.download_source_of(node)


TEMPLATES = st.lists(
    st.sampled_from(["$", "$$", "{", "}", "${A", ":-", "A", "${A}", "$B", "${__version__}", "$PATH", "é "])
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["A", "B", "PATH"]), TEMPLATES.map("".join)), max_size=4))
def test_reduced_templates_can_always_be_filled_in(entries: list[tuple[str, str]]):
    try:
        found = reduce_env([Entry(name, text, "f:1") for name, text in entries], "1.0")
    except InputError:
        return
    hooks = dict.fromkeys(HOOK_VARIABLES, "/")
    for _, text in found:
        string.Template(text).substitute(hooks)
