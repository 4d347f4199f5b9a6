"""What the machine does meanwhile, so that a figure can be judged."""

import os
import platform
import resource
import statistics
from collections.abc import Sequence


def say(line: str) -> None:
    """Print at once: a bench may be stopped half way."""
    print(line, flush=True)


def load() -> str:
    """One line: cores, their load over one and five minutes, the interpreter."""
    one, five, _ = os.getloadavg()
    return f"{os.cpu_count()} cores, load {one:.2f} (1 min) {five:.2f} (5 min), Python {platform.python_version()}"


def peak_mib() -> float:
    """The most memory that this process ever held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def spread(values: Sequence[float], unit: str) -> str:
    """Median, least and most."""
    return (
        f"median {statistics.median(values):.2f} {unit} ({min(values):.2f} to {max(values):.2f}, {len(values)} rounds)"
    )
