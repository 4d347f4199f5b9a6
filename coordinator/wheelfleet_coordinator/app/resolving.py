"""Stages resolved: pages brought, versions chosen, recorded."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.bundle import RunInputs, decode_inputs
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.core.keys import bundle_key
from wheelfleet_shared.core.recipe import recipe_digest
from wheelfleet_shared.core.run import Run
from wheelfleet_shared.core.targets import TargetDefinition
from wheelfleet_shared.errors import IndexUnusable, InfrastructureError, InputError, SourceError
from wheelfleet_shared.names import GraphId, NodeKey, RunId, Sha256, TargetId
from wheelfleet_shared.ports import Blobs

from ..core import decisions
from ..core.candidates import ProjectListing, unusable_project
from ..core.closed_listing import closed_listing, prebuilt_listing
from ..core.constraints import Constraints
from ..core.customised_choice import Ages, index_of
from ..core.customising import Customised
from ..core.fallback import fallback, fell_back
from ..core.graph import Graph
from ..core.instructions import FallBack, Resolve
from ..core.previous_graph import PreviousGraph
from ..core.requirement_lines import RequirementLine
from ..core.resolve_stage import Resolved, RunRules, holding, projects_of, resolve_stage, stage_events, static_arcs
from ..core.world import World
from .committer import Committer
from .listings import Listings
from .pinning import Trees, pin_sources


class _Place(NamedTuple):
    run: RunId
    target: TargetId


class Resolver:
    """Carries out ``Resolve``. The rules of a run are read from its bundle once and kept while it lasts."""

    def __init__(self, world: World, committer: Committer, blobs: Blobs, listings: Listings, trees: Trees) -> None:
        self._world = world
        self._committer = committer
        self._blobs = blobs
        self._listings = listings
        self._trees = trees
        self._rules: dict[_Place, RunRules] = {}
        self._stored: set[Sha256] = set()

    async def resolve(self, instruction: Resolve | FallBack) -> tuple[e.Event, ...]:
        """Choose versions for one stage, or a wheel for one node, and record that; what was appended."""
        graph = self._world.graphs[instruction.graph]
        if self._world.runs[graph.run].status != "active":
            return ()
        if isinstance(instruction, FallBack):
            return await self._fall_back(graph, instruction.node)
        try:
            outcome = await self._resolved(graph, instruction, await self._rules_of(graph))
            outcome = await pin_sources(self._world, self._trees, graph, instruction, outcome)
            await self._store(outcome.recipes)
        except (InputError, SourceError) as error:
            # Constraints may contradict each other under the target's markers alone, which nobody saw before.
            outcome = _refused(graph, instruction, error)
        aggregate = Aggregate("graph", instruction.graph)
        return await self._committer.commit(
            aggregate,
            lambda world: decisions.resolved(world, GraphId(graph.id), outcome.events, outcome.failures),
        )

    async def _fall_back(self, graph: Graph, node: NodeKey) -> tuple[e.Event, ...]:
        """Look for the wheel on the page that the run has pinned, and record what is there."""
        rules = await self._rules_of(graph)
        listing = await self._listings.of(graph.run, node.name, index_of(node.name, rules.customised))
        event = fallback(graph, node, listing, rules)
        hooks = rules.customised.hooks_of(node, prebuilt=True)
        await self._store([(recipe_digest(hooks), hooks)] if event.edge is not None and hooks else [])
        return await self._committer.commit(
            Aggregate("graph", graph.id), lambda world: fell_back(world, graph.id, event)
        )

    async def _resolved(self, graph: Graph, instruction: Resolve, rules: RunRules) -> Resolved:
        requirements = holding(instruction, rules.target)
        projects = projects_of(requirements, static_arcs(graph, instruction))
        found = await self._listed(graph, projects, rules)
        return resolve_stage(graph, instruction, requirements, found, rules, self._held(graph, projects, rules))

    async def _store(self, recipes: Sequence[tuple[Sha256, bytes]]) -> None:
        """The texts that edges name by digest lie in the store before the edges are in the log."""
        for digest, text in recipes:
            if digest not in self._stored:
                await self._blobs.put(bundle_key(digest), text, "application/json")
                self._stored.add(digest)

    def _held(self, graph: Graph, projects: Sequence[str], rules: RunRules) -> dict[str, ProjectListing]:
        """Prebuilt wheels that our index has already, of projects that no server is named for."""
        submitted = self._world.runs[graph.run].submitted
        customised = rules.customised
        wanted = [name for name in projects if customised.pre_built(name) and not customised.wheel_server_url(name)]
        if submitted is None:
            return {}
        return {name: prebuilt_listing(self._world, submitted.index, name) for name in wanted}

    async def _listed(self, graph: Graph, projects: Sequence[str], rules: RunRules) -> dict[str, ProjectListing]:
        """What may be chosen of each project: of a saved order, else of our index, else of its package index."""
        entries, customised = rules.entries, rules.customised
        if entries is not None:
            return {project: closed_listing(self._world, graph.run, project, entries) for project in projects}
        found = await asyncio.gather(
            *(self._listing(graph.run, project, index_of(project, customised)) for project in projects)
        )
        return dict(zip(projects, found, strict=True))

    async def _listing(self, run: RunId, project: str, index_url: str) -> ProjectListing:
        """What the index lists; a page that never can be used fails its requirement, and does not hold up the run."""
        try:
            return await self._listings.of(run, project, index_url)
        except IndexUnusable as error:
            return unusable_project(project, error)

    async def _rules_of(self, graph: Graph) -> RunRules:
        place = _Place(graph.run, graph.target)
        if place not in self._rules:
            self._rules = {key: rules for key, rules in self._rules.items() if self._active(key.run)}
            self._rules[place] = await self._read_rules(self._world.runs[graph.run], graph.target)
        return self._rules[place]

    def _active(self, run: RunId) -> bool:
        return self._world.runs[run].finished is None

    async def _read_rules(self, run: Run, target: TargetId) -> RunRules:
        submitted = run.submitted
        definition = self._definition(target)
        if submitted is None:
            raise InfrastructureError(f"run {run.id} is not in the log yet", "wait")
        inputs = RunInputs()
        if submitted.bundle is not None:
            inputs = decode_inputs(await self._blobs.get(bundle_key(submitted.bundle)))
        lines = [RequirementLine(text, origin) for text, origin in inputs.constraints]
        customised = Customised.parse(inputs.customisation)
        previous = None
        if inputs.previous_graph:
            previous = PreviousGraph.parse(inputs.previous_graph.encode(), "the previous graph")
        return RunRules(
            target=definition,
            constraints=Constraints.merge(lines, definition.marker_environment),
            previous=previous,
            as_of=submitted.options.as_of,
            hashes=submitted.options.hashes,
            entries=inputs.entries if submitted.options.mode == "entries" else None,
            customised=customised.of_index_alone() if submitted.options.index_only else customised,
            ages=Ages(run.submitted_at, submitted.options.min_release_age, submitted.options.max_release_age),
            every_version=submitted.options.multiple_versions,
        )

    def _definition(self, target: TargetId) -> TargetDefinition:
        found = self._world.targets.get(target)
        if found is None or found.definition is None:
            raise InfrastructureError(f"no agent has offered the target {target} yet", f"start an agent for {target}")
        return found.definition


def _refused(graph: Graph, instruction: Resolve, error: InputError | SourceError) -> Resolved:
    """A stage whose markers or constraints cannot be judged: nothing of it is resolved."""
    failure = e.RequirementUnresolvable(
        graph.run,
        graph.target,
        instruction.node,
        instruction.stage,
        "markers and constraints",
        error.what,
        error.next_step,
        instruction.extras,
    )
    return Resolved(stage_events(graph, instruction, ()), (failure,))
