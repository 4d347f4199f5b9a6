"""What one attempt needs, read from the folded world: sources, environment, requirement files."""

from collections.abc import Callable, Mapping

from packaging.requirements import Requirement

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import Build, plan_build
from wheelfleet_shared.core.keys import blob_key, bundle_key, source_key
from wheelfleet_shared.core.messages import Download, Work
from wheelfleet_shared.core.recipe import NodeRecipe
from wheelfleet_shared.core.targets import evaluate_marker
from wheelfleet_shared.names import ANY_TARGET, BuildId, Sha256

from .world import World

Sign = Callable[[str], str]
"""Storage key → a URL that reads it."""


def source_build_of(plan: e.BuildPlanned) -> BuildId:
    """The build that prepares the source of another build."""
    build, _ = plan_build(
        "source",
        plan.index,
        plan.node,
        target=ANY_TARGET,
        host=plan.host,
        source=plan.source,
        source_url=plan.source_url,
        recipe=NodeRecipe(preparation=Sha256(plan.preparation)),
    )
    return build


def work_for(world: World, build: Build, cores: int, sign: Sign) -> Work | None:
    """All that the owner of a claimed build needs; None where the log does not hold it (yet)."""
    plan = build.plan
    if plan is None or build.claim_target is None:
        return None
    if plan.goal == "source":
        return _source_work(world, build, plan, sign)
    source = world.build(source_build_of(plan))
    prepared = source.source
    if prepared is None or source.forgotten or build.lock is None:
        return None
    definition = world.targets[build.claim_target].definition if build.claim_target in world.targets else None
    environment = definition.marker_environment if definition else {}
    static = holding(prepared.requirements, environment)
    return Work(
        build=build.id,
        fence=build.fence,
        plan=plan,
        target=build.claim_target,
        sdist=_download(prepared.sdist, source_key(prepared.sdist.sha256, prepared.sdist.file_name), sign),
        environment=tuple(_wheel(locked, sign) for locked in build.lock.files),
        static=build.lock.static,
        requirements=None if build.lock.anew else build.requirements,
        epoch=prepared.epoch,
        cores=cores,
        static_requirements=static,
        recipe=_recipe(plan.recipe, sign),
        hooks=_recipe(plan.hooks, sign),
        requirement_files=requirement_files(static, holding(build.requirements or (), environment)),
    )


def _source_work(world: World, build: Build, plan: e.BuildPlanned, sign: Sign) -> Work | None:
    stored = world.stored.get(plan.source.sha256)
    if stored is None or build.claim_target is None:
        return None
    archive = _download(stored, source_key(stored.sha256, stored.file_name), sign)
    return Work(
        build=build.id,
        fence=build.fence,
        plan=plan,
        target=build.claim_target,
        sdist=archive,
        preparation=_recipe(plan.preparation, sign),
        hooks=_recipe(plan.hooks, sign),
    )


def _recipe(digest: str, sign: Sign) -> Download | None:
    """The text that settings and patches come to; its size is not known here, and none is promised."""
    if not digest:
        return None
    sha256 = Sha256(digest)
    return Download(e.FileRef("recipe.json", sha256, 0), sign(bundle_key(sha256)))


def _download(file: e.FileRef, key: str, sign: Sign) -> Download:
    return Download(file, sign(key))


def _wheel(locked: e.LockedFile, sign: Sign) -> Download:
    url = sign(blob_key(locked.file.sha256, locked.file.file_name))
    return Download(locked.file, url, locked.name, locked.version)


def holding(requirements: tuple[str, ...], environment: Mapping[str, str]) -> tuple[str, ...]:
    """The requirements whose markers hold on the target, as stated."""
    return tuple(text for text in requirements if evaluate_marker(Requirement(text), environment, frozenset()))


def requirement_files(static: tuple[str, ...], hook: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The requirement files that go into the wheel, by kind; the hook answers for backend and sdist at once."""
    return {
        "build-system": tuple(sorted(static)),
        "build-backend": tuple(sorted(hook)),
        "build-sdist": tuple(sorted(hook)),
    }
