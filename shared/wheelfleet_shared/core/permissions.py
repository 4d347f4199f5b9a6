"""Who may say and hear what on the message bus; the server enforces it, the folds rely on it.

An actor is the last token of every subject that it writes, so a permission on that token is a proof
of authorship. Answers to an actor arrive under an inbox prefix of its own, which nobody else can
listen to.

The asker chooses where an answer goes, and the server does not ask whether it may publish there:
whoever could read one event with ``log.file.…coordinator-main`` for a reply subject would append it in a
coordinator's name. So the log lives in an account with the coordinators alone; all others have
another account and reach it through ``SERVICES``, and answers come back into their account.
"""

from typing import Literal, get_args

import msgspec

from ..errors import InputError
from ..names import Actor, is_identifier

Role = Literal["coordinator", "agent", "operator", "viewer"]

LOG = "LOG"
"""The stream of events, over ``log.>``."""
BLOG = "BLOG"
"""The stream of build log lines, over ``blog.<build>.<fence>.<actor>``."""

SERVICES = (
    "log.*.*.*",
    "blog.*.*.*",
    "a.*.*",
    "q.*.*",
    "$JS.API.INFO",
    "$JS.API.STREAM.INFO.*",
    "$JS.API.CONSUMER.CREATE.*.>",
    "$JS.API.CONSUMER.INFO.*.*",
)
"""What can be asked across the accounts, with one answer; who may ask is in the permissions."""
STREAMED_SERVICES = ("$JS.API.CONSUMER.MSG.NEXT.*.*", "$JS.API.DIRECT.GET.*", "$JS.API.DIRECT.GET.*.>")
"""The same with many answers."""
NOTICES = ("stop.*",)
"""What coordinators say unasked."""

_DESTRUCTIVE = ("DELETE", "PURGE", "MSG.DELETE", "UPDATE", "RESTORE", "PEER.REMOVE")


class Permissions(msgspec.Struct, frozen=True):
    """Subjects that an actor may publish and subscribe to; what is not allowed is refused.

    respond: may publish one answer to the reply subject of each request that it received.
    """

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    deny_publish: tuple[str, ...] = ()
    deny_subscribe: tuple[str, ...] = ()
    respond: bool = False


def actor_of(role: Role, name: str) -> Actor:
    """The actor token ``<role>-<name>``; raises InputError where it cannot be a token of a subject."""
    actor = f"{role}-{name}"
    if role not in get_args(Role) or not name or not is_identifier(actor):
        raise InputError(
            f"{actor!r} cannot name an actor", "use a role and a name of a-z, 0-9, _ and -, 48 characters at most"
        )
    return Actor(actor)


def role_of(actor: Actor) -> Role:
    """The role that an actor token starts with; raises InputError where there is none."""
    for role in get_args(Role):
        if actor.startswith(f"{role}-") and len(actor) > len(role) + 1 and is_identifier(actor):
            return role  # type: ignore[no-any-return]  # get_args does not keep the type
    raise InputError(f"{actor!r} is no actor", f"an actor is one of {', '.join(get_args(Role))}, a hyphen and a name")


def inbox_prefix(actor: Actor) -> str:
    """Where answers to this actor arrive; no other actor may subscribe there."""
    return f"_INBOX_{actor}"


def permissions_of(actor: Actor, *, shown: Actor | None = None) -> Permissions:
    """All that the actor's role lets it do; raises InputError where the token has no role.

    shown: what stands for the actor in subjects, where a server is to put the actor there itself.
    """
    return _OF_ROLE[role_of(actor)](shown or actor)


def _coordinator(actor: Actor) -> Permissions:
    return Permissions(
        publish=(
            *(f"{kind}.*.*.{actor}" for kind in ("log", "blog")),
            *(f"{kind}.*.{actor}" for kind in ("a", "q")),
            "stop.*",
            "$JS.API.>",
            "$JS.ACK.>",
            "$JS.FC.>",
            "$KV.>",
        ),
        subscribe=(f"{inbox_prefix(actor)}.>", "log.>", "blog.>", "a.*.*", "q.*.*", "stop.*", "$JS.EVENT.>", "$KV.>"),
        # No deny_delete of a stream survives an update of its configuration, so updates are denied too.
        deny_publish=tuple(f"$JS.API.STREAM.{verb}.{LOG}" for verb in _DESTRUCTIVE),
        respond=True,
    )


def _agent(actor: Actor) -> Permissions:
    return Permissions(
        publish=(
            *(f"log.{kind}.*.{actor}" for kind in ("agent", "build", "target")),
            f"blog.*.*.{actor}",
            f"a.*.{actor}",
        ),
        subscribe=(f"{inbox_prefix(actor)}.>", f"stop.{actor}"),
    )


def _operator(actor: Actor) -> Permissions:
    appends = tuple(f"log.{kind}.*.{actor}" for kind in ("agent", "build", "file", "run"))
    viewer = _viewer(actor)
    return msgspec.structs.replace(viewer, publish=(*appends, *viewer.publish))


def _viewer(actor: Actor) -> Permissions:
    return Permissions(
        publish=(f"q.*.{actor}", "$JS.API.INFO", *_reading(LOG), *_reading(BLOG)),
        subscribe=(f"{inbox_prefix(actor)}.>",),
    )


def _reading(stream: str) -> tuple[str, ...]:
    return (
        f"$JS.API.STREAM.INFO.{stream}",
        f"$JS.API.CONSUMER.CREATE.{stream}.>",
        f"$JS.API.CONSUMER.INFO.{stream}.*",
        f"$JS.API.CONSUMER.MSG.NEXT.{stream}.*",
        f"$JS.API.DIRECT.GET.{stream}",
        f"$JS.API.DIRECT.GET.{stream}.>",
    )


_OF_ROLE = {"coordinator": _coordinator, "agent": _agent, "operator": _operator, "viewer": _viewer}
