"""A replay of lines that no log holds is refused, and writes nothing outside of its folder."""

from pathlib import Path

import pytest

from story import stevedore
from wheelfleet_coordinator.cli.main import run
from wheelfleet_coordinator.core.exported import export_line


def lines() -> list[bytes]:
    story = stevedore()
    for name in ("setuptools==84.2.1", "pbr==7.1.3", "stevedore==5.2.0"):
        story.build(name)
    story.finish()
    return [export_line(recorded) for recorded in story.events]


def replay(folder: Path, told: list[bytes], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    (folder / "log.jsonl").write_bytes(b"\n".join(told))
    status = run(["replay", "--from-export", str(folder / "log.jsonl"), "-O", str(folder / "deep" / "out")])
    return status, capsys.readouterr().err


def test_lines_as_they_were_exported_are_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert replay(tmp_path, lines(), capsys)[0] == 0
    assert (tmp_path / "deep" / "out" / "work-dir" / "graph.json").is_file()


@pytest.mark.parametrize("tampered", [lambda told: told[::-1], lambda told: [*told, told[-1]]])
def test_lines_out_of_order_or_twice_are_refused(tmp_path, capsys, tampered) -> None:
    status, said = replay(tmp_path, tampered(lines()), capsys)
    assert (status, "has sequence" in said) == (2, True)
    assert not (tmp_path / "deep").exists()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"name":"pbr"', b'"name":"../../../outside"'),
        (b'"version":"7.1.3"', b'"version":"7/../../../outside"'),
        (b'"version":"7.1.3"', b'"version":"no version"'),
    ],
)
def test_events_that_cannot_be_are_refused(tmp_path, capsys, old: bytes, new: bytes) -> None:
    told = [line.replace(old, new) for line in lines()]
    assert told != lines()
    status, said = replay(tmp_path, told, capsys)
    assert status in {2, 3}
    assert "next:" in said
    assert not list(tmp_path.rglob("*outside*"))
