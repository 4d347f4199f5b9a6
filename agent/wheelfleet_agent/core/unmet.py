"""Which requirements of a hook the environment does not meet yet."""

from collections.abc import Iterable, Mapping

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from wheelfleet_shared.core.targets import evaluate_marker


def unmet(
    requirements: Iterable[str], installed: Mapping[str, str], marker_environment: Mapping[str, str]
) -> tuple[str, ...]:
    """The requirements that hold on the target and that no installed version meets.

    installed: canonical name → version. A requirement with extras counts as unmet, since what an
    extra brings cannot be seen from names.
    """
    found = []
    for text in requirements:
        requirement = Requirement(text)
        if not evaluate_marker(requirement, marker_environment, frozenset()):
            continue
        version = installed.get(canonicalize_name(requirement.name))
        if requirement.extras or version is None or not requirement.specifier.contains(version, prereleases=True):
            found.append(text)
    return tuple(found)
