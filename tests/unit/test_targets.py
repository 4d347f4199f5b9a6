import msgspec
import pytest
from packaging.requirements import Requirement
from packaging.tags import Tag

from wheelfleet_shared.core.targets import (
    TargetDefinition,
    evaluate_marker,
    neutral_environment,
    satisfies,
    supported_tags,
    target_id,
)
from wheelfleet_shared.errors import InputError, SourceError

MARKERS = {
    "implementation_name": "cpython",
    "implementation_version": "3.11.7",
    "os_name": "posix",
    "platform_machine": "s390x",
    "platform_python_implementation": "CPython",
    "platform_release": "",
    "platform_system": "Linux",
    "platform_version": "",
    "python_full_version": "3.11.7",
    "python_version": "3.11",
    "sys_platform": "linux",
}
TARGET = TargetDefinition(
    id=target_id("cp311", "s390x", "glibc"),
    implementation="cpython",
    python="3.11",
    abi="cp311",
    machine="s390x",
    libc="glibc",
    libc_floor="2.36",
    marker_environment=MARKERS,
    tags=("cp311-cp311-linux_s390x", "py3-none-any"),
)


def changed(**fields):
    return msgspec.structs.replace(TARGET, **fields)


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (("cp311", "x86_64", "glibc"), "cp311-linux_x86_64"),
        (("cp313t", "aarch64", "musl"), "cp313t-musllinux_aarch64"),
        (("pypy310_pp73", "x86_64", "glibc"), "pypy310_pp73-linux_x86_64"),
        (("cp311", "x86_64", "glibc", "glibc236"), "cp311-linux_x86_64-glibc236"),
    ],
)
@pytest.mark.rule("target-5")
def test_ids_name_abi_libc_and_machine(parts, text):
    assert target_id(*parts) == text


def test_an_id_must_fit_into_a_subject():
    with pytest.raises(InputError):
        target_id("cp311", "x86_64", "glibc", "a.b")


def test_tags_are_those_of_the_definition():
    assert supported_tags(TARGET) == {Tag("cp311", "cp311", "linux_s390x"), Tag("py3", "none", "any")}


@pytest.mark.parametrize(
    "offered",
    [
        TARGET,
        changed(libc_floor="2.9"),
        changed(tags=()),
        changed(marker_environment=MARKERS | {"python_full_version": "3.11.2", "implementation_version": "3.11.2"}),
        changed(marker_environment=MARKERS | {"platform_release": "6.1", "platform_version": "#1 SMP"}),
    ],
)
@pytest.mark.rule("target-1", "target-2")
def test_hosts_that_may_build_for_the_target(offered):
    assert satisfies(offered, TARGET)


@pytest.mark.parametrize(
    "offered",
    [
        changed(libc_floor="2.37"),
        changed(libc="musl"),
        changed(machine="x86_64"),
        changed(abi="cp311d"),
        changed(python="3.12"),
        changed(implementation="pypy"),
        changed(marker_environment=MARKERS | {"sys_platform": "darwin"}),
    ],
)
@pytest.mark.rule("target-4")
def test_hosts_that_may_not(offered):
    assert not satisfies(offered, TARGET)


@pytest.mark.parametrize(
    ("requirement", "extras", "applies"),
    [
        ("a", (), True),
        ("a; python_version >= '3.11'", (), True),
        ("a; platform_machine == 'x86_64'", (), False),
        ("a; extra == 'x'", (), False),
        ("a; extra == 'x'", ("x", "y"), True),
        ("a; extra == 'X_y'", ("x-y",), True),
        ("a; extra != 'x'", ("x", "y"), True),
        ("a; python_full_version == '3.11.7' and sys_platform != 'platform_release'", (), True),
    ],
)
@pytest.mark.rule("target-6")
def test_markers_see_the_target_and_each_extra(requirement, extras, applies):
    assert evaluate_marker(Requirement(requirement), MARKERS, frozenset(extras)) is applies


@pytest.mark.parametrize("name", ["platform_release", "platform_version"])
@pytest.mark.rule("target-3")
def test_markers_that_read_the_kernel_are_refused(name):
    with pytest.raises(SourceError, match=name):
        evaluate_marker(Requirement(f"a; {name} > '5' and extra == 'x'"), MARKERS, frozenset())


@pytest.mark.rule("target-1")
def test_a_kernel_leaves_no_trace_in_a_definition():
    host = MARKERS | {"platform_release": "6.1.0", "platform_version": "#1"}
    assert neutral_environment(host) == MARKERS
