"""The service's own operations, which Batch has not: what there is, what time it is, its limits, and a fresh start."""

import dataclasses
import json

from fastbatch.local import wire
from fastbatch.local.clock import Setting
from fastbatch.local.errors import Refused
from fastbatch.local.operations.call import Answer, Call
from fastbatch.local.records import Job, Node, Pool, Task
from fastbatch.local.store import Store

_CLOCK = "clock"
_LIMITS = {
    "nodeBootSeconds": "node_boot_seconds",
    "nodeQuota": "node_quota",
    "poolQuota": "pool_quota",
    "activeJobQuota": "active_job_quota",
}


def status(call: Call) -> Answer:
    """Tell what there is, counted by state."""
    store = call.core.store
    return Answer(
        body={
            "pools": dict(store.tally(Pool, "state")),
            "nodes": dict(store.tally(Node, "state")),
            "jobs": dict(store.tally(Job, "state")),
            "tasks": dict(store.tally(Task, "state")),
        }
    )


def clock(call: Call) -> Answer:
    """Tell the service's time, and whether it stands still."""
    turned = call.core.clock
    return Answer(
        body={"now": wire.time_text(turned.shown()), "frozen": turned.setting.stopped_at is not None},
    )


async def turn_clock(call: Call) -> Answer:
    """Stop the clock or let it go on, and put it forward; answer when all that was due on the way has been begun."""
    turned = call.core.clock
    duration = wire.parse_duration(call.body.get("advance", "PT0S"))
    async with turned.turning:
        if turned.shown() + duration > wire.LAST_TIME:
            raise Refused("OutOfRangeInput", "The clock goes to the year 9999 only.", {"PropertyName": "advance"})
        if call.body.get("frozen") is True:
            turned.stop()
        for _ in turned.advance(duration):
            await call.core.settled()
        if call.body.get("frozen") is False:
            turned.go()
        call.core.store.note(_CLOCK, json.dumps(dataclasses.asdict(turned.setting)))
    return clock(call)


def clock_setting(store: Store) -> Setting:
    """Give how the clock was turned before the service was stopped."""
    return Setting(**json.loads(store.noted(_CLOCK) or "{}"))


def limits(call: Call) -> Answer:
    """Tell how fast nodes boot, and what the account may have."""
    return Answer(body={wire_name: getattr(call.core.limits, name) for wire_name, name in _LIMITS.items()})


def set_limits(call: Call) -> Answer:
    """Change that, until the service forgets everything or is stopped."""
    changes = {_LIMITS[wire_name]: value for wire_name, value in call.body.items()}
    call.core.limits = dataclasses.replace(call.core.limits, **changes)
    return limits(call)


async def reset(call: Call) -> Answer:
    """Forget pools, jobs, tasks, faults, and how clock and limits were set; answer when nothing of it runs any more."""
    async with call.core.clock.turning:
        await call.core.start_anew()
    return Answer(204)
