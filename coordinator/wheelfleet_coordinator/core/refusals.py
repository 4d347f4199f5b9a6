"""Why no version can be chosen, in words: which rule threw out what, and what would help."""

from collections.abc import Sequence
from typing import NamedTuple

from .candidates import ProjectListing
from .version_rules import Exclusion, Rule, Rules, Verdict, grouped

SHOWN = 3

_NEAREST: tuple[Rule, ...] = (
    "tags",
    "requires-python",
    "yanked",
    "no sdist",
    "no wheel",
    "cooldown",
    "release age",
    "as-of",
    "pre-release",
    "constraint",
    "requirement",
)
"""How near a version came to be chosen when a rule stopped it, nearest first."""


class Refusal(NamedTuple):
    """No version serves the requirement. hint: what to change; excluded: every version, newest first."""

    reason: str
    hint: str = ""
    excluded: tuple[Exclusion, ...] = ()


def refusal(rules: Rules, listing: ProjectListing, verdicts: Sequence[Verdict]) -> Refusal:
    """The refusal of a requirement that no version of the listing serves."""
    name = rules.requirement.name
    if rules.constraints.blocks(name):
        constraint, origin = rules.constraints.text(name), rules.constraints.origin(name)
        reason = f"the constraint {constraint} ({origin}) blocks {name}"
        return Refusal(reason, "remove that constraint", grouped(verdicts))
    if listing.status == "missing":
        return Refusal(f"the index has no {name}", "see whether the name is right and --index-url the right index")
    if listing.status == "unusable":
        return Refusal(listing.status_reason, listing.status_hint)
    if listing.status == "quarantined":
        why = listing.status_reason or "without a reason given"
        return Refusal(f"the index has {name} in quarantine: {why}", "wait until the index releases it, or replace it")
    if not verdicts:
        ignored = f" ({listing.unreadable} file names cannot be read)" if listing.unreadable else ""
        return Refusal(f"the index lists no sdist or wheel of {name}{ignored}", "see whether --index-url is right")
    return _of_versions(rules, verdicts)


def _of_versions(rules: Rules, verdicts: Sequence[Verdict]) -> Refusal:
    by_rule: dict[Rule, list[Verdict]] = {}
    for verdict in verdicts:
        by_rule.setdefault(verdict.rule, []).append(verdict)
    nearest = [rule for rule in _NEAREST if rule in by_rule]
    parts = [_words(rule, by_rule[rule], rules) for rule in nearest]
    reason = f"no version of {rules.requirement.name} can be chosen for {rules.requirement}: {'; '.join(parts)}"
    return Refusal(reason, _hint(nearest[0], by_rule[nearest[0]], rules), grouped(verdicts))


def _words(rule: Rule, verdicts: Sequence[Verdict], rules: Rules) -> str:
    """What one rule threw out."""
    versions = _versions(verdicts)
    detail = verdicts[0].detail
    match rule:
        case "requirement":
            return f"{versions} outside {detail}"
        case "constraint":
            return f"{versions} outside the constraint {detail} ({rules.constraints.origin(rules.requirement.name)})"
        case "pre-release":
            return f"{versions} only as pre-release, which neither requirement nor constraint mentions"
        case "as-of":
            return f"{versions} uploaded after --as-of"
        case "cooldown":
            return f"{versions} uploaded too short a time ago for --min-release-age"
        case "release age":
            return f"{versions} uploaded too long ago for --max-release-age"
        case "yanked":
            return "; ".join(f"{item.version} yanked ({item.detail or 'no reason given'})" for item in verdicts[:SHOWN])
        case "no sdist" | "no wheel":
            return f"{versions}: {rule} ({detail})"
        case "requires-python":
            return f"{versions} needs Python {detail}, the target has {rules.python}"
        case _:
            return f"{versions}: no wheel fits {detail}"


def _versions(verdicts: Sequence[Verdict]) -> str:
    """The versions, newest first, the older ones counted."""
    shown = ", ".join(str(verdict.version) for verdict in verdicts[:SHOWN])
    more = len(verdicts) - SHOWN
    return f"{shown} and {more} older" if more > 0 else shown


def _hint(rule: Rule, verdicts: Sequence[Verdict], rules: Rules) -> str:
    """What to do about the rule that stopped the versions which came nearest."""
    name, newest = rules.requirement.name, verdicts[0].version
    hints: dict[Rule, str] = {
        "requirement": f"change the requirement: the newest is {newest}",
        "constraint": f"change the constraint in {rules.constraints.origin(name)}",
        "pre-release": f"mention one: {name}>={newest}, in the requirement or in a constraint",
        "as-of": "give a later --as-of",
        "cooldown": f"wait, pin it with == on the command line, or set min_release_age: 0 for {name}",
        "release age": "give a larger --max-release-age",
        "no sdist": "mark pre_built, give download_source, or git",
        "no wheel": "do not mark it pre_built: it can be built from its sdist",
        "yanked": "choose another version, or give download_source",
        "requires-python": "build for another Python, or ask for an older version",
        "tags": "do not mark it pre_built, or give a wheel_server_url that has a wheel for this target",
    }
    return hints.get(rule, "")
