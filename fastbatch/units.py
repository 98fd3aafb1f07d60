"""Sizes and durations as people write and read them: 64MiB, 1h30m."""

import math
import re
from decimal import Decimal
from fractions import Fraction

_SIZES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_DURATIONS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_NUMBER = r"[0-9]{1,18}(?:\.[0-9]{1,18})?"  # so that no number takes long to read

_DECIMALS = {9.995: 2, 99.95: 1, math.inf: 0}  # how many are shown, by what numbers are below
_SHOWN_AS_A_MINUTE = 59.95
_SMALLEST = {
    3600: 1,
    86400: 60,
    math.inf: 3600,
}  # seconds of the last unit shown, by what is below

_SIZE = re.compile(rf"({_NUMBER})\s*([A-Za-z]*)", re.ASCII)
_DURATION = re.compile(r"\s*".join(rf"(?:({_NUMBER}){unit})?" for unit in _DURATIONS), re.ASCII)
_SECONDS = re.compile(_NUMBER, re.ASCII)

_A_SIZE = "A size is a number of bytes, or a number with KiB, MiB, GiB or TiB, such as 1048576, 64MiB or 1.5GiB."
_A_DURATION = "A duration is a number of seconds, or has days, hours, minutes and seconds, such as 90s, 1h30m or 2d."


def parse_size(text: str) -> int:
    """
    Read a size; what is below a byte is cut off.

    K, M, G and T alone mean KiB, MiB, GiB and TiB. KB, MB, GB and TB are refused, as they mean one thing to some and
    another to others.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a size. {_A_SIZE}")
    number, unit = match.groups()
    return int(Fraction(number) * _bytes(text, number, unit.lower()))


def parse_duration(text: str) -> float:
    """Read a duration, in seconds."""
    stripped = text.strip()
    if _SECONDS.fullmatch(stripped):
        return float(Fraction(stripped))
    match = _DURATION.fullmatch(stripped)
    if match is None or not any(match.groups()):
        raise ValueError(f"{text!r} is not a duration. {_A_DURATION}")
    numbers = zip(match.groups(), _DURATIONS.values(), strict=True)
    return float(sum(Fraction(number) * seconds for number, seconds in numbers if number))


def exact_size(size: int) -> str:
    """Show a size in the largest unit that has it whole; it reads as the same size."""
    unit = max((unit for unit in _SIZES if size % _SIZES[unit] == 0), key=lambda unit: _SIZES[unit]) if size else "B"
    return f"{size // _SIZES[unit]}{unit}"


def exact_duration(seconds: float) -> str:
    """Show a duration with all its units; it reads as the same duration."""
    left = Decimal(repr(seconds))
    parts = []
    for unit, length in _DURATIONS.items():
        count, left = (left, Decimal(0)) if unit == "s" else divmod(left, length)
        if count:
            parts.append(f"{_plain(count)}{unit}")
    return "".join(parts) or "0s"


def shown_size(size: int) -> str:
    """Show a size in short, right to a hundredth: 812B, 1.53GiB, 64MiB."""
    unit = max((unit for unit in _SIZES if _SIZES[unit] <= size), key=lambda unit: _SIZES[unit], default="B")
    return f"{_short(size / _SIZES[unit])}{unit}"


def shown_duration(seconds: float) -> str:
    """Show a duration in short, right to a fiftieth, or a hundredth of a second: 0.25s, 42.3s, 3m5s, 2d4h."""
    if seconds < _SHOWN_AS_A_MINUTE:
        return f"{_short(seconds)}s"
    smallest = next(length for below, length in _SMALLEST.items() if seconds < below)
    return exact_duration(round(seconds / smallest) * smallest)


def _bytes(text: str, number: str, unit: str) -> int:
    """Give the bytes of a unit, in small letters."""
    for power, (known, count) in enumerate(_SIZES.items()):
        letter = known[0].lower()
        if unit == known.lower() or (unit == letter and power) or not unit:
            return count
        if unit == f"{letter}b":
            thousands = int(Fraction(number) * 1000**power)
            raise ValueError(
                f"{text!r} can be read in two ways. Write {number}{known}, or {thousands} if you mean that."
            )
    raise ValueError(f"{text!r} is not a size. {_A_SIZE}")


def _short(number: float) -> str:
    """Write a number with three digits, or two decimals if it is small."""
    decimals = next(decimals for below, decimals in _DECIMALS.items() if number < below)
    return _plain(Decimal(f"{number:.{decimals}f}"))


def _plain(number: Decimal) -> str:
    """Write a number without an exponent, and without zeros at the end of its decimals."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def counted(number: int, noun: str) -> str:
    """Write how many of something there are, in singular or plural."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
