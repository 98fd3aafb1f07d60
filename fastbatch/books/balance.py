"""Whether the books of a run balance: planned = done + failed + not yet done, by name."""

from collections.abc import Collection, Mapping

from fastbatch.books.standing import Standing, State
from fastbatch.errors import Imbalance
from fastbatch.model import Books, Plan, shown

_NAMED = 20


def check_bytes(done: int, counted: int) -> None:
    """See that all bytes of the inputs that are done were counted, once each. Raises Imbalance."""
    if done != counted:
        raise Imbalance(
            f"The books do not balance: the inputs that are done have {done} bytes; {counted} were counted."
        )


def check(plan: Plan, standings: Mapping[str, Standing], failed: Collection[str], books: Books) -> None:
    """Count anew where every input is, by where the bundles stand. Raises Imbalance, with what does not fit."""
    done, still = set[str](), set[str]()
    for bundle in plan.bundles:
        standing = standings[bundle.id]
        names = {item.name for item in bundle.items} - standing.lost.keys()
        if standing.state is State.DONE:
            done |= names
        elif standing.state is not State.FAILED:
            still |= names
    done -= still  # slices of an input that has others
    done.difference_update(failed)
    still.difference_update(failed)
    planned = {item.name for item in plan.items}
    nowhere = planned - done - still - set(failed)
    strange = set(failed) - planned
    found = Books(len(planned), len(done), len(failed))
    if nowhere or strange or found != books:
        named = ", ".join(sorted(map(shown, [*nowhere, *strange]))[:_NAMED])
        raise Imbalance(
            f"The books do not balance: {books.planned} planned, {books.done} done, {books.failed} failed, "
            f"{books.open} open by counting on; {found.planned}, {found.done}, {found.failed}, {found.open} by where "
            f"they are. Nowhere: {named or 'none'}."
        )
