"""Run the checks tier by tier, some beside others; print the time of each; fail at the end if any failed."""

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"


class Tier(NamedTuple):
    """A name and the command that passes or fails."""

    name: str
    command: list[str]


def tiers(*, long: bool) -> list[Tier]:
    """The tiers in the order in which a mistake shows soonest."""
    tool = lambda name, *args: [str(BIN / name), *args]  # noqa: E731
    marker = [] if long else ["-m", "not long"]
    pytest = tool("coverage", "run", "--parallel-mode", "-m", "pytest", "-q", *marker)
    plain = [str(BIN / "python"), "-m", "pytest", "-q", *marker]
    breaking = {"mutants": "tests/mutants_of_rules.py", "options": "tests/mutants_of_options.py"}
    mutants = [Tier(name, [str(BIN / "python"), script]) for name, script in breaking.items() if long]
    return [
        Tier("ruff", tool("ruff", "check", ".")),
        Tier("format", tool("ruff", "format", "--check", ".")),
        Tier("mypy", tool("mypy")),
        Tier("imports", tool("lint-imports")),
        Tier("unit", [*pytest, "tests/unit"]),
        Tier("property", [*pytest, "tests/property"]),
        Tier("simulation", [*pytest, "tests/simulation"]),
        Tier("coverage", [str(BIN / "python"), "tests/coverage_of_cores.py"]),
        Tier("integration", [*plain, "tests/integration"]),
        Tier("e2e", [*plain, "tests/e2e"]),
        *mutants,
    ]


class Ended(NamedTuple):
    """A tier that ran: its seconds and its exit status."""

    name: str
    seconds: float
    status: int


def lanes(chosen: list[Tier]) -> list[list[Tier]]:
    """What runs at the same time: tests that wait for servers beside those that compute; then the rest, alone.

    What compiles and what is timed by whole clusters is left to itself, so that no time limit is missed.
    """
    beside = [tier for tier in chosen if tier.name == "integration"]
    alone = [tier for tier in chosen if tier.name in {"e2e", "mutants", "options"}]
    first = [tier for tier in chosen if tier not in beside and tier not in alone]
    return [first, beside, alone]


def run_lane(lane: list[Tier], environment: dict[str, str]) -> list[Ended]:
    """The tiers one after the other; what each said is printed in one piece when it ends."""
    return [run_tier(tier, environment) for tier in lane]


def run_tier(tier: Tier, environment: dict[str, str], *, quiet: bool = True) -> Ended:
    """One tier, run; quiet: printed at its end, so that two lanes do not mix their words."""
    start = time.monotonic()
    if not quiet:
        print(f"== {tier.name}", flush=True)
    done = subprocess.run(
        tier.command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
        check=False,
    )
    if quiet:
        print(f"== {tier.name}\n{done.stdout}", end="", flush=True)
    return Ended(tier.name, time.monotonic() - start, done.returncode)


def run_all(chosen: list[Tier], environment: dict[str, str]) -> list[Ended]:
    """Every tier, run, in the order of the list."""
    first, beside, alone = lanes(chosen)
    with ThreadPoolExecutor(2) as pool:
        ended = [row for rows in pool.map(lambda lane: run_lane(lane, environment), (first, beside)) for row in rows]
    ended += [run_tier(tier, environment, quiet=False) for tier in alone]
    places = {tier.name: place for place, tier in enumerate(chosen)}
    return sorted(ended, key=lambda row: places[row.name])


def main() -> int:
    """0 when every tier passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="everything, not only the CI tier")
    parser.add_argument("names", nargs="*", help="only these tiers")
    arguments = parser.parse_args()
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ.get('PATH', '')}", "PYTHONDONTWRITEBYTECODE": "1"}
    # A failing seed of the simulation is said with this setting.
    environment["PYTHONHASHSEED"] = "0"
    start = time.monotonic()
    chosen = [tier for tier in tiers(long=arguments.long) if not arguments.names or tier.name in arguments.names]
    rows = run_all(chosen, environment)
    print("\ntier          seconds")
    for name, seconds, status in rows:
        print(f"{name:<12} {seconds:>8.1f}  {'ok' if status == 0 else f'FAILED ({status})'}")
    print(f"{'wall':<12} {time.monotonic() - start:>8.1f}")
    return 1 if any(row.status for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
