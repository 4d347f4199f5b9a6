"""What ``fromager`` has and we have not: imported without a fault, refused where it is used.

So a module whose one function cannot run here still serves with its others.
"""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn


class Unoffered:
    """Stands for a name that plugins have not here; calling it raises NotImplementedError.

    It may stand in annotations, and be a base class.
    """

    def __new__(cls, *_arguments: object, **_named: object) -> NoReturn:
        """Nobody gets one."""
        raise NotImplementedError(f"{cls.__module__}.{cls.__qualname__} is not offered to plugins here")


def unoffered(module: str, name: str) -> Any:
    """A stand-in for the name of the module; raises AttributeError for names that are Python's own."""
    if name.startswith("__"):
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    return type(name, (Unoffered,), {"__module__": module})


def stand_ins(module: str) -> Callable[[str], Any]:
    """The ``__getattr__`` (PEP 562) of a module of ours that has some of the names of fromager's."""
    return partial(unoffered, module)


class _Stand(ModuleType):
    """A module all of whose names are stand-ins."""

    def __getattr__(self, name: str) -> Any:
        return unoffered(self.__name__, name)


class _Finder(MetaPathFinder, Loader):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        return ModuleSpec(fullname, self, is_package=True) if fullname.startswith("fromager.") else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Stand(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is to be done."""


def offer_nothing_else() -> None:
    """Modules of ``fromager`` that we have not are found from now on, last of all."""
    sys.meta_path.append(_Finder())
