"""Environments: newest first, within what the requirements and the wheels' own requirements allow."""

import pytest

from wheelfleet_coordinator.core.locks import Candidate, lock_environment
from wheelfleet_shared.core import events as e
from wheelfleet_shared.names import Sha256

ENVIRONMENT = {"python_version": "3.11", "os_name": "posix"}


def wheel(name: str, version: str, *requires: str) -> Candidate:
    file = e.FileRef(
        f"{name}-{version}-0-py3-none-any.whl", Sha256(f"{name}{version}".encode().hex().ljust(64, "0")), 1
    )
    return Candidate(name, version, file, requires)


def locked(static: tuple[str, ...], *candidates: Candidate, hook: tuple[str, ...] | None = None) -> dict[str, str]:
    found = lock_environment(static, hook, candidates, ENVIRONMENT)
    assert isinstance(found, e.EnvironmentLocked), found
    assert found.static is (hook is None)
    return {item.name: item.version for item in found.files}


def unsolvable(static: tuple[str, ...], *candidates: Candidate, hook: tuple[str, ...] | None = None) -> str:
    found = lock_environment(static, hook, candidates, ENVIRONMENT)
    assert isinstance(found, e.EnvironmentUnsolvable)
    return found.reason


@pytest.mark.rule("lock-3")
def test_the_newest_that_fits_all_is_taken():
    tools = [wheel("tool", version) for version in ("1.9", "1.10", "2.0")]
    assert locked(("tool",), *tools) == {"tool": "2.0"}
    assert locked(("tool<2",), *tools) == {"tool": "1.10"}
    app = wheel("app", "1.0", "tool<1.10")
    assert locked(("tool", "app"), app, *tools) == {"app": "1.0", "tool": "1.9"}


def test_only_what_is_needed_is_locked():
    assert locked((), wheel("tool", "1.0")) == {}
    chain = (wheel("a", "1", "b"), wheel("b", "1", "c"), wheel("c", "1", "a"), wheel("d", "1"))
    assert locked(("a",), *chain) == {"a": "1", "b": "1", "c": "1"}


@pytest.mark.rule("target-6")
def test_markers_are_judged_on_the_target():
    candidates = (wheel("a", "1", "b; os_name == 'nt'", "c; python_version > '3'"), wheel("b", "1"), wheel("c", "1"))
    assert locked(("a", "b; os_name == 'nt'"), *candidates) == {"a": "1", "c": "1"}


@pytest.mark.rule("lock-5")
def test_extras_bring_their_requirements_to_the_same_version():
    candidates = (wheel("a", "1", "b; extra == 'x'"), wheel("a", "2", "b; extra == 'x'"), wheel("b", "1"))
    assert locked(("a<2",), *candidates) == {"a": "1"}
    assert locked(("a[x]", "a<2"), *candidates) == {"a": "1", "b": "1"}


@pytest.mark.rule("lock-6")
def test_what_the_hook_asks_for_leaves_the_picks_in_whose_presence_it_answered():
    candidates = (wheel("tool", "1.0"), wheel("tool", "2.0"), wheel("extra", "1.0"))
    assert locked(("tool",), *candidates, hook=("extra",)) == {"tool": "2.0", "extra": "1.0"}
    assert locked(("tool",), *candidates, hook=()) == {"tool": "2.0"}


@pytest.mark.rule("lock-7")
def test_picks_are_free_again_where_the_hook_cannot_have_them():
    candidates = (wheel("tool", "1.0"), wheel("tool", "2.0"), wheel("extra", "1.0", "tool<2"))
    assert locked(("tool",), *candidates, hook=("extra",)) == {"tool": "1.0", "extra": "1.0"}


@pytest.mark.parametrize(("hook", "anew"), [(None, False), ((), False), (("leaf",), False), (("extra",), True)])
@pytest.mark.rule("lock-8")
def test_a_hook_is_asked_anew_only_where_what_it_saw_had_to_go(hook, anew):
    candidates = (wheel("tool", "1.0"), wheel("tool", "2.0"), wheel("extra", "1.0", "tool<2"), wheel("leaf", "1.0"))
    found = lock_environment(("tool",), hook, candidates, ENVIRONMENT)
    assert isinstance(found, e.EnvironmentLocked)
    assert found.anew is anew


@pytest.mark.parametrize(
    ("static", "line"),
    [
        (("tool!=2.0", "app"), "`tool!=2.0,<3`"),
        (("tool>=3", "app"), "`app!=1.0`"),
        (("tool>=3", "tool<3"), "contradict each other"),
        (("nowhere",), "contradict each other"),
    ],
)
@pytest.mark.rule("lock-10")
def test_a_conflict_comes_with_the_constraint_that_would_end_it(static, line):
    candidates = (wheel("tool", "2.0"), wheel("tool", "3.0"), wheel("app", "1.0", "tool<3"))
    found = lock_environment(static, None, candidates, ENVIRONMENT)
    assert isinstance(found, e.EnvironmentUnsolvable)
    assert line in found.hint


@pytest.mark.parametrize(
    ("static", "hook", "named"),
    [
        (("tool>2",), None, ["tool>2 (needed by the build)"]),
        (("tool>=2", "app"), None, ["tool>=2 (needed by the build)", "tool<2 (needed by app 1.0)"]),
        (("tool>=2",), ("app",), ["tool<2 (needed by app 1.0)"]),
        (("nowhere",), None, ["nowhere (needed by the build)"]),
    ],
)
@pytest.mark.rule("lock-9")
def test_a_conflict_names_both_sides(static, hook, named):
    candidates = (wheel("tool", "1.0"), wheel("tool", "2.0"), wheel("app", "1.0", "tool<2"))
    reason = unsolvable(static, *candidates, hook=hook)
    assert all(text in reason for text in named), reason


@pytest.mark.rule("lock-3")
def test_a_lock_does_not_depend_on_the_order_of_candidates():
    candidates = (wheel("a", "1", "b"), wheel("b", "1"), wheel("b", "2"))
    found = [lock_environment(("a",), None, order, ENVIRONMENT) for order in (candidates, candidates[::-1])]
    assert found[0] == found[1]
