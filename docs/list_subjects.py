"""Writes ``reference/subjects.md`` from the permissions of each role: run it after each change of them."""
# ruff: noqa: INP001 - a script beside the pages that it makes, no part of a package

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, get_args

from wheelfleet_shared.core.messages import AgentRequest, Query
from wheelfleet_shared.core.permissions import BLOG, LOG, Role, actor_of, permissions_of

PAGE: Final = Path(__file__).parent / "reference" / "subjects.md"
HEAD: Final = f"""\
# NATS subjects and permissions

<!-- Made by docs/list_subjects.py from shared/wheelfleet_shared/core; do not edit. -->

Who speaks is the last token of a subject, `<role>-<name>`, and the server lets nobody publish under a token
that is not his own: the token is proof of authorship. Identifiers in subjects are 1 to 48 of `a-z`, `0-9`,
`_` and `-`. All users are known to the server by the public half of an nkey.

| subject | carries | kept |
|---|---|---|
| `log.<aggregate kind>.<aggregate id>.<actor>` | [events](events.md) | stream `{LOG}`, for ever |
| `blog.<build>.<fence>.<actor>` | lines of a build log, while it is built | stream `{BLOG}`, bounded in size and age |
| `a.<what>.<actor>` | requests of agents to the coordinator | not |
| `q.<what>.<actor>` | questions of people and of the supervisor to the coordinator | not |
| `stop.<actor>` | notices to one agent | not |
| `_INBOX_<actor>.>` | answers to one actor | not |

Coordinators and the two streams have a NATS account of their own; everybody else has another, and reaches the
log through services that the first account exports. The reason is in
[the log](../explanation/log.md#who-may-append).
"""


def page() -> str:
    """The text of the page; equal definitions give equal text."""
    lines = [HEAD, "## Requests", ""]
    lines += ["What is asked under `a.` and `q.`. The kind of a request stands in its body, in `type`.", ""]
    lines += ["| under | kind | says |", "|---|---|---|"]
    for prefix, union in (("a", AgentRequest), ("q", Query)):
        lines += (f"| `{prefix}.` | `{kind.__name__}` | {_first_line(kind)} |" for kind in get_args(union))
    for role in get_args(Role):
        lines += _section(role)
    return "\n".join(lines) + "\n"


def _section(role: Role) -> Iterator[str]:
    granted = permissions_of(actor_of(role, "name"))
    yield from ("", f"## What `{role}-name` may do", "", "| | subjects |", "|---|---|")
    yield f"| publish | {_code(granted.publish)} |"
    yield f"| subscribe | {_code(granted.subscribe)} |"
    if granted.deny_publish:
        yield f"| never publish | {_code(granted.deny_publish)} |"
    if granted.deny_subscribe:
        yield f"| never subscribe | {_code(granted.deny_subscribe)} |"
    if granted.respond:
        yield "| answer | one message to the reply subject of each request that it received |"


def _code(subjects: Iterable[str]) -> str:
    return "<br>".join(f"`{subject}`" for subject in subjects)


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").strip().partition("\n")[0].replace("``", "`")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
