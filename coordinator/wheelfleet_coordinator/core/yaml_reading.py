"""YAML text into typed structs; what cannot be used is refused with its line.

Only YAML's own plain types are known: no tag makes an object. Anchors and merge keys work, and cost no
more than their text: a node that is named many times is read once.
"""

import difflib
import functools
from collections.abc import Callable
from types import UnionType
from typing import Annotated, Any, Final, NamedTuple, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
import yaml

from wheelfleet_shared.errors import InputError

_TAG: Final = "tag:yaml.org,2002:"
_PLAIN: Final[dict[str, Callable[[yaml.constructor.SafeConstructor, yaml.ScalarNode], object]]] = {
    "null": lambda maker, node: maker.construct_yaml_null(node),
    "bool": lambda maker, node: maker.construct_yaml_bool(node),
    "int": lambda maker, node: maker.construct_yaml_int(node),
    "float": lambda maker, node: maker.construct_yaml_float(node),
    "str": lambda maker, node: maker.construct_yaml_str(node),
}
_LONGEST: Final = 1 << 20
Path = tuple[str, ...]
"""The keys that lead to a value."""
Settings = TypeVar("Settings", bound=msgspec.Struct)
Pair = tuple[yaml.ScalarNode, yaml.Node]


class Lines(NamedTuple):
    """Where the values of one file stand. numbers: of the line of each key that is given."""

    file: str
    numbers: dict[Path, int]

    def at(self, *path: str) -> str:
        """``file:line`` of a value, or of the nearest one around it."""
        known = next((path[:end] for end in range(len(path), 0, -1) if path[:end] in self.numbers), ())
        return f"{self.file}:{self.numbers.get(known, 1)}"


def read_yaml(
    data: bytes, kind: type[Settings], file: str, dropped: frozenset[str] = frozenset()
) -> tuple[Settings, Lines]:
    """The settings and where each stands. dropped: keys of the outermost mapping that are not looked into.

    Raises InputError, naming file and line, for text that is no YAML, doubled and unknown keys, and
    values of the wrong kind.
    """
    root = _compose(data, file)
    reader = _Reader(Lines(file, {}), dropped)
    if root is None or _is_null(root):
        return kind(), reader.lines
    read: Settings = reader.read(root, kind, ())
    return read, reader.lines


def _compose(data: bytes, file: str) -> yaml.Node | None:
    if len(data) > _LONGEST:
        raise InputError(f"{file} is longer than {_LONGEST >> 20} MiB", "settings are short texts")
    try:
        return yaml.compose(data.decode("utf-8-sig"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{file}:{line}: is no UTF-8: {error.reason}", "save the file as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{file}:{line}: is no YAML: {error.problem}", "correct the file") from None
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"{file}:1: is no YAML: {str(error).splitlines()[0]}", "correct the file") from None
    except RecursionError:
        raise InputError(f"{file}:1: is nested too deeply", "settings have four levels at most") from None


class _Reader:
    """Reads one file; remembers what it read, and where."""

    def __init__(self, lines: Lines, dropped: frozenset[str]) -> None:
        self.lines = lines
        self._dropped = dropped
        self._seen: dict[tuple[int, object], object] = {}
        self._pairs_of: dict[int, list[Pair] | None] = {}
        self._maker = yaml.constructor.SafeConstructor()

    def read(self, node: yaml.Node, kind: Any, path: Path) -> Any:
        """The value of a node. Raises InputError where it is of another kind."""
        remembered = (id(node), kind)
        if remembered not in self._seen:
            self._seen[remembered] = self._read(node, kind, path)
        return self._seen[remembered]

    def _read(self, node: yaml.Node, kind: Any, path: Path) -> Any:
        origin = get_origin(kind)
        if origin in {Union, UnionType}:
            return self._alternative(node, get_args(kind), path)
        if origin is Annotated:
            return self._leaf(node, get_args(kind)[1], path)
        if _is_null(node) and path:
            return (origin or kind)()
        if origin is tuple:
            return self._list(node, get_args(kind)[0], path)
        if origin is dict:
            key_kind, value_kind = get_args(kind)
            return self._mapping(node, key_kind, value_kind, path)
        return self._struct(node, kind, path)

    def _alternative(self, node: yaml.Node, kinds: tuple[Any, ...], path: Path) -> Any:
        if type(None) in kinds and _is_null(node):
            return None
        lists = isinstance(node, yaml.SequenceNode)
        wanted = [kind for kind in kinds if kind is not type(None) and (get_origin(kind) is tuple) is lists]
        return self.read(node, (wanted or kinds)[0], path)

    def _leaf(self, node: yaml.Node, check: Callable[[object], object], path: Path) -> object:
        if not isinstance(node, yaml.ScalarNode):
            self._refuse(node, path, "must be one value, not a list or a mapping")
        return self._checked(node, path, lambda: check(self._scalar(node, path)))

    def _list(self, node: yaml.Node, kind: Any, path: Path) -> tuple[object, ...]:
        if not isinstance(node, yaml.SequenceNode):
            self._refuse(node, path, "must be a list; write each entry after '- '")
        return tuple(self.read(item, kind, path) for item in node.value)

    def _mapping(self, node: yaml.Node, key_kind: Any, kind: Any, path: Path) -> dict[object, object]:
        read: dict[object, object] = {}
        for key_node, value_node in self._pairs(node, path):
            below = self._note(key_node, path)
            key = self.read(key_node, key_kind, below)
            if key in read:
                self._refuse(key_node, below, f"stands twice, once in another spelling of {key}")
            read[key] = self.read(value_node, kind, below)
        return read

    def _struct(self, node: yaml.Node, kind: type[msgspec.Struct], path: Path) -> msgspec.Struct:
        kinds, values = _fields(kind), dict[str, object]()
        for key_node, value_node in self._pairs(node, path):
            below = self._note(key_node, path)
            name = key_node.value
            if not path and name in self._dropped:
                continue
            if name not in kinds:
                self._refuse_key(key_node, path, tuple(kinds))
            if not (_is_null(value_node) and _may_be_empty(kinds[name])):
                values[name] = self.read(value_node, kinds[name], below)
        made: msgspec.Struct = self._checked(node, path, lambda: kind(**values))
        return made

    def _note(self, key: yaml.ScalarNode, path: Path) -> Path:
        below = (*path, key.value)
        self.lines.numbers.setdefault(below, key.start_mark.line + 1)
        return below

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> object:
        make = _PLAIN.get(node.tag.removeprefix(_TAG))
        if make is None:
            self._refuse(node, path, f"must be plain text, not a {node.tag.removeprefix(_TAG)}; write it in quotes")
        try:
            value = make(self._maker, node)
        except (ValueError, KeyError, IndexError, OverflowError):
            self._refuse(node, path, f"cannot be read as {node.tag.removeprefix(_TAG)}: {node.value[:80]!r}")
        if isinstance(value, str) and any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in value):
            self._refuse(node, path, "holds a character that no program takes (NUL or half a surrogate pair)")
        return value

    def _pairs(self, node: yaml.Node, path: Path) -> list[Pair]:
        """Keys and values of a mapping, merged ones last; its own come before those that it merges."""
        if not isinstance(node, yaml.MappingNode):
            self._refuse(node, path, "must be a mapping of keys to values")
        if id(node) not in self._pairs_of:
            self._pairs_of[id(node)] = None
            self._pairs_of[id(node)] = self._merged(node, path)
        pairs = self._pairs_of[id(node)]
        if pairs is None:
            self._refuse(node, path, "merges itself")
        return pairs

    def _merged(self, node: yaml.MappingNode, path: Path) -> list[Pair]:
        own, merged = dict[str, Pair](), dict[str, Pair]()
        for key, value in node.value:
            if key.tag == f"{_TAG}merge":
                for base in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    for pair in self._pairs(base, path):
                        merged.setdefault(pair[0].value, pair)
                continue
            if not isinstance(key, yaml.ScalarNode) or not isinstance(self._scalar(key, path), str):
                self._refuse(key, path, "has a key that is no text; write it in quotes")
            if key.value in own:
                first = own[key.value][0].start_mark.line + 1
                self._refuse(key, (*path, key.value), f"stands twice, first in line {first}")
            own[key.value] = (key, value)
        return [*own.values(), *(pair for name, pair in merged.items() if name not in own)]

    def _checked(self, node: yaml.Node, path: Path, make: Callable[[], Any]) -> Any:
        try:
            return make()
        except ValueError as error:
            self._refuse(node, path, str(error))

    def _refuse(self, node: yaml.Node, path: Path, why: str) -> NoReturn:
        place = f"{self.lines.file}:{node.start_mark.line + 1}"
        raise InputError(f"{place}: {_shown(path)} {why}", "correct the settings; nothing was changed")

    def _refuse_key(self, node: yaml.ScalarNode, path: Path, known: tuple[str, ...]) -> NoReturn:
        near = difflib.get_close_matches(node.value, known, 1, 0.6)
        inside = f" in {_shown(path)}" if path else ""
        raise InputError(
            f"{self.lines.file}:{node.start_mark.line + 1}: unknown key {node.value!r}{inside}",
            (f"did you mean {near[0]!r}? " if near else "") + f"known are {', '.join(sorted(known))}",
        )


def _shown(path: Path) -> str:
    return repr(".".join(path)) if path else "the file"


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == f"{_TAG}null"


def _may_be_empty(kind: Any) -> bool:
    """Whether a key without a value counts as not given: where that is text, but no number or flag."""
    return get_origin(kind) is Annotated and get_args(kind)[0] is str


@functools.lru_cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)
