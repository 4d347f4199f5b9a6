"""What a run left behind, to be compared with another run's."""

import hashlib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from local_store import Store

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


def hook_calls_in(text: str) -> Counter[str]:
    """How often the backend told of each hook of each distribution, as in ``build_wheel of leaf``."""
    return Counter(line.removeprefix(MARK) for line in text.splitlines() if line.startswith(MARK))


def hook_calls_of_all_attempts(data: Path) -> Counter[str]:
    """The same, over the logs of every attempt in the store of an embedded cluster, which runs."""
    store = Store(data)
    return sum((hook_calls_in(store.get(key).decode(errors="replace")) for key in store.keys("logs/")), Counter())
