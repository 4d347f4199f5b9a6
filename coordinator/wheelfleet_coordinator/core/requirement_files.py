"""The requirements of each node as text files, where fromager keeps them."""

from collections.abc import Iterable, Iterator

from wheelfleet_shared.core import events as e
from wheelfleet_shared.names import NodeKey

from .edge_order import edge_order
from .graph import Arc, Graph, StageId

_HOOK_FILES: dict[e.EdgeKind, str] = {
    "build-backend": "build-backend-requirements.txt",
    "build-sdist": "build-sdist-requirements.txt",
}


def override_name(name: str) -> str:
    """A distribution's name as fromager spells it in folders."""
    return name.replace("-", "_")


def requirement_files(graph: Graph, *, sdist_only: bool = False) -> dict[str, str]:
    """Path below ``work-dir`` → text, of every stage that is resolved; empty files where nothing is required.

    A node that is required with several extras has the install requirements of the last one that
    the walk comes to, as with fromager.
    """
    last = edge_order(graph, sdist_only=sdist_only).last
    return {
        f"{override_name(key.name)}-{key.version}/{file}": _text(arcs)
        for key in sorted(graph.nodes)
        for file, arcs in _stages(graph, key, last.get(key, ()))
    }


def _stages(graph: Graph, key: NodeKey, extras: tuple[str, ...]) -> Iterator[tuple[str, Iterable[Arc]]]:
    system = graph.stages.get(StageId(key, "build-system"))
    if system is not None:
        yield "build-system-requirements.txt", system
    hook = graph.stages.get(StageId(key, "hook"))
    if hook is not None:
        for kind, file in _HOOK_FILES.items():
            yield file, [arc for arc in hook if arc.edge.kind == kind]
    install = graph.stages.get(StageId(key, "install", extras))
    if install is not None:
        yield "requirements.txt", install


def _text(arcs: Iterable[Arc]) -> str:
    return "".join(f"{line}\n" for line in sorted({arc.edge.requirement for arc in arcs}))
