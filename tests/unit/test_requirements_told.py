"""Requirements made fewer, requirements files looked over, build orders as tables."""

import csv
import io
import json

import pytest
from packaging.requirements import Requirement

from tiny_graphs import graph
from wheelfleet_coordinator.core.collection_counts import collection_counts
from wheelfleet_coordinator.core.constraints import Constraints
from wheelfleet_coordinator.core.minimal_requirements import minimal_requirements
from wheelfleet_coordinator.core.order_table import (
    order_csv,
    read_order_rows,
    summary_csv,
    summary_rows,
    with_kinds,
)
from wheelfleet_coordinator.core.overridden import Overridden
from wheelfleet_coordinator.core.requirement_lint import lint
from wheelfleet_shared.errors import InputError


def minimal(texts, **nodes):
    return minimal_requirements([Requirement(text) for text in texts], graph(**nodes)).requirements


def test_pins_and_what_nothing_brings_are_kept():
    nodes = {"top_1": "a_1 install a, p_1 install p, q_1 install q", "a_1": "", "p_1": "", "q_1": ""}
    assert minimal(["top", "A>0", "p==1", "q===1", "other", "a>2"], **nodes) == ("top", "p==1", "q===1", "other", "a>2")


def test_what_is_only_built_with_is_kept():
    assert minimal(["top", "a"], top_1="a_1 build-system a", a_1="") == ("top", "a")


def test_extras_go_only_where_they_are_asked_for():
    nodes = {"top_1": "a_1 install a[x], b_1 install b", "a_1": "", "b_1": ""}
    assert minimal(["top", "a[x]", "b[y]"], **nodes) == ("top", "b[y]")


def test_of_a_ring_the_first_is_kept():
    nodes = {"a_1": "b_1 install b, c_1 install c", "b_1": "a_1 install a", "c_1": ""}
    assert minimal(["c", "b", "a"], **nodes) == ("b",)


def test_what_goes_is_told_with_what_brings_it():
    found = minimal_requirements([Requirement("top"), Requirement("a")], graph(top_1="a_1 install a", a_1=""))
    assert [(implied.requirement, implied.by) for implied in found.implied] == [("a", "top==1")]


CONSTRAINTS = """\
a<1
A<2
a<1; python_version < "3"
b[x]<1
c
d==
-r other.txt
--pre
"""


def test_all_that_is_wrong_in_constraints_is_told_at_once():
    found = lint(CONSTRAINTS, "my-constraints.txt", {})
    assert [(finding.origin.rpartition(":")[2], finding.what.split(":")[0]) for finding in found.findings] == [
        ("2", "A<2"),
        ("4", "b[x]<1"),
        ("5", "c"),
        ("6", "'d==' cannot be read"),
        ("8", "--pre is not supported here"),
    ]


def test_requirements_may_have_extras_and_stand_twice():
    found = lint("a\nA[x]\n${NAME}<1\n", "requirements.txt", {"NAME": "b"})
    assert not found.findings
    assert [line.text for line in found.requirements] == ["a", "A[x]", "b<1"]


def order(*rows):
    return read_order_rows(
        json.dumps([{"dist": dist, "version": version} for dist, version in rows]).encode(), "o.json"
    )


@pytest.mark.parametrize("content", [b"{", b"{}", b'[{"dist": "a"}]', b"[1]"])
def test_what_is_no_build_order_is_refused(content):
    with pytest.raises(InputError, match=r"o\.json is no build order"):
        read_order_rows(content, "o.json")


def test_a_graph_tells_the_kinds_that_a_build_order_lacks():
    rows = with_kinds(
        [
            *order(("B", "1"), ("a", "1"), ("stray", "1")),
            *read_order_rows(b'[{"dist":"b","version":"1","type":"x"}]', "o"),
        ],
        graph(a_1="b_1 install b, b_1 build-system b", b_1=""),
    )
    table = list(csv.reader(io.StringIO(order_csv(rows))))
    assert [row[3] for row in table[1:]] == ["install build-system", "toplevel", "", "x"]
    assert [row[5] for row in table[1:]] == ["1", "2", "3", "4"]


def test_several_versions_in_one_file_are_all_told_and_never_the_same():
    rows = summary_rows([order(("Foo.Bar", "1"), ("foo-bar", "2"), ("x", "1")), order(("x", "1"))])
    assert [(row.name, row.versions, row.same_version) for row in rows] == [
        ("foo_bar", ("1, 2", ""), False),
        ("x", ("1", "1"), True),
    ]
    assert summary_csv(["one", "two"], rows).splitlines()[0] == '"Distribution Name","one","two","Same Version"'


def test_an_empty_collection_is_counted_too():
    empty = graph(a_1="")
    counts = collection_counts(empty, 0, Constraints(), 0, Overridden(patches=frozenset({"a", "b"})))
    assert [count.cells() for count in counts][-2] == ("Packages with patches", "1", "100.0%")
    assert counts[0].cells() == ("Requirements in requirements.txt", "0", "-")
