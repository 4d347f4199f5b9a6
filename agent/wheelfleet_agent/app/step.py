"""One distribution whose steps are made one by one on this machine, and what they tell each other."""

from pathlib import Path
from typing import Final, NamedTuple

from wheelfleet_shared.core.step import StepRecipe
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import NodeKey

from ..core.patched_sdist import changed, fingerprints, pack_sdist
from ..core.step_files import EnvironmentState, SourceState, StepPlaces, read_state, step_stem
from .host import Host, Interpreter

SOURCE: Final = "wheelfleet-source.json"
ENVIRONMENT: Final = "wheelfleet-environment.json"


class Step(NamedTuple):
    """One distribution whose steps are made. jobs: parallel ones inside its build; 0: what this machine carries."""

    node: NodeKey
    places: StepPlaces
    recipe: StepRecipe
    jobs: int = 0


def source_of(step: Step) -> SourceState:
    """What ``prepare-source`` left; raises InputError where it was not run."""
    file = step.places.folder(step.node) / SOURCE
    if not file.is_file() or not step.places.tree(step.node).is_dir():
        raise InputError(
            f"{step.node} has no prepared source in {step.places.work}",
            f"run `step prepare-source {step.node.name} {step.node.version}` first",
        )
    return read_state(file.read_bytes(), SourceState, "prepare-source")


def environment_of(step: Step, host: Host) -> EnvironmentState:
    """What ``prepare-build`` left; raises InputError where it was not run for this Python."""
    file = step.places.folder(step.node) / ENVIRONMENT
    folder = step.places.environment(step.node, only(host).definition)
    if not file.is_file() or not folder.is_dir():
        raise InputError(
            f"{step.node} has no build environment {folder.name} in {folder.parent}",
            f"run `step prepare-build {step.node.name} {step.node.version}` first",
        )
    return read_state(file.read_bytes(), EnvironmentState, "prepare-build")


def pack_step(step: Step, source: SourceState, sdist: Path) -> None:
    """The tree as it stands is in the sdist; what changed since its preparation counts as touched."""
    tree = step.places.tree(step.node)
    touched = {*source.touched, *changed(source.fingerprints, fingerprints(tree))}
    sdist.unlink(missing_ok=True)
    pack_sdist(tree, step_stem(step.node), source.epoch, touched, sdist)


def only(host: Host) -> Interpreter:
    """The one Python of a host that was probed for steps."""
    return next(iter(host.interpreters.values()))
