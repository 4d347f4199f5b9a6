"""What the source of a plugin tells without being run: its functions, and the modules that it needs."""

import ast
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from wheelfleet_shared.errors import InputError

_LOOKS_AROUND = frozenset({"importlib", "pkgutil", "runpy", "inspect", "__file__", "__path__", "__import__"})
"""Whoever uses these may read any file of its top-level package."""


class Module(NamedTuple):
    """A module of a plugin. path: of its file, below the folder that modules are found in."""

    name: str
    path: str
    tree: ast.Module


def module_of(name: str, files: Mapping[str, bytes], origin: str) -> Module | None:
    """The module, where it is among the files. Raises InputError, with file and line, for what is no Python."""
    place = name.replace(".", "/")
    path = next((path for path in (f"{place}.py", f"{place}/__init__.py") if path in files), None)
    if path is None:
        return None
    try:
        return Module(name, path, ast.parse(files[path], f"{origin}{path}"))
    except SyntaxError as error:
        raise InputError(f"{origin}{path}:{error.lineno}: {error.msg}", "correct the plugin") from None
    except ValueError as error:
        raise InputError(f"{origin}{path}: {error}", "correct the plugin") from None


def names_in(module: Module) -> dict[str, int]:
    """Name → line of everything that the module's own statements bind: functions, assignments, imports."""
    return {name: line for statement in module.tree.body for name, line in _bound(statement)}


def _bound(statement: ast.stmt) -> Iterator[tuple[str, int]]:
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield statement.name, statement.lineno
        case ast.Assign():
            yield from ((target.id, statement.lineno) for target in statement.targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name, statement.lineno
        case ast.Import() | ast.ImportFrom():
            yield from (((item.asname or item.name).partition(".")[0], statement.lineno) for item in statement.names)
        case ast.If() | ast.Try():
            for inner in (*statement.body, *statement.orelse):
                yield from _bound(inner)


def imports_of(module: Module) -> dict[str, int]:
    """Dotted name → line of all that the module imports, wherever it does; relative ones made absolute.

    What ``from x import y`` brings may be a module or not: both ``x`` and ``x.y`` are here.
    """
    found: dict[str, int] = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found.update((item.name, node.lineno) for item in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(module, node)
            found[base] = node.lineno
            found.update((f"{base}.{item.name}".lstrip("."), node.lineno) for item in node.names)
    return {name: line for name, line in found.items() if name}


def _base(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    parts = parts if module.path.endswith("/__init__.py") else parts[:-1]
    parts = parts[: len(parts) - node.level + 1]
    return ".".join((*parts, *([node.module] if node.module else [])))


def closure(name: str, files: Mapping[str, bytes], origin: str) -> dict[str, bytes]:
    """The files that the module needs: its own, those of the packages it lies in, and of all that it imports.

    A module that looks around, by ``importlib`` or ``__file__``, takes the whole of its top-level package
    with it. So a change elsewhere changes nothing for who is built with this. Raises as ``module_of``.
    """
    found: dict[str, bytes] = {}
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        module = module_of(current, files, origin)
        waiting.extend(_packages(current))
        if module is None:
            continue
        found[module.path] = files[module.path]
        waiting.extend(imports_of(module))
        if _looks_around(module):
            top = f"{current.partition('.')[0]}/"
            found.update((path, data) for path, data in files.items() if path.startswith(top))
            waiting.extend(path.removesuffix(".py").replace("/", ".") for path in found if path.endswith(".py"))
    return dict(sorted(found.items()))


def _packages(name: str) -> Iterator[str]:
    parts = name.split(".")[:-1]
    yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))


def _looks_around(module: Module) -> bool:
    names = {node.id for node in ast.walk(module.tree) if isinstance(node, ast.Name)}
    return bool(_LOOKS_AROUND & {*names, *(name.partition(".")[0] for name in imports_of(module))})
