"""
What can go wrong with requests to the storage.

A fault takes the turn of its rule, what passes the exchange on (or the next fault), and the exchange. What changes
bodies does so piece by piece, while they pass. A request counts as soon as its head has come.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from fastbatch.local.clock import SystemClock, sleep
from fastbatch.local.faultplan import Turn
from fastbatch.local.faults.exchange import Cut, Exchange
from fastbatch.local.faults.framing import Pieces
from fastbatch.local.faults.kinds import RETRY_AFTER, SECONDS, Dropped, Kind, one_of
from fastbatch.local.faults.naming import DOWNLOADS, UPLOADS
from fastbatch.local.fields import Field, integer

Pass = Callable[[Exchange], Awaitable[None]]
Fault = Callable[[Turn, Pass, Exchange], Awaitable[None]]

_REFUSALS: Mapping[int, tuple[str, str]] = {
    500: ("InternalError", "Server encountered an internal error. Please try again after some time."),
    503: ("ServerBusy", "The server is busy."),
}
_SOME_AT_ONCE = 10  # parts of a second's bytes, so that they come evenly


async def _refuse(turn: Turn, _pass_on: Pass, exchange: Exchange) -> None:
    """Answer 500 or 503, with the time to wait if there is one."""
    wait = turn.parameters.get("retryAfter")
    status = turn.parameters["status"]
    await exchange.refuse(status, *_REFUSALS[status], {} if wait is None else {"Retry-After": str(wait)})


async def _delay(turn: Turn, pass_on: Pass, exchange: Exchange) -> None:
    """Pass it on, but later."""
    await sleep(SystemClock(), turn.parameters["seconds"])
    await pass_on(exchange)


async def _drop_before(_turn: Turn, _pass_on: Pass, exchange: Exchange) -> None:
    """Close the connection; the storage sees nothing of it."""
    await exchange.skip()
    raise Dropped


async def _drop_after(_turn: Turn, pass_on: Pass, exchange: Exchange) -> None:
    """Pass it on, and close the connection where the answer would have come."""
    exchange.mute = True
    await pass_on(exchange)
    raise Dropped


async def _cut(_turn: Turn, pass_on: Pass, exchange: Exchange) -> None:
    """Reset the connections in the middle of the body."""
    _edits(exchange).append(_first_half)
    await pass_on(exchange)


async def _damage(_turn: Turn, pass_on: Pass, exchange: Exchange) -> None:
    """Turn a bit in the middle of the body; sums of it that are in the headers stay as they are."""
    _edits(exchange).append(_with_one_bit_turned)
    await pass_on(exchange)


async def _slow(turn: Turn, pass_on: Pass, exchange: Exchange) -> None:
    """Let so many bytes a second pass, of a body in either direction."""
    edit = partial(_slowly, turn.parameters["bytesPerSecond"])
    exchange.up.append(edit)
    exchange.down.append(edit)
    await pass_on(exchange)


def _edits(exchange: Exchange) -> list[Callable[[Pieces, int | None], Pieces]]:
    """Give what is done to the body that an operation is about."""
    return exchange.up if exchange.operation in UPLOADS else exchange.down


async def _first_half(pieces: Pieces, length: int | None) -> Pieces:
    """Give half of the content, or of its first piece where its length is not told ahead."""
    left = None if length is None else length // 2
    async for data, counts in pieces:
        if counts:
            left = len(data) // 2 if left is None else left
            if len(data) > left:
                yield data[:left], True
                break
            left -= len(data)
        yield data, counts
    raise Cut


async def _with_one_bit_turned(pieces: Pieces, length: int | None) -> Pieces:
    """Change the byte in the middle of the content, or the first one where its length is not told ahead."""
    ahead = (length or 0) // 2
    async for data, counts in pieces:
        if counts and 0 <= ahead < len(data):
            yield data[:ahead] + bytes([data[ahead] ^ 1]) + data[ahead + 1 :], True
        else:
            yield data, counts
        ahead -= len(data) if counts else 0


async def _slowly(rate: int, pieces: Pieces, _length: int | None) -> Pieces:
    """Give the content in small parts, with pauses between them."""
    most = max(1, rate // _SOME_AT_ONCE)
    async for data, counts in pieces:
        for start in range(0, len(data), most):
            part = data[start : start + most]
            if counts:
                await sleep(SystemClock(), len(part) / rate)
            yield part, counts


_BODIES = UPLOADS | DOWNLOADS

KINDS: Mapping[str, Kind[Fault]] = {
    "refuse": Kind(_refuse, {"status": Field(one_of(*_REFUSALS), default=503), "retryAfter": RETRY_AFTER}),
    "delay": Kind(_delay, {"seconds": SECONDS}, goes_on=True),
    "dropBefore": Kind(_drop_before),
    "dropAfter": Kind(_drop_after),
    "cut": Kind(_cut, only=_BODIES),
    "damage": Kind(_damage, only=_BODIES),
    "slow": Kind(_slow, {"bytesPerSecond": Field(integer(1), required=True)}, _BODIES, goes_on=True),
}
