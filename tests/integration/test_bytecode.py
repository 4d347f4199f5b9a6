"""Bytecode of environments: made once, used by hooks, and never believed for another source."""

import asyncio
import hashlib

import pytest

from build_equipment import PREFIX, equip, open_backend
from wheelfleet_agent.adapters.bytecode import Bytecode
from wheelfleet_agent.adapters.hooks import build_wheel
from wheelfleet_agent.adapters.run_process import run
from wheelfleet_agent.core.processes import Command
from wheelfleet_agent.core.sandbox_plan import Level
from wheelfleet_shared.names import Sha256


class Lines:
    def __init__(self):
        self.data = b""

    def write(self, data):
        self.data += data


@pytest.fixture(params=[Level.NONE, Level.STANDARD])
def equipment(request, tmp_path_factory):
    return equip(tmp_path_factory.mktemp("agent"), request.param)


def install(folder, equipment, wheel, bytecode):
    """A backend in whose environment the wheel is, with the bytecode that the store has by now."""
    backend = open_backend(folder, equipment, "needs-more", [wheel])
    sha256 = Sha256(hashlib.sha256(wheel.read_bytes()).hexdigest())
    wheels = {sha256: "inhouse-backend"}
    asyncio.run(bytecode.add(backend.environment, wheels, backend.folder, equipment.sandbox, PREFIX))
    return backend


def compiled(backend):
    return [str(path.relative_to(backend.environment.site)) for path in backend.environment.site.rglob("*.pyc")]


def test_a_wheel_is_compiled_when_it_is_installed_a_second_time(tmp_path, equipment):
    wheel, _ = asyncio.run(build_wheel(open_backend(tmp_path, equipment, "inhouse-backend"), Lines()))
    bytecode = Bytecode(tmp_path / "store", "copy" if equipment.sandbox.level is Level.NONE else "hardlink")
    assert compiled(install(tmp_path, equipment, wheel, bytecode)) == []
    for _ in range(2):
        backend = install(tmp_path, equipment, wheel, bytecode)
        (name,) = compiled(backend)
        assert name.startswith("__pycache__/inhouse.")
    log = Lines()
    command = (str(backend.environment.python), "-B", "-v", "-c", "import inhouse")
    asyncio.run(run(Command(command, {}, tmp_path), log))
    assert f"code object from '{backend.environment.site}/__pycache__/inhouse." in log.data.decode()


def test_bytecode_of_another_source_is_not_used(tmp_path, equipment):
    wheel, _ = asyncio.run(build_wheel(open_backend(tmp_path, equipment, "inhouse-backend"), Lines()))
    bytecode = Bytecode(tmp_path / "store", "copy")
    install(tmp_path, equipment, wheel, bytecode)
    backend = install(tmp_path, equipment, wheel, bytecode)
    module = backend.environment.site / "inhouse.py"
    module.unlink()
    module.write_text("print('another')\n")
    log = Lines()
    asyncio.run(run(Command((str(backend.environment.python), "-B", "-c", "import inhouse"), {}, tmp_path), log))
    assert log.data == b"another\n"


def test_what_cannot_be_compiled_is_left_out(tmp_path, equipment):
    wheel, _ = asyncio.run(build_wheel(open_backend(tmp_path, equipment, "inhouse-backend"), Lines()))
    bytecode = Bytecode(tmp_path / "store", "copy")
    backend = install(tmp_path, equipment, wheel, bytecode)
    module = backend.environment.site / "inhouse.py"
    module.unlink()
    module.write_text("this is no Python\n")
    wheels = {Sha256(hashlib.sha256(wheel.read_bytes()).hexdigest()): "inhouse-backend"}
    asyncio.run(bytecode.add(backend.environment, wheels, backend.folder, equipment.sandbox, PREFIX))
    assert compiled(backend) == []
