"""What was measured and what to make of it, in words."""

import textwrap
from collections.abc import Iterator

from fastbatch.cli.display.sentences import brief
from fastbatch.cli.tuning.figures import between, estimated, seconds, share, significant
from fastbatch.terminal import escaped
from fastbatch.tuning.conditions import Conditions
from fastbatch.tuning.findings import Choice, Findings
from fastbatch.tuning.measured import Measurements, Work
from fastbatch.tuning.scaling import Curve, Law
from fastbatch.tuning.spread import Estimate
from fastbatch.units import counted, shown_size

_LABEL = 13  # columns
_NARROWEST, _WIDEST = 40, 100


def what(measurements: Measurements) -> str:
    """Say what was measured, where and when."""
    pool = f"pool {escaped(measurements.pool)} ({_nodes(measurements)})"
    return f"{_work(measurements)}\non {pool}, measured {escaped(measurements.began)}"


def curve(found: Curve, width: int) -> str:
    """Say which law the times follow, and how well."""
    parts = [f"contention {_percents(found.contention)}"]
    if (crosstalk := found.crosstalk) is not None:
        parts.append(f"crosstalk {_percents(crosstalk)}")
    parts.append(f"one node takes {estimated(found.one)}")
    law = "a fixed serial fraction" if found.law is Law.SERIAL else f"the {found.law.value}"
    return filled(
        f"The curve is {law}: {', '.join(parts)}. R squared is {found.r_squared:.3f}, and the median that is farthest "
        f"from it is off by {share(found.off)}.",
        width,
    )


def advice(findings: Findings, width: int) -> str:
    """Say which number of nodes to take; empty where nothing was measured."""
    choices = {"recommended": findings.knee, "fastest": findings.fastest, "cheapest": findings.cheapest}
    lines = (f"{label:<{_LABEL}}{_choice(choice)}" for label, choice in choices.items() if choice)
    return "\n".join(filled(line, width, _LABEL) for line in lines)


def simulated(findings: Findings, width: int) -> str:
    """Say what forecasts are made of, and how many of the nodes in them are enough."""
    basis = f"Simulated as measured{_but(findings.conditions)}, with all bundles uploaded."
    if findings.enough is None:
        return filled(basis, width)
    enough = f"Of these, take {counted(findings.enough.nodes, 'node')}. {brief(findings.enough.reason)}"
    return f"{filled(basis, width)}\n{filled(enough, width)}"


def _but(conditions: Conditions) -> str:
    """Tell what is taken otherwise."""
    others = []
    if conditions.latency is not None:
        others.append(f"tasks start {between(*map(seconds, conditions.latency))} late")
    if conditions.boot is not None:
        others.append(f"nodes boot {seconds(conditions.boot)}")
    if conditions.requests is not None:
        others.append(f"the service takes {conditions.requests:,g} requests a second")
    *first, last = others or [""]
    return f", but {', '.join(first)} and {last}" if first else f", but {last}" if last else ""


def warnings(findings: Findings, width: int) -> Iterator[str]:
    """Say what the data can't tell."""
    for warning in findings.warnings:
        yield filled(f"Warning: {brief(warning)}", width)


def filled(text: str, width: int, indent: int = 0) -> str:
    """Divide a text into lines, but no share from its sign."""
    width = max(min(width, _WIDEST), _NARROWEST)
    joined = text.replace(" %", "\0%")
    lines = textwrap.wrap(joined, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace("\0", " ")


def _work(measurements: Measurements) -> str:
    done = _amount(measurements.measured)
    if measurements.measured == measurements.whole:
        return done
    return f"{done}: {share(measurements.share)} of {_amount(measurements.whole)}"


def _amount(work: Work) -> str:
    return f"{counted(work.inputs, 'input')} ({shown_size(work.bytes)}) in {counted(work.bundles, 'task')}"


def _nodes(measurements: Measurements) -> str:
    slots = f"{counted(measurements.slots, 'slot')} a node"
    return f"local, {slots}" if measurements.local else f"{escaped(measurements.vm_size)}, {slots}"


def _percents(found: Estimate) -> str:
    if found.low is None or found.high is None:
        return share(found.value)
    low, high = share(found.low), share(found.high)
    return f"{share(found.value)} ({between(low.removesuffix(' %'), high.removesuffix(' %'))} %)"


def _choice(choice: Choice) -> str:
    hours = f"{significant(choice.node_hours)} node-hours"
    spent = hours if choice.cost is None else f"{hours}, cost {significant(choice.cost)}"
    return f"{counted(choice.nodes, 'node')}: {estimated(choice.seconds)}, {spent}. {brief(choice.reason)}"
