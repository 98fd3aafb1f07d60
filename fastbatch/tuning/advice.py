"""Which number of nodes to take, of those that were measured, and why."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fastbatch.tuning.findings import Choice
from fastbatch.tuning.times import Times
from fastbatch.tuning.wording import listed, longer, percent

ENOUGH = 0.1  # of the time: a step that gains less is not worth it
_STEP = 2  # times as many nodes are the next step of forecasts: with a few more, no slot may have a task less to do
_THE_SAME = 0.001  # what differs by a smaller share
_SHOWN_AS_NOTHING = 0.005
_NOTHING_ELSE = "Nothing else was measured"


@dataclass(frozen=True, slots=True)
class Advice:
    """What to take for what purpose."""

    fastest: Choice
    cheapest: Choice
    knee: Choice


def advised(times: Times, price: float | None = None) -> Advice | None:
    """Choose among the counts that were measured, with the price of a node-hour; None where none was measured."""
    counts = list(times.values)
    if not counts:
        return None
    fastest = _least(counts, times.values.__getitem__, or_else=counts.index)
    cheapest = _least(counts, times.node_seconds, or_else=times.values.__getitem__)
    knee = bend(times)
    return Advice(
        fastest=_choice(times, fastest, price, _why_fastest(times, fastest)),
        cheapest=_choice(times, cheapest, price, _why_cheapest(times, cheapest, fastest)),
        knee=_choice(times, knee, price, _why_knee(times, knee)),
    )


def enough(forecast: Mapping[int, float], price: float | None = None) -> Choice | None:
    """Choose among counts whose times are foretold, as among those that were measured: the knee; None below two."""
    steps = dict[int, float]()
    for nodes, seconds in sorted(forecast.items()):
        if not steps or nodes >= _STEP * max(steps):
            steps[nodes] = seconds
    if not [*steps][1:]:
        return None
    times = Times(steps, (), by_curve=False)
    knee = bend(times)
    return _choice(times, knee, price, _why_knee(times, knee))


def bend(times: Times) -> int:
    """Give the first count from which the next one gains less than a tenth; the last one, if every step gains more."""
    steps = times.steps()
    return next((fewer for fewer, more in steps if times.gain(fewer, more).value < ENOUGH), [*times.values][-1])


def node_hours(nodes: int, seconds: float) -> float:
    """Give the hours of all nodes together."""
    return nodes * seconds / 3600


def cost(hours: float, price: float | None) -> float | None:
    """Give what node-hours cost, where the price of one is known."""
    return None if price is None else hours * price


def _least(counts: Sequence[int], value: Callable[[int], float], or_else: Callable[[int], float]) -> int:
    """Choose the count with the least value; of several that have the same, by something else."""
    least = min(map(value, counts))
    return min((nodes for nodes in counts if value(nodes) <= least * (1 + _THE_SAME)), key=or_else)


def _choice(times: Times, nodes: int, price: float | None, reason: str) -> Choice:
    hours = node_hours(nodes, times.values[nodes])
    return Choice(nodes, times.estimate(nodes), hours, cost(hours, price), reason)


def _why_fastest(times: Times, nodes: int) -> str:
    first, *more = times.values
    if not more:
        return f"{_NOTHING_ELSE}."
    if nodes == first:
        return f"More nodes than {first} gain nothing."
    return f"{listed([nodes])} take {percent(times.gain(first, nodes).value)} less time than {first}."


def _why_cheapest(times: Times, nodes: int, fastest: int) -> str:
    if len(times.values) == 1:
        return f"{_NOTHING_ELSE}."
    if nodes == fastest:
        return "No other count takes fewer node-hours, and none is faster."
    saved = 1 - times.node_seconds(nodes) / times.node_seconds(fastest)
    slower = times.values[nodes] / times.values[fastest] - 1
    takes = "takes" if nodes == 1 else "take"
    return (
        f"{listed([nodes])} {takes} {percent(saved)} fewer node-hours than {fastest}, the fastest, "
        f"but {longer(slower)}."
    )


def _why_knee(times: Times, nodes: int) -> str:
    following = next((more for fewer, more in times.steps() if fewer == nodes), None)
    if following is not None:
        return f"{listed([following])} {_gains(times, nodes, following)}, and {_costs(times, nodes, following)}."
    if len(times.values) == 1:
        return f"{_NOTHING_ELSE}; more nodes may help, or fewer be enough."
    return f"Each step up to {listed([nodes])} gains a tenth of the time or more; more nodes may still help."


def _gains(times: Times, fewer: int, more: int) -> str:
    gain = times.gain(fewer, more).value
    if abs(gain) < _SHOWN_AS_NOTHING:
        return f"gain nothing over {fewer}"
    if gain < 0:
        return f"take {percent(-gain)} longer than {fewer}"
    return f"gain only {percent(gain)} over {fewer}"


def _costs(times: Times, fewer: int, more: int) -> str:
    ratio = times.node_seconds(more) / times.node_seconds(fewer) - 1
    if abs(ratio) < _SHOWN_AS_NOTHING:
        return "cost as many node-hours"
    return f"cost {percent(abs(ratio))} {'more' if ratio > 0 else 'fewer'} node-hours"
