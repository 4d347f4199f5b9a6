"""What the configuration file of each daemon holds. The files hold secrets or lead to them: mode 0600."""

from typing import ClassVar, TypeVar

import msgspec

from ..errors import InputError
from .sealed import Sealed


class StoreConfig(Sealed, frozen=True):
    """An S3 endpoint and the keys for one bucket of it."""

    secret_fields: ClassVar[tuple[str, ...]] = ("access_key", "secret_key")

    endpoint_url: str
    bucket: str
    access_key: str
    secret_key: str
    region: str = "us-east-1"


class HttpConfig(Sealed, frozen=True):
    """Where the coordinator serves the index and the outputs. Port 0: nowhere.

    token_files: each holds one token; the first is the operators', who alone may read the outputs of
    runs. public: whether everyone may read pages and wheels; else any of the tokens is needed.
    """

    host: str = "127.0.0.1"
    port: int = 0
    token_files: tuple[str, ...] = ()
    public: bool = False


class CoordinatorConfig(Sealed, frozen=True):
    """What a coordinator is told. credential: path of its credential file. data: its folder for caches.

    local_files: whether runs may name indexes by ``file:`` URLs, which is right only where everybody
    who may submit a run may read the coordinator's files anyway. patience: seconds for which a NATS
    server that does not answer yet is waited for at the start. signing: path of the keys with which
    it renews credentials; none where it does not. replicas: of the streams, where it makes them.
    """

    credential: str
    data: str
    store: StoreConfig
    http: HttpConfig = HttpConfig()
    local_files: bool = False
    patience: float = 0.0
    signing: str = ""
    replicas: int = 1


class AgentConfig(Sealed, frozen=True):
    """What an agent is told.

    credential: path of its credential file. data: its cache folder. slots: builds at a time.
    sandbox: ``auto`` for the strongest level that works here, or a level to insist on.
    interpreters: paths of the Pythons that it builds for. patience: as a coordinator's.
    """

    credential: str
    data: str
    slots: int
    interpreters: tuple[str, ...]
    sandbox: str = "auto"
    labels: tuple[str, ...] = ()
    patience: float = 0.0


Config = TypeVar("Config", CoordinatorConfig, AgentConfig)


def encode_config(config: CoordinatorConfig | AgentConfig) -> bytes:
    """JSON for a file that only its owner can read; contains the secrets."""
    return msgspec.json.format(msgspec.json.encode(config), indent=2) + b"\n"


def decode_config(data: bytes, kind: type[Config], *, toml: bool = False, origin: str = "configuration") -> Config:
    """The configuration in JSON or TOML text.

    Raises InputError, which names ``origin`` and the field but never a value.
    """
    try:
        return msgspec.toml.decode(data, type=kind) if toml else msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as error:
        raise InputError(f"{origin} is no {kind.__name__}: {error}", "correct the field that is named") from None
