"""Events of runs, of their graphs, and of upstream files."""

from typing import Literal

import msgspec

from ..names import IndexName, NodeKey, RunId, Sha256, TargetId
from .event_base import EdgeKind, EventBase, Expectation, FileRef, Stage
from .recipe import NodeRecipe


class RunOptions(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a run was asked for; what changes results is part of it, what only shows them is not.

    as_of: seconds since the epoch; nothing uploaded later is seen. cache_servers: index URLs
    without credentials. hashes: requirement text → allowed sha256. mode: ``entries`` builds a saved
    order and chooses among its entries and our index alone. min_release_age, max_release_age: days
    between which a version must have been uploaded before the run was submitted, 0 for any. force: build
    what is there already, too (of a saved order: its entries). replace: other bytes may take a file name that is held.
    source_folders: URLs of folders that may hold sources already. multiple_versions: a requirement takes every
    version that it lets in, and what fails is left out. test_mode: where a build fails, upstream's wheel of that
    version is taken. index_only: servers and source URLs that settings name are not asked.
    imports: the entries are wheels that were built before, from sources that nobody tells of.
    """

    sdist_only: bool = False
    skip_constraints: bool = False
    fail_fast: bool = False
    as_of: float | None = None
    index_url: str = ""
    index_origin: str = ""
    cache_servers: tuple[str, ...] = ()
    cores_per_build: int = 0
    hashes: dict[str, tuple[str, ...]] = {}
    mode: Literal["bootstrap", "entries"] = "bootstrap"
    min_release_age: int = 0
    max_release_age: int = 0
    force: bool = False
    replace: bool = False
    source_folders: tuple[str, ...] = ()
    multiple_versions: bool = False
    test_mode: bool = False
    index_only: bool = False
    imports: bool = False


class RunSubmitted(EventBase, frozen=True):
    """A user asked for these requirements on these targets.

    bundle: sha256 of the run's inputs that are too large for an event (constraints, previous graph).
    """

    run: RunId
    index: IndexName
    targets: tuple[TargetId, ...]
    requirements: tuple[str, ...]
    options: RunOptions = RunOptions()
    bundle: Sha256 | None = None


class ProjectListed(EventBase, frozen=True):
    """A page of the upstream index was read for this run and pinned; empty digest: no such project."""

    project: str
    page: Sha256 | Literal[""]
    content_type: str
    url: str
    upload_times: bool = False
    hashes: bool = True


class RunCancelRequested(EventBase, frozen=True):
    """A user no longer wants this run."""

    reason: str = ""


class RunFinished(EventBase, frozen=True):
    """Nothing more will happen in this run; every page it changed is written."""

    outcome: Literal["succeeded", "failed", "cancelled"]
    succeeded: int
    failed: int


class RunForgotten(EventBase, frozen=True):
    """An ended run is left out of all that is told from now on; what it alone led to may be collected."""


class Edge(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One requirement of a node, and the node chosen for it.

    requirement: as its parent states it, markers and extras kept. source: the upstream sdist;
    its sha256 is empty where the index promises none. why: the rule that chose the version. recipe:
    what the user's settings and patches come to for the node, the same on every edge that leads there.
    """

    kind: EdgeKind
    requirement: str
    node: NodeKey
    source_url: str
    source_name: str
    source_sha256: str = ""
    source_type: Literal["sdist", "prebuilt", "override"] = "sdist"
    expectation: Expectation = "open"
    constraint: str = ""
    why: str = ""
    recipe: NodeRecipe = NodeRecipe()


class RequirementsResolved(EventBase, frozen=True):
    """All requirements of one stage of one node have their versions; node None: the run itself.

    extras: of the parent as it was required, which decide the install requirements. more: further
    edges of the stage follow in the next event of the same decision, since events are bounded.
    """

    run: RunId
    target: TargetId
    node: NodeKey | None
    stage: Stage
    edges: tuple[Edge, ...]
    extras: tuple[str, ...] = ()
    more: bool = False


class RequirementUnresolvable(EventBase, frozen=True):
    """No version can be chosen for a requirement of a node; the others of its stage are in ``edges``."""

    run: RunId
    target: TargetId
    node: NodeKey | None
    stage: Stage
    requirement: str
    reason: str
    hint: str = ""
    extras: tuple[str, ...] = ()


class PrebuiltChosen(EventBase, frozen=True):
    """A node could not be built, and its run tries out builds: upstream's wheel serves in its place.

    edge: what leads to the node from now on; None: upstream has no wheel of that version for the target.
    """

    run: RunId
    target: TargetId
    node: NodeKey
    edge: Edge | None = None


class SourceFetched(EventBase, frozen=True):
    """The upstream file lies in our store; ``promised`` is what the index said of it, or empty.

    url: without credentials. epoch: newest mtime in the archive is left to preparation. commit: of a
    source in git, from which the file was packed.
    """

    url: str
    file: FileRef
    promised: str = ""
    commit: str = ""


class FetchFailed(EventBase, frozen=True):
    """The upstream file cannot be had: gone, other bytes than promised, no archive."""

    url: str
    reason: str
    hint: str = ""


class SourceForgotten(EventBase, frozen=True):
    """No run leads to the upstream file any more: our copy may be gone, and is fetched again where it is wanted."""
