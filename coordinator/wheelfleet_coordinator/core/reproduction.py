"""The command that does again what a run did, for one of its requirements."""

import shlex
from collections.abc import Iterator

from packaging.requirements import Requirement

from wheelfleet_shared.core import events as e
from wheelfleet_shared.names import IndexName, TargetId

from .graph import Graph
from .world import World


def reproduce(world: World, graph: Graph, requirement: str) -> str:
    """The command that bootstraps just this, with all options of the run.

    Where the run had inputs that no command line holds (constraints, a previous graph, settings,
    hashes, a saved order), a retry is named, which has them all.
    """
    submitted = world.runs[graph.run].submitted
    if submitted is None or _is_beyond_words(submitted):
        return shlex.join(["wheelfleet", "retry", graph.run, Requirement(requirement).name])
    before = _before(submitted.index, submitted.options)
    after = _after(submitted.index, submitted.options, graph.target)
    return shlex.join(["wheelfleet", *before, "bootstrap", requirement, *after])


def _is_beyond_words(submitted: e.RunSubmitted) -> bool:
    options = submitted.options
    otherwise = options.mode != "bootstrap" or options.force or options.replace
    return submitted.bundle is not None or bool(options.hashes) or otherwise


def _before(index: IndexName, options: e.RunOptions) -> Iterator[str]:
    if index.variant != IndexName().variant:
        yield from ("--variant", index.variant)
    if options.cores_per_build:
        yield from ("--jobs", str(options.cores_per_build))


def _after(index: IndexName, options: e.RunOptions, target: TargetId) -> Iterator[str]:
    if options.index_url:
        yield from ("--index-url", options.index_url)
    if options.as_of is not None:
        yield from ("--as-of", f"@{options.as_of!r}".removesuffix(".0"))
    for server in options.cache_servers:
        yield from ("--cache-wheel-server-url", server)
    if options.sdist_only:
        yield "--sdist-only"
    if options.skip_constraints:
        yield "--skip-constraints"
    if index.collection != IndexName().collection:
        yield from ("--collection", index.collection)
    yield from ("--target", target)
