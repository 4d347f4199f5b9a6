"""The graph of an earlier run, ours or fromager's, whose versions a new run prefers.

``graph.json``: an object from ``name==version`` (and the empty string, the root) to nodes, each
with edges ``{key, req_type, req}``.
"""

from typing import NamedTuple

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelfleet_shared.core.events import EdgeKind
from wheelfleet_shared.errors import InputError

ROOT = ""


class KnownVersion(NamedTuple):
    """A version that some graph holds, and where its source or wheel comes from."""

    name: NormalizedName
    version: Version
    url: str
    pre_built: bool


class _RawEdge(msgspec.Struct):
    key: str
    req_type: EdgeKind
    req: str


class _RawNode(msgspec.Struct):
    canonicalized_name: str
    version: str
    edges: list[_RawEdge]
    download_url: str = ""
    pre_built: bool = False


_decode_graph = msgspec.json.Decoder(dict[str, _RawNode]).decode
_Place = tuple[NormalizedName, NormalizedName, EdgeKind]


class PreviousGraph:
    """Look-ups by name; versions of a parent are not told apart. The root's name is empty."""

    def __init__(self) -> None:
        self._nodes: dict[NormalizedName, dict[KnownVersion, None]] = {}
        self._edges: dict[_Place, dict[KnownVersion, None]] = {}

    @classmethod
    def parse(cls, content: bytes, origin: str) -> "PreviousGraph":
        """The nodes that the root of a ``graph.json`` reaches; raises InputError where it is none."""
        try:
            raw = _decode_graph(content)
            return cls._of(raw)
        except KeyError as error:
            what = "it has no root" if error.args[0] == ROOT else f"an edge leads to {error.args[0]}, which is missing"
        except (msgspec.MsgspecError, InvalidRequirement, InvalidVersion) as error:
            what = str(error).splitlines()[0]
        raise InputError(f"{origin} is no graph of an earlier run: {what}", "give a work-dir/graph.json")

    @classmethod
    def _of(cls, raw: dict[str, _RawNode]) -> "PreviousGraph":
        graph = cls()
        stack, seen = [ROOT], {ROOT}
        while stack:
            node = raw[stack.pop()]
            parent = canonicalize_name(node.canonicalized_name)
            for edge in node.edges:
                graph._add(parent, edge, raw[edge.key])
                if edge.key not in seen:
                    seen.add(edge.key)
                    stack.append(edge.key)
        return graph

    def _add(self, parent: NormalizedName, edge: _RawEdge, child: _RawNode) -> None:
        name = canonicalize_name(child.canonicalized_name)
        known = KnownVersion(name, Version(child.version), child.download_url, child.pre_built)
        self._nodes.setdefault(name, {})[known] = None
        place = (parent, canonicalize_name(Requirement(edge.req).name), edge.req_type)
        self._edges.setdefault(place, {})[known] = None

    def required(self, parent: str | None, name: str, kind: EdgeKind) -> tuple[KnownVersion, ...]:
        """What edges of this kind led to from any version of the parent (None: from the run itself)."""
        return tuple(self._edges.get((canonicalize_name(parent or ROOT), canonicalize_name(name), kind), ()))

    def versions_of(self, name: str) -> tuple[KnownVersion, ...]:
        """Every version of a distribution in the graph."""
        return tuple(self._nodes.get(canonicalize_name(name), ()))

    def __len__(self) -> int:
        return sum(map(len, self._nodes.values()))
