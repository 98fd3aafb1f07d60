"""How preparations and releases look on the wire, by the nodes that they were done on."""

from typing import Any

from fastbatch.local.records import Errand
from fastbatch.local.views.addresses import folder, url_of_its_node
from fastbatch.local.views.showing import Context, View, execution


def _release_info(_: Errand, context: Context) -> dict[str, Any] | None:
    if context.release is None:
        return None
    info = {**execution(context.release.info), **folder(context.release, context)}
    return {name: value for name, value in info.items() if name != "retryCount"}  # nothing is retried then


PREPARATION_AND_RELEASE: View[Errand] = {
    "poolId": lambda errand, _: errand.pool_id,
    "nodeId": lambda errand, _: errand.node_id,
    "nodeUrl": url_of_its_node,
    "jobPreparationTaskExecutionInfo": lambda errand, context: {**execution(errand.info), **folder(errand, context)},
    "jobReleaseTaskExecutionInfo": _release_info,
}
