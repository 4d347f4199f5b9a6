"""What a run leaves in the user's output folder: small files as bytes, large ones by name and digest."""

from collections.abc import Iterable

import msgspec

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.file import WheelFile
from wheelfleet_shared.core.keys import blob_key, log_key, relative_url, source_key
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import RunId, Sha256

from .build_order_file import build_order_text
from .constraints_file import constraints_file
from .fleet_constraints import FleetConstraints, TargetPins, fleet_constraints
from .graph import Graph
from .graph_file import graph_text, parsed_graph
from .index_pages import root_page, static_project_page
from .node_result import NodeResult, node_results
from .partial import PARTIAL, failed_keys, failures_of_test_mode, file_of_test_mode, partial_failures, without
from .requirement_files import override_name, requirement_files
from .sequence_summary import SequenceEntry, sequence_entries
from .summary_file import summary_json, summary_markdown, summary_of
from .world import World

_DOWNLOADS = "wheels-repo/downloads"
_REBUILT = "wheels-repo/build"
_PREBUILT = "wheels-repo/prebuilt"


class OutputFile(msgspec.Struct, frozen=True, order=True):
    """A file of the output folder that lies in the store. path: within that folder. size: in bytes."""

    path: str
    sha256: Sha256
    size: int
    key: str


class RunOutputs(msgspec.Struct, frozen=True):
    """Everything of a run's output folder. texts: path → content of what is rendered.

    conflicts: names for which constraints.txt has no version, each explained to people. entries: of a
    saved order, what became of each, once the run ended (``finished_at``, seconds since the epoch).
    """

    texts: dict[str, bytes]
    files: list[OutputFile]
    conflicts: list[str] = msgspec.field(default_factory=list)
    entries: list[SequenceEntry] = msgspec.field(default_factory=list)
    finished_at: float = 0.0


def run_outputs(world: World, run: RunId) -> RunOutputs:
    """What a run leaves behind, as it stands now; raises InputError for an unknown run."""
    graphs = _graphs(world, run)
    results = [node_results(world, graph) for graph in graphs]
    every = [result for of_graph in results for result in of_graph]
    texts = _texts(world, graphs, results) | _static_index(every)
    over_all = _over_all(world, graphs)
    if over_all is not None:
        texts["work-dir/constraints.txt"] = over_all.text.encode()
    if not _builds_entries(world, run):
        conflicts = [*_conflicts(world, graphs), *(over_all.conflicts if over_all is not None else ())]
        return RunOutputs(texts, _files(graphs, results), conflicts)
    entries = [entry for graph in graphs for entry in sequence_entries(world, graph)]
    return RunOutputs(texts, _files(graphs, results), [], entries, world.runs[run].finished_at)


def _over_all(world: World, graphs: list[Graph]) -> FleetConstraints | None:
    """The constraints of all targets in one file; None for one target, and where none were asked for."""
    submitted = world.runs[graphs[0].run].submitted if graphs else None
    if len(graphs) < 2 or submitted is None or submitted.options.skip_constraints:
        return None
    return fleet_constraints([_pins(world, graph, sdist_only=submitted.options.sdist_only) for graph in graphs])


def _pins(world: World, graph: Graph, *, sdist_only: bool) -> TargetPins:
    definition = world.targets[graph.target].definition if graph.target in world.targets else None
    environment = definition.marker_environment if definition is not None else {}
    return TargetPins(graph.target, environment, constraints_file(parsed_graph(graph, sdist_only=sdist_only)).pins)


def _builds_entries(world: World, run: RunId) -> bool:
    """Whether the run builds a saved order: it makes no graph of its own, so none is written."""
    submitted = world.runs[run].submitted
    return submitted is not None and submitted.options.mode == "entries"


def outputs(world: World, run: RunId) -> dict[str, bytes]:
    """Path in the output folder → content, of all that is rendered; raises InputError for an unknown run.

    With several targets each has its folder below ``work-dir``. Cost: linear in the graphs.
    """
    return run_outputs(world, run).texts


def files(world: World, run: RunId) -> list[OutputFile]:
    """The wheels and sdists of a run, by path; raises InputError for an unknown run."""
    graphs = _graphs(world, run)
    return _files(graphs, [node_results(world, graph) for graph in graphs])


def _texts(world: World, graphs: list[Graph], results: list[list[NodeResult]]) -> dict[str, bytes]:
    found = {}
    for graph, of_graph in zip(graphs, results, strict=True):
        folder = _work_folder(graph, graphs)
        texts = _work_files(world, graph, of_graph)
        found.update({f"{folder}/{path}": text.encode() for path, text in texts.items()})
    return found


def _work_folder(graph: Graph, graphs: list[Graph]) -> str:
    return f"work-dir/{graph.target}" if len(graphs) > 1 else "work-dir"


def _files(graphs: list[Graph], results: list[list[NodeResult]]) -> list[OutputFile]:
    found = {
        file.path: file
        for graph, of_graph in zip(graphs, results, strict=True)
        for result in of_graph
        for file in _stored(result, _work_folder(graph, graphs))
    }
    return [found[path] for path in sorted(found)]


def _graphs(world: World, run: RunId) -> list[Graph]:
    if run not in world.runs or world.runs[run].submitted is None:
        raise InputError(f"there is no run {run}", "see `wheelfleet runs`")
    return world.graphs_of(run)


def _work_files(world: World, graph: Graph, results: list[NodeResult]) -> dict[str, str]:
    submitted = world.runs[graph.run].submitted
    options = submitted.options if submitted is not None else e.RunOptions()
    if options.mode == "entries":
        return requirement_files(graph, sdist_only=False)
    left_out = failed_keys(results) if options.multiple_versions else frozenset()
    parsed = without(parsed_graph(graph, sdist_only=options.sdist_only), left_out)
    told = summary_of(world, graph, results)
    found = {
        "graph.json": graph_text(parsed),
        "build-order.json": build_order_text(graph, world.sources, parsed.nodes if left_out else None),
        "bootstrap-summary.json": summary_json(told),
        "bootstrap-summary.md": summary_markdown(told),
    }
    if not options.skip_constraints:
        found["constraints.txt"] = constraints_file(parsed).text
    found |= _failures(graph, results, options, world.runs[graph.run].finished_at)
    return found | requirement_files(graph, sdist_only=options.sdist_only)


def _failures(graph: Graph, results: list[NodeResult], options: e.RunOptions, ended: float) -> dict[str, str]:
    """The lists of failures of runs that were to go on after them, where anything failed."""
    found = {}
    if options.multiple_versions:
        found[PARTIAL] = partial_failures(graph, results)
    if options.test_mode and ended:
        found[file_of_test_mode(ended)] = failures_of_test_mode(graph, results)
    return {name: text for name, text in found.items() if text}


def _conflicts(world: World, graphs: list[Graph]) -> list[str]:
    """Why constraints.txt cannot be used as a whole; nothing for a run that asked for none."""
    submitted = world.runs[graphs[0].run].submitted if graphs else None
    if submitted is None or submitted.options.skip_constraints:
        return []
    parsed = (parsed_graph(graph, sdist_only=submitted.options.sdist_only) for graph in graphs)
    return [conflict.explanation() for graph in parsed for conflict in constraints_file(graph).conflicts]


def _stored(result: NodeResult, work: str) -> list[OutputFile]:
    found = []
    accepted = result.wheel.accepted if result.wheel is not None else None
    if accepted is not None:
        key = blob_key(accepted.file.sha256, accepted.file.file_name)
        found.append(_output_file(_folder_of(accepted), accepted.file, key))
        if result.rebuilt is not None and not result.reproduced:
            key = blob_key(result.rebuilt.sha256, result.rebuilt.file_name)
            found.append(_output_file(_REBUILT, result.rebuilt, key))
    for folder, file in (("sdists-repo/downloads", result.upstream), ("sdists-repo/builds", result.sdist)):
        if file is not None:
            found.append(_output_file(folder, file, source_key(file.sha256, file.file_name)))
    if result.log is not None and result.build is not None:
        fence, log = result.log
        folder = f"{work}/{override_name(result.node.name)}-{result.node.version}"
        found.append(_output_file(folder, log, log_key(result.build, fence)))
    return found


def _folder_of(accepted: e.Accepted) -> str:
    return _PREBUILT if isinstance(accepted, e.PrebuiltAccepted) else _DOWNLOADS


def _output_file(folder: str, file: e.FileRef, key: str) -> OutputFile:
    return OutputFile(f"{folder}/{file.file_name}", file.sha256, file.size, key)


def _static_index(results: Iterable[NodeResult]) -> dict[str, bytes]:
    """A simple index of the run's wheels that any web server, or pip by a file URL, can use."""
    projects: dict[str, dict[str, WheelFile]] = {}
    for result in results:
        if result.wheel is not None:
            projects.setdefault(result.node.name, {})[result.wheel.id] = result.wheel
    pages = {f"wheels-repo/simple/{name}/index.html": _static_page(name, projects[name]) for name in sorted(projects)}
    return {"wheels-repo/simple/index.html": root_page(projects, "html"), **pages}


def _static_page(name: str, wheels: dict[str, WheelFile]) -> bytes:
    folders = {wheel.accepted.file: _folder_of(wheel.accepted) for wheel in wheels.values() if wheel.accepted}

    def url_of(file: e.FileRef) -> str:
        return relative_url(f"wheels-repo/simple/{name}/index.html", f"{folders[file]}/{file.file_name}")

    return static_project_page(name, wheels.values(), url_of)
