"""Measurements in files: where they are kept, and read again."""

import dataclasses
import json
import os
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fastbatch.errors import UsageError
from fastbatch.limits import SLOTS_PER_NODE
from fastbatch.outputs import Outputs
from fastbatch.terminal import escaped
from fastbatch.tuning.measured import Measurements

_BENCHMARKS = "benchmarks"  # where pytest-benchmark has them
_EXTRA = ("extra_info", "measurements")
_SHOWN = 60  # characters of what is wrong

# More than was ever measured; beyond it, reckoning would take all memory, or come to no number.
_BOUNDS_OF_ALL: Mapping[type, tuple[float, float]] = {int: (0, 10**18), float: (-(10**9), 10**9)}
_BOUNDS: Mapping[str, tuple[float, float]] = {
    "Measurements.slots": (1, SLOTS_PER_NODE),
    "Work.bundles": (1, 1_000_000),
    "Point.nodes": (1, 100_000),
    "Boot.nodes": (0, 100_000),
    "Boot.seconds": (0, 10**9),
    "RunTimes.seconds": (1e-6, 10**9),
    "RunTimes.opening": (0, 10**9),
    "RunTimes.merge": (0, 10**9),
}
_CHOOSES = "::"  # a benchmark of a file, as pytest writes it


def save(path: str, measurements: Measurements) -> None:
    """Write measurements to a file, which is there whole or not at all. Raises OutputFailed."""
    folder, name = os.path.split(os.path.abspath(path))
    with Outputs(folder, per_file=False).writing(name) as file:
        file.write(json.dumps(measurements.json(), ensure_ascii=False, allow_nan=False).encode("utf-8", "replace"))
        file.write(b"\n")


def load(path: str, tell: Callable[[str], None] = lambda _: None) -> Measurements:
    """
    Read measurements from a file: one that was saved, or the JSON of benchmarks that took some.

    Of several benchmarks the newest is taken, which is told, or the one that FILE::NAME names. Raises UsageError.
    """
    path, name = _divided(path)
    content = _content(path)
    if not isinstance(content, dict):
        raise _wrong(path, "it holds something else")
    if _BENCHMARKS not in content:
        return _measurements(path, content)
    found = {title: _measurements(path, saved) for title, saved in _of_benchmarks(content[_BENCHMARKS])}
    return _chosen(path, name, found, tell)


def _divided(path: str) -> tuple[str, str]:
    file, mark, name = path.rpartition(_CHOOSES)
    return (file, name) if mark and not os.path.lexists(path) else (path, "")


def _content(path: str) -> Any:
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file, parse_constant=_refuse)
    except (OSError, ValueError, RecursionError) as error:
        why = getattr(error, "strerror", None) or ("it is no JSON" if isinstance(error, ValueError) else str(error))
        raise _wrong(path, why) from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a number")


def _of_benchmarks(benchmarks: Any) -> Iterator[tuple[str, Any]]:
    """Give those that took measurements, by their names."""
    for benchmark in benchmarks if isinstance(benchmarks, list) else []:
        extra = benchmark.get(_EXTRA[0]) if isinstance(benchmark, dict) else None
        if isinstance(extra, dict) and _EXTRA[1] in extra:
            yield str(benchmark.get("name", "")), extra[_EXTRA[1]]


def _chosen(path: str, name: str, found: Mapping[str, Measurements], tell: Callable[[str], None]) -> Measurements:
    names = ", ".join(map(escaped, found))
    if not found:
        raise _wrong(path, "none of its benchmarks measured runs by node count; pytest bench -m scale does")
    if name:
        if name not in found:
            raise _wrong(path, f"it has no benchmark {escaped(name)}, but {names}")
        return found[name]
    newest = max(found, key=lambda title: found[title].began)
    if len(found) > 1:
        file = escaped(path)
        tell(f"{file} has measurements of {names}; the newest is taken. To take another: --from {file}::NAME")
    return found[newest]


def _measurements(path: str, content: Any) -> Measurements:
    try:
        measurements = Measurements.of(content)
        _check(measurements, Measurements)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise _wrong(path, why) from error
    return measurements


def _check(value: Any, kind: Any, place: str = "") -> None:
    """See that a value and all in it are what their types say, and can have been measured. Raises ValueError."""
    if dataclasses.is_dataclass(kind):
        known = typing.get_type_hints(kind)
        for each in dataclasses.fields(kind):
            _check(getattr(value, each.name), known[each.name], f"{type(value).__name__}.{each.name}")
    elif typing.get_origin(kind) is tuple:
        for part in value:
            _check(part, typing.get_args(kind)[0], place)
    elif isinstance(kind, types.UnionType):
        if value is not None:
            _check(value, typing.get_args(kind)[0], place)
    else:
        _see(value, kind, place)


def _see(value: Any, kind: type, place: str) -> None:
    """See that a plain value is of its kind, and within its bounds if it is a number. Raises ValueError."""
    if not _fits(value, kind):
        raise ValueError(f"{_short(value)} stands where there should be {_CALLED[kind]}")
    low, high = _BOUNDS.get(place) or _BOUNDS_OF_ALL.get(kind, (value, value))
    if not low <= value <= high:
        raise ValueError(f"{_short(value)} stands where there should be {_CALLED[kind]} from {low:,} to {high:,}")


_CALLED = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def _fits(value: Any, kind: type) -> bool:
    """Tell whether a plain value is of a kind."""
    if kind in {int, float}:
        return isinstance(value, (int, float) if kind is float else int) and not isinstance(value, bool)
    return isinstance(value, kind)


def _short(value: object) -> str:
    return f"{value!r:.{_SHOWN}}"


def _wrong(path: str, why: str) -> UsageError:
    return UsageError(
        f"{escaped(path)} can't be read as measurements: {escaped(why)}. Name a measurements.json that fastbatch tune "
        "wrote, or the JSON of pytest bench -m scale."
    )
