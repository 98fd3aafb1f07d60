"""What `fastbatch tune` is asked for beside the settings of its runs, read from what was written."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from fastbatch.cli.tuning.counts import numbers, numbers_and_ranges
from fastbatch.tuning.conditions import Conditions
from fastbatch.units import parse_duration

T = TypeVar("T")

NODES = "1,2,4"
REPEAT = "3"

_PERCENT = "%"
_OFTEN = 1000
_SHOWN = 20  # characters of what is wrong
_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)
_SLOWEST = 0.001  # requests a second
_HUGE = 1e15  # no price and no rate of ours comes near


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The values of options as they were written; None where they were not given."""

    nodes: str | None = None
    sample: str | None = None
    repeat: str | None = None
    price_per_node_hour: str | None = None
    simulate: str | None = None
    scheduling_latency: str | None = None
    boot_time: str | None = None
    request_rate: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be measured, and what is to be said of it."""

    nodes: tuple[int, ...]
    share: float  # of the inputs
    repeat: int
    price: float | None
    simulate: tuple[int, ...]
    conditions: Conditions


def read(texts: Texts, problems: list[str]) -> Wanted | None:
    """Read what was written; what can't be used is told, and then there is nothing."""
    before = len(problems)

    def given(option: str, text: str | None, parse: Callable[[str], T]) -> T | None:
        try:
            return None if text is None else parse(text)
        except ValueError as error:
            problems.append(f"{option}: {str(error).rstrip('.')}.")
            return None

    nodes = given("--nodes", NODES if texts.nodes is None else texts.nodes, numbers)
    share = given("--sample", texts.sample, _share)
    repeat = given("--repeat", REPEAT if texts.repeat is None else texts.repeat, _repeat)
    simulate = given("--simulate", texts.simulate, numbers_and_ranges)
    price = given("--price-per-node-hour", texts.price_per_node_hour, _price)
    conditions = Conditions(
        latency=given("--scheduling-latency", texts.scheduling_latency, _latency),
        boot=given("--boot-time", texts.boot_time, parse_duration),
        requests=given("--request-rate", texts.request_rate, _rate),
    )
    if conditions != Conditions() and texts.simulate is None:
        problems.append("--scheduling-latency, --boot-time and --request-rate are of simulations: add --simulate.")
    if len(problems) > before or nodes is None or repeat is None:
        return None
    return Wanted(
        nodes=nodes,
        share=1.0 if share is None else share,
        repeat=repeat,
        price=price,
        simulate=simulate or (),
        conditions=conditions,
    )


def _share(text: str) -> float:
    number = text.strip()
    share = _number(number.removesuffix(_PERCENT)) / (100 if number.endswith(_PERCENT) else 1)
    if not 0 < share <= 1:
        raise ValueError(f"a share of the inputs is more than 0 and at most 1, such as 0.1 or 10%, not {text}")
    return share


def _repeat(text: str) -> int:
    number = text.strip()
    if not _WHOLE.fullmatch(number) or not 1 <= int(number) <= _OFTEN:
        raise ValueError(f"a number of runs must be from 1 to {_OFTEN:,}, not {text[:_SHOWN]!r}")
    return int(number)


def _price(text: str) -> float:
    price = _number(text)
    if price < 0:
        raise ValueError(f"a price must not be negative, not {text}")
    return price


def _latency(text: str) -> tuple[float, float]:
    first, _, last = text.partition("..")
    low, high = parse_duration(first), parse_duration(last or first)
    if high < low:
        raise ValueError(f"the range {text} ends before it begins")
    return low, high


def _rate(text: str) -> float:
    rate = _number(text)
    if rate < _SLOWEST:
        raise ValueError(f"a number of requests a second must be at least {_SLOWEST}, not {text}")
    return rate


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not abs(number) < _HUGE:
        raise ValueError(f"{text!r} is not a number, such as 0.096")
    return number
