"""Compiles modules to bytecode; run as a script by the interpreter that will import them, in its sandbox.

Standard library only. Arguments: the folder that the modules are relative to, and a folder that holds
``input.json``, an object {group: [module, …]} of relative paths. The bytecode of ``a/b.py`` comes to
``<second folder>/<group>/a/__pycache__/b.cpython-312.pyc`` or what the interpreter calls it. It is valid
for exactly this source (PEP 552, checked hashes). What cannot be compiled is left out.
"""

import contextlib
import importlib.util
import json
import os
import py_compile
import sys


def main() -> None:
    """Every module that compiles is compiled."""
    site, folder = sys.argv[1:]
    with open(os.path.join(folder, "input.json"), encoding="utf-8") as stream:  # noqa: PTH118, PTH123 - pathlib is slow
        groups = json.load(stream)
    for group, modules in groups.items():
        for module in modules:
            source, target = os.path.join(site, module), os.path.join(folder, group, module)  # noqa: PTH118
            with contextlib.suppress(py_compile.PyCompileError, OSError, ValueError, RecursionError, MemoryError):
                py_compile.compile(
                    source,
                    importlib.util.cache_from_source(target),
                    doraise=True,
                    quiet=2,
                    invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH,
                )


if __name__ == "__main__":
    main()
