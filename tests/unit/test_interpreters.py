from pathlib import Path

import msgspec
import pytest

from wheelfleet_agent.core.interpreters import InterpreterFacts, define_target
from wheelfleet_shared.errors import InputError

MARKERS = {
    "implementation_name": "cpython",
    "python_version": "3.11",
    "platform_release": "6.1",
    "platform_version": "#1",
}
X86_64 = InterpreterFacts(
    prefix=Path("/usr"),
    marker_environment=MARKERS,
    tags=("cp311-cp311-manylinux_2_36_x86_64", "cp311-cp311-manylinux_2_35_x86_64", "cp311-cp311-linux_x86_64"),
    platform="linux-x86_64",
    pointer_size=8,
    byte_order="little",
    headers=True,
    programs=("gcc",),
)


def facts(**changes):
    return msgspec.structs.replace(X86_64, **changes)


@pytest.mark.rule("target-1", "target-4")
def test_machine_and_libc_come_from_the_tags():
    target = define_target(X86_64)
    assert (target.id, target.libc, target.libc_floor) == ("cp311-linux_x86_64", "glibc", "2.36")
    assert target.marker_environment["platform_release"] == target.marker_environment["platform_version"] == ""


@pytest.mark.rule("target-4")
def test_musl_is_another_target():
    target = define_target(facts(tags=("cp311-cp311-musllinux_1_2_x86_64", "cp311-cp311-linux_x86_64")))
    assert (target.id, target.libc, target.libc_floor) == ("cp311-musllinux_x86_64", "musl", "1.2")


def test_a_python_that_would_mis_tag_its_wheels_is_refused():
    i386 = facts(tags=("cp311-cp311-manylinux_2_36_i686",), pointer_size=4)
    with pytest.raises(InputError, match="linux32"):
        define_target(i386)
    assert define_target(msgspec.structs.replace(i386, platform="linux-i686")).id == "cp311-linux_i686"


def test_an_unknown_libc_is_refused():
    with pytest.raises(InputError, match="neither"):
        define_target(facts(tags=("cp311-cp311-linux_x86_64",)))
