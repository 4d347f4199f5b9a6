"""What the commands about requirements files do."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from rich.box import MARKDOWN
from rich.table import Table

from wheelfleet_shared.errors import InputError

from ..adapters.requirement_files import read_requirement_files
from ..core.choose_version import Choice
from ..core.collection_counts import collection_counts
from ..core.minimal_requirements import minimal_requirements
from ..core.requirement_files import override_name
from ..core.requirement_lines import RequirementLine
from ..core.requirement_lint import Finding, is_constraints_file, lint
from .graph_answers import changed_by
from .indexes import constraint_lines, merged, open_index
from .local_rules import local_rules
from .reading import put_text, read_graph_file, read_input, tell
from .run_commands import print_json
from .screens import console_for
from .settings import Format, Settings


def print_minimal(requirements: str, graph_file: str, output: Path | None, chosen: Format) -> None:
    """The requirements that are left are written, one a line."""
    stated = _requirements(requirements)
    if not stated:
        raise InputError(f"{requirements} states no requirement", "give a requirements.txt")
    found = minimal_requirements([Requirement(line.text) for line in stated], read_graph_file(graph_file))
    if chosen is Format.JSON:
        print_json(found)
    else:
        put_text("".join(f"{text}\n" for text in found.requirements), output)


def _requirements(reference: str) -> tuple[RequirementLine, ...]:
    return read_requirement_files((reference,), (), fetch=read_input, variables=os.environ).requirements


def print_stats(settings: Settings, requirements: str, graph_file: str, chosen: Format) -> None:
    """The counts are printed."""
    lines = constraint_lines(settings.constraints)
    constraints = merged(lines)
    names = {canonicalize_name(Requirement(line.text).name) for line in lines}
    constrained = sum(constraints.of(name) is not None for name in names)
    graph = read_graph_file(graph_file)
    found = collection_counts(graph, len(_requirements(requirements)), constraints, constrained, changed_by(settings))
    if chosen is Format.JSON:
        print_json(found)
        return
    table = Table(title="Build Statistics", box=MARKDOWN, title_justify="left")
    for head in ("Metric", "Count", "Percentage"):
        table.add_column(head, justify="left" if head == "Metric" else "right", no_wrap=True)
    for count in found:
        table.add_row(*count.cells())
    console_for(settings).print(table, soft_wrap=False)


def print_lint(settings: Settings, files: Sequence[str], chosen: Format, *, resolve: bool) -> int:
    """0 where nothing is wrong, else 1; the findings are told, each with its file and line."""
    linted = [(name, lint(read_input(name).decode(errors="replace"), name, os.environ)) for name in files]
    findings = [finding for _, found in linted for finding in found.findings]
    if resolve:
        lines = [line for name, found in linted if not is_constraints_file(name) for line in found.requirements]
        findings += asyncio.run(_unresolvable(settings, lines, told=chosen is Format.TEXT))
    if chosen is Format.JSON:
        print_json({"files": len(files), "findings": findings})
    else:
        _tell_findings(findings, len(files), resolve=resolve)
    return 1 if findings else 0


def _tell_findings(findings: Sequence[Finding], files: int, *, resolve: bool) -> None:
    if not findings:
        put_text(f"Resolve requirements: {resolve}\nSuccessfully validated {files} file(s).\n", None)
        return
    tell("Validation error:")
    for finding in findings:
        tell(f" - {finding.origin}: {finding.what}{f' ({finding.next_step})' if finding.next_step else ''}")
    tell(f"ERROR: {len(findings)} failure(s) while validating {files} file(s).")


async def _unresolvable(settings: Settings, lines: Sequence[RequirementLine], *, told: bool) -> list[Finding]:
    """The requirements without a version on the user's index; what the others resolve to is told."""
    rules = local_rules(settings)
    requirements = [Requirement(line.text) for line in lines]
    async with open_index("") as index:
        pages = (index.listing(found.name, rules.index_of(found.name)) for found in requirements)
        listings = await asyncio.gather(*pages)
    findings = []
    for line, requirement, listing in zip(lines, requirements, listings, strict=True):
        found = rules.choose(requirement, listing)
        if not isinstance(found, Choice):
            findings.append(Finding(line.origin, found.reason, found.hint))
        elif told:
            tell(f"{line.text} resolves to {found.version}")
    return findings


def print_override_names(names: Sequence[str]) -> None:
    """Each name on a line, as in ``flit_core``."""
    put_text("".join(f"{override_name(canonicalize_name(name))}\n" for name in names), None)
