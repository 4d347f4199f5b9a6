"""Whether a source is expected to give a pure or a native wheel, and whom a wheel serves."""

from collections.abc import Iterable, Sequence

from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from ..errors import PolicyError
from .events import Expectation
from .hints import find_hint


def is_pure(tags: Iterable[Tag]) -> bool:
    """Whether a wheel of these tags holds nothing of a platform: all are ``none-any``."""
    return all(tag.abi == "none" and tag.platform == "any" for tag in tags)


def expectation_of(file_names: Iterable[str]) -> Expectation:
    """What the files that upstream lists for one version say of wheels built from its sdist.

    Only ``none-any`` wheels: pure. Wheels, none of them ``none-any``: native. Both kinds, or no
    wheel: open, as upstream may have a compiler that we must ask for, or none at all. Names that
    cannot be read count for nothing.
    """
    kinds = {is_pure(tags) for name in file_names if (tags := _wheel_tags(name))}
    if len(kinds) != 1:
        return "open"
    return "pure" if kinds.pop() else "native"


def fits(tags: frozenset[Tag], supported: frozenset[Tag]) -> bool:
    """Whether a wheel serves a target: one tag is enough (abi3 and py3-none-<platform> exist)."""
    return not tags.isdisjoint(supported)


def check_expected(expectation: Expectation, tags: frozenset[Tag], log_tail: Sequence[str]) -> PolicyError | None:
    """The fault of a wheel that came out pure though it was expected native; None for all else.

    The backends of markupsafe and PyYAML skip their extension silently without a compiler or a
    header, so the end of the log is searched for what was missing.
    """
    if expectation != "native" or not is_pure(tags):
        return None
    hint = find_hint(log_tail)
    likely = f"likely cause: {hint.line}" if hint else "a compiler or a header was probably missing"
    advice = f"{hint.advice}; or" if hint else "install the compiler and the headers it needs on the agents, or"
    return PolicyError(
        f"the wheel came out pure, upstream has only native ones ({likely})",
        f"{advice} set `expect: pure` where that is wanted",
    )


def _wheel_tags(file_name: str) -> frozenset[Tag]:
    try:
        return parse_wheel_filename(file_name)[3] if file_name.endswith(".whl") else frozenset()
    except InvalidWheelFilename:
        return frozenset()
