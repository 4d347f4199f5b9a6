"""By which rules versions are looked up on this machine: settings, constraints, and what the command line says."""

import time
from typing import Final, NamedTuple

from packaging.requirements import Requirement

from wheelfleet_shared.core.targets import TargetDefinition

from ..adapters.customisation_files import read_customisation
from ..adapters.this_target import this_target
from ..core.available_versions import available
from ..core.candidates import ProjectListing, Release
from ..core.choose_version import Choice, Parent, choose
from ..core.constraints import Constraints
from ..core.customised_choice import Ages, index_of, sought_for
from ..core.customising import Customised
from ..core.refusals import Refusal
from ..core.version_rules import Sought
from .indexes import constraints_of
from .settings import Settings

_KINDS: Final = {"sdist": frozenset({"sdist"}), "wheel": frozenset({"wheel"}), "both": frozenset({"sdist", "wheel"})}
_TOP: Final = Parent(None, "toplevel")


class LocalRules(NamedTuple):
    """The rules for this machine and its Python. kind: ``default``, ``sdist``, ``wheel`` or ``both``."""

    customised: Customised
    constraints: Constraints
    target: TargetDefinition
    ages: Ages
    kind: str = "default"

    def index_of(self, name: str) -> str:
        """The index that settings name for a distribution; empty for the usual one."""
        return index_of(name, self.customised)

    def sought(self, requirement: Requirement, *, any_age: bool = False) -> Sought:
        """Which files count for a requirement of the user's."""
        ages = Ages() if any_age else self.ages
        found = sought_for(requirement, "toplevel", self.customised, ages)
        found = found._replace(newest=None) if any_age else found
        return found._replace(kinds=_KINDS.get(self.kind, found.kinds))

    def available(self, requirement: Requirement, listing: ProjectListing) -> list[Release]:
        """The versions that could be chosen but for their age, oldest first."""
        sought = self.sought(requirement, any_age=True)
        return available(requirement, listing, sought, constraints=self.constraints, target=self.target)

    def choose(self, requirement: Requirement, listing: ProjectListing) -> Choice | Refusal:
        """The version that a run would take for a requirement of its own."""
        sought = self.sought(requirement)
        return choose(requirement, listing, _TOP, constraints=self.constraints, target=self.target, sought=sought)

    def least_age(self, name: str, *, of_all: bool = False) -> int | None:
        """Days that a version must have been on the index; None for any. of_all: whatever its settings say."""
        own = None if of_all else self.customised.resolver_of(name).min_release_age
        return (self.ages.least if own is None else own) or None


def local_rules(settings: Settings, kind: str = "default") -> LocalRules:
    """The rules as the user's files say; raises InputError, with file and line, for those that cannot be used."""
    return LocalRules(
        customised=Customised.parse(read_customisation(settings.overrides, settings.variant)),
        constraints=constraints_of(settings),
        target=this_target(),
        ages=Ages(time.time(), settings.min_release_age),
        kind=kind,
    )
