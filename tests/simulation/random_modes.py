"""Random ways to ask for a run: built anew, replacing, from a saved order, with patches, with a prebuilt wheel."""

import hashlib
import random
from typing import NamedTuple

from sim_builder import wheel_bytes
from universe import Release, Universe
from wheelfleet_shared.adapters.memory_blobs import MemoryBlobs
from wheelfleet_shared.core.bundle import Customisation, Entry, RunInputs, encode_inputs
from wheelfleet_shared.core.keys import bundle_key
from wheelfleet_shared.names import Sha256

_PREBUILT = Release("elsewhere", "2.0", install=("n0",))
_PREBUILT_URL = "sim://wheels/elsewhere-2.0-0-py3-none-any.whl"
_PATCH = b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+%d\n"


class Mode(NamedTuple):
    """patch: which one goes to the least distribution, 0 for none. order: the newest of all names, as saved."""

    force: bool = False
    replace: bool = False
    patch: int = 0
    order: bool = False
    prebuilt: bool = False


PLAIN = Mode()


def random_mode(source: random.Random) -> Mode:
    order = source.random() < 0.3
    patch = source.choice((0, 0, 1, 2))
    return Mode(
        force=source.random() < 0.3,
        replace=bool(patch) and source.random() < 0.6,
        patch=patch,
        order=order,
        prebuilt=order and source.random() < 0.5,
    )


def offer_prebuilt(universe: Universe) -> None:
    """The index of the story has the wheel that orders name as prebuilt."""
    universe.files[_PREBUILT_URL] = wheel_bytes(_PREBUILT)


def requirements_of(mode: Mode, universe: Universe, requirements: list[str]) -> list[str]:
    """An order is asked for as a whole."""
    if not mode.order:
        return requirements
    wanted = [f"{name}==2.0" for name in universe.names()]
    return [*wanted, *([f"{_PREBUILT.name}=={_PREBUILT.version}"] if mode.prebuilt else ())]


async def bundle_of(mode: Mode, universe: Universe, blobs: MemoryBlobs) -> Sha256 | None:
    """What the run was given besides its requirements, in the store whatever goes wrong there."""
    if not mode.patch and not mode.order:
        return None
    files = {"patches/n0-2.0/1.patch": _PATCH % mode.patch} if mode.patch else {}
    data = encode_inputs(RunInputs(entries=_entries(mode, universe), customisation=Customisation("cpu", files)))
    digest = Sha256(hashlib.sha256(data).hexdigest())
    await MemoryBlobs.put(blobs, bundle_key(digest), data, "application/json")
    return digest


def _entries(mode: Mode, universe: Universe) -> tuple[Entry, ...]:
    if not mode.order:
        return ()
    built = tuple(Entry(name, "2.0", f"sim://files/{name}/2.0") for name in universe.names())
    if not mode.prebuilt:
        return built
    return (*built, Entry(_PREBUILT.name, _PREBUILT.version, _PREBUILT_URL, prebuilt=True))
