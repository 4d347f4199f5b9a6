"""Writes ``reference/plugins.md`` from what plugins are given: run it after each change of that."""
# ruff: noqa: INP001 - a script beside the pages that it makes, no part of a package

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from wheelfleet_shared.core.plugin_points import ARGUMENTS, LIBRARIES, MEMBERS, OFFERED
from wheelfleet_shared.core.plugins import BUILD, CHOICE, HOOKS, NAMES, PREPARATION, TAG_HOOK

PAGE: Final = Path(__file__).parent / "reference" / "plugins.md"
HEAD: Final = """\
# What plugins are given

<!-- Made by docs/list_plugin_points.py from the code; do not edit. -->

Plugins written for fromager are called as they are, wherever their arguments can be given; how to bring them is told in
[Use plugins](../how-to/use-plugins.md). A function gets, by name, those of the arguments here that it takes. What it
gives is checked; anything else than the type below is a failure of kind `policy` that names plugin, function, file
and line. So is an exception, and a function that takes longer than ten minutes (one that builds: than the build may).
"""
_GIVES: Final = {
    "prepare_source": "`Path` of the source below `ctx.work_dir`, or `(Path, bool)`",
    "build_sdist": "`Path` of the sdist in `ctx.sdists_builds`",
    "build_wheel": "`Path` or `None`; one wheel lies in `ctx.wheels_build`",
    "update_extra_environ": "nothing; `extra_environ` is changed in place",
    "add_extra_metadata_to_wheels": "`dict`; files may be added to `dist_info_dir`",
    TAG_HOOK: "sequence of `str` of letters, digits and dots, added to the build tag",
}
_REQUIREMENTS: Final = "iterable of `Requirement` or `str`"
_WHERE: Final = {
    **dict.fromkeys(PREPARATION, "an agent, in place of our own preparation"),
    **dict.fromkeys(BUILD, "an agent, in the build's locked environment"),
    **dict.fromkeys(HOOKS, "an agent, once the wheel is there and before it is published"),
    TAG_HOOK: "an agent, where the changelog gives a build tag",
}


_TYPES: Final = {
    "ctx": ("fromager.context.WorkContext", "the folders of this build, and the settings of its distribution"),
    "req": ("packaging.requirements.Requirement", "`name==version`"),
    "version": ("packaging.version.Version", "that is built"),
    "dist_name": ("str", "the normalised name"),
    "dist_version": ("str", "the version as text"),
    "config_settings": ("dict[str, str | list[str]]", "of PEP 517, as settings say"),
    "source_filename": ("pathlib.Path", "the archive as upstream published it"),
    "sdist_root_dir": ("pathlib.Path", "the source, prepared"),
    "build_dir": ("pathlib.Path", "where pyproject.toml lies in it"),
    "build_env": ("fromager.build_environment.BuildEnvironment", "the locked environment, read-only"),
    "extra_environ": ("dict[str, str]", "all variables of the build's hooks"),
    "dist_info_dir": ("pathlib.Path", "the `.dist-info` folder of the wheel, unpacked"),
    "sdist_filename": ("pathlib.Path | None", "a copy of the sdist; `None` for prebuilt wheels"),
    "wheel_filename": ("pathlib.Path", "the wheel, for hooks a copy of it"),
    "wheel_tags": ("frozenset[packaging.tags.Tag]", "of the wheel that was built"),
}


def page() -> str:
    """The text of the page; equal code gives equal text."""
    lines = [
        HEAD,
        "## Functions that are called",
        "",
        "| function | arguments | gives | called by |",
        "|---|---|---|---|",
    ]
    lines += [_row(point) for point in (*sorted(PREPARATION), *sorted(BUILD), *HOOKS, TAG_HOOK)]
    lines += ["", "## Functions that are not", ""]
    lines += [
        f"- `{point}`: it chooses versions and sources, which is the coordinator's; {_REFUSED}" for point in _choice()
    ]
    lines += [f"- `{point}`: sources are found by their digest, so nobody asks for names" for point in sorted(NAMES)]
    lines += ["", "## The arguments", "", "| name | type | what it is |", "|---|---|---|"]
    lines += [f"| `{name}` | `{kind}` | {text} |" for name, (kind, text) in sorted(_TYPES.items())]
    lines += ["", "## What the arguments have", ""]
    lines += [f"- `{name}`: {_listed(members)}" for name, members in MEMBERS.items()]
    lines += ["", "## What can be imported", "", f"The standard library, {_listed(LIBRARIES)}. Of `fromager`:", ""]
    lines += [f"- `fromager.{module}`: {_listed(names)}" for module, names in OFFERED.items()]
    lines += [
        "",
        "Other names of `fromager` may be imported and stand in annotations; who calls them is told that they",
    ]
    lines += ["are not offered."]
    return "\n".join(lines) + "\n"


_REFUSED: Final = "a run ends for a distribution whose plugin has it, unless settings say the same"


def _choice() -> Iterable[str]:
    return sorted(CHOICE)


def _row(point: str) -> str:
    gives = _GIVES.get(point, "nothing" if point in HOOKS else _REQUIREMENTS)
    return f"| `{point}` | {_listed(ARGUMENTS[point])} | {gives} | {_WHERE[point]} |"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(_quoted(names))


def _quoted(names: Iterable[str]) -> Iterator[str]:
    yield from (f"`{name}`" for name in sorted(names))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
