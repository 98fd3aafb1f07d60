"""
One scenario for all clients: each operation of the API, in an order that makes sense, on things that are there.

It runs in whatever Python the client needs, so it knows nothing but the standard library.
"""

from tests.clients.playing import Player
from tests.clients.scenario import account, files, jobs, nodes, pools, schedules, tasks

_ACTS = (
    account.look,
    pools.make,
    nodes.look,
    nodes.change,
    jobs.make,
    tasks.make,
    files.of_tasks,
    tasks.change,
    files.of_nodes,
    pools.stop_a_resize,
    jobs.end,
    schedules.play,
    account.certificates,
    pools.end,
)


def play(player: Player, name: str) -> dict[str, str]:
    """Try every operation, on things whose names begin with this one, and give what became of each."""
    for act in _ACTS:
        player.acts(act, name)
    return player.report()
