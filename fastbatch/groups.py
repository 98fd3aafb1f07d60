"""Errors that come out of task groups, one at a time."""

import contextlib
from collections.abc import Iterator

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


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
