"""Doing things side by side, with the errors of all as the one that matters."""

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence

import anyio

from fastbatch.errors import FastbatchError


@contextlib.contextmanager
def unwrapped() -> Iterator[None]:
    """Raise the error that matters most of a group: one that we do not know, or else our first one."""
    try:
        yield
    except BaseExceptionGroup as group:
        leaves = list(_leaves(group))
        strange = [leaf for leaf in leaves if not isinstance(leaf, FastbatchError)]
        first = (strange or leaves)[0]
        raise first from first.__cause__


async def together(calls: Sequence[Callable[[], Awaitable[object]]]) -> None:
    """Do things side by side; if one fails, end the others and raise its error."""

    async def one(call: Callable[[], Awaitable[object]]) -> None:
        await call()

    with unwrapped():
        async with anyio.create_task_group() as group:
            for call in calls:
                group.start_soon(one, call)


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
