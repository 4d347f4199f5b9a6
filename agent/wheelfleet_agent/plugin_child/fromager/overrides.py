"""Names of overrides."""

from packaging.utils import canonicalize_name

from wheelfleet_agent.plugin_child.unoffered import stand_ins


def pkgname_to_override_module(pkgname: str) -> str:
    """The name that a distribution's settings, patches and plugin have."""
    return canonicalize_name(pkgname).replace("-", "_")


__getattr__ = stand_ins(__name__)
