"""What a run left behind, to be compared with another run's."""

import hashlib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

MARK = "hook called: "


class Run(NamedTuple):
    """The results that must not depend on anything but the inputs; file name → sha256."""

    graph: str
    order: str
    constraints: str
    sdists: dict[str, str]
    wheels: dict[str, str]


def result_of(output: Path) -> Run:
    """The results in an output folder."""
    work = output / "work-dir"
    return Run(
        *((work / name).read_text() for name in ("graph.json", "build-order.json", "constraints.txt")),
        digests(output / "sdists-repo" / "builds"),
        digests(output / "wheels-repo" / "downloads"),
    )


def digests(folder: Path) -> dict[str, str]:
    """File name → sha256 of each file in the folder."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def hook_calls_in(file: Path) -> Counter[str]:
    """How often the backend told of each hook of each distribution, as in ``build_wheel of leaf``."""
    lines = file.read_text(errors="replace").splitlines() if file.exists() else []
    return Counter(line.removeprefix(MARK) for line in lines if line.startswith(MARK))


def hook_calls_of_all_attempts(data: Path) -> Counter[str]:
    """The same, over the logs that the agent of an embedded cluster kept of every attempt."""
    return sum((hook_calls_in(log) for log in (data / "agent" / "logs").glob("*/build.log")), Counter())
