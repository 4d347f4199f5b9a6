import io

import pytest
from rich.console import Console

from wheelfleet_coordinator.cli.screens import LiveView, PlainLines
from wheelfleet_coordinator.cli.summaries import failure_lines
from wheelfleet_coordinator.core.printable import printable
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.names import RunId

CLIPBOARD = "\x1b]52;c;cHduZWQ=\x07"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain: é → 汉 🐍\tx\ny", "plain: é → 汉 🐍\tx\ny"),
        (CLIPBOARD, r"\x1b]52;c;cHduZWQ=\x07"),
        ("a\rb\x9bc\x7f", r"a\rb\x9bc\x7f"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
    ],
)
def test_what_terminals_obey_is_shown_and_not_obeyed(text: str, shown: str) -> None:
    assert printable(text) == shown


def _progress() -> m.Progress:
    milestone = m.Milestone(1, 0.0, f"leaf 1.0: failed: {CLIPBOARD}")
    return m.Progress(RunId("r"), "active", 1, (), milestones=(milestone,), troubles=(CLIPBOARD,))


def test_no_screen_passes_on_what_terminals_obey() -> None:
    stream = io.StringIO()
    PlainLines(stream).show(_progress())
    assert "\x1b" not in stream.getvalue()
    assert r"\x1b]52" in stream.getvalue()
    terminal = io.StringIO()
    view = LiveView(Console(file=terminal, force_terminal=True, width=200))
    view.show(_progress())
    view.close()
    assert "\x1b]52" not in terminal.getvalue()


def test_failures_are_told_without_what_terminals_obey() -> None:
    row = m.FailureRow("leaf==1.0", "t", "backend", "build_wheel", CLIPBOARD, tail=(CLIPBOARD,), hint=CLIPBOARD)
    assert "\x1b" not in "".join(failure_lines(row))
