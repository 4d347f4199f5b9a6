"""What a function of a plugin uses of what plugins are given here, and what of it they are not given."""

import ast
import sys
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from wheelfleet_shared.core.plugin_points import ARGUMENTS, LIBRARIES, MEMBERS, OFFERED

from .plugin_source import Module, imports_of

_ROOT = "fromager"
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Use(NamedTuple):
    """Something that is not there. line: where it is used."""

    line: int
    what: str


def lacking_arguments(function: _Function, point: str) -> Iterator[Use]:
    """The parameters that nothing is given for, where the function is called as this override or hook."""
    arguments = function.args
    plain = [*arguments.posonlyargs, *arguments.args]
    needed = plain[: len(plain) - len(arguments.defaults)]
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    needed += [argument for argument, default in pairs if default is None]
    for argument in needed:
        if argument.arg not in ARGUMENTS[point]:
            yield Use(argument.lineno, f"wants {argument.arg}, which is not given here")


def lacking_modules(module: Module, own: Mapping[str, bytes]) -> Iterator[Use]:
    """The modules that it imports and that agents need not have. own: files of the plugins."""
    tops = {path.partition("/")[0].removesuffix(".py") for path in own}
    known = LIBRARIES | sys.stdlib_module_names | tops
    seen = set[str]()
    for name, line in imports_of(module).items():
        top = name.partition(".")[0]
        if top not in known and top not in seen:
            seen.add(top)
            yield Use(line, f"imports {top}, which agents need not have")


def lacking_names(module: Module, function: str) -> Iterator[Use]:
    """What the function, and others of its module that it names, use of fromager that is not offered."""
    functions = {node.name: node for node in module.tree.body if isinstance(node, _Function)}
    bound = dict(_bound(module))
    waiting, seen = [function], set[str]()
    while waiting:
        current = waiting.pop()
        if current in seen or current not in functions:
            continue
        seen.add(current)
        for node in _walked(functions[current]):
            if isinstance(node, ast.Name) and node.id in functions:
                waiting.append(node.id)
            yield from _lacking(node, bound, _objects(functions[current]))


def _bound(module: Module) -> Iterator[tuple[str, str]]:
    """Name → dotted name below ``fromager`` of all that is imported from there."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").partition(".")[0] == _ROOT:
            yield from ((item.asname or item.name, f"{node.module}.{item.name}") for item in node.names)
        elif isinstance(node, ast.Import):
            found = (item for item in node.names if item.name.partition(".")[0] == _ROOT)
            yield from ((item.asname or _ROOT, item.name if item.asname else _ROOT) for item in found)


def _walked(function: _Function) -> Iterator[ast.AST]:
    """What is carried out when the function is called: its annotations are not."""
    for statement in (*function.body, *function.decorator_list):
        yield from ast.walk(statement)


def _objects(function: _Function) -> dict[str, str]:
    """Name → which object of ``MEMBERS`` it stands for."""
    names = {name: name for name in ("ctx", "build_env")}
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Attribute(attr="package_build_info"))):
                names[name] = "package_build_info"
    return names


def _lacking(node: ast.AST, bound: Mapping[str, str], objects: Mapping[str, str]) -> Iterator[Use]:
    match node:
        case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in objects and name not in bound:
            if attribute not in MEMBERS[objects[name]] and not attribute.startswith("__"):
                yield Use(node.lineno, f"uses {name}.{attribute}, which is not offered here")
        case ast.Attribute() | ast.Name():
            dotted = _dotted(node, bound)
            if dotted is not None and not _is_offered(dotted):
                yield Use(node.lineno, f"uses {dotted}, which is not offered here")


def _dotted(node: ast.AST, bound: Mapping[str, str]) -> str | None:
    """The dotted name below ``fromager`` that an expression stands for; None for others."""
    match node:
        case ast.Name(id=name):
            return bound.get(name)
        case ast.Attribute(value=value, attr=attribute):
            base = _dotted(value, bound)
            return f"{base}.{attribute}" if base is not None else None
    return None


def _is_offered(dotted: str) -> bool:
    """Whether a name may be used; a module may, since only what it holds matters."""
    _, _, rest = dotted.partition(".")
    module, _, name = rest.partition(".")
    if not name:
        return True
    return name.partition(".")[0] in OFFERED.get(module, frozenset())
