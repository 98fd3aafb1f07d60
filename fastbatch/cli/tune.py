"""`fastbatch tune`: measured runs by number of nodes, and which number to take."""

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click

from fastbatch.bounds import SETTINGS
from fastbatch.cli.exits import boundary
from fastbatch.cli.options import account_options, options_of_display, setting_options

if TYPE_CHECKING:
    from fastbatch.cli.tuning.asked import Asked

# Measuring has numbers of nodes of its own, and leaves nothing of its runs.
_NOT_SET = frozenset({"nodes", "output", "per_file", "keep_data", "keep_pool", "delete_pool"})
_SET = tuple(name for name in SETTINGS if name not in _NOT_SET)


@click.command(short_help="Measure runs by number of nodes; say how many to take.")
@click.argument("inputs", nargs=-1, metavar="INPUT...", type=click.Path())
@click.option("--nodes", metavar="LIST", help="The numbers of nodes to measure.  [default: 1,2,4]")
@click.option("--repeat", metavar="N", help="Runs on each number of nodes.  [default: 3]")
@click.option("--sample", metavar="SHARE", help="Run a part of the work, such as 0.1 or 10%.  [default: all of it]")
@click.option("--price-per-node-hour", metavar="PRICE", help="Show what runs cost.  [default: node-hours are shown]")
@click.option("--simulate", metavar="LIST", help="Foretell the whole work on other numbers of nodes: 1..1000, 16,32.")
@click.option("--scheduling-latency", metavar="RANGE", help="Simulate that a task starts so late: 2s..5s.")
@click.option("--boot-time", metavar="DURATION", help="Simulate that new nodes take so long: 4m.")
@click.option("--request-rate", metavar="N", help="Simulate a service that takes so many requests a second.")
@click.option("--from", "saved", metavar="FILE", help="Without INPUT: say what saved measurements tell.")
@click.option("--output", metavar="DIR", help="Write measurements, findings and a picture there.")
@click.option("--dry-run", is_flag=True, help="Show how much would be run, and do nothing.")
@account_options
@setting_options(*_SET)
@options_of_display("tune.completed")
def tune(**given: Any) -> None:
    """
    Run the same work on more and on fewer nodes, and say how many are worth having.

    One pool is resized step by step, and left as it was found. Each run's tasks are told apart by stage, a curve is
    fitted to the times, and a simulation of the tasks foretells what is out of reach. What is measured is kept at once,
    also if this is broken off.

    \b
    Examples:
      fastbatch tune --local corpus --nodes 1,2,3,4     try it on this machine
      fastbatch tune corpus --nodes 1,2,4,8 --sample 0.1 --price-per-node-hour 0.096 --output tuned
      fastbatch tune corpus --nodes 1,2,4 --dry-run     see how much would be run
      fastbatch tune --from tuned/measurements.json --simulate 1..1000 --scheduling-latency 2s..5s
      fastbatch tune --from bench.json                  what pytest bench -m scale --benchmark-json=bench.json took

    \b
    Exit codes:
      0 all is measured    1 some number of nodes has no run that went well; the others are shown
      2 wrong usage or configuration; nothing was created    3 a service refused or is out of reach
      130, 143, 129 ended by a signal; what was measured is kept and shown
    """
    with boundary():
        from fastbatch.cli.tuning.asked import Asked
        from fastbatch.cli.tuning.wanted import Texts

        flags = {name: given.pop(name) for name in _SET}
        texts = Texts(**{each.name: given.pop(each.name) for each in fields(Texts)})
        _tune(Asked(**given, flags=flags, texts=texts))


def _tune(asked: "Asked") -> None:
    from fastbatch.cli.tuning.asked import prepared, recalled
    from fastbatch.cli.tuning.plan import show

    if asked.saved is not None:
        wanted, measurements, notices = recalled(asked, asked.saved)
        from fastbatch.cli.tuning import conducting

        conducting.from_measurements(asked, wanted, measurements, notices)
        return
    ready = prepared(asked)
    if asked.dry_run:
        show(ready, as_json=asked.json)
        return
    from fastbatch.cli.tuning import conducting

    conducting.from_runs(asked, ready)
