"""The files that are read: the user's config.toml, and fastbatch.toml in the working directory."""

import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastbatch.terminal import escaped

PROJECT_FILE = "fastbatch.toml"
_MOST_BYTES = 1 << 20
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Document:
    """What a file holds; nothing if it is not there."""

    path: Path
    table: Mapping[str, Any] = field(default_factory=dict, repr=False)
    readable_by_others: bool = False

    @property
    def name(self) -> str:
        """Give its path for people."""
        return escaped(str(self.path))


def user_file(environ: Mapping[str, str], *, windows: bool = os.name == "nt") -> Path:
    """Give the path of the user's own file."""
    chosen = environ.get("APPDATA" if windows else "XDG_CONFIG_HOME", "")
    if os.path.isabs(chosen):  # the XDG specification has others ignored
        return Path(chosen, "fastbatch", "config.toml")
    home = environ.get("HOME") or os.path.expanduser("~")
    return Path(home, ".config", "fastbatch", "config.toml")


def read(path: Path, problems: list[str]) -> Document:
    """Read a file, or add to the problems why that can't be done."""
    name = escaped(str(path))
    try:
        return _read(path)
    except (FileNotFoundError, NotADirectoryError):
        return Document(path)
    except OSError as error:
        problems.append(f"{name} can't be read: {error.strerror}.")
    except UnicodeDecodeError as error:
        problems.append(f"{name} is not UTF-8 at byte {error.start}. Save it as UTF-8.")
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{name} is not TOML: {error}.")
    except (ValueError, RecursionError):  # numbers of thousands of digits, tables within tables within tables
        problems.append(f"{name} holds numbers that are too long, or tables that are too deep.")
    return Document(path)


def _read(path: Path) -> Document:
    if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe would have us wait
        raise OSError(0, "it is not a regular file")
    with open(path, "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise OSError(0, f"it has more than {_MOST_BYTES} bytes")
    table = tomllib.loads(data.decode("utf-8-sig"))
    return Document(path, table, readable_by_others=os.name == "posix" and bool(mode & _OTHERS))
