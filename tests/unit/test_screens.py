"""What people see of a run while it goes on."""

import io

from wheelfleet_coordinator.cli.screens import WAITS_SHOWN, PlainLines, wait_lines
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.names import RunId


def progress(**fields) -> m.Progress:
    return m.Progress(RunId("r"), "active", 1, (), **fields)


def test_the_largest_groups_of_waits_are_shown_and_the_rest_is_counted():
    groups = tuple(m.WaitGroup(10 - n, f"{10 - n} wait for x{n}") for n in range(WAITS_SHOWN + 2))
    lines = wait_lines(progress(waits=groups))
    assert lines[0] == "10 wait for x0"
    assert lines[WAITS_SHOWN:] == ["9 more wait for other things"]
    assert wait_lines(progress(waits=groups[:WAITS_SHOWN])) == [group.text for group in groups[:WAITS_SHOWN]]


def test_plain_lines_tell_each_hindrance_once():
    out = io.StringIO()
    screen = PlainLines(out)
    seen = progress(troubles=("the store is away",), lacking=("no agent offers t now",))
    screen.show(seen)
    screen.show(seen)
    assert out.getvalue() == "no agent offers t now\nthe store is away; it is being tried again\n"
