"""Whether what wheelfleet left in an output folder is what fromager made of the same requirements."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from fromager_program import Fromager
from graph_difference import Comparison, compare_graphs
from order_check import order_faults


class Results(NamedTuple):
    """The ``work-dir`` of a bootstrap."""

    folder: Path

    @property
    def graph(self) -> str:
        """The text of graph.json."""
        return (self.folder / "graph.json").read_text()

    @property
    def constraints(self) -> str:
        """The text of constraints.txt."""
        return (self.folder / "constraints.txt").read_text()

    @property
    def order(self) -> str:
        """The text of build-order.json."""
        return (self.folder / "build-order.json").read_text()


def require_agreement(ours: Results, graph: str, constraints: str) -> Comparison:
    """How much was compared with fromager's results; raises AssertionError with all differences."""
    compared = compare_graphs(ours.graph, graph)
    assert not compared.differences, "\n".join(compared.differences)
    assert ours.constraints.splitlines() == constraints.splitlines()
    assert order_faults(ours.order, ours.graph) == []
    return compared


def require_same_requirement_files(ours: Results, theirs: Results) -> int:
    """How many files of static, hook and install requirements are the same, to the byte."""
    paths = sorted(path.relative_to(ours.folder) for path in ours.folder.glob("*/*requirements.txt"))
    for path in paths:
        assert (ours.folder / path).read_text() == (theirs.folder / path).read_text(), path
    return len(paths)


def require_same_words(fromager: Fromager, ours: Path, theirs: Path, distributions: list[str], cwd: Path) -> int:
    """How many answers of fromager's graph commands were the same about both graph files."""
    commands = list(_commands(distributions))
    for command, *arguments in commands:
        about_ours, about_theirs = (
            fromager.run("graph", command, str(path), *arguments, cwd=cwd) for path in (ours, theirs)
        )
        assert about_ours.returncode == about_theirs.returncode, (command, arguments, about_ours.stderr)
        assert about_ours.stdout == about_theirs.stdout, (command, arguments)
    return len(commands)


def _commands(distributions: list[str]) -> Iterator[tuple[str, ...]]:
    for command in ("to-constraints", "explain-duplicates", "build-graph"):
        yield (command,)
    for name in distributions:
        yield ("why", name, "--depth", "-1")
