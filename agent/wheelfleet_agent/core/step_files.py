"""Where the steps of one distribution read and write, in fromager's folders, and what one tells the next."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelfleet_shared.core.build_events import LockedFile
from wheelfleet_shared.core.targets import TargetDefinition
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import NodeKey, Sha256

_ENDINGS = (".tar.gz", ".zip")


class StepPlaces(NamedTuple):
    """The three output folders, absolute."""

    sdists: Path
    wheels: Path
    work: Path

    @property
    def downloads(self) -> Path:
        """Upstream archives."""
        return self.sdists / "downloads"

    @property
    def patched(self) -> Path:
        """Patched sdists."""
        return self.sdists / "builds"

    @property
    def built(self) -> Path:
        """Wheels as ``build-wheel`` leaves them."""
        return self.wheels / "build"

    @property
    def wheel_folders(self) -> tuple[Path, ...]:
        """Where wheels for build environments lie."""
        return (self.wheels / "downloads", self.wheels / "prebuilt", self.built)

    def folder(self, node: NodeKey) -> Path:
        """All that steps keep of one distribution."""
        return self.work / step_stem(node)

    def tree(self, node: NodeKey) -> Path:
        """Its prepared source."""
        return self.folder(node) / step_stem(node)

    def environment(self, node: NodeKey, definition: TargetDefinition) -> Path:
        """Its build environment for a Python: ``build-3.12.1``, with a ``t`` for one without the lock."""
        flags = "t" if definition.abi.endswith("t") else ""
        return self.folder(node) / f"build-{definition.marker_environment['python_full_version']}{flags}"


class SourceState(msgspec.Struct, frozen=True):
    """What ``prepare-source`` knows. fingerprints: of the tree as it left it, by member.

    requires: the static build requirements where a plugin may have said them; None: pyproject.toml does.
    """

    file_name: str
    sha256: Sha256
    epoch: int
    touched: tuple[str, ...]
    fingerprints: dict[str, str]
    requires: tuple[str, ...] | None = None


class EnvironmentState(msgspec.Struct, frozen=True):
    """What ``prepare-build`` knows: the requirements that hold here, and the wheels that meet them."""

    static: tuple[str, ...]
    hook: tuple[str, ...]
    wheels: tuple[LockedFile, ...]


State = TypeVar("State", SourceState, EnvironmentState)


def step_stem(node: NodeKey) -> str:
    """``<override name>-<version>``, the name of its folders."""
    return f"{node.name.replace('-', '_')}-{node.version}"


def find_archive(names: Iterable[str], node: NodeKey, expected: str = "") -> str | None:
    """The file name of the node's upstream archive, the first by name; None where there is none.

    expected: the only name that will do. Names may be spelled in any form that sdists ever had.
    """
    if expected:
        return expected if expected in names else None
    return next((name for name in sorted(names) if _is_archive_of(name, node)), None)


def read_state(data: bytes, kind: type[State], step: str) -> State:
    """What an earlier step left; raises InputError, naming that step, where it is not readable."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"what {step} left cannot be read: {error}", f"run `step {step}` again") from error


def _is_archive_of(file_name: str, node: NodeKey) -> bool:
    ending = next((ending for ending in _ENDINGS if file_name.lower().endswith(ending)), "")
    name, _, version = file_name[: -len(ending)].rpartition("-") if ending else ("", "", "")
    try:
        return bool(name) and canonicalize_name(name) == node.name and Version(version) == Version(node.version)
    except InvalidVersion:
        return False
