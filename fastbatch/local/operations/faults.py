"""The fault plan, in force until it is changed or the service ends: operations of this service's own, none of Batch."""

from fastbatch.local.operations.call import Answer, Call


def show(call: Call) -> Answer:
    """Show the plan, and how often each of its rules was tried and applied."""
    return Answer(body=call.core.faults.shown())


def replace(call: Call) -> Answer:
    """Begin anew with another plan."""
    call.core.faults.replace(call.body["seed"], call.body["rules"])
    return show(call)


def append(call: Call) -> Answer:
    """Add rules after those that there are."""
    call.core.faults.append(call.body["rules"])
    return show(call)


def clear(call: Call) -> Answer:
    """Let nothing go wrong any more."""
    call.core.faults.clear()
    return show(call)
