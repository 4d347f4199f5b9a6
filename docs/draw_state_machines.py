"""Writes ``reference/state-machines.md`` from the tables that the folds use: run it after each change of them."""
# ruff: noqa: INP001 - a script beside the pages that it makes, no part of a package

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from wheelfleet_shared.core.build import ENDED, GOOD, KEEPS_STATE, TRANSITIONS, Status
from wheelfleet_shared.core.file import FILE_TRANSITIONS, FileStatus

PAGE: Final = Path(__file__).parent / "reference" / "state-machines.md"
HEAD: Final = """\
# State machines

<!-- Made by docs/draw_state_machines.py from the tables in shared/wheelfleet_shared/core; do not edit. -->

Each picture is drawn from the table that the fold itself looks into, so it cannot differ from what happens.
An event that comes in any other state, from a role that may not append it, or under a fence that is not
current is counted and ignored. What the events say is in [Events](events.md).
"""
MANY: Final = 4
"""From this many states on, an arrow starts at a group of states instead of at each."""

Table = Mapping[type, tuple[frozenset[StrEnum], StrEnum]]


class Group(NamedTuple):
    """States that are drawn as one where an event is legal in (nearly) all of them."""

    id: str
    title: str
    states: frozenset[StrEnum]


BUILD_GROUPS: Final = (
    Group("any_open", "any open state", frozenset(Status) - ENDED - {Status.ABSENT}),
    Group("any_ended", "any ended state", frozenset(ENDED)),
)


def page() -> str:
    """The text of the page; equal tables give equal text."""
    lines = [HEAD, "## A build", ""]
    lines += diagram(TRANSITIONS, Status.ABSENT, BUILD_GROUPS)
    lines += [f"Ended states: {_words(ENDED)}. Those with a result: {_words(GOOD)}.", ""]
    kept = ", ".join(f"`{event.__name__}`" for event in KEEPS_STATE)
    lines += [f"Legal in every state of a build that was planned, and the build stays there: {kept}.", ""]
    lines += table(TRANSITIONS, Status)
    lines += ["", "## A file", "", "One file name of one index, at one revision.", ""]
    lines += diagram(FILE_TRANSITIONS, FileStatus.ABSENT, ())
    lines += table(FILE_TRANSITIONS, FileStatus)
    return "\n".join(lines) + "\n"


def diagram(transitions: Table, start: StrEnum, groups: Collection[Group]) -> Iterator[str]:
    """A mermaid state diagram; arrows between the same two states share one line."""
    arrows: dict[tuple[str, str], list[str]] = {}
    used: dict[str, Group] = {}
    for event, (sources, after) in transitions.items():
        group = _group_of(sources, groups)
        if group is not None:
            used[group.id] = group
            arrows.setdefault((group.id, after), []).append(event.__name__ + _but(group.states - sources))
            continue
        for source in _in_order(sources):
            arrows.setdefault(("[*]" if source is start else source, after), []).append(event.__name__)
    yield from ("```mermaid", "stateDiagram-v2")
    yield from (f'    state "{group.title}" as {group.id}' for group in used.values())
    yield from (f"    {source} --> {after}: {', '.join(events)}" for (source, after), events in arrows.items())
    yield from ("```", "")


def table(transitions: Table, states: type[StrEnum]) -> Iterator[str]:
    """Every event with the states that it is legal in, in full."""
    yield f"| event | legal in (of {len(states)} states) | state after |"
    yield "|---|---|---|"
    for event, (sources, after) in transitions.items():
        yield f"| [{event.__name__}](events.md#{event.__name__.lower()}) | {_words(sources)} | `{after}` |"


def _group_of(sources: frozenset[StrEnum], groups: Collection[Group]) -> Group | None:
    """The group that an event is legal in, but for one state at most."""
    if len(sources) < MANY:
        return None
    return next((item for item in groups if sources <= item.states and len(item.states - sources) <= 1), None)


def _but(states: Iterable[StrEnum]) -> str:
    return "".join(f" (not in {state})" for state in _in_order(states))


def _in_order(states: Iterable[StrEnum]) -> list[StrEnum]:
    """In the order of their definition, since sets have none."""
    wanted = set(states)
    return [state for kind in {type(state): None for state in wanted} for state in kind if state in wanted]


def _words(states: Iterable[StrEnum]) -> str:
    return ", ".join(f"`{state}`" for state in _in_order(states))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
