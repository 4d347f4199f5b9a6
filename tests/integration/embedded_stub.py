"""Stands for our daemons in tests of the embedded cluster: a supervisor whose coordinator and agent are this file.

``embedded_stub.py --data …`` supervises; ``embedded_stub.py coordinator|agent --config …`` is a daemon.
"""

import asyncio
import sys
from pathlib import Path

from nats.aio.msg import Msg

from wheelfleet_coordinator.app.cluster_files import Layout, Setup
from wheelfleet_coordinator.app.embedded_children import our_children
from wheelfleet_coordinator.app.supervise import main
from wheelfleet_coordinator.app.supervision import ChildSpec
from wheelfleet_shared.adapters.make_credentials import load_credential, read_private
from wheelfleet_shared.adapters.nats_connection import connect
from wheelfleet_shared.adapters.patience import until_answered
from wheelfleet_shared.core.configuration import AgentConfig, CoordinatorConfig, decode_config
from wheelfleet_shared.core.messages import IdleAnswer, Message, Pong, encode_message

ME = (sys.executable, __file__)
ANSWERS: dict[str, Message] = {"ping": Pong("0", True, "", 0, False), "idle": IdleAnswer(1e6)}


def stub_children(layout: Layout, setup: Setup) -> list[ChildSpec]:
    children = our_children(layout, setup, coordinator=(*ME, "coordinator"), agent=(*ME, "agent"))
    if (layout.data / "break-agent").exists():
        children[1] = children[1]._replace(argv=(sys.executable, "-c", "raise SystemExit('the agent is broken')"))
    return children


async def coordinate(config: Path) -> None:
    told = decode_config(read_private(config), CoordinatorConfig)
    credential = load_credential(Path(told.credential))
    await until_answered(credential, told.patience)
    client = await connect(credential, name="stub")

    async def answer(message: Msg) -> None:
        await message.respond(encode_message(ANSWERS[message.subject.split(".")[1]]))

    await client.subscribe("q.*.*", cb=answer)
    await asyncio.Event().wait()


async def be_agent(config: Path) -> None:
    told = decode_config(read_private(config), AgentConfig)
    credential = load_credential(Path(told.credential))
    await until_answered(credential, told.patience)
    await connect(credential, name="stub")
    await asyncio.Event().wait()


if __name__ == "__main__":
    daemons = {"coordinator": coordinate, "agent": be_agent}
    if sys.argv[1] in daemons:
        asyncio.run(daemons[sys.argv[1]](Path(sys.argv[3])))
    else:
        sys.exit(main(stub_children))
