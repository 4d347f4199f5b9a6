"""A fleet that builds a graph in virtual time, against what no order of builds can beat."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wheelfleet_coordinator.cli.main import app, run
from wheelfleet_coordinator.core.fleet_bounds import bounds
from wheelfleet_coordinator.core.fleet_file import Fleet, Guesses, Kind, read_fleet
from wheelfleet_coordinator.core.fleet_report import fleet_report, read_durations, report_lines
from wheelfleet_coordinator.core.fleet_simulation import in_rounds, simulate
from wheelfleet_coordinator.core.graph_file import ParsedEdge, ParsedGraph, ParsedNode, read_graph
from wheelfleet_coordinator.core.simulated_work import Measured, Work, work_of
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import TargetId

X86, ARM = TargetId("cp312-linux_x86_64"), TargetId("cp312-linux_aarch64")
RECORDS = Path(__file__).parents[1] / "e2e" / "oracle" / "records"
NATIVES = ("markupsafe", "pyyaml", "cffi", "greenlet", "wrapt", "charset-normalizer", "nanobind")
GUESSES = Guesses(pure=1.5, native=15.0, natives=NATIVES)


def recorded(name: str) -> ParsedGraph:
    return read_graph((RECORDS / name / "graph.json").read_bytes())


def fleet(*kinds: Kind, guesses: Guesses = GUESSES) -> Fleet:
    return Fleet(kinds, guesses)


def work(graph: ParsedGraph, found: Fleet) -> Work:
    return work_of(graph, found, {})


def graph_of(**nodes: tuple[str, ...]) -> ParsedGraph:
    """Each node with what it is built with, but ``+name`` which it installs."""
    found = {"": ParsedNode("", False, "0", "", edges=tuple(ParsedEdge(f"{n}==1", "toplevel", n) for n in nodes))}
    for name, needs in nodes.items():
        edges = tuple(
            ParsedEdge(f"{need.strip('+')}==1", "install" if need[0] == "+" else "build-system", need.strip("+"))
            for need in needs
        )
        found[f"{name}==1"] = ParsedNode("", False, "1", name, edges=edges)
    return ParsedGraph(found)


@pytest.mark.parametrize("slots", [1, 16])
@pytest.mark.parametrize("name", ["attrs", "charset-normalizer", "extras", "hatchling", "nanobind", "requests-socks"])
def test_recorded_graphs_are_built_in_the_time_that_nothing_can_beat(name, slots):
    found = fleet(Kind((X86,), slots=slots))
    plan = work(recorded(name), found)
    assert simulate(plan, found).makespan <= 1.02 * bounds(plan, found).best


@pytest.mark.parametrize("slots", [2, 4])
@pytest.mark.parametrize("name", ["extras", "requests-socks"])
def test_where_the_last_builds_do_not_fill_the_slots_little_is_lost_and_rounds_lose_more(name, slots):
    found = fleet(Kind((X86,), count=slots))
    plan = work(recorded(name), found)
    makespan = simulate(plan, found).makespan
    assert makespan <= bounds(plan, found).best + GUESSES.pure
    assert in_rounds(plan, found) > 1.1 * makespan


def test_a_build_waits_for_all_that_its_environment_installs():
    found = fleet(Kind((X86,), slots=4), guesses=Guesses(pure=1.0))
    chain = graph_of(app=("tool",), tool=("+base",), base=("seed",), seed=())
    done = simulate(work(chain, found), found)
    assert [build.split("==")[0] for build in done.ended].index("app") == 3
    assert done.makespan == 3.0
    assert done.busy == (4.0,)


def test_pure_wheels_are_built_once_and_native_ones_for_each_target():
    found = fleet(Kind((X86,)), Kind((ARM,), speed=0.5), guesses=Guesses(1.0, 10.0, ("c-*",)))
    plan = work(graph_of(**{"c-thing": ("tool",), "tool": ()}), found)
    assert sorted(plan.needs) == ["c-thing==1 cp312-linux_aarch64", "c-thing==1 cp312-linux_x86_64", "tool==1 any"]
    done = simulate(plan, found)
    assert done.makespan == 21.0
    assert done.busy == (11.0, 20.0)
    limits = bounds(plan, found)
    assert limits.chain_seconds == limits.best == 21.0
    assert limits.chain == ("tool==1 any", "c-thing==1 cp312-linux_aarch64")
    assert work_of(graph_of(app=()), found, {}, (ARM,)).candidacies.keys() == {"app==1 any"}


def test_what_was_measured_goes_before_guesses_and_prebuilt_takes_no_time():
    found = fleet(Kind((X86,)))
    graph = graph_of(app=("tool",), tool=())
    graph.nodes["tool==1"] = ParsedNode("", True, "1", "tool")
    plan = work_of(graph, found, {"app==1": Measured(77.0, native=True)})
    assert simulate(plan, found).makespan == 77.0
    assert list(plan.needs) == [f"app==1 {X86}"]


def test_work_that_never_starts_is_told():
    found = fleet(Kind((X86,)))
    for stuck in (graph_of(a=("b",), b=("a",)), graph_of(a=("a",))):
        with pytest.raises(InputError, match="never start"):
            simulate(work(stuck, found), found)
        with pytest.raises(InputError, match="never start"):
            in_rounds(work(stuck, found), found)
    foreign = work_of(graph_of(a=()), found, {}, (ARM,))
    with pytest.raises(InputError, match="1 builds never start"):
        simulate(foreign, found)


def test_one_more_agent_is_worth_something_where_it_is_short_of():
    found = fleet(Kind((X86,), name="quick", slots=8), Kind((ARM,)), guesses=Guesses(1.0, 10.0, ("c*",)))
    plan = work(graph_of(c1=(), c2=(), c3=(), app=()), found)
    report = fleet_report(plan, found)
    assert [(kind.name, kind.one_more) for kind in report.kinds] == [("quick", 0.0), (ARM, 10.0)]
    assert report.efficiency == 1.0
    assert report.kinds[1].busy == 1.0
    told = report_lines(report)
    assert told[0] == "7 builds, 1 min 1 s of work"
    assert told[1] == "makespan 30.0 s · lower bound 30.0 s (the work for the slots there are) · 100% efficient"
    long = graph_of(**{f"d{place}": (f"d{place + 1}",) for place in range(20)}, d20=())
    hours = fleet(Kind((X86,)), guesses=Guesses(pure=400.0))
    told = report_lines(fleet_report(work(long, hours), hours))
    assert told[1].startswith("makespan 2 h 20 min · lower bound 2 h 20 min (the longest chain)")
    assert told[3].endswith("d20 → d19 → d18 → d17 → … → d3 → d2 → d1 → d0")
    assert report_lines(fleet_report(work(graph_of(), hours), hours))[3] == "longest chain 0.0 s: nothing"


def test_files_that_describe_no_fleet():
    assert read_fleet(f'[[agents]]\ntargets = ["{X86}"]\n', "f.toml").targets == (X86,)
    for text, told in (
        ("agents = 1", "f.toml: "),
        ("agents = []", "no agents"),
        ("[[agents]]\ntargets = []", "entry 1"),
        (f'[[agents]]\ntargets = ["{X86}"]\nspeed = 0', "entry 1"),
        (f'[[agents]]\ntargets = ["{X86}"]\nspede = 1', "spede"),
    ):
        with pytest.raises(InputError, match=told):
            read_fleet(text, "f.toml")


def test_a_summary_tells_what_was_built_and_what_came_out():
    nodes = [
        {"name": "a", "version": "1", "seconds": 2.0, "file": "a-1-0-py3-none-any.whl"},
        {"name": "c", "version": "1", "seconds": 9.0, "file": "c-1-0-cp312-cp312-linux_x86_64.whl", "size": 3},
        {"name": "old", "version": "1", "seconds": 0.0, "file": "old-1-0-py3-none-any.whl"},
    ]
    found = read_durations(json.dumps({"nodes": nodes, "run": "r1"}), "s.json")
    assert found == {"a==1": Measured(2.0, native=False), "c==1": Measured(9.0, native=True)}
    with pytest.raises(InputError, match=r"s\.json: this is no summary"):
        read_durations("[]", "s.json")


def test_the_command_tells_people_and_machines(tmp_path):
    described, summary = tmp_path / "fleet.toml", tmp_path / "bootstrap-summary.json"
    described.write_text(f'[[agents]]\ntargets = ["{X86}"]\nslots = 2\n')
    summary.write_text('{"nodes": []}')
    graph = str(RECORDS / "extras" / "graph.json")
    asked = ["simulate", graph, "--fleet", str(described), "--durations", str(summary)]
    told = CliRunner().invoke(app, asked)
    assert told.exit_code == 0, told.output
    assert "makespan" in told.output
    assert X86 in told.output
    machine = CliRunner().invoke(app, [*asked, "--format", "json"])
    assert json.loads(machine.output)["builds"] == 31
    assert run(["simulate", graph, "--fleet", str(tmp_path / "none.toml")]) == 2
