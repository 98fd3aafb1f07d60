"""The command line: what is asked for, what is printed, and how it ends."""

from __future__ import annotations

import io
import os
import signal
import sys
import time
from functools import partial
from typing import ContextManager, Iterable, Iterator, NoReturn, Sequence

from . import cores, texts
from .errors import CountingError, DigestMismatch, InputUnreadable, JobDied, OutputFailed, UsageError
from .jobs import OUT_OF_MEMORY, STOPPING, Counted, running
from .options import Options, count_options, merge_options, top_options
from .ranking import leaders, ranked
from .runs import Block, Sums
from .source import Input, is_pipe, sha256
from .spill import Spill
from .tally import Counts
from .words import decode_in_pieces

_WRITTEN_AT_ONCE = 1 << 16


class Stopped(BaseException):
    """Raised where the program is when it is told to stop."""


def main(arguments: Sequence[str]) -> int:
    """Run the program; return its exit code."""
    began = time.time()
    _open_standard_files()
    for number in STOPPING:
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup sets it
            signal.signal(number, _stop)
    try:
        if arguments[:1] == ["count"]:
            _count(count_options(arguments[1:]), began)
        elif arguments[:1] == ["merge"]:
            _merge(merge_options(arguments[1:]))
        else:
            _top(top_options(arguments))
    except CountingError as error:
        return _say(str(error), error.exit_code)
    except MemoryError:
        return _say(OUT_OF_MEMORY, JobDied.exit_code)
    except BrokenPipeError:  # who reads our output has enough of it
        return 128 + signal.SIGPIPE
    except Stopped as stopped:
        number = signal.Signals(stopped.args[0])
        return _say(f"stopped by {number.name}", 128 + number)
    return 0


def _stop(number: int, _frame: object) -> NoReturn:
    for each in STOPPING:
        signal.signal(each, signal.SIG_IGN)  # what follows is tidying up, and short
    raise Stopped(number)


def _say(message: str, exit_code: int) -> int:
    if sys.stderr:
        sys.stderr.write(f"wordcount: {message}\n")
    return exit_code


def _open_standard_files() -> None:
    """Keep the numbers of standard files that were closed from being given to others; their use is still an error."""
    for number, useless in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_RDONLY)):
        if not _is_open(number):
            os.open(os.devnull, useless)  # which takes the lowest number that is free


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _top(options: Options) -> None:
    """Print the most frequent words of texts."""
    if options.range:
        pieces = [texts.within(options.paths[0], *options.range)]
    else:
        pieces = [texts.whole(path) for path in options.paths]
    jobs, memory = _jobs(options, sum(piece.size for piece in pieces))
    work = partial(texts.count, ignore_case=options.ignore_case)
    with running(texts.share(pieces, jobs), work, memory=memory, folder=None) as counted, Spill() as spill:
        counts = _together(counted, options.max_memory // 2, spill)
        totals = {"inputs": len(pieces), "bytes": sum(one.bytes for one in counted)}
        _print_top(counts.parts(), totals, options, spill)


def _count(options: Options, began: float) -> None:
    """Count a text or a tar into a result file; print when that was done, if that is asked for."""
    _write_result(options)
    if options.times:  # before the input is deleted: no result waits for that
        _print_times(began, time.time())
    if options.delete_input:
        _delete(str(options.paths[0]))


def _write_result(options: Options) -> None:
    from . import results  # it brings in JSON and hashing, which the other modes may do without

    path, folder = str(options.paths[0]), os.path.dirname(options.output) or "."
    if os.path.realpath(path) == os.path.realpath(options.output):
        raise UsageError(f"{path!r} is both INPUT and RESULT")
    if options.sha256:
        _verify(path, options.sha256)
    jobs, memory = _jobs(options, texts.whole(path).size)
    half = options.max_memory // 2
    counting = _counting(options, path, jobs, memory, folder)
    writer = results.ResultWriter(options.output, results.Settings(options.ignore_case, options.top))
    with counting as counted, Spill(folder) as spill, writer as result:
        blocks = result.through(_together(counted, half, spill).blocks())
        size = sum(one.bytes for one in counted)
        if options.tar:
            for _ in blocks:  # writing them is all
                pass
            for one in counted:
                result.add_inputs(one.lines.everything(), size=one.bytes)
        else:
            words, best = leaders(blocks, top=options.top, limit=half, spill=spill)
            name = os.fsencode(os.path.basename(path)).decode("utf-8", "surrogateescape")
            line = results.input_line(results.InputCount(name, size, words, best))
            result.add_inputs(io.BytesIO(line), size=size)


def _verify(path: str, digest: str) -> None:
    if is_pipe(path):
        raise InputUnreadable(f"cannot verify {path!r}: it is a pipe, which can be read only once")
    with Input(path) as source, source.reading():
        if sha256(source.reader()) != digest:
            raise DigestMismatch(f"{source.name} does not have the SHA-256 {digest}")


def _delete(path: str) -> None:
    try:
        os.unlink(path)
    except OSError as error:
        raise OutputFailed(f"the result is written, but {path!r} can't be deleted: {error.strerror}") from error


def _counting(options: Options, path: str, jobs: int, memory: int, folder: str) -> ContextManager[list[Counted]]:
    from . import bundles

    if options.tar:
        in_tar = partial(bundles.count, ignore_case=options.ignore_case, top=options.top)
        return running(bundles.share(path, jobs), in_tar, memory=memory, folder=folder)
    piece = texts.whole(path)
    if options.offset:
        piece = piece._replace(starts_text=False)
    in_text = partial(texts.count, ignore_case=options.ignore_case)
    return running(texts.share([piece], jobs), in_text, memory=memory, folder=folder)


def _merge(options: Options) -> None:
    """Add up result files, and print the most frequent words."""
    from . import results

    found = [results.Result(str(path)) for path in options.paths]
    totals = {
        "inputs": sum(result.totals.inputs for result in found),
        "bytes": sum(result.totals.bytes for result in found),
    }
    half = options.max_memory // 2
    with Spill() as spill:
        _print_top(results.merge(found, spill, memory=half), totals, options, spill)


def _print_times(began: float, ended: float) -> None:
    import json

    _print([json.dumps({"began": began, "ended": ended}).encode() + b"\n"])


def _print_top(blocks: Iterable[Block], totals: dict[str, int], options: Options, spill: Spill) -> None:
    sums = Sums()
    ranking = ranked(sums.through(blocks), top=options.top, limit=options.max_memory // 2, spill=spill)
    _print(_json_lines(ranking, totals, sums) if options.json else (b"%d\t%s\n" % (n, word) for word, n in ranking))


def _print(lines: Iterable[bytes]) -> None:
    try:
        # Not through sys.stdout, which would try again to write what could not be written when Python ends.
        with open(1, "wb", buffering=_WRITTEN_AT_ONCE, closefd=False) as out:
            out.writelines(lines)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputFailed.because("standard output", error) from error


def _json_lines(ranking: Iterable[tuple[bytes, int]], totals: dict[str, int], sums: Sums) -> Iterator[bytes]:
    import json

    for word, count in ranking:
        yield b'{"word": "'
        for piece in decode_in_pieces(word):
            yield json.dumps(piece, ensure_ascii=False)[1:-1].encode()
        yield b'", "count": %d}\n' % count
    yield json.dumps({**totals, "words": sums.words, "distinct": sums.distinct}).encode() + b"\n"


def _jobs(options: Options, size: int) -> tuple[int, int]:
    """Return how many jobs to run, and the memory of each."""
    return cores.share(options.max_memory, options.jobs or cores.worthwhile(size, os.environ))


def _together(counted: list[Counted], limit: int, spill: Spill) -> Counts:
    """Return what all jobs have counted as one."""
    if len(counted) == 1:
        return counted[0].counts
    counts = Counts(limit, spill)
    for one in counted:
        counts.take(one.counts)
    return counts
