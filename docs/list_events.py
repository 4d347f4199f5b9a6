"""Writes ``reference/events.md`` from the definitions of the events: run it after each change of them."""
# ruff: noqa: INP001 - a script beside the pages that it makes, no part of a package

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, get_args

from wheelfleet_shared.core import build_events, event_base, file_events, run_events
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import KEEPS_STATE, TRANSITIONS
from wheelfleet_shared.core.file import FILE_TRANSITIONS
from wheelfleet_shared.core.roles import ALLOWED

PAGE: Final = Path(__file__).parent / "reference" / "events.md"
HEAD: Final = """\
# Events

<!-- Made by docs/list_events.py from the modules that shared/wheelfleet_shared/core/events.py gathers; do not edit. -->

An event is one message of the stream `LOG`, under the subject `log.<aggregate kind>.<aggregate id>.<actor>`.
Its body is JSON, an envelope around the event:

| field | holds |
|---|---|
| `id` | a random message id, made by the writer; an append that is tried again uses it again |
| `at` | seconds since the Unix epoch, UTC, by the writer's clock; for people, no decision rests on it |
| `cause` | sequence of the event that led to this one, 0 for none |
| `v` | version of the event's schema |
| `event` | the event: its kind in `type`, and its fields; fields that have their default are left out |

An event of a kind that the reader does not know is kept byte for byte, and every fold skips it. An event
that its actor's role may not append, or that is not legal where its aggregate stands, changes nothing but a
counter. Which states those are is in [the state machines](state-machines.md).
"""


class Kind(NamedTuple):
    """One kind of aggregate: what its id is, and the union of its events."""

    name: str
    identity: str
    union: object


KINDS: Final = (
    Kind("run", "the run: 13 characters that sort by the time of submission", e.RunEvent),
    Kind("graph", "digest of run and target", e.GraphEvent),
    Kind("source", "digest of the upstream URL and the promised sha256", e.SourceEvent),
    Kind("build", "digest of build key and target", e.BuildEvent),
    Kind("file", "digest of index, file name and revision", e.FileEvent),
    Kind("page", "digest of index and project", e.PageEvent),
    Kind("agent", "the agent's actor token", e.AgentEvent),
    Kind("target", "the target", e.TargetEvent),
)


class Definition(NamedTuple):
    """A class as its source states it; fields as (name, type, default or empty)."""

    name: str
    text: str
    fields: tuple[tuple[str, str, str], ...]


def page() -> str:
    """The text of the page; equal definitions give equal text."""
    sources = (inspect.getsource(part) for part in (event_base, run_events, build_events, file_events))
    tree = ast.parse("\n".join(sources))
    found = {item.name: _definition(item) for item in tree.body if isinstance(item, ast.ClassDef)}
    events = {kind.__name__ for group in KINDS for kind in members(group)}
    values = [found[name] for name in found if name not in events and name != "EventBase"]
    parts = [HEAD, *_contents(), *(line for kind in KINDS for line in _section(kind, found))]
    parts += ["", "## Values inside events", ""]
    for value in values:
        parts += [f"### {value.name}", "", value.text, "", *_table(value)]
    parts += ["## Names of sets of words", "", "| name | words |", "|---|---|", *_words(tree)]
    return "\n".join(parts).rstrip() + "\n"


def members(kind: Kind) -> tuple[type, ...]:
    """The events of a kind of aggregate, in the order of their union."""
    return tuple(get_args(kind.union)) or (kind.union,)  # type: ignore[return-value]  # a union of one is its member


def _definition(item: ast.ClassDef) -> Definition:
    fields = tuple(
        (line.target.id, ast.unparse(line.annotation), ast.unparse(line.value) if line.value is not None else "")
        for line in item.body
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
    )
    return Definition(item.name, (ast.get_docstring(item) or "").replace("``", "`"), fields)


def _contents() -> Iterator[str]:
    yield "| aggregate | its id | its events |"
    yield "|---|---|---|"
    for kind in KINDS:
        links = ", ".join(f"[{event.__name__}](#{event.__name__.lower()})" for event in members(kind))
        yield f"| [{kind.name}](#{kind.name}-events) | {kind.identity} | {links} |"


def _section(kind: Kind, found: dict[str, Definition]) -> Iterator[str]:
    yield from ("", f"## {kind.name.capitalize()} events", "")
    for event in members(kind):
        definition = found[event.__name__]
        roles = ", ".join(sorted(role for role, allowed in ALLOWED.items() if event in allowed))
        yield from (f"### {definition.name}", "", definition.text, "")
        yield from (f"Appended by: {roles}.{_effect(event)}", "")
        yield from _table(definition)


def _effect(event: type) -> str:
    transition = TRANSITIONS.get(event) or FILE_TRANSITIONS.get(event)
    if transition is not None:
        return f" State after it: `{transition[1]}`."
    return " Leaves the state as it is." if event in KEEPS_STATE else ""


def _table(definition: Definition) -> Iterator[str]:
    if not definition.fields:
        yield from ("No fields.", "")
        return
    yield from ("| field | type | default |", "|---|---|---|")
    for name, kind, default in definition.fields:
        yield f"| `{name}` | {_code(kind)} | {_code(default)} |"
    yield ""


def _code(text: str) -> str:
    escaped = text.replace("|", "\\|")
    return f"`{escaped}`" if text else "required"


def _words(tree: ast.Module) -> Iterator[str]:
    for item in tree.body:
        if isinstance(item, ast.Assign) and isinstance(item.value, ast.Subscript):
            words = ", ".join(f"`{word}`" for word in ast.literal_eval(item.value.slice))
            yield f"| `{ast.unparse(item.targets[0])}` | {words} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
