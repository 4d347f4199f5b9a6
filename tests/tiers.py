"""Run the checks tier by tier; print the time of each; fail at the end if any failed."""

import argparse
import os
import subprocess
import sys
import time
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
    mutants = [Tier("mutants", [str(BIN / "python"), "tests/mutants_of_rules.py"])] if long else []
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


def main() -> int:
    """0 when every tier passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="everything, not only the CI tier")
    parser.add_argument("names", nargs="*", help="only these tiers")
    arguments = parser.parse_args()
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ.get('PATH', '')}", "PYTHONDONTWRITEBYTECODE": "1"}
    # A failing seed of the simulation is said with this setting.
    environment["PYTHONHASHSEED"] = "0"
    rows, failed = [], False
    for name, command in tiers(long=arguments.long):
        if arguments.names and name not in arguments.names:
            continue
        print(f"== {name}", flush=True)
        start = time.monotonic()
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        rows.append((name, time.monotonic() - start, code))
        failed = failed or code != 0
    print("\ntier          seconds")
    for name, seconds, code in rows:
        print(f"{name:<12} {seconds:>8.1f}  {'ok' if code == 0 else f'FAILED ({code})'}")
    print(f"{'all':<12} {sum(row[1] for row in rows):>8.1f}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
