"""What fromager made of a set, kept beside the tests: no host name of any registry is in it."""

import json
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

RECORDS = Path(__file__).with_name("records")
PLACEHOLDER = "https://index.invalid"
"""Stands for scheme and host of every file; sources are found by their file names all the same."""


class Record(NamedTuple):
    """Path of a graph.json, its text, and the text of the constraints.txt made with it."""

    path: Path
    graph: str
    constraints: str


def read_record(name: str) -> Record:
    """The record of a set; raises FileNotFoundError where there is none."""
    folder = RECORDS / name
    path = folder / "graph.json"
    return Record(path, path.read_text(), (folder / "constraints.txt").read_text())


def write_record(name: str, graph: str, constraints: str) -> None:
    """The record of a set is this. Equal results give equal files."""
    nodes = json.loads(graph)
    for node in nodes.values():
        path = urlsplit(node["download_url"]).path
        node["download_url"] = path and PLACEHOLDER + path
    folder = RECORDS / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "graph.json").write_text(json.dumps(nodes, indent=1) + "\n")
    (folder / "constraints.txt").write_text(constraints)
