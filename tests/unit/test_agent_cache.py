import os
from pathlib import Path

from wheelfleet_agent.adapters.cache import trim


def put(folder: Path, name: str, size: int, used: float) -> Path:
    path = folder / name[:2] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (used, used))
    return path


def test_what_was_used_longest_ago_goes_first(tmp_path):
    old, middle, new = (put(tmp_path, name, 100, used) for name, used in (("old", 1.0), ("middle", 2.0), ("new", 3.0)))
    assert trim(tmp_path, 150) == 200
    assert (old.exists(), middle.exists(), new.exists()) == (False, False, True)


def test_a_cache_within_its_size_stays(tmp_path):
    put(tmp_path, "a", 100, 1.0)
    assert trim(tmp_path, 100) == 0
    assert trim(tmp_path / "missing", 100) == 0
