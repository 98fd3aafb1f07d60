"""The README's table of every operation, by client: read, and compared with what was found."""

from collections.abc import Mapping
from pathlib import Path

COLUMNS = ("operation", "15.1", "15.1, async", "14.2", "az 2.91")

_README = Path(__file__).parents[2] / "README.md"
_HEADING = "## Every operation, by client\n"


def rows() -> list[list[str]]:
    """Give the rows, each as its cells, the operation without its quotes."""
    section = _README.read_text().partition(_HEADING)[2].partition("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    assert tuple(lines[0]) == COLUMNS
    return [[cells[0].strip("`"), *cells[1:]] for cells in lines[2:]]


def written(client: str) -> dict[str, str]:
    """Give what the table says of each operation by a client."""
    column = COLUMNS.index(client)
    return {cells[0]: cells[column] for cells in rows()}


def corrections(client: str, found: Mapping[str, str]) -> str:
    """Give the rows that must be written otherwise to say what was found with a client."""
    column = COLUMNS.index(client)
    wrong = []
    for cells in rows():
        word = found.get(cells[0], "not tried")
        if cells[column] != word:
            wrong.append(row([*cells[:column], word, *cells[column + 1 :]]))
    return "\n".join(wrong)


def row(cells: list[str]) -> str:
    """Write a row."""
    return f"| `{cells[0]}` | {' | '.join(cells[1:])} |"
