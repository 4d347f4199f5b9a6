"""Requirements whose builds differ in kind: by backend, by what locks must solve, pure or native."""

from typing import NamedTuple


class ConformanceSet(NamedTuple):
    """Requirements that are bootstrapped together; ``quick`` ones in every run of the tests."""

    name: str
    requirements: tuple[str, ...]
    quick: bool = False


LIVE = ConformanceSet("stevedore", ("stevedore==5.2.0",), quick=True)
"""The one that is compared with fromager itself even in the CI tier."""

_SINGLE = (
    LIVE,
    ConformanceSet("flit-core", ("flit-core==3.12.0",), quick=True),
    ConformanceSet("setuptools", ("setuptools==75.8.0",), quick=True),
    ConformanceSet("hatchling", ("hatchling==1.27.0",), quick=True),
    ConformanceSet("poetry-core", ("poetry-core==2.1.3",), quick=True),
    ConformanceSet("attrs", ("attrs==25.3.0",), quick=True),
    ConformanceSet("zope-interface", ("zope.interface==7.2",), quick=True),
    ConformanceSet("requests-socks", ("requests[socks]==2.34.2",), quick=True),
    ConformanceSet("wrapt", ("wrapt==1.17.3",), quick=True),
    ConformanceSet("charset-normalizer", ("charset-normalizer==3.4.2",)),
    ConformanceSet("docopt", ("docopt==0.6.2",)),
    ConformanceSet("markupsafe", ("markupsafe==3.0.2",)),
    ConformanceSet("pyyaml", ("pyyaml==6.0.2",)),
    ConformanceSet("cffi", ("cffi==1.17.1",)),
    ConformanceSet("greenlet", ("greenlet==3.2.4",)),
    ConformanceSet("nanobind", ("nanobind==2.9.2",)),
)
_TOGETHER = (
    # Both the run itself and its wheels require setuptools, and get several versions of it.
    ConformanceSet("own-pins", ("setuptools==75.8.0", "zope.interface==7.2", "wrapt==1.17.3"), quick=True),
    ConformanceSet("extras", ("requests", "requests[socks]", "flask[async]", "stevedore==5.2.0")),
    ConformanceSet("spare", ("six", "pluggy==1.7.0", "trove-classifiers", "simplejson==3.20.1", "coverage==7.10.7")),
)
SETS = (*_SINGLE, *_TOGETHER)
JOINT = ConformanceSet("joint", tuple(text for item in _SINGLE for text in item.requirements))
FAILING = ConformanceSet("rpds-py", ("rpds-py==0.27.1",))
"""Needs crates, which a build from sdists alone does not have."""
