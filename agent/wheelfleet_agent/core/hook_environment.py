"""What build backends are told: the environment variables of every hook, the same in each."""

from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import NamedTuple

import msgspec

from wheelfleet_shared.errors import InputError


class BuildSystem(msgspec.Struct, frozen=True):
    """The table ``[build-system]`` of a source, with its defaults filled in; paths relative to the source."""

    backend: str
    backend_path: tuple[str, ...] = ()


class HookSettings(msgspec.Struct, frozen=True):
    """What the settings of a distribution say to its hooks.

    epoch: SOURCE_DATE_EPOCH. cores: for one build. config_settings: PEP 517's, the same for each hook.
    variables: further environment variables; ``${NAME}`` in them is replaced by what hooks have anyway.
    final: variables of a plugin, as they are; without: those that it took away.
    network: the host's network is reachable.
    """

    epoch: int
    cores: int = 1
    config_settings: dict[str, str | list[str]] = {}
    variables: dict[str, str] = {}
    network: bool = False
    final: dict[str, str] = {}
    without: tuple[str, ...] = ()


class Places(NamedTuple):
    """Where hooks find things, as they see it. programs: the folders of PATH, in order.

    compiled: the interpreter's own library has its bytecode beside it.
    """

    programs: tuple[Path, ...]
    build: Path
    home: Path
    temporary: Path
    compiled: bool = True


def hook_environment(settings: HookSettings, places: Places) -> dict[str, str]:
    """All environment variables of a hook; those of the settings win.

    Raises InputError for a setting that reads a variable which hooks do not have.
    """
    base = {
        **_places(places),
        **_parallelism(settings.cores),
        **_reproducibility(settings.epoch),
        **({} if settings.network else _NO_NETWORK),
    }
    own = {name: _fill_in(name, text, base) for name, text in settings.variables.items()}
    return {name: text for name, text in {**base, **own, **settings.final}.items() if name not in settings.without}


_NO_NETWORK = {
    # Said where it is known, so that a failure comes at once and names its cause.
    "CARGO_NET_OFFLINE": "true",
    "PIP_NO_INDEX": "1",
    "PIP_CONFIG_FILE": "/dev/null",
    "UV_OFFLINE": "1",
    "UV_NO_CONFIG": "1",
}


def _places(places: Places) -> dict[str, str]:
    return {
        "PATH": ":".join(str(folder) for folder in places.programs),
        "HOME": str(places.home),
        "TMPDIR": str(places.temporary),
        # A build folder may lie below somebody's checkout; its version is not that of the source.
        "GIT_CEILING_DIRECTORIES": str(places.build),
        **_bytecode(places),
        "PYTHONNOUSERSITE": "1",
    }


def _bytecode(places: Places) -> dict[str, str]:
    """Environments are read-only, and caches left in the source would end up in wheels.

    A folder for caches hides those that the interpreter's library has, so the first hook would compile
    half of that library again; this costs more than to compile the backend twice.
    """
    if places.compiled:
        return {"PYTHONDONTWRITEBYTECODE": "1"}
    return {"PYTHONPYCACHEPREFIX": str(places.build / "bytecode")}


def _parallelism(cores: int) -> dict[str, str]:
    """Ninja alone cannot be told by a variable: it looks at the CPUs that it may run on."""
    count = str(cores)
    return {
        "MAKEFLAGS": f"-j{count}",
        "MAX_JOBS": count,
        "CMAKE_BUILD_PARALLEL_LEVEL": count,
        "CARGO_BUILD_JOBS": count,
        "NPY_NUM_BUILD_JOBS": count,
    }


def _reproducibility(epoch: int) -> dict[str, str]:
    """Nothing of the host's language, time zone or luck reaches a wheel.

    PYTHONHASHSEED is fixed: wheels of two hosts are compared, and the order of a set in a setup.py
    must not make them differ.
    """
    return {
        "SOURCE_DATE_EPOCH": str(epoch),
        "PYTHONHASHSEED": "0",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "TERM": "dumb",
        "PYTHONUNBUFFERED": "1",
    }


def _fill_in(name: str, text: str, base: Mapping[str, str]) -> str:
    try:
        return Template(text).substitute(base)
    except (KeyError, ValueError) as error:
        raise InputError(
            f"the settings' environment variable {name} = {text!r} cannot be filled in: {error}",
            f"write $$ for a dollar sign; known are {', '.join(sorted(base))}",
        ) from None
