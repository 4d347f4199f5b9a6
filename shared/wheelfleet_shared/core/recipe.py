"""What the settings and patches of a user come to for one node: two texts by digest, and what it needs to run.

The two texts are part of what a build is; the needs only say where and when it runs. Fields are left out
where they hold their default, so a field that is added later changes no digest of before.
"""

import hashlib
from typing import Any, TypeVar

import msgspec

from ..errors import InputError
from ..names import Sha256
from .plugins import HooksRecipe, Plugin

GIB = 1 << 30


class PatchFile(msgspec.Struct, frozen=True):
    """One patch for ``patch -p1``; ``name`` is that of its file, without folders."""

    name: str
    data: bytes


class PreparationRecipe(msgspec.Struct, frozen=True, omit_defaults=True):
    """What turns the upstream archive of one version into its patched sdist.

    patches: in the order in which they are applied. update_requires, remove_requires: of
    ``project_override``. build_dir: where pyproject.toml lies, relative to the source. epoch:
    SOURCE_DATE_EPOCH in seconds; None: that of the archive. plugin: its functions of PREPARATION.
    """

    patches: tuple[PatchFile, ...] = ()
    update_requires: tuple[str, ...] = ()
    remove_requires: tuple[str, ...] = ()
    build_dir: str = "."
    epoch: int | None = None
    plugin: Plugin | None = None


class SbomPart(msgspec.Struct, frozen=True):
    """One of the two things that an SPDX document is about: its purl, and the name and version in it."""

    name: str
    version: str
    purl: str


class SbomRecipe(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the settings say to the SPDX document of a wheel.

    namespace: of this one document. upstream: what the wheel is made from. creators: beside the tool itself.
    """

    namespace: str
    wheel: SbomPart
    upstream: SbomPart
    supplier: str = "NOASSERTION"
    creators: tuple[str, ...] = ()


class BuildRecipe(msgspec.Struct, frozen=True, omit_defaults=True):
    """What turns a patched sdist into a wheel.

    env: further variables of the hooks, by name; each value is a template for ``string.Template`` over
    ``HOOK_VARIABLES`` alone: the version, defaults and other variables are filled in already.
    config_settings: of PEP 517. settings: what ``fromager-build-settings`` in the wheel says, JSON-like.
    sbom: None where none is wanted. plugin: its functions of BUILD. tag_hook: adds to the build tag.
    """

    env: tuple[tuple[str, str], ...] = ()
    config_settings: dict[str, str | list[str]] = {}
    build_dir: str = "."
    network: bool = False
    settings: dict[str, Any] = {}
    sbom: SbomRecipe | None = None
    plugin: Plugin | None = None
    tag_hook: Plugin | None = None


class Needs(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where and when a node may be built; no part of its identity.

    cores_per_job, memory_per_job (bytes): of each parallel step inside the build. exclusive: alone on
    its agent. labels: all of them must be the agent's. sandbox: the level that the agent must have at
    least, or empty.
    """

    cores_per_job: int = 1
    memory_per_job: int = GIB
    exclusive: bool = False
    labels: tuple[str, ...] = ()
    sandbox: str = ""


class NodeRecipe(msgspec.Struct, frozen=True, omit_defaults=True):
    """The recipes of one node by their digests, empty where nothing is set; its build tag as in file names.

    hooks: digest of what is called once its wheel is there; no part of its identity.
    """

    preparation: Sha256 = Sha256("")
    build: Sha256 = Sha256("")
    build_tag: str = "0"
    needs: Needs = Needs()
    hooks: Sha256 = Sha256("")


_PLACES = ("PATH", "HOME", "TMPDIR", "GIT_CEILING_DIRECTORIES", "PYTHONNOUSERSITE")
_PARALLELISM = ("MAKEFLAGS", "MAX_JOBS", "CMAKE_BUILD_PARALLEL_LEVEL", "CARGO_BUILD_JOBS", "NPY_NUM_BUILD_JOBS")
_REPRODUCIBILITY = ("SOURCE_DATE_EPOCH", "PYTHONHASHSEED", "LANG", "LC_ALL", "TZ", "TERM", "PYTHONUNBUFFERED")
HOOK_VARIABLES = frozenset((*_PLACES, *_PARALLELISM, *_REPRODUCIBILITY))
"""The variables that each hook has on each agent, whatever the settings say; templates may read these."""

Text = TypeVar("Text", PreparationRecipe, BuildRecipe, HooksRecipe)


def encode_recipe(recipe: PreparationRecipe | BuildRecipe | HooksRecipe) -> bytes:
    """JSON, the same bytes for equal recipes; no bytes at all where nothing is set."""
    data = msgspec.json.encode(recipe, order="deterministic")
    return b"" if data == b"{}" else data


def decode_recipe(data: bytes, kind: type[Text]) -> Text:
    """The inverse of ``encode_recipe``. Raises InputError for anything else."""
    try:
        return msgspec.json.decode(data or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"a stored recipe cannot be read: {error}", "submit the run again") from error


def recipe_digest(data: bytes) -> Sha256:
    """The sha256 under which an encoded recipe is stored; empty where nothing is set."""
    return Sha256(hashlib.sha256(data).hexdigest() if data else "")
