"""What settings say to the choice of versions and files."""

import msgspec
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from wheelfleet_coordinator.core.candidates import Candidate
from wheelfleet_coordinator.core.customised_choice import Ages, has_source, index_of, sought_for, source_of
from wheelfleet_coordinator.core.customising import Customised
from wheelfleet_shared.core.bundle import Customisation
from wheelfleet_shared.names import NodeKey

DAY = 86_400.0
NODE = NodeKey("tool", "2.0")
LISTED = Candidate(
    "tool-2.0.tar.gz", canonicalize_name("tool"), "2.0", "sdist", "https://a.example/tool-2.0.tar.gz", "ab"
)


def settings(text: str = "{}") -> Customised:
    return Customised.parse(Customisation("cpu", {"settings/tool.yaml": text.encode()}))


def sought(text: str = "{}", asked: str = "tool", kind: str = "install", ages: Ages = Ages(100 * DAY, 7, 0)):
    return sought_for(Requirement(asked), kind, settings(text), ages)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "asked", "kind", "newest"),
    [
        ("{}", "tool", "install", 93 * DAY),
        ("{}", "tool==2.0", "toplevel", None),
        ("{}", "tool==2.*", "toplevel", 93 * DAY),
        ("{}", "tool==2.0", "install", 93 * DAY),
        ("resolver_dist: {min_release_age: 0}", "tool", "install", None),
        ("resolver_dist: {min_release_age: 30}", "tool", "install", 70 * DAY),
    ],
)
def test_the_least_age_is_the_settings_or_the_runs_and_pins_of_users_have_none(text, asked, kind, newest):
    assert sought(text, asked, kind).newest == newest


def test_the_greatest_age_counts_from_the_submission():
    assert sought(ages=Ages(100 * DAY, 0, 10)).oldest == 90 * DAY


def test_kinds_of_files_are_the_settings_and_a_prebuilt_one_comes_from_wheels():
    assert sought().kinds == {"sdist"}
    both = sought("resolver_dist: {include_wheels: true, ignore_platform: true}")
    assert (both.kinds, both.ignore_platform) == ({"sdist", "wheel"}, True)
    assert sought("variants: {cpu: {pre_built: true}}").kinds == {"wheel"}


def test_versions_are_found_on_the_index_that_the_settings_name():
    assert index_of("tool", settings()) == ""
    assert index_of("tool", settings("resolver_dist: {sdist_server_url: 'https://b.example/simple'}")).startswith(
        "https://b"
    )
    wheels = settings("variants: {cpu: {pre_built: true, wheel_server_url: 'https://w.example/simple'}}")
    assert index_of("tool", wheels).startswith("https://w.example")


def test_a_source_may_come_from_elsewhere_and_nobody_promises_its_bytes():
    override = settings("download_source: {url: 'https://c.example/v${version}.zip', destination_filename: 'tool.zip'}")
    found = source_of(LISTED, NODE, override, stated=False)
    assert found == ("https://c.example/v2.0.zip", "tool.zip", "", "override")
    assert source_of(LISTED, NODE, override, stated=True).url == LISTED.url
    assert source_of(LISTED, NODE, settings(), stated=False) == (LISTED.url, LISTED.file_name, "ab", "sdist")


def test_a_wheel_of_a_saved_order_is_prebuilt_whatever_settings_say():
    wheel = Candidate(
        "tool-2.0-py3-none-any.whl", canonicalize_name("tool"), "2.0", "wheel", "https://a.example/w", "ab"
    )
    assert source_of(wheel, NODE, settings(), stated=True).type == "prebuilt"
    assert source_of(wheel, NODE, settings("variants: {cpu: {pre_built: true}}"), stated=False).type == "prebuilt"


def test_a_wheel_tells_of_a_version_but_is_no_source():
    wheel = msgspec.structs.replace(LISTED, kind="wheel")
    assert has_source(LISTED, NODE, settings())
    assert not has_source(wheel, NODE, settings("download_source: {destination_filename: a.tar.gz}"))
    assert has_source(wheel, NODE, settings("download_source: {url: 'https://a.test/t.tar.gz'}"))
    assert has_source(wheel, NODE, settings("variants: {cpu: {pre_built: true}}"))
