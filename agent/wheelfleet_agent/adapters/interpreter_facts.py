"""Prints, as JSON, what an interpreter is; run as a script by the interpreter that is asked.

Argument: a folder that holds the ``packaging`` distribution, which the agent shares
so that all interpreters are asked alike. Works on every Python that ``packaging`` supports.
"""

import json
import os
import sys
import sysconfig
from pathlib import Path


def main() -> None:
    """Everything that depends on the interpreter, and nothing that depends on the time."""
    sys.path.append(sys.argv[1])
    from packaging.markers import default_environment  # noqa: PLC0415 - only now can it be found
    from packaging.tags import sys_tags  # noqa: PLC0415 - the same

    include = sysconfig.get_path("include", vars={"installed_base": sys.base_prefix, "base": sys.base_prefix})
    compilers = [sysconfig.get_config_var(name) or "" for name in ("CC", "CXX", "AR", "LDSHARED", "LDCXXSHARED")]
    facts = {
        "prefix": sys.base_prefix,
        "marker_environment": dict(default_environment()),
        "tags": [str(tag) for tag in sys_tags()],
        "platform": sysconfig.get_platform(),
        "pointer_size": 8 if sys.maxsize > 2**32 else 4,
        "byte_order": sys.byteorder,
        "headers": Path(include, "Python.h").is_file(),
        "programs": sorted({text.split()[0] for text in compilers if text and os.sep not in text.split()[0]}),
    }
    sys.stdout.write(json.dumps(facts))


if __name__ == "__main__":
    main()
