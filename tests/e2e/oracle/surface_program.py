"""Run by fromager's own Python: prints, as JSON, everything of fromager's that a user can name."""

import inspect
import json
import re
from pathlib import Path

import click
import pydantic
from fromager.__main__ import main
from fromager.packagesettings import PackageSettings, SettingsFile

INTERNAL = {"name", "has_config"}
"""Fields of settings that no file may set."""


def commands(name: str, command: click.Command, prefix: str) -> dict[str, list[dict[str, object]]]:
    """Command with those above it → its parameters. variable: that it is read from, as click makes it."""
    found = {name: [parameter(item, prefix) for item in command.params if "--help" not in item.opts]}
    for below, item in getattr(command, "commands", {}).items():
        found |= commands(f"{name} {below}", item, f"{prefix}_{below.replace('-', '_').upper()}")
    return found


def parameter(item: click.Parameter, prefix: str) -> dict[str, object]:
    if isinstance(item, click.Argument):
        return {"argument": item.make_metavar(click.Context(click.Command("x"))).strip("[].").upper()}
    variable = "" if item.name == "version" else f"{prefix}_{item.name.upper()}"
    return {"options": [*item.opts, *item.secondary_opts], "variable": variable, "hidden": item.hidden}


def keys(model: type[pydantic.BaseModel], above: str = "") -> list[str]:
    """The dotted keys of a settings file; NAME stands for one that the user chooses."""
    found: list[str] = []
    for name, field in model.model_fields.items():
        if not above and name in INTERNAL:
            continue
        path = f"{above}{field.alias or name}"
        found.append(path)
        inner = [
            item for item in flat(field.annotation) if isinstance(item, type) and issubclass(item, pydantic.BaseModel)
        ]
        many = getattr(field.annotation, "__origin__", None) is not None and "Mapping" in str(field.annotation)
        for item in inner:
            found += keys(item, f"{path}.{'NAME.' if many else ''}")
    return found


def flat(annotation: object) -> list[object]:
    arguments = getattr(annotation, "__args__", ())
    return [annotation, *(item for argument in arguments for item in flat(argument))]


def named_in_code(pattern: str) -> list[str]:
    """Names that its code looks plugins up by."""
    folder = Path(inspect.getfile(PackageSettings)).parents[1]
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.py"))]
    return sorted({name for text in texts for name in re.findall(pattern, text)})


overrides = named_in_code(r'find_and_invoke\(\s*[^,]+,\s*"(\w+)"') + named_in_code(
    r'find_override_method\(\s*[^,]+,\s*"(\w+)"'
)
print(
    json.dumps(
        {
            "commands": commands("fromager", main, "FROMAGER"),
            "settings.yaml": sorted(keys(SettingsFile)),
            "settings/NAME.yaml": sorted(keys(PackageSettings)),
            "overrides": sorted(set(overrides)),
            "hooks": named_in_code(r'_get_hooks\("(\w+)"\)'),
        }
    )
)
