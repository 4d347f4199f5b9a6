"""What every unit test leaves as it was."""

import logging

import pytest


@pytest.fixture(autouse=True)
def logging_as_before():
    """Handlers and level of the root logger, which commands set, are those of before."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    for handler in [handler for handler in root.handlers if handler not in handlers]:
        root.removeHandler(handler)
        handler.close()
