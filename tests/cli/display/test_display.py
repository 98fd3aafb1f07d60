"""The displays of a run, as they are chosen and as they end."""

import errno
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fastbatch.cli.display import Display, Surroundings, Wishes, choose, summary_text
from fastbatch.errors import UsageError
from fastbatch.events import Noticed
from tests.cli.display import RUN, SUMMARY, Clock, failing

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
FULL = Path("/dev/full")
HAS_FULL = pytest.mark.skipif(not FULL.exists(), reason="there is no disk that is always full")
PRINTS = "No space left on device"
SHOWS = """
import os, sys
from fastbatch.cli.display import Wishes, choose
from tests.cli.display import RUN, failing
with choose(Wishes({wishes})) as display:
    for event in RUN:
        display(event)
print("bookkeeping goes on", "rich" in sys.modules, file=sys.stderr)
"""


class Terminal(io.StringIO):
    """What says that it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


class Shown:
    """Displays with what they wrote."""

    def __init__(
        self, wishes: Wishes, *, out: io.StringIO | None = None, err: io.StringIO | None = None, **env: str
    ) -> None:
        clock = Clock()
        self.out = out if out is not None else io.StringIO()
        self.err = err if err is not None else io.StringIO()
        around = Surroundings(out=self.out, err=self.err, environment=env, ticks=clock, now=clock.now)
        self.display = choose(wishes, around)

    def run(self) -> tuple[str, str]:
        """Show a run, and give what went to stdout and stderr."""
        with self.display:
            for event in RUN:
                self.display(event)
        return self.out.getvalue(), self.err.getvalue()


def process(script: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """Run a shell script that can run Python."""
    environment = {**os.environ, "PYTHON": sys.executable, "TERM": "xterm", **env}
    return subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)


def on_a_terminal(code: str, out: int | None = None, **env: str) -> str:
    """Run Python with stderr, and stdout too if nothing else is said, on a terminal; give what that got."""
    import pty  # noqa: PLC0415, there is none on Windows

    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "90", "LINES": "40", **env}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=follower if out is None else out, stderr=follower, env=environment
    ) as child:
        os.close(follower)
        got = b"".join(iter(lambda: _read(leader), b""))
        os.close(leader)
    assert child.returncode == 0, got
    return got.decode()


def _read(leader: int) -> bytes:
    try:
        return os.read(leader, 65536)
    except OSError as error:
        if error.errno != errno.EIO:  # how Linux says that nobody has the other end any more
            raise
        return b""


def test_elsewhere_than_on_a_terminal_there_are_lines_and_the_result() -> None:
    """Lines on stderr, the result on stdout, failures on both."""
    out, err = Shown(Wishes()).run()
    assert out == summary_text(SUMMARY, 1000, color=False) + "\n"
    assert err.splitlines()[0] == "Run words-abcd1234 on pool fastbatch."
    assert err.splitlines()[-2:] == ["1 input failed: exit code 3", "  late.txt"]
    assert "\x1b" not in out + err


def test_who_wants_quiet_gets_errors_and_the_result() -> None:
    """Also on a terminal, and no bars."""
    out, err = Shown(Wishes(quiet=True), out=Terminal(), err=Terminal()).run()
    assert "the\n" in out
    assert "Failed: late.txt" in err
    assert "\x1b[?25l" not in err
    assert "uploaded" not in err


def test_json_is_every_event_and_nothing_else() -> None:
    """On stdout; the last one is the result."""
    out, err = Shown(Wishes(json=True)).run()
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["event"] for line in lines] == [event.kind for event in RUN]
    assert lines[-1]["words"] == SUMMARY.totals.words
    assert "Run words-abcd1234" in err


@pytest.mark.parametrize(
    ("wishes", "out", "environment", "bars"),
    [
        (Wishes(), io.StringIO, {}, True),
        (Wishes(), Terminal, {}, True),
        (Wishes(json=True), io.StringIO, {}, True),
        (Wishes(json=True), Terminal, {}, False),
        (Wishes(), Terminal, {"TERM": "dumb"}, False),
        (Wishes(), Terminal, {"TERM": "dumb", "FORCE_COLOR": "1"}, False),
        (Wishes(quiet=True), Terminal, {}, False),
        (Wishes(), Terminal, {"NO_COLOR": "1"}, True),
    ],
)
def test_bars_are_drawn_where_they_can_be(
    wishes: Wishes,
    out: Callable[[], io.StringIO],
    environment: dict[str, str],
    bars: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a terminal that is not dumb, and that is not shared with JSON."""
    monkeypatch.setenv("TERM", "xterm")
    _, err = Shown(wishes, out=out(), err=Terminal(), **environment).run()
    assert ("\x1b[?25l" in err) is bars


@pytest.mark.parametrize(
    ("stream", "environment", "color"),
    [
        (io.StringIO, {}, False),
        (io.StringIO, {"FORCE_COLOR": "1"}, True),
        (io.StringIO, {"FORCE_COLOR": ""}, False),
        (io.StringIO, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (Terminal, {"TERM": "xterm"}, True),
        (Terminal, {"TERM": "dumb"}, False),
        (Terminal, {"TERM": "unknown"}, False),
        (Terminal, {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (Terminal, {"TERM": "xterm", "NO_COLOR": ""}, True),
    ],
)
def test_colors_are_as_the_environment_wants_them(
    stream: Callable[[], io.StringIO], environment: dict[str, str], color: bool
) -> None:
    """On stdout and stderr alike."""
    out, err = Shown(Wishes(quiet=True), out=stream(), err=stream(), **environment).run()
    assert ("\x1b[" in out, "\x1b[" in err) == (color, color)


def test_failures_are_not_told_twice_to_the_same_reader() -> None:
    """On a terminal the result has them."""
    _, err = Shown(Wishes(), out=Terminal(), err=Terminal(), TERM="dumb").run()
    assert "1 input failed" not in err


def test_a_log_file_gets_every_event_whatever_else_is_wanted(tmp_path: Path) -> None:
    """Run after run."""
    log = tmp_path / "log"
    for _ in range(2):
        Shown(Wishes(quiet=True, log_file=str(log))).run()
    kinds = [json.loads(line)["event"] for line in log.read_text("utf-8").splitlines()]
    assert kinds == [event.kind for event in RUN] * 2


def test_a_log_file_that_cannot_be_is_told_before_anything_is_shown(tmp_path: Path) -> None:
    """So that nothing is begun."""
    with pytest.raises(UsageError, match="log file"):
        choose(Wishes(log_file=str(tmp_path)))


@HAS_FULL
def test_a_full_disk_under_the_log_file_is_told_once_and_ends_nothing() -> None:
    """Also to who wants quiet."""
    out, err = Shown(Wishes(quiet=True, log_file=str(FULL))).run()
    assert err.count(f"Nothing more is written to the log file /dev/full: {PRINTS}.") == 1
    assert "12,345" in out


@HAS_FULL
def test_a_full_disk_under_stdout_is_told_and_can_be_asked_for() -> None:
    """As then the result is nowhere."""
    ended = process('"$PYTHON" -c "$CODE" >/dev/full', CODE=SHOWS.format(wishes=""))
    assert ended.stderr.count(f"Nothing more is written to stdout: {PRINTS}.") == 1
    assert ended.stderr.endswith("bookkeeping goes on False\n")
    with FULL.open("w") as full:
        display = choose(Wishes(), Surroundings(out=full, err=io.StringIO(), environment={}))
        display(RUN[-1])
        assert display.trouble == PRINTS


@pytest.mark.parametrize("wishes", ["", "json=True"])
def test_who_reads_stdout_may_leave(wishes: str) -> None:
    """Nothing is raised, nothing complains, and all goes on."""
    ended = process('"$PYTHON" -c "$CODE" | head -1; echo "${PIPESTATUS[0]}"', CODE=SHOWS.format(wishes=wishes))
    assert len(ended.stdout.splitlines()) == 2
    assert ended.stdout.splitlines()[1] == "0"
    assert ended.stderr.endswith("bookkeeping goes on False\n")
    assert "BrokenPipe" not in ended.stderr
    assert "Nothing more" not in ended.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_stdout_and_stderr_may_be_closed_from_the_start(closed: str, tmp_path: Path) -> None:
    """The log has all of it."""
    code = SHOWS.format(wishes=f"log_file={str(tmp_path / 'log')!r}")
    ended = process(f'"$PYTHON" -c "$CODE" {closed}', CODE=code)
    assert ended.returncode == 0
    assert "Traceback (most" not in ended.stderr
    assert len((tmp_path / "log").read_bytes().splitlines()) == len(RUN)


def test_who_reads_stderr_may_leave(tmp_path: Path) -> None:
    """The result is printed all the same."""
    code = SHOWS.format(wishes="").replace("in RUN:", "in [*RUN[:2], *failing(10_000), RUN[-1]]:")
    ended = process(f'"$PYTHON" -c "$CODE" 2> >(head -1 >/dev/null) >{tmp_path}/out; echo $?', CODE=code)
    assert ended.stdout == "0\n"
    assert "12,345  the" in (tmp_path / "out").read_text()


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_json_is_utf8_whatever_the_locale(locale: str) -> None:
    """Text for people gets escapes where it must."""
    code = r"""
from fastbatch.cli.display import Wishes, choose
from fastbatch.events import Noticed
choose(Wishes(json=True))(Noticed("\u6f22"))
"""
    ended = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", code],
        env={**os.environ, "LC_ALL": locale, "PYTHONCOERCECLOCALE": "0"},
        capture_output=True,
        check=True,
    )
    assert json.loads(ended.stdout.decode("utf-8"))["text"] == "漢"
    assert ended.stderr in {"漢\n".encode(), b"\\u6f22\n"}


@POSIX
def test_on_a_terminal_bars_go_before_the_result() -> None:
    """And the cursor is there again."""
    got = on_a_terminal(SHOWS.format(wishes=""))
    assert got.index("\x1b[?25l") < got.index("3 of 4 inputs") < got.index("\x1b[?25h") < got.index("12,345")
    assert got.count("\x1b[?25l") == got.count("\x1b[?25h") == 1
    assert "bookkeeping goes on True" in got


@POSIX
def test_a_result_in_a_file_has_no_bars_and_the_terminal_has_the_failures(tmp_path: Path) -> None:
    """As after `>out`."""
    with (tmp_path / "out").open("w") as out:
        got = on_a_terminal(SHOWS.format(wishes=""), out.fileno())
    assert (tmp_path / "out").read_text() == summary_text(SUMMARY, 1000, color=False) + "\n"
    assert "1 input failed: exit code 3" in got


@POSIX
@pytest.mark.parametrize("raised", ["KeyboardInterrupt", "ValueError"])
def test_the_terminal_is_left_as_it_was_when_it_ends_badly(raised: str) -> None:
    """Whatever is raised, and it is raised on."""
    code = f"""
from fastbatch.cli.display import Wishes, choose
try:
    with choose(Wishes()) as display:
        display.__class__
        raise {raised}
except {raised}:
    print("raised on")
"""
    got = on_a_terminal(code)
    assert got.index("\x1b[?25l") < got.index("\x1b[?25h") < got.index("raised on")


@POSIX
def test_a_question_has_the_terminal_to_itself() -> None:
    """And the bars come again after it."""
    code = """
import time
from fastbatch.cli.display import Wishes, choose
with choose(Wishes()) as display:
    with display.paused():
        print("Sure?", flush=True)
        time.sleep(0.3)
        print("Yes", flush=True)
"""
    got = on_a_terminal(code)
    assert "Sure?\r\nYes\r\n" in got
    assert (got.count("\x1b[?25l"), got.count("\x1b[?25h")) == (2, 2)


def test_without_bars_nothing_imports_rich() -> None:
    """It takes long."""
    assert process('"$PYTHON" -c "$CODE" >/dev/null', CODE=SHOWS.format(wishes="")).stderr.endswith("False\n")


def test_a_display_is_an_observer() -> None:
    """It is called with events; also with those that come after the last."""
    display: Display = Shown(Wishes()).display
    for event in (*RUN, *failing(3), Noticed("Late.")):
        display(event)
