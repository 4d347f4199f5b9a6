import pytest

from wheelfleet_shared.core.permissions import (
    NOTICES,
    SERVICES,
    STREAMED_SERVICES,
    Permissions,
    actor_of,
    inbox_prefix,
    permissions_of,
    role_of,
)
from wheelfleet_shared.errors import InputError

AGENT, OPERATOR, VIEWER = actor_of("agent", "a1"), actor_of("operator", "ann"), actor_of("viewer", "vic")
COORDINATOR = actor_of("coordinator", "main")


def matches(pattern: str, subject: str) -> bool:
    wanted, given = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        return len(given) >= len(wanted) and matches(".".join(wanted[:-1]), ".".join(given[: len(wanted) - 1]))
    return len(wanted) == len(given) and all(w in {"*", g} for w, g in zip(wanted, given, strict=True))


def may_publish(permissions: Permissions, subject: str) -> bool:
    allowed = any(matches(pattern, subject) for pattern in permissions.publish)
    return allowed and not any(matches(pattern, subject) for pattern in permissions.deny_publish)


@pytest.mark.parametrize("actor", [COORDINATOR, AGENT, OPERATOR, VIEWER])
def test_nobody_speaks_as_somebody_else(actor):
    mine = permissions_of(actor)
    other = f"{role_of(actor)}-other"
    spoken = [f"{kind}.x.y.{other}" for kind in ("log", "blog")] + [f"{kind}.x.{other}" for kind in ("a", "q")]
    assert not [subject for subject in spoken if may_publish(mine, subject)]


@pytest.mark.parametrize("actor", [COORDINATOR, AGENT, OPERATOR, VIEWER])
def test_everybody_hears_the_own_inbox_and_nobody_elses(actor):
    heard = permissions_of(actor).subscribe
    assert any(matches(pattern, f"{inbox_prefix(actor)}.abc.def") for pattern in heard)
    assert not [pattern for pattern in heard if matches(pattern, f"{inbox_prefix(actor)}x.abc.def")]
    assert ">" not in heard


@pytest.mark.parametrize(
    ("actor", "kinds"),
    [
        (AGENT, {"agent", "build", "target"}),
        (OPERATOR, {"agent", "build", "file", "run"}),
        (VIEWER, set()),
        (COORDINATOR, {"agent", "build", "file", "graph", "page", "run", "source", "target"}),
    ],
)
def test_each_role_appends_to_its_kinds_of_aggregate(actor, kinds):
    every = {"agent", "build", "file", "graph", "page", "run", "source", "target"}
    assert {kind for kind in every if may_publish(permissions_of(actor), f"log.{kind}.x.{actor}")} == kinds


def test_the_log_cannot_be_changed_by_anybody():
    verbs = ("DELETE", "PURGE", "UPDATE", "MSG.DELETE", "RESTORE", "PEER.REMOVE")
    for actor in (COORDINATOR, AGENT, OPERATOR, VIEWER):
        mine = permissions_of(actor)
        assert not [verb for verb in verbs if may_publish(mine, f"$JS.API.STREAM.{verb}.LOG")]
    assert may_publish(permissions_of(COORDINATOR), "$JS.API.STREAM.CREATE.LOG")
    assert may_publish(permissions_of(COORDINATOR), "$JS.API.STREAM.PURGE.BLOG")


def test_all_that_the_outer_roles_may_say_reaches_the_coordinators():
    exported = (*SERVICES, *STREAMED_SERVICES)
    for actor in (AGENT, OPERATOR, VIEWER):
        for pattern in permissions_of(actor).publish:
            example = pattern.replace("*", "x").replace(">", "x.y")
            assert any(matches(service, example) for service in exported), pattern
    assert any(matches(notice, f"stop.{AGENT}") for notice in NOTICES)


@pytest.mark.parametrize("name", ["", "A", "a.b", "a*", "a>", "a b", "x" * 48])
def test_names_that_are_no_token_are_refused(name):
    with pytest.raises(InputError, match="cannot name an actor"):
        actor_of("agent", name)


@pytest.mark.parametrize("actor", ["agent", "agent-", "root-a", "", "agent-a.b"])
def test_tokens_without_a_role_are_refused(actor):
    with pytest.raises(InputError):
        permissions_of(actor)
