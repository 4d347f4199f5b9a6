import pytest

from wheelfleet_agent.core.output import TAIL_LINES, Output, Remembering
from wheelfleet_agent.core.processes import Killed, Limits, reason_of, rlimits


class Kept:
    def __init__(self, limit=1_000_000):
        self.writes = []
        self.output = Output(self.writes.append, limit)
        self.write = self.writes.append


def test_only_whole_lines_are_passed_on_until_the_end():
    kept = Kept()
    for chunk in (b"one\ntw", b"o", b"\nthree"):
        kept.output.feed(chunk)
    assert kept.writes == [b"one\n", b"two\n"]
    kept.output.close()
    assert kept.writes[-1] == b"three\n"
    assert kept.output.tail == ("one", "two", "three")


def test_a_line_without_end_is_not_held_back_for_ever():
    kept = Kept()
    kept.output.feed(b"x" * 70_000)
    assert len(kept.writes) == 1


def test_beyond_the_limit_nothing_is_kept_but_the_tail_goes_on():
    kept = Kept(limit=10)
    kept.output.feed(b"first\nsecond\n")
    for number in range(TAIL_LINES + 50):
        kept.output.feed(f"line {number}\n".encode())
    assert kept.writes[0] == b"first\nseco"
    assert b"the log ends here" in kept.writes[1]
    assert len(kept.writes) == 2
    assert len(kept.output.tail) == TAIL_LINES
    assert kept.output.tail[-1] == f"line {TAIL_LINES + 49}"


def test_bytes_that_are_no_text_survive():
    kept = Kept()
    kept.output.feed(b"\xff\xfe\n")
    assert kept.writes == [b"\xff\xfe\n"]
    assert kept.output.tail == ("\ufffd\ufffd",)


def test_what_is_passed_on_is_remembered_by_its_end():
    kept = Kept()
    remembering = Remembering(kept)
    for number in range(TAIL_LINES + 1):
        remembering.write(f"line {number}\nx\xff\n".encode("latin-1"))
    assert len(kept.writes) == TAIL_LINES + 1
    assert remembering.tail[-2:] == (f"line {TAIL_LINES}", "x\ufffd")
    assert len(remembering.tail) == TAIL_LINES


@pytest.mark.parametrize(
    ("returncode", "kills", "reason"),
    [(0, 0, "exited"), (0, 1, "exited"), (1, 0, "exited"), (1, 2, "out_of_memory"), (-9, 1, "out_of_memory")],
)
def test_memory_is_blamed_only_with_evidence(returncode, kills, reason):
    assert reason_of(Killed(returncode, kills)) == reason


def test_limits_that_are_not_set_are_not_applied_but_core_dumps_never_happen():
    assert rlimits(Limits(), root=False) == {"CORE": 0}
    limits = Limits(file_size=1, open_files=2, processes=3, address_space=4)
    assert rlimits(limits, root=False) == {"CORE": 0, "FSIZE": 1, "NOFILE": 2, "NPROC": 3, "AS": 4}
    assert "NPROC" not in rlimits(limits, root=True)
