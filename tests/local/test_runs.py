"""Runs: begun, stopped and ended, each once."""

import asyncio

from fastbatch.local.records import Node
from fastbatch.local.service.runs import Run, Runs
from fastbatch.local.states.outcomes import OUT_OF_TIME, Outcome

NODE = Node(key=1, pool=1, id="n", dedicated=True, allocated=0, state="idle", state_time=0)


def test_a_run_whose_time_is_just_over_can_be_stopped() -> None:
    """It does not begin with what comes after, though it is being cancelled already as it is stopped."""

    async def play() -> None:
        concluded: list[tuple[Run, Outcome | None]] = []
        runs, run = Runs(lambda *each: concluded.append(each)), Run(NODE)
        ending, ended = asyncio.Event(), asyncio.Event()

        async def running() -> Outcome:
            try:
                async with asyncio.timeout(0):
                    try:
                        await asyncio.sleep(60)
                    finally:
                        ending.set()
                        await ended.wait()
            except TimeoutError:
                await asyncio.sleep(60)  # for files that are uploaded, say
            return Outcome(None, OUT_OF_TIME)

        runs.reserve(run)
        runs.begin(run, running())
        await ending.wait()
        run.stop()
        ended.set()
        await asyncio.wait_for(runs.ended(run), 2)
        assert concluded == [(run, None)]

    asyncio.run(play())
