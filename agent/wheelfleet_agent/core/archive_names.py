"""Which names and link targets of an archive may be used; no file is touched here."""

from collections import deque
from collections.abc import Container, Mapping

from wheelfleet_shared.errors import SourceError

from .archive_limits import ExtractLimits

Parts = tuple[str, ...]
"""A place in the tree, from its root; () is the root."""

COMPONENT_BYTES = 255
KERNEL_HOPS = 40
"""Linux follows no more symbolic links than this in one look-up."""


def raw_name(text: str) -> bytes:
    """The bytes of a name as they stood in the archive, whatever the locale is."""
    return text.encode("utf-8", "surrogateescape")


def refused(member: str, rule: str) -> SourceError:
    """The error that names a member of an archive and the rule that it breaks."""
    return SourceError(f"archive member {member!r}: {rule}", "do not build from it; take another archive")


def split_name(member: str, limits: ExtractLimits) -> Parts:
    """The place a member's name means; ``.`` and doubled slashes vanish, () is the root itself.

    Raises SourceError for a name that is absolute, climbs with ``..``, is too deep or too long,
    or cannot be a file name.
    """
    if member.startswith("/"):
        raise refused(member, "its name is absolute")
    parts = tuple(part for part in member.split("/") if part not in {"", "."})
    if ".." in parts:
        raise refused(member, "its name climbs with '..'")
    if len(parts) > limits.depth:
        raise refused(member[:80], f"it lies over {limits.depth} folders deep")
    _check_bytes(member, parts, limits)
    return parts


def _check_bytes(member: str, parts: Parts, limits: ExtractLimits) -> None:
    try:
        sizes = [len(raw_name(part)) for part in parts]
    except UnicodeEncodeError as error:
        raise refused(ascii(member), "its name is no text and no bytes") from error
    if "\0" in member:
        raise refused(member, "its name holds a NUL")
    if any(size > COMPONENT_BYTES for size in sizes):
        raise refused(member[:80], f"a component of its name is over {COMPONENT_BYTES} bytes long")
    if sum(sizes) + len(sizes) > limits.path_bytes:
        raise refused(member[:80], f"its name is over {limits.path_bytes} bytes long")


def check_links(links: Mapping[Parts, str], folders: Container[Parts], limits: ExtractLimits) -> None:
    """Every symbolic link ends inside the tree, however many others it leads through.

    links: place → target, all of the tree. folders: the real ones, the root () among them.
    The links are followed in memory, so neither PATH_MAX nor a file system can cut the walk
    short (the idea of CVE-2025-4517). Raises SourceError for the first that may leave.
    """
    for place, target in links.items():
        member = "/".join(place)
        if len(raw_name(target)) > limits.path_bytes:
            raise refused(member, f"its link target is over {limits.path_bytes} bytes long")
        fault = _link_fault(place, links, folders)
        if fault:
            raise refused(member, f"as a symbolic link to {target!r} it {fault}")


def _link_fault(place: Parts, links: Mapping[Parts, str], folders: Container[Parts]) -> str:
    """Why the link at this place may not stand, or nothing; the walk is the kernel's."""
    here = list(place[:-1])
    todo = deque([place[-1]])
    hops = 0
    while todo:
        part = todo.popleft()
        if part in {"", "."}:
            continue
        if part == "..":
            if tuple(here) not in folders:
                return "climbs out of something that is no folder"
            if not here:
                return "leads out of the tree"
            here.pop()
            continue
        target = links.get((*here, part))
        if target is None:
            here.append(part)
            continue
        hops += 1
        if hops > KERNEL_HOPS:
            return f"leads through over {KERNEL_HOPS} links"
        if not target or target.startswith("/") or "\0" in target:
            return "leads to an absolute or empty name"
        todo.extendleft(reversed(target.split("/")))
    return ""
