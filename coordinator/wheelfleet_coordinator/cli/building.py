"""Saved orders, saved graphs and single versions, from checked inputs to wheels in the user's folders."""

import os
import sys
from pathlib import Path

import msgspec
from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.bundle import Entry, RunInputs
from wheelfleet_shared.errors import InputError

from ..adapters.requirement_files import Fetch, fetch_content, read_requirement_files
from ..adapters.user_configuration import IndexChoice, choose_index
from ..core.candidates import without_credentials
from ..core.constraints import Constraints
from ..core.graph_file import read_graph
from ..core.order_reading import entries_of_graph, read_build_order
from .bootstrapping import Manner, run_bootstrap
from .customising import checked_customisation
from .inputs import Checked, index_name, require_no_credentials, require_url
from .places import places_of
from .settings import Settings
from .single_version import entry_of_version


class OrderAsked(msgspec.Struct, frozen=True):
    """What stands after the command."""

    cache_servers: tuple[str, ...] = ()
    collection: str = "main"
    targets: tuple[str, ...] = ()
    force: bool = False
    replace: bool = False
    detach: bool = False


def build_order(reference: str, asked: OrderAsked, settings: Settings) -> int:
    """The exit status of building a saved order, given by its file or URL."""
    choice = _choice(None)
    entries = read_build_order(_content(reference, fetch_content(choice, os.environ)), _name(reference))
    return _build(entries, choice, asked, settings)


def build_graph(reference: str, asked: OrderAsked, settings: Settings) -> int:
    """The exit status of building the nodes of a saved graph."""
    choice = _choice(None)
    content, name = _content(reference, fetch_content(choice, os.environ)), _name(reference)
    try:
        graph = read_graph(content)
    except InputError as error:
        raise InputError(f"{name}: {error.what}", error.next_step) from error
    return _build(entries_of_graph(graph, name), choice, asked, settings)


def build_one(distribution: str, version: str, server: str, asked: OrderAsked, settings: Settings) -> int:
    """The exit status of building one version anew, whose source the server must have."""
    try:
        name, exact = canonicalize_name(Requirement(distribution).name), str(Version(version))
    except (InvalidRequirement, InvalidVersion) as error:
        raise InputError(f"{distribution} {version}: {error}", "give a name, a version and an index") from error
    choice = _choice(server)
    entry = entry_of_version(name, exact, choice, settings)
    return _build((entry,), choice, asked, settings, single=True)


def _choice(url: str | None) -> IndexChoice:
    choice = choose_index(url, os.environ, prefix=Path(sys.prefix), root=Path("/"))
    require_no_credentials(url or "", "the index URL")
    return choice


def _content(reference: str, fetch: Fetch) -> bytes:
    if "://" in reference:
        return fetch(reference)
    try:
        return Path(reference).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {reference}: {error.strerror}", "correct its name") from error


def _name(reference: str) -> str:
    return without_credentials(reference) if "://" in reference else reference


def _build(
    entries: tuple[Entry, ...], choice: IndexChoice, asked: OrderAsked, settings: Settings, *, single: bool = False
) -> int:
    checked = _checked(entries, choice, asked, settings)
    return run_bootstrap(checked, Manner(asked.targets, detach=asked.detach, single=single), settings)


def _checked(entries: tuple[Entry, ...], choice: IndexChoice, asked: OrderAsked, settings: Settings) -> Checked:
    """Everything found usable; raises InputError for the first thing that is not. Queues nothing."""
    for url in asked.cache_servers:
        require_url(url)
    fetch = fetch_content(choice, os.environ)
    files = read_requirement_files((), settings.constraints, fetch=fetch, variables=os.environ)
    Constraints.merge(files.constraints, {name: str(value) for name, value in default_environment().items()})
    options = e.RunOptions(
        skip_constraints=True,
        index_url=choice.url,
        index_origin=choice.origin,
        cache_servers=tuple(without_credentials(url) for url in asked.cache_servers),
        cores_per_build=settings.jobs or 0,
        mode="entries",
        force=asked.force,
        replace=asked.replace,
    )
    inputs = RunInputs(
        constraints=tuple((line.text, line.origin) for line in files.constraints),
        entries=entries,
        customisation=checked_customisation(settings),
    )
    requirements = tuple(f"{entry.name}=={entry.version}" for entry in entries)
    into = index_name(asked.collection, settings.variant)
    return Checked(requirements, options, inputs, into, choice, places_of(settings))
