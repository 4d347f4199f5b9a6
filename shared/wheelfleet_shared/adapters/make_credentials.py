"""New keys for actors, and files for them that only their owner can read."""

import os
import stat
from pathlib import Path

import nkeys  # type: ignore[import-untyped]

from ..core.credentials import Credential, decode_credential, encode_credential
from ..core.nats_config import User
from ..errors import InputError
from ..names import Actor


def make_seed() -> str:
    """A new random nkey seed of a user."""
    return str(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER).decode())


def public_key(seed: str) -> str:
    """The public half of a seed, for the server's configuration; raises InputError for no seed."""
    try:
        return str(nkeys.from_seed(bytearray(seed.encode())).public_key.decode())
    except nkeys.NkeysError:
        raise InputError("the nkey seed of a credential is damaged", "make or ask for a new credential") from None


def make_credential(nats_url: str, actor: Actor) -> Credential:
    """A credential with a new key; it works once the server knows ``user_of`` it."""
    return Credential(nats_url, actor, make_seed())


def user_of(credential: Credential) -> User:
    """What the server has to know of a credential."""
    return User(credential.actor, public_key(credential.nkey_seed))


def load_credential(path: Path) -> Credential:
    """The credential in a file, JSON or (``.toml``) TOML.

    Raises InputError where the file is missing, is damaged, or can be read by others than its owner.
    """
    return decode_credential(read_private(path), toml=path.suffix == ".toml", origin=str(path))


def save_credential(path: Path, credential: Credential) -> None:
    """The file holds the credential, mode 0600; see ``write_private``."""
    write_private(path, encode_credential(credential))


def read_private(path: Path) -> bytes:
    """The bytes of a file that holds secrets; raises InputError where anybody but its owner may read it."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise InputError(
                    f"{path} holds secrets and has mode {mode:04o}: others than its owner may use it",
                    f"run: chmod 600 {path}",
                )
            return file.read()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}", "check the path and who owns the file") from None


def write_private(path: Path, data: bytes) -> None:
    """The file holds the bytes, mode 0600, in one step: a reader sees the old content or the new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
