"""The two streams of the product: made where missing, refused where somebody changed what the log relies on."""

import hashlib
import secrets
from typing import Any

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import (
    DiscardPolicy,
    PersistMode,
    RetentionPolicy,
    StorageType,
    StoreCompression,
    StreamConfig,
    StreamInfo,
)
from nats.js.errors import APIError, NotFoundError

from ..core.permissions import BLOG, LOG
from ..errors import InfrastructureError
from .event_size import MAX_EVENT

DUPLICATE_WINDOW = 600.0
"""Seconds for which the log knows a message id again; far longer than an append is retried."""
_INCARNATION = "wheelfleet-incarnation"
_GIB = 1024**3
_DAY = 86_400.0
_MAX_LOG_LINES = 64 * 1024
_TIMEOUT = 10.0

_RELIED_ON: dict[str, object] = {
    "subjects": ["log.>"],
    "retention": "limits",
    "storage": "file",
    "discard": "new",
    "max_age": 0.0,
    "max_msgs": -1,
    "max_bytes": -1,
    "max_msgs_per_subject": -1,
    "max_msg_size": MAX_EVENT,
    "duplicate_window": DUPLICATE_WINDOW,
    "deny_delete": True,
    "deny_purge": True,
    "allow_direct": True,
    "allow_atomic": True,
    "allow_rollup_hdrs": False,
    "allow_msg_ttl": False,
    "allow_msg_schedules": False,
    "allow_msg_counter": False,
    "sealed": False,
    "mirror": None,
    "sources": None,
    "subject_transform": None,
    "persist_mode": None,
}
"""Settings of the log and the values without which appends, replays or fences would not hold."""
_FALSE_WHEN_ABSENT = ("allow_msg_ttl", "allow_msg_schedules", "allow_msg_counter")


def log_config(replicas: int = 1) -> StreamConfig:
    """The stream of events: nothing is ever taken out, batches go in together or not at all."""
    return StreamConfig(
        name=LOG,
        subjects=["log.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_msg_size=MAX_EVENT,
        duplicate_window=DUPLICATE_WINDOW,
        num_replicas=replicas,
        deny_delete=True,
        deny_purge=True,
        allow_direct=True,
        allow_atomic=True,
        compression=StoreCompression.S2,
        metadata={_INCARNATION: secrets.token_hex(8)},
    )


def build_log_config(replicas: int = 1, *, max_bytes: int = 4 * _GIB, max_age: float = 7 * _DAY) -> StreamConfig:
    """The stream of build log lines: the oldest give way; a crash of the server may lose the last ones.

    max_age in seconds. The whole log of a build lies in the object store when the build has ended.
    """
    return StreamConfig(
        name=BLOG,
        subjects=["blog.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.OLD,
        max_bytes=max_bytes,
        max_age=max_age,
        max_msg_size=_MAX_LOG_LINES,
        num_replicas=replicas,
        allow_direct=True,
        compression=StoreCompression.S2,
        persist_mode=PersistMode.ASYNC if replicas == 1 else None,
    )


async def ensure_streams(
    client: Client, *, replicas: int = 1, build_log_bytes: int = 4 * _GIB, build_log_age: float = 7 * _DAY
) -> str:
    """Both streams exist; the incarnation of the log is returned.

    build_log_bytes, build_log_age (seconds): used only where the stream of build logs is made anew.
    Raises InfrastructureError when the log is configured in another way than appends rely on, or
    when the server refuses.
    """
    info = await _ensure(client, log_config(replicas))
    drift = drifted(info.config)
    if drift:
        raise InfrastructureError(
            f"the stream {LOG} is not configured as events need it: {'; '.join(drift)}",
            "let the administrator of the NATS server set these back, or start with a new stream",
        )
    await _ensure(client, build_log_config(replicas, max_bytes=build_log_bytes, max_age=build_log_age))
    return incarnation_of(info)


async def log_incarnation(client: Client) -> str:
    """The incarnation of the log; raises InfrastructureError where there is no log or no right to ask."""
    info = await _find(client, LOG)
    if info is None:
        raise InfrastructureError(f"the stream {LOG} does not exist yet", "start a coordinator first")
    return incarnation_of(info)


def incarnation_of(info: StreamInfo) -> str:
    """Random since the making of the stream, kept by backups; else a digest of when it was made."""
    kept = (info.config.metadata or {}).get(_INCARNATION)
    return kept or hashlib.sha256(str(info.created).encode()).hexdigest()[:16]


def drifted(config: StreamConfig) -> list[str]:
    """What differs from the settings that the log relies on, as ``name is x, not y``."""
    return [
        f"{name} is {found!r}, not {wanted!r}"
        for name, wanted in _RELIED_ON.items()
        if (found := _setting(config, name)) != wanted
    ]


def _setting(config: StreamConfig, name: str) -> object:
    value: Any = getattr(config, name)
    if name in _FALSE_WHEN_ABSENT:
        return bool(value)
    return getattr(value, "value", value) or (None if value in ("", []) else value)


async def _ensure(client: Client, config: StreamConfig) -> StreamInfo:
    name = str(config.name)
    found = await _find(client, name)
    if found is not None:
        return found
    try:
        return await client.jetstream(timeout=_TIMEOUT).add_stream(config)
    except APIError as error:
        # Another coordinator may have been first; its random incarnation makes ours a different config.
        raced = await _find(client, name)
        if raced is not None:
            return raced
        raise _refused(name, error) from error
    except NatsError as error:
        raise _refused(name, error) from error


async def _find(client: Client, name: str) -> StreamInfo | None:
    try:
        return await client.jetstream(timeout=_TIMEOUT).stream_info(name)
    except NotFoundError:
        return None
    except NatsError as error:
        raise _refused(name, error) from error


def _refused(name: str, error: Exception) -> InfrastructureError:
    return InfrastructureError(
        f"the NATS server does not give the stream {name}: {str(error) or type(error).__name__}",
        "check that JetStream is enabled with room on disk, and that this actor is a coordinator",
    )
