"""What commands about files print, against fromager itself."""

import pytest

from answer_cases import CASES, Answer, lay_out, read_answers, write_answers


def answers_of(fromager, folder, cases):
    lay_out(folder)
    found = {}
    for case in cases:
        done = fromager.run(*case.split(), cwd=folder)
        found[case] = Answer.of(done.returncode, done.stdout)
    return found


def test_fromager_answers_as_recorded(fromager, tmp_path, say):
    recorded = read_answers()
    cases = CASES[::16]
    assert answers_of(fromager, tmp_path, cases) == {case: recorded[case] for case in cases}
    say(f"{len(cases)} answers about files are as recorded")


@pytest.mark.long
def test_all_answers_are_recorded_anew(fromager, tmp_path, say):
    found = answers_of(fromager, tmp_path, CASES)
    changed = sorted(case for case, answer in found.items() if read_answers().get(case) != answer)
    write_answers(found)
    assert changed == []
    say(f"{len(found)} answers about files are as recorded")
