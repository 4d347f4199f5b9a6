"""Every rule of packaging is kept by a test, and every mark names a rule."""

import re
import runpy
from pathlib import Path

import pytest

LISTED = runpy.run_path(str(Path(__file__).parents[2] / "docs" / "list_rules.py"))


@pytest.fixture(scope="module")
def sections():
    return LISTED["sections"]()


@pytest.fixture(scope="module")
def marks():
    return LISTED["marked_tests"]()


def test_each_rule_has_a_test_of_the_ci_tier_unless_it_comes_later(sections, marks):
    tested = {mark.rule for mark in marks if not mark.long}
    missing = [rule for section in sections for rule in section.rules.keys() - section.later.keys() - tested]
    assert sorted(missing) == []


def test_a_rule_that_has_a_test_does_not_come_later(sections, marks):
    tested = {mark.rule for mark in marks}
    assert [rule for section in sections for rule in section.later if rule in tested] == []


def test_no_mark_names_an_unknown_rule(sections, marks):
    known = {rule for section in sections for rule in section.rules}
    assert [mark for mark in marks if mark.rule not in known] == []
    assert [rule for section in sections for rule in section.later if rule not in known] == []


def test_rules_are_numbered_in_order_and_stand_there_once(sections):
    rules = [re.fullmatch(r"([a-z]+)-(\d+)", rule).groups() for section in sections for rule in section.rules]
    names = list(dict.fromkeys(name for name, _ in rules))
    assert rules == [(name, str(number + 1)) for name in names for number in range([n for n, _ in rules].count(name))]
