"""All requests to a service are paced together; what that comes to is seen in virtual time."""

import itertools
from functools import partial
from typing import TypeVar

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.errors import Refused, Unreachable
from fastbatch.sending.throttle import Rate, Room, Statistics, Throttle
from tests.limited import Client, Service
from tests.virtual_time import play, turns

T = TypeVar("T")

HEADERS = pytest.mark.parametrize("header", [None, 1.0], ids=["without Retry-After", "with Retry-After"])
NEVER = 1e9


@HEADERS
def test_a_limited_service_is_used_well_and_not_flooded(header: float | None) -> None:
    """At four fifths of what it allows at least, though each Retry-After stops everything for a second."""
    service = Service(50, header=header)

    seconds = play(Client(service.serve, 1000).run)

    assert 1000 / seconds >= 0.8 * 50
    assert len(service.taken) == 1000
    assert service.requests <= 1.05 * 1000


@HEADERS
@pytest.mark.parametrize("rate", [5, 500])
def test_other_limits_are_found_as_well(rate: float, header: float | None) -> None:
    """Of slow services and of fast ones."""
    service = Service(rate, burst=rate / 5 + 5, header=header)

    seconds = play(Client(service.serve, 20 * int(rate), senders=64).run)

    assert 20 / seconds >= 0.75
    assert service.requests <= 1.3 * 20 * rate


NEAR, FAR = (0.002, 0.006), (0.02, 0.1)


@pytest.mark.parametrize(
    ("rate", "burst", "latency", "share"),
    [
        (50, 5, FAR, 0.8),
        (50, 5, NEAR, 0.85),
        (50, 1, NEAR, 0.6),  # who is early by a moment is refused
        (500, 10, NEAR, 0.75),
        (500, 5, NEAR, 0.7),
    ],
)
def test_a_service_that_saves_up_little_is_used_well(
    rate: float, burst: float, latency: tuple[float, float], share: float
) -> None:
    """Though it refuses the first few, and nothing is known of its rate then."""
    service = Service(rate, burst=burst, latency=latency)

    seconds = play(Client(service.serve, 20 * int(rate), senders=64).run)

    assert 20 / seconds >= share
    assert service.requests <= 1.05 * 20 * rate


@pytest.mark.parametrize("senders", [4, 8, 32])
def test_an_unlimited_service_is_used_nearly_as_if_there_were_no_throttle(senders: int) -> None:
    """What it takes to see that more at once is no trouble costs less than a tenth."""
    service = Service(NEVER, burst=NEVER, latency=(0.05, 0.05))

    seconds = play(Client(service.serve, 1000, senders=senders).run)

    assert seconds <= 1.1 * 0.05 * 1000 / senders


@HEADERS
@pytest.mark.parametrize("later", [0, 10])
def test_two_clients_of_one_service_get_along(later: float, header: float | None) -> None:
    """The service is used well, and neither keeps the other out, though they do not know of each other."""
    service = Service(50, header=header)
    clients = [Client(service.serve, 1000, seed=seed) for seed in (1, 2)]
    shares: list[int] = []

    async def second() -> None:
        await anyio.sleep(later)
        await clients[1].run()

    async def watch() -> None:
        await anyio.sleep(later)
        before = [client.done for client in clients]
        await anyio.sleep(15)
        shares.extend(client.done - done for client, done in zip(clients, before, strict=True))

    async def scene() -> float:
        async with anyio.create_task_group() as group:
            group.start_soon(clients[0].run)
            group.start_soon(second)
            group.start_soon(watch)
        return anyio.current_time()

    seconds = play(scene)

    assert 2000 / seconds >= 0.7 * 50
    assert service.requests <= 1.05 * 2000
    assert min(shares) >= 0.25 * max(shares)


@HEADERS
def test_a_service_that_becomes_faster_is_noticed(header: float | None) -> None:
    """Within half a minute it is used four times as fast."""
    service = Service(50, header=header)
    client = Client(service.serve, 10_000, senders=32)

    async def scene() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(client.run)
            await anyio.sleep(20)
            service.rate = 200
            await anyio.sleep(30)
            group.cancel_scope.cancel()

    play(scene)

    assert sum(40 <= at < 50 for at in service.taken) >= 0.7 * 200 * 10


@HEADERS
def test_a_service_that_is_out_for_a_minute_is_asked_little_and_loses_nothing(header: float | None) -> None:
    """All is served in the end, without a herd at its beginning."""
    service = Service(0, burst=0, header=header)
    client = Client(service.serve, 500)

    async def scene() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(client.run)
            await anyio.sleep(60)
            assert service.requests <= 40
            service.rate, service.burst = 50, 10

    play(scene)

    assert len(service.taken) == client.done == 500


def busy(retry_after: float | None = None) -> Refused:
    """Make the error of a service that has too many requests."""
    return Refused("storage", "put a blob", 503, "ServerBusy", retry_after=retry_after)


async def send(throttle: Throttle, *, seconds: float = 0, error: Exception | None = None) -> float:
    """Send a request that takes some time and fails if there is an error; return when it started."""
    async with throttle.slot():
        started = anyio.current_time()
        await anyio.sleep(seconds)
        if error:
            raise error
    return started


async def meet(throttle: Throttle, error: Exception, *, seconds: float = 0) -> None:
    """Send a request that fails."""
    with pytest.raises(type(error)):
        await send(throttle, seconds=seconds, error=error)


def test_refusals_of_requests_that_were_on_their_way_together_count_once() -> None:
    """All four met the same full service: the room is halved once, and the rate is that after one refusal."""

    async def scene(requests: int) -> Statistics:
        throttle = Throttle(8, random=lambda: 0.0)
        async with anyio.create_task_group() as group:
            for number in range(requests):
                group.start_soon(partial(meet, throttle, busy(20), seconds=0.1 + number / 100))
        return throttle.statistics()

    one, four = play(partial(scene, 1)), play(partial(scene, 4))

    assert one.allowed == four.allowed == 2
    assert one.rate == four.rate


def test_the_pause_lasts_as_long_as_the_last_refusal_asks() -> None:
    """Though it counts as one with the first."""

    async def scene() -> float:
        throttle = Throttle(8, random=lambda: 0.0)
        async with anyio.create_task_group() as group:
            group.start_soon(partial(meet, throttle, busy(5), seconds=0.1))
            group.start_soon(partial(meet, throttle, busy(30), seconds=0.2))
            group.start_soon(partial(meet, throttle, busy(), seconds=0.3))
        return await send(throttle)

    assert play(scene) == pytest.approx(30.2)


def test_pauses_that_nobody_asked_for_double_until_a_request_is_accepted() -> None:
    """Then they begin anew; and however long the service is out, none is much longer than half a minute."""
    rate = Rate()

    def pause_after(now: float, *, accepted: bool = False) -> float:
        rate.start(now)
        if accepted:
            rate.accept(now, now + 0.1)
        rate.refuse(now, now + 0.2, 0.0, spread=0.0)
        return rate.wait(now + 0.2)

    pauses = [pause_after(100 * number) for number in range(2000)]

    assert pauses[:3] == pytest.approx([0.25, 0.5, 1.0])
    assert max(pauses) == pytest.approx(32)
    assert pause_after(NEVER, accepted=True) == pytest.approx(0.25)


def limited(rate: float) -> Rate:
    """Give the pacing of a service that lately took so many requests a second, and now refused one."""
    paced = Rate()
    for number in range(int(2 * rate)):
        paced.start(number / rate)
        paced.accept(number / rate, number / rate)
    paced.refuse(2.0, 2.0, 0.0, spread=0.0)
    return paced


@pytest.mark.parametrize("rate", [1, 20, 1000])
def test_a_rate_comes_back_soon_lingers_and_then_grows_fast(rate: float) -> None:
    """To twice and at least 50 more within half a minute, whether it was low or high."""
    paced = limited(rate)

    assert 0.75 * rate <= paced.at(2.5) < rate
    assert paced.at(7) >= 0.94 * rate
    assert paced.at(20) >= max(2 * rate, rate + 50)


def test_turns_that_nobody_took_are_not_saved_up() -> None:
    """After a minute without requests they come one by one all the same, but for what timers are late."""
    paced = limited(20)
    now = 7.0
    paced.start(now)

    assert paced.wait(now) == pytest.approx(1 / paced.at(now), abs=0.021)


def test_the_first_after_a_pause_come_one_by_one() -> None:
    """A herd would be refused again."""
    started: list[float] = []

    async def scene() -> None:
        throttle = Throttle(8, random=lambda: 0.0)

        async def sender() -> None:
            started.append(await send(throttle))

        await meet(throttle, busy(5), seconds=0.1)
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(sender)

    play(scene)

    assert started[0] == pytest.approx(5.1)
    assert all(later - earlier >= 0.5 for earlier, later in itertools.pairwise(started))


@pytest.mark.parametrize(
    ("error", "allowed", "limited"),
    [
        (busy(), 2, True),
        (Unreachable("storage", "put a blob", "timed out"), 2, False),
        (Refused("storage", "put a blob", 500, "OperationTimedOut"), 2, False),
        (Refused("storage", "put a blob", 409, "BlobAlreadyExists"), 4, False),
        (ValueError("ours"), 4, False),
    ],
    ids=str,
)
def test_how_a_request_went_is_told_by_its_error(error: Exception, allowed: int, *, limited: bool) -> None:
    """Only a refusal by load limits the rate; lateness makes room for fewer; an answer is an answer."""

    async def scene() -> Statistics:
        throttle = Throttle(8)
        await meet(throttle, error)
        return throttle.statistics()

    told = play(scene)

    assert told == Statistics(running=0, waiting=0, allowed=allowed, rate=told.rate)
    assert (told.rate < float("inf")) is limited


def test_an_answer_of_any_kind_makes_room_for_more() -> None:
    """A service that says no to one request can take others."""
    no = Refused("storage", "put a blob", 409, "BlobAlreadyExists")

    async def scene() -> int:
        throttle = Throttle(8)
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(partial(meet, throttle, no, seconds=0.1))
        return throttle.statistics().allowed

    assert play(scene) == 8


def test_turns_are_taken_in_order() -> None:
    """First come, first served."""
    order: list[int] = []

    async def scene() -> None:
        throttle = Throttle(1)

        async def sender(number: int) -> None:
            async with throttle.slot():
                order.append(number)
                await anyio.sleep(1)

        async with anyio.create_task_group() as group:
            for number in range(10):
                group.start_soon(sender, number)

    play(scene)

    assert order == list(range(10))


@pytest.mark.parametrize("cancelled", ["sending", "next for a place", "behind"])
def test_who_is_cancelled_gives_back_what_it_has(cancelled: str) -> None:
    """In each state: the place, the turn, or the place in the queue."""

    async def scene() -> None:
        throttle = Throttle(1)
        scopes = {name: anyio.CancelScope() for name in ("sending", "next for a place", "behind")}

        async def sender(name: str) -> None:
            with scopes[name]:
                await send(throttle, seconds=NEVER)

        async with anyio.create_task_group() as group:
            for name in scopes:
                group.start_soon(sender, name)
            await anyio.sleep(1)
            assert throttle.statistics()[:2] == (1, 2)
            scopes.pop(cancelled).cancel()
            await anyio.sleep(1)
            assert throttle.statistics()[:2] == (1, 1)
            for scope in scopes.values():
                scope.cancel()
                await anyio.sleep(1)
            assert throttle.statistics()[:2] == (0, 0)
            with anyio.fail_after(1):
                await send(throttle)

    play(scene)


def test_who_is_cancelled_in_a_pause_lets_the_next_go_on_time() -> None:
    """The pause is everybody's."""

    async def scene() -> float:
        throttle = Throttle(1, random=lambda: 0.0)
        await meet(throttle, busy(10))
        async with anyio.create_task_group() as group:
            group.start_soon(send, throttle)
            await anyio.sleep(3)
            assert throttle.statistics()[:2] == (0, 1)
            group.cancel_scope.cancel()
        assert throttle.statistics()[:2] == (0, 0)
        return await send(throttle)

    assert play(scene) == pytest.approx(10)


def test_waiting_costs_nothing() -> None:
    """A hundred who wait out a pause look at the clock a few times, not all the time."""

    async def scene() -> int:
        throttle = Throttle(1, random=lambda: 0.0)
        await meet(throttle, busy(200))
        async with anyio.create_task_group() as group:
            for _ in range(100):
                group.start_soon(partial(send, throttle, seconds=NEVER))
            await anyio.sleep(1)
            before = turns()
            await anyio.sleep(250)
            assert throttle.statistics()[:2] == (1, 99)
            group.cancel_scope.cancel()
        return turns() - before

    assert play(scene) <= 20


@given(st.lists(st.tuples(st.floats(0, 3), st.sampled_from(["start", "accept", "refuse"]), st.floats(0, 20))))
def test_no_request_starts_before_a_pause_is_over_and_a_refusal_never_makes_faster(
    events: list[tuple[float, str, float]],
) -> None:
    """Nor does anything stop the rate for good."""
    rate, now, over = Rate(), 0.0, 0.0
    rate.start(now)
    for seconds, event, pause in events:
        now += seconds
        before = rate.at(now)
        if event == "start" and not rate.wait(now):
            assert now >= over - 0.002
            rate.start(now)
        elif event == "accept":
            rate.accept(now - 0.05, now)
        elif event == "refuse":
            rate.refuse(now - 0.05, now, pause, spread=0.5)
            over = max(over, now + pause)
            assert rate.at(now) <= max(before, 0.5)
            assert before == float("inf") or rate.at(now) >= 0.4 * before
        assert rate.at(now) >= 0.4
        assert rate.wait(now) <= 10 * 30


@given(st.integers(1, 20), st.lists(st.sampled_from(["take", "free", "grow", "shrink"])))
def test_there_is_always_room_for_one_and_never_for_more_than_most(most: int, events: list[str]) -> None:
    """Whatever happens."""
    room = Room(most)
    for now, event in enumerate(events):
        if event == "take":
            full = room.running >= room.size
            assert room.take() is not full
        elif event == "free" and room.running:
            room.free()
        elif event == "grow":
            room.grow()
        elif event == "shrink":
            room.shrink(now - 0.5, now)
        assert 1 <= room.size <= most
        assert 0 <= room.running <= most
