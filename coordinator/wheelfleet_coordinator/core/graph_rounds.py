"""What may be built at the same moment, as rounds: each holds what needs nothing but earlier ones.

It shows the shape of a graph. No build waits for a round here: each starts once what it needs is there.
"""

from collections.abc import Collection
from graphlib import CycleError, TopologicalSorter

import msgspec
from packaging.version import Version

from wheelfleet_shared.errors import InputError

from .graph_reading import BUILD_KINDS, LinkedGraph


class Rounds(msgspec.Struct, frozen=True):
    """Keys, sorted within each part. exclusive: of nodes that are built alone, last among what could be built."""

    build_dependencies: tuple[str, ...]
    exclusive: tuple[str, ...]
    rounds: tuple[tuple[str, ...], ...]


def build_rounds(graph: LinkedGraph, exclusive: Collection[str] = ()) -> Rounds:
    """The rounds of all nodes; a node waits for its build requirements and what these install.

    exclusive: names of distributions whose builds take a machine to themselves. Raises InputError,
    naming the nodes, where builds need one another.
    """
    needs = {node.key: _environment(graph, node.key) for node in graph.distributions}
    required = {key for keys in needs.values() for key in keys}
    alone = {node.key for node in graph.distributions if node.name in exclusive}

    def rank(key: str) -> tuple[bool, str, Version]:
        return key not in required, graph.nodes[key].name, graph.nodes[key].version

    rounds = tuple(_rounds(needs, sorted(alone, key=rank)))
    return Rounds(tuple(sorted(required)), tuple(sorted(alone)), rounds)


def round_lines(found: Rounds) -> list[str]:
    """The report for people, which is fromager's."""
    lines = [f"Build dependencies ({len(found.build_dependencies)}):", f"{', '.join(found.build_dependencies)} ", ""]
    if found.exclusive:
        lines += [f"Exclusive builds ({len(found.exclusive)}):", f"{', '.join(found.exclusive)} ", ""]
    lines += ["Build rounds:", *(f"{number}. {', '.join(keys)}" for number, keys in enumerate(found.rounds, 1))]
    built = sum(map(len, found.rounds))
    return [*lines, "", f"Building {built} packages in {len(found.rounds)} rounds."]


def _environment(graph: LinkedGraph, key: str) -> list[str]:
    """What is installed where the node is built."""
    direct = [link.child for link in graph.out_of(key) if link.kind in BUILD_KINDS]
    return list(dict.fromkeys(found for child in direct for found in (child, *graph.install_closure(child))))


def _rounds(needs: dict[str, list[str]], alone: list[str]) -> list[tuple[str, ...]]:
    """All that is ready at a time; of those that are built alone the first, where nothing else is ready."""
    sorter = TopologicalSorter(needs)
    try:
        sorter.prepare()
    except CycleError as error:
        raise InputError(
            _cycle(error.args[1]), "give a wheel of one of them: pre_built in its settings file"
        ) from error
    rounds: list[tuple[str, ...]] = []
    ready: set[str] = set()
    while sorter.is_active():
        ready.update(sorter.get_ready())
        now = sorted(ready.difference(alone)) or [next(key for key in alone if key in ready)]
        rounds.append(tuple(now))
        sorter.done(*now)
        ready.difference_update(now)
    return rounds


def _cycle(keys: list[str]) -> str:
    """keys: each is needed by the one after it, the last is the first."""
    if len(keys) == 2:
        return f"what {keys[0]} needs to be built installs {keys[0]} itself"
    return f"these cannot be built, since each needs the next one for it: {' → '.join(reversed(keys))}"
