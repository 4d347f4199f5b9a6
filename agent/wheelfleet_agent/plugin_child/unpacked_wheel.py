"""A built wheel, unpacked so that a plugin may look at it and change its dist-info folder."""

import zipfile
from pathlib import Path

_LARGEST = 8 << 20
"""Bytes that a plugin may add to a dist-info folder."""


class UnpackedWheel:
    """The wheel stands unpacked in a new folder below root. dist_info: its dist-info folder."""

    def __init__(self, wheel: Path, root: Path) -> None:
        self._top = root / "unpacked-wheel"
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(self._top)
        (self.dist_info,) = self._top.glob("*.dist-info")
        self._before = self._contents()

    def changes(self) -> dict[str, bytes]:
        """New and changed files of the dist-info folder, by name in it.

        Raises ValueError where something else was changed, or a file of it is gone: what a wheel
        installs is the backend's.
        """
        after = self._contents()
        changed = [path for path in after if self._before.get(path) != after[path]]
        gone = self._before.keys() - after.keys()
        outside = sorted(str(path) for path in changed if not path.is_relative_to(self.dist_info.name))
        if gone or outside:
            raise ValueError(f"the wheel with other files than it had: {', '.join([*outside, *map(str, gone)][:5])}")
        changed = [path for path in changed if path.name != "RECORD"]
        if Path(self.dist_info.name, "WHEEL") in changed:
            raise ValueError("another WHEEL: tags and build tag are not a plugin's to change there")
        found = {str(path.relative_to(self.dist_info.name)): (self._top / path).read_bytes() for path in changed}
        size = sum(map(len, found.values()))
        if size > _LARGEST:
            raise ValueError(f"{size} bytes for the wheel, at most {_LARGEST} are taken")
        return found

    def _contents(self) -> dict[Path, tuple[int, int]]:
        """Each file below the top with its size and time of change."""
        found = (path for path in self._top.rglob("*") if path.is_file() and not path.is_symlink())
        return {path.relative_to(self._top): (path.stat().st_size, path.stat().st_mtime_ns) for path in found}
