"""Bytes are held within bounds, first come, first served."""

from collections.abc import Awaitable, Callable

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.budget import ByteBudget

TOTAL = 10


class Holders:
    """Tasks that each want bytes of one budget, hold them until told to release, and may be cancelled."""

    def __init__(self, budget: ByteBudget, group: anyio.abc.TaskGroup) -> None:
        self.budget = budget
        self.group = group
        self.served: list[int] = []
        self.wanted: list[int] = []
        self._leave: list[anyio.Event] = []
        self._scopes: list[anyio.CancelScope] = []

    def want(self, n: int) -> None:
        """Start a task that wants bytes."""
        self.wanted.append(n)
        self._leave.append(anyio.Event())
        self._scopes.append(anyio.CancelScope())
        self.group.start_soon(self._hold, len(self.wanted) - 1)

    def release(self, holder: int) -> None:
        """Let a task give back what it holds, as soon as it does."""
        self._leave[holder].set()

    def cancel(self, holder: int) -> None:
        """Cancel a task, whatever it does."""
        self._scopes[holder].cancel()

    async def _hold(self, holder: int) -> None:
        with self._scopes[holder]:
            async with self.budget.hold(self.wanted[holder]):
                self.served.append(holder)
                await self._leave[holder].wait()


def with_holders(scene: Callable[[ByteBudget, Holders], Awaitable[None]]) -> None:
    """Play a scene with a budget of ten bytes, and end whoever is left."""

    async def play_scene() -> None:
        budget = ByteBudget(TOTAL)
        async with anyio.create_task_group() as group:
            await scene(budget, Holders(budget, group))
            group.cancel_scope.cancel()
        assert budget.held == 0

    anyio.run(play_scene)


async def settle() -> None:
    """Let every task go on as far as it can."""
    for _ in range(100):
        await anyio.lowlevel.checkpoint()


def test_bytes_are_held_until_they_are_released() -> None:
    """The peak is remembered."""

    async def scene() -> None:
        budget = ByteBudget(TOTAL)
        async with budget.hold(4), budget.hold(3):
            assert budget.held == 7
        assert (budget.held, budget.peak) == (0, 7)

    anyio.run(scene)


def test_bytes_pass_from_one_stage_to_another() -> None:
    """Part by part, if need be."""

    async def scene() -> None:
        budget = ByteBudget(TOTAL)
        assert await budget.acquire(8) == 8
        budget.release(5)
        assert budget.held == 3
        budget.release(3)
        assert budget.held == 0

    anyio.run(scene)


def test_what_is_more_than_there_is_goes_alone() -> None:
    """It does not wait for ever, and nothing goes beside it."""

    async def scene(budget: ByteBudget, holders: Holders) -> None:
        holders.want(1)
        holders.want(1000)
        holders.want(1)
        await settle()
        assert holders.served == [0]

        holders.release(0)
        await settle()
        assert (holders.served, budget.held) == ([0, 1], TOTAL)

        holders.release(1)
        await settle()
        assert (holders.served, budget.held) == ([0, 1, 2], 1)

    with_holders(scene)


def test_a_large_share_is_not_starved_by_small_ones() -> None:
    """They wait behind it, though there is room for them."""

    async def scene(_: ByteBudget, holders: Holders) -> None:
        for n in (6, 8, 1, 1):
            holders.want(n)
        await settle()
        assert holders.served == [0]

        holders.release(0)
        await settle()
        assert holders.served == [0, 1, 2, 3]

    with_holders(scene)


@pytest.mark.parametrize("waiter", [1, 2], ids=["who is next", "one behind"])
def test_who_is_cancelled_while_waiting_takes_nothing_and_lets_the_next_go(waiter: int) -> None:
    """At once, if there is room."""

    async def scene(budget: ByteBudget, holders: Holders) -> None:
        for n in (6, 8, 8, 4):
            holders.want(n)
        await settle()
        holders.cancel(waiter)
        await settle()
        assert (holders.served, budget.held) == ([0], 6)

        holders.cancel(3 - waiter)
        await settle()
        assert (holders.served, budget.held) == ([0, 3], 10)

    with_holders(scene)


def test_who_is_cancelled_while_holding_gives_back() -> None:
    """A context that is left is left whole."""

    async def scene(budget: ByteBudget, holders: Holders) -> None:
        holders.want(6)
        await settle()
        holders.cancel(0)
        await settle()
        assert budget.held == 0

    with_holders(scene)


def test_more_than_is_held_cant_be_released() -> None:
    """It would be lent to others though nobody gave it."""

    async def scene() -> None:
        budget = ByteBudget(TOTAL)
        await budget.acquire(3)
        with pytest.raises(ValueError, match="4 bytes can't be released, 3 are held"):
            budget.release(4)
        with pytest.raises(ValueError, match="-1 bytes can't be released"):
            budget.release(-1)
        with pytest.raises(ValueError, match="can't hold -1 bytes"):
            await budget.acquire(-1)
        assert budget.held == 3

    anyio.run(scene)


WANT = st.tuples(st.just("want"), st.integers(0, TOTAL + 5))
END = st.tuples(st.sampled_from(["release", "cancel"]), st.integers(0, 30))
SETTLE = st.tuples(st.just("settle"), st.just(0))


@given(st.lists(WANT | END | SETTLE, max_size=30))
def test_no_order_of_events_exceeds_the_total_or_loses_bytes(events: list[tuple[str, int]]) -> None:
    """And whoever is not cancelled is served, in order, when those before have released."""

    async def scene(budget: ByteBudget, holders: Holders) -> None:
        cancelled = set()
        for event, n in events:
            if event == "want":
                holders.want(n)
            elif event == "settle":
                await settle()
            elif holders.wanted:
                holder = n % len(holders.wanted)
                getattr(holders, event)(holder)
                cancelled |= {holder} if event == "cancel" else set()
            assert 0 <= budget.held <= budget.peak <= TOTAL
        for holder in range(len(holders.wanted)):
            holders.release(holder)
        await settle()
        assert holders.served == sorted(holders.served)
        assert set(holders.served) >= set(range(len(holders.wanted))) - cancelled
        assert budget.held == 0

    with_holders(scene)
