"""What is wrong in a requirements or constraints file, all of it at once."""

from collections.abc import Iterator, Mapping

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from wheelfleet_shared.errors import InputError

from .requirement_lines import Nested, RequirementLine, logical_lines, parse_line


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong. origin: ``file:line``; next_step: what helps, or empty."""

    origin: str
    what: str
    next_step: str = ""


class LintedFile(msgspec.Struct, frozen=True):
    """The lines of a file that can be read, and what is wrong with it."""

    requirements: tuple[RequirementLine, ...]
    findings: tuple[Finding, ...]


def is_constraints_file(name: str) -> bool:
    """Whether a file holds constraints, by its name: ``global-constraints.txt``."""
    return name.endswith("constraints.txt")


def lint(text: str, name: str, variables: Mapping[str, str]) -> LintedFile:
    """The findings of one file, in the order of its lines; files that it names are not looked into.

    In constraints no distribution may stand twice with one marker, none may have extras, and each
    needs a specifier. variables: what ``${NAME}`` stands for.
    """
    lines: list[RequirementLine] = []
    findings: list[Finding] = []
    for number, written in logical_lines(text):
        try:
            line = parse_line(written, f"{name}:{number}", variables)
        except InputError as error:
            findings.append(Finding(f"{name}:{number}", error.what.removeprefix(f"{name}:{number}: "), error.next_step))
            continue
        if not isinstance(line, Nested):
            lines.append(line)
    if is_constraints_file(name):
        findings.extend(_of_constraints(lines))
    return LintedFile(tuple(lines), tuple(sorted(findings, key=_place)))


def _place(finding: Finding) -> int:
    return int(finding.origin.rpartition(":")[2])


def _of_constraints(lines: list[RequirementLine]) -> Iterator[Finding]:
    first: dict[tuple[str, str], RequirementLine] = {}
    for line in lines:
        requirement = Requirement(line.text)
        earlier = first.setdefault((canonicalize_name(requirement.name), str(requirement.marker or "")), line)
        if earlier is not line:
            what = f"{line.text}: {requirement.name} stands in {earlier.origin} already, as {earlier.text}"
            yield Finding(line.origin, what, "write one line with both specifiers, as in name>=1,<2")
        if requirement.extras:
            yield Finding(line.origin, f"{line.text}: a constraint cannot have extras", "write it without [extras]")
        if not requirement.specifier:
            yield Finding(line.origin, f"{line.text}: a constraint needs a specifier", "add one, as in <2")
