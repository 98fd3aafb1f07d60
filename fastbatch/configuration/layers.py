"""Settings from tables, the environment and flags, laid one over another."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fastbatch.bounds import SETTINGS, Setting, Shape
from fastbatch.configuration.given import Given, Layer, in_environment, in_table
from fastbatch.units import parse_duration, parse_size

_FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
_OPPOSITES = {"keep_pool": "delete_pool", "delete_pool": "keep_pool"}


def from_table(table: Mapping[str, object], where: str, problems: list[str]) -> Layer:
    """Read the run settings in a table of a file; it may hold nothing else."""
    return _layer(((key, in_table(key, value, where)) for key, value in table.items()), _from_toml, problems)


def from_environment(environ: Mapping[str, str], problems: list[str]) -> Layer:
    """Read the variables FASTBATCH_<SETTING>; an empty one is as good as none."""
    variables = {name: variable_of(name) for name in SETTINGS}
    given = (
        (name, in_environment(variable, environ[variable]))
        for name, variable in variables.items()
        if environ.get(variable)
    )
    return _layer(given, _from_text, problems)


def from_flags(flags: Mapping[str, object], problems: list[str]) -> Layer:
    """Take flags, as texts or in their types; None and no texts at all mean that one was not given."""
    given = (
        (name, Given(value, SETTINGS[name].option, SETTINGS[name].option))
        for name, value in flags.items()
        if value is not None and value != ()
    )
    return _layer(given, _from_flag, problems)


def merged(layers: Iterable[Layer], problems: list[str]) -> Layer:
    """Lay layers one over another, the strongest last."""
    result: dict[str, Given] = {}
    for layer in layers:
        on = {name for name in _OPPOSITES if name in layer and layer[name].value is True}
        if on == _OPPOSITES.keys():
            problems.append(" and ".join(layer[name].label for name in _OPPOSITES) + " exclude each other.")
        for name in on:
            result.pop(_OPPOSITES[name], None)
        result.update(layer)
    return result


def variable_of(name: str) -> str:
    """Give the variable that sets a setting."""
    return f"FASTBATCH_{name.upper()}"


def _layer(
    given: Iterable[tuple[str, Given]], convert: Callable[[Setting, Any], object], problems: list[str]
) -> dict[str, Given]:
    """Convert and check what is given; what can't be used is told and left out."""
    layer = {}
    for name, raw in given:
        known = SETTINGS[name]
        try:
            value = convert(known, raw.value)
        except ValueError as error:
            problems.append(f"{raw.label}: {error}")
            continue
        if fault := known.fault(value):
            problems.append(f"{raw.label} {fault}.")
        else:
            layer[name] = Given(value, raw.origin, raw.label)
    return layer


def _from_toml(known: Setting, value: object) -> object:
    match known.shape, value:
        case Shape.SIZE, str(text):
            return parse_size(text)
        case Shape.DURATION, str(text):
            return parse_duration(text)
        case Shape.TEXTS, list(texts):
            return tuple(texts)
        case _:
            return value


def _from_flag(known: Setting, value: object) -> object:
    return _from_text(known, value) if isinstance(value, str) else value


def _from_text(known: Setting, text: str) -> object:
    """Read the text of a variable; several texts are separated as paths are in PATH."""
    match known.shape:
        case Shape.FLAG:
            return _FLAGS.get(text.strip().lower(), text)
        case Shape.NUMBER:
            return int(text) if re.fullmatch(r"\s*-?[0-9]{1,18}\s*", text) else text
        case Shape.SIZE:
            return parse_size(text)
        case Shape.DURATION:
            return parse_duration(text)
        case Shape.TEXTS:
            return tuple(part for part in text.split(os.pathsep) if part)
        case Shape.TEXT:
            return text
