"""The first format of fromager's graph files, turned into today's: lists of requirements by node."""

from typing import Any

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelfleet_shared.core.events import EdgeKind
from wheelfleet_shared.errors import InputError

from .graph_file import ROOT, ParsedEdge, ParsedGraph, ParsedNode, file_order

_Requirement = tuple[EdgeKind, str, str, str]
"""Kind, name, version, and the requirement as its parent states it."""


def migrated(content: bytes, origin: str) -> ParsedGraph:
    """The graph in today's format; where sources come from and what was constrained, the old one does not tell.

    Raises InputError for a file in today's format, and for what is no graph file.
    """
    try:
        old = msgspec.json.decode(content, type=dict[str, Any])
        if any(isinstance(value, dict) for value in old.values()):
            raise InputError(f"{origin} is in today's format already", "use it as it is")
        requirements = msgspec.convert(old, dict[str, list[_Requirement]])
        return _graph(requirements)
    except (msgspec.MsgspecError, InvalidRequirement, InvalidVersion) as error:
        what = str(error).splitlines()[0]
        raise InputError(f"{origin} is no graph file of the old format: {what}", "give a graph.json") from error


def _graph(old: dict[str, list[_Requirement]]) -> ParsedGraph:
    nodes: dict[str, ParsedNode] = {}
    stack = [(ROOT, _node(ROOT, "0"))]
    while stack:
        old_key, node = stack.pop()
        key = _key(node)
        if key in nodes:
            continue
        children = []
        for kind, name, version, requirement in old.get(old_key, []):
            child = _node(canonicalize_name(Requirement(requirement).name), str(Version(version)))
            children.append(ParsedEdge(_key(child), kind, str(Requirement(requirement))))
            stack.append((f"{name}=={version}", child))
        nodes[key] = msgspec.structs.replace(node, edges=tuple(children))
    return ParsedGraph({key: nodes[key] for key in file_order(nodes)})


def _node(name: str, version: str) -> ParsedNode:
    return ParsedNode("", pre_built=False, version=version, canonicalized_name=name)


def _key(node: ParsedNode) -> str:
    return f"{node.canonicalized_name}=={node.version}" if node.canonicalized_name else ROOT
