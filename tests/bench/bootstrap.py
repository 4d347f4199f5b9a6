"""fromager and wheelfleet in turn on the same pins, cold and warm; run it, it prints.

Both get empty folders and an empty cache of uv; the second run of each finds what the first one left. wheelfleet's
cluster is started and ended around each of its runs, and the start counts. Where CPU holds and the cores are busy for
85 % of the wall or more, the wall is what the machine gives; the critical chain says what it was made of.
PYTHONPATH=shared:coordinator:agent:tests/e2e/oracle python tests/bench/bootstrap.py
    [--fromager BIN] [--python PYTHON] [--rounds 1] [--graph GRAPH] [--only wheelfleet] [REQUIREMENT…]
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from critical_chain import critical_chain
from machine import load, say, spread
from process_tree import Figures, measured

from fromager_program import find_python, install_fromager, without_ours
from wheelfleet_program import BIN, ROOT, sandbox_here

REQUIREMENTS = ("stevedore==5.2.0", "requests==2.32.5", "flask==3.1.2")
_AROUND = re.compile(r"bwrap|launch\.py")
Run = Callable[[str], Figures]


def is_our_hook(line: str) -> bool:
    """The interpreter of the environment, but not the sandbox and the limits around it."""
    return "hook.py" in line and not _AROUND.search(line)


def is_their_hook(line: str) -> bool:
    return "_in_process.py" in line


def fromager_runs(program: Path, folder: Path, pins: list[str], requirements: tuple[str, ...]) -> Run:
    """Runs in one folder, so that the second one is warm."""
    folder.mkdir()
    environment = {
        **without_ours(os.environ),
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(program.parent.parent),
        "UV_CACHE_DIR": str(folder / "uv"),
        "WHEELFLEET_BENCH": str(folder),
    }
    argv = [program, "bootstrap", *pins, *requirements]
    return lambda _: measured(argv, folder, environment, f"WHEELFLEET_BENCH={folder}", is_their_hook)


def wheelfleet_runs(python: Path, folder: Path, pins: list[str], requirements: tuple[str, ...]) -> Run:
    """Runs over one data folder, each with a cluster and an output folder of its own."""
    folder.mkdir()
    data = folder / "data"
    environment = {
        **without_ours(os.environ),
        "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("coordinator", "agent", "shared")),
        "WHEELFLEET_DATA": str(data),
        "WHEELFLEET_INTERPRETERS": str(python),
        "UV_CACHE_DIR": str(folder / "uv"),
    }
    sandbox = sandbox_here()

    def run(name: str) -> Figures:
        argv = [BIN / "wheelfleet", "--sandbox", sandbox, "-O", folder / name, "bootstrap", *pins, *requirements]
        try:
            figures = measured(argv, folder, environment, f"WHEELFLEET_DATA={data}", is_our_hook)
            if name == "cold":
                show_chain(environment, folder / name / "work-dir" / "graph.json")
            return figures
        finally:
            down(environment)

    return run


def down(environment: Mapping[str, str]) -> None:
    subprocess.run([BIN / "wheelfleet", "down", "--now"], env=dict(environment), check=True, capture_output=True)


def show_chain(environment: Mapping[str, str], graph: Path) -> None:
    """What the wall was made of, by the log."""
    argv = [BIN / "wheelfleet", "export"]
    exported = subprocess.run(argv, env=dict(environment), check=True, capture_output=True, text=True).stdout
    chain = critical_chain(exported.splitlines(), json.loads(graph.read_text()))
    say(f"  critical chain of {len(chain)} builds:")
    for step in chain:
        say(f"    {step}")


def show(name: str, figures: Figures) -> None:
    say(
        f"{name:15} wall {figures.wall:6.1f} s, CPU {figures.cpu:6.1f} s, peak {figures.peak / 2**20:4.0f} MiB,"
        f" >= 1 hook {figures.one:4.0%}, >= 2 hooks {figures.two:4.0%} of the wall, machine {figures.busy:4.0%} busy,"
        f" {figures.cpu / figures.wall / (os.cpu_count() or 1):.0%} by this"
    )
    parts = sorted(figures.parts.items(), key=lambda part: -part[1])
    say("  CPU: " + ", ".join(f"{part} {seconds:.1f} s" for part, seconds in parts if seconds > 0.05))


def compare(theirs: list[Figures], ours: list[Figures], what: str, goal: str = "") -> None:
    walls = [mine.wall / other.wall for mine, other in zip(ours, theirs, strict=True)]
    cpus = [mine.cpu / other.cpu for mine, other in zip(ours, theirs, strict=True)]
    say(f"{what}: wall {spread(walls, 'of fromager')}; CPU {spread(cpus, 'of fromager')}{goal}")


def main(arguments: argparse.Namespace) -> None:
    python = Path(arguments.python) if arguments.python else find_python(os.environ)
    assert python is not None, "fromager needs Python 3.12; name one with --python"
    program = Path(arguments.fromager) if arguments.fromager else install_fromager(python, os.environ).bin / "fromager"
    requirements = tuple(arguments.requirements) or REQUIREMENTS
    pins = ["-p", str(Path(arguments.graph).resolve())] if arguments.graph else []
    say(f"{' '.join(requirements)}, Python {python}, {load()}")
    cold: dict[str, list[Figures]] = {"fromager": [], "wheelfleet": []}
    warm: dict[str, list[Figures]] = {"fromager": [], "wheelfleet": []}
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            runs = {
                "fromager": fromager_runs(program, folder / "f", pins, requirements),
                "wheelfleet": wheelfleet_runs(python, folder / "w", pins, requirements),
            }
            for who in [arguments.only] if arguments.only else runs:
                for state, figures in (("cold", cold), ("warm", warm)):
                    figures[who].append(runs[who](state))
                    show(f"{who} {state}", figures[who][-1])
                if not pins and who == "fromager":
                    pins = ["-p", str(keep(folder / "f" / "work-dir" / "graph.json"))]
                    runs["wheelfleet"] = wheelfleet_runs(python, folder / "w2", pins, requirements)
    if not arguments.only:
        compare(cold["fromager"], cold["wheelfleet"], "cold", "; wanted: wall 0.40, CPU 0.80")
        say(f"  cores {statistics.median(run.busy for run in cold['wheelfleet']):.0%} busy in our cold runs")
        compare(warm["fromager"], warm["wheelfleet"], "warm", "; wanted: wall 0.30")
        compare(cold["fromager"], warm["wheelfleet"], "ours warm, fromager's cold")
    say(load())


def keep(graph: Path) -> Path:
    """The graph, where it outlasts the run: the pins of all that follow."""
    kept = Path(tempfile.gettempdir()) / "wheelfleet-bench-graph.json"
    kept.write_bytes(graph.read_bytes())
    return kept


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("requirements", nargs="*")
    parser.add_argument("--fromager", default="")
    parser.add_argument("--python", default="")
    parser.add_argument("--graph", default="")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", choices=["fromager", "wheelfleet"])
    main(parser.parse_args())
