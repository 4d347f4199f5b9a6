"""Commands about files print what fromager printed when its answers were recorded, to the byte."""

import pytest

from answer_cases import ANSWERS, CASES, Answer, lay_out, read_answers
from wheelfleet_coordinator.cli import main

RECORDED = read_answers()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    lay_out(folder)
    return folder


@pytest.mark.parametrize("case", CASES)
def test_the_answer_is_fromagers(case, files, monkeypatch, capsys):
    monkeypatch.chdir(files)
    status = main.run(case.split())
    assert Answer.of(status, capsys.readouterr().out) == RECORDED[case]


def test_answers_name_no_host():
    assert ANSWERS.read_text().replace("https://index.invalid/", "").count("://") == 0
