"""What happens to nodes and nobody asks for, but a test: this service's own operations, not ones of Batch."""

from collections.abc import Callable

from fastbatch.local.operations import nodes
from fastbatch.local.operations.call import Answer, Call, accepted
from fastbatch.local.records import Node
from fastbatch.local.service import losing
from fastbatch.local.service.core import Core


def lose(call: Call) -> Answer:
    """Lose the contact to a node: its tasks run elsewhere, and their processes go on."""
    return _befall(call, losing.lose)


def preempt(call: Call) -> Answer:
    """Take a low-priority node away, with what runs there and its files."""
    return _befall(call, losing.preempt)


def bring_back(call: Call) -> Answer:
    """Have a node again that was lost or taken away."""
    return _befall(call, losing.bring_back)


def _befall(call: Call, mishap: Callable[[Core, Node], None]) -> Answer:
    _, node = nodes.find(call)
    mishap(call.core, node)
    return accepted(call)
