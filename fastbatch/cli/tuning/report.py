"""All that measurements say, for people."""

from collections.abc import Iterator

from fastbatch.cli.display.labelled import styled
from fastbatch.cli.tuning import tables, words
from fastbatch.cli.tuning.plot import plot, signs_for
from fastbatch.tuning.findings import Findings


def report(findings: Findings, width: int, *, encoding: str = "utf-8", color: bool = False) -> str:
    """Give the whole report, the recommendation at its end; without a line end after the last."""

    def title(text: str) -> str:
        return styled(text, color=color, bold=True)

    parts = [words.what(findings.measurements), tables.measured(findings, width)]
    if where := tables.stages(findings):
        parts.append(f"{title('Where the time goes, of a median task and of a median run')}\n{where}")
    if findings.curve:
        parts.append(words.curve(findings.curve, width))
    if foretold := tables.forecasts(findings):
        parts.append(
            f"{title('What a simulation says of the whole work')}\n{foretold}\n{words.simulated(findings, width)}"
        )
    if drawn := plot(findings, width, signs_for(encoding)):
        parts.append(drawn)
    parts += _conclusion(findings, width, color=color)
    return "\n\n".join(parts)


def _conclusion(findings: Findings, width: int, *, color: bool) -> Iterator[str]:
    if advice := words.advice(findings, width):
        yield advice
    if warnings := "\n".join(styled(line, color=color, fg="yellow") for line in words.warnings(findings, width)):
        yield warnings
