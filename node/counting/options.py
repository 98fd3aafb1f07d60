"""What can be asked for on the command line."""

from __future__ import annotations

import argparse
from functools import partial
from typing import NamedTuple, NoReturn, Sequence

from .errors import UsageError

_UNITS = {"": 1, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30}
_LEAST_MEMORY = 1 << 20
_MOST_TOP_IN_RESULTS = 1000
_DIGEST_LENGTH = 64
_HELP_WIDTH = 100

_TOP = """\
Count the words of texts, and print the most frequent ones as COUNT, a tab, and WORD.
Without FILE, or where it is -, standard input is read."""

_TOP_EXAMPLES = """\
examples:
  %(prog)s book.txt                         the ten most frequent words
  %(prog)s --top 0 --ignore-case *.txt      all the words of several texts together
  zcat log.gz | %(prog)s --json             from a pipe, as JSON lines

other modes, each with a --help of its own:
  %(prog)s count INPUT --output RESULT      count a text or a tar into a result file
  %(prog)s merge RESULT...                  add up result files
A file of the name "count" or "merge" is counted as ./count or ./merge.

exit codes:
  0 done    2 wrong usage    3 an input can't be read    4 a tar is damaged    5 a digest does not match
  6 a range is outside its file    7 the output can't be written    8 a result file is damaged    9 a job died
  128 + N stopped by signal N"""

_COUNT = """\
Count the words of INPUT into a result file: all counts, sorted, and the most frequent words of each text in it.
Nothing but a whole result ever has the name RESULT."""

_COUNT_EXAMPLES = """\
examples:
  %(prog)s --tar bundle.tar --output result            many texts
  %(prog)s book.txt --output result                    one text
  %(prog)s slice --offset 67108864 --output result     a later part of a text"""

_MERGE = "Add up result files, and print the most frequent words as COUNT, a tab, and WORD."

_MERGE_EXAMPLES = """\
examples:
  %(prog)s results/*                        the ten most frequent words of all
  %(prog)s --top 0 results/* > counts.tsv   all words"""


class Options(NamedTuple):
    """The options of all modes; those that a mode does not have are at their defaults."""

    paths: list[str | None]  # None for standard input
    top: int
    max_memory: int
    ignore_case: bool = False
    jobs: int = 0  # as many as there are cores and work for
    range: tuple[int, int] | None = None
    json: bool = False
    output: str = ""
    tar: bool = False
    offset: int = 0
    sha256: str | None = None
    delete_input: bool = False
    times: bool = False


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are ours: one line, and no usage before it."""

    def __init__(self, mode: str, description: str, epilog: str) -> None:
        super().__init__(
            prog=f"wordcount {mode}".strip(),
            description=description,
            epilog=epilog,
            # With a width, as finding out the terminal's takes longer than anything else here.
            formatter_class=partial(argparse.RawDescriptionHelpFormatter, width=_HELP_WIDTH),
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


def top_options(arguments: Sequence[str]) -> Options:
    """Read the options of the mode without a name."""
    parser = _Parser("", _TOP, _TOP_EXAMPLES)
    parser.add_argument("paths", metavar="FILE", nargs="*", type=_path)
    _add_printing(parser)
    _add_counting(parser)
    parser.add_argument(
        "--range", metavar="START-END", type=_range, help="only the words that start from byte START to before END"
    )
    options = _read(parser, arguments)
    if not options.paths:
        options = options._replace(paths=[None])
    if options.paths.count(None) > 1:
        parser.error("standard input can be read only once, so - can be given only once")
    if options.range and len(options.paths) > 1:
        parser.error("--range is for one FILE")
    return options


def count_options(arguments: Sequence[str]) -> Options:
    """Read the options of `count`."""
    parser = _Parser("count", _COUNT, _COUNT_EXAMPLES)
    parser.add_argument("paths", metavar="INPUT", nargs=1)
    parser.add_argument("--output", metavar="RESULT", required=True, help="the file to write")
    parser.add_argument("--tar", action="store_true", help="INPUT is a tar of many texts")
    parser.add_argument(
        "--offset", metavar="BYTES", type=_number, default=0, help="where in its text INPUT starts, if it is a slice"
    )
    parser.add_argument("--sha256", metavar="HEX", type=_digest, help="what INPUT's digest must be")
    parser.add_argument("--delete-input", action="store_true", help="delete INPUT when it is counted")
    parser.add_argument("--times", action="store_true", help="print when it began and ended, in seconds since 1970")
    parser.add_argument("--top", metavar="N", type=_few, default=10, help="how many words for each text (default 10)")
    _add_counting(parser)
    options = _read(parser, arguments)
    if options.tar and options.offset:
        parser.error("--offset is for a slice of a text, and --tar is not one")
    return options


def merge_options(arguments: Sequence[str]) -> Options:
    """Read the options of `merge`."""
    parser = _Parser("merge", _MERGE, _MERGE_EXAMPLES)
    parser.add_argument("paths", metavar="RESULT", nargs="+")
    _add_printing(parser)
    _add_memory(parser)
    return _read(parser, arguments)


def _add_printing(parser: _Parser) -> None:
    parser.add_argument("--top", metavar="N", type=_number, default=10, help="how many words; 0 for all (default 10)")
    parser.add_argument("--json", action="store_true", help="print JSON lines: each word, and last the totals")


def _add_counting(parser: _Parser) -> None:
    parser.add_argument("--ignore-case", action="store_true", help="count words in lower case")
    parser.add_argument(
        "--jobs", metavar="N", type=_positive, default=0, help="processes, as memory allows (default: one a core)"
    )
    _add_memory(parser)


def _add_memory(parser: _Parser) -> None:
    parser.add_argument(
        "--max-memory",
        metavar="SIZE",
        type=_size,
        default=256 << 20,
        help="memory for counts, of all jobs together; what outgrows it goes to disk (default 256MiB)",
    )


def _read(parser: _Parser, arguments: Sequence[str]) -> Options:
    return Options(**vars(parser.parse_args(arguments)))


def _path(text: str) -> str | None:
    return None if text == "-" else text


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, 0 or more")
    return int(text)


def _positive(text: str) -> int:
    if not _number(text):
        raise argparse.ArgumentTypeError("it must be 1 or more")
    return int(text)


def _few(text: str) -> int:
    if not 1 <= _number(text) <= _MOST_TOP_IN_RESULTS:
        raise argparse.ArgumentTypeError(f"it must be from 1 to {_MOST_TOP_IN_RESULTS}; a result has all counts anyway")
    return int(text)


def _range(text: str) -> tuple[int, int]:
    start, dash, end = text.partition("-")
    if not dash:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form START-END, as in 0-1048576")
    return _number(start), _number(end)


def _size(text: str) -> int:
    digits = text.rstrip("KMGiBkmgb")
    unit = text[len(digits) :].upper()
    if unit not in _UNITS or not (digits.isascii() and digits.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size, such as 64MiB")
    if int(digits) * _UNITS[unit] < _LEAST_MEMORY:
        raise argparse.ArgumentTypeError(f"{text!r} is too little; the least is 1MiB")
    return int(digits) * _UNITS[unit]


def _digest(text: str) -> str:
    if len(text) != _DIGEST_LENGTH or text.lower().strip("0123456789abcdef"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a SHA-256 in hexadecimal")
    return text.lower()
