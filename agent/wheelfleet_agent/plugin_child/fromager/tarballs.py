"""Archives whose bytes depend on what they hold alone."""

import os
import tarfile
from pathlib import Path

from wheelfleet_agent.plugin_child.unoffered import stand_ins


def tar_reproducible(
    tar: tarfile.TarFile, basedir: Path, prefix: Path | None = None, *, exclude_vcs: bool = False
) -> None:
    """Everything below basedir is added, sorted, without owners and times; names are relative to prefix."""
    hidden = {".git", ".hg", ".svn", ".bzr"} if exclude_vcs else set[str]()
    for folder, folders, files in os.walk(basedir):
        folders[:] = sorted(name for name in folders if name not in hidden)
        for name in ("", *sorted({*files, *(name for name in folders if Path(folder, name).is_symlink())})):
            path = Path(folder, name)
            tar.add(path, path.relative_to(prefix) if prefix else path, recursive=False, filter=_plain)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    return member


__getattr__ = stand_ins(__name__)
