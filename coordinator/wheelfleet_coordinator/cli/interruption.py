"""A person stopped watching."""


class WatchingStopped(Exception):
    """Ctrl-C while a run was watched; the run goes on."""

    def __init__(self, run: str) -> None:
        super().__init__(run)
        self.run = run
