"""Random package indexes: layers of build and hook requirements, install edges with cycles, extras, versions."""

import random

from universe import Release, Universe

_VERSIONS = ("1.0", "1.5", "2.0")


def random_universe(source: random.Random, *, failing: bool = False) -> Universe:
    """Build requirements lead to names of lower numbers only; install requirements may lead round in a circle."""
    count = source.randint(3, 9)
    broken = source.randrange(count) if failing else -1
    releases = [
        release for number in range(count) for release in _releases(source, number, count, broken=number == broken)
    ]
    return Universe(releases)


def some_requirements(source: random.Random, universe: Universe) -> list[str]:
    names = universe.names()
    wanted = source.sample(names, min(len(names), source.randint(1, 3)))
    return [_requirement(source, name) for name in wanted]


def _releases(source: random.Random, number: int, count: int, *, broken: bool) -> list[Release]:
    versions = source.sample(_VERSIONS, source.randint(1, 3))
    if "2.0" not in versions:
        versions.append("2.0")
    # A build requirement on the partner of an install circle is a build cycle, which only fails: keep it rare.
    below = range(number if source.random() < 0.1 else number - number % 2)
    return [
        Release(
            name=f"n{number}",
            version=version,
            static=_some(source, below, 2),
            hook=_some(source, below, 1),
            install=_installs(source, number, count),
            seconds=source.choice((0.1, 2.0, 5.0, 30.0, 80.0)),
            fails=broken,
            native=source.random() < 0.3,
            listed=source.choice(((), (), ("py3-none-any",))),
        )
        for version in versions
    ]


def _some(source: random.Random, numbers: range, most: int) -> tuple[str, ...]:
    chosen = source.sample(numbers, min(len(numbers), source.randint(0, most)))
    return tuple(_requirement(source, f"n{number}") for number in chosen)


def _installs(source: random.Random, number: int, count: int) -> tuple[str, ...]:
    """Mostly lower numbers; its upper neighbour in pairs, which makes circles that no build closes."""
    found = list(_some(source, range(number), 2))
    if number % 2 == 0 and number + 1 < count and source.random() < 0.3:
        found.append(f"n{number + 1}")
    if number and source.random() < 0.4:
        found.append(f"n{source.randrange(number)}; extra == 'x'")
    if source.random() < 0.2:
        found.append("nowhere; python_version < '3'")
    return tuple(found)


def _requirement(source: random.Random, name: str) -> str:
    extra = "[x]" if source.random() < 0.25 else ""
    return f"{name}{extra}{source.choice(('', '', '>=1.0', '>1.5'))}"
