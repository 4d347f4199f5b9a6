"""Ends of real build logs, and what they must tell."""

import pytest

from wheelfleet_shared.core.hints import find_hint, telling_line

HINTS = {
    "  error: command 'gcc' failed: No such file or directory": "install a C compiler",
    "error: command '/usr/bin/x86_64-linux-gnu-gcc' failed: No such file or directory": "install a C compiler",
    "unable to execute 'gcc': No such file or directory": "install a C compiler",
    "/bin/sh: 1: cc: not found": "install a C compiler",
    "../meson.build:1:0: ERROR: Unknown compiler(s): [['icc'], ['cc'], ['gcc']]": "install a C compiler",
    "configure: error: no acceptable C compiler found in $PATH": "install a C compiler",
    "  No CMAKE_C_COMPILER could be found.": "install a C compiler",
    "error: command 'g++' failed: No such file or directory": "install a C++ compiler",
    "make: x86_64-linux-gnu-g++: No such file or directory": "install a C++ compiler",
    "../meson.build:1:0: ERROR: Unknown compiler(s): [['c++'], ['g++']]": "install a C++ compiler",
    "  No CMAKE_CXX_COMPILER could be found.": "install a C++ compiler",
    "src/x.c:1:10: fatal error: Python.h: No such file or directory": "headers of this Python",
    "c/_cffi_backend.c:15:10: fatal error: ffi.h: No such file or directory": "libffi-dev",
    "x.c:3:10: fatal error: openssl/ssl.h: No such file or directory": "files (libssl-dev on Debian)",
    "x.cc:3:10: fatal error: 'Eigen/Core.hpp' file not found": "has the header Eigen/Core.hpp",
    "/usr/bin/ld: cannot find -lpq: No such file or directory": "install libpq",
    "error: can't find Rust compiler": "install cargo and rustc",
    "Cargo, the Rust package manager, is not installed or is not on PATH.": "install cargo and rustc",
    "FileNotFoundError: [Errno 2] No such file or directory: 'cargo'": "install cargo and rustc",
    "RuntimeError: CMake must be installed to build the following extensions: x": "install cmake",
    "FileNotFoundError: [Errno 2] No such file or directory: 'cmake'": "install cmake",
    "/bin/sh: cmake: command not found": "install cmake",
    "/bin/sh: 1: pkg-config: not found": "install pkg-config",
    "FileNotFoundError: [Errno 2] No such file or directory: 'pkg-config'": "install pkg-config",
    "No package 'libxml-2.0' found": "install libxml-2.0",
    'meson.build:9:0: ERROR: Dependency "openblas" not found, tried pkgconfig and cmake': "install openblas",
    "/bin/sh: 1: autoconf: not found": "install autoconf",
    "ModuleNotFoundError: No module named 'pkg_resources'": '{update_build_requires: ["setuptools<81"]}`',
    "ModuleNotFoundError: No module named 'numpy'": "imports numpy without asking",
    "urllib.error.URLError: <urlopen error [Errno -3] Temporary failure in name resolution>": "reach the network",
    "fatal: unable to access 'https://git.invalid/x/': Could not resolve host: git.invalid": "reach git.invalid while",
    "  HTTPSConnectionPool(host='files.invalid'): Failed to resolve 'files.invalid'": "reach files.invalid while",
    "  failed to download from `https://index.crates.invalid/config.json`": "must be vendored in the source of foo",
    "error: no matching package named `syn` found": "must be vendored in the source of foo",
    "error: failed to download from registry `crates-io`": "must be vendored in the source of foo",
    "  attempting to make an HTTP request, but --offline was specified": "must be vendored in the source of foo",
    "error[E0463]: can't find crate for `pyo3`": "must be vendored in the source of foo",
    "error[E0463]: can't find crate for `std`": "the Rust library (std) of the target",
    "error: package `clap v4.5.0` cannot be built as it requires rustc 1.74 or newer": "newer Rust",
    "error: rustc 1.63.0 is not supported by the following packages:": "a newer Rust",
    "  feature `edition2024` is required": "a newer Rust",
    "error: lock file version 4 requires `-Znext-lockfile-bump`": "a newer Rust",
    "  Could not find directory of OpenSSL installation, and this `-sys` crate cannot proceed": "libssl-dev",
    "  Could NOT find OpenSSL, try to set the path to OpenSSL root folder": "libssl-dev",
    "x.c:1:10: fatal error: zlib.h: No such file or directory": "(zlib1g-dev on Debian)",
    "/usr/bin/ld: cannot find -lz: No such file or directory": "(zlib1g-dev on Debian)",
    "The headers or library files could not be found for jpeg,": "install jpeg with its development files (libjpeg-dev",
    "Error: pg_config executable not found.": "brings pg_config, with its development files (libpq-dev",
    "/bin/sh: 1: krb5-config: not found": "(libkrb5-dev on Debian)",
    "../meson.build:1:0: ERROR: Unknown compiler(s): [['gfortran'], ['flang']]": "a Fortran compiler",
    "  No CMAKE_Fortran_COMPILER could be found.": "a Fortran compiler",
    "../meson.build:1:0: ERROR: Unknown compiler(s): [['cython'], ['cython3']]": '{update_build_requires: ["cython"]}`',
    "x.c:1:10: fatal error: 'Python.h' file not found": "headers of this Python",
    "../meson.build:1:0: ERROR: Python dependency not found": "headers of this Python",
    "  Could NOT find Python (missing: Python_INCLUDE_DIRS Development.Module)": "headers of this Python",
    "src/x.c:9:12: fatal error: longintrepr.h: No such file or directory": "a Cython that is older than this Python",
    "x.c:9:1: error: 'PyTypeObject' has no member named 'tp_print'": "a Cython that is older than this Python",
    "x.c:5:10: fatal error: numpy/arrayobject.h: No such file or directory": '{update_build_requires: ["numpy"]}`',
    "ModuleNotFoundError: No module named 'distutils'": '{update_build_requires: ["setuptools"]}`',
    "ModuleNotFoundError: No module named 'imp'": "took that out of imp",
    "error in foo setup command: use_2to3 is invalid.": "source for Python 2",
    "LookupError: setuptools-scm was unable to detect version for /build.": "SETUPTOOLS_SCM_PRETEND_VERSION",
    "c++: fatal error: Killed signal terminated program cc1plus": "memory ran out",
    "Package 'libffi', required by 'virtual:world', not found": "install libffi with its development files (libffi-dev",
}


@pytest.mark.parametrize("line", HINTS)
@pytest.mark.rule("hook-12", "source-8")
def test_a_known_cause_gives_its_line_and_an_advice(line):
    log = ["running build_ext", f"\x1b[31m{line}\x1b[0m", "error: subprocess-exited-with-error"]
    hint = find_hint(log, "foo")
    assert hint is not None
    assert hint.line == line.strip()
    assert HINTS[line] in hint.advice
    assert telling_line(log) == line.strip()


@pytest.mark.rule("hook-12")
def test_the_host_may_stand_in_a_line_nearby():
    log = ["Downloading http://user:secret@mirror.invalid/libfoo.tar.gz", "retrying", "OSError: Network is unreachable"]
    hint = find_hint(log, "foo")
    assert hint is not None
    assert "foo tries to reach mirror.invalid while building" in hint.advice
    assert "secret" not in hint.advice


TOLD = [
    ([], ""),
    (["", "  ", "something went wrong", ""], "something went wrong"),
    (
        ["Traceback (most recent call last):", '  File "setup.py"', "ValueError: bad version"],
        "ValueError: bad version",
    ),
    (
        [
            "x.c:7:5: error: 'PyThreadState' has no member named 'frame'",
            "x.c:9:5: error: another",
            "error: command '/usr/bin/gcc' failed with exit code 1",
        ],
        "x.c:7:5: error: 'PyThreadState' has no member named 'frame'",
    ),
    (
        [
            "error[E0425]: cannot find value `x` in this scope",
            "subprocess.CalledProcessError: Command 'cargo' returned non-zero exit status 101.",
        ],
        "error[E0425]: cannot find value `x` in this scope",
    ),
    (
        ["Traceback", "distutils.errors.CompileError: command 'gcc' failed with exit code 1"],
        "distutils.errors.CompileError: command 'gcc' failed with exit code 1",
    ),
]


@pytest.mark.parametrize(("log", "line"), TOLD)
def test_without_a_known_cause_the_line_that_says_most_is_told(log, line):
    assert find_hint(log) is None
    assert telling_line(log) == line


def test_a_harmless_log_has_no_hint():
    assert find_hint(["checking for gcc... gcc", "creating build/lib", "copying foo.h -> build", "cmake found"]) is None
    assert find_hint(["-- Could NOT find Doxygen (missing: DOXYGEN_EXECUTABLE)", "Updating an index of crates"]) is None
