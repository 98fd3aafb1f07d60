"""Nodes: seen, kept from tasks, started anew, and taken out of their pool."""

from collections.abc import Callable
from typing import Any

from tests.clients.playing import Player
from tests.clients.scenario.pools import states_of_nodes


def look(player: Player, pool: str) -> None:
    """Look at nodes, and at all that is on them but files."""
    wanted = "state eq 'idle'"
    player.tries("list_nodes", pool, filter=wanted, select=["id"], seen=lambda nodes: [*map(len, nodes)] == [1, 1])
    player.tries("list_nodes", pool, max_results=1, seen=lambda nodes: len(nodes) == 2)
    node = player.ask("list_nodes", pool)[0]["id"]
    player.tries("get_node", pool, node, seen=lambda shown: shown["startTaskInfo"]["result"] == "success")
    player.tries("get_node", pool, "none", refused_with="NodeNotFound")
    player.tries("list_node_extensions", pool, node, seen=lambda extensions: extensions == [])
    player.tries("get_node_extension", pool, node, "none", refused_with="ExtensionNotFound")
    player.tries("get_node_remote_login_settings", pool, node, seen=lambda login: login["remoteLoginPort"])
    player.tries("get_node_remote_desktop_file", pool, node, seen=lambda content: b"full address" in content)
    player.tries("create_node_user", pool, node, body={"name": "ann", "password": "Not-a-secret-1"})
    player.tries("replace_node_user", pool, node, "ann", body={"password": "Not-a-secret-2"})
    player.tries("delete_node_user", pool, node, "ann")
    logs = {"containerUrl": "https://account.blob.core.windows.net/logs?sig=x", "startTime": "2026-01-01T00:00:00Z"}
    player.tries("upload_node_logs", pool, node, body=logs, seen=lambda upload: upload["numberOfFilesUploaded"] >= 0)


def change(player: Player, pool: str) -> None:
    """Change a node in every way, and go on with only one."""
    node = player.ask("list_nodes", pool)[0]["id"]

    def is_now(name: str, value: str) -> Callable[[Any], bool]:
        return lambda _: player.ask("get_node", pool, node)[name] == value

    def booted_again() -> Callable[[Any], bool]:
        before = player.ask("get_node", pool, node)["lastBootTime"]

        def holds(_: Any) -> bool:
            shown = player.ask("get_node", pool, node)
            return bool(shown["state"] == "idle" and shown["lastBootTime"] > before)

        return holds

    player.tries(
        "disable_node_scheduling",
        pool,
        node,
        body={"nodeDisableSchedulingOption": "requeue"},
        seen=is_now("schedulingState", "disabled"),
    )
    player.tries("enable_node_scheduling", pool, node, seen=is_now("schedulingState", "enabled"))
    player.tries("begin_reboot_node", pool, node, body={"nodeRebootOption": "requeue"}, seen=booted_again())
    player.tries("begin_reimage_node", pool, node, body={"nodeReimageOption": "requeue"}, seen=booted_again())
    player.tries(
        "begin_deallocate_node",
        pool,
        node,
        body={"nodeDeallocateOption": "requeue"},
        seen=is_now("state", "deallocated"),
    )
    player.tries("begin_start_node", pool, node, seen=is_now("state", "idle"))
    player.tries(
        "begin_remove_nodes",
        pool,
        body={"nodeList": [node]},
        seen=lambda _: player.gone("get_node", pool, node) and states_of_nodes(player, pool) == ["idle"],
    )
