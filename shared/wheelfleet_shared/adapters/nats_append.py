"""Compare-and-append of decisions, one by one or many in one atomic batch.

Measured with nats-server 2.15.1, one replica and three, which differ: one replica compares sequences
before it looks for duplicate ids, three do it the other way round; an atomic batch always looks for
duplicate ids first. So after every refusal a probe tells an earlier try of ours from somebody else's
event: the same id with a ``Nats-Rollup`` header, which this stream never takes, but which both refuse
only after looking for duplicates. (``Nats-Expected-Last-Msg-Id`` looks like the natural probe; never
send it: with three replicas one refusal of it stops the whole stream for good, also over restarts.)
"""

import asyncio
import secrets
from collections.abc import Sequence

from nats.aio.client import Client

from ..core import codec
from ..core.envelope import Aggregate
from ..errors import InfrastructureError, WheelfleetError
from ..names import Actor
from ..ports import AlreadyAppended, Append, Appended, Conflict, Outcome
from .event_size import encode_event
from .nats_publish import DUPLICATE_IN_BATCH, ROLLUP_REFUSED, Answer, Refused, Stale, Stored, expected, insist, send

MAX_BATCH = 1000
"""Messages of one atomic batch; the server's limit."""
ALONE_BELOW = 12
"""Fewer single-event decisions than this are quicker one by one: a batch costs some 5 to 20 ms whatever it holds."""
_ROUNDS = 20
_PROBE = {"Nats-Rollup": "sub"}


async def append_all(client: Client, actor: Actor, batch: Sequence[Append]) -> list[Outcome]:
    """One outcome a decision, in order; decisions of several events go in whole."""
    outcomes: dict[int, Outcome] = {
        place: Appended(append.expected) for place, append in enumerate(batch) if not append.envelopes
    }
    pending = [(place, append) for place, append in enumerate(batch) if append.envelopes]
    if len(pending) < ALONE_BELOW and all(len(append.envelopes) == 1 for _, append in pending):
        alone = await asyncio.gather(*(_append_one(client, actor, append) for _, append in pending))
        outcomes.update(zip((place for place, _ in pending), alone, strict=True))
    else:
        for group in _groups(pending):
            outcomes.update(await _append_group(client, actor, group))
    return [outcomes[place] for place in range(len(batch))]


def _groups(pending: Sequence[tuple[int, Append]]) -> list[dict[int, Append]]:
    """Groups of at most 1000 events and one decision an aggregate, in order."""
    groups: list[dict[int, Append]] = []
    room, taken = 0, set[Aggregate]()
    for place, append in pending:
        size = len(append.envelopes)
        if size > MAX_BATCH:
            raise WheelfleetError(f"a decision about {append.aggregate} has {size} events, more than {MAX_BATCH}")
        if size > room or append.aggregate in taken:
            groups.append({})
            room, taken = MAX_BATCH, set()
        groups[-1][place] = append
        room -= size
        taken.add(append.aggregate)
    return groups


async def _append_one(client: Client, actor: Actor, append: Append) -> Outcome:
    envelope = append.envelopes[0]
    subject = codec.subject_of(append.aggregate, actor)
    data = encode_event(append.aggregate, envelope)
    headers = {"Nats-Msg-Id": envelope.id, **expected(append)}
    answer = await insist(client, (subject,), lambda: send(client, subject, data, headers))
    if isinstance(answer, Stored):
        return AlreadyAppended(answer.sequence) if answer.duplicate else Appended(answer.sequence)
    if isinstance(answer, Stale):
        return await _earlier_try(client, actor, append) or Conflict(answer.last)
    raise _never_taken(subject, answer)


async def _append_group(client: Client, actor: Actor, group: dict[int, Append]) -> dict[int, Outcome]:
    """Outcomes by place. A refused batch is examined; what can still go in is sent again without the rest."""
    outcomes: dict[int, Outcome] = {}
    for _ in range(_ROUNDS):
        pending = {place: append for place, append in group.items() if place not in outcomes}
        if not pending:
            return outcomes
        answer = await _send_batch(client, actor, list(pending.values()))
        if isinstance(answer, Stored):
            return {**outcomes, **_in_sequence(pending, answer.sequence)}
        if isinstance(answer, Refused) and answer.code != DUPLICATE_IN_BATCH:
            raise _never_taken("a batch", answer)
        outcomes.update(await _examine(client, actor, pending))
    raise InfrastructureError(
        f"the log refused a batch {_ROUNDS} times and does not say what is wrong with it",
        "look into the log of the NATS server, and report this as a defect",
    )


async def _send_batch(client: Client, actor: Actor, appends: Sequence[Append]) -> Answer:
    messages = [
        (
            codec.subject_of(append.aggregate, actor),
            encode_event(append.aggregate, envelope),
            # Each message of an aggregate carries the sequence from before the batch.
            {"Nats-Msg-Id": envelope.id, **expected(append)},
        )
        for append in appends
        for envelope in append.envelopes
    ]
    subjects = {subject for subject, _, _ in messages}
    return await insist(client, subjects, lambda: _try_batch(client, messages))


async def _try_batch(client: Client, messages: Sequence[tuple[str, bytes, dict[str, str]]]) -> Answer:
    # A fresh id each time: the server may still hold the beginning of an earlier try.
    batch = secrets.token_hex(16)
    for number, (subject, data, headers) in enumerate(messages[:-1], 1):
        place = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
        await client.publish(subject, data, headers={**headers, **place})
    subject, data, headers = messages[-1]
    commit = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(len(messages)), "Nats-Batch-Commit": "1"}
    return await send(client, subject, data, {**headers, **commit})


def _in_sequence(pending: dict[int, Append], last: int) -> dict[int, Outcome]:
    """Messages of a batch have successive sequences, the last of which the server told."""
    position = last - sum(len(append.envelopes) for append in pending.values())
    outcomes: dict[int, Outcome] = {}
    for place, append in pending.items():
        position += len(append.envelopes)
        outcomes[place] = Appended(position)
    return outcomes


async def _examine(client: Client, actor: Actor, pending: dict[int, Append]) -> dict[int, Outcome]:
    """The outcomes that a refused batch settles; decisions that may still go in are left out."""
    found = await asyncio.gather(*(_settled(client, actor, append) for append in pending.values()))
    return {place: outcome for place, outcome in zip(pending, found, strict=True) if outcome is not None}


async def _settled(client: Client, actor: Actor, append: Append) -> Outcome | None:
    answer = await _probe(client, actor, append, expected(append))
    if isinstance(answer, Stale):
        return await _earlier_try(client, actor, append) or Conflict(answer.last)
    return _stored_before(append, answer)


async def _earlier_try(client: Client, actor: Actor, append: Append) -> AlreadyAppended | None:
    return _stored_before(append, await _probe(client, actor, append, {}))


async def _probe(client: Client, actor: Actor, append: Append, headers: dict[str, str]) -> Answer:
    """The server's answer to a message that it can never store."""
    subject = codec.subject_of(append.aggregate, actor)
    probe = {"Nats-Msg-Id": append.envelopes[0].id, **_PROBE, **headers}
    answer = await insist(client, (subject,), lambda: send(client, subject, b"", probe))
    if isinstance(answer, Refused) and answer.code != ROLLUP_REFUSED:
        raise _never_taken(subject, answer)
    return answer


def _stored_before(append: Append, answer: Answer) -> AlreadyAppended | None:
    """What a probe says of an earlier try; the events of a decision lie side by side."""
    if isinstance(answer, Stored) and answer.duplicate:
        return AlreadyAppended(answer.sequence + len(append.envelopes) - 1)
    return None


def _never_taken(subject: str, answer: Answer) -> InfrastructureError:
    return InfrastructureError(
        f"the log refuses {subject}: {answer.description if isinstance(answer, Refused) else answer}",
        "check the configuration of the stream LOG and the room on the server's disk",
    )
