import string
from pathlib import Path

import pytest

from wheelfleet_agent.core.hook_environment import HookSettings, Places, hook_environment
from wheelfleet_coordinator.core.env_template import Entry, check_template, reduce_env
from wheelfleet_shared.errors import InputError

HOST = {"PATH": "/bin", "HOME": "/home", "MAKEFLAGS": "-j4"}


def reduced(*entries: tuple[str, str], version: str = "1.2") -> dict[str, str]:
    found = reduce_env(
        [Entry(name, text, f"s.yaml:{number}") for number, (name, text) in enumerate(entries, 1)], version
    )
    return {name: string.Template(text).substitute(HOST) for name, text in found}


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("plain", "plain"),
        ("", ""),
        ("$PATH:${HOME}", "/bin:/home"),
        ("${__version__}-$__version__", "1.2-1.2"),
        ("${NONE:-a:b/c}", "a:b/c"),
        ("${NONE:-}", ""),
        ("${NONE:-a} $NONE", "a a"),
        ("${NONE:-a}${NONE:-b}", "ab"),
        ("${PATH:-unused}", "/bin"),
        ("${__version__:-unused}", "1.2"),
        ("$$PATH $${HOME} $$", "$PATH ${HOME} $"),
        ("$$${HOME}", "$/home"),
    ],
)
def test_templates_are_filled_in(template: str, value: str):
    assert reduced(("A", template)) == {"A": value}


def test_a_value_may_read_those_before_it_and_its_own_former_one():
    found = reduced(("B", "$$x"), ("A", "<$B>"), ("PATH", "/opt:$PATH"), ("A", "$A!$PATH"))
    assert found == {"B": "$x", "A": "<$x>!/opt:/bin", "PATH": "/opt:/bin"}


def test_variables_come_by_name_whatever_the_order_of_the_file():
    assert reduce_env([Entry("B", "1", ""), Entry("A", "2", "")], "1") == (("A", "2"), ("B", "1"))


def test_an_undefined_name_is_refused_with_its_place_and_what_is_defined():
    with pytest.raises(InputError, match=r"s.yaml:2: B reads \$CC, which is not defined") as caught:
        reduced(("A", "1"), ("B", "$CC"))
    assert "${CC:-default}" in caught.value.next_step
    assert "A, CARGO" in caught.value.next_step


def test_a_later_name_is_not_defined_yet():
    with pytest.raises(InputError, match="not defined"):
        reduced(("A", "$B"), ("B", "1"))


@pytest.mark.parametrize(
    "template",
    ["$", "a$ b", "${", "${A", "${A-b}", "${1}", "$1", "${}", "${A:-$B}", "${A:-${B}}", "$é", "ok $PATH ${!"],
)
def test_what_is_no_template_is_refused(template: str):
    with pytest.raises(InputError, match=r"f:1: A = .* is no template"):
        check_template(Entry("A", template, "f:1"))


@pytest.mark.parametrize("template", ["$(date)", "$$(date)"])
def test_no_shell_runs(template: str):
    with pytest.raises(InputError, match="no shell"):
        check_template(Entry("A", template, "f:1"))


def test_values_that_double_each_other_are_stopped():
    doubling = [("A0", "x" * 64), *((f"A{number}", f"$A{number - 1}$A{number - 1}") for number in range(1, 40))]
    with pytest.raises(InputError, match="A12 becomes longer than 128 KiB"):
        reduced(*doubling)


def test_hooks_fill_in_what_is_left():
    here = Path("/here")
    found = reduce_env([Entry("PATH", "/opt:$PATH", ""), Entry("A", "$$$MAX_JOBS ${PATH} ${__version__}", "")], "1!2")
    variables = hook_environment(HookSettings(0, 3, variables=dict(found)), Places((here,), here, here, here))
    assert variables["PATH"] == "/opt:/here"
    assert variables["A"] == "$3 /opt:/here 1!2"
