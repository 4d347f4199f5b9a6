"""``python -m wheelfleet_coordinator`` is the ``wheelfleet`` command."""

import sys


def main() -> None:
    """The process ends as the command does; also where Ctrl-C comes while its modules are still read."""
    try:
        from .cli.main import main as command  # noqa: PLC0415 - reading it takes long enough to be interrupted

        command()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
