"""How a program is shut in: what it sees, as values, and the bubblewrap command line that makes it so.

Layout inside, the same on every host, so that paths in debug sections and caches are equal:

========================  ==============================================================
``/build``                the source and all that the build makes, writable
``/results``              wheels and metadata, writable
``/tmp``, ``/dev/shm``    writable
``/environment``          the build environment, read-only
``/toolchain``            the tools that are on PATH, read-only
interpreter, ``/usr`` …   where they are on the host, read-only
========================  ==============================================================

The writable folders are folders of the host's disk and not tmpfs: large C++ trees outgrow memory, and
results need no copying out. Their size is watched (``Limits.disk``) rather than bounded by a mount.
Each is a mount of its own: what runs inside cannot replace ``/results`` by a link to elsewhere, only
its contents; whoever reads those from outside must not follow links.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from .processes import Command, Limits

INSIDE_UID: Final = 1000
"""Never 0: tar, install and friends behave differently for root, and agents run under any uid."""
HOST_FOLDERS: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
HOST_FILES: Final = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d")
NETWORK_FILES: Final = ("/etc/resolv.conf", "/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/nsswitch.conf")
"""Bound only where the network is granted."""


class Level(StrEnum):
    """How much the host is protected from a build, weakest first.

    none: limits and an end of all processes, no protection. standard: own file system view, network,
    processes and users by bubblewrap; memory is not bounded in total.
    """

    NONE = "none"
    STANDARD = "standard"


class Mount(NamedTuple):
    """A path of the host and where it appears inside."""

    outside: Path
    inside: Path
    writable: bool = False


class HostRoot(NamedTuple):
    """The system folders and files that exist here, and those that are links (path → target)."""

    paths: tuple[Path, ...]
    links: tuple[tuple[Path, str], ...]


class Sandbox(NamedTuple):
    """What this host can do. bwrap is None at level none; etc: a folder with passwd, group and hosts."""

    level: Level
    root: HostRoot = HostRoot((), ())
    bwrap: Path | None = None
    etc: Path | None = None
    disable_userns: bool = False


class Confinement(msgspec.Struct, frozen=True):
    """What one program may see and use."""

    mounts: tuple[Mount, ...] = ()
    limits: Limits = Limits()
    network: bool = False


def inside(sandbox: Sandbox, mounts: Sequence[Mount], path: Path) -> Path:
    """Where a path of the host appears inside; the path itself at level none or below no mount."""
    if sandbox.level is Level.NONE:
        return path
    holding = [mount for mount in mounts if path.is_relative_to(mount.outside)]
    if not holding:
        return path
    nearest = max(holding, key=lambda mount: len(mount.outside.parts))
    return nearest.inside / path.relative_to(nearest.outside)


def confine(
    sandbox: Sandbox, confinement: Confinement, argv: Sequence[str], environment: Mapping[str, str], cwd: Path
) -> Command:
    """The command that runs ``argv`` shut in; paths in all arguments are those inside."""
    writable = tuple(mount.outside for mount in confinement.mounts if mount.writable)
    if sandbox.level is Level.NONE:
        return Command(tuple(argv), dict(environment), cwd, confinement.limits, writable)
    shut_in = (*bwrap_argv(sandbox, confinement, environment, cwd), "--", *argv)
    return Command(shut_in, {}, Path("/"), confinement.limits, writable)


def bwrap_argv(
    sandbox: Sandbox, confinement: Confinement, environment: Mapping[str, str], cwd: Path
) -> tuple[str, ...]:
    """The bubblewrap command line up to the program's own argv.

    bwrap itself runs with an empty environment: a loader variable meant for the build must not reach
    a process that is still outside.
    """
    return (
        str(sandbox.bwrap),
        *_namespaces(sandbox, network=confinement.network),
        *_system(sandbox, network=confinement.network),
        *_mounts(confinement.mounts),
        *("--remount-ro", "/dev", "--remount-ro", "/proc", "--remount-ro", "/"),
        *_variables(environment),
        *("--chdir", str(cwd)),
    )


def _namespaces(sandbox: Sandbox, *, network: bool) -> tuple[str, ...]:
    uid = str(INSIDE_UID)
    return (
        *("--unshare-user", "--uid", uid, "--gid", uid),
        *("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
        *(() if network else ("--unshare-net",)),
        *(("--disable-userns",) if sandbox.disable_userns else ()),
        *("--cap-drop", "ALL", "--new-session", "--die-with-parent", "--hostname", "localhost"),
    )


def _system(sandbox: Sandbox, *, network: bool) -> tuple[str, ...]:
    """The read-only system, and fresh /proc and /dev; never a folder with credentials.

    /proc is made read-only later: the kernel lets who is root outside write to /proc/sys, whatever
    rights were dropped, and one line in ``core_pattern`` starts a program on the host.
    """
    bound = [path for path in sandbox.root.paths if network or str(path) not in NETWORK_FILES]
    binds = [word for path in bound for word in ("--ro-bind", str(path), str(path))]
    links = [word for path, target in sandbox.root.links for word in ("--symlink", target, str(path))]
    own = sandbox.etc or Path("/nonexistent")
    etc = [word for name in ("passwd", "group", "hosts") for word in ("--ro-bind", str(own / name), f"/etc/{name}")]
    return (*binds, *links, *etc, "--proc", "/proc", "--dev", "/dev")


def _mounts(mounts: Sequence[Mount]) -> tuple[str, ...]:
    """Outer folders first, so that no mount hides another."""
    ordered = sorted(mounts, key=lambda mount: len(mount.inside.parts))
    return tuple(
        word
        for mount in ordered
        for word in ("--bind" if mount.writable else "--ro-bind", str(mount.outside), str(mount.inside))
    )


def _variables(environment: Mapping[str, str]) -> tuple[str, ...]:
    return ("--clearenv", *(word for name in sorted(environment) for word in ("--setenv", name, environment[name])))
