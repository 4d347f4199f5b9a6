"""Crates brought into a source by ``cargo vendor``, shut in as hooks are, with the network reachable."""

import os
import tomllib
from pathlib import Path
from typing import Any, Final

import msgspec
import tomlkit

from wheelfleet_shared.errors import SourceError

from ..core.output import Remembering
from ..core.processes import LogSink
from ..core.rust_sources import VENDOR, RustSource
from ..core.sandbox_plan import Confinement, confine
from .plugin_process import PluginPlace
from .run_process import run

_TOOLS: Final = Path("/toolchain")
_SECONDS: Final = 1_800.0
_PASSED_ON: Final = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR")
_CONFIGURED: Final = ("source", "http", "net")
"""Tables of the agent's own cargo configuration that say where crates come from; none holds a token."""
_NEXT: Final = "vendor them in a patch, or mark it pre_built"


async def vendor_crates(source: RustSource, place: PluginPlace, log: LogSink) -> None:
    """The crates of the manifests lie in ``vendor``, where cargo brought them by its own configuration here.

    The source's own configuration of cargo is not read: it could name programs to run. Raises SourceError
    where cargo is missing or does not get them.
    """
    cargo = next((mount.outside / "cargo" for mount in place.mounts if mount.inside == _TOOLS), None)
    if cargo is None or not cargo.exists():
        raise SourceError("crates cannot be vendored: there is no cargo on this agent", f"install it, or {_NEXT}")
    home = place.folder.build / "cargo-home"
    home.mkdir()
    (home / "config.toml").write_text(_own_configuration())
    first, *others = (place.seen(path) for path in source.manifests)
    more = [f"--sync={manifest}" for manifest in others]
    where = place.seen(source.root / VENDOR)
    argv = [place.seen(cargo), "vendor", "--respect-source-config", f"--manifest-path={first}", *more, where]
    limits = msgspec.structs.replace(place.limits, timeout_total=_SECONDS)
    confinement = Confinement(place.all_mounts(), limits, network=True)
    remembering = Remembering(log)
    cwd = Path(place.seen(place.folder.results))
    finished = await run(confine(place.sandbox, confinement, argv, _variables(place, home), cwd), remembering)
    if finished.returncode != 0 or finished.reason != "exited":
        raise SourceError(f"crates cannot be vendored: cargo: {_cause(remembering.tail)}", _NEXT)


def _variables(place: PluginPlace, home: Path) -> dict[str, str]:
    kept = {name: value for name, value in place.environ.items() if name != "CARGO_NET_OFFLINE"}
    passed = {name: value for name, value in os.environ.items() if name.lower() in _lowered()}
    return {**kept, **passed, "CARGO_HOME": place.seen(home), "CARGO_NET_RETRY": "2", "CARGO_TERM_COLOR": "never"}


def _lowered() -> frozenset[str]:
    return frozenset(name.lower() for name in _PASSED_ON)


def _own_configuration() -> str:
    """What the agent's cargo configuration says of sources; empty where it has none that can be read."""
    folder = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    try:
        found: dict[str, Any] = tomllib.loads((folder / "config.toml").read_text())
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        return ""
    return tomlkit.dumps({name: found[name] for name in _CONFIGURED if name in found})


def _cause(tail: tuple[str, ...]) -> str:
    """What cargo says went wrong at the bottom of all causes."""
    told = [line.strip() for line in tail if line.strip() and not line.startswith("warning:")]
    return told[-1] if told else "cargo said nothing"
