"""Saved build orders and graphs, ours or fromager's, read back as the entries that a run builds.

Keys that are not known are passed over: fromager's files of several versions hold some that ours
do not (``type``, ``why``), and ours hold a sha256 that fromager passes over.
"""

from collections.abc import Iterable
from urllib.parse import urldefrag, urlsplit

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidName, canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelfleet_shared.core.bundle import Entry
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import is_sha256

from .graph_file import ROOT, ParsedGraph


class _RawEntry(msgspec.Struct):
    dist: str
    version: str
    req: str = ""
    constraint: str | None = ""
    prebuilt: bool = False
    source_url: str | None = ""
    sha256: str = ""


_decode = msgspec.json.Decoder(list[_RawEntry]).decode


def read_build_order(content: bytes, origin: str) -> tuple[Entry, ...]:
    """The entries in the file's order, each distribution and version once.

    Raises InputError for what is no build order, naming the entry (counted from 1) that is wrong.
    """
    try:
        raw = _decode(content)
    except msgspec.MsgspecError as error:
        raise InputError(f"{origin} is no build order: {error}", "give a work-dir/build-order.json") from error
    if not raw:
        raise InputError(f"{origin} holds no entry", "give the build-order.json of a finished bootstrap")
    return _once(_entry(item, f"{origin}, entry {number} ({item.dist})") for number, item in enumerate(raw, 1))


def entries_of_graph(graph: ParsedGraph, origin: str) -> tuple[Entry, ...]:
    """One entry a node of a graph file, sorted by name and version; raises InputError for a bad node."""
    found = []
    for key, node in graph.nodes.items():
        if key == ROOT:
            continue
        raw = _RawEntry(node.canonicalized_name, node.version, constraint=node.constraint, source_url=node.download_url)
        raw.prebuilt = node.pre_built
        found.append(_entry(raw, f"{origin}, node {key}"))
    if not found:
        raise InputError(f"{origin} holds no node", "give the graph.json of a finished bootstrap")
    return _once(sorted(found, key=lambda entry: (entry.name, Version(entry.version))))


def _once(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    found: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        found.setdefault((entry.name, entry.version), entry)
    return tuple(found.values())


def _entry(raw: _RawEntry, place: str) -> Entry:
    try:
        name, version = canonicalize_name(raw.dist, validate=True), str(Version(raw.version))
        if raw.req:
            Requirement(raw.req)
    except (InvalidName, InvalidVersion, InvalidRequirement) as error:
        raise InputError(f"{place}: {str(error).splitlines()[0]}", "correct the file") from error
    if raw.sha256 and not is_sha256(raw.sha256):
        raise InputError(f"{place}: {raw.sha256!r} is no sha256", "correct the file, or leave the key out")
    url = urldefrag(raw.source_url or "").url
    if not urlsplit(url).scheme:
        raise InputError(
            f"{place}: source_url {url!r} is no URL", "correct the file, or bootstrap anew with -p and its graph"
        )
    return Entry(
        name=str(name),
        version=version,
        source_url=url,
        sha256=raw.sha256,
        prebuilt=raw.prebuilt,
        requirement=raw.req,
        constraint=raw.constraint or "",
    )
