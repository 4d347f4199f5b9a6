"""Calls one function of a plugin and writes what it gave; run as a script, with the control folder as argument.

question.json there is read, and answer.json written whatever the plugin does, unless it ends the process.
"""

import importlib
import logging
import sys
from pathlib import Path

_CONTROL = Path(sys.argv[1]) if __name__ == "__main__" else Path()


def main() -> None:
    """The answer is written; the plugin's own output went to the log."""
    import json  # noqa: PLC0415 - the standard library alone is found as yet

    search = json.loads((_CONTROL / "question.json").read_bytes())["search"]
    sys.path.extend(search)
    calling = importlib.import_module("wheelfleet_agent.plugin_child.calling")
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stdout)
    (_CONTROL / "answer.json").write_bytes(calling.answered((_CONTROL / "question.json").read_bytes()))


if __name__ == "__main__":
    main()
