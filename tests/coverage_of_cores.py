"""Branch coverage of the cores, from what the tiers before this one recorded; fails below the floor."""

import subprocess
import sys
from pathlib import Path

FLOOR = 95
COVERAGE = str(Path(sys.executable).with_name("coverage"))


def main() -> int:
    """The exit code of the report."""
    subprocess.run([COVERAGE, "combine", "--quiet"], check=False)
    return subprocess.run(
        [COVERAGE, "report", "--skip-covered", "--sort=cover", f"--fail-under={FLOOR}"], check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
