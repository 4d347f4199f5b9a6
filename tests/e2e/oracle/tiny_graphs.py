"""Graph files of a few nodes, written in a line."""

import json

from wheelfleet_coordinator.core.graph_reading import LinkedGraph, read_linked_graph


def graph_text(**nodes: str) -> bytes:
    """name_version="child kind requirement, …" for each node; the run requires the first."""
    documents = {"": node("", "0", [(key_of(next(iter(nodes))), "toplevel", key_of(next(iter(nodes))).split("=")[0])])}
    for spelled, edges in nodes.items():
        name, version = spelled.rsplit("_", 1)
        split = [edge.strip().split(" ", 2) for edge in edges.split(",") if edge.strip()]
        documents[key_of(spelled)] = node(name, version, [(key_of(child), kind, req) for child, kind, req in split])
    return json.dumps(documents).encode()


def key_of(spelled: str) -> str:
    return "==".join(spelled.rsplit("_", 1))


def node(name: str, version: str, edges: list[tuple[str, str, str]]) -> object:
    rows = [{"key": key, "req_type": kind, "req": requirement} for key, kind, requirement in edges]
    return {"download_url": "", "pre_built": False, "version": version, "canonicalized_name": name, "edges": rows}


def graph(**nodes: str) -> LinkedGraph:
    return read_linked_graph(graph_text(**nodes), "graph.json")
