"""What goes wrong gets one clear line and an exit code of its own, and leaves nothing half done."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import resource
import shutil
import signal
import subprocess
import termios
import time
from typing import TYPE_CHECKING

import pytest

from fastbatch._node.counting.results import ResultWriter, Settings

from .conftest import NODE, WORDCOUNT, Wordcount
from .tars import tar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

needs_proc = pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="this system does not list processes")

NOBODY = 65534


def failure(done: subprocess.CompletedProcess[bytes]) -> tuple[int, str]:
    """Return how it ended and the one line it said, and that is all it may have said."""
    assert done.stdout == b""
    assert re.fullmatch(rb"wordcount: [^\n]+\n", done.stderr), done.stderr
    return done.returncode, done.stderr.decode()


def test_an_input_that_is_not_there(wordcount: Wordcount, tmp_path: Path) -> None:
    """In any mode."""
    for mode in (
        [],
        ["count", "--output", tmp_path / "result"],
        ["count", "--tar", "--output", tmp_path / "result"],
        ["merge"],
    ):
        code, said = failure(wordcount(*mode, tmp_path / "new\nline"))
        assert code == 3
        assert "new\\nline': No such file or directory" in said
    assert list(tmp_path.iterdir()) == []


def test_a_folder_for_an_input(wordcount: Wordcount, tmp_path: Path) -> None:
    """Says what to do instead."""
    code, said = failure(wordcount(tmp_path))

    assert (code, "it is a folder; name the files in it" in said) == (3, True)


def test_an_input_that_may_not_be_read(wordcount: Wordcount, tmp_path: Path) -> None:
    """Root may read anything, so someone else tries."""
    tmp_path.chmod(0o755)
    for name, mode in (("secret", 0o000), ("public", 0o444)):
        (tmp_path / name).write_bytes(b"word")
        (tmp_path / name).chmod(mode)
    program = f"""
import os, sys
sys.path.insert(0, {str(NODE)!r})
from counting.cli import main
main([os.devnull])  # so that all is imported before the right to read it is gone
if not os.geteuid():
    os.setgroups([])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
sys.exit(main(sys.argv[1:]))
"""

    def count(name: str) -> subprocess.CompletedProcess[bytes]:
        command = [wordcount.python, "-c", program, name]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)

    assert count("public").stdout == b"1\tword\n"
    assert failure(count("secret")) == (3, "wordcount: cannot read 'secret': Permission denied\n")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--top", "-1"], "--top"),
        (["--top", "1.5"], "'1.5' is not a whole number"),
        (["--top"], "--top"),
        (["--jobs", "0"], "it must be 1 or more"),
        (["--max-memory", "1GB"], "'1GB' is not a size, such as 64MiB"),
        (["--max-memory", "999KiB"], "the least is 1MiB"),
        (["--range", "5"], "'5' is not of the form START-END"),
        (["--range", "a-b"], "'a' is not a whole number"),
        (["--range", "0-1", "a", "b"], "--range is for one FILE"),
        (["-", "-"], "- can be given only once"),
        (["--unknown"], "--unknown"),
        (["--ignore"], "--ignore"),
        (["count", "a"], "--output"),
        (["count", "--output", "r"], "INPUT"),
        (["count", "a", "b", "--output", "r"], "b"),
        (["count", "a", "--output", "r", "--top", "0"], "a result has all counts anyway"),
        (["count", "a", "--output", "r", "--sha256", "xyz"], "'xyz' is not a SHA-256"),
        (["count", "a", "--output", "r", "--tar", "--offset", "5"], "--offset is for a slice"),
        (["merge"], "RESULT"),
    ],
)
def test_wrong_usage(wordcount: Wordcount, arguments: list[str], reason: str) -> None:
    """Is told with what is wrong, and where help is."""
    code, said = failure(wordcount(*arguments))

    assert code == 2
    assert reason in said
    assert said.endswith("--help\n")


def test_a_number_of_slots_that_is_none(wordcount: Wordcount) -> None:
    """It comes from the environment, so it is named as there."""
    code, said = failure(wordcount(env={**os.environ, "FASTBATCH_SLOTS": "many"}))

    assert (code, "FASTBATCH_SLOTS is 'many'" in said) == (2, True)


@pytest.mark.parametrize("given", ["5-4", "0-6", "6-6"])
def test_a_range_outside_the_file(wordcount: Wordcount, tmp_path: Path, given: str) -> None:
    """Or one that ends before it starts."""
    (tmp_path / "text").write_bytes(b"words")

    code, said = failure(wordcount("--range", given, tmp_path / "text"))

    assert (code, f"the range {given} is outside" in said) == (6, True)


def test_a_range_of_a_pipe(wordcount: Wordcount) -> None:
    """Has no end to be measured by."""
    code, said = failure(wordcount("--range", "0-5", stdin=b"words"))

    assert (code, "a pipe" in said) == (6, True)


def test_a_digest_of_a_pipe(wordcount: Wordcount, tmp_path: Path) -> None:
    """Can't be told before it is counted, and after that it is too late."""
    code, said = failure(
        wordcount("count", "/dev/stdin", "--output", tmp_path / "result", "--sha256", "0" * 64, stdin=b"word")
    )

    assert (code, "it is a pipe" in said, list(tmp_path.iterdir())) == (3, True, [])


def test_a_file_that_becomes_shorter(wordcount: Wordcount, tmp_path: Path) -> None:
    """Between the plan and the count."""
    program = f"""
import sys
sys.path.insert(0, {str(NODE)!r})
from counting import texts
from counting.cli import main
share = texts.share
def share_what_is_cut_off(pieces, jobs):
    open("text", "wb").close()
    return share(pieces, jobs)
texts.share = share_what_is_cut_off
sys.exit(main(sys.argv[1:]))
"""
    for jobs in ("1", "2"):
        (tmp_path / "text").write_bytes(b"word " * 10_000)
        command = [wordcount.python, "-c", program, "text", "--jobs", jobs]
        code, said = failure(subprocess.run(command, cwd=tmp_path, capture_output=True, check=False))
        assert (code, "cannot read all of 'text': it became shorter meanwhile" in said) == (3, True)


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("damage", ["cut off", "damaged", "no tar"])
def test_a_damaged_tar(wordcount: Wordcount, tmp_path: Path, damage: str, jobs: str) -> None:
    """Leaves no result, and none of an earlier run is touched."""
    whole = tar({b"%d" % n: b"word " * 300 for n in range(20)})
    at = whole.index(b"12\0")
    data = {"cut off": whole[:9000], "damaged": whole[:at] + b"x" + whole[at + 1 :], "no tar": b"word " * 300}[damage]
    (tmp_path / "bundle").write_bytes(data)
    (tmp_path / "result").write_bytes(b"earlier")

    code, said = failure(wordcount("count", "bundle", "--tar", "--jobs", jobs, "--output", "result", cwd=tmp_path))

    assert (code, "the tar is" in said) == (4, True)
    assert {path.name for path in tmp_path.iterdir()} == {"bundle", "result"}
    assert (tmp_path / "result").read_bytes() == b"earlier"


def test_a_damaged_result(wordcount: Wordcount, tmp_path: Path) -> None:
    """Adds nothing to a sum."""
    (tmp_path / "text").write_bytes(b"word")
    wordcount("count", tmp_path / "text", "--output", tmp_path / "result")
    (tmp_path / "result").write_bytes((tmp_path / "result").read_bytes().replace(b"word", b"ward"))

    code, said = failure(wordcount("merge", tmp_path / "result"))

    assert (code, "its digest does not match" in said) == (8, True)


def test_a_result_that_can_not_be_put_where_it_should(wordcount: Wordcount, tmp_path: Path) -> None:
    """In a folder that is not there, or in place of one."""
    (tmp_path / "text").write_bytes(b"word")
    (tmp_path / "folder").mkdir()

    for output in ("missing/result", "folder"):
        code, said = failure(wordcount("count", "text", "--output", output, cwd=tmp_path))
        assert (code, f"cannot write '{output}'" in said) == (7, True)
    assert {path.name for path in tmp_path.iterdir()} == {"text", "folder"}


@pytest.fixture
def small_disk(tmp_path: Path) -> list[str]:
    """Give a command to put before another, which then has a disk of 1 MiB at `full`."""
    mount = ["unshare", "-rm", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)]
    if not shutil.which("unshare") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system of a test's own is not allowed here")
    (tmp_path / "full").mkdir()
    script = (
        f'mount -t tmpfs -o size=1m tmpfs "{tmp_path}/full" && cd "{tmp_path}" && "$@"; code=$?; ls full; exit $code'
    )
    return ["unshare", "-rm", "sh", "-c", script, "sh"]


def test_a_disk_too_full_for_the_result(wordcount: Wordcount, tmp_path: Path, small_disk: list[str]) -> None:
    """Leaves nothing on it."""
    (tmp_path / "text").write_bytes(b" ".join(b"w%d" % n for n in range(300_000)))
    command = wordcount.command("count", "text", "--output", "full/result")

    code, said = failure(subprocess.run([*small_disk, *command], capture_output=True, check=False))

    assert (code, "No space left on device; free some space there" in said) == (7, True)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_disk_too_full_for_the_counts(wordcount: Wordcount, tmp_path: Path, small_disk: list[str], jobs: str) -> None:
    """That memory can't hold."""
    (tmp_path / "text").write_bytes(b" ".join(b"w%d" % n for n in range(300_000)))
    command = wordcount.command("--max-memory", "12MiB", "--jobs", jobs, "text")
    environment = {**os.environ, "TMPDIR": str(tmp_path / "full")}

    done = subprocess.run([*small_disk, *command], env=environment, capture_output=True, check=False)

    code, said = failure(done)
    assert (code, "counts to a temporary file: No space left on device; free some space there" in said) == (7, True)


def test_standard_output_that_is_full(wordcount: Wordcount) -> None:
    """Is told too, as a shorter list would not be noticed."""
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full here")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(wordcount.command(WORDCOUNT), stdout=full, stderr=subprocess.PIPE, check=False)

    assert done.returncode == 7
    assert done.stderr.startswith(b"wordcount: cannot write standard output: No space left on device; ")


@contextlib.contextmanager
def counting(
    wordcount: Wordcount, folder: Path, *, jobs: int, before: Sequence[str] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a count that does not end by itself: one of its inputs is a pipe into which nobody writes."""
    os.mkfifo(folder / "pipe")
    pipe = os.open(folder / "pipe", os.O_RDWR)
    (folder / "text").write_bytes(b"word " * 10_000)
    command = wordcount.command("pipe", "text", "--jobs", str(jobs))
    if jobs == 1:
        command = wordcount.command("count", "pipe", "--output", "result")
    os.write(pipe, b"words ")
    try:
        with subprocess.Popen(
            [*before, *command], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        ) as process:
            try:
                _until(lambda: _is_read(pipe) and len(_group(process.pid)) >= jobs)
                yield process
            finally:
                process.kill()
    finally:
        os.close(pipe)


def _is_read(pipe: int) -> bool:
    """Tell whether what was written into a pipe has arrived."""
    return fcntl.ioctl(pipe, termios.FIONREAD, b"\0\0\0\0") == b"\0\0\0\0"


def _group(leader: int) -> list[int]:
    """Return the processes of a session that have not ended."""
    members = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
            state, _, _, session = file.read().rpartition(")")[2].split()[:4]
            if int(session) == leader and state != "Z":
                members.append(int(name))
    return sorted(members)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


@needs_proc
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_in_the_middle(wordcount: Wordcount, tmp_path: Path, number: signal.Signals, jobs: int) -> None:
    """Ends it at once, without a result, a partial one, or a process left behind."""
    with counting(wordcount, tmp_path, jobs=jobs) as process:
        process.send_signal(number)
        stdout, stderr = process.communicate()

    assert (process.returncode, stdout) == (128 + number, b"")
    assert stderr == f"wordcount: stopped by {number.name}\n".encode()
    assert {path.name for path in tmp_path.iterdir()} == {"pipe", "text"}
    assert _group(process.pid) == []


def test_a_result_that_is_broken_off(tmp_path: Path) -> None:
    """Is not there, and nor is a part of it."""
    (tmp_path / "result").write_bytes(b"earlier")

    def blocks() -> Iterator[tuple[list[bytes], list[int]]]:
        yield [b"w%06d" % n for n in range(100_000)], [1] * 100_000
        assert len(list(tmp_path.iterdir())) == 2
        raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        ResultWriter(str(tmp_path / "result"), Settings(ignore_case=False, top=1)) as result,
    ):
        list(result.through(blocks()))

    assert [path.name for path in tmp_path.iterdir()] == ["result"]
    assert (tmp_path / "result").read_bytes() == b"earlier"


@needs_proc
def test_a_hang_up_that_is_to_be_ignored(wordcount: Wordcount, tmp_path: Path) -> None:
    """As `nohup` has it."""
    ignoring = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh"]
    with counting(wordcount, tmp_path, jobs=2, before=ignoring) as process:
        os.killpg(process.pid, signal.SIGHUP)
        os.killpg(process.pid, signal.SIGTERM)
        _, stderr = process.communicate()

    assert (process.returncode, stderr) == (128 + signal.SIGTERM, b"wordcount: stopped by SIGTERM\n")


@pytest.mark.parametrize(("closed", "code"), [("<&-", 3), (">&-", 7), ("2>&-", 0), ("<&- >&- 2>&-", 3)])
def test_standard_files_that_are_closed(wordcount: Wordcount, tmp_path: Path, closed: str, code: int) -> None:
    """Their numbers are not given to other files, into which output would vanish."""
    (tmp_path / "text").write_bytes(b"word " * 100_000)
    script = f'exec "$@" {closed}'
    command = ["sh", "-c", script, "sh", *wordcount.command("--jobs", "2", "text", "-")]

    done = subprocess.run(command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, check=False)

    assert done.returncode == code
    if "2>&-" not in closed:
        failure(done)
    elif not code:
        assert done.stdout == b"100000\tword\n"


def test_a_result_in_place_of_its_input(wordcount: Wordcount, tmp_path: Path) -> None:
    """Is not what anybody wants, and less so with --delete-input."""
    (tmp_path / "text").write_bytes(b"word")

    code, said = failure(wordcount("count", "./text", "--output", "text", "--delete-input", cwd=tmp_path))

    assert (code, "'./text' is both INPUT and RESULT" in said) == (2, True)
    assert (tmp_path / "text").read_bytes() == b"word"


@pytest.mark.parametrize("jobs", [pytest.param("1", marks=pytest.mark.slow), "2"])
def test_memory_that_is_not_there(wordcount: Wordcount, tmp_path: Path, jobs: str) -> None:
    """Whether the program or one of its jobs asks for it."""
    with open(tmp_path / "text", "wb") as file:
        file.truncate(200_000_000)  # one token, which is held whole

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (150_000_000, 150_000_000))

    command = wordcount.command("--jobs", jobs, "text")
    done = subprocess.run(command, cwd=tmp_path, preexec_fn=limit, capture_output=True, check=False)

    code, said = failure(done)
    assert (code, "not enough memory" in said) == (9, True)


@needs_proc
def test_a_job_that_is_killed(wordcount: Wordcount, tmp_path: Path) -> None:
    """As the system does when memory runs out: the whole ends, and says so."""
    with counting(wordcount, tmp_path, jobs=2) as process:
        os.kill(_group(process.pid)[1], signal.SIGKILL)
        stdout, stderr = process.communicate()

    assert (process.returncode, stdout) == (9, b"")
    assert stderr.startswith(b"wordcount: a counting job was ended by SIGKILL, perhaps for want of memory")
    assert _group(process.pid) == []


@needs_proc
def test_jobs_end_with_their_parent(wordcount: Wordcount, tmp_path: Path) -> None:
    """Even when that had no time to tell them."""
    with counting(wordcount, tmp_path, jobs=2) as process:
        process.kill()
        process.wait()
        _until(lambda: not _group(process.pid))
