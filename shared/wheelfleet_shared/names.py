"""Identities: typed names, and digests that make identifiers.

Text is parsed at the edge into these types; inside, a value of such a type is valid.
"""

import base64
import hashlib
import re
from functools import lru_cache
from typing import NewType

import msgspec
from packaging.utils import NormalizedName

Sha256 = NewType("Sha256", str)
"""64 lower-case hexadecimal digits."""
RunId = NewType("RunId", str)
"""One request of a user; time-ordered, 13 characters."""
GraphId = NewType("GraphId", str)
"""The dependency graph of one run for one target."""
BuildId = NewType("BuildId", str)
"""A digest over all that determines what is wanted of a build."""
BuildKey = NewType("BuildKey", str)
"""A build id without its target: equal keys want the same wheel on different targets."""
TargetId = NewType("TargetId", str)
"""For instance ``cp311-linux_x86_64``."""
FileId = NewType("FileId", str)
"""One file name of one index, at one revision."""
SourceId = NewType("SourceId", str)
"""One file of an upstream index: its URL and the sha256 promised for it."""
Actor = NewType("Actor", str)
"""``<role>-<name>``; the role is coordinator, agent or operator."""

Distribution = NormalizedName

ANY_TARGET = TargetId("any")
DIGEST_LENGTH = 32
_ID = re.compile(r"[a-z0-9_-]{1,48}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class IndexName(msgspec.Struct, frozen=True, gc=False, order=True):
    """``<collection>/<variant>``: one index of wheels."""

    collection: str = "main"
    variant: str = "cpu"

    def __str__(self) -> str:
        return f"{self.collection}/{self.variant}"


class NodeKey(msgspec.Struct, frozen=True, gc=False, order=True, cache_hash=True):
    """A distribution at a version: one node of a graph; printed ``name==version``."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


def is_identifier(text: str) -> bool:
    """Whether the text can be one token of a subject."""
    return _ID.fullmatch(text) is not None


def is_sha256(text: str) -> bool:
    """Whether the text is a sha256 in the form the log holds."""
    return _SHA256.fullmatch(text) is not None


@lru_cache(maxsize=1 << 15)
def digest(scheme: str, *fields: str) -> str:
    """Lower-case base32 of the sha256 over length-prefixed fields, cut to 160 bits.

    Length prefixes keep ("ab", "c") and ("a", "bc") apart; the scheme keeps digests
    of different kinds apart. 160 bits fit a subject token (48 characters at most).
    Cost: some 10 µs, most of it for the base32, so the latest are remembered: a walk asks for the
    same ones at every look.
    """
    hashed = hashlib.sha256()
    for field in (scheme, *fields):
        data = field.encode()
        hashed.update(len(data).to_bytes(8, "big"))
        hashed.update(data)
    return base64.b32encode(hashed.digest()).decode().lower()[:DIGEST_LENGTH]


def graph_id(run: RunId, target: TargetId) -> GraphId:
    """The id of a run's graph for one target."""
    return GraphId(digest("graph/1", run, target))


def file_id(index: IndexName, file_name: str, revision: int = 0) -> FileId:
    """The id under which it is decided, once, what is published as ``file_name``."""
    return FileId(digest("file/1", str(index), file_name, str(revision)))


def source_id(url: str, promised: str) -> SourceId:
    """The id of an upstream file; ``promised`` is its sha256 or empty."""
    return SourceId(digest("source-file/1", url, promised))


def page_id(index: IndexName, project: str) -> str:
    """The id of one project's page in one index of ours."""
    return digest("page/1", str(index), project)
