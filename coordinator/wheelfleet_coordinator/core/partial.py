"""What runs leave that go on after failures: a graph without what failed, and fromager's lists of failures."""

import datetime as dt
import re
from collections.abc import Collection, Sequence
from typing import Any, Final

import msgspec

from wheelfleet_shared.core import events as e

from .graph import Graph
from .graph_file import ROOT, ParsedGraph, file_order
from .indented_json import indented_json
from .node_result import NodeResult

_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
PARTIAL: Final = "partial-failures.json"
_CLASSES: Final = {"source": "SourceError", "backend": "BackendError", "policy": "PolicyError"}
"""What an error of a kind is called where fromager names the class of an exception."""


def failed_keys(results: Sequence[NodeResult]) -> frozenset[str]:
    """``name==version`` of each node that failed."""
    return frozenset(str(result.node) for result in results if result.status == "failed")


def without(graph: ParsedGraph, keys: Collection[str]) -> ParsedGraph:
    """The graph without these nodes and without whatever only they led to."""
    if not keys:
        return graph
    left = {
        key: msgspec.structs.replace(node, edges=tuple(edge for edge in node.edges if edge.key not in keys))
        for key, node in graph.nodes.items()
        if key == ROOT or key not in keys
    }
    return ParsedGraph({key: left[key] for key in file_order(left)})


def partial_failures(graph: Graph, results: Sequence[NodeResult]) -> str:
    """The text of partial-failures.json, by name; empty where nothing failed."""
    found = [_partial(str(result.node), result.node.version, *_told(result)) for result in _failed(results)]
    found += [_partial(_name(item), None, "resolve", "PolicyError", _reason(item)) for item in _unresolved(graph)]
    return _text(sorted(found, key=lambda entry: str(entry["name"])))


def failures_of_test_mode(graph: Graph, results: Sequence[NodeResult]) -> str:
    """The text of test-mode-failures-TIME.json; empty where nothing failed."""
    found = [
        _tried(result.node.name, result.node.version, kind, line, "bootstrap")
        for result in _failed(results)
        for _, kind, line in [_told(result)]
    ]
    found += [_tried(_name(item), None, "PolicyError", _reason(item), "resolution") for item in _unresolved(graph)]
    return _text(found)


def file_of_test_mode(ended: float) -> str:
    """The name of that file, which fromager makes of the time (seconds since the epoch) when all was done."""
    return f"test-mode-failures-{dt.datetime.fromtimestamp(ended, dt.UTC):%Y%m%d-%H%M%S-%f}.json"


def _failed(results: Sequence[NodeResult]) -> list[NodeResult]:
    return [result for result in results if result.status == "failed"]


def _told(result: NodeResult) -> tuple[str, str, str]:
    """Phase, class and message of a failure."""
    failure = result.failure or e.Failure("policy", "build", "it ended without a result")
    line = f"it needs {' → '.join(result.chain[1:])}" if len(result.chain) > 1 else failure.line
    return failure.phase, _CLASSES[failure.kind], line


def _unresolved(graph: Graph) -> list[e.RequirementUnresolvable]:
    items = {item.requirement: item for found in graph.unresolvable.values() for item in found}
    return [items[requirement] for requirement in sorted(items)]


def _name(item: e.RequirementUnresolvable) -> str:
    found = _NAME.match(item.requirement)
    return found.group() if found else item.requirement


def _reason(item: e.RequirementUnresolvable) -> str:
    return f"{item.requirement}: {item.reason}"


def _partial(name: str, version: str | None, phase: str, kind: str, line: str) -> dict[str, str | None]:
    said = f"failed during {phase} phase"
    return {"name": name, "version": version, "phase": said, "error_type": kind, "message": line}


def _tried(name: str, version: str | None, kind: str, line: str, step: str) -> dict[str, str | None]:
    return {
        "package": name,
        "version": version,
        "exception_type": kind,
        "exception_message": line,
        "failure_type": step,
    }


def _text(failures: list[dict[str, str | None]]) -> str:
    told: dict[str, Any] = {"failures": failures}
    return indented_json(told) + "\n" if failures else ""
