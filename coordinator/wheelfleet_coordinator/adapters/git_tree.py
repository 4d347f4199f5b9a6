"""The tree of a commit, with its submodules, in a folder."""

from pathlib import Path
from typing import Final

from wheelfleet_shared.errors import SourceError

from ..core.git_url import GitSource
from .git_process import Git

_EVERYTHING: Final = ("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")


async def commit_of(git: Git, source: GitSource) -> str:
    """The commit that a tag, a branch or the default branch is now; a tag goes before a branch of the same name.

    Raises SourceError where there is none, and as ``Git.run``.
    """
    if source.pinned:
        return source.ref
    ref = source.ref or "HEAD"
    names = ("HEAD",) if not source.ref else (f"refs/tags/{ref}^{{}}", f"refs/tags/{ref}", f"refs/heads/{ref}", ref)
    said = await git.run("ls-remote", "--", source.repository, *names)
    found = {name: commit for commit, _, name in (line.partition("\t") for line in said.splitlines())}
    for name in names:
        if name in found:
            return found[name]
    raise SourceError(
        f"{source.repository} has no tag or branch {ref}",
        "correct the ref in download_source; a commit is given with all its digits",
    )


async def check_out(git: Git, source: GitSource, folder: Path) -> int:
    """The tree of the source's commit lies in the folder; when it was committed, seconds since the epoch.

    Only what is needed is fetched, where the server allows that. Raises as ``Git.run``.
    """
    await git.run("init", "--quiet", folder)
    inside = ("-C", str(folder))
    await git.run(*inside, "remote", "add", "origin", source.repository)
    try:
        await git.run(*inside, "fetch", "--quiet", "--depth=1", "--no-tags", "--", "origin", source.ref)
    except SourceError:
        # Servers need not give out commits by their digits, and plain file servers know no depth.
        await git.run(*inside, "fetch", "--quiet", "--no-tags", "--", "origin", *_EVERYTHING)
    await git.run(*inside, "checkout", "--quiet", "--detach", source.ref)
    if source.submodules != ():
        await _update_submodules(git, inside, source.submodules or ())
    return int(await git.run(*inside, "show", "--no-patch", "--format=%ct", source.ref))


async def _update_submodules(git: Git, inside: tuple[str, ...], paths: tuple[str, ...]) -> None:
    update = (*inside, "submodule", "update", "--quiet", "--init", "--recursive")
    try:
        await git.run(*update, "--depth=1", "--", *paths)
    except SourceError:
        await git.run(*update, "--", *paths)
