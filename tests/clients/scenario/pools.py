"""Pools: made, seen, changed, resized, and gone."""

from collections.abc import Callable
from typing import Any

from tests.clients.playing import Player

_START_TASK = {"commandLine": "/bin/sh -c 'echo started; echo more > gone.txt'", "waitForSuccess": True}


def _body(pool: str) -> dict[str, Any]:
    return {
        "id": pool,
        "vmSize": "STANDARD_D2S_V3",
        "virtualMachineConfiguration": {
            "imageReference": {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"},
            "nodeAgentSKUId": "batch.node.ubuntu 24.04",
        },
        "targetDedicatedNodes": 1,
        "taskSlotsPerNode": 2,
        "startTask": _START_TASK,
    }


def make(player: Player, pool: str) -> None:
    """Make a pool, look at it in every way, change it, and have two nodes in the end."""
    player.tries("create_pool", body=_body(pool), seen=lambda _: states_of_nodes(player, pool) == ["idle"])
    player.tries("create_pool", body=_body(pool), refused_with="PoolExists")
    _look(player, pool)
    _change(player, pool)
    _scale(player, pool)
    player.tries(
        "begin_resize_pool",
        pool,
        body={"targetDedicatedNodes": 2},
        seen=lambda _: states_of_nodes(player, pool) == ["idle", "idle"],
    )


def _look(player: Player, pool: str) -> None:
    player.tries("pool_exists", pool, seen=lambda exists: exists is True)
    player.tries("pool_exists", f"{pool}-none", seen=lambda exists: exists is False)
    player.tries("get_pool", pool, seen=lambda shown: (shown["state"], shown["taskSlotsPerNode"]) == ("active", 2))
    player.tries(
        "get_pool", pool, select=["id", "vmSize"], seen=lambda shown: "state" not in shown and "vmSize" in shown
    )
    player.tries("get_pool", f"{pool}-none", refused_with="PoolNotFound")
    wanted = f"startswith(id,'{pool}') and state eq 'active'"
    player.tries(
        "list_pools",
        filter=wanted,
        select=["id", "state"],
        seen=lambda pools: pools == [{"id": pool, "state": "active"}],
    )
    player.tries("list_pools", max_results=1, seen=lambda pools: pool in {each["id"] for each in pools})
    player.tries(
        "list_pool_node_counts",
        filter=f"poolId eq '{pool}'",
        seen=lambda counts: [(each["poolId"], each["dedicated"]["idle"]) for each in counts] == [(pool, 1)],
    )


def _change(player: Player, pool: str) -> None:
    def has(colour: str) -> Callable[[Any], bool]:
        return lambda _: player.ask("get_pool", pool)["metadata"] == [{"name": "colour", "value": colour}]

    player.tries("update_pool", pool, body={"metadata": [{"name": "colour", "value": "red"}]}, seen=has("red"))
    player.tries("update_pool", pool, body={"metadata": []}, if_match="0x0", refused_with="ConditionNotMet")
    player.tries(
        "replace_pool_properties",
        pool,
        body={
            "startTask": _START_TASK,
            "applicationPackageReferences": [],
            "certificateReferences": [],
            "metadata": [{"name": "colour", "value": "blue"}],
        },
        seen=has("blue"),
    )


def _scale(player: Player, pool: str) -> None:
    formula = {"autoScaleFormula": "$TargetDedicatedNodes = 1;"}
    player.tries(
        "enable_pool_auto_scale", pool, body=formula, seen=lambda _: player.ask("get_pool", pool)["enableAutoScale"]
    )
    player.tries(
        "evaluate_pool_auto_scale", pool, body=formula, seen=lambda run: "$TargetDedicatedNodes=1" in run["results"]
    )
    player.tries("disable_pool_auto_scale", pool, seen=lambda _: not player.ask("get_pool", pool)["enableAutoScale"])


def states_of_nodes(player: Player, pool: str) -> list[str]:
    """Give the state of each node of a pool."""
    return [node["state"] for node in player.ask("list_nodes", pool)]


def stop_a_resize(player: Player, pool: str) -> None:
    """Stop the resize of a pool that waits for a task to end; its node stays."""
    player.ask("create_task", pool, body={"id": "holds", "commandLine": "sleep 100"})
    player.until(lambda: states_of_nodes(player, pool) == ["running"])
    down = {"targetDedicatedNodes": 0, "nodeDeallocationOption": "taskcompletion"}
    player.ask("begin_resize_pool", pool, body=down, wait=False)
    player.tries(
        "begin_stop_pool_resize",
        pool,
        seen=lambda _: (
            player.ask("get_pool", pool)["allocationState"] == "steady" and len(states_of_nodes(player, pool)) == 1
        ),
    )


def end(player: Player, pool: str) -> None:
    """Let the pool go."""
    player.tries("begin_delete_pool", pool, seen=lambda _: player.gone("get_pool", pool))
