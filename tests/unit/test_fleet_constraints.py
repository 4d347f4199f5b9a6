"""One constraints file for several targets."""

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

from wheelfleet_coordinator.core.fleet_constraints import TargetPins, fleet_constraints
from wheelfleet_shared.names import TargetId

BASE = {name: str(value) for name, value in default_environment().items()}


def target(python: str, machine: str, suffix: str = "", **pins: str) -> TargetPins:
    full = BASE | {"python_version": python, "python_full_version": f"{python}.0", "platform_machine": machine}
    return TargetPins(TargetId(f"cp{python.replace('.', '')}-linux_{machine}{suffix}"), full, pins)


def installed(text: str, on: TargetPins) -> dict[str, str]:
    """What an installer takes from the file on a target."""
    found = {}
    for line in text.splitlines():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(dict(on.environment)):
            assert requirement.name not in found
            found[requirement.name] = next(iter(requirement.specifier)).version
    return found


def test_what_all_share_has_no_marker_and_what_one_lacks_binds_the_others():
    both = [target("3.11", "x86_64", six="1.17.0", tomli="2.0"), target("3.13", "x86_64", six="1.17.0")]
    assert fleet_constraints(both).text == "six==1.17.0\ntomli==2.0\n"


@pytest.mark.parametrize(
    "targets",
    [
        [target("3.11", "x86_64", a="1"), target("3.13", "x86_64", a="2")],
        [target("3.11", "x86_64", a="1"), target("3.11", "aarch64", a="2")],
        [target("3.11", "x86_64", a="1"), target("3.11", "aarch64", a="2"), target("3.13", "x86_64", a="2")],
        [target("3.9", "x86_64", a="1"), target("3.10", "x86_64", a="2"), target("3.11", "x86_64", a="10")],
        [target("3.11", "x86_64", a="1", b="1"), target("3.13", "aarch64", a="2", c="1")],
    ],
)
def test_each_target_installs_its_own_versions(targets):
    found = fleet_constraints(targets)
    assert found.conflicts == ()
    for one in targets:
        shared = {name: version for name, version in installed(found.text, one).items() if name in one.pins}
        assert shared == one.pins


def test_the_shortest_marker_that_does_is_taken():
    found = fleet_constraints([target("3.11", "x86_64", a="1"), target("3.13", "aarch64", a="2")])
    assert found.text == 'a==1; python_version == "3.11"\na==2; python_version == "3.13"\n'


def test_targets_that_no_marker_tells_apart_are_refused_by_name_and_the_rest_is_written():
    floors = [target("3.11", "x86_64", "-glibc228", a="1", b="1"), target("3.11", "x86_64", "-glibc236", a="2", b="1")]
    found = fleet_constraints(floors)
    assert found.text == "b==1\n"
    assert found.conflicts == (
        f"a: no marker tells the targets of its versions apart: 1 on {floors[0].target}; 2 on {floors[1].target}",
    )
