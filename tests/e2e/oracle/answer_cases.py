"""Commands about files that print the same here and in fromager, and the files they are asked about."""

import json
import shutil
from pathlib import Path
from typing import NamedTuple

from records import RECORDS

ANSWERS = Path(__file__).with_name("answers.json")
"""What fromager 0.101.0 answered to each of the cases: exit status and standard output."""
GRAPHS = ("pyyaml", "stevedore", "own-pins", "extras")
_REQUIREMENTS = "requests\nsix # not of the graph\nurllib3\ncertifi<2000\nstevedore==5.2.0\nMarkupSafe\n"
_CONSTRAINTS = 'setuptools<200\nattrs<100\nMarkupSafe<10\nfoo==1; python_version<"3"\n'
_ORDER = [
    {"req": "setuptools>=40", "dist": "setuptools", "version": "84", "prebuilt": False, "type": "build-system"},
    {"req": 'Foo.Bar; extra == "x"', "dist": "Foo.Bar", "version": "1", "prebuilt": True, "type": "toplevel"},
]
_OLDER = [
    {"req": "setuptools", "dist": "setuptools", "version": "83", "prebuilt": False, "type": "toplevel"},
    {"req": "foo-bar", "dist": "foo-bar", "version": "1", "prebuilt": True, "type": "install"},
]
_OLD_GRAPH = {
    "": [["toplevel", "a", "1.0", "a"], ["toplevel", "B_c", "2", "B_c>1"]],
    "a==1.0": [["install", "B_c", "2", "B_c"], ["build-system", "d", "0.1", "d<1"]],
    "B_c==2": [["install", "a", "1.0", "a"]],
    "d==0.1": [],
}


class Answer(NamedTuple):
    """What a command came to; lines that fromager has in the order of hashes are sorted, ends of lines alike."""

    status: int
    output: str

    @classmethod
    def of(cls, status: int, output: str) -> "Answer":
        """The answer in the form in which two are compared."""
        lines: list[str] = []
        parents: list[str] = []
        for line in [*output.replace("\r\n", "\n").splitlines(keepends=True), ""]:
            if line.startswith("      ") and "* " not in line:
                parents.append(line)
                continue
            lines += [*sorted(parents), line]
            parents = []
        return cls(status, "".join(lines))


def lay_out(folder: Path) -> None:
    """The files that the cases name lie in the folder, from which the commands are to be run."""
    for name in GRAPHS:
        shutil.copy(RECORDS / name / "graph.json", folder / f"{name}.json")
    texts = {
        "requirements.txt": _REQUIREMENTS,
        "constraints.txt": _CONSTRAINTS,
        "new/order.json": json.dumps(_ORDER),
        "old/order.json": json.dumps(_OLDER),
        "old-format.json": json.dumps(_OLD_GRAPH),
        "knot.json": json.dumps(_knot()),
        "overrides/settings/requests.yaml": "build_dir: src\n",
        "overrides/settings/setuptools.yaml": "build_dir: src\n",
        "overrides/patches/setuptools-75.8.0/1.patch": "",
        "overrides/patches/setuptools_scm-8/cpu/1.patch": "",
        "overrides/patches/urllib3/1.patch": "",
    }
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def _node(key: str, *edges: tuple[str, str, str], constraint: str | None = None, pre_built: bool = False) -> object:
    name, _, version = key.partition("==")
    rows = [{"key": to, "req_type": kind, "req": requirement} for to, kind, requirement in edges]
    return {
        "download_url": "",
        "pre_built": pre_built,
        "version": version or "0",
        "canonicalized_name": name,
        "constraint": constraint,
        "edges": rows,
    }


def _knot() -> dict[str, object]:
    """Two versions of c, constraints, and distributions that install each other."""
    top = [(f"{name}==1", "toplevel", name) for name in ("a", "b", "e")]
    return {
        "": _node("", *top),
        "a==1": _node("a==1", ("c==1", "install", "c<2")),
        "b==1": _node("b==1", ("c==2", "install", "C>=2"), ("d==1", "build-sdist", "d"), constraint="b<3"),
        "c==1": _node("c==1", ("e==1", "install", "e"), constraint="c>0"),
        "c==2": _node("c==2", constraint="c>0"),
        "d==1": _node("d==1", ("c==2", "install", "c>1"), pre_built=True),
        "e==1": _node("e==1", ("c==2", "install", "c>=1"), ("a==1", "install", "a")),
    }


def _of_graph(graph: str, name: str) -> list[str]:
    commands = [f"graph {command} {graph}" for command in ("explain-duplicates", "build-graph", "to-dot")]
    commands += [f"graph to-dot {graph} --install-only", f"graph why {graph} {name}"]
    commands += [f"graph why {graph} {name} --depth -1", f"graph why {graph} {name} --depth 1"]
    commands += [f"graph why {graph} {name} --requirement-type build-system --requirement-type install --depth 2"]
    commands += [f"graph subset {graph} {name}", f"graph subset {graph} {name} --dependencies-only"]
    return [*commands, f"graph subset {graph} {name} --dependents-only"]


CASES: tuple[str, ...] = (
    *(case for graph in ("pyyaml", "stevedore", "own-pins") for case in _of_graph(f"{graph}.json", "setuptools")),
    *(f"graph to-constraints {graph}.json" for graph in GRAPHS),
    *_of_graph("knot.json", "c"),
    "graph why knot.json C --version 2 --depth 1",
    "graph why knot.json d --requirement-type build-system",
    "graph subset knot.json c --version 1",
    "graph find-best-fit own-pins.json pyyaml.json stevedore.json extras.json --format json",
    "graph migrate-graph old-format.json",
    "build-order as-csv new/order.json",
    "build-order summary new/order.json old/order.json",
    "minimize requirements.txt extras.json",
    "stats requirements.txt extras.json",
    "-c constraints.txt stats requirements.txt extras.json",
    "lint-requirements requirements.txt constraints.txt",
    "canonicalize Flit.Core a--b",
)


def read_answers() -> dict[str, Answer]:
    """The recorded answers by command line."""
    return {case: Answer(*answer) for case, answer in json.loads(ANSWERS.read_text()).items()}


def write_answers(answers: dict[str, Answer]) -> None:
    """The recorded answers are these. Equal answers give equal files."""
    ANSWERS.write_text(json.dumps(answers, indent=1) + "\n")
