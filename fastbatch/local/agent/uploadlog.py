"""The two texts in a task's folder that tell what became of its output files."""

from collections.abc import Iterable
from contextlib import suppress

from fastbatch.local.agent.failures import Failed

_DONE = "fileuploadout.txt"
_FAILED = "fileuploaderr.txt"


class UploadLog:
    """
    The texts of one round of uploads, begun anew: a line for each file.

    Lines are held until `flush`, as the texts may be among the files, and a file must not change while it is uploaded.
    A disk that can't take them is no reason to fail: the files may well be on their way.
    """

    def __init__(self, folder: str) -> None:
        self._texts: dict[str, list[str]] = {f"{folder}/{_DONE}": [], f"{folder}/{_FAILED}": []}
        self._uploaded, self._refused = self._texts.values()
        for path in self._texts:
            _write(path, "w", ())

    def done(self, path: str, url: str, size: int) -> None:
        """Note a file that has become a blob; `url` holds no signature."""
        self._uploaded.append(f"{_line(path)} -> {_line(url)} ({size} bytes)\n")

    def failed(self, failure: Failed) -> None:
        """Note one that has not."""
        self._refused.append(f"{_line(str(failure))}\n")

    def flush(self) -> None:
        """Write what has been noted."""
        for path, lines in self._texts.items():
            if lines:
                _write(path, "a", lines)
                lines.clear()


def _write(path: str, mode: str, lines: Iterable[str]) -> None:
    with suppress(OSError), open(path, mode, encoding="utf-8") as file:
        file.writelines(lines)


def _line(text: str) -> str:
    """Keep a text, as a name can hold anything, on one line that can be written."""
    return text if text.isprintable() else repr(text)
