"""Causes that ends of build logs show, and what a person can do about each.

Collected from messages of compilers, linkers, CMake, meson, pkg-config, cargo and the usual backends.
"""

import re
from typing import Final

import msgspec


class Cause(msgspec.Struct, frozen=True):
    """A pattern of log lines; the advice may name its groups, ``{name}``, ``{host}`` and ``{files}``.

    files: the development files of the library that the match names, in words.
    """

    pattern: re.Pattern[str]
    advice: str


def _cause(pattern: str, advice: str) -> Cause:
    return Cause(re.compile(pattern), advice)


_ON_AGENTS: Final = "on the agents (or in the root that they build in)"
_MISSING: Final = r"(?:No such file or directory|not found|command not found|ENOENT)"
_TOOLS: Final = (
    "make|ninja|meson|autoconf|automake|libtool|patchelf|bison|flex|swig|nasm"
    "|gfortran|nvcc|go|perl|git|npm|protoc|bazel"
)
_REQUIRES: Final = "`project_override: {{update_build_requires: [%s]}}` in the settings of {name}"
_NEWER: Final = "take a newer version of {name}, or build for an older Python"

_PYTHON: Final = (
    _cause(
        r"No module named '?pkg_resources",
        "setuptools >= 82 has no pkg_resources: pin it in the settings of {name}, "
        '`project_override: {{update_build_requires: ["setuptools<81"]}}`',
    ),
    _cause(
        r"No module named '(?P<module>distutils)\b",
        "Python 3.12 has no {module} any more; setuptools brings it: " + _REQUIRES % '"setuptools"',
    ),
    _cause(
        r"No module named '(?P<module>imp|asynchat|asyncore)'"
        r"|'(?P<gone>pkgutil)' has no attribute 'ImpImporter'"
        r"|'(?P<parser>configparser)' has no attribute 'SafeConfigParser'",
        f"the source is older than this Python, which took that out of {{module}}: {_NEWER}",
    ),
    _cause(r"\buse_2to3 is invalid", "this is source for Python 2 that setuptools >= 58 refuses: " + _NEWER),
    _cause(
        r"setuptools[-_]scm was unable to detect version|Versioning for this project requires either an sdist",
        "the source does not tell its version, which comes from git otherwise: give it in the settings of {name}, "
        "`env: {{SETUPTOOLS_SCM_PRETEND_VERSION: ...}}` (PBR_VERSION where pbr asks)",
    ),
    _cause(
        r"\blongintrepr\.h(?:: No such|' file not found)"
        r"|error: .*\b(?:curexc_type|tp_print|ob_digit|_PyLong_AsByteArray|_PyUnicode_FastCopyCharacters)\b",
        f"C files in the source were made by a Cython that is older than this Python: {_NEWER}",
    ),
    _cause(
        r"\b(?P<header>numpy)/\w+\.h(?:: No such|' file not found)",
        "the source wants the headers of {header} without asking for it: " + _REQUIRES % '"numpy"',
    ),
    _cause(
        r"\[\['(?P<tool>cython)3?'|\bcython3?: (?:command )?not found|No such file or directory: '(?:\S*/)?cython3?'",
        "the build calls Cython without asking for it: " + _REQUIRES % '"cython"',
    ),
)
_HEADERS: Final = (
    _cause(
        r"\b(?:Python|pyconfig)\.h(?:: No such|' file not found)|Cannot compile `?'?Python\.h"
        r"|Python dependency not found|Could NOT find Python3? \(missing:.*(?:Development|INCLUDE)",
        f"install the headers of this Python (python3-dev) {_ON_AGENTS}",
    ),
    _cause(r"\bffi\.h(?:: No such|' file not found)", f"install the headers of libffi (libffi-dev) {_ON_AGENTS}"),
    _cause(
        r"Could not find directory of OpenSSL installation|Could NOT find (?P<header>OpenSSL)\b",
        f"install OpenSSL with its development files (libssl-dev) {_ON_AGENTS}",
    ),
    _cause(
        r"headers or library files could not be found for (?P<library>\w+)"
        r"|RequiredDependencyException: (?P<raised>\w+)",
        f"install {{library}} with its development files{{files}} {_ON_AGENTS}",
    ),
    _cause(
        r"make sure the (?P<library>libxml2) and libxslt development packages are installed",
        f"install libxml2 and libxslt with their development files (libxml2-dev libxslt1-dev) {_ON_AGENTS}",
    ),
    _cause(
        r"(?<![\w./+-])(?P<header>[\w./+-]+\.(?:h|hh|hpp)): No such file"
        r"|'(?P<quoted>[\w./+-]+\.(?:h|hpp))' file not found",
        f"install the library that has the header {{header}}, with its development files{{files}}, {_ON_AGENTS}",
    ),
    _cause(
        r"cannot find -l(?P<library>[\w.+-]+)",
        f"install lib{{library}} with its development files{{files}} {_ON_AGENTS}",
    ),
    _cause(
        r"\b(?P<config>(?!pkg-)\w+[-_]config)(?: executable)?:?'? (?:is )?(?:command )?not found"
        r"|No such file or directory: '(?:\S*/)?(?P<exec>(?!pkg-)\w+[-_]config)'",
        f"install the library that brings {{config}}, with its development files{{files}}, {_ON_AGENTS}",
    ),
)
_RUST: Final = (
    _cause(
        r"requires rustc [\d.]+|requires Rust (?:version )?>= ?[\d.]+|rustc [\d.]+(?:-\w+)? is not supported"
        r"|feature `edition20\d\d` is required|lock file version `?\d+`? (?:was found|requires)",
        f"install a newer Rust (cargo and rustc) {_ON_AGENTS}, or take an older version of {{name}}",
    ),
    _cause(
        r"can't find crate for `(?P<crate>core|std|alloc)`",
        f"install the Rust library ({{crate}}) of the target that is built for {_ON_AGENTS}",
    ),
    _cause(
        r"no matching package(?: named `(?P<crate>[^`]+)`)? found|can't find crate for `(?P<extern>[^`]+)`"
        r"|failed to download from (?:`?http|registry)|failed to (?:get|download) `(?P<got>[^`]+)`"
        r"|failed to query replaced source registry|Unable to update registry"
        r"|download of config\.json failed|HTTP request, but --(?:offline|frozen) was specified",
        "builds have no network, so the crates that cargo wants must be vendored in the source of {name}: "
        "`cargo vendor` while it is prepared, or a patch that adds them",
    ),
    _cause(
        rf"can't find Rust compiler|[Cc]argo, the Rust package manager, is not|\b(?:cargo|rustc)\b.*{_MISSING}"
        r"|No such file or directory: '(?:\S*/)?(?:cargo|rustc)'",
        f"install cargo and rustc {_ON_AGENTS}",
    ),
)
_COMPILERS: Final = (
    _cause(
        r"Unknown compiler\(s\): \[\['gfortran|No CMAKE_Fortran_COMPILER could be found"
        r"|[Nn]o Fortran compiler found|[Cc]ould not (?:find|locate) (?:a |the )?Fortran compiler",
        f"install a Fortran compiler (gfortran) {_ON_AGENTS}",
    ),
    _cause(
        rf"(?:g|c|clang)\+\+'?(?: failed)?: {_MISSING}"
        r"|No CMAKE_CXX_COMPILER could be found|Unknown compiler\(s\): \[\['(?:c\+\+|g\+\+)",
        f"install a C++ compiler (g++) {_ON_AGENTS}",
    ),
    _cause(
        rf"\b(?:gcc|cc|clang)(?:-\d+)?'?(?: failed)?: {_MISSING}|No such file or directory: '(?:\S*[/-])?g?cc'"
        r"|unable to execute '[\w-]*g?cc'|No CMAKE_C_COMPILER could be found|Unknown compiler\(s\)"
        r"|no acceptable C compiler",
        f"install a C compiler (gcc) {_ON_AGENTS}",
    ),
    _cause(
        rf"\bcmake\b.*{_MISSING}|No such file or directory: '(?:\S*/)?cmake'|CMake must be installed"
        r"|Problem with the CMake installation",
        f"install cmake {_ON_AGENTS}, or add it to the build requirements with project_override",
    ),
    _cause(
        rf"pkg-config\b.*{_MISSING}|No such file or directory: '(?:\S*/)?pkg-?conf(?:ig)?'|Did not find pkg-config",
        f"install pkg-config {_ON_AGENTS}",
    ),
    _cause(
        r"No package '(?P<pc>[^']+)' found|Package (?P<name_pc>\S+) was not found in the pkg-config search path"
        r"|Package '(?P<name_conf>[^']+)'(?:, required by '[^']+',)? not found"
        r"|Dependency \"(?P<dependency>[^\"]+)\" not found",
        f"install {{pc}} with its development files{{files}} {_ON_AGENTS}",
    ),
    _cause(
        rf"\b(?P<tool>{_TOOLS}): {_MISSING}|No such file or directory: '(?:\S*/)?(?P<exec>{_TOOLS})'",
        f"install {{tool}} {_ON_AGENTS}",
    ),
    _cause(r"CUDA_HOME environment variable is not set", f"install the CUDA toolkit {_ON_AGENTS}, and set CUDA_HOME"),
    _cause(
        r"^Could NOT find (?P<library>\w+)",
        f"install {{library}} with its development files{{files}} {_ON_AGENTS}",
    ),
    _cause(
        r"Killed signal terminated program|virtual memory exhausted|LLVM ERROR: out of memory|signal: 9, SIGKILL",
        "memory ran out: give the build fewer cores (--jobs), or an agent with fewer slots or more memory",
    ),
    _cause(r"No space left on device", "the disk of the agent is full, or the build folder's limit is too small"),
)
_OTHERS: Final = (
    _cause(
        r"Temporary failure in name resolution|Name or service not known|Network is unreachable"
        r"|Could not resolve host|Failed to resolve '|getaddrinfo failed|nodename nor servname"
        r"|Failed to establish a new connection|[Cc]ould not connect to server",
        "{name} tries to reach {host} while building: put the file in the source with a patch, "
        "mark it pre_built, or grant `network: true`",
    ),
    _cause(
        r"No module named '(?P<module>[\w.]+)'",
        "the source imports {module} without asking for it: add what provides it to its build requirements, "
        "`project_override: {{update_build_requires: [...]}}` in the settings of {name}",
    ),
)

CAUSES: Final = (*_PYTHON, *_HEADERS, *_RUST, *_COMPILERS, *_OTHERS)
"""In the order in which they are looked for: what names most precisely stands first."""

_OPENSSL: Final = "libssl-dev"
DEVELOPMENT_FILES: Final = {
    "zlib.h": "zlib1g-dev",
    "zlib": "zlib1g-dev",
    "z": "zlib1g-dev",
    "jpeg": "libjpeg-dev",
    "jpeglib.h": "libjpeg-dev",
    "openssl": _OPENSSL,
    "ssl": _OPENSSL,
    "crypto": _OPENSSL,
    "libffi": "libffi-dev",
    "ffi": "libffi-dev",
    "bzlib.h": "libbz2-dev",
    "lzma.h": "liblzma-dev",
    "sqlite3.h": "libsqlite3-dev",
    "pg_config": "libpq-dev",
    "pq": "libpq-dev",
    "libpq-fe.h": "libpq-dev",
    "mysql_config": "default-libmysqlclient-dev",
    "mysql.h": "default-libmysqlclient-dev",
    "libxml": "libxml2-dev",
    "xml2-config": "libxml2-dev",
    "libxslt": "libxslt1-dev",
    "xslt-config": "libxslt1-dev",
    "yaml.h": "libyaml-dev",
    "curl": "libcurl4-openssl-dev",
    "curl-config": "libcurl4-openssl-dev",
    "lber.h": "libldap-dev",
    "ldap.h": "libldap-dev",
    "sasl": "libsasl2-dev",
    "gssapi": "libkrb5-dev",
    "krb5-config": "libkrb5-dev",
    "uuid": "uuid-dev",
    "gmp.h": "libgmp-dev",
    "mpfr.h": "libmpfr-dev",
    "hdf5.h": "libhdf5-dev",
    "ft2build.h": "libfreetype-dev",
    "portaudio.h": "portaudio19-dev",
    "systemd": "libsystemd-dev",
    "openblas": "libopenblas-dev",
    "eigen": "libeigen3-dev",
    "gdal-config": "libgdal-dev",
    "llvm-config": "llvm-dev",
}
"""What a header, its folder, a library or a configuration script is known by → who brings it on Debian."""
